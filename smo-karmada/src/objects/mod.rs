//! Every object that is written to Karmada, as pure functions from what was decided.

mod image;
mod policy;
mod workload;

use std::fmt;

use kube::core::{ApiResource, GroupVersionKind, TypeMeta};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use sha2::{Digest, Sha256};
use smo_core::id::{Project, ServiceKey};

pub use image::{ClusterValues, HttpProbe, ImageValues, Port, PortRef, Probe, Probes, Scalar, TcpProbe};
pub use policy::{
    ClusterAffinity, ClusterPropagationPolicy, OverridePolicy, OverridePolicySpec, OverrideRule, Overriders,
    Placement, PlaintextOverrider, PropagationPolicy, PropagationSpec, ReplicaScheduling, ResourceSelector,
    StaticWeight, WeightPreference, clusters_placement, exact_placement,
};
pub(crate) use workload::{IMAGE_SCHEME, manifest, propagation};
pub use workload::{Rendered, render_image};

use crate::error::KarmadaError;

/// An object by what it is and where.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ObjectRef {
    /// Such as `apps/v1`.
    pub api_version: String,
    /// Such as `Deployment`.
    pub kind: String,
    /// Its namespace; `None` where the kind has none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub namespace: Option<String>,
    /// Its name.
    pub name: String,
}

impl ObjectRef {
    /// An object in a namespace.
    #[must_use]
    pub fn namespaced(api_version: &str, kind: &str, namespace: &str, name: &str) -> Self {
        Self {
            api_version: api_version.to_owned(),
            kind: kind.to_owned(),
            namespace: Some(namespace.to_owned()),
            name: name.to_owned(),
        }
    }

    /// An object that stands in no namespace.
    #[must_use]
    pub fn cluster_scoped(api_version: &str, kind: &str, name: &str) -> Self {
        Self {
            namespace: None,
            ..Self::namespaced(api_version, kind, "", name)
        }
    }

    /// What a manifest is.
    ///
    /// # Errors
    /// When it has no `apiVersion`, `kind` or name.
    pub fn of(manifest: &Value) -> Result<Self, KarmadaError> {
        let text = |pointer: &str| {
            manifest
                .pointer(pointer)
                .and_then(Value::as_str)
                .filter(|text| !text.is_empty())
        };
        let parts = (text("/apiVersion"), text("/kind"), text("/metadata/name"));
        let (Some(api_version), Some(kind), Some(name)) = parts else {
            return Err(KarmadaError::Refused(
                "an object without apiVersion, kind or name".to_owned(),
            ));
        };
        Ok(Self {
            api_version: api_version.to_owned(),
            kind: kind.to_owned(),
            namespace: text("/metadata/namespace").map(str::to_owned),
            name: name.to_owned(),
        })
    }

    /// The path of all objects of its kind in its namespace.
    pub(crate) fn collection(&self) -> String {
        let types = TypeMeta {
            api_version: self.api_version.clone(),
            kind: self.kind.clone(),
        };
        let kind =
            GroupVersionKind::try_from(types).unwrap_or_else(|_| GroupVersionKind::gvk("", "", &self.kind));
        let plural = ApiResource::from_gvk(&kind).plural;
        let root = if kind.group.is_empty() {
            format!("/api/{}", kind.version)
        } else {
            format!("/apis/{}/{}", kind.group, kind.version)
        };
        match &self.namespace {
            Some(namespace) => format!("{root}/namespaces/{namespace}/{plural}"),
            None => format!("{root}/{plural}"),
        }
    }

    /// The name of the binding that Karmada makes for it.
    #[must_use]
    pub fn binding_name(&self) -> String {
        format!("{}-{}", self.name.replace(':', "."), self.kind.to_lowercase())
    }

    /// True for the policies of Karmada, which are never propagated themselves.
    #[must_use]
    pub fn is_policy(&self) -> bool {
        self.api_version.starts_with("policy.karmada.io/")
    }
}

impl fmt::Display for ObjectRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.namespace {
            Some(namespace) => write!(f, "{} {namespace}/{}", self.kind, self.name),
            None => write!(f, "{} {}", self.kind, self.name),
        }
    }
}

/// The labels that say whose an object is, in [Kubernetes' own words].
///
/// [Kubernetes' own words]: https://kubernetes.io/docs/concepts/overview/working-with-objects/common-labels/
pub(crate) const MANAGED_BY: &str = "app.kubernetes.io/managed-by";
pub(crate) const PART_OF: &str = "app.kubernetes.io/part-of";
pub(crate) const INSTANCE: &str = "app.kubernetes.io/instance";

