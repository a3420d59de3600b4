//! What goes wrong between here and Karmada, by meaning, with what to do about it.

use std::borrow::Cow;

use kube::core::Status;
use smo_core::backend::{BackendError, ErrorKind, Retry};
use thiserror::Error;

use crate::objects::ObjectRef;
use crate::refusal::{Denied, ManagedField};

/// A failure of Karmada, or on the way to it.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum KarmadaError {
    /// There is no usable kubeconfig.
    #[error("no usable kubeconfig: {0}")]
    Kubeconfig(String),
    /// The configuration makes no sense.
    #[error("{0}")]
    Configuration(String),
    /// The API server does not know the caller: an expired token, a certificate of another authority.
    #[error("Karmada does not accept the credentials")]
    Credentials,
    /// The caller lacks a verb on a resource.
    #[error("{0}")]
    Denied(Denied),
    /// The API server knows the caller and does not let them, for another reason.
    #[error("{0}")]
    Forbidden(String),
    /// The API server's certificate is not signed by the authority of the kubeconfig.
    #[error("the certificate of Karmada's API server is not trusted: {0}")]
    Certificate(String),
    /// Nothing answers.
    #[error("Karmada's API server does not answer: {0}")]
    Unreachable(String),
    /// The API server answers, and its part for clusters does not.
    #[error("Karmada is degraded: its aggregated API server does not answer, so that no cluster can be seen")]
    AggregatedApiDown,
    /// The API server is overloaded, or starting.
    #[error("Karmada's API server is busy: {0}")]
    Busy(String),
    /// The API server has no such kind of object.
    #[error("the API server does not know {0}")]
    NoSuchKind(String),
    /// There is no such object.
    #[error("{0}")]
    NotFound(String),
    /// Somebody else has changed the object, or owns it.
    #[error("{0}")]
    Conflict(String),
    /// Others have set fields of the object, and are not to be overruled ([`Drift::Report`](crate::Drift::Report)).
    #[error("others have set fields of {object}: {}", list(fields))]
    FieldConflict {
        /// The object, such as `PropagationPolicy proj/web.smo`.
        object: String,
        /// Each field with who set it.
        fields: Vec<ManagedField>,
    },
    /// The object does not match its schema, or an admission webhook refuses it.
    #[error("Karmada refuses the object: {0}")]
    Refused(String),
    /// An answer that makes no sense.
    #[error("Karmada's answer makes no sense: {0}")]
    Nonsense(String),
}

impl KarmadaError {
    /// What kind of failure it is to a caller of a port.
    #[must_use]
    pub fn kind(&self) -> ErrorKind {
        match self {
            Self::Kubeconfig(_) | Self::Configuration(_) | Self::Refused(_) => ErrorKind::Invalid,
            Self::Credentials | Self::Denied(_) | Self::Forbidden(_) | Self::Certificate(_) => {
                ErrorKind::Unauthenticated
            }
            Self::Unreachable(_) | Self::AggregatedApiDown | Self::Busy(_) => ErrorKind::Unavailable,
            Self::NoSuchKind(_) => ErrorKind::Unsupported,
            Self::NotFound(_) => ErrorKind::NotFound,
            Self::Conflict(_) | Self::FieldConflict { .. } => ErrorKind::Conflict,
            Self::Nonsense(_) => ErrorKind::Unexpected,
        }
    }

