//! An API server in memory, as far as this crate asks one, and a chart installer that writes to it. For unit tests.

use std::collections::BTreeMap;
use std::convert::Infallible;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use http::{Request, Response};
use kube::client::Body;
use serde_json::{Value, json};
use smo_core::backend::{
    BackendError, ChartBackend, ChartState, ErrorKind, InstalledChart, ManualClock, ReleaseBackend,
    ReleaseName, Scope,
};
use smo_core::helm_values::HelmValues;
use smo_core::id::Project;

use crate::facts::FleetFacts;
use crate::{KarmadaFleet, objects::ObjectRef};

#[derive(Debug, Default)]
pub(crate) struct World {
    /// By path.
    pub(crate) objects: BTreeMap<String, Value>,
    versions: u64,
    /// Writes, as `PATCH /path`.
    writes: Vec<String>,
    reads: usize,
    /// The answer to a request whose `METHOD /path` begins so.
    faults: Vec<(String, u16, Value)>,
    charts: BTreeMap<ReleaseName, (InstalledChart, HelmValues)>,
    pub(crate) rendered: Vec<Value>,
    clock: ManualClock,
}

/// The API server, the installer, and a look behind both.
#[derive(Debug, Clone, Default)]
pub(crate) struct FakeKarmada(pub(crate) Arc<Mutex<World>>);

impl FakeKarmada {
    /// One with these clusters, all ready.
    pub(crate) fn with_clusters(names: &[&str]) -> Self {
        let fake = Self::default();
        for name in names {
            fake.put(
                &format!("/apis/cluster.karmada.io/v1alpha1/clusters/{name}"),
                json!({"metadata": {"name": name}, "status": {
                    "conditions": [{"type": "Ready", "status": "True", "reason": "ClusterReady"}],
                    "resourceSummary": {"allocatable": {"cpu": "8", "memory": "32Gi"}},
                }}),
            );
        }
        fake
    }

    pub(crate) fn fleet(&self) -> KarmadaFleet {
        let fake = self.clone();
        let service = tower::service_fn(move |request: Request<Body>| {
            let fake = fake.clone();
            async move { Ok::<_, Infallible>(fake.answer(request).await) }
        });
        let client = kube::Client::new(service, "default");
        let clock = Arc::new(self.clock());
        KarmadaFleet::new(client, "smo", Box::new(self.clone()), clock, FleetFacts::new())
    }

    pub(crate) fn clock(&self) -> ManualClock {
        self.0.lock().unwrap().clock.clone()
    }

    /// Has a fleet look again after a while: what it remembers of removed releases goes.
    pub(crate) async fn later(&self, fleet: &KarmadaFleet) {
        self.clock().advance(Duration::from_secs(6));
        fleet.observe(&Scope::All).await.unwrap();
    }

    pub(crate) fn put(&self, path: &str, object: Value) {
        let mut world = self.0.lock().unwrap();
        world.objects.insert(path.to_owned(), object);
    }

    pub(crate) fn get(&self, path: &str) -> Option<Value> {
        self.0.lock().unwrap().objects.get(path).cloned()
    }

    /// The paths of everything but clusters.
    pub(crate) fn paths(&self) -> Vec<String> {
        let world = self.0.lock().unwrap();
        world
            .objects
            .keys()
            .filter(|path| !path.contains("cluster.karmada.io"))
            .cloned()
            .collect()
    }

    /// Writes since the last call.
    pub(crate) fn writes(&self) -> Vec<String> {
        std::mem::take(&mut self.0.lock().unwrap().writes)
    }

    /// Reads since the last call.
    pub(crate) fn reads(&self) -> usize {
        std::mem::take(&mut self.0.lock().unwrap().reads)
    }

    /// Lets requests whose `METHOD /path` begins with `request` fail from now on.
    pub(crate) fn fail(&self, request: &str, code: u16, message: &str) {
        let status =
            json!({"kind": "Status", "status": "Failure", "code": code, "message": message, "reason": ""});
        self.0
            .lock()
            .unwrap()
            .faults
            .push((request.to_owned(), code, status));
    }

