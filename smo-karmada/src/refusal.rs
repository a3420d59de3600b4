//! Refusals of an API server, read into their parts: who may not do what, and which fields somebody else manages.

use std::fmt;

use kube::core::Status;

/// A verb on a resource that a user lacks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Denied {
    /// The user, as the API server knows them.
    pub user: String,
    /// Such as `create`.
    pub verb: String,
    /// Such as `propagationpolicies.policy.karmada.io`, with the subresource where there is one (`clusters/proxy`).
    pub resource: String,
    /// Where; `None` for the whole cluster.
    pub namespace: Option<String>,
}

impl Denied {
    /// Reads Kubernetes' wording: `<...> is forbidden: User "u" cannot verb resource "r" in API group "g" in the namespace
    /// "n"`, or `at the cluster scope`.
    pub(crate) fn read(message: &str) -> Option<Self> {
        let (_, rest) = message.split_once(" is forbidden: User \"")?;
        let (user, rest) = rest.split_once("\" cannot ")?;
        let (verb, rest) = rest.split_once(" resource \"")?;
        let (resource, rest) = rest.split_once("\" in API group \"")?;
        let (group, rest) = rest.split_once('"')?;
        let namespace = rest
            .strip_prefix(" in the namespace \"")
            .and_then(|rest| rest.split_once('"'));
        let (plural, subresource) = match resource.split_once('/') {
            Some((plural, subresource)) => (plural, format!("/{subresource}")),
            None => (resource, String::new()),
        };
        let resource = if group.is_empty() {
            format!("{plural}{subresource}")
        } else {
            format!("{plural}.{group}{subresource}")
        };
        Some(Self {
            user: user.to_owned(),
            verb: verb.to_owned(),
            resource,
            namespace: namespace.map(|(namespace, _)| namespace.to_owned()),
        })
    }

    /// The command that makes a role which allows it.
    pub(crate) fn grant(&self) -> String {
        let kind = if self.namespace.is_some() {
            "role"
        } else {
            "clusterrole"
        };
        let place = self
            .namespace
            .as_ref()
            .map(|namespace| format!(" -n {namespace}"));
        format!(
            "kubectl create {kind} NAME --verb={} --resource={}{}",
            self.verb,
            self.resource,
            place.unwrap_or_default()
        )
    }
}

impl fmt::Display for Denied {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            user, verb, resource, ..
        } = self;
        write!(f, "{user} may not {verb} {resource}")?;
        match &self.namespace {
            Some(namespace) => write!(f, " in namespace {namespace}"),
            None => f.write_str(" in the whole cluster"),
        }
    }
}

/// A field that another field manager set last.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct ManagedField {
    /// Where in the object, such as `.spec.replicas`.
    pub field: String,
    /// Who: the name that a program or person applies under, such as `kubectl-edit`.
    pub manager: String,
}

impl ManagedField {
    /// All of them in a refusal of server-side apply, whose causes name one each: `conflict with "m" using apps/v1`.
    pub(crate) fn read_all(status: &Status) -> Vec<Self> {
        let causes = status.details.iter().flat_map(|details| &details.causes);
        let mut all: Vec<Self> = causes
            .filter(|cause| cause.reason == "FieldManagerConflict")
            .map(|cause| {
                let named = cause.message.split('"').nth(1);
                Self {
                    field: cause.field.clone(),
                    manager: named.unwrap_or(cause.message.as_str()).to_owned(),
                }
            })
            .collect();
        all.sort();
        all
    }
}

impl fmt::Display for ManagedField {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} by {}", self.field, self.manager)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;
    use serde_json::json;

    #[rstest]
    #[case::cluster_scope(
        "clusters.cluster.karmada.io is forbidden: User \"bob\" cannot list resource \"clusters\" in API group \
         \"cluster.karmada.io\" at the cluster scope",
        "bob may not list clusters.cluster.karmada.io in the whole cluster: kubectl create clusterrole NAME --verb=list \
         --resource=clusters.cluster.karmada.io"
    )]
    #[case::namespace(
        "secrets \"smo.web\" is forbidden: User \"system:serviceaccount:smo:smo\" cannot patch resource \"secrets\" in API \
         group \"\" in the namespace \"proj\": RBAC: role.rbac.authorization.k8s.io \"x\" not found",
        "system:serviceaccount:smo:smo may not patch secrets in namespace proj: kubectl create role NAME --verb=patch \
         --resource=secrets -n proj"
    )]
    #[case::subresource(
        "clusters.cluster.karmada.io \"m1\" is forbidden: User \"bob\" cannot get resource \"clusters/proxy\" in API group \
         \"cluster.karmada.io\" at the cluster scope",
        "bob may not get clusters.cluster.karmada.io/proxy in the whole cluster: kubectl create clusterrole NAME --verb=get \
         --resource=clusters.cluster.karmada.io/proxy"
    )]
    fn what_is_denied(#[case] message: &str, #[case] wanted: &str) {
        let denied = Denied::read(message).unwrap();
        assert_eq!(format!("{denied}: {}", denied.grant()), wanted);
    }

    #[test]
    fn other_refusals_are_no_lack_of_a_verb() {
        for message in [
            "",
            "pods \"x\" is forbidden: exceeded quota: q",
            "namespaces \"kube-system\" is forbidden: this namespace may not be deleted",
            "x is forbidden: User \"bob\" cannot get path \"/metrics\"",
        ] {
            assert_eq!(Denied::read(message), None, "{message}");
        }
    }

    #[test]
    fn every_field_and_its_manager() {
        let cause = |manager: &str, field: &str| json!({"reason": "FieldManagerConflict", "message": format!("conflict with \"{manager}\" using apps/v1"), "field": field});
        let causes = [
            cause("kubectl-edit", ".spec.replicas"),
            cause("helm", ".spec.paused"),
            json!({"reason": "FieldValueInvalid", "message": "x", "field": ".y"}),
        ];
        let status: Status =
            serde_json::from_value(json!({"code": 409, "details": {"causes": causes}})).unwrap();
        let shown: Vec<String> = ManagedField::read_all(&status)
            .iter()
            .map(ToString::to_string)
            .collect();
        assert_eq!(shown, [".spec.paused by helm", ".spec.replicas by kubectl-edit"]);
    }
}
