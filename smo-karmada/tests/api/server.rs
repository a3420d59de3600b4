//! The API server, whoever asks it, and what a test needs beside.

use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use serde_json::{Value, json};
use smo_core::backend::memory::InMemoryCharts;
use smo_core::backend::{BackendError, Clock, ManualClock, ReleaseBackend, Scope};
use smo_core::placement::Assignment;
use smo_core::plan::{ReleaseSpec, Target};
use smo_core::resources::{ResourceName, Resources};
use smo_karmada::{Drift, KarmadaConfig, KarmadaError, KarmadaFleet, SystemTime};
use smo_testbed::{Kubectl, Testbed};

use crate::crds;

pub(crate) const IMAGE: &str = "docker://registry.example/web:1";

/// The servers of the suite, for one test at a time.
pub(crate) struct Server {
    pub(crate) testbed: &'static Testbed,
    pub(crate) kubectl: Kubectl,
    pub(crate) fleet: KarmadaFleet,
    clock: ManualClock,
    _alone: MutexGuard<'static, ()>,
}

impl Server {
    /// `None`, after a line that says so, where live tests were not asked for.
    pub(crate) async fn take() -> Option<Self> {
        static ALONE: Mutex<()> = Mutex::new(());
        let testbed = smo_testbed::live::api()?;
        let alone = ALONE.lock().unwrap_or_else(PoisonError::into_inner);
        let kubectl = testbed.kubectl();
        crds::ensure(&kubectl);
        let clock = ManualClock::new(jiff::Timestamp::now());
        let config = config(testbed.kubeconfig(), Drift::Repair);
        let charts = Box::new(InMemoryCharts::new());
        let fleet = config.connect(charts, Arc::new(clock.clone())).await.unwrap();
        Some(Self {
            testbed,
            kubectl,
            fleet,
            clock,
            _alone: alone,
        })
    }

    /// A fleet for the user who may do what the tests let them.
    pub(crate) async fn restricted(&self) -> KarmadaFleet {
        let config = config(&self.testbed.restricted_kubeconfig(), Drift::Repair);
        let charts = Box::new(InMemoryCharts::new());
        config
            .connect(charts, Arc::new(self.clock.clone()))
            .await
            .unwrap()
    }

    /// Lets time pass, on the server's clock too, until what was removed is remembered no longer than copies make it be.
    pub(crate) fn later(&self) {
        let behind = jiff::Timestamp::now().duration_since(self.clock.now());
        let behind = Duration::try_from(behind).unwrap_or_default();
        self.clock.advance(behind + Duration::from_secs(6));
    }

    /// Nothing of this library is in a namespace, once it has looked again.
    pub(crate) async fn nothing_left(&self, namespace: &str, after: &str) {
        self.later();
        // The first look deletes what Karmada forgot, the second sees that it is gone.
        for _ in 0..2 {
            self.fleet.observe(&Scope::All).await.unwrap();
        }
        assert_eq!(self.names(namespace), [""; 0], "after {after}");
    }

    /// Makes the fleet consist of these clusters, all of them ready, and no others.
    pub(crate) fn set_clusters(&self, clusters: &[Value]) {
        // All at once; `--all` would delete one after the other.
        let all = ["delete", "--raw", "/apis/cluster.karmada.io/v1alpha1/clusters"];
        self.kubectl.run(&all).unwrap();
        if !clusters.is_empty() {
            let list = json!({"apiVersion": "v1", "kind": "List", "items": clusters});
            self.kubectl.apply(&list).unwrap();
        }
    }

