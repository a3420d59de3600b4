//! Infrastructure in memory: clusters that join an in-memory fleet after a while.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use jiff::Timestamp;

use super::{InMemoryFleet, Journal, Scripted, lock};
use crate::backend::clock::later;
use crate::backend::{
    BackendError, Clock, ClusterRequest, ErrorKind, InfrastructureBackend, TaskId, TaskStatus,
};
use crate::cluster::Cluster;
use crate::id::ClusterName;

/// Clusters that take a while to come and go (ten minutes unless said otherwise), by the clock of a fleet that they
/// join. Clones share everything.
#[derive(Debug, Clone)]
pub struct InMemoryInfrastructure(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    journal: Journal,
    fleet: InMemoryFleet,
    delay: Duration,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    /// Clusters that were requested and not removed.
    clusters: BTreeMap<ClusterName, ClusterRequest>,
    tasks: Vec<Task>,
    /// Clusters whose next work fails, and why.
    broken: BTreeMap<ClusterName, String>,
}

#[derive(Debug, Clone)]
struct Task {
    cluster: ClusterName,
    work: Work,
    due: Timestamp,
    status: TaskStatus,
}

impl Task {
    fn goes_on(&self) -> bool {
        self.status == TaskStatus::Running
    }
}

#[derive(Debug, Clone, PartialEq)]
enum Work {
    Create(ClusterRequest),
    Grow(ClusterRequest),
    Remove,
}

impl InMemoryInfrastructure {
    /// The most workers of a cluster, as NFVCL has it.
    pub const MOST_WORKERS: u32 = 18;

    /// Infrastructure whose clusters join `fleet`.
    #[must_use]
    pub fn new(fleet: InMemoryFleet) -> Self {
        Self::with_delay(fleet, Duration::from_secs(600))
    }

    /// The same where work takes `delay`.
    #[must_use]
    pub fn with_delay(fleet: InMemoryFleet, delay: Duration) -> Self {
        Self(Arc::new(Inner {
            journal: Journal::default(),
            fleet,
            delay,
            state: Mutex::default(),
        }))
    }

    /// Makes the work that ends next for `cluster` fail with this message.
    pub fn break_work(&self, cluster: ClusterName, message: impl Into<String>) {
        lock(&self.0.state).broken.insert(cluster, message.into());
    }

    /// Starts work, or finds the same work already going on.
    fn begin(&self, state: &mut State, cluster: &ClusterName, work: Work) -> Result<TaskId, BackendError> {
        self.settle(state);
        let going_on = state
            .tasks
            .iter()
            .position(|task| task.cluster == *cluster && task.goes_on());
        match going_on.and_then(|index| state.tasks.get(index).map(|task| (index, task))) {
            Some((index, task)) if task.work == work && !matches!(work, Work::Grow(_)) => {
                return Ok(name(index));
            }
            Some(_) => {
                let operation = format!("cluster {cluster}");
                return Err(BackendError::new(
                    ErrorKind::Conflict,
                    operation,
                    "other work goes on for it",
                ));
            }
            None => {}
        }
        let due = later(self.0.fleet.clock().now(), self.0.delay);
        state.tasks.push(Task {
            cluster: cluster.clone(),
            work,
            due,
            status: TaskStatus::Running,
        });
        Ok(name(state.tasks.len() - 1))
    }

    /// Brings about what is due.
    fn settle(&self, state: &mut State) {
        let now = self.0.fleet.clock().now();
        let State {
            clusters,
            tasks,
            broken,
        } = state;
        for task in tasks.iter_mut().filter(|task| task.goes_on() && task.due <= now) {
            if let Some(message) = broken.remove(&task.cluster) {
                task.status = TaskStatus::Failed { message };
                continue;
            }
            match &task.work {
                Work::Create(request) | Work::Grow(request) => {
                    let offered = request.worker.checked_mul(request.workers).unwrap_or_default();
                    self.0.fleet.join(Cluster::new(request.name.clone(), offered));
                    clusters.insert(task.cluster.clone(), request.clone());
                }
                Work::Remove => {
                    self.0.fleet.part(&task.cluster);
                    clusters.remove(&task.cluster);
                }
            }
            task.status = TaskStatus::Done;
        }
    }
}

