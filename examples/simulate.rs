//! What would happen: a graph under the load of an evening, with a cluster that fails, on a fleet in memory.
//!
//! ```console
//! $ cargo run --release --example simulate
//! $ cargo run --release --example simulate -- --svg evening.svg
//! ```

#![allow(clippy::print_stdout)]

use std::error::Error;
use std::fs;
use std::path::PathBuf;
use std::time::Duration;

use clap::Parser;
use smo::orchestrator::{Autoscaler, ScaledService};
use smo::scaling::{ScalingController, ScalingPolicy, Throughput};
use smo::simulation::{LoadTrace, Simulation};
use smo::{Descriptor, Inventory, Planner};

/// Simulates two hours of load on a graph of two services and prints what happened.
#[derive(Debug, Parser)]
#[command(name = "simulate")]
struct Options {
    /// Write a picture of load, capacity, replicas and moves to this file.
    #[arg(long, value_name = "FILE")]
    svg: Option<PathBuf>,
}

/// A cheap edge cluster, and a cloud that takes what the edge cannot.
const FLEET: &str = "
fleet:
  clusters:
    - {name: edge-1, allocatable: {cpu: 6, memory: 32Gi}, price: {cpu: 0.01}}
    - {name: edge-2, allocatable: {cpu: 6, memory: 32Gi}, price: {cpu: 0.02}}
    - {name: cloud-1, allocatable: {cpu: 64, memory: 256Gi}, price: {cpu: 0.04}}
";

const GRAPH: &str = "
hdaGraph:
  id: shop
  services:
    - id: web
      deployment: {intent: {compute: {cpu: small}, connectionPoints: [search]}}
      artifact: {ociImage: 'oci://registry.example.com/shop/web'}
    - id: search
      deployment: {intent: {compute: {cpu: small}}}
      artifact: {ociImage: 'oci://registry.example.com/shop/search'}
";

/// Requests per second for every five minutes: quiet, a slow rise, a peak, and quiet again.
const EVENING: [f64; 24] = [
    20.0, 20.0, 25.0, 30.0, 40.0, 55.0, 70.0, 90.0, 110.0, 130.0, 150.0, 160.0, 165.0, 160.0, 150.0, 120.0,
    90.0, 60.0, 40.0, 30.0, 25.0, 20.0, 20.0, 20.0,
];

fn main() -> Result<(), Box<dyn Error>> {
    let options = Options::parse();
    let graph = Descriptor::parse(GRAPH)?.validate()?;
    let fleet = Inventory::parse(FLEET)?;
    let minutes = |count: u64| Duration::from_secs(60 * count);
    // Half of the requests search, and a search takes more.
    let searches: Vec<f64> = EVENING.iter().map(|rate| rate / 2.0).collect();
    let autoscaler = Autoscaler::new("shop", ScalingController::new(ScalingPolicy::default())?)
        .with_service(
            "default/shop/web".parse()?,
            ScaledService::new("web_requests", Throughput::new(40.0, 0.0)?, 10),
        )
        .with_service(
            "default/shop/search".parse()?,
            ScaledService::new("search_requests", Throughput::new(12.0, -2.0)?, 12),
        )
        .with_graph(graph, Planner::new());
    let simulation = Simulation::new(fleet, autoscaler)
        .with_load("default/shop/web".parse()?, LoadTrace::new(minutes(5), &EVENING)?)
        .with_load(
            "default/shop/search".parse()?,
            LoadTrace::new(minutes(5), &searches)?,
        )
        .with_pod_start(Duration::from_secs(20))
        .with_outage("edge-1".parse()?, minutes(95), minutes(110));
    let runtime = tokio::runtime::Builder::new_current_thread().build()?;
    let result = runtime.block_on(simulation.run(minutes(120)))?;
    print!("{result}");
    if let Some(path) = options.svg {
        fs::write(&path, result.to_svg())?;
        println!("picture: {}", path.display());
    }
    Ok(())
}
