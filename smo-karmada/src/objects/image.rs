//! The values of a service that is a plain container image.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use smo_core::helm_values::HelmValues;
use smo_core::id::{ClusterName, did_you_mean};

/// What can be said of a container image beside its reference, in the values of its service.
///
/// As with a chart, keys that are not known mean nothing; a key that looks like a misspelt one is refused.
///
/// ```yaml
/// ports: [{name: http, port: 8080}]
/// env: {LOG_LEVEL: info}
/// command: [/app/server]
/// args: [--verbose]
/// probes:
///   readiness: {http: {path: /healthz, port: http}}
///   liveness: {tcp: {port: 8080}, periodSeconds: 10}
///   startup: {exec: [cat, /ready]}
/// limits: {memory: 512Mi}
/// imagePullSecrets: [registry]
/// memberAutoscaling: true        # an autoscaler in the cluster owns the replica count
/// conflictResolution: Overwrite  # take over objects that the cluster already has
/// serviceImportClusters: [edge-1]
/// clusters: {edge-1: {env: {LOG_LEVEL: debug}}}
/// ```
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct ImageValues {
    /// Replicas in each cluster, where the values choose the clusters; a decision goes before it.
    pub replicas: Option<u32>,
    /// The ports it listens on; without any there is no Kubernetes Service.
    pub ports: Vec<Port>,
    /// Environment variables.
    pub env: BTreeMap<String, Scalar>,
    /// The entry point, where it is not the image's own.
    pub command: Vec<String>,
    /// Its arguments.
    pub args: Vec<String>,
    /// How it is asked whether it works.
    pub probes: Probes,
    /// What it may use at most, as Kubernetes quantities.
    pub limits: BTreeMap<String, Scalar>,
    /// Secrets of the namespace with credentials of the registry.
    pub image_pull_secrets: Vec<String>,
    /// An autoscaler in the member cluster owns the replica count there.
    pub member_autoscaling: bool,
    /// `Abort` or `Overwrite`: whether objects that a member already has are taken over.
    pub conflict_resolution: Option<String>,
    /// The clusters to run on, where nobody decides.
    pub clusters_affinity: Vec<ClusterName>,
    /// The clusters that import its Kubernetes Service.
    pub service_import_clusters: Vec<ClusterName>,
    /// What is different in one cluster.
    pub clusters: BTreeMap<ClusterName, ClusterValues>,
}

/// What is different in one cluster.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase", deny_unknown_fields)]
pub struct ClusterValues {
    /// Another image.
    pub image: Option<String>,
    /// Environment variables that are set, or set to something else.
    pub env: BTreeMap<String, Scalar>,
}

/// A text, a number or a boolean, as the text that it is written as.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Scalar {
    /// A text.
    Text(String),
    /// A whole number.
    Number(i64),
    /// Another number.
    Real(f64),
    /// A boolean.
    Boolean(bool),
}

impl std::fmt::Display for Scalar {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Text(text) => f.write_str(text),
            Self::Number(number) => number.fmt(f),
            Self::Real(number) => number.fmt(f),
            Self::Boolean(boolean) => boolean.fmt(f),
        }
    }
}

/// A port.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Port {
    /// Its name; `port-8080` when not given. Karmada takes no import with ports that have none.
    #[serde(default)]
    pub name: Option<String>,
    /// Its number.
    pub port: u16,
    /// `TCP` (when not given), `UDP` or `SCTP`.
    #[serde(default)]
    pub protocol: Option<String>,
}

impl Port {
    /// Its name.
    #[must_use]
    pub fn name(&self) -> String {
        self.name.clone().unwrap_or_else(|| format!("port-{}", self.port))
    }
}

/// How it is asked whether it works.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase", deny_unknown_fields)]
pub struct Probes {
    /// Whether it has started.
    pub startup: Option<Probe>,
    /// Whether it can take requests.
    pub readiness: Option<Probe>,
    /// Whether it has to be started again.
    pub liveness: Option<Probe>,
}

