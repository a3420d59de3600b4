//! What a story plays on: a Karmada, a registry, Helm, an orchestrator.

use std::path::PathBuf;
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use smo::artifact::{HelmConfig, HelmDriver, OciArtifacts, RegistryConfig};
use smo::backend::{ArtifactBackend, ChartBackend};
use smo::graph::ApplicationGraph;
use smo::karmada::{FleetFacts, KarmadaConfig, KarmadaFleet, SystemTime};
use smo::orchestrator::{ApplyReport, Deployment, GraphState, OrchestratorError, Patience};
use smo::{Descriptor, GraphKey, Inventory, Orchestrator, Planner, Project};
use smo_testbed::live::eventually;
use smo_testbed::{Registry, Testbed, live};

use crate::charts::Chart;

/// Longer than anything here takes on two busy cores.
pub(crate) const LONG: Duration = Duration::from_secs(60);

/// What the host knows of the members: m1 is cheap, m3 less so, and m2, which has the GPUs, is dear.
const FACTS: &str = "
fleet:
  clusters:
    - {name: m1, allocatable: {cpu: 1, memory: 1Gi}, price: {cpu: 0.01}}
    - {name: m2, allocatable: {cpu: 1, memory: 1Gi}, price: {cpu: 0.09}}
    - {name: m3, allocatable: {cpu: 1, memory: 1Gi}, price: {cpu: 0.03}}
  network:
    - {between: [m1, m2], rtt: 4}
    - {between: [m1, m3], rtt: 6}
    - {between: [m2, m3], rtt: 9}
";

/// A project of its own on the shared Karmada.
pub(crate) struct Stage {
    pub(crate) testbed: &'static Testbed,
    pub(crate) artifacts: OciArtifacts,
    pub(crate) orchestrator: Orchestrator,
    pub(crate) planner: Planner,
    /// Where this story's artifacts are, `oci://host/project`.
    pub(crate) shelf: String,
    charts: HelmDriver,
    began: Instant,
}

impl Stage {
    /// A stage with Helm 4.
    pub(crate) async fn new(project: &str) -> Option<Self> {
        Self::with_helm(project, "helm4").await
    }

    /// A stage with `helm3` or `helm4`.
    pub(crate) async fn with_helm(project: &str, helm: &str) -> Option<Self> {
        let testbed = live::karmada()?;
        let registry = registry()?;
        prepare(testbed);
        let reach = RegistryConfig::new().with_plain_http(registry.address());
        let config = HelmConfig::new()
            .with_program(testbed.servers().program(helm))
            .with_kubeconfig(testbed.kubeconfig())
            .with_registry(reach.clone());
        let charts = HelmDriver::new(config).unwrap();
        let fleet = connect(testbed, Box::new(charts.clone())).await;
        let patience = Patience {
            healthy: 2 * LONG,
            degraded: Duration::from_secs(5),
            ..Patience::default()
        };
        Some(Self {
            testbed,
            artifacts: OciArtifacts::new(reach).unwrap(),
            orchestrator: Orchestrator::builder(fleet, SystemTime)
                .with_patience(patience)
                .build(),
            planner: Planner::new().with_project(project.parse().unwrap()),
            shelf: format!("oci://{}/{project}", registry.address()),
            charts,
            began: Instant::now(),
        })
    }

    /// Another door to the same fleet, to watch it or to act beside the orchestrator.
    pub(crate) async fn fleet(&self) -> KarmadaFleet {
        connect(self.testbed, Box::new(self.charts.clone())).await
    }

    pub(crate) fn project(&self) -> &str {
        self.planner.project().as_str()
    }

    /// Pushes a chart, and tells where it is.
    pub(crate) async fn push(&self, chart: &Chart) -> String {
        let folder = tempfile::tempdir().unwrap();
        chart.write(folder.path());
        self.artifacts
            .push_folder(&self.shelf, folder.path())
            .await
            .unwrap();
        format!("{}/{}", self.shelf, chart.name)
    }

    /// Pushes a descriptor, pulls it again, and reads what came.
    pub(crate) async fn graph(&self, id: &str, services: &str) -> ApplicationGraph {
        let services = services.replace("SHELF", &self.shelf);
        let text = format!("hdaGraph:\n  id: {id}\n  version: 1.0.0\n  services:\n{services}");
        let pushed = self.artifacts.push_descriptor(&self.shelf, &text).await.unwrap();
        let pulled = self.artifacts.descriptor(&pushed.reference).await.unwrap();
        let descriptor = Descriptor::parse(&pulled);
        descriptor
            .and_then(|descriptor| descriptor.validate())
            .unwrap_or_else(|violations| panic!("{violations}"))
    }

    pub(crate) fn key(&self, graph: &ApplicationGraph) -> GraphKey {
        let project: Project = self.planner.project().clone();
        GraphKey::new(project, graph.id().clone())
    }

