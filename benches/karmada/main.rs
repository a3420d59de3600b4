//! The report on a real Karmada: what smo takes for the acts of a day, and beside each the same act by kubectl and Helm.
//!
//! `cargo xtask report karmada` runs it and writes `benches/REPORT.md`. It starts servers of its own.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stderr,
    missing_docs,
    reason = "a report that cannot be made fails"
)]

mod acts;
mod brussels;
mod chain;
mod hand;
mod inventory;
mod machine;
mod measure;
mod page;

// What the stories of the live suite play on.
#[path = "../../tests/live/charts/mod.rs"]
#[allow(dead_code)]
mod charts;
#[path = "../../tests/live/oracle.rs"]
#[allow(dead_code)]
mod oracle;
#[path = "../../tests/live/stage.rs"]
#[allow(dead_code)]
mod stage;

use page::Page;

fn main() {
    let Some(path) = std::env::var_os("SMO_REPORT") else {
        eprintln!("report: `cargo xtask report karmada` makes it");
        return;
    };
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let page = runtime.block_on(report());
    std::fs::write(&path, page.text()).unwrap();
    eprintln!("report: {}", path.display());
}

async fn report() -> Page {
    let mut page = Page::default();
    let load = machine::load();
    // First, with servers of its own that are gone afterwards.
    let inventory = inventory::measure().await;
    let testbed = smo_testbed::live::karmada().expect("a Karmada; KARMADA_BIN names its programs");
    machine::describe(&mut page, testbed, &load);
    brussels::measure(&mut page).await;
    chain::measure(&mut page, testbed).await;
    page.section("Inventory", &inventory);
    acts::measure(&mut page, testbed).await;
    page.line(&format!("Load average at the end: {}.", machine::load()));
    page
}
