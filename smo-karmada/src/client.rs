//! The few requests that are made of Karmada's API server, with their failures told apart.

use std::time::Duration;

use http::Request;
use kube::api::{DeleteParams, GetParams, ListParams, Patch, PatchParams, Preconditions};
use kube::core::Request as Path;
use serde_json::Value;

use crate::config::Drift;
use crate::error::KarmadaError;
use crate::objects::ObjectRef;

/// How many objects one answer holds; a longer list comes in several answers, all of one moment.
const PAGE: u32 = 500;

/// How long an answer may take. Karmada's webhooks have three seconds each.
const TIMEOUT: Duration = Duration::from_secs(30);

/// The least pauses before a request that was one too many is made again.
const PAUSES: [Duration; 4] = [
    Duration::from_millis(250),
    Duration::from_millis(500),
    Duration::from_secs(1),
    Duration::from_secs(2),
];

/// A client that writes under one name.
#[derive(Clone)]
pub(crate) struct Client {
    kube: kube::Client,
    manager: String,
    pub(crate) drift: Drift,
    /// Where the API server is, where that is known: only for people to read.
    pub(crate) address: Option<String>,
}

impl std::fmt::Debug for Client {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Client")
            .field("manager", &self.manager)
            .finish_non_exhaustive()
    }
}

/// What an object was before and is after a write.
#[derive(Debug, Clone)]
pub(crate) struct Written {
    /// As it is now.
    pub(crate) object: Value,
    /// False when the write changed nothing.
    pub(crate) changed: bool,
}

impl Client {
    pub(crate) fn new(kube: kube::Client, manager: &str) -> Self {
        Self {
            kube,
            manager: manager.to_owned(),
            drift: Drift::Repair,
            address: None,
        }
    }

    pub(crate) fn kube(&self) -> &kube::Client {
        &self.kube
    }

    pub(crate) fn manager(&self) -> &str {
        &self.manager
    }

    async fn send(
        &self,
        path: &str,
        request: Result<Request<Vec<u8>>, kube::core::request::Error>,
    ) -> Result<Value, KarmadaError> {
        let request = request.map_err(|error| KarmadaError::Nonsense(error.to_string()))?;
        let Ok(answer) = tokio::time::timeout(TIMEOUT, self.ask(request)).await else {
            let why = format!("no answer within {} s", TIMEOUT.as_secs());
            return Err(KarmadaError::Unreachable(why).at(self.address.as_deref()));
        };
        answer.map_err(|error| KarmadaError::from_kube(path, error).at(self.address.as_deref()))
    }

    /// Asks, and again after a pause when there are too many requests at once: those are refused before anything is done.
    async fn ask(&self, request: Request<Vec<u8>>) -> kube::Result<Value> {
        const TOO_MANY: u16 = 429;
        let mut pauses = PAUSES.into_iter();
        loop {
            let answer = self.kube.request(request.clone()).await;
            let wished = match &answer {
                Err(kube::Error::Api(status)) if status.code == TOO_MANY => {
                    let details = status.details.as_ref();
                    Duration::from_secs(details.map_or(0, |details| details.retry_after_seconds.into()))
                }
                _ => return answer,
            };
            match pauses.next() {
                Some(pause) => tokio::time::sleep(pause.max(wished)).await,
                None => return answer,
            }
        }
    }

