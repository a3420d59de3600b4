//! Kubeconfigs that are wrong, each in its own way: what is told, and what to do.

use std::path::PathBuf;
use std::sync::Arc;

use serde_json::{Value, json};
use smo_core::backend::memory::InMemoryCharts;
use smo_core::backend::{BackendError, ClusterBackend, ErrorKind, ReleaseBackend};
use smo_karmada::{Drift, KarmadaConfig, KarmadaConfigBuilder, SystemTime};

use crate::server::{Server, connect, image};

/// What asking for the inventory comes to with a configuration.
async fn outcome(config: KarmadaConfigBuilder) -> BackendError {
    let config = config.build().map_err(|error| error.during("configure"));
    let fleet = match config {
        Ok(config) => {
            config
                .connect(Box::new(InMemoryCharts::new()), Arc::new(SystemTime))
                .await
        }
        Err(error) => Err(error),
    };
    match fleet {
        Ok(fleet) => fleet.inventory().await.unwrap_err(),
        Err(error) => error,
    }
}

/// A folder of this process.
fn scratch(file: &str, text: &str) -> PathBuf {
    let folder = std::env::temp_dir().join(format!("smo-karmada-{}-input", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    let path = folder.join(file);
    std::fs::write(&path, text).unwrap();
    path
}

#[tokio::test(flavor = "multi_thread")]
async fn kubeconfigs_that_cannot_be_used_need_no_server_to_be_told() {
    let absent = std::env::temp_dir().join("smo-karmada-no-such-kubeconfig");
    let contexts = "{clusters: [{name: c, cluster: {server: 'https://127.0.0.1:1'}}], \
        contexts: [{name: karmada, context: {cluster: c, user: u}}], users: [{name: u, user: {token: hunter2}}], \
        current-context: karmada}";
    let builder = KarmadaConfig::builder;
    let cases = [
        ("no file", builder().with_kubeconfig_path(&absent)),
        (
            "no YAML",
            builder().with_kubeconfig_path(scratch(
                "no-yaml",
                "clusters: []\nusers: [{name: u, user: {token: hunter2}}\n",
            )),
        ),
        (
            "another YAML",
            builder().with_kubeconfig_path(scratch("other", "clusters: 7")),
        ),
        ("empty", builder().with_kubeconfig_path(scratch("empty", ""))),
        (
            "no such context",
            builder().with_kubeconfig_text(contexts).with_context("m1"),
        ),
        (
            "no such user",
            builder().with_kubeconfig_text(contexts.replace("name: u,", "name: v,")),
        ),
        (
            "no address",
            builder().with_kubeconfig_text(contexts.replace("https://127.0.0.1:1", "karmada")),
        ),
        (
            "no certificate",
            builder().with_kubeconfig_text(
                contexts.replace("server:", "certificate-authority-data: '!', server:"),
            ),
        ),
        (
            "no file of a certificate",
            builder().with_kubeconfig_text(
                contexts.replace("server:", "certificate-authority: /no/ca.crt, server:"),
            ),
        ),
        ("nobody there", builder().with_kubeconfig_text(contexts)),
        (
            "no such host",
            builder().with_kubeconfig_text(contexts.replace("127.0.0.1:1", "karmada.invalid:5443")),
        ),
        (
            "no manager",
            builder()
                .with_kubeconfig_text(contexts)
                .with_manager("My Manager"),
        ),
        ("nothing", builder()),
    ];
    let mut told = String::new();
    for (case, config) in cases {
        let error = outcome(config).await;
        assert!(!format!("{error} {error:?}").contains("hunter2"), "{case}");
        told.push_str(&format!("{case} [{}]\n  {error}\n", error.kind()));
    }
    let folder = std::env::temp_dir();
    let told = told.replace(&folder.display().to_string(), "TMP");
    let told = told.replace(&format!("smo-karmada-{}-input", std::process::id()), "input");
    insta::assert_snapshot!(told);
}

#[tokio::test(flavor = "multi_thread")]
async fn credentials_and_certificates_are_told_apart() {
    let Some(server) = Server::take().await else {
        return;
    };
    let text = std::fs::read_to_string(server.testbed.kubeconfig()).unwrap();
    let good: Value = serde_json::from_str(&text).unwrap();
    let with = |change: fn(&mut Value)| {
        let mut config = good.clone();
        change(&mut config);
        KarmadaConfig::builder().with_kubeconfig_text(config.to_string())
    };
    let cases = [
        (
            "an expired token",
            KarmadaConfig::builder().with_kubeconfig_path(server.testbed.unknown_token_kubeconfig()),
            ErrorKind::Unauthenticated,
        ),
        (
            "another authority",
            with(|config| {
                let other = config["users"][0]["user"]["client-certificate-data"].clone();
                config["clusters"][0]["cluster"]["certificate-authority-data"] = other;
            }),
            ErrorKind::Unauthenticated,
        ),
        (
            "another name",
            with(|config| config["clusters"][0]["cluster"]["tls-server-name"] = json!("elsewhere.example")),
            ErrorKind::Unauthenticated,
        ),
        (
            "nobody",
            with(|config| config["users"][0]["user"] = json!({})),
            ErrorKind::Unauthenticated,
        ),
    ];
    let mut told = String::new();
    for (case, config, kind) in cases {
        let error = outcome(config).await;
        assert_eq!(error.kind(), kind, "{case}: {error}");
        told.push_str(&format!("{case}\n  {error}\n"));
    }
    insta::assert_snapshot!(told);
}

/// The kubeconfig of a member instead of Karmada's is an easy mistake.
#[tokio::test(flavor = "multi_thread")]
async fn a_server_without_karmadas_crds_is_told_and_nothing_is_written() {
    let Some(server) = Server::take().await else {
        return;
    };
    let Ok(member) = server.testbed.member_kubectl("m1") else {
        eprintln!("live: this API server was not started here: no member is known");
        return;
    };
    let fleet = connect(member.kubeconfig(), Drift::Repair).await.unwrap();
    let spec = image("no-crds/shop/web", json!({"ports": [{"port": 80}]}), &[("m1", 1)]);
    let errors = [
        fleet.inventory().await.unwrap_err(),
        fleet.apply(&spec).await.unwrap_err(),
    ];
    assert!(
        errors.iter().all(|error| error.kind() == ErrorKind::Unsupported),
        "{errors:?}"
    );
    insta::assert_snapshot!(errors.map(|error| error.to_string()).join("\n"), @"
    inventory: the API server does not know clusters.cluster.karmada.io (install Karmada's CRDs, and check that the kubeconfig is that of Karmada and not of a member)
    apply no-crds/shop/web: the API server does not know propagationpolicies.policy.karmada.io (install Karmada's CRDs, and check that the kubeconfig is that of Karmada and not of a member)
    ");
    assert!(member.run(&["get", "namespace", "no-crds"]).is_err());
}
