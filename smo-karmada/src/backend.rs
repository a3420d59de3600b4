//! [`KarmadaFleet`], the fleet and its releases behind smo-core's two ports.

use std::collections::BTreeSet;
use std::sync::atomic::AtomicUsize;
use std::sync::{Arc, PoisonError, RwLock};

use async_trait::async_trait;
use futures::try_join;
use jiff::Timestamp;
use serde_json::Value;
use smo_core::backend::{
    Applied, BackendError, ChartBackend, Clock, ClusterBackend, ObservedReleases, ReleaseBackend, Removed,
    Scope,
};
use smo_core::cluster::{Inventory, Toleration};
use smo_core::id::{ClusterName, ServiceKey};
use smo_core::placement::Assignment;
use smo_core::plan::ReleaseSpec;

use crate::autoscalers::{autoscalers, owners};
use crate::client::Client;
use crate::config::Drift;
use crate::drift::drift;
use crate::error::{Failure, KarmadaError};
use crate::facts::FleetFacts;
use crate::inventory::{FleetReport, read_clusters};
use crate::leftovers::{leftovers, settled_at};
use crate::objects::{INSTANCE, MANAGED_BY, Owner, PART_OF};
use crate::record::Record;
use crate::status::{Bindings, binding_of, observe, read_bindings};
use crate::submariner;

const CLUSTERS: &str = "/apis/cluster.karmada.io/v1alpha1/clusters";
pub(crate) const BINDINGS: &str = "resourcebindings";
const WORKS: &str = "/apis/work.karmada.io/v1alpha1/works";

/// A fleet behind a Karmada control plane.
///
/// Made by [`KarmadaConfig::connect`](crate::KarmadaConfig::connect). It holds no state of its own: what it must
/// remember of a release is in a Secret beside it, so several hosts and restarts see the same.
#[derive(Debug)]
pub struct KarmadaFleet {
    pub(crate) client: Client,
    pub(crate) charts: Box<dyn ChartBackend>,
    pub(crate) tolerations: Vec<Toleration>,
    /// The namespace in members where Submariner's objects are; `None` to ask nobody.
    pub(crate) submariner: Option<String>,
    /// Installs of images whose workload has not reached its clusters yet.
    pub(crate) starting: AtomicUsize,
    clock: Arc<dyn Clock>,
    facts: RwLock<FleetFacts>,
}

impl KarmadaFleet {
    /// A fleet over a client for Karmada's API server. `manager` is the name to write under.
    #[must_use]
    pub fn new(
        client: kube::Client,
        manager: &str,
        charts: Box<dyn ChartBackend>,
        clock: Arc<dyn Clock>,
        facts: FleetFacts,
    ) -> Self {
        Self {
            client: Client::new(client, manager),
            charts,
            tolerations: Vec::new(),
            submariner: Some(submariner::NAMESPACE.to_owned()),
            starting: AtomicUsize::new(0),
            clock,
            facts: RwLock::new(facts),
        }
    }

    /// The same, with releases that ignore these taints. A decision for a tainted cluster needs one: Karmada refuses it
    /// otherwise.
    #[must_use]
    pub fn with_tolerations(mut self, tolerations: Vec<Toleration>) -> Self {
        self.tolerations = tolerations;
        self
    }

    /// The same, with another answer to fields of our objects that somebody else has set since.
    #[must_use]
    pub fn with_drift(mut self, drift: Drift) -> Self {
        self.client.drift = drift;
        self
    }

    /// The same, with Submariner's objects looked for in another namespace of members than `submariner-operator`, or not
    /// at all. Only members that serve its API are asked, in two requests each.
    #[must_use]
    pub fn with_submariner(mut self, namespace: Option<&str>) -> Self {
        self.submariner = namespace.map(str::to_owned);
        self
    }

    /// Replaces what the host knows of the fleet: prices, carbon, distances.
    pub fn set_facts(&self, facts: FleetFacts) {
        *self.facts.write().unwrap_or_else(PoisonError::into_inner) = facts;
    }