    /// What to do about it.
    #[must_use]
    pub fn hint(&self) -> Cow<'static, str> {
        let hint = match self {
            Self::Denied(denied) => {
                return format!(
                    "allow it: `{}`, bound to them; `permissions` is a role with all that is needed",
                    denied.grant()
                )
                .into();
            }
            Self::Kubeconfig(_) => {
                "name Karmada's kubeconfig in SMO_KARMADA_KUBECONFIG or KUBECONFIG, and check its current-context"
            }
            Self::Configuration(_) => "change it",
            Self::Credentials => {
                "renew the token or client certificate in the kubeconfig; `kubectl auth whoami` tells whether it works"
            }
            Self::Forbidden(_) => "ask the administrator of Karmada's API server what forbids it",
            Self::Certificate(_) => {
                "put the authority that signed it into certificate-authority-data of the kubeconfig"
            }
            Self::Unreachable(_) => {
                "check the server address in the kubeconfig, and that karmada-apiserver runs"
            }
            Self::AggregatedApiDown => {
                "check karmada-aggregated-apiserver and the APIService v1alpha1.cluster.karmada.io"
            }
            Self::Busy(_) => "try again",
            Self::NoSuchKind(_) => {
                "install Karmada's CRDs, and check that the kubeconfig is that of Karmada and not of a member"
            }
            Self::NotFound(_) => "check the name and the namespace",
            Self::Conflict(_) => "observe again, then decide who is to own it",
            Self::FieldConflict { .. } => {
                "ask them to leave these fields alone, or connect with `Drift::Repair` to take them back"
            }
            Self::Refused(_) => "change what the message names",
            Self::Nonsense(_) => "check that the address is that of a Kubernetes API server",
        };
        hint.into()
    }

    /// The same as a failure of `operation` behind a port, with the hint in its message.
    #[must_use]
    pub fn during(self, operation: impl AsRef<str>) -> BackendError {
        let message = format!("{self} ({})", self.hint());
        let retry = match &self {
            Self::Unreachable(_) | Self::AggregatedApiDown | Self::Busy(_) => Retry::Later,
            _ => Retry::Never,
        };
        BackendError::new(self.kind(), operation, message)
            .with_retry(retry)
            .with_source(self)
    }

    /// What an answer other than success to a request for `path` means.
    fn from_status(path: &str, status: &Status) -> Self {
        let said = status.message.clone();
        let cluster_api = path.starts_with("/apis/cluster.karmada.io/");
        match status.code {
            401 => Self::Credentials,
            // Admission webhooks answer 403, too.
            403 if said.contains("denied the request") => Self::Refused(said),
            // A namespace that is on its way out takes nothing in until it is gone.
            403 if said.contains("being terminated") => Self::Busy(said),
            403 => match Denied::read(&said) {
                // The kubeconfig shows nothing that the server knows, and the server lets nobody in by name.
                Some(denied) if denied.user == "system:anonymous" => Self::Credentials,
                Some(denied) => Self::Denied(denied),
                None => Self::Forbidden(said),
            },
            // A path that no API serves is answered in plain text, or with a status without details.
            404 if status
                .details
                .as_ref()
                .is_none_or(|details| details.name.is_empty()) =>
            {
                Self::NoSuchKind(kind_of(path))
            }
            404 => Self::NotFound(said),
            409 => match ManagedField::read_all(status) {
                fields if fields.is_empty() => Self::Conflict(said),
                fields => Self::FieldConflict {
                    object: kind_of(path),
                    fields,
                },
            },
            400 | 422 => Self::Refused(said),
            // An unknown field under server-side apply is a 500, and so is a value of another shape.
            500 if ["typed patch object", "convert unstructured object"]
                .iter()
                .any(|words| said.contains(words)) =>
            {
                Self::Refused(said)
            }
            503 if cluster_api => Self::AggregatedApiDown,
            // 410: a list that was read in parts is too old to go on.
            410 | 429 | 500..=504 => Self::Busy(said),
            code => Self::Nonsense(format!("HTTP {code} {said}")),
        }
    }

    /// The same, with the object that was to be written where the API server does not say it.
    pub(crate) fn about(self, written: &ObjectRef) -> Self {
        match self {
            Self::FieldConflict { fields, .. } => Self::FieldConflict {
                object: written.to_string(),
                fields,
            },
            other => other,
        }
    }

    /// The same, with the address that does not answer.
    pub(crate) fn at(self, address: Option<&str>) -> Self {
        match (self, address) {
            (Self::Unreachable(why), Some(address)) => Self::Unreachable(format!("{address}: {why}")),
            (other, _) => other,
        }
    }

    /// What a failed request for `path` means.
    pub(crate) fn from_kube(path: &str, error: kube::Error) -> Self {
        match error {
            kube::Error::Api(status) => Self::from_status(path, &status),
            kube::Error::Auth(error) => Self::Kubeconfig(error.to_string()),
            kube::Error::InferKubeconfig(error) => Self::Kubeconfig(error.to_string()),
            kube::Error::InferConfig(error) => Self::Kubeconfig(error.to_string()),
            kube::Error::SerdeError(error) => Self::Nonsense(error.to_string()),
            other => {
                let said = chain(&other);
                let untrusted = ["certificate", "UnknownIssuer", "not valid for name"];
                if untrusted.iter().any(|word| said.contains(word)) {
                    Self::Certificate(said)
                } else {
                    Self::Unreachable(said)
                }
            }
        }
    }
}

