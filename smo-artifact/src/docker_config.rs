//! Credential files in the format of Docker's `config.json`, which Helm, ORAS and Podman use too.

use std::collections::BTreeMap;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde::Deserialize;

use crate::config::Credentials;

/// A credential file. Has no `Debug`: it holds secrets.
#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(crate) struct DockerConfig {
    auths: BTreeMap<String, Entry>,
    creds_store: Option<String>,
    cred_helpers: BTreeMap<String, String>,
}

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "lowercase")]
struct Entry {
    auth: Option<String>,
    username: Option<String>,
    password: Option<String>,
    identitytoken: Option<String>,
    registrytoken: Option<String>,
}

/// What a file says about a registry.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Found {
    /// These credentials.
    Credentials(Credentials),
    /// An entry that is malformed.
    Malformed,
    /// An identity token, which would have to be exchanged for another.
    IdentityToken,
    /// Nothing.
    Nothing,
}

impl DockerConfig {
    /// Reads a file; gives the place of the first fault, never the text.
    pub(crate) fn parse(text: &[u8]) -> Result<Self, (usize, usize)> {
        serde_json::from_slice(text).map_err(|error| (error.line(), error.column()))
    }

    /// The helper program to ask about a registry, without the prefix of its name.
    pub(crate) fn helper(&self, registry: &str) -> Option<&str> {
        let own = self
            .cred_helpers
            .iter()
            .find(|(key, _)| host_of(key) == host_of(registry));
        let name = own.map(|(_, helper)| helper).or(self.creds_store.as_ref());
        name.map(String::as_str).filter(|name| !name.is_empty())
    }

    /// What the file itself says about a registry.
    pub(crate) fn entry(&self, registry: &str) -> Found {
        let exact = self.auths.get(registry);
        let by_host = || {
            self.auths
                .iter()
                .find(|(key, _)| host_of(key) == host_of(registry))
        };
        let Some(entry) = exact.or_else(|| by_host().map(|(_, entry)| entry)) else {
            return Found::Nothing;
        };
        let given = |value: &Option<String>| value.clone().filter(|text| !text.is_empty());
        if let Some(token) = given(&entry.registrytoken) {
            return Found::Credentials(Credentials::Token(token));
        }
        if given(&entry.identitytoken).is_some() {
            return Found::IdentityToken;
        }
        if let Some(auth) = given(&entry.auth) {
            let decoded = STANDARD
                .decode(auth)
                .ok()
                .and_then(|bytes| String::from_utf8(bytes).ok());
            let pair = decoded.as_deref().and_then(|text| text.split_once(':'));
            return match pair {
                Some((user, password)) => {
                    Found::Credentials(Credentials::basic(user, password.trim_end_matches('\0')))
                }
                None => Found::Malformed,
            };
        }
        match (given(&entry.username), given(&entry.password)) {
            (Some(user), Some(password)) => Found::Credentials(Credentials::basic(user, password)),
            // Docker writes an empty entry beside a credential store.
            _ => Found::Nothing,
        }
    }
}

/// `host[:port]` of a key, which may be an address such as `https://index.docker.io/v1/`.
fn host_of(key: &str) -> &str {
    let rest = key.split_once("://").map_or(key, |(_, rest)| rest);
    rest.split('/').next().unwrap_or(rest)
}

/// What a helper program printed: an answer, or nothing that can be used.
pub(crate) fn helper_answer(stdout: &[u8]) -> Found {
    #[derive(Deserialize)]
    #[serde(rename_all = "PascalCase")]
    struct Answer {
        username: String,
        secret: String,
    }
    match serde_json::from_slice::<Answer>(stdout) {
        Ok(answer) if answer.username == "<token>" => Found::IdentityToken,
        Ok(answer) => Found::Credentials(Credentials::basic(answer.username, answer.secret)),
        Err(_) => Found::Malformed,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    const FILE: &str = r#"{
        "auths": {
            "registry.example.com": {"auth": "c21vOmh1bnRlcjI="},
            "https://index.docker.io/v1/": {"username": "smo", "password": "a:b"},
            "127.0.0.1:5000": {"auth": "bm9jb2xvbg=="},
            "broken": {"auth": "%%"},
            "token.example.com": {"registrytoken": "abc"},
            "azure.example.com": {"auth": "c21vOg==", "identitytoken": "abc"},
            "store.example.com": {}
        },
        "credsStore": "desktop",
        "credHelpers": {"gcr.io": "gcloud", "https://ecr.example.com/": "ecr-login"},
        "HttpHeaders": {"User-Agent": "x"}
    }"#;

    #[rstest]
    #[case(
        "registry.example.com",
        Found::Credentials(Credentials::basic("smo", "hunter2"))
    )]
    #[case("index.docker.io", Found::Credentials(Credentials::basic("smo", "a:b")))]
    #[case("token.example.com", Found::Credentials(Credentials::Token("abc".to_owned())))]
    #[case("127.0.0.1:5000", Found::Malformed)]
    #[case("broken", Found::Malformed)]
    #[case("azure.example.com", Found::IdentityToken)]
    #[case("store.example.com", Found::Nothing)]
    #[case("127.0.0.1:5001", Found::Nothing)]
    fn entries(#[case] registry: &str, #[case] expected: Found) {
        let config = DockerConfig::parse(FILE.as_bytes()).ok().unwrap();
        assert!(
            config.entry(registry) == expected,
            "{registry}: {:?}",
            config.entry(registry)
        );
    }

    #[rstest]
    #[case("gcr.io", Some("gcloud"))]
    #[case("ecr.example.com", Some("ecr-login"))]
    #[case("other.example.com", Some("desktop"))]
    fn helpers(#[case] registry: &str, #[case] expected: Option<&str>) {
        let config = DockerConfig::parse(FILE.as_bytes()).ok().unwrap();
        assert_eq!(config.helper(registry), expected);
    }

    #[test]
    fn an_empty_file_says_nothing() {
        let config = DockerConfig::parse(b"{}").ok().unwrap();
        assert_eq!((config.helper("h"), config.entry("h")), (None, Found::Nothing));
    }

    #[test]
    fn a_broken_file_is_named_by_place() {
        assert_eq!(DockerConfig::parse(b"{\n  \"auths\": 3}").err(), Some((2, 12)));
    }

    #[rstest]
    #[case(
        r#"{"ServerURL": "h", "Username": "smo", "Secret": "x"}"#,
        Found::Credentials(Credentials::basic("smo", "x"))
    )]
    #[case(r#"{"Username": "<token>", "Secret": "x"}"#, Found::IdentityToken)]
    #[case("hunter2", Found::Malformed)]
    fn answers_of_helpers(#[case] text: &str, #[case] expected: Found) {
        assert_eq!(helper_answer(text.as_bytes()), expected);
    }
}
