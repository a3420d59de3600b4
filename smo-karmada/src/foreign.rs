//! Policies of somebody else on our objects, found before anything is written.
//!
//! Of two policies on one object Karmada obeys one and ignores the other without a word, and the one that came first
//! keeps the object. So what is not ours is looked for beforehand.

use serde::Deserialize as _;
use serde_json::Value;

use crate::objects::{ObjectRef, PropagationSpec, ResourceSelector};

/// An object that is to be written or propagated, with its labels, and as it is now.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Candidate<'a> {
    pub(crate) object: &'a ObjectRef,
    pub(crate) manifest: &'a Value,
    pub(crate) live: Option<&'a Value>,
}

/// The first policy that has claimed one of `candidates` or would, and is none of `ours`; in words.
pub(crate) fn foreign_policy(
    candidates: &[Candidate<'_>],
    ours: &[ObjectRef],
    policies: &[Value],
) -> Option<String> {
    candidates.iter().find_map(|candidate| {
        let object = candidate.object;
        if let Some(policy) = claimed_by(candidate.live).filter(|policy| !ours.contains(policy)) {
            return Some(format!("{object} is placed by {policy}, which is not ours"));
        }
        let rival = policies.iter().find_map(|policy| {
            let reference = ObjectRef::of(policy)
                .ok()
                .filter(|reference| !ours.contains(reference))?;
            wins_over_ours(policy, &reference, candidate).then_some(reference)
        });
        rival.map(|policy| format!("{object} would be placed by {policy}, which is not ours"))
    })
}

/// The policy that has claimed an object: Karmada writes its name on it.
pub(crate) fn claimed_by(live: Option<&Value>) -> Option<ObjectRef> {
    const VERSION: &str = "policy.karmada.io/v1alpha1";
    let annotations = live?.pointer("/metadata/annotations")?;
    let text = |key: &str| {
        annotations
            .get(key)
            .and_then(Value::as_str)
            .filter(|text| !text.is_empty())
    };
    let namespaced =
        text("propagationpolicy.karmada.io/name").zip(text("propagationpolicy.karmada.io/namespace"));
    if let Some((name, namespace)) = namespaced {
        return Some(ObjectRef::namespaced(
            VERSION,
            "PropagationPolicy",
            namespace,
            name,
        ));
    }
    let name = text("clusterpropagationpolicy.karmada.io/name")?;
    Some(ObjectRef::cluster_scoped(
        VERSION,
        "ClusterPropagationPolicy",
        name,
    ))
}

/// True when Karmada would choose a policy before one of ours, which names the object and has the priority 0. A policy
/// for all namespaces never goes before one of the object's own.
fn wins_over_ours(policy: &Value, reference: &ObjectRef, candidate: &Candidate<'_>) -> bool {
    let leaving = policy.pointer("/metadata/deletionTimestamp").is_some();
    if leaving || reference.namespace != candidate.object.namespace {
        return false;
    }
    let Some(Ok(spec)) = policy.get("spec").map(PropagationSpec::deserialize) else {
        return false;
    };
    let matching = spec
        .resource_selectors
        .iter()
        .filter(|selector| selects(selector, candidate));
    let precise = matching
        .map(|selector| selector.name.as_ref().is_some_and(|name| !name.is_empty()))
        .max();
    match (precise, spec.priority.unwrap_or(0)) {
        (None, _) | (Some(_), ..=-1) => false,
        (Some(precise), 0) => precise,
        (Some(_), _) => true,
    }
}

pub(crate) fn selects(selector: &ResourceSelector, candidate: &Candidate<'_>) -> bool {
    let object = candidate.object;
    if selector.api_version != object.api_version || selector.kind != object.kind {
        return false;
    }
    match selector.name.as_deref().filter(|name| !name.is_empty()) {
        Some(name) => name == object.name,
        None => selector
            .label_selector
            .as_ref()
            .is_none_or(|labels| labels_match(labels, candidate.manifest)),
    }
}

/// Kubernetes' label selector, for the labels of a manifest.
fn labels_match(selector: &Value, manifest: &Value) -> bool {
    let label = |key: &str| {
        manifest
            .pointer("/metadata/labels")
            .and_then(|labels| labels.get(key))
    };
    let equal = selector.get("matchLabels").and_then(Value::as_object);
    let equal = equal.is_none_or(|wanted| wanted.iter().all(|(key, value)| label(key) == Some(value)));
    let expressions = selector.get("matchExpressions").and_then(Value::as_array);
    equal
        && expressions.is_none_or(|expressions| {
            expressions.iter().all(|expression| {
                let found = expression.get("key").and_then(Value::as_str).and_then(label);
                let listed = expression.get("values").and_then(Value::as_array);
                let listed = found.is_some_and(|found| listed.is_some_and(|values| values.contains(found)));
                match expression.get("operator").and_then(Value::as_str) {
                    Some("In") => listed,
                    Some("NotIn") => !listed,
                    Some("Exists") => found.is_some(),
                    Some("DoesNotExist") => found.is_none(),
                    _ => false,
                }
            })
        })
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;
    use serde_json::json;

    fn policy(namespace: Option<&str>, spec: Value) -> Value {
        let kind = if namespace.is_some() {
            "PropagationPolicy"
        } else {
            "ClusterPropagationPolicy"
        };
        json!({
            "apiVersion": "policy.karmada.io/v1alpha1",
            "kind": kind,
            "metadata": {"name": "theirs", "namespace": namespace},
            "spec": spec,
        })
    }

    fn found(policy: Value, live: Option<Value>) -> Option<String> {
        let object = ObjectRef::namespaced("apps/v1", "Deployment", "proj", "web");
        let ours = [ObjectRef::namespaced(
            "policy.karmada.io/v1alpha1",
            "PropagationPolicy",
            "proj",
            "web.smo",
        )];
        let manifest = json!({"metadata": {"labels": {"app": "web"}}});
        let candidate = Candidate {
            object: &object,
            manifest: &manifest,
            live: live.as_ref(),
        };
        foreign_policy(&[candidate], &ours, &[policy])
    }

    #[rstest]
    #[case::same_name(json!({"name": "web"}), 0, true)]
    #[case::other_name(json!({"name": "db"}), 9, false)]
    #[case::whole_kind(json!({}), 0, false)]
    #[case::whole_kind_with_priority(json!({}), 1, true)]
    #[case::low_priority(json!({"name": "web"}), -1, false)]
    #[case::labels(json!({"labelSelector": {"matchLabels": {"app": "web"}}}), 5, true)]
    #[case::other_labels(json!({"labelSelector": {"matchLabels": {"app": "db"}}}), 5, false)]
    #[case::expression(json!({"labelSelector": {"matchExpressions": [{"key": "app", "operator": "In", "values": ["web"]}]}}), 5, true)]
    #[case::absent_label(json!({"labelSelector": {"matchExpressions": [{"key": "app", "operator": "DoesNotExist"}]}}), 5, false)]
    fn a_policy_that_would_win_is_found(
        #[case] mut selector: Value,
        #[case] priority: i32,
        #[case] wins: bool,
    ) {
        selector["apiVersion"] = "apps/v1".into();
        selector["kind"] = "Deployment".into();
        let spec = json!({"resourceSelectors": [selector], "priority": priority});
        assert_eq!(found(policy(Some("proj"), spec.clone()), None).is_some(), wins);
        assert_eq!(found(policy(Some("elsewhere"), spec.clone()), None), None);
        let mut leaving = policy(Some("proj"), spec.clone());
        leaving["metadata"]["deletionTimestamp"] = "2026-11-24T22:00:00Z".into();
        assert_eq!(found(leaving, None), None);
        assert_eq!(
            found(policy(None, spec), None),
            None,
            "a policy for all namespaces goes after ours"
        );
    }

    #[test]
    fn a_claim_is_told() {
        let none = policy(Some("proj"), json!({"resourceSelectors": []}));
        let live = |annotations: Value| Some(json!({"metadata": {"annotations": annotations}}));
        let ours = json!({"propagationpolicy.karmada.io/name": "web.smo", "propagationpolicy.karmada.io/namespace": "proj"});
        assert_eq!(found(none.clone(), live(ours)), None);
        let theirs = json!({"propagationpolicy.karmada.io/name": "x", "propagationpolicy.karmada.io/namespace": "proj"});
        insta::assert_snapshot!(found(none.clone(), live(theirs)).unwrap(), @"Deployment proj/web is placed by PropagationPolicy proj/x, which is not ours");
        let theirs = json!({"clusterpropagationpolicy.karmada.io/name": "all"});
        insta::assert_snapshot!(found(none, live(theirs)).unwrap(), @"Deployment proj/web is placed by ClusterPropagationPolicy all, which is not ours");
    }
}
