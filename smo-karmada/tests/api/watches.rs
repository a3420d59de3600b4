//! Watches that break.

use std::time::{Duration, Instant};

use futures::StreamExt;
use serde_json::json;
use smo_core::backend::{ClusterBackend, ErrorKind, Retry};
use smo_karmada::{Change, KarmadaError};

use crate::server::{Server, cause, cluster};

/// The next word, or nothing when there is none in time.
async fn next(changes: &mut (impl StreamExt<Item = Change> + Unpin), within: Duration) -> Option<Change> {
    tokio::time::timeout(within, changes.next()).await.ok().flatten()
}

#[tokio::test(flavor = "multi_thread")]
async fn what_happens_while_the_server_is_away_is_told_when_it_is_back() {
    let Some(server) = Server::take().await else {
        return;
    };
    if server.testbed.members().is_empty() {
        eprintln!("live: this API server was not started here: it is not killed");
        return;
    }
    server.set_clusters(&[cluster("m1")]);
    let mut changes = Box::pin(server.fleet.changes());
    while next(&mut changes, Duration::from_secs(3)).await.is_some() {}
    server
        .kubectl
        .run(&["label", "clusters.cluster.karmada.io", "m1", "watched=yes"])
        .unwrap();
    assert_eq!(
        next(&mut changes, Duration::from_secs(5)).await,
        Some(Change::Clusters)
    );

    server.testbed.stop_api().unwrap();
    let error = server.fleet.inventory().await.unwrap_err();
    assert_eq!(
        (error.kind(), error.retry()),
        (ErrorKind::Unavailable, Retry::Later)
    );
    assert!(matches!(cause(&error), KarmadaError::Unreachable(_)), "{error}");
    // The watch tries and fails, with growing pauses.
    tokio::time::sleep(Duration::from_secs(3)).await;
    server.testbed.start_api().unwrap();
    let back = Instant::now();
    server.kubectl.apply(&cluster("m2")).unwrap();
    let mut told = Vec::new();
    while !told.contains(&Change::Clusters) || !told.contains(&Change::Releases) {
        let word = next(&mut changes, Duration::from_secs(60)).await;
        told.push(word.expect("word of both within a minute"));
    }
    eprintln!(
        "live: a broken watch is whole again {:.1} s after the server",
        back.elapsed().as_secs_f64()
    );
    let fleet = server.fleet.inventory().await.unwrap();
    assert_eq!(fleet.ready().count(), 2);
    // And it goes on.
    while next(&mut changes, Duration::from_secs(2)).await.is_some() {}
    let binding = json!({"apiVersion": "work.karmada.io/v1alpha2", "kind": "ResourceBinding",
        "metadata": {"name": "x-deployment", "namespace": "default"},
        "spec": {"resource": {"apiVersion": "apps/v1", "kind": "Deployment", "namespace": "default", "name": "x"}}});
    server.kubectl.apply(&binding).unwrap();
    assert_eq!(
        next(&mut changes, Duration::from_secs(5)).await,
        Some(Change::Releases)
    );
    server
        .kubectl
        .run(&["delete", "resourcebindings.work.karmada.io", "x-deployment"])
        .unwrap();
}