impl Probes {
    /// Those that are asked, by name.
    fn all(&self) -> impl Iterator<Item = (&'static str, &Probe)> {
        let all = [
            ("startup", &self.startup),
            ("readiness", &self.readiness),
            ("liveness", &self.liveness),
        ];
        all.into_iter()
            .filter_map(|(name, probe)| Some((name, probe.as_ref()?)))
    }
}

/// One question. Exactly one of the three is asked.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase", deny_unknown_fields)]
pub struct Probe {
    /// An HTTP GET that answers with success.
    pub http: Option<HttpProbe>,
    /// A connection that opens.
    pub tcp: Option<TcpProbe>,
    /// A command that ends with 0.
    pub exec: Option<Vec<String>>,
    /// How long after the start, in seconds.
    pub initial_delay_seconds: Option<u32>,
    /// How often, in seconds.
    pub period_seconds: Option<u32>,
}

/// An HTTP GET.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct HttpProbe {
    /// The path.
    pub path: String,
    /// The port, by number or name.
    pub port: PortRef,
}

/// A connection.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TcpProbe {
    /// The port, by number or name.
    pub port: PortRef,
}

/// A port by number or name.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum PortRef {
    /// Its number.
    Number(u16),
    /// Its name.
    Name(String),
}

const KEYS: [&str; 13] = [
    "replicas",
    "ports",
    "env",
    "command",
    "args",
    "probes",
    "limits",
    "imagePullSecrets",
    "memberAutoscaling",
    "conflictResolution",
    "clustersAffinity",
    "serviceImportClusters",
    "clusters",
];

impl ImageValues {
    /// Reads the values of a service.
    ///
    /// # Errors
    /// What is wrong with them.
    pub fn read(values: &HelmValues) -> Result<Self, String> {
        for key in values.keys().filter(|key| !KEYS.contains(&key.as_str())) {
            if let Some(meant) = did_you_mean(key, KEYS) {
                return Err(format!("values.{key} is not known; did you mean `{meant}`?"));
            }
        }
        let read: Self =
            serde_json::from_value(values.to_json()).map_err(|error| format!("values: {error}"))?;
        for (name, probe) in read.probes.all() {
            let asked = [probe.http.is_some(), probe.tcp.is_some(), probe.exec.is_some()];
            if asked.iter().filter(|asked| **asked).count() != 1 {
                return Err(format!(
                    "values.probes.{name} has to ask exactly one of http, tcp and exec"
                ));
            }
        }
        match read.conflict_resolution.as_deref() {
            None | Some("Abort" | "Overwrite") => Ok(read),
            Some(other) => Err(format!(
                "values.conflictResolution is `{other}`; write Abort or Overwrite"
            )),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    fn read(values: Value) -> Result<ImageValues, String> {
        ImageValues::read(&values.as_object().unwrap().clone().into())
    }

    #[test]
    fn values_that_cannot_be_say_why() {
        let mut shown = String::new();
        for values in [
            json!({"prots": [{"port": 80}]}),
            json!({"ports": [{"port": 80000}]}),
            json!({"ports": [{"prt": 80}]}),
            json!({"probes": {"readiness": {"periodSeconds": 1}}}),
            json!({"probes": {"ready": {"tcp": {"port": 1}}}}),
            json!({"conflictResolution": "overwrite"}),
            json!({"serviceImportClusters": ["Edge_1"]}),
            json!({"env": {"A": ["x"]}}),
        ] {
            shown.push_str(&format!("{}\n", read(values).unwrap_err()));
        }
        insta::assert_snapshot!(shown, @"
        values.prots is not known; did you mean `ports`?
        values: invalid value: integer `80000`, expected u16
        values: unknown field `prt`, expected one of `name`, `port`, `protocol`
        values.probes.readiness has to ask exactly one of http, tcp and exec
        values: unknown field `ready`, expected one of `startup`, `readiness`, `liveness`
        values.conflictResolution is `overwrite`; write Abort or Overwrite
        values: `Edge_1` is not a DNS label (lower-case letters, digits and `-`, 63 at most)
        values: data did not match any variant of untagged enum Scalar
        ");
    }

    #[test]
    fn keys_of_somebody_else_mean_nothing() {
        assert_eq!(
            read(json!({"conformance": "changed"})),
            Ok(ImageValues::default())
        );
    }
}