fn name(index: usize) -> TaskId {
    TaskId(format!("task-{}", index + 1))
}

fn check_workers(cluster: &ClusterName, workers: u32, at_most: u32) -> Result<(), BackendError> {
    if (1..=at_most).contains(&workers) {
        return Ok(());
    }
    let why = format!("{workers} workers asked for; 1 to {at_most} are possible");
    Err(BackendError::new(
        ErrorKind::Invalid,
        format!("cluster {cluster}"),
        why,
    ))
}

impl Scripted for InMemoryInfrastructure {
    fn journal(&self) -> &Journal {
        &self.0.journal
    }
}

#[async_trait]
impl InfrastructureBackend for InMemoryInfrastructure {
    async fn request_cluster(&self, request: &ClusterRequest) -> Result<TaskId, BackendError> {
        self.0.journal.enter("request_cluster", request.name.as_str())?;
        check_workers(&request.name, request.workers, Self::MOST_WORKERS)?;
        if request.worker.checked_mul(request.workers).is_none() {
            let operation = format!("cluster {}", request.name);
            return Err(BackendError::new(
                ErrorKind::Invalid,
                operation,
                "its amounts do not fit 64 bits",
            ));
        }
        let mut state = lock(&self.0.state);
        self.settle(&mut state);
        if state.clusters.contains_key(&request.name) || self.0.fleet.has(&request.name) {
            let operation = format!("cluster {}", request.name);
            return Err(BackendError::new(
                ErrorKind::Conflict,
                operation,
                "there is one already",
            ));
        }
        self.begin(&mut state, &request.name, Work::Create(request.clone()))
    }

    async fn add_workers(&self, cluster: &ClusterName, workers: u32) -> Result<TaskId, BackendError> {
        self.0.journal.enter("add_workers", cluster.as_str())?;
        let mut state = lock(&self.0.state);
        self.settle(&mut state);
        let missing = || {
            BackendError::new(
                ErrorKind::NotFound,
                format!("cluster {cluster}"),
                "it was not made here",
            )
        };
        let mut request = state.clusters.get(cluster).cloned().ok_or_else(missing)?;
        check_workers(
            cluster,
            workers,
            Self::MOST_WORKERS - request.workers.min(Self::MOST_WORKERS),
        )?;
        request.workers += workers;
        self.begin(&mut state, cluster, Work::Grow(request))
    }

    async fn remove_cluster(&self, cluster: &ClusterName) -> Result<TaskId, BackendError> {
        self.0.journal.enter("remove_cluster", cluster.as_str())?;
        let mut state = lock(&self.0.state);
        self.settle(&mut state);
        if state.clusters.contains_key(cluster) {
            return self.begin(&mut state, cluster, Work::Remove);
        }
        if state
            .tasks
            .iter()
            .any(|task| task.cluster == *cluster && task.goes_on())
        {
            return self.begin(&mut state, cluster, Work::Remove);
        }
        let due = self.0.fleet.clock().now();
        state.tasks.push(Task {
            cluster: cluster.clone(),
            work: Work::Remove,
            due,
            status: TaskStatus::Done,
        });
        Ok(name(state.tasks.len() - 1))
    }

    async fn task(&self, task: &TaskId) -> Result<TaskStatus, BackendError> {
        self.0.journal.enter("task", task.0.as_str())?;
        let mut state = lock(&self.0.state);
        self.settle(&mut state);
        let index = task
            .0
            .strip_prefix("task-")
            .and_then(|number| number.parse::<usize>().ok());
        let found = index
            .and_then(|number| number.checked_sub(1))
            .and_then(|index| state.tasks.get(index));
        let missing = || BackendError::new(ErrorKind::NotFound, format!("task {task}"), "no such task");
        Ok(found.ok_or_else(missing)?.status.clone())
    }
}
