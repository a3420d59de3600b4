//! What this library remembers of a release, in a Secret beside it.
//!
//! Karmada knows objects and where they go. Chart, values, revision and what was asked for are kept here, so that a
//! host that starts anew sees what an earlier one did. It is a Secret because values may hold secrets.

use jiff::Timestamp;
use k8s_openapi::ByteString;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use smo_core::placement::Assignment;
use smo_core::plan::ReleaseSpec;

use crate::chart_import::without_clusters;
use crate::error::KarmadaError;
use crate::objects::{IMAGE_SCHEME, ObjectRef, Owner};
use crate::status::has_replicas;

/// The type of the Secret.
const KIND: &str = "smo/release.v1";
/// Its only key.
const KEY: &str = "release";

/// A release as it was asked for last.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Record {
    /// What `apply` was given.
    pub(crate) spec: ReleaseSpec,
    /// Where replicas are wanted now; `None` where the chart chooses.
    pub(crate) wish: Option<Wish>,
    /// How often it was applied with a change, from 1.
    pub(crate) revision: u64,
    /// What it is made of, policies of ours excepted.
    pub(crate) objects: Vec<ObjectRef>,
    /// Our policies.
    #[serde(default)]
    pub(crate) policies: Vec<ObjectRef>,
    /// The chart's own policy of the workload.
    #[serde(default)]
    pub(crate) steerable: Option<ObjectRef>,
    /// The object whose replicas are counted.
    #[serde(default)]
    pub(crate) workload: Option<ObjectRef>,
    /// The generation of the workload after the last write: an older report is about what was before.
    #[serde(default)]
    pub(crate) generation: i64,
    /// False while an apply is under way, or was cut off.
    pub(crate) complete: bool,
    /// What an earlier revision was made of and this one is not: copies may still be in members.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) gone: Vec<ObjectRef>,
    /// It was removed, and is remembered until nothing of it is left anywhere.
    #[serde(default)]
    pub(crate) removed: bool,
    /// Until then copies may come into being although it was removed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) settles: Option<Timestamp>,
}

/// Where replicas are wanted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Wish {
    /// The weights.
    pub(crate) assignment: Assignment,
    /// It stays where it is, with 0 replicas.
    pub(crate) zero: bool,
}

impl Wish {
    pub(crate) fn of(assignment: &Assignment) -> Self {
        Self {
            assignment: assignment.clone(),
            zero: false,
        }
    }

    pub(crate) fn replicas(&self) -> u32 {
        if self.zero { 0 } else { self.assignment.replicas() }
    }
}

impl Record {
    /// A release that is to be written for the first time.
    pub(crate) fn new(spec: &ReleaseSpec, wish: Option<Wish>) -> Self {
        Self {
            spec: spec.clone(),
            wish,
            revision: 1,
            objects: Vec::new(),
            policies: Vec::new(),
            steerable: None,
            workload: None,
            generation: 0,
            complete: false,
            gone: Vec::new(),
            removed: false,
            settles: None,
        }
    }

    /// The same in place of one of that name which was removed: what is left of that one is not forgotten.
    pub(crate) fn after(mut self, removed: Option<Self>) -> Self {
        let former = removed.into_iter();
        self.gone = former
            .flat_map(|record| record.objects.into_iter().chain(record.gone))
            .collect();
        self
    }

    /// Notes the objects that it is made of now; what it had and has no more may still have copies in members.
    pub(crate) fn is_made_of(&mut self, objects: Vec<ObjectRef>) {
        self.gone.append(&mut self.objects);
        self.gone
            .retain(|object| !object.is_policy() && !objects.contains(object));
        self.gone.sort();
        self.gone.dedup();
        self.objects = objects;
    }

    /// True when a Secret holds a record.
    pub(crate) fn is_kept_in(secret: &Value) -> bool {
        secret.get("type").and_then(Value::as_str) == Some(KIND)
    }

