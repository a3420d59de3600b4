//! A virtual object that services in other clusters call: the demo's chart leaves its ports without names.

use smo_testbed::live::eventually;

use crate::charts::Chart;
use crate::stage::{GPU, LONG, SMALL, Stage, service};

#[tokio::test(flavor = "multi_thread")]
async fn a_virtual_object_is_imported_where_it_is_called() {
    let Some(mut stage) = Stage::new("vo").await else {
        return;
    };
    stage.push(&Chart::virtual_object("camera", "0.1.0")).await;
    stage.push(&Chart::virtual_object("camera", "0.2.0")).await;
    stage.push(&Chart::app("reader", "0.1.0")).await;
    let services = |version: &str| {
        [
            service("camera", &format!("SHELF/camera:{version}"), SMALL, &[], ""),
            service("reader", "SHELF/reader:0.1.0", GPU, &["camera"], ""),
        ]
        .concat()
    };
    let mut graph = stage.graph("cameras", &services("0.1.0")).await;
    stage.deploy(&graph).await;
    assert_eq!(stage.replicas("camera"), [("m1".to_owned(), 1)]);
    for step in ["as installed", "after an upgrade"] {
        let ports = || {
            let service = stage.in_member("m2", "/api/v1/namespaces/vo/services/derived-camera")?;
            let ports = service["spec"]["ports"].as_array()?;
            Some(
                ports
                    .iter()
                    .map(|port| port["name"].as_str().unwrap_or("").to_owned())
                    .collect::<Vec<_>>(),
            )
        };
        let (ports, _) = eventually("derived-camera in m2", LONG, ports);
        assert_eq!(ports, ["catalogue", "http"], "named as its Service names them");
        assert_eq!(
            stage.members_with("/api/v1", "services", "derived-camera"),
            ["m2"]
        );
        // Nobody calls reader: it is imported where it runs, and not everywhere.
        let own = || (stage.members_with("/api/v1", "services", "derived-reader") == ["m2"]).then_some(());
        eventually("derived-reader in m2 alone", LONG, own);
        stage.lap(&format!("imported in m2 alone, {step}"));
        if step == "as installed" {
            graph = stage.graph("cameras", &services("0.2.0")).await;
            stage.orchestrator.replan(&graph, &stage.planner).await.unwrap();
        }
    }
    stage.is_running(&graph).await;
    stage.remove(&graph).await;
}