    /// Deploys a graph, and says how long that took.
    pub(crate) async fn deploy(&mut self, graph: &ApplicationGraph) -> Deployment {
        self.lap("ready");
        let deployed = self.orchestrator.deploy(graph, &self.planner).await;
        let deployed = deployed.unwrap_or_else(|error| panic!("{}", told(&error)));
        self.lap(&format!("{} deployed and healthy", graph.id()));
        deployed
    }

    /// Tries to deploy a graph that cannot be: what became of each step.
    pub(crate) async fn refused(&mut self, graph: &ApplicationGraph) -> ApplyReport {
        self.lap("ready");
        let failed = self.orchestrator.deploy(graph, &self.planner).await;
        let report = match failed.unwrap_err() {
            OrchestratorError::Failed(report) => *report,
            other => panic!("{other}"),
        };
        self.lap(&format!("refused: {}", report.headline()));
        report
    }

    /// Removes a graph; nothing of the project is left, by what kubectl says.
    pub(crate) async fn remove(&mut self, graph: &ApplicationGraph) {
        let removed = self.orchestrator.remove(&self.key(graph)).await;
        removed.unwrap_or_else(|error| panic!("{}", told(&error)));
        self.lap(&format!("{} removed", graph.id()));
        self.nothing_left().await;
        self.lap("... with nothing left in Karmada and the members");
    }

    pub(crate) async fn is_running(&self, graph: &ApplicationGraph) {
        let status = self.orchestrator.status(&self.key(graph)).await.unwrap();
        assert_eq!(status.state, GraphState::Running, "{status}");
    }

    /// Says how long it took since the last word.
    pub(crate) fn lap(&mut self, what: &str) -> Duration {
        let took = self.began.elapsed();
        eprintln!("{:>8.2} s  {}: {what}", took.as_secs_f64(), self.project());
        self.began = Instant::now();
        took
    }
}

/// An error with everything it carries.
pub(crate) fn told(error: &OrchestratorError) -> String {
    match error {
        OrchestratorError::Failed(report) => format!("{error}\n{report}"),
        other => other.to_string(),
    }
}

async fn connect(testbed: &Testbed, charts: Box<dyn ChartBackend>) -> KarmadaFleet {
    let path: PathBuf = testbed.kubeconfig().to_owned();
    let config = KarmadaConfig::builder()
        .with_kubeconfig_path(path)
        .build()
        .unwrap();
    let fleet = config.connect(charts, Arc::new(SystemTime)).await.unwrap();
    fleet.set_facts(FleetFacts::from(&Inventory::parse(FACTS).unwrap()));
    fleet
}

/// One registry for all stories.
fn registry() -> Option<&'static Registry> {
    static SHARED: OnceLock<Option<Registry>> = OnceLock::new();
    SHARED.get_or_init(|| live::registry(false)).as_ref()
}

/// What the demo's charts expect of a fleet: the kind ServiceMonitor, and a namespace `monitoring`.
fn prepare(testbed: &Testbed) {
    static DONE: OnceLock<()> = OnceLock::new();
    let crd = json!({
        "apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition",
        "metadata": {"name": "servicemonitors.monitoring.coreos.com"},
        "spec": {
            "group": "monitoring.coreos.com", "scope": "Namespaced",
            "names": {"kind": "ServiceMonitor", "plural": "servicemonitors", "singular": "servicemonitor"},
            "versions": [{"name": "v1", "served": true, "storage": true, "schema": {"openAPIV3Schema": {
                "type": "object", "x-kubernetes-preserve-unknown-fields": true,
            }}}],
        },
    });
    let namespace = json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "monitoring"}});
    DONE.get_or_init(|| {
        testbed.kubectl().apply(&crd).unwrap();
        testbed.kubectl().apply(&namespace).unwrap();
        for member in testbed.members() {
            let kubectl = testbed.member_kubectl(&member.name).unwrap();
            kubectl.apply(&crd).unwrap();
        }
        let known = |cluster: &Value| {
            cluster["status"]["apiEnablements"]
                .to_string()
                .contains("ServiceMonitor")
        };
        eventually("members that say they know ServiceMonitor", LONG, || {
            let clusters = testbed.kubectl().get(&["clusters.cluster.karmada.io"]).ok()?;
            clusters["items"].as_array()?.iter().all(known).then_some(())
        });
    });
}

/// A service of a descriptor: a chart or an image of some shelf, what it needs, and what it calls.
pub(crate) fn service(id: &str, image: &str, compute: &str, calls: &[&str], values: &str) -> String {
    let implementer = if image.contains("camera") {
        "VO, implementer: WOT"
    } else {
        "App, implementer: HELM"
    };
    format!(
        "    - id: {id}
      deployment:
        trigger: {{auto: {{dependencies: []}}}}
        intent: {{compute: {{{compute}}}, connectionPoints: [{}]}}
      artifact:
        ociImage: '{image}'
        ociConfig: {{type: {implementer}}}
        valuesOverwrite: {{{values}}}
",
        calls.join(", ")
    )
}

/// Compute of most services here.
pub(crate) const SMALL: &str = "cpu: small, ram: small";
/// Compute that only m2 has.
pub(crate) const GPU: &str = "cpu: small, ram: small, gpu: {enabled: true}";
