//! Autoscalers that set the count of our workloads: two owners of one count would undo one another.

use serde_json::Value;

use crate::client::Client;
use crate::error::KarmadaError;
use crate::record::Record;

/// Every kind that Karmada's API server may have: Kubernetes' own, which goes to members, and Karmada's over all of them.
const KINDS: [(&str, &str); 3] = [
    ("autoscaling/v2", "horizontalpodautoscalers"),
    ("autoscaling.karmada.io/v1alpha1", "federatedhpas"),
    ("autoscaling.karmada.io/v1alpha1", "cronfederatedhpas"),
];

/// All autoscalers of a namespace, or of all of them. A kind that the server does not know has none.
pub(crate) async fn autoscalers(
    client: &Client,
    namespace: Option<&str>,
) -> Result<Vec<Value>, KarmadaError> {
    let mut all = Vec::new();
    for (version, kind) in KINDS {
        let path = match namespace {
            Some(namespace) => format!("/apis/{version}/namespaces/{namespace}/{kind}"),
            None => format!("/apis/{version}/{kind}"),
        };
        match client.list(&path, "").await {
            Ok(found) => all.extend(found),
            Err(KarmadaError::NotFound(_) | KarmadaError::NoSuchKind(_)) => {}
            Err(error) => return Err(error),
        }
    }
    Ok(all)
}

/// Those that name the workload of a release as their target, as `Kind/name`, in order.
pub(crate) fn owners(record: &Record, autoscalers: &[Value]) -> Vec<String> {
    let Some(workload) = &record.workload else {
        return Vec::new();
    };
    let text =
        |object: &Value, pointer: &str| object.pointer(pointer).and_then(Value::as_str).map(str::to_owned);
    let targets = |object: &&Value| {
        let target = |key: &str| text(object, &format!("/spec/scaleTargetRef/{key}"));
        text(object, "/metadata/namespace") == workload.namespace
            && target("kind").as_ref() == Some(&workload.kind)
            && target("name").as_ref() == Some(&workload.name)
    };
    let name = |object: &Value| {
        Some(format!(
            "{}/{}",
            text(object, "/kind")?,
            text(object, "/metadata/name")?
        ))
    };
    let mut owners: Vec<String> = autoscalers.iter().filter(targets).filter_map(name).collect();
    owners.sort();
    owners
}
