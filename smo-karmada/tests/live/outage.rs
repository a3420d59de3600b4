//! A member that dies and comes back.

use serde_json::json;
use smo_core::backend::{ClusterBackend, ReleaseBackend, Scope};
use smo_core::cluster::Health;
use smo_core::plan::Target;

use crate::releases::{IMAGE, gone, healthy_on, on, spec, until};
use crate::rig::Rig;

pub(crate) async fn outage(rig: &mut Rig) {
    if rig.testbed.members().is_empty() {
        eprintln!("live: this Karmada was not started here: no member of it is killed");
        return;
    }
    let mut spec = spec("live/outage/web", IMAGE, json!({}), on(&[("m1", 1)]));
    rig.fleet.apply(&spec).await.unwrap();
    until(rig, &spec.service, healthy_on(&[("m1", 1)])).await;
    rig.lap("healthy on m1; its API server is killed now");
    rig.testbed.stop_member("m1").unwrap();
    until(rig, &spec.service, |observed| {
        observed.clusters["m1"].health == Health::Unknown
    })
    .await;
    rig.lap("... its replicas are Unknown");
    assert_eq!(rig.fleet.inventory().await.unwrap().ready().count(), 2);
    spec.target = Target::Clusters(on(&[("m3", 1)]));
    rig.fleet.apply(&spec).await.unwrap();
    until(rig, &spec.service, healthy_on(&[("m3", 1)])).await;
    rig.lap("... moved to m3 and healthy");
    let observed = rig
        .fleet
        .observe(&Scope::Graph(spec.service.graph.clone()))
        .await
        .unwrap();
    assert_eq!(observed.leftovers.len(), 1, "{observed:?}");
    assert_eq!(observed.leftovers[0].cluster.as_str(), "m1");
    let removed = rig.fleet.remove(&spec.service).await.unwrap();
    assert_eq!(removed.owed, ["m1".parse().unwrap()], "the removal is owed to m1");
    let left = rig
        .fleet
        .observe(&Scope::Graph(spec.service.graph.clone()))
        .await
        .unwrap();
    assert!(
        left.releases.is_empty() && left.leftovers.iter().any(|left| left.cluster.as_str() == "m1"),
        "{left:?}"
    );
    rig.testbed.start_member("m1").unwrap();
    gone(rig, &spec.service).await;
    rig.lap("m1 is back, and the stale copy gone");
}