/// Whose objects are: the manager that writes them, for a service of a graph.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Owner {
    /// The name that this library writes under.
    pub manager: String,
    /// The service.
    pub service: ServiceKey,
}

impl Owner {
    /// The namespace of everything of this service.
    #[must_use]
    pub fn namespace(&self) -> &str {
        self.service.graph.project.as_str()
    }

    /// The labels of everything of this service.
    #[must_use]
    pub fn labels(&self) -> Map<String, Value> {
        let labels = [
            (MANAGED_BY, self.manager.as_str()),
            (PART_OF, self.service.graph.graph.as_str()),
            (INSTANCE, self.service.service.as_str()),
        ];
        labels
            .into_iter()
            .map(|(key, value)| (key.to_owned(), value.into()))
            .collect()
    }

    /// True when the labels of `object` say that it is of this service.
    #[must_use]
    pub fn owns(&self, object: &Value) -> bool {
        let labels = object.pointer("/metadata/labels");
        self.labels()
            .iter()
            .all(|(key, value)| labels.and_then(|labels| labels.get(key)) == Some(value))
    }

    /// The metadata of an object of this service.
    pub(crate) fn metadata(&self, name: &str) -> Value {
        json!({"name": name, "namespace": self.namespace(), "labels": self.labels()})
    }

    /// The name of one of our policies: at most 63 characters, since Karmada takes it as a label's value.
    #[must_use]
    pub fn policy_name(&self, role: &str) -> String {
        let service = self.service.service.as_str();
        let dash = if role.is_empty() { "" } else { "-" };
        shortened(&format!("{service}{dash}{role}.{}", self.manager))
    }
}

/// `name` within 63 characters, two different names staying different.
fn shortened(name: &str) -> String {
    if name.len() <= 63 {
        return name.to_owned();
    }
    let digest = Sha256::digest(name.as_bytes());
    let mark: String = digest.iter().take(5).map(|byte| format!("{byte:02x}")).collect();
    let head: String = name.chars().take(52).collect();
    format!("{}-{mark}", head.trim_end_matches(['-', '.']))
}

/// The namespace of a project.
#[must_use]
pub fn namespace(project: &Project, manager: &str) -> Value {
    json!({
        "apiVersion": "v1",
        "kind": "Namespace",
        "metadata": {"name": project.as_str(), "labels": {MANAGED_BY: manager}},
    })
}

/// True for namespaces whose objects Karmada keeps to itself.
#[must_use]
pub fn is_reserved(project: &Project) -> bool {
    let name = project.as_str();
    ["kube-", "karmada-es-"]
        .iter()
        .any(|prefix| name.starts_with(prefix))
        || ["karmada-system", "karmada-cluster"].contains(&name)
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    #[rstest]
    #[case(
        "apps/v1",
        "Deployment",
        "/apis/apps/v1/namespaces/p/deployments",
        "x-deployment"
    )]
    #[case("v1", "Service", "/api/v1/namespaces/p/services", "x-service")]
    #[case(
        "networking.k8s.io/v1",
        "Ingress",
        "/apis/networking.k8s.io/v1/namespaces/p/ingresses",
        "x-ingress"
    )]
    #[case(
        "policy.karmada.io/v1alpha1",
        "PropagationPolicy",
        "/apis/policy.karmada.io/v1alpha1/namespaces/p/propagationpolicies",
        "x-propagationpolicy"
    )]
    fn paths_and_bindings(
        #[case] version: &str,
        #[case] kind: &str,
        #[case] path: &str,
        #[case] binding: &str,
    ) {
        let object = ObjectRef::namespaced(version, kind, "p", "x");
        assert_eq!(object.collection(), path);
        assert_eq!(object.binding_name(), binding);
    }

    #[test]
    fn long_names_stay_apart_and_short_enough() {
        let owner = |service: String| Owner {
            manager: "smo".to_owned(),
            service: format!("p/g/{service}").parse().unwrap(),
        };
        assert_eq!(owner("web".to_owned()).policy_name("import"), "web-import.smo");
        let long = owner("x".repeat(63));
        let names = [long.policy_name(""), long.policy_name("import")];
        assert_ne!(names[0], names[1]);
        assert!(names.iter().all(|name| name.len() <= 63), "{names:?}");
    }

    #[test]
    fn karmada_keeps_some_namespaces_to_itself() {
        let reserved = |name: &str| is_reserved(&name.parse().unwrap());
        assert!(reserved("kube-system") && reserved("karmada-es-m1") && reserved("karmada-cluster"));
        assert!(!reserved("default") && !reserved("karmada-demo"));
    }
}