    /// Makes a Work for m1 as Karmada makes it of a binding.
    pub(crate) fn make_work(&self, namespace: &str, binding: &str) {
        let _there = self.kubectl.run(&["create", "namespace", "karmada-es-m1"]);
        let work = json!({
            "apiVersion": "work.karmada.io/v1alpha1", "kind": "Work",
            "metadata": {"name": format!("web-{namespace}"), "namespace": "karmada-es-m1", "annotations": {
                "resourcebinding.karmada.io/namespace": namespace, "resourcebinding.karmada.io/name": binding}},
            "spec": {"workload": {"manifests": [{"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "x"}}]}},
        });
        self.kubectl.apply(&work).unwrap();
    }

    /// An object, if it is there.
    pub(crate) fn get(&self, kind: &str, namespace: &str, name: &str) -> Option<Value> {
        self.kubectl
            .get(&[kind, name, "-n", namespace, "--show-managed-fields"])
            .ok()
    }

    /// Everything in a namespace that could be of this library, as `kind/name`.
    pub(crate) fn names(&self, namespace: &str) -> Vec<String> {
        const KINDS: &str = "deployments,services,secrets,propagationpolicies.policy.karmada.io,\
            overridepolicies.policy.karmada.io,serviceexports.multicluster.x-k8s.io,serviceimports.multicluster.x-k8s.io";
        let text = self
            .kubectl
            .run(&["get", KINDS, "-n", namespace, "-o", "name"])
            .unwrap();
        let mut names: Vec<String> = text.lines().map(str::to_owned).collect();
        names.sort();
        names
    }

    /// A namespace that is empty.
    pub(crate) fn fresh_namespace(&self, name: &str) {
        let _absent = self
            .kubectl
            .run(&["delete", "namespace", name, "--ignore-not-found"]);
        self.kubectl.run(&["create", "namespace", name]).unwrap();
    }

    pub(crate) fn drop_namespace(&self, name: &str) {
        self.kubectl
            .run(&["delete", "namespace", name, "--wait=false"])
            .unwrap();
    }
}

/// A fleet over a kubeconfig, without charts.
pub(crate) async fn connect(kubeconfig: &Path, drift: Drift) -> Result<KarmadaFleet, BackendError> {
    config(kubeconfig, drift)
        .connect(Box::new(InMemoryCharts::new()), Arc::new(SystemTime))
        .await
}

fn config(kubeconfig: &Path, drift: Drift) -> KarmadaConfig {
    let config = KarmadaConfig::builder()
        .with_kubeconfig_path(kubeconfig)
        .with_drift(drift);
    config.build().unwrap()
}

/// A cluster as Karmada reports it.
pub(crate) fn cluster(name: &str) -> Value {
    json!({
        "apiVersion": "cluster.karmada.io/v1alpha1",
        "kind": "Cluster",
        "metadata": {"name": name},
        "spec": {"syncMode": "Push", "region": "eu"},
        "status": {
            "kubernetesVersion": "v1.36.3",
            "conditions": [{"type": "Ready", "status": "True", "reason": "ClusterReady"}],
            "nodeSummary": {"totalNum": 3, "readyNum": 3},
            "resourceSummary": {
                "allocatable": {"cpu": "24", "memory": "96Gi", "pods": "330"},
                "allocated": {"cpu": "500m", "pods": "2"},
            },
        },
    })
}

/// A service that is a plain image.
pub(crate) fn image(service: &str, values: Value, clusters: &[(&str, u32)]) -> ReleaseSpec {
    ReleaseSpec {
        service: service.parse().unwrap(),
        chart: IMAGE.to_owned(),
        values: values.as_object().unwrap().clone().into(),
        target: Target::Clusters(on(clusters)),
        resources: Resources::new()
            .with(ResourceName::CPU, 100)
            .with(ResourceName::MEMORY, 64 << 20),
    }
}

pub(crate) fn on(clusters: &[(&str, u32)]) -> Assignment {
    clusters
        .iter()
        .map(|(cluster, replicas)| (cluster.parse().unwrap(), *replicas))
        .collect()
}

/// What a failure behind the port was on the way to Karmada.
pub(crate) fn cause(error: &BackendError) -> &KarmadaError {
    std::error::Error::source(error)
        .and_then(|source| source.downcast_ref::<KarmadaError>())
        .unwrap_or_else(|| panic!("no failure of Karmada: {error:?}"))
}
