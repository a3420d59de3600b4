//! Copies in clusters where none should be: what is owed, until when it is remembered, and what Karmada has forgotten.
//!
//! Karmada deletes the `Work`s of a binding before the binding, by a list that may be older than the last of them. An
//! install that is taken back at once can so leave a Work whose binding is gone: its object stays in the member for ever.
//! So a release that was removed stays on record until no copy is left, and such a Work is deleted here.

use std::collections::BTreeSet;
use std::time::Duration;

use jiff::Timestamp;
use serde_json::Value;
use smo_core::backend::Leftover;
use smo_core::id::ClusterName;

use crate::backend::{BINDINGS, KarmadaFleet};
use crate::error::{Failure, KarmadaError};
use crate::objects::{ObjectRef, Owner};
use crate::record::Record;
use crate::status::{Bindings, binding_of};

/// How long after a removal a copy may still come into being, when Karmada was not done with what was removed; and how
/// long Karmada may take to see the copy that it made of a new Work. A Work that is deleted before that leaves its copy
/// behind: Karmada asks its cache of the member what there is to delete.
const SETTLING: Duration = Duration::from_secs(5);

/// The namespace and name of a binding.
type BindingKey = (String, String);

/// A `Work` by its metadata: the namespace names its cluster, an annotation its binding.
struct Work<'a> {
    binding: BindingKey,
    cluster: &'a str,
    metadata: &'a Value,
}

impl<'a> Work<'a> {
    fn read(work: &'a Value) -> Option<Self> {
        let text = |pointer: &str| work.pointer(pointer).and_then(Value::as_str);
        let annotation = |key: &str| {
            let pointer = format!("/metadata/annotations/resourcebinding.karmada.io~1{key}");
            text(&pointer).map(str::to_owned)
        };
        Some(Self {
            binding: (annotation("namespace")?, annotation("name")?),
            cluster: text("/metadata/namespace")?.strip_prefix("karmada-es-")?,
            metadata: work,
        })
    }

    fn is_ending(&self) -> bool {
        self.metadata.pointer("/metadata/deletionTimestamp").is_some()
    }

    /// Whether Karmada must have seen the copy that it made of this Work.
    fn is_settled(&self, now: Timestamp) -> bool {
        let created = self.metadata.pointer("/metadata/creationTimestamp");
        let created = created
            .and_then(Value::as_str)
            .and_then(|at| at.parse::<Timestamp>().ok());
        created.is_none_or(|created| created.checked_add(SETTLING).is_ok_and(|settled| settled <= now))
    }

    fn reference(&self) -> Option<ObjectRef> {
        let text = |pointer: &str| self.metadata.pointer(pointer).and_then(Value::as_str);
        Some(ObjectRef::namespaced(
            "work.karmada.io/v1alpha1",
            "Work",
            text("/metadata/namespace")?,
            text("/metadata/name")?,
        ))
    }
}

fn keys(objects: &[ObjectRef]) -> BTreeSet<BindingKey> {
    let key = |object: &ObjectRef| Some((object.namespace.clone()?, object.binding_name()));
    objects.iter().filter_map(key).collect()
}

/// The bindings of what was deleted: all of a removed release, and what an earlier revision had and this one has not.
fn deleted(record: &Record) -> BTreeSet<BindingKey> {
    let current = keys(&record.objects);
    let gone = keys(&record.gone);
    if record.removed {
        current.union(&gone).cloned().collect()
    } else {
        gone.difference(&current).cloned().collect()
    }
}

/// Copies of a release in clusters where it should not be, by the metadata of all `Work` objects.
pub(crate) fn leftovers(record: &Record, bindings: &Bindings, works: &[Value]) -> Vec<Leftover> {
    let (current, deleted) = (keys(&record.objects), deleted(record));
    let wished = |cluster: &str| {
        record
            .wish
            .as_ref()
            .is_some_and(|wish| wish.assignment.clusters().any(|c| c.as_str() == cluster))
    };
    let is_left = |work: &Work<'_>| {
        if deleted.contains(&work.binding) || !current.contains(&work.binding) {
            return deleted.contains(&work.binding);
        }
        // An import goes to other clusters than the workload, and a chart chooses for itself.
        match &record.wish {
            Some(_) if !work.binding.1.ends_with("-serviceimport") => !wished(work.cluster),
            _ => bindings
                .get(&work.binding)
                .is_none_or(|binding| binding.target(work.cluster).is_none()),
        }
    };
    let left = works.iter().filter_map(Work::read).filter(is_left);
    let clusters: BTreeSet<ClusterName> = left.filter_map(|work| work.cluster.parse().ok()).collect();
    let leftover = |cluster| Leftover {
        service: record.spec.service.clone(),
        cluster,
    };
    clusters.into_iter().map(leftover).collect()
}

/// What is to be done about the record of a release.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Memory {
    /// It stays as it is.
    Keep,
    /// Everything of it is gone from everywhere.
    Forget,
    /// What an earlier revision had is gone from everywhere.
    ForgetGone,
}

