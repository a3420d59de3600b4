//! The Synergetic Meta-Orchestrator: from a graph of services and a fleet of clusters to an explained plan.
//!
//! ```
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let text = "hdaGraph: {id: shop, services: [{id: web, artifact: {ociImage: 'oci://registry.example.com/shop/web'}}]}";
//! # let fleet_text = "fleet: {clusters: [{name: edge-1, allocatable: {cpu: 4, memory: 8Gi}}]}";
//! let graph = smo::Descriptor::parse(text)?.validate()?; // all violations at once
//! let fleet = smo::Inventory::parse(fleet_text)?;
//! let plan = smo::Planner::new().plan(&graph, &fleet)?; // pure: no runtime, no I/O
//! println!("{plan}");
//! let picture = plan.to_svg(&fleet);
//! # assert!(picture.starts_with("<svg"));
//! # Ok(())
//! # }
//! ```
//!
//! The nouns of the main job are re-exported here; everything else stands in its module. The outside world is behind
//! features: `karmada` brings the module `smo::karmada` (clusters and releases on a Karmada control plane), `artifact` the
//! module `smo::artifact` (OCI registries, and charts installed by Helm). Both implement the traits of [`backend`].

pub use smo_core::{
    backend, cluster, decode, descriptor, diagnostic, graph, id, intent, milp, orchestrator, placement, plan,
    resources, scaling, simulation, units, value, yaml,
};

pub use smo_core::cluster::{Cluster, Inventory, ObservedState};
pub use smo_core::descriptor::Descriptor;
pub use smo_core::diagnostic::{Violation, Violations};
pub use smo_core::graph::ApplicationGraph;
pub use smo_core::id::{ClusterName, GraphId, GraphKey, Project, ServiceId, ServiceKey};
pub use smo_core::intent::{Catalog, Requirements};
pub use smo_core::orchestrator::Orchestrator;
pub use smo_core::placement::{
    AutoPlacer, Decision, Diagnosis, FirstFit, FleetPlacer, Goals, GreenConsolidation, MilpPlacer, Outcome,
    Placement, PlacementProblem, Placer,
};
pub use smo_core::plan::{ChangeSet, DeploymentPlan, PlanError, Planner};

#[cfg(feature = "artifact")]
pub use smo_artifact as artifact;
#[cfg(feature = "karmada")]
pub use smo_karmada as karmada;

#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct ReadmeDoctests;
