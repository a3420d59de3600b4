//! The fleet against a real Karmada with the members m1, m2 (with GPUs) and m3, at least 4 free cores each.
//!
//! `cargo xtask live` runs it; without servers it prints one line and passes. The joined stories, with Helm, a registry
//! and the orchestrator, are in `tests/live` of the root package.

#![allow(
    clippy::unwrap_used,
    clippy::print_stderr,
    clippy::panic,
    clippy::type_complexity
)]

mod charts;
mod fleet;
mod others;
mod outage;
mod placing;
mod releases;
mod rig;

use rig::Rig;
use serde_json::Value;
use smo_core::backend::ReleaseName;
use smo_core::helm_values::HelmValues;

#[tokio::test(flavor = "multi_thread")]
async fn karmada() {
    type Render = fn(&ReleaseName, &HelmValues) -> Vec<Value>;
    let templates: [(&str, Render); 2] = [
        ("oci://charts/plain", charts::plain_chart),
        ("oci://charts/steered", charts::steered_chart),
    ];
    let Some(mut rig) = Rig::new(&templates).await else {
        return;
    };
    fleet::inventory(&mut rig).await;
    fleet::credentials(&mut rig).await;
    fleet::conformance(&mut rig).await;
    fleet::changes(&mut rig).await;
    placing::exact_split(&mut rig).await;
    placing::accelerator(&mut rig).await;
    placing::imports(&mut rig).await;
    placing::chain(&mut rig).await;
    others::taken(&mut rig).await;
    others::nowhere(&mut rig).await;
    others::foreign(&mut rig).await;
    charts::steered(&mut rig).await;
    others::drift(&mut rig).await;
    outage::outage(&mut rig).await;
}