    pub(crate) fn heal(&self) {
        self.0.lock().unwrap().faults.clear();
    }

    /// What the installer renders from now on.
    pub(crate) fn render(&self, objects: Vec<Value>) {
        self.0.lock().unwrap().rendered = objects;
    }

    async fn answer(&self, request: Request<Body>) -> Response<Body> {
        let (head, body) = request.into_parts();
        let body = body.collect_bytes().await.unwrap();
        let body: Value = serde_json::from_slice(&body).unwrap_or_default();
        let method = head.method.as_str().to_owned();
        let path = head.uri.path().to_owned();
        let query = head.uri.query().unwrap_or_default().to_owned();
        let (code, answer) = self.0.lock().unwrap().answer(&method, &path, &query, body);
        let text = serde_json::to_vec(&answer).unwrap();
        Response::builder().status(code).body(Body::from(text)).unwrap()
    }
}

impl World {
    fn answer(&mut self, method: &str, path: &str, query: &str, body: Value) -> (u16, Value) {
        let asked = format!("{method} {path}");
        if method == "GET" {
            self.reads += 1;
        } else {
            self.writes.push(asked.clone());
        }
        if let Some((_, code, status)) = self.faults.iter().find(|(prefix, ..)| asked.starts_with(prefix)) {
            return (*code, status.clone());
        }
        let is_list = !self.objects.contains_key(path) && is_collection(path);
        match method {
            "GET" if is_list => (200, self.list(path, query)),
            "GET" => self
                .objects
                .get(path)
                .map_or_else(|| missing(path), |object| (200, object.clone())),
            "DELETE" => self
                .objects
                .remove(path)
                .map_or_else(|| missing(path), |object| (200, object)),
            "PATCH" => {
                let apply = query.contains("fieldManager") && !self.objects.contains_key(path);
                if !apply && !self.objects.contains_key(path) {
                    return missing(path);
                }
                let former = self.objects.get(path).cloned();
                let mut object = former.clone().unwrap_or_else(|| json!({}));
                merge(&mut object, &body);
                if former.as_ref() != Some(&object) {
                    self.versions += 1;
                    object["metadata"]["resourceVersion"] = json!(self.versions.to_string());
                    object["metadata"]["generation"] = json!(self.versions);
                }
                self.objects.insert(path.to_owned(), object.clone());
                (200, object)
            }
            _ => (405, json!({})),
        }
    }

    fn list(&self, path: &str, query: &str) -> Value {
        let query = query.replace("%3D", "=").replace("%2C", ",").replace("%2F", "/");
        let selector = query
            .split('&')
            .find_map(|part| part.strip_prefix("labelSelector="))
            .unwrap_or_default();
        let matches = |object: &Value| {
            selector.split(',').filter(|one| !one.is_empty()).all(|one| {
                let (key, value) = one.split_once('=').unwrap_or((one, ""));
                let found = object["metadata"]["labels"].get(key).and_then(Value::as_str);
                found.is_some_and(|found| value.is_empty() || found == value)
            })
        };
        let plural = path.rsplit('/').next().unwrap_or_default();
        let root = path.trim_end_matches(plural);
        let within = |key: &str| {
            let direct = key
                .strip_prefix(path)
                .is_some_and(|rest| rest.matches('/').count() == 1);
            let everywhere = key.strip_prefix(root).is_some_and(|rest| {
                let parts: Vec<&str> = rest.split('/').collect();
                matches!(parts.as_slice(), ["namespaces", _, kind, _] if *kind == plural)
            });
            direct || everywhere
        };
        let found = self
            .objects
            .iter()
            .filter(|(key, object)| within(key) && matches(object));
        let items: Vec<&Value> = found.map(|(_, object)| object).collect();
        let kind = items
            .first()
            .and_then(|item| item["kind"].as_str())
            .unwrap_or("Object");
        let version = items.first().map(|item| item["apiVersion"].clone());
        json!({"kind": format!("{kind}List"), "apiVersion": version, "metadata": {}, "items": items})
    }
}