fn memory(record: &Record, bindings: &Bindings, works: &[Value], now: Timestamp) -> Memory {
    let deleted = deleted(record);
    let copied = works
        .iter()
        .filter_map(Work::read)
        .any(|work| deleted.contains(&work.binding));
    let bound = deleted.iter().any(|key| bindings.contains_key(key));
    let settles = record.settles.is_some_and(|settled| now < settled);
    match record.removed {
        _ if copied || bound || settles => Memory::Keep,
        true => Memory::Forget,
        false if record.gone.is_empty() => Memory::Keep,
        false => Memory::ForgetGone,
    }
}

/// When no copy can come into being any more; `None` when that is so now: Karmada was done with all of it.
pub(crate) fn settled_at(record: &Record, bindings: &Bindings, now: Timestamp) -> Option<Timestamp> {
    let mut propagated = record
        .objects
        .iter()
        .filter(|object| !object.is_policy() && object.namespace.is_some());
    let is_done =
        |object: &ObjectRef| binding_of(bindings, object).is_some_and(|binding| binding.has_arrived());
    let soon = now.checked_add(SETTLING).unwrap_or(now);
    (!propagated.all(is_done)).then_some(soon)
}

impl KarmadaFleet {
    /// Deletes copies that Karmada has forgotten, and what is remembered of copies that are gone.
    pub(crate) async fn settle(
        &self,
        (record, secret): (&Record, &Value),
        bindings: &Bindings,
        works: &[Value],
        now: Timestamp,
    ) -> Result<(), Failure> {
        if !record.removed && record.gone.is_empty() {
            // Nothing of it was deleted.
            return Ok(());
        }
        let deleted = deleted(record);
        let orphans = works.iter().filter_map(Work::read).filter(|work| {
            let is_orphan = deleted.contains(&work.binding) && !bindings.contains_key(&work.binding);
            is_orphan && !work.is_ending() && work.is_settled(now)
        });
        for orphan in orphans {
            self.delete_orphan(&orphan).await?;
        }
        match memory(record, bindings, works, now) {
            Memory::Keep => {}
            // A record that changed meanwhile stays.
            Memory::Forget => {
                let reference = ObjectRef::of(secret)?;
                let deleted = self.client.delete_unchanged(&reference, secret).await;
                unless_changed(deleted.map(drop))?;
            }
            Memory::ForgetGone => {
                let record = Record {
                    gone: Vec::new(),
                    ..record.clone()
                };
                let mut wanted = record.secret(&self.owner(&record.spec.service))?;
                let version = secret.pointer("/metadata/resourceVersion").cloned();
                wanted["metadata"]["resourceVersion"] = version.unwrap_or_default();
                unless_changed(self.client.apply_always(&wanted, Some(secret)).await.map(drop))?;
            }
        }
        Ok(())
    }

    async fn delete_orphan(&self, work: &Work<'_>) -> Result<(), Failure> {
        let (namespace, name) = &work.binding;
        let path = format!("/apis/work.karmada.io/v1alpha2/namespaces/{namespace}/{BINDINGS}");
        let Some(reference) = work.reference() else {
            return Ok(());
        };
        // The list of bindings may be older than that of Works: one that was made in between is seen now.
        if self.client.find(&path, name).await?.is_none() {
            let deleted = self.client.delete_unchanged(&reference, work.metadata).await;
            unless_changed(deleted.map(drop))?;
        }
        Ok(())
    }

    /// Writes down that a release was removed, until no copy of it is left or can come into being.
    pub(crate) async fn retire(
        &self,
        owner: &Owner,
        mut record: Record,
        read: Option<&Value>,
        settles: Option<Timestamp>,
    ) -> Result<(), Failure> {
        record.removed = true;
        record.settles = settles;
        self.client.apply_always(&record.secret(owner)?, read).await?;
        Ok(())
    }

    /// Takes back what a first apply wrote before it failed. What cannot be taken back stays on record, so that
    /// `remove` finds it; so does what Karmada may have begun to spread.
    pub(crate) async fn undo(&self, owner: &Owner, record: &Record) {
        let Ok(spread) = self.tear_down(owner, record).await else {
            return;
        };
        let _stays_on_record = if spread {
            let settles = self.now().checked_add(SETTLING).ok();
            self.retire(owner, record.clone(), None, settles).await
        } else {
            self.client
                .delete(&owner.record())
                .await
                .map(drop)
                .map_err(Failure::from)
        };
    }
}