/// A failure of Karmada, or one that the chart installer has told already.
#[derive(Debug)]
pub(crate) enum Failure {
    Karmada(KarmadaError),
    Charts(BackendError),
}

impl Failure {
    /// The same as a failure of `operation` behind a port.
    pub(crate) fn during(self, operation: impl AsRef<str>) -> BackendError {
        match self {
            Self::Karmada(error) => error.during(operation),
            Self::Charts(error) => {
                let message = format!("{}: {}", error.operation(), error.message());
                BackendError::new(error.kind(), operation, message)
                    .with_retry(error.retry())
                    .with_source(error)
            }
        }
    }
}

impl From<KarmadaError> for Failure {
    fn from(error: KarmadaError) -> Self {
        Self::Karmada(error)
    }
}

impl From<BackendError> for Failure {
    fn from(error: BackendError) -> Self {
        Self::Charts(error)
    }
}

fn list(fields: &[ManagedField]) -> String {
    let fields: Vec<String> = fields.iter().map(ToString::to_string).collect();
    fields.join(", ")
}

/// The last cause, which names the address or the certificate; the words before it only say that something failed.
fn chain(error: &kube::Error) -> String {
    let mut last: &dyn std::error::Error = error;
    while let Some(source) = last.source() {
        last = source;
    }
    last.to_string()
}

