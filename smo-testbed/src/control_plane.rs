//! Karmada's own programs, started on its API server.
//!
//! Flags and objects follow Karmada's documentation of an installation from binaries, with thresholds short enough for
//! tests: a member that dies is `Ready=False` after about 6 s.

use serde_json::json;

use crate::error::TestbedError;
use crate::ports::answers;
use crate::programs::{KarmadaFiles, KarmadaPrograms};
use crate::rig::Rig;
use crate::setup::Limits;

/// The cluster's name in the rig: `karmada.kubeconfig`, `karmada-apiserver.log`.
pub(crate) const KARMADA: &str = "karmada";
/// Its aggregated API server in the rig.
pub(crate) const AGGREGATED: &str = "karmada-aggregated-apiserver";

/// Starts the aggregated API server, the webhook, the controllers and the scheduler, each when the one before serves.
pub(crate) fn serve(
    rig: &mut Rig,
    programs: &KarmadaPrograms,
    files: &KarmadaFiles,
    limits: Limits,
) -> Result<(), TestbedError> {
    let limits = limits.flags().iter().map(|flag| (*flag).to_owned());
    serve_aggregated(rig, programs)?;
    serve_webhook(rig, programs, files)?;
    let kubeconfig = format!("--kubeconfig={}", rig.kubeconfig(KARMADA).display());
    let quiet = "--metrics-bind-address=0".to_owned();

    let health = rig.ports.take()?;
    let mut arguments = vec![
        kubeconfig.clone(),
        quiet.clone(),
        format!("--health-probe-bind-address=127.0.0.1:{health}"),
        "--leader-elect=false".to_owned(),
        "--cluster-status-update-frequency=2s".to_owned(),
        "--cluster-success-threshold=2s".to_owned(),
        "--cluster-failure-threshold=5s".to_owned(),
    ];
    arguments.extend(limits.clone());
    let program = programs.program("controller-manager");
    rig.serve("karmada-controller-manager", &program, arguments, &[health])?;

    let health = rig.ports.take()?;
    let mut arguments = vec![
        kubeconfig,
        quiet,
        format!("--health-probe-bind-address=127.0.0.1:{health}"),
        "--leader-elect=false".to_owned(),
        "--enable-scheduler-estimator=false".to_owned(),
    ];
    arguments.extend(limits.filter(|flag| flag.starts_with("--kube-api")));
    let program = programs.program("scheduler");
    rig.serve("karmada-scheduler", &program, arguments, &[health])
}

fn serve_aggregated(rig: &mut Rig, programs: &KarmadaPrograms) -> Result<(), TestbedError> {
    let port = rig.ports.take()?;
    let mut arguments = rig.client_flags(KARMADA);
    arguments.extend([
        format!("--etcd-servers={}", rig.etcd()),
        "--etcd-prefix=/karmada-aggregated".to_owned(),
        "--bind-address=127.0.0.1".to_owned(),
        format!("--secure-port={port}"),
        format!("--tls-cert-file={}", rig.pki.file("server.crt").display()),
        format!("--tls-private-key-file={}", rig.pki.file("server.key").display()),
    ]);
    let program = programs.program("aggregated-apiserver");
    rig.serve(AGGREGATED, &program, arguments, &[port])?;

    // The API server dials the external name with this port, and checks the certificate against the Service's name.
    let service = json!({
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {"name": AGGREGATED, "namespace": "karmada-system"},
        "spec": {"type": "ExternalName", "externalName": "localhost", "ports": [{"port": port}]},
    });
    let registration = json!({
        "apiVersion": "apiregistration.k8s.io/v1",
        "kind": "APIService",
        "metadata": {"name": "v1alpha1.cluster.karmada.io"},
        "spec": {
            "group": "cluster.karmada.io",
            "version": "v1alpha1",
            "groupPriorityMinimum": 2000,
            "versionPriority": 10,
            "caBundle": rig.pki.ca_bundle(),
            "service": {"name": AGGREGATED, "namespace": "karmada-system", "port": port},
        },
    });
    let role = json!({
        "apiVersion": "rbac.authorization.k8s.io/v1",
        "kind": "ClusterRole",
        "metadata": {"name": "cluster-proxy-admin"},
        "rules": [{"apiGroups": ["cluster.karmada.io"], "resources": ["clusters/proxy"], "verbs": ["*"]}],
    });
    let user = |name: &str| json!({"apiGroup": "rbac.authorization.k8s.io", "kind": "User", "name": name});
    let binding = json!({
        "apiVersion": "rbac.authorization.k8s.io/v1",
        "kind": "ClusterRoleBinding",
        "metadata": {"name": "cluster-proxy-admin"},
        "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "cluster-proxy-admin"},
        "subjects": [user("system:admin"), user("testbed-admin")],
    });
    let kubectl = rig.kubectl(KARMADA);
    kubectl.apply(
        &json!({"apiVersion": "v1", "kind": "List", "items": [service, registration, role, binding]}),
    )?;
    rig.processes
        .wait(AGGREGATED, "Karmada's aggregated API becoming available", || {
            if !answers(port) {
                return Err("no answer on its port".to_owned());
            }
            let answer = kubectl.run(&["get", "--raw", "/apis/cluster.karmada.io/v1alpha1/clusters"]);
            answer.map(drop).map_err(|error| error.to_string())
        })
}

fn serve_webhook(
    rig: &mut Rig,
    programs: &KarmadaPrograms,
    files: &KarmadaFiles,
) -> Result<(), TestbedError> {
    let (port, health) = (rig.ports.take()?, rig.ports.take()?);
    let arguments = vec![
        format!("--kubeconfig={}", rig.kubeconfig(KARMADA).display()),
        "--bind-address=127.0.0.1".to_owned(),
        format!("--secure-port={port}"),
        format!("--cert-dir={}", rig.folder.path("pki").display()),
        "--tls-cert-file-name=server.crt".to_owned(),
        "--tls-private-key-file-name=server.key".to_owned(),
        "--metrics-bind-address=0".to_owned(),
        format!("--health-probe-bind-address=127.0.0.1:{health}"),
    ];
    rig.serve(
        "karmada-webhook",
        &programs.program("webhook"),
        arguments,
        &[port, health],
    )?;
    rig.processes
        .wait("karmada-webhook", "Karmada's webhook listening", || {
            if answers(port) {
                Ok(())
            } else {
                Err("no answer on its port".to_owned())
            }
        })?;
    // Only now: from here on every write of a policy is refused unless the webhook answers.
    let path = files.webhook_configuration();
    let text = std::fs::read_to_string(&path).map_err(TestbedError::file(&path))?;
    let text = text
        .replace(
            "https://karmada-webhook.karmada-system.svc:443",
            &format!("https://127.0.0.1:{port}"),
        )
        .replace("{{caBundle}}", &rig.pki.ca_bundle());
    rig.kubectl(KARMADA).apply_text(&text).map(drop)
}
