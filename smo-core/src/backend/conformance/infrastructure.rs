//! The contract of [`InfrastructureBackend`].

use std::time::Duration;

use super::{Outcome, Port};
use crate::backend::{
    ClusterRequest, ErrorKind, InfrastructureBackend, InfrastructureBackendExt, TaskId, TaskStatus, Timer,
};

const PORT: Port = Port("InfrastructureBackend");

/// What the suite asks for.
#[derive(Debug, Clone)]
pub struct InfrastructureFixture {
    /// A cluster that does not exist and can be made.
    pub request: ClusterRequest,
    /// How long work may take.
    pub patience: Duration,
}

/// Checks that `backend` keeps the contract of [`InfrastructureBackend`]. Makes a cluster, and removes it.
///
/// # Errors
/// The first rule that it breaks.
pub async fn infrastructure(
    backend: &dyn InfrastructureBackend,
    timer: &dyn Timer,
    fixture: &InfrastructureFixture,
) -> Outcome {
    let InfrastructureFixture { request, patience } = fixture;
    let done = |rule, task: TaskId| async move {
        let status = PORT.succeeds(
            "work can be followed",
            backend.finish(&task, timer, *patience).await,
        )?;
        PORT.equal(rule, status, TaskStatus::Done)
    };
    let unknown = backend.add_workers(&request.name, 1).await;
    PORT.fails("an unknown cluster is NotFound", ErrorKind::NotFound, unknown)?;
    let unknown = backend.task(&TaskId("no-such-task".to_owned())).await;
    PORT.fails("an unknown task is NotFound", ErrorKind::NotFound, unknown)?;
    let none = backend
        .request_cluster(&ClusterRequest {
            workers: 0,
            ..request.clone()
        })
        .await;
    PORT.fails("a cluster without workers is Invalid", ErrorKind::Invalid, none)?;
    let absent = PORT.succeeds(
        "removing what is not there succeeds",
        backend.remove_cluster(&request.name).await,
    )?;
    done("removing what is not there is done", absent).await?;

    let task = PORT.succeeds(
        "a cluster can be requested",
        backend.request_cluster(request).await,
    )?;
    let again = PORT.succeeds(
        "it can be requested again meanwhile",
        backend.request_cluster(request).await,
    )?;
    PORT.equal("the same request is the same work", &again, &task)?;
    done("a requested cluster is made", task).await?;
    let taken = backend.request_cluster(request).await;
    PORT.fails("a name that is taken is a Conflict", ErrorKind::Conflict, taken)?;

    let task = PORT.succeeds(
        "workers can be added",
        backend.add_workers(&request.name, 1).await,
    )?;
    let meanwhile = backend.add_workers(&request.name, 1).await;
    PORT.fails(
        "other work meanwhile is a Conflict",
        ErrorKind::Conflict,
        meanwhile,
    )?;
    done("workers are added", task).await?;

    let task = PORT.succeeds(
        "a cluster can be removed",
        backend.remove_cluster(&request.name).await,
    )?;
    done("a cluster is removed", task).await?;
    let gone = backend.add_workers(&request.name, 1).await;
    PORT.fails("a removed cluster is NotFound", ErrorKind::NotFound, gone)
}