/// The resource that a path names: `clusters.cluster.karmada.io`.
fn kind_of(path: &str) -> String {
    let mut parts = path
        .trim_start_matches('/')
        .split('?')
        .next()
        .unwrap_or_default()
        .split('/');
    let group = match parts.next() {
        Some("apis") => parts.next().unwrap_or_default(),
        _ => "",
    };
    parts.next();
    let mut rest = parts.peekable();
    let mut resource = rest.next().unwrap_or_default();
    if resource == "namespaces" && rest.clone().nth(1).is_some() {
        resource = rest.nth(1).unwrap_or_default();
    }
    if group.is_empty() {
        resource.to_owned()
    } else {
        format!("{resource}.{group}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn classified(path: &str, status: serde_json::Value) -> BackendError {
        let status: Status = serde_json::from_value(status).unwrap();
        KarmadaError::from_kube(path, kube::Error::Api(status.boxed())).during("apply p/g/web")
    }

    #[test]
    fn answers_are_told_apart_and_say_what_to_do() {
        let clusters = "/apis/cluster.karmada.io/v1alpha1/clusters";
        let policies = "/apis/policy.karmada.io/v1alpha1/namespaces/proj/propagationpolicies";
        let cases = [
            (
                clusters,
                json!({"code": 401, "message": "Unauthorized", "reason": "Unauthorized"}),
            ),
            (
                clusters,
                json!({"code": 403, "reason": "Forbidden", "message": "clusters.cluster.karmada.io is forbidden: User \"bob\" \
                    cannot list resource \"clusters\" in API group \"cluster.karmada.io\" at the cluster scope"}),
            ),
            (clusters, json!({"code": 404, "message": "404 page not found"})),
            (
                clusters,
                json!({"code": 503, "message": "error trying to reach service: dial tcp 127.0.0.1:6444: connect: connection refused"}),
            ),
            (
                policies,
                json!({"code": 404, "reason": "NotFound", "message": "the server could not find the requested resource", "details": {}}),
            ),
            (
                policies,
                json!({"code": 404, "reason": "NotFound", "message": "namespaces \"proj\" not found", "details": {"name": "proj", "kind": "namespaces"}}),
            ),
            (
                policies,
                json!({"code": 403, "reason": "Forbidden", "message": "secrets \"x\" is forbidden: exceeded quota: q"}),
            ),
            (
                policies,
                json!({"code": 409, "reason": "Conflict", "message": "Apply failed with 1 conflict", "details": {
                    "name": "web.smo", "causes": [{"reason": "FieldManagerConflict", "field": ".spec.priority",
                    "message": "conflict with \"kubectl-edit\" using policy.karmada.io/v1alpha1"}]}}),
            ),
            (
                policies,
                json!({"code": 409, "reason": "Conflict", "message": "Apply failed with 1 conflict: conflict with \"smo\": .spec.replicas"}),
            ),
            (
                policies,
                json!({"code": 500, "message": "failed to create typed patch object (/x; policy.karmada.io/v1alpha1, \
                    Kind=PropagationPolicy): .spec.placment: field not declared in schema"}),
            ),
            (
                policies,
                json!({"code": 403, "reason": "Forbidden", "message": "admission webhook \"propagationpolicy.karmada.io\" denied the request: \
                    spec.placement: clusterAffinities cannot co-exist with clusterAffinity"}),
            ),
            (
                policies,
                json!({"code": 403, "reason": "Forbidden", "message": "secrets \"smo.web\" is forbidden: unable to create \
                    new content in namespace p because it is being terminated"}),
            ),
            (
                policies,
                json!({"code": 422, "reason": "Invalid", "message": "weight should be greater than or equal to 1"}),
            ),
            (
                policies,
                json!({"code": 500, "message": "failed to convert new object (p/web; apps/v1, Kind=Deployment) to proper version: \
                    unable to convert unstructured object to apps/v1, Kind=Deployment: quantities must match the regular expression"}),
            ),
            (policies, json!({"code": 429, "message": "too many requests"})),
            (
                policies,
                json!({"code": 500, "message": "etcdserver: leader changed"}),
            ),
        ];
        let mut shown = String::new();
        for (path, status) in cases {
            let error = classified(path, status);
            shown.push_str(&format!("[{}] {error}\n", error.kind()));
        }
        insta::assert_snapshot!(shown, @r#"
        [not authenticated] apply p/g/web: Karmada does not accept the credentials (renew the token or client certificate in the kubeconfig; `kubectl auth whoami` tells whether it works)
        [not authenticated] apply p/g/web: bob may not list clusters.cluster.karmada.io in the whole cluster (allow it: `kubectl create clusterrole NAME --verb=list --resource=clusters.cluster.karmada.io`, bound to them; `permissions` is a role with all that is needed)
        [unsupported] apply p/g/web: the API server does not know clusters.cluster.karmada.io (install Karmada's CRDs, and check that the kubeconfig is that of Karmada and not of a member)
        [unavailable] apply p/g/web: Karmada is degraded: its aggregated API server does not answer, so that no cluster can be seen (check karmada-aggregated-apiserver and the APIService v1alpha1.cluster.karmada.io)
        [unsupported] apply p/g/web: the API server does not know propagationpolicies.policy.karmada.io (install Karmada's CRDs, and check that the kubeconfig is that of Karmada and not of a member)
        [not found] apply p/g/web: namespaces "proj" not found (check the name and the namespace)
        [not authenticated] apply p/g/web: secrets "x" is forbidden: exceeded quota: q (ask the administrator of Karmada's API server what forbids it)
        [conflict] apply p/g/web: others have set fields of propagationpolicies.policy.karmada.io: .spec.priority by kubectl-edit (ask them to leave these fields alone, or connect with `Drift::Repair` to take them back)
        [conflict] apply p/g/web: Apply failed with 1 conflict: conflict with "smo": .spec.replicas (observe again, then decide who is to own it)
        [invalid] apply p/g/web: Karmada refuses the object: failed to create typed patch object (/x; policy.karmada.io/v1alpha1, Kind=PropagationPolicy): .spec.placment: field not declared in schema (change what the message names)
        [invalid] apply p/g/web: Karmada refuses the object: admission webhook "propagationpolicy.karmada.io" denied the request: spec.placement: clusterAffinities cannot co-exist with clusterAffinity (change what the message names)
        [unavailable] apply p/g/web: Karmada's API server is busy: secrets "smo.web" is forbidden: unable to create new content in namespace p because it is being terminated (try again)
        [invalid] apply p/g/web: Karmada refuses the object: weight should be greater than or equal to 1 (change what the message names)
        [invalid] apply p/g/web: Karmada refuses the object: failed to convert new object (p/web; apps/v1, Kind=Deployment) to proper version: unable to convert unstructured object to apps/v1, Kind=Deployment: quantities must match the regular expression (change what the message names)
        [unavailable] apply p/g/web: Karmada's API server is busy: too many requests (try again)
        [unavailable] apply p/g/web: Karmada's API server is busy: etcdserver: leader changed (try again)
        "#);
    }

    #[test]
    fn paths_name_resources() {
        assert_eq!(
            kind_of("/api/v1/namespaces/p/secrets/x?fieldManager=smo"),
            "secrets"
        );
        assert_eq!(kind_of("/api/v1/namespaces/p"), "namespaces");
        assert_eq!(
            kind_of("/apis/work.karmada.io/v1alpha2/resourcebindings"),
            "resourcebindings.work.karmada.io"
        );
    }
}
