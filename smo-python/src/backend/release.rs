//! Releases: what is asked for, and what was observed.

use std::collections::BTreeMap;

use pyo3::prelude::*;
use pyo3::types::PyDict;
use smo_core::backend::{self as core, Scope};
use smo_core::cluster::{self as observed, Health};
use smo_core::id::GraphKey;
use smo_core::plan::{self, Target};

use crate::convert::{assignment, from_python, parse, quantities, resources, serialised};
use crate::graph::count;

/// The releases that a text means: all, those of a project, those of a graph.
pub(super) fn scope(text: Option<&str>) -> PyResult<Scope> {
    Ok(match text.map(|text| (text, text.split_once('/'))) {
        None => Scope::All,
        Some((project, None)) => Scope::Project(parse(project)?),
        Some((_, Some((project, graph)))) => Scope::Graph(GraphKey::new(parse(project)?, parse(graph)?)),
    })
}

pub(super) fn health_name(health: Health) -> &'static str {
    match health {
        Health::Healthy => "healthy",
        Health::Progressing => "progressing",
        Health::Degraded => "degraded",
        Health::Unknown => "unknown",
    }
}

/// What a fleet is asked to bring about: one Helm release, or one plain image (`docker://host/repository:tag`) on a fleet
/// that runs images. Its values are only in `values` and `to_dict()`.
///
/// `clusters` is the name of a cluster, or a dict from cluster to replicas. `resources` is what one replica requests.
///
/// Raises `ValueError` for names and quantities that are none.
///
/// >>> import smo
/// >>> web = smo.ReleaseSpec("default/shop/web", "oci://r.io/shop/web:1.0.0", {"edge-1": 2, "edge-2": 1})
/// >>> web
/// <smo.ReleaseSpec default/shop/web to edge-1 x2, edge-2 x1>
#[pyclass(module = "smo", frozen, eq)]
#[derive(PartialEq)]
pub(crate) struct ReleaseSpec(plan::ReleaseSpec);

impl ReleaseSpec {
    pub(crate) fn new(core: plan::ReleaseSpec) -> Self {
        Self(core)
    }

    pub(crate) fn core(&self) -> &plan::ReleaseSpec {
        &self.0
    }

    fn with(
        service: &str,
        chart: String,
        target: Target,
        values: Option<&Bound<'_, PyDict>>,
        requested: Option<BTreeMap<String, Bound<'_, PyAny>>>,
    ) -> PyResult<Self> {
        Ok(Self(plan::ReleaseSpec {
            service: parse(service)?,
            chart,
            values: match values {
                Some(values) => from_python(values, "Helm values")?,
                None => smo_core::helm_values::HelmValues::default(),
            },
            target,
            resources: resources(requested.unwrap_or_default())?,
        }))
    }
}

#[pymethods]
impl ReleaseSpec {
    #[new]
    #[pyo3(signature = (service, chart, clusters, *, values = None, resources = None))]
    fn py_new(
        service: &str,
        chart: String,
        clusters: &Bound<'_, PyAny>,
        values: Option<&Bound<'_, PyDict>>,
        resources: Option<BTreeMap<String, Bound<'_, PyAny>>>,
    ) -> PyResult<Self> {
        Self::with(
            service,
            chart,
            Target::Clusters(assignment(clusters)?),
            values,
            resources,
        )
    }

    /// A release that goes wherever its chart's own values say. `declared` are the clusters that they name.
    #[staticmethod]
    #[pyo3(signature = (service, chart, declared = Vec::new(), *, values = None, resources = None))]
    fn chosen_by_chart(
        service: &str,
        chart: String,
        declared: Vec<String>,
        values: Option<&Bound<'_, PyDict>>,
        resources: Option<BTreeMap<String, Bound<'_, PyAny>>>,
    ) -> PyResult<Self> {
        let declared: PyResult<_> = declared.iter().map(|name| parse(name)).collect();
        let target = Target::ChosenByChart { declared: declared? };
        Self::with(service, chart, target, values, resources)
    }

    /// The service, `project/graph/service`.
    #[getter]
    fn service(&self) -> String {
        self.0.service.to_string()
    }

    /// The chart or image.
    #[getter]
    fn chart(&self) -> &str {
        &self.0.chart
    }

    /// The complete Helm values.
    #[getter]
    fn values<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        serialised(py, &self.0.values)
    }

    /// Clusters and replicas; `None` when the chart chooses.
    #[getter]
    fn clusters(&self) -> Option<BTreeMap<String, u32>> {
        match &self.0.target {
            Target::Clusters(assignment) => Some(
                assignment
                    .iter()
                    .map(|(cluster, replicas)| (cluster.to_string(), replicas))
                    .collect(),
            ),
            Target::ChosenByChart { .. } => None,
        }
    }

    /// What one replica requests, as Kubernetes quantities.
    #[getter]
    fn resources(&self) -> BTreeMap<String, String> {
        quantities(&self.0.resources)
    }

    /// Everything, as Python's own types.
    fn to_dict<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        serialised(py, &self.0)
    }

    fn __repr__(&self) -> String {
        format!("<smo.ReleaseSpec {} to {}>", self.0.service, self.0.target)
    }
}

/// What applying a release did.
#[pyclass(module = "smo", frozen, eq, get_all)]
#[derive(PartialEq)]
pub(crate) struct Applied {
    /// The revision that is in place now, from 1.
    revision: u64,
    /// False when the release already was as asked for, and nothing was written.
    changed: bool,
}

impl From<&core::Applied> for Applied {
    fn from(applied: &core::Applied) -> Self {
        Self {
            revision: applied.revision,
            changed: applied.changed,
        }
    }
}