/// Somebody was faster, which is as good.
fn unless_changed(outcome: Result<(), KarmadaError>) -> Result<(), KarmadaError> {
    match outcome {
        Err(KarmadaError::Conflict(_)) => Ok(()),
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::Wish;
    use crate::status::read_bindings;
    use serde_json::json;
    use smo_core::placement::Assignment;
    use smo_core::plan::{ReleaseSpec, Target};
    use smo_core::resources::Resources;

    fn record(cluster: &str) -> Record {
        let assignment = Assignment::single(cluster.parse().unwrap(), 1);
        let spec = ReleaseSpec {
            service: "proj/shop/web".parse().unwrap(),
            chart: "docker://nginx".to_owned(),
            values: Default::default(),
            target: Target::Clusters(assignment.clone()),
            resources: Resources::new(),
        };
        let object = |version: &str, kind: &str| ObjectRef::namespaced(version, kind, "proj", "web");
        Record {
            objects: vec![object("apps/v1", "Deployment"), object("v1", "Service")],
            ..Record::new(&spec, Some(Wish::of(&assignment)))
        }
    }

    fn work(cluster: &str, binding: &str) -> Value {
        json!({"metadata": {"namespace": format!("karmada-es-{cluster}"), "name": "web-1", "annotations": {
            "resourcebinding.karmada.io/name": binding, "resourcebinding.karmada.io/namespace": "proj"}}})
    }

    fn binding(name: &str, applied: bool) -> Value {
        json!({"metadata": {"name": name, "namespace": "proj"},
            "spec": {"clusters": [{"name": "m1"}]},
            "status": {"aggregatedStatus": [{"clusterName": "m1", "applied": applied}]}})
    }

    fn clusters(record: &Record, works: &[Value]) -> Vec<String> {
        let bindings = read_bindings(&[binding("web-deployment", true)]);
        let left = leftovers(record, &bindings, works);
        left.iter().map(|left| left.cluster.to_string()).collect()
    }

    #[test]
    fn copies_where_none_should_be_are_leftovers() {
        let works = [
            work("m1", "web-deployment"),
            work("m2", "web-deployment"),
            work("m2", "web-service"),
            work("m3", "other-deployment"),
            json!({"metadata": {"namespace": "karmada-es-m3", "name": "proj-ns"}}),
        ];
        let mut moved = record("m1");
        assert_eq!(clusters(&moved, &works), ["m2"]);
        moved.removed = true;
        assert_eq!(clusters(&moved, &works), ["m1", "m2"]);
    }

    #[test]
    fn what_an_earlier_revision_had_is_owed_too() {
        let mut upgraded = record("m1");
        let export = ObjectRef::namespaced("multicluster.x-k8s.io/v1alpha1", "ServiceExport", "proj", "web");
        upgraded.gone = vec![export, upgraded.objects[0].clone()];
        let works = [work("m1", "web-deployment"), work("m1", "web-serviceexport")];
        assert_eq!(clusters(&upgraded, &works[..1]), [""; 0], "it came back");
        assert_eq!(clusters(&upgraded, &works), ["m1"]);
    }

    #[test]
    fn a_work_is_settled_when_its_copy_must_have_been_seen() {
        let now: Timestamp = "2026-11-24T22:36:00Z".parse().unwrap();
        let mut made = work("m1", "web-service");
        let is_settled = |made: &Value| Work::read(made).unwrap().is_settled(now);
        assert!(is_settled(&made), "nobody says when");
        for (created, expected) in [("22:35:55", true), ("22:35:56", false), ("22:37:00", false)] {
            made["metadata"]["creationTimestamp"] = format!("2026-11-24T{created}Z").into();
            assert_eq!(is_settled(&made), expected, "{created}");
        }
    }

    #[test]
    fn a_removal_is_remembered_as_long_as_there_may_be_copies() {
        let now: Timestamp = "2026-11-24T22:36:00Z".parse().unwrap();
        let none = Bindings::new();
        let mut gone = record("m1");
        let remembered = |record: &Record, bindings: &Bindings, works: &[Value], after: i64| {
            memory(record, bindings, works, now + Duration::from_secs(after as u64))
        };
        assert_eq!(
            remembered(&gone, &none, &[], 0),
            Memory::Keep,
            "it is not removed"
        );
        gone.removed = true;
        assert_eq!(
            remembered(&gone, &none, &[work("m1", "web-service")], 0),
            Memory::Keep
        );
        let bound = read_bindings(&[binding("web-service", false)]);
        assert_eq!(
            remembered(&gone, &bound, &[], 0),
            Memory::Keep,
            "a Work may follow"
        );
        assert_eq!(remembered(&gone, &none, &[], 0), Memory::Forget);
        gone.settles = settled_at(&gone, &none, now);
        assert_eq!(
            remembered(&gone, &none, &[], 4),
            Memory::Keep,
            "Karmada was not done"
        );
        assert_eq!(remembered(&gone, &none, &[], 5), Memory::Forget);
        let both = [binding("web-deployment", true), binding("web-service", true)];
        assert_eq!(settled_at(&gone, &read_bindings(&both), now), None);
        let one = [binding("web-deployment", true), binding("web-service", false)];
        assert!(settled_at(&gone, &read_bindings(&one), now).is_some());
        let mut upgraded = record("m1");
        upgraded.gone = vec![ObjectRef::namespaced("v1", "ConfigMap", "proj", "web")];
        assert_eq!(
            remembered(&upgraded, &none, &[work("m1", "web-configmap")], 9),
            Memory::Keep
        );
        assert_eq!(remembered(&upgraded, &none, &[], 9), Memory::ForgetGone);
    }
}
