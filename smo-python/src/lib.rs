//! `smo._smo`: the compiled half of the Python package `smo`.
//!
//! Conversions only, a file for each module of `smo-core`: what is decided is decided there. Exceptions are in
//! `python/smo/_errors.py`, stubs in `python/smo/_smo.pyi`; a test compares the stubs with this module.

mod backend;
mod cluster;
mod convert;
mod descriptor;
mod diagnostic;
mod error;
mod graph;
mod html;
mod intent;
mod orchestrator;
mod placement;
mod plan;

/// The compiled half of the package `smo`.
#[pyo3::pymodule(gil_used = false)]
mod _smo {
    use pyo3::prelude::*;

    #[pymodule_export]
    use super::backend::InMemoryFleet;
    #[pymodule_export]
    use super::cluster::{Cluster, Inventory, ObservedState, fleet_json_schema};
    #[pymodule_export]
    use super::descriptor::{Descriptor, json_schema};
    #[pymodule_export]
    use super::diagnostic::Violation;
    #[pymodule_export]
    use super::graph::{_restore_graph, ApplicationGraph, Link, Service};
    #[pymodule_export]
    use super::intent::{Catalog, Requirements, translate};
    #[pymodule_export]
    use super::orchestrator::{
        AlertOutcome, ApplyReport, Deployment, GraphStatus, Orchestrator, ReconcileReport, ServiceStatus,
        Step,
    };
    #[pymodule_export]
    use super::placement::{
        Alternative, ClusterSupply, Decision, Diagnosis, FirstFit, Goals, GreenConsolidation, MilpPlacer,
        Placed, PlacementProblem, Placer, ServiceDemand, place,
    };
    #[pymodule_export]
    use super::plan::{Change, ChangeSet, DeploymentPlan, Note, Planner, ServicePlan, plan};

    #[pymodule_init]
    fn init(module: &Bound<'_, PyModule>) -> PyResult<()> {
        module.add("__version__", env!("CARGO_PKG_VERSION"))
    }
}
