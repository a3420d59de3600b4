//! Member clusters: a real API server, real controllers and scheduler, simulated nodes and pods.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::error::TestbedError;
use crate::pki::Pki;
use crate::rig::Rig;

/// What a member is to look like.
///
/// ```
/// let member = smo_testbed::Member::new("edge").with_nodes(2).with_gpus(1);
/// assert_eq!((member.nodes, member.gpus), (2, 1));
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Member {
    /// Its name in Karmada: a DNS label. Its region is `eu-<name>`.
    pub name: String,
    /// How many nodes, each of 8 CPUs, 32 GiB and 110 pods.
    pub nodes: u32,
    /// GPUs of each node, as `nvidia.com/gpu`.
    pub gpus: u32,
}

impl Member {
    /// Three nodes without GPUs.
    pub fn new(name: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            nodes: 3,
            gpus: 0,
        }
    }

    /// With another number of nodes.
    #[must_use]
    pub fn with_nodes(mut self, nodes: u32) -> Self {
        self.nodes = nodes;
        self
    }

    /// With GPUs on each node.
    #[must_use]
    pub fn with_gpus(mut self, gpus: u32) -> Self {
        self.gpus = gpus;
        self
    }

    /// Its nodes, as a `List`.
    pub(crate) fn node_objects(&self) -> Value {
        let name = &self.name;
        let mut amounts = json!({"cpu": "8", "memory": "32Gi", "pods": "110", "ephemeral-storage": "100Gi"});
        if self.gpus > 0 {
            amounts["nvidia.com/gpu"] = json!(self.gpus.to_string());
        }
        let nodes: Vec<Value> = (1..=self.nodes)
            .map(|number| {
                json!({
                    "apiVersion": "v1",
                    "kind": "Node",
                    "metadata": {"name": format!("{name}-n{number}"), "labels": {
                        "kubernetes.io/hostname": format!("{name}-n{number}"),
                        "topology.kubernetes.io/region": format!("eu-{name}"),
                        "topology.kubernetes.io/zone": format!("eu-{name}-a"),
                    }},
                    "status": {"allocatable": amounts, "capacity": amounts},
                })
            })
            .collect();
        json!({"apiVersion": "v1", "kind": "List", "items": nodes})
    }

    /// What makes it a member of Karmada: a token and an authority to reach it with, and its `Cluster`.
    pub(crate) fn registration(&self, port: u16, pki: &Pki) -> Value {
        let name = &self.name;
        let secret = |name: &str, data: Value| {
            json!({
                "apiVersion": "v1",
                "kind": "Secret",
                "metadata": {"name": name, "namespace": "karmada-cluster"},
                "stringData": data,
            })
        };
        let reference = |name: String| json!({"namespace": "karmada-cluster", "name": name});
        let cluster = json!({
            "apiVersion": "cluster.karmada.io/v1alpha1",
            "kind": "Cluster",
            "metadata": {"name": name, "labels": {"tier": "edge"}},
            "spec": {
                "apiEndpoint": format!("https://127.0.0.1:{port}"),
                "syncMode": "Push",
                "id": format!("{name}-{port}"),
                "region": format!("eu-{name}"),
                "zones": [format!("eu-{name}-a")],
                "provider": "kwok",
                "secretRef": reference(name.clone()),
                "impersonatorSecretRef": reference(format!("{name}-impersonator")),
            },
        });
        json!({"apiVersion": "v1", "kind": "List", "items": [
            secret(name, json!({"token": pki.admin_token(), "caBundle": pki.ca()})),
            secret(&format!("{name}-impersonator"), json!({"token": pki.admin_token()})),
            cluster,
        ]})
    }

    /// Names of its servers, the API server first.
    pub(crate) fn server_names(&self) -> [String; 4] {
        ["apiserver", "controllers", "scheduler", "kwok"].map(|server| format!("{}-{server}", self.name))
    }

    /// Starts what works for its API server, which is ready.
    pub(crate) fn serve_workers(&self, rig: &mut Rig) -> Result<(), TestbedError> {
        let name = &self.name;
        rig.serve_controllers(name, "*")?;
        let (scheduler, kwok) = (rig.ports.take()?, rig.ports.take()?);
        let mut arguments = rig.client_flags(name);
        arguments.extend([
            "--bind-address=127.0.0.1".to_owned(),
            format!("--secure-port={scheduler}"),
            "--leader-elect=false".to_owned(),
        ]);
        let program = rig.servers.program("kube-scheduler");
        rig.serve(&format!("{name}-scheduler"), &program, arguments, &[scheduler])?;

        // A file each: one that is written again while another kwok reads it is empty for a moment.
        let stages = rig
            .folder
            .write(&format!("{name}-stages.yaml"), include_str!("stages.yaml"))?;
        let arguments = vec![
            format!("--kubeconfig={}", rig.kubeconfig(name).display()),
            "--manage-all-nodes=true".to_owned(),
            format!("--config={}", stages.display()),
            "--node-lease-duration-seconds=40".to_owned(),
            format!("--server-address=127.0.0.1:{kwok}"),
        ];
        rig.serve(
            &format!("{name}-kwok"),
            &rig.servers.program("kwok"),
            arguments,
            &[kwok],
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn gpus_are_on_every_node() {
        let nodes = Member::new("m2").with_gpus(2).node_objects();
        let items = nodes["items"].as_array().expect("a list");
        assert_eq!(items.len(), 3);
        for node in items {
            assert_eq!(node["status"]["allocatable"]["nvidia.com/gpu"], "2");
        }
        let without = Member::new("m1").with_nodes(1).node_objects();
        assert_eq!(
            without["items"][0]["status"]["capacity"].get("nvidia.com/gpu"),
            None
        );
    }
}
