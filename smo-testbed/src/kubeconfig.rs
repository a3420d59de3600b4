//! Kubeconfig files. They are JSON, which every reader of YAML reads.

use serde_json::{Value, json};

use crate::pki::Pki;

/// How a client shows who it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum User {
    /// By certificate, allowed everything.
    Admin,
    /// By token, allowed nothing but discovery.
    Restricted,
    /// By a token that the server does not know, as one that has expired.
    Unknown,
}

/// A kubeconfig with everything inline.
pub(crate) fn kubeconfig(cluster: &str, port: u16, user: User, pki: &Pki) -> Value {
    let who = match user {
        User::Admin => {
            let (certificate, key) = pki.admin();
            json!({"client-certificate-data": certificate, "client-key-data": key})
        }
        User::Restricted => json!({"token": pki.restricted_token()}),
        User::Unknown => json!({"token": "expired"}),
    };
    json!({
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{"name": cluster, "cluster": {
            "server": format!("https://127.0.0.1:{port}"),
            "certificate-authority-data": pki.ca_bundle(),
        }}],
        "users": [{"name": "user", "user": who}],
        "contexts": [{"name": cluster, "context": {"cluster": cluster, "user": "user"}}],
        "current-context": cluster,
    })
}