fn is_collection(path: &str) -> bool {
    let parts: Vec<&str> = path.trim_start_matches('/').split('/').collect();
    let rest = match parts.as_slice() {
        ["api", _, rest @ ..] | ["apis", _, _, rest @ ..] => rest,
        _ => return false,
    };
    matches!(rest, [_] | ["namespaces", _, _])
}

fn missing(path: &str) -> (u16, Value) {
    let name = path.rsplit('/').next();
    let status = json!({"kind": "Status", "status": "Failure", "code": 404, "reason": "NotFound",
        "message": format!("{path} not found"), "details": {"name": name}});
    (404, status)
}

/// JSON merge patch (RFC 7396).
fn merge(target: &mut Value, part: &Value) {
    match (target.as_object_mut(), part.as_object()) {
        (Some(object), Some(part)) => {
            for (key, value) in part {
                if value.is_null() {
                    object.shift_remove(key);
                } else {
                    merge(object.entry(key.clone()).or_insert(Value::Null), value);
                }
            }
        }
        _ => {
            *target = if part.is_object() { json!({}) } else { part.clone() };
            if part.is_object() {
                merge(target, part);
            }
        }
    }
}

#[async_trait]
impl ChartBackend for FakeKarmada {
    async fn apply(
        &self,
        release: &ReleaseName,
        chart: &str,
        values: &HelmValues,
    ) -> Result<InstalledChart, BackendError> {
        let mut world = self.0.lock().unwrap();
        world.writes.push(format!("helm upgrade {release}"));
        if chart.contains("broken") {
            return Err(BackendError::new(
                ErrorKind::Invalid,
                "helm upgrade",
                "execution error at (web/templates/x.yaml)",
            ));
        }
        for mut object in world.rendered.clone() {
            object["metadata"]["namespace"] = json!(release.namespace.as_str());
            let reference = ObjectRef::of(&object).unwrap();
            let path = format!("{}/{}", reference.collection(), reference.name);
            world.objects.insert(path, object);
        }
        let revision = world.charts.get(release).map_or(0, |(chart, _)| chart.revision) + 1;
        let installed = InstalledChart {
            release: release.clone(),
            revision,
            chart: chart.to_owned(),
            state: ChartState::Deployed,
        };
        world
            .charts
            .insert(release.clone(), (installed.clone(), values.clone()));
        Ok(installed)
    }

    async fn rollback(&self, _: &ReleaseName, _: u64) -> Result<InstalledChart, BackendError> {
        Err(BackendError::new(
            ErrorKind::Unsupported,
            "helm rollback",
            "not here",
        ))
    }

    async fn uninstall(&self, release: &ReleaseName) -> Result<bool, BackendError> {
        let mut world = self.0.lock().unwrap();
        world.writes.push(format!("helm uninstall {release}"));
        for mut object in world.rendered.clone() {
            object["metadata"]["namespace"] = json!(release.namespace.as_str());
            let reference = ObjectRef::of(&object).unwrap();
            world
                .objects
                .remove(&format!("{}/{}", reference.collection(), reference.name));
        }
        Ok(world.charts.remove(release).is_some())
    }

    async fn status(&self, release: &ReleaseName) -> Result<Option<InstalledChart>, BackendError> {
        Ok(self
            .0
            .lock()
            .unwrap()
            .charts
            .get(release)
            .map(|(chart, _)| chart.clone()))
    }

    async fn list(&self, _: Option<&Project>) -> Result<Vec<InstalledChart>, BackendError> {
        Ok(self
            .0
            .lock()
            .unwrap()
            .charts
            .values()
            .map(|(chart, _)| chart.clone())
            .collect())
    }

    async fn values(&self, release: &ReleaseName) -> Result<HelmValues, BackendError> {
        Ok(self
            .0
            .lock()
            .unwrap()
            .charts
            .get(release)
            .map(|(_, values)| values.clone())
            .unwrap_or_default())
    }

    async fn render(&self, _: &ReleaseName, _: &str, _: &HelmValues) -> Result<Vec<Value>, BackendError> {
        Ok(self.0.lock().unwrap().rendered.clone())
    }
}
