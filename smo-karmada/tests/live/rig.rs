//! A running Karmada, and a small chart installer that writes to it as Helm does.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Instant;

use async_trait::async_trait;
use kube::api::{Api, DeleteParams, DynamicObject, Patch, PatchParams};
use kube::core::{ApiResource, GroupVersionKind, TypeMeta};
use serde_json::Value;
use smo_core::backend::{BackendError, ChartBackend, ChartState, ErrorKind, InstalledChart, ReleaseName};
use smo_core::helm_values::HelmValues;
use smo_core::id::Project;
use smo_karmada::{KarmadaConfig, KarmadaFleet, SystemTime};
use smo_testbed::{Testbed, live};

/// A release, its values and its objects.
type Installed = (InstalledChart, HelmValues, Vec<Value>);

type Template = fn(&ReleaseName, &HelmValues) -> Vec<Value>;

/// Installs charts that are functions from values to objects.
#[derive(Clone)]
pub(crate) struct FunctionCharts {
    client: kube::Client,
    templates: BTreeMap<&'static str, Template>,
    installed: Arc<Mutex<BTreeMap<ReleaseName, Installed>>>,
}

impl std::fmt::Debug for FunctionCharts {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("FunctionCharts")
    }
}

impl FunctionCharts {
    pub(crate) fn new(client: kube::Client, templates: &[(&'static str, Template)]) -> Self {
        Self {
            client,
            templates: templates.iter().copied().collect(),
            installed: Arc::default(),
        }
    }

    fn api(&self, object: &Value, namespace: &str) -> (Api<DynamicObject>, String) {
        let types: TypeMeta = serde_json::from_value(object.clone()).unwrap();
        let resource = ApiResource::from_gvk(&GroupVersionKind::try_from(types).unwrap());
        let name = object["metadata"]["name"].as_str().unwrap().to_owned();
        (
            Api::namespaced_with(self.client.clone(), namespace, &resource),
            name,
        )
    }
}

fn failed(kind: ErrorKind, message: impl ToString) -> BackendError {
    BackendError::new(kind, "helm", message.to_string())
}

#[async_trait]
impl ChartBackend for FunctionCharts {
    async fn apply(
        &self,
        release: &ReleaseName,
        chart: &str,
        values: &HelmValues,
    ) -> Result<InstalledChart, BackendError> {
        let objects = self.render(release, chart, values).await?;
        for object in &objects {
            let (api, name) = self.api(object, release.namespace.as_str());
            let params = PatchParams::apply("helm").force();
            api.patch(&name, &params, &Patch::Apply(object))
                .await
                .map_err(|error| failed(ErrorKind::Invalid, error))?;
        }
        let mut all = self.installed.lock().unwrap();
        let installed = InstalledChart {
            release: release.clone(),
            revision: all.get(release).map_or(0, |(chart, ..)| chart.revision) + 1,
            chart: chart.to_owned(),
            state: ChartState::Deployed,
        };
        all.insert(release.clone(), (installed.clone(), values.clone(), objects));
        Ok(installed)
    }

    async fn rollback(&self, _: &ReleaseName, _: u64) -> Result<InstalledChart, BackendError> {
        Err(failed(ErrorKind::Unsupported, "no rollback here"))
    }

    async fn uninstall(&self, release: &ReleaseName) -> Result<bool, BackendError> {
        let found = self.installed.lock().unwrap().remove(release);
        let existed = found.is_some();
        for object in found.into_iter().flat_map(|(_, _, objects)| objects) {
            let (api, name) = self.api(&object, release.namespace.as_str());
            let _gone = api.delete(&name, &DeleteParams::background()).await;
        }
        Ok(existed)
    }

    async fn status(&self, release: &ReleaseName) -> Result<Option<InstalledChart>, BackendError> {
        Ok(self
            .installed
            .lock()
            .unwrap()
            .get(release)
            .map(|(chart, ..)| chart.clone()))
    }

    async fn list(&self, _: Option<&Project>) -> Result<Vec<InstalledChart>, BackendError> {
        Ok(self
            .installed
            .lock()
            .unwrap()
            .values()
            .map(|(chart, ..)| chart.clone())
            .collect())
    }

    async fn values(&self, release: &ReleaseName) -> Result<HelmValues, BackendError> {
        let all = self.installed.lock().unwrap();
        all.get(release)
            .map(|(_, values, _)| values.clone())
            .ok_or_else(|| failed(ErrorKind::NotFound, "none"))
    }

    async fn render(
        &self,
        release: &ReleaseName,
        chart: &str,
        values: &HelmValues,
    ) -> Result<Vec<Value>, BackendError> {
        let template = self
            .templates
            .get(chart)
            .ok_or_else(|| failed(ErrorKind::NotFound, chart))?;
        Ok(template(release, values))
    }
}

/// A running Karmada, or `None` after a word on how to have one.
pub(crate) struct Rig {
    pub(crate) testbed: &'static Testbed,
    pub(crate) fleet: KarmadaFleet,
    pub(crate) client: kube::Client,
    started: Instant,
}

impl Rig {
    pub(crate) async fn new(templates: &[(&'static str, Template)]) -> Option<Self> {
        let testbed = live::karmada()?;
        let config = KarmadaConfig::builder().with_kubeconfig_path(testbed.kubeconfig());
        let config = config.build().unwrap();
        let client = config.client().await.unwrap();
        let charts = FunctionCharts::new(client.clone(), templates);
        let fleet = config
            .connect(Box::new(charts), Arc::new(SystemTime))
            .await
            .unwrap();
        Some(Self {
            testbed,
            fleet,
            client,
            started: Instant::now(),
        })
    }

    /// Says how long it took since the last word.
    pub(crate) fn lap(&mut self, what: &str) {
        eprintln!("{:>8.2} s  {what}", self.started.elapsed().as_secs_f64());
        self.started = Instant::now();
    }

    /// An object, if it is there.
    pub(crate) async fn get(
        &self,
        api_version: &str,
        kind: &str,
        namespace: Option<&str>,
        name: &str,
    ) -> Option<Value> {
        let types = TypeMeta {
            api_version: api_version.to_owned(),
            kind: kind.to_owned(),
        };
        let resource = ApiResource::from_gvk(&GroupVersionKind::try_from(types).unwrap());
        let api: Api<DynamicObject> = match namespace {
            Some(namespace) => Api::namespaced_with(self.client.clone(), namespace, &resource),
            None => Api::all_with(self.client.clone(), &resource),
        };
        api.get_opt(name)
            .await
            .unwrap()
            .map(|object| serde_json::to_value(object).unwrap())
    }
}
