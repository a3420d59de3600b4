//! What every testbed is made of: one etcd, API servers on it, and the means to start, watch and reach them.

use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::error::TestbedError;
use crate::folder::Folder;
use crate::kubeconfig::{User, kubeconfig};
use crate::kubectl::Kubectl;
use crate::pki::Pki;
use crate::ports::{Ports, answers};
use crate::process::Processes;
use crate::programs::Servers;

/// A folder, identities, ports and processes.
#[derive(Debug)]
pub(crate) struct Rig {
    // First: processes end before their folder is free for somebody else.
    pub(crate) processes: Processes,
    pub(crate) ports: Ports,
    pub(crate) pki: Pki,
    pub(crate) folder: Folder,
    pub(crate) servers: Servers,
    /// The port of Karmada's API server.
    pub(crate) api: u16,
    etcd: u16,
}

impl Rig {
    /// Starts etcd in a fresh folder.
    pub(crate) fn start(name: &str) -> Result<Self, TestbedError> {
        let servers = Servers::find()?;
        let folder = Folder::take(name)?;
        let pki = Pki::create(&folder.path("pki"))?;
        let processes = Processes::new(&folder.path("log"))?;
        let mut ports = Ports::new();
        let (etcd, peers) = (ports.take()?, ports.take()?);
        let mut rig = Self {
            processes,
            ports,
            pki,
            folder,
            servers,
            api: 0,
            etcd,
        };
        let (clients, peers_url) = (rig.etcd(), format!("http://127.0.0.1:{peers}"));
        let arguments = vec![
            format!("--data-dir={}", rig.folder.path("data/etcd").display()),
            format!("--listen-client-urls={clients}"),
            format!("--advertise-client-urls={clients}"),
            format!("--listen-peer-urls={peers_url}"),
            format!("--initial-advertise-peer-urls={peers_url}"),
            format!("--initial-cluster=default={peers_url}"),
            // The data is worth nothing after the run.
            "--unsafe-no-fsync".to_owned(),
            "--log-level=warn".to_owned(),
        ];
        rig.serve("etcd", &rig.servers.program("etcd"), arguments, &[etcd, peers])?;
        Ok(rig)
    }

    /// etcd's address.
    pub(crate) fn etcd(&self) -> String {
        format!("http://127.0.0.1:{}", self.etcd)
    }

    /// Frees the ports and starts the server that binds them.
    pub(crate) fn serve(
        &mut self,
        name: &str,
        program: &Path,
        arguments: Vec<String>,
        ports: &[u16],
    ) -> Result<(), TestbedError> {
        self.ports.release(ports);
        self.processes.start(name, program, arguments)
    }

    /// Starts an API server as `<cluster>-apiserver`, and writes `<cluster>.kubeconfig` for it.
    pub(crate) fn serve_api(
        &mut self,
        cluster: &str,
        port: u16,
        services: &str,
        more: &[&str],
    ) -> Result<(), TestbedError> {
        let file = |name: &str| self.pki.file(name).display().to_string();
        let mut arguments = vec![
            format!("--etcd-servers={}", self.etcd()),
            format!("--etcd-prefix=/{cluster}"),
            "--bind-address=127.0.0.1".to_owned(),
            "--advertise-address=127.0.0.1".to_owned(),
            // An endpoint on loopback is refused otherwise.
            "--endpoint-reconciler-type=none".to_owned(),
            format!("--secure-port={port}"),
            format!("--service-cluster-ip-range={services}"),
            "--allow-privileged=true".to_owned(),
            "--authorization-mode=Node,RBAC".to_owned(),
            format!("--client-ca-file={}", file("ca.crt")),
            format!("--tls-cert-file={}", file("server.crt")),
            format!("--tls-private-key-file={}", file("server.key")),
            format!("--token-auth-file={}", file("tokens.csv")),
            "--service-account-issuer=https://kubernetes.default.svc.cluster.local".to_owned(),
            format!("--service-account-key-file={}", file("accounts.pub")),
            format!("--service-account-signing-key-file={}", file("accounts.key")),
            format!("--proxy-client-cert-file={}", file("front.crt")),
            format!("--proxy-client-key-file={}", file("front.key")),
            format!("--requestheader-client-ca-file={}", file("ca.crt")),
            "--requestheader-allowed-names=front-proxy-client".to_owned(),
            "--requestheader-extra-headers-prefix=X-Remote-Extra-".to_owned(),
            "--requestheader-group-headers=X-Remote-Group".to_owned(),
            "--requestheader-username-headers=X-Remote-User".to_owned(),
        ];
        arguments.extend(more.iter().map(|&flag| flag.to_owned()));
        self.write_kubeconfig(cluster, cluster, port, User::Admin)?;
        let program = self.servers.program("kube-apiserver");
        self.serve(&api_server(cluster), &program, arguments, &[port])
    }

