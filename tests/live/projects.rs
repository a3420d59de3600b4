//! Two projects that know nothing of one another.

use crate::charts::Chart;
use crate::stage::{SMALL, Stage, service};

#[tokio::test(flavor = "multi_thread")]
async fn graphs_of_equal_names_in_two_projects_do_not_meet() {
    let (Some(mut one), Some(mut two)) = (Stage::new("one").await, Stage::new("two").await) else {
        return;
    };
    let mut graphs = Vec::new();
    for stage in [&mut one, &mut two] {
        stage.push(&Chart::app("web", "0.1.0")).await;
        let services = [
            service("web", "SHELF/web:0.1.0", SMALL, &["db"], ""),
            service(
                "db",
                "docker://registry.example.com/db:1",
                SMALL,
                &[],
                "ports: [{port: 5432}]",
            ),
        ];
        let graph = stage.graph("shop", &services.concat()).await;
        stage.deploy(&graph).await;
        graphs.push(graph);
    }
    one.remove(&graphs[0]).await;
    two.is_running(&graphs[1]).await;
    assert_eq!(two.replicas("web"), [("m1".to_owned(), 1)]);
    two.all_bindings_healthy(&[]);
    two.remove(&graphs[1]).await;
}