    /// The fleet with what an [`Inventory`] has no place for: how far each report can be believed, the largest pod that
    /// fits, and what Submariner knows of its networks.
    ///
    /// # Errors
    /// As [`ClusterBackend::inventory`].
    pub async fn report(&self) -> Result<FleetReport, BackendError> {
        let items = self
            .client
            .list(CLUSTERS, "")
            .await
            .map_err(|error| error.during("inventory"))?;
        let mut report = {
            let facts = self.facts.read().unwrap_or_else(PoisonError::into_inner);
            read_clusters(&items, &facts, self.clock.now())
        };
        self.ask_submariner(&items, &mut report).await;
        Ok(report)
    }

    pub(crate) fn now(&self) -> Timestamp {
        self.clock.now()
    }

    pub(crate) fn owner(&self, service: &ServiceKey) -> Owner {
        Owner {
            manager: self.client.manager().to_owned(),
            service: service.clone(),
        }
    }

    /// The record of a name, whosever it is, with the Secret it was read from.
    pub(crate) async fn record(&self, owner: &Owner) -> Result<Option<(Record, Value)>, Failure> {
        let secret = self.client.get(&owner.record()).await?;
        if secret.as_ref().is_some_and(|secret| !Record::is_kept_in(secret)) {
            let why = format!("{} exists and is not ours", owner.record());
            return Err(KarmadaError::Conflict(why).into());
        }
        let read = secret.map(|secret| Record::read(&secret).map(|record| (record, secret)));
        Ok(read.transpose()?)
    }

    /// The same; what is somebody else's is no record.
    pub(crate) async fn record_if_ours(&self, owner: &Owner) -> Result<Option<(Record, Value)>, Failure> {
        match self.record(owner).await {
            Err(Failure::Karmada(KarmadaError::Conflict(_))) => Ok(None),
            other => other,
        }
    }

    async fn bindings(&self, namespace: Option<&str>) -> Result<Bindings, Failure> {
        let root = "/apis/work.karmada.io/v1alpha2";
        let path = match namespace {
            Some(namespace) => format!("{root}/namespaces/{namespace}/{BINDINGS}"),
            None => format!("{root}/{BINDINGS}"),
        };
        Ok(read_bindings(&self.client.list(&path, "").await?))
    }

    async fn policies(&self, namespace: Option<&str>) -> Result<Vec<Value>, Failure> {
        let root = "/apis/policy.karmada.io/v1alpha1";
        let path = match namespace {
            Some(namespace) => format!("{root}/namespaces/{namespace}/propagationpolicies"),
            None => format!("{root}/propagationpolicies"),
        };
        Ok(self.client.list(&path, "").await?)
    }

    async fn clusters(&self) -> Result<FleetReport, Failure> {
        let items = self.client.list(CLUSTERS, "").await?;
        Ok(read_clusters(&items, &FleetFacts::new(), self.now()))
    }

    async fn look(&self, scope: &Scope) -> Result<ObservedReleases, Failure> {
        let records = self.records(scope).await?;
        if records.is_empty() {
            return Ok(ObservedReleases::default());
        }
        let only = only_namespace(records.iter().map(|(record, _)| record));
        let works = async { Ok(self.client.list_metadata(WORKS, "").await?) };
        let scalers = async { Ok(autoscalers(&self.client, only).await?) };
        let (bindings, fleet, works, policies, scalers) = try_join!(
            self.bindings(only),
            self.clusters(),
            works,
            self.policies(only),
            scalers
        )?;
        let mut observed = ObservedReleases::default();
        for (record, secret) in &records {
            let left = leftovers(record, &bindings, &works);
            let now = self.now();
            self.settle((record, secret), &bindings, &works, now).await?;
            self.renew((record, secret), &bindings, &fleet, now).await?;
            if !record.removed {
                let mut release = observe(record, &bindings, &fleet);
                let edited = drift(&self.owner(&record.spec.service), record, &policies);
                release.message = edited.or(release.message);
                release.owners = owners(record, &scalers);
                observed.releases.insert(record.spec.service.clone(), release);
            }
            observed.leftovers.extend(left);
        }
        observed.leftovers.sort();
        Ok(observed)
    }

