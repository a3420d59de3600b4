//! `smo._smo`: the compiled half of the Python package `smo`.
//!
//! Conversions only, a file for each module of `smo-core`, and for each adapter: what is decided is decided there.
//! `runtime` waits for what is asynchronous. Exceptions are in `python/smo/_errors.py`, what asyncio awaits in
//! `python/smo/aio.py`, stubs in `python/smo/_smo.pyi`; a test compares the stubs with this module.

mod artifact;
mod backend;
mod cluster;
mod convert;
mod descriptor;
mod diagnostic;
mod error;
mod forecast;
mod graph;
mod html;
mod intent;
mod joint;
mod karmada;
mod orchestrator;
mod placement;
mod plan;
mod profile;
mod replay;
mod runtime;
mod scaling;

/// The compiled half of the package `smo`.
#[pyo3::pymodule(gil_used = false)]
mod _smo {
    use pyo3::prelude::*;

    #[pymodule_export]
    use super::artifact::{HelmConfig, HelmDriver, OciArtifacts, PulledChart, RegistryConfig};
    #[pymodule_export]
    use super::backend::{
        AlertBackend, Applied, ArtifactBackend, ArtifactInfo, ChartBackend, DashboardBackend, Delays,
        FiringAlert, Fleet, InMemoryAlerts, InMemoryArtifacts, InMemoryCharts, InMemoryDashboards,
        InMemoryFleet, InMemoryInfrastructure, InMemoryMetrics, InMemoryStore, InfrastructureBackend,
        InstalledChart, Journal, MetricsBackend, ObservedRelease, ObservedReleases, ObservedReplicas,
        RangeSeries, ReleaseSpec, Removed, Series, StateStore, StoredDocument, TaskStatus,
    };
    #[pymodule_export]
    use super::cluster::{Cluster, Inventory, ObservedState, fleet_json_schema};
    #[pymodule_export]
    use super::descriptor::{Descriptor, json_schema};
    #[pymodule_export]
    use super::diagnostic::Violation;
    #[pymodule_export]
    use super::forecast::{
        Backtest, Forecast, LoadPredictor, LoadSeries, backtest, detect_season, forecast, generate_load,
    };
    #[pymodule_export]
    use super::graph::{_restore_graph, ApplicationGraph, Link, Service};
    #[pymodule_export]
    use super::intent::{Catalog, Requirements, translate};
    #[pymodule_export]
    use super::joint::{ElasticService, JointDecision, decide_jointly, scale_then_place};
    #[pymodule_export]
    use super::karmada::{Changes, FleetFacts, FleetReport, KarmadaConfig, KarmadaFleet};
    #[pymodule_export]
    use super::orchestrator::{
        AlertOutcome, ApplyReport, Deployment, GraphStatus, Orchestrator, Patience, ReconcileReport,
        ServiceStatus, Step,
    };
    #[pymodule_export]
    use super::placement::ask::{
        AskProgress, Edit, FewMoves, FullExplanation, LossCertificate, MoveCurve, MoveOrder, ParetoFront,
        Repairs, WhatIf, explain_in_full, move_curve, order_of_moves, pareto, repairs, single_losses,
        what_if, with_few_moves,
    };
    #[pymodule_export]
    use super::placement::certify::certify;
    #[pymodule_export]
    use super::placement::place::place;
    #[pymodule_export]
    use super::placement::solve::solve;
    #[pymodule_export]
    use super::placement::{
        Alternative, AutoPlacer, Certified, ClusterSupply, Decision, Diagnosis, Exhaustive, FirstFit,
        FleetPlacer, Goal, Goals, GreenConsolidation, MilpPlacer, NoSolution, Placed, PlacementProblem,
        Placer, Progress, Rule, ServiceDemand, Solution, problem_json_schema, rules,
    };
    #[pymodule_export]
    use super::plan::{Change, ChangeSet, DeploymentPlan, Note, Planner, ServicePlan, ValuesContract, plan};
    #[pymodule_export]
    use super::profile::{Drift, Profile, ProfileSample, join_prometheus, learn, read_samples};
    #[pymodule_export]
    use super::replay::{ReplayOutcome, ReplayPolicy, ReplayView, Workload, replay};
    #[pymodule_export]
    use super::runtime::Cancellation;
    #[pymodule_export]
    use super::scaling::{
        Autoscaler, ClusterRoom, ExactScaler, ExpectedLoad, Lack, ObservedService, ScaledService, Scaler,
        ScalingController, ScalingDecision, ScalingGoals, ScalingObservation, ScalingPolicy, ScalingProblem,
        ScalingReport, ScalingStep, ServiceCourse, ServiceLoad, ServiceTarget, ServiceVerdict,
        SimulationResult, ThresholdScaler, Thresholds, Throughput, decide, simulate,
    };

    #[pymodule_init]
    fn init(module: &Bound<'_, PyModule>) -> PyResult<()> {
        module.add("__version__", env!("CARGO_PKG_VERSION"))
    }
}