    pub(crate) fn write_kubeconfig(
        &self,
        file: &str,
        cluster: &str,
        port: u16,
        user: User,
    ) -> Result<PathBuf, TestbedError> {
        let text = format!("{:#}\n", kubeconfig(cluster, port, user, &self.pki));
        self.folder.write(&format!("{file}.kubeconfig"), text)
    }

    /// Starts the controllers of Kubernetes for a cluster as `<cluster>-controllers`.
    pub(crate) fn serve_controllers(&mut self, cluster: &str, controllers: &str) -> Result<(), TestbedError> {
        let port = self.ports.take()?;
        let mut arguments = self.client_flags(cluster);
        arguments.extend([
            "--bind-address=127.0.0.1".to_owned(),
            format!("--secure-port={port}"),
            "--leader-elect=false".to_owned(),
            format!("--root-ca-file={}", self.pki.file("ca.crt").display()),
            format!(
                "--service-account-private-key-file={}",
                self.pki.file("accounts.key").display()
            ),
            "--use-service-account-credentials=false".to_owned(),
            format!("--controllers={controllers}"),
        ]);
        let program = self.servers.program("kube-controller-manager");
        self.serve(&format!("{cluster}-controllers"), &program, arguments, &[port])
    }

    /// Flags by which a component of Kubernetes reaches its API server, also to check who calls it.
    pub(crate) fn client_flags(&self, cluster: &str) -> Vec<String> {
        let path = self.kubeconfig(cluster).display().to_string();
        [
            "kubeconfig",
            "authentication-kubeconfig",
            "authorization-kubeconfig",
        ]
        .map(|flag| format!("--{flag}={path}"))
        .to_vec()
    }

    pub(crate) fn kubeconfig(&self, cluster: &str) -> PathBuf {
        self.folder.path(&format!("{cluster}.kubeconfig"))
    }

    pub(crate) fn kubectl(&self, cluster: &str) -> Kubectl {
        Kubectl::new(self.servers.program("kubectl"), self.kubeconfig(cluster))
    }

    /// Waits until a cluster's API server says that it is ready.
    pub(crate) fn await_api(&mut self, cluster: &str, port: u16) -> Result<(), TestbedError> {
        let kubectl = self.kubectl(cluster);
        self.processes.wait(
            &api_server(cluster),
            &format!("the API server of {cluster} becoming ready"),
            || {
                // A connection costs nothing, a kubectl does.
                if !answers(port) {
                    return Err("no answer on its port".to_owned());
                }
                let answer = kubectl.run(&["get", "--raw", "/readyz"]);
                answer.map(drop).map_err(|error| error.to_string())
            },
        )
    }
}

/// What the API server of a cluster is called in the rig.
pub(crate) fn api_server(cluster: &str) -> String {
    format!("{cluster}-apiserver")
}

/// The status of a condition of an object, such as `Ready`: `True`, `False`, `Unknown`, or nothing.
pub fn condition<'a>(object: &'a Value, name: &str) -> Option<&'a str> {
    let conditions = object.pointer("/status/conditions")?.as_array()?;
    let found = conditions
        .iter()
        .find(|condition| condition.get("type").and_then(Value::as_str) == Some(name))?;
    found.get("status")?.as_str()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn conditions_are_found() {
        let object = json!({"status": {"conditions": [{"type": "A", "status": "True"}, {"type": "Ready", "status": "Unknown"}]}});
        assert_eq!(condition(&object, "Ready"), Some("Unknown"));
        assert_eq!(condition(&object, "B"), None);
        assert_eq!(condition(&json!({}), "Ready"), None);
    }
}
