//! Policies that somebody has edited or deleted behind our back.
//!
//! Karmada acts on an edited policy at once, and nothing in a binding says that this is not what was asked for. So the
//! policy that places a release is compared with what is on record.

use serde::Deserialize as _;
use serde_json::Value;

use crate::objects::{ObjectRef, Owner, PropagationSpec};
use crate::record::Record;

/// What is different in the policies of a release, in words; `policies` are all near it.
pub(crate) fn drift(owner: &Owner, record: &Record, policies: &[Value]) -> Option<String> {
    if !record.complete {
        return None;
    }
    let find = |policy: &ObjectRef| {
        policies.iter().find(|found| {
            let text = |pointer: &str| found.pointer(pointer).and_then(Value::as_str);
            text("/metadata/name") == Some(&policy.name)
                && text("/metadata/namespace") == policy.namespace.as_deref()
        })
    };
    // A policy for all namespaces is not among them.
    let near = |policy: &&ObjectRef| policy.kind == "PropagationPolicy" && policy.namespace.is_some();
    let mut all = record.policies.iter().chain(&record.objects).filter(near);
    if let Some(gone) = all.find(|policy| find(policy).is_none()) {
        return Some(format!("{gone} is gone"));
    }
    let wish = record.wish.as_ref()?;
    let name = owner.policy_name("");
    let is_ours =
        |policy: &&ObjectRef| policy.name == name && policy.namespace.as_deref() == Some(owner.namespace());
    let ours = record.policies.iter().find(is_ours);
    let policy = record.steerable.as_ref().or(ours).filter(near)?;
    let found = find(policy)?;
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
        // A chart's own policy of the workload counts, and ours for the rest only has to be there.
        let own = ObjectRef::namespaced(version, "PropagationPolicy", "proj", "web");
        record.objects = vec![own.clone()];
        record.steerable = Some(own);
        let rest = || policy("web.smo", json!(["m9"]));
        insta::assert_snapshot!(told(&[policy("web", json!(["m3"])), rest()], &record), @"PropagationPolicy proj/web was changed by somebody: it names m3, and not m1");
        insta::assert_snapshot!(told(&[rest()], &record), @"PropagationPolicy proj/web is gone");
        insta::assert_snapshot!(told(&[policy("web", json!(["m1"]))], &record), @"PropagationPolicy proj/web.smo is gone");
        // Where the chart chooses, what it brings has to be there all the same.
        record.wish = None;
        insta::assert_snapshot!(told(&[rest()], &record), @"PropagationPolicy proj/web is gone");
        record.complete = false;
        assert_eq!(drift(&owner, &record, &[]), None, "an apply is under way");
    }
}
