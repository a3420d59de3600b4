//! Policies that somebody has edited or deleted behind our back.
//!
//! Karmada acts on an edited policy at once, and nothing in a binding says that this is not what was asked for. So the
//! policy that places a release is compared with what is on record.

use serde::Deserialize as _;
use serde_json::Value;

use crate::objects::{Owner, PropagationSpec};
use crate::record::Record;

/// What is different in the policy that places a release, in words; `policies` are all near it.
pub(crate) fn drift(owner: &Owner, record: &Record, policies: &[Value]) -> Option<String> {
    let wish = record.wish.as_ref().filter(|_| record.complete)?;
    let ours = owner.policy_name("");
    let ours = record
        .policies
        .iter()
        .find(|policy| policy.name == ours && policy.namespace.as_deref() == Some(owner.namespace()));
    let policy = record.steerable.as_ref().or(ours)?;
    let is_it = |found: &&Value| {
        let text = |pointer: &str| found.pointer(pointer).and_then(Value::as_str);
        text("/metadata/name") == Some(&policy.name)
            && text("/metadata/namespace") == policy.namespace.as_deref()
    };
    // A policy for all namespaces is not among them.
    policy.namespace.as_ref()?;
    let Some(found) = policies.iter().find(is_it) else {
        return Some(format!("{policy} is gone"));
    };
    let spec = PropagationSpec::deserialize(found.get("spec")?).ok()?;
    let affinity = spec.placement.cluster_affinity.unwrap_or_default();
    let mut named = affinity.cluster_names;
    named.sort();
    let wanted: Vec<String> = wish.assignment.clusters().map(ToString::to_string).collect();
    let told = |names: &[String]| match names {
        [] => "every cluster".to_owned(),
        some => some.join(", "),
    };
    (named != wanted).then(|| {
        format!(
            "{policy} was changed by somebody: it names {}, and not {}",
            told(&named),
            told(&wanted)
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::objects::ObjectRef;
    use crate::record::Wish;
    use serde_json::json;
    use smo_core::placement::Assignment;
    use smo_core::plan::{ReleaseSpec, Target};
    use smo_core::resources::Resources;

    #[test]
    fn an_edited_policy_is_told() {
        let assignment = Assignment::single("m1".parse().unwrap(), 2);
        let spec = ReleaseSpec {
            service: "proj/shop/web".parse().unwrap(),
            chart: "docker://nginx".to_owned(),
            values: smo_core::helm_values::HelmValues::default(),
            target: Target::Clusters(assignment.clone()),
            resources: Resources::new(),
        };
        let owner = Owner {
            manager: "smo".to_owned(),
            service: spec.service.clone(),
        };
        let mut record = Record::new(&spec, Some(Wish::of(&assignment)));
        record.complete = true;
        let version = "policy.karmada.io/v1alpha1";
        record.policies = vec![ObjectRef::namespaced(
            version,
            "PropagationPolicy",
            "proj",
            "web.smo",
        )];
        let policy = |name: &str, names: Value| {
            json!({"metadata": {"name": name, "namespace": "proj"},
                   "spec": {"placement": {"clusterAffinity": {"clusterNames": names}}}})
        };
        assert_eq!(drift(&owner, &record, &[policy("web.smo", json!(["m1"]))]), None);
        let told = |policies: &[Value], record: &Record| drift(&owner, record, policies).unwrap();
        insta::assert_snapshot!(told(&[policy("web.smo", json!(["m3", "m1"]))], &record), @"PropagationPolicy proj/web.smo was changed by somebody: it names m1, m3, and not m1");
        insta::assert_snapshot!(told(&[policy("web.smo", json!(null))], &record), @"PropagationPolicy proj/web.smo was changed by somebody: it names every cluster, and not m1");
        insta::assert_snapshot!(told(&[], &record), @"PropagationPolicy proj/web.smo is gone");
        // A chart's own policy of the workload counts, and ours for the rest does not.
        record.steerable = Some(ObjectRef::namespaced(version, "PropagationPolicy", "proj", "web"));
        insta::assert_snapshot!(told(&[policy("web", json!(["m3"]))], &record), @"PropagationPolicy proj/web was changed by somebody: it names m3, and not m1");
        record.complete = false;
        assert_eq!(drift(&owner, &record, &[]), None, "an apply is under way");
    }
}