    /// An object, if it is there. A kind that the server does not know has no objects.
    pub(crate) async fn get(&self, object: &ObjectRef) -> Result<Option<Value>, KarmadaError> {
        let path = object.collection();
        match self
            .send(&path, Path::new(&path).get(&object.name, &GetParams::default()))
            .await
        {
            Ok(found) => Ok(Some(found)),
            Err(KarmadaError::NotFound(_) | KarmadaError::NoSuchKind(_)) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// The object of this name in a collection, for users who may list it and not get from it.
    pub(crate) async fn find(&self, collection: &str, name: &str) -> Result<Option<Value>, KarmadaError> {
        let params = ListParams::default().fields(&format!("metadata.name={name}"));
        let list = self.send(collection, Path::new(collection).list(&params)).await?;
        let is_it = |item: &&Value| item.pointer("/metadata/name").and_then(Value::as_str) == Some(name);
        let items = list.get("items").and_then(Value::as_array);
        Ok(items.and_then(|items| items.iter().find(is_it)).cloned())
    }

    /// All objects of a collection with these labels.
    pub(crate) async fn list(&self, collection: &str, labels: &str) -> Result<Vec<Value>, KarmadaError> {
        self.pages(collection, labels, |path, params| path.list(params))
            .await
    }

    /// The metadata of all objects of a collection with these labels.
    pub(crate) async fn list_metadata(
        &self,
        collection: &str,
        labels: &str,
    ) -> Result<Vec<Value>, KarmadaError> {
        self.pages(collection, labels, |path, params| path.list_metadata(params))
            .await
    }

    async fn pages(
        &self,
        collection: &str,
        labels: &str,
        request: impl Fn(&Path, &ListParams) -> Result<Request<Vec<u8>>, kube::core::request::Error>,
    ) -> Result<Vec<Value>, KarmadaError> {
        let mut params = ListParams::default().labels(labels).limit(PAGE);
        let mut all = Vec::new();
        loop {
            let mut page = self
                .send(collection, request(&Path::new(collection), &params))
                .await?;
            let types = item_types(&page);
            let items = page
                .get_mut("items")
                .and_then(Value::as_array_mut)
                .map(std::mem::take);
            all.extend(items.into_iter().flatten().map(|item| typed(item, &types)));
            let token = page
                .pointer("/metadata/continue")
                .and_then(Value::as_str)
                .unwrap_or_default();
            if token.is_empty() {
                return Ok(all);
            }
            params = params.continue_token(token);
        }
    }

    /// Makes an object be as `wanted` says, by server-side apply with strict field validation. `before` is the object
    /// as it was read; when it already has everything, nothing is sent.
    pub(crate) async fn apply(
        &self,
        wanted: &Value,
        before: Option<&Value>,
    ) -> Result<Written, KarmadaError> {
        if let Some(before) = before.filter(|before| is_part_of(wanted, before)) {
            return Ok(Written {
                object: before.clone(),
                changed: false,
            });
        }
        self.apply_always(wanted, before).await
    }

    /// The same, and what earlier applies wrote and `wanted` does not hold goes.
    pub(crate) async fn apply_always(
        &self,
        wanted: &Value,
        before: Option<&Value>,
    ) -> Result<Written, KarmadaError> {
        let target = ObjectRef::of(wanted)?;
        let path = target.collection();
        let mut params = PatchParams::apply(&self.manager).validation_strict();
        params.force = self.drift == Drift::Repair;
        let object = self
            .send(
                &path,
                Path::new(&path).patch(&target.name, &params, &Patch::Apply(wanted)),
            )
            .await
            .map_err(|error| error.about(&target))?;
        let version = |object: &Value| object.pointer("/metadata/resourceVersion").cloned();
        let changed = before.and_then(version) != version(&object);
        Ok(Written { object, changed })
    }

    /// Changes some fields of an object that somebody else wrote.
    pub(crate) async fn merge(&self, object: &ObjectRef, part: &Value) -> Result<Value, KarmadaError> {
        let path = object.collection();
        let params = PatchParams {
            field_manager: Some(self.manager.clone()),
            ..PatchParams::default()
        };
        let params = params.validation_strict();
        self.send(
            &path,
            Path::new(&path).patch(&object.name, &params, &Patch::Merge(part)),
        )
        .await
    }

    /// Deletes an object; false when it was not there.
    pub(crate) async fn delete(&self, object: &ObjectRef) -> Result<bool, KarmadaError> {
        self.delete_with(object, &DeleteParams::background()).await
    }

    /// Deletes an object if nobody has changed it since it was read.
    pub(crate) async fn delete_unchanged(
        &self,
        object: &ObjectRef,
        read: &Value,
    ) -> Result<bool, KarmadaError> {
        let version = read.pointer("/metadata/resourceVersion").and_then(Value::as_str);
        let only = Preconditions {
            resource_version: version.map(str::to_owned),
            uid: None,
        };
        self.delete_with(object, &DeleteParams::background().preconditions(only))
            .await
    }

    async fn delete_with(&self, object: &ObjectRef, params: &DeleteParams) -> Result<bool, KarmadaError> {
        let path = object.collection();
        match self
            .send(&path, Path::new(&path).delete(&object.name, params))
            .await
        {
            Ok(_) => Ok(true),
            Err(KarmadaError::NotFound(_) | KarmadaError::NoSuchKind(_)) => Ok(false),
            Err(error) => Err(error),
        }
    }
}

/// The `apiVersion` and `kind` of the items of a list, which do not say it themselves.
fn item_types(list: &Value) -> Option<(String, String)> {
    let text = |key: &str| list.get(key).and_then(Value::as_str);
    let kind = text("kind")?.strip_suffix("List")?;
    Some((text("apiVersion")?.to_owned(), kind.to_owned()))
}

fn typed(mut item: Value, types: &Option<(String, String)>) -> Value {
    if let (Some(object), Some((version, kind))) = (item.as_object_mut(), types) {
        object
            .entry("apiVersion")
            .or_insert_with(|| version.as_str().into());
        object.entry("kind").or_insert_with(|| kind.as_str().into());
    }
    item
}

/// True when every field of `wanted` is in `live` with the same value. Lists have to be equal item by item; an item may
/// have more fields, which the server filled in.
pub(crate) fn is_part_of(wanted: &Value, live: &Value) -> bool {
    match (wanted, live) {
        (Value::Object(wanted), Value::Object(live)) => wanted
            .iter()
            .all(|(key, value)| live.get(key).is_some_and(|live| is_part_of(value, live))),
        (Value::Array(wanted), Value::Array(live)) => {
            wanted.len() == live.len()
                && wanted
                    .iter()
                    .zip(live)
                    .all(|(wanted, live)| is_part_of(wanted, live))
        }
        (wanted, live) => wanted == live,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[tokio::test(flavor = "current_thread")]
    async fn one_request_too_many_is_made_again() {
        use smo_core::backend::ClusterBackend;
        let fake = crate::double::FakeKarmada::with_clusters(&["m1"]);
        fake.fail("GET /apis/cluster.karmada.io", 429, "too many requests");
        let healed = fake.clone();
        tokio::spawn(async move {
            tokio::time::sleep(Duration::from_millis(100)).await;
            healed.heal();
        });
        let fleet = fake.fleet();
        assert_eq!(fleet.inventory().await.unwrap().ready().count(), 1);
        assert_eq!(fake.reads(), 2);
        fake.fail("GET /apis/cluster.karmada.io", 503, "no endpoints");
        assert!(fleet.inventory().await.is_err());
        assert_eq!(fake.reads(), 1, "what is down is told at once");
    }

    #[test]
    fn what_the_server_fills_in_is_no_difference() {
        let live =
            json!({"spec": {"replicas": 1, "ports": [{"port": 80, "protocol": "TCP"}], "type": "ClusterIP"}});
        assert!(is_part_of(
            &json!({"spec": {"replicas": 1, "ports": [{"port": 80}]}}),
            &live
        ));
        assert!(!is_part_of(&json!({"spec": {"replicas": 2}}), &live));
        assert!(!is_part_of(&json!({"spec": {"ports": []}}), &live));
        assert!(!is_part_of(&json!({"spec": {"new": 1}}), &live));
    }
}