#[pymethods]
impl Applied {
    fn __repr__(&self) -> String {
        let unchanged = if self.changed { "" } else { ", unchanged" };
        format!("<smo.Applied revision {}{unchanged}>", self.revision)
    }
}

/// What removing a release did.
#[pyclass(module = "smo", frozen, eq, get_all)]
#[derive(PartialEq)]
pub(crate) struct Removed {
    /// False when there was no such release.
    existed: bool,
    /// Clusters that do not answer now, so that the removal is owed to them until they return.
    owed: Vec<String>,
}

impl From<&core::Removed> for Removed {
    fn from(removed: &core::Removed) -> Self {
        Self {
            existed: removed.existed,
            owed: removed.owed.iter().map(ToString::to_string).collect(),
        }
    }
}

#[pymethods]
impl Removed {
    fn __repr__(&self) -> String {
        match (self.existed, self.owed.as_slice()) {
            (false, _) => "<smo.Removed: it was not there>".to_owned(),
            (true, []) => "<smo.Removed>".to_owned(),
            (true, owed) => format!("<smo.Removed, owed to {}>", owed.join(", ")),
        }
    }
}

/// The releases of a scope at one moment.
#[pyclass(module = "smo", frozen, eq)]
#[derive(PartialEq)]
pub(crate) struct ObservedReleases(pub(super) core::ObservedReleases);

#[pymethods]
impl ObservedReleases {
    /// What is installed, by `project/graph/service`.
    #[getter]
    fn releases(&self) -> BTreeMap<String, ObservedRelease> {
        let releases = self.0.releases.iter();
        releases
            .map(|(service, release)| (service.to_string(), ObservedRelease(release.clone())))
            .collect()
    }

    /// Copies where they should not be any more: pairs of a service (`project/graph/service`) and a cluster.
    #[getter]
    fn leftovers(&self) -> Vec<(String, String)> {
        leftovers(&self.0.leftovers)
    }

    fn __repr__(&self) -> String {
        let releases = count(self.0.releases.len(), "release");
        let left = count(self.0.leftovers.len(), "leftover");
        format!("<smo.ObservedReleases: {releases}, {left}>")
    }
}

/// Pairs of a service and a cluster.
pub(crate) fn leftovers(left: &[core::Leftover]) -> Vec<(String, String)> {
    left.iter()
        .map(|left| (left.service.to_string(), left.cluster.to_string()))
        .collect()
}

/// One installed release, and how it does. Its values are only in `values` and `to_dict()`.
#[pyclass(module = "smo", frozen, eq)]
#[derive(PartialEq)]
pub(crate) struct ObservedRelease(pub(super) observed::ObservedRelease);

#[pymethods]
impl ObservedRelease {
    /// The chart that it was installed from.
    #[getter]
    fn chart(&self) -> &str {
        &self.0.chart
    }

    /// The values that it was installed with.
    #[getter]
    fn values<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        serialised(py, &self.0.values)
    }

    /// How often it was installed or upgraded, from 1.
    #[getter]
    fn revision(&self) -> u64 {
        self.0.revision
    }

    /// What one replica requests, as Kubernetes quantities, where known.
    #[getter]
    fn resources(&self) -> BTreeMap<String, String> {
        quantities(&self.0.resources)
    }

    /// Where it runs, or should run.
    #[getter]
    fn clusters(&self) -> BTreeMap<String, ObservedReplicas> {
        let clusters = self.0.clusters.iter();
        clusters
            .map(|(name, at)| (name.to_string(), ObservedReplicas::from(at)))
            .collect()
    }

    /// Others that set its replicas, as `HorizontalPodAutoscaler/web`.
    #[getter]
    fn owners(&self) -> Vec<String> {
        self.0.owners.clone()
    }

    /// What the fleet says when it cannot place the release at all, or `None`.
    #[getter]
    fn message(&self) -> Option<&str> {
        self.0.message.as_deref()
    }

    /// True when every cluster that it should run on says that it does.
    #[getter]
    fn is_healthy(&self) -> bool {
        self.0.is_healthy()
    }

    /// Everything, as Python's own types.
    fn to_dict<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        serialised(py, &self.0)
    }

    fn __repr__(&self) -> String {
        let at = |(name, at): (&smo_core::id::ClusterName, &observed::ObservedReplicas)| {
            format!("{name} {}/{}", at.ready, at.desired)
        };
        let clusters: Vec<String> = self.0.clusters.iter().map(at).collect();
        format!(
            "<smo.ObservedRelease revision {}: {}>",
            self.0.revision,
            clusters.join(", ")
        )
    }
}

/// Replicas of one service on one cluster.
#[pyclass(module = "smo", frozen, eq, get_all)]
#[derive(PartialEq)]
pub(crate) struct ObservedReplicas {
    /// How many there should be.
    desired: u32,
    /// How many are ready.
    ready: u32,
    /// `healthy`, `progressing`, `degraded`, or `unknown` for a cluster that does not answer.
    health: &'static str,
    /// What the cluster says when it refuses, or `None`.
    message: Option<String>,
}

impl From<&observed::ObservedReplicas> for ObservedReplicas {
    fn from(at: &observed::ObservedReplicas) -> Self {
        Self {
            desired: at.desired,
            ready: at.ready,
            health: health_name(at.health),
            message: at.message.clone(),
        }
    }
}

#[pymethods]
impl ObservedReplicas {
    fn __repr__(&self) -> String {
        format!(
            "<smo.ObservedReplicas {}/{} {}>",
            self.ready, self.desired, self.health
        )
    }
}