    async fn records(&self, scope: &Scope) -> Result<Vec<(Record, Value)>, Failure> {
        let mut labels = format!("{MANAGED_BY}={}", self.client.manager());
        let path = match scope {
            Scope::All => "/api/v1/secrets".to_owned(),
            Scope::Project(project) => format!("/api/v1/namespaces/{project}/secrets"),
            Scope::Graph(graph) => {
                labels.push_str(&format!(",{PART_OF}={}", graph.graph));
                format!("/api/v1/namespaces/{}/secrets", graph.project)
            }
        };
        labels.push_str(&format!(",{INSTANCE}"));
        let secrets = self.client.list(&path, &labels).await?;
        let ours = secrets.into_iter().filter(Record::is_kept_in);
        ours.map(|secret| Ok((Record::read(&secret)?, secret))).collect()
    }

    async fn take_away(&self, service: &ServiceKey) -> Result<Removed, Failure> {
        let owner = self.owner(service);
        let Some((record, secret)) = self.record_if_ours(&owner).await? else {
            return Ok(Removed::default());
        };
        if record.removed || record.spec.service != *service {
            return Ok(Removed::default());
        }
        let works = async { Ok(self.client.list_metadata(WORKS, "").await?) };
        let only = only_namespace([&record]);
        let (bindings, fleet, works) = try_join!(self.bindings(only), self.clusters(), works)?;
        let bound = record
            .objects
            .iter()
            .filter_map(|object| binding_of(&bindings, object))
            .flat_map(|binding| {
                binding
                    .spec
                    .clusters
                    .iter()
                    .filter_map(|target| target.name.parse().ok())
            });
        let stale = leftovers(&record, &bindings, &works)
            .into_iter()
            .map(|left| left.cluster);
        let copies: BTreeSet<ClusterName> = bound.chain(stale).collect();
        self.tear_down(&owner, &record).await?;
        let answers = |name: &ClusterName| {
            fleet
                .inventory
                .cluster(name.as_str())
                .is_some_and(|cluster| cluster.readiness.is_ready())
        };
        let owed = copies.iter().filter(|name| !answers(name)).cloned().collect();
        let settles = settled_at(&record, &bindings, self.now());
        self.retire(&owner, record, Some(&secret), settles).await?;
        Ok(Removed { existed: true, owed })
    }
}

/// The namespace that all objects of some releases stand in, if it is one.
fn only_namespace<'a>(records: impl IntoIterator<Item = &'a Record>) -> Option<&'a str> {
    let objects = records.into_iter().flat_map(|record| &record.objects);
    let namespaces: BTreeSet<&str> = objects.filter_map(|object| object.namespace.as_deref()).collect();
    namespaces.first().copied().filter(|_| namespaces.len() == 1)
}

#[async_trait]
impl ClusterBackend for KarmadaFleet {
    async fn inventory(&self) -> Result<Inventory, BackendError> {
        self.report().await.map(|report| report.inventory)
    }
}

#[async_trait]
impl ReleaseBackend for KarmadaFleet {
    async fn apply(&self, spec: &ReleaseSpec) -> Result<Applied, BackendError> {
        let applied = self.bring_about(spec).await;
        applied.map_err(|failure| failure.during(format!("apply {}", spec.service)))
    }

    async fn remove(&self, service: &ServiceKey) -> Result<Removed, BackendError> {
        self.take_away(service)
            .await
            .map_err(|failure| failure.during(format!("remove {service}")))
    }

    async fn scale(&self, service: &ServiceKey, assignment: &Assignment) -> Result<(), BackendError> {
        let scaled = self.rescale(service, assignment).await;
        scaled.map_err(|failure| failure.during(format!("scale {service}")))
    }

    async fn observe(&self, scope: &Scope) -> Result<ObservedReleases, BackendError> {
        self.look(scope)
            .await
            .map_err(|failure| failure.during(format!("observe {scope}")))
    }
}