    /// Reads a Secret of ours.
    pub(crate) fn read(secret: &Value) -> Result<Self, KarmadaError> {
        let reference = ObjectRef::of(secret)
            .map(|object| object.to_string())
            .unwrap_or_default();
        let nonsense = |why: String| KarmadaError::Nonsense(format!("the record in {reference}: {why}"));
        let data = secret
            .pointer(&format!("/data/{KEY}"))
            .cloned()
            .unwrap_or_default();
        let bytes: ByteString = serde_json::from_value(data).map_err(|error| nonsense(error.to_string()))?;
        serde_json::from_slice(&bytes.0).map_err(|error| nonsense(error.to_string()))
    }

    /// The Secret that holds it.
    pub(crate) fn secret(&self, owner: &Owner) -> Result<Value, KarmadaError> {
        let nonsense = |error: serde_json::Error| KarmadaError::Nonsense(error.to_string());
        let text = ByteString(serde_json::to_vec(self).map_err(nonsense)?);
        Ok(json!({
            "apiVersion": "v1",
            "kind": "Secret",
            "metadata": owner.metadata(&owner.record_name()),
            "type": KIND,
            "data": {KEY: serde_json::to_value(text).map_err(nonsense)?},
        }))
    }

    /// True when it is what `spec` asks for.
    pub(crate) fn is(&self, spec: &ReleaseSpec, wish: Option<&Wish>) -> bool {
        self.complete && !self.removed && self.spec == *spec && self.wish.as_ref() == wish
    }

    /// True for an installed chart of which only the clusters change: its own, and those that import it.
    pub(crate) fn only_moves(&self, spec: &ReleaseSpec, wish: &Wish) -> bool {
        let rest = |spec: &ReleaseSpec| ReleaseSpec {
            values: without_clusters(&spec.values),
            target: self.spec.target.clone(),
            ..spec.clone()
        };
        let moves = self.wish.as_ref().is_some_and(|now| now != wish && !now.zero);
        self.complete && !self.is_image() && moves && rest(&self.spec) == rest(spec)
    }

    /// True when it has a workload whose replicas Karmada divides.
    pub(crate) fn is_divided(&self) -> bool {
        self.workload
            .as_ref()
            .is_some_and(|object| has_replicas(&object.kind))
    }

    /// True when it is an image that is rendered here, and no chart.
    pub(crate) fn is_image(&self) -> bool {
        is_image(&self.spec.chart)
    }
}

/// True when a reference is that of an image and not of a chart.
pub(crate) fn is_image(reference: &str) -> bool {
    reference.starts_with(IMAGE_SCHEME)
}

impl Owner {
    /// The name of the Secret that remembers a release.
    pub(crate) fn record_name(&self) -> String {
        format!("{}.{}", self.manager, self.service.service)
    }

    /// The Secret that remembers a release.
    pub(crate) fn record(&self) -> ObjectRef {
        ObjectRef::namespaced("v1", "Secret", self.namespace(), &self.record_name())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use smo_core::plan::Target;
    use smo_core::resources::Resources;

    fn record() -> (Owner, Record) {
        let assignment = Assignment::single("m1".parse().unwrap(), 2);
        let values = json!({"password": "hunter2"}).as_object().unwrap().clone().into();
        let spec = ReleaseSpec {
            service: "proj/shop/web".parse().unwrap(),
            chart: "docker://nginx".to_owned(),
            values,
            target: Target::Clusters(assignment.clone()),
            resources: Resources::new().with("cpu", 500),
        };
        let owner = Owner {
            manager: "smo".to_owned(),
            service: spec.service.clone(),
        };
        (owner, Record::new(&spec, Some(Wish::of(&assignment))))
    }

    #[test]
    fn a_record_is_read_as_it_was_written() {
        let (owner, record) = record();
        let secret = record.secret(&owner).unwrap();
        assert_eq!(Record::read(&secret).unwrap(), record);
        assert!(owner.owns(&secret));
        assert!(
            !secret.to_string().contains("hunter2"),
            "values are not readable at a glance"
        );
        assert!(!format!("{record:?}").contains("hunter2"));
    }

    #[test]
    fn a_record_that_somebody_edited_is_named() {
        let (owner, record) = record();
        let mut secret = record.secret(&owner).unwrap();
        secret["data"]["release"] = "bm8=".into();
        insta::assert_snapshot!(Record::read(&secret).unwrap_err(), @"Karmada's answer makes no sense: the record in Secret proj/smo.web: expected ident at line 1 column 2");
    }
}
