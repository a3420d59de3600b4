//! The contract of [`DashboardBackend`].

use super::{Outcome, Port};
use crate::backend::{DashboardBackend, ErrorKind};
use crate::plan::{Dashboard, Panel, PanelKind, Query, Unit};

const PORT: Port = Port("DashboardBackend");

fn dashboard(uid: &str, title: &str) -> Dashboard {
    let query = Query {
        expr: "up".to_owned(),
        legend: "{{job}}".to_owned(),
    };
    Dashboard {
        uid: uid.to_owned(),
        title: title.to_owned(),
        tags: vec!["smo".to_owned()],
        variables: Vec::new(),
        panels: vec![Panel {
            title: "up".to_owned(),
            kind: PanelKind::TimeSeries,
            unit: Unit::Count,
            queries: vec![query],
        }],
    }
}

/// Checks that `backend` keeps the contract of [`DashboardBackend`].
///
/// # Errors
/// The first rule that it breaks.
pub async fn dashboards(backend: &dyn DashboardBackend) -> Outcome {
    let uid = "smo-conformance";
    PORT.succeeds("removing what is not there succeeds", backend.remove(uid).await)?;
    let first = dashboard(uid, "first");
    for _ in 0..2 {
        PORT.succeeds(
            "a dashboard can be written, and written again",
            backend.write(&first).await,
        )?;
        let listed = PORT.succeeds("dashboards can be listed", backend.list().await)?;
        PORT.equal(
            "a written dashboard is listed as written",
            listed.get(uid).cloned(),
            Some(first.fingerprint()),
        )?;
    }
    let second = dashboard(uid, "second");
    PORT.succeeds("a dashboard can be replaced", backend.write(&second).await)?;
    let listed = PORT.succeeds("dashboards can be listed", backend.list().await)?;
    PORT.equal(
        "a replaced dashboard is listed as written",
        listed.get(uid).cloned(),
        Some(second.fingerprint()),
    )?;
    for bad in ["", "has space", &"x".repeat(41)] {
        let refused = backend.write(&dashboard(bad, "bad")).await;
        PORT.fails("a bad uid is Invalid", ErrorKind::Invalid, refused)?;
    }
    for _ in 0..2 {
        PORT.succeeds(
            "a dashboard can be removed, and removed again",
            backend.remove(uid).await,
        )?;
    }
    let listed = PORT.succeeds("dashboards can be listed", backend.list().await)?;
    PORT.equal(
        "a removed dashboard is not listed",
        listed.contains_key(uid),
        false,
    )
}
