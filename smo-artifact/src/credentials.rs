//! Finding the credentials for a registry: those configured, then credential files and the helpers they name.

use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use thiserror::Error;
use tokio::io::AsyncWriteExt;
use tokio::process::Command;

use crate::config::{Credentials, RegistryConfig};
use crate::docker_config::{DockerConfig, Found, helper_answer};

/// How long a credential helper may take.
const PATIENCE: Duration = Duration::from_secs(30);

/// Why credentials could not be looked up. Shows no content of files or answers.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum CredentialError {
    /// A file that was asked for cannot be read.
    #[error("the credential file {path} cannot be read: {reason}")]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// The system's words.
        reason: String,
    },
    /// A file is not in Docker's format.
    #[error("the credential file {path} is malformed at line {line}, column {column}")]
    Malformed {
        /// The file.
        path: PathBuf,
        /// From 1.
        line: usize,
        /// From 1.
        column: usize,
    },
    /// An entry of a file is malformed.
    #[error("the credential file {path} has a malformed entry for {registry}")]
    Entry {
        /// The file.
        path: PathBuf,
        /// The registry.
        registry: String,
    },
    /// An identity token, which this library does not exchange for another.
    #[error("an identity token is stored for {0}; log in with user and password instead")]
    IdentityToken(String),
    /// A helper program failed.
    #[error("the credential helper {helper} failed for {registry}: {reason}")]
    Helper {
        /// The program.
        helper: String,
        /// The registry.
        registry: String,
        /// What happened; not what it printed.
        reason: String,
    },
}

/// The credentials for `registry` (`host[:port]`); none: anonymous.
pub(crate) async fn find(
    config: &RegistryConfig,
    registry: &str,
) -> Result<Option<Credentials>, CredentialError> {
    if let Some(credentials) = config.credentials.get(registry) {
        return Ok(Some(credentials.clone()));
    }
    // Docker Hub has two names: that of images, and that under which logging in stores.
    let registry = match registry {
        "docker.io" => "index.docker.io",
        other => other,
    };
    for file in &config.credential_files {
        let found = match read(&file.path) {
            Ok(found) => found?,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound && !file.required => continue,
            Err(error) => {
                return Err(CredentialError::Unreadable {
                    path: file.path.clone(),
                    reason: error.to_string(),
                });
            }
        };
        if let Some(helper) = found.helper(registry)
            && let Some(credentials) = ask(helper, registry).await?
        {
            return Ok(Some(credentials));
        }
        match found.entry(registry) {
            Found::Credentials(credentials) => return Ok(Some(credentials)),
            Found::IdentityToken => return Err(CredentialError::IdentityToken(registry.to_owned())),
            Found::Malformed => {
                return Err(CredentialError::Entry {
                    path: file.path.clone(),
                    registry: registry.to_owned(),
                });
            }
            Found::Nothing => {}
        }
    }
    Ok(None)
}

fn read(path: &Path) -> std::io::Result<Result<DockerConfig, CredentialError>> {
    let text = std::fs::read(path)?;
    Ok(
        DockerConfig::parse(&text).map_err(|(line, column)| CredentialError::Malformed {
            path: path.to_owned(),
            line,
            column,
        }),
    )
}

/// Runs `docker-credential-<name> get`
/// ([protocol](https://docs.docker.com/reference/cli/docker/login/#credential-helper-protocol)).
async fn ask(name: &str, registry: &str) -> Result<Option<Credentials>, CredentialError> {
    let program = format!("docker-credential-{name}");
    let fail = |reason: &str| CredentialError::Helper {
        helper: program.clone(),
        registry: registry.to_owned(),
        reason: reason.to_owned(),
    };
    if !name
        .chars()
        .all(|c| c.is_ascii_alphanumeric() || "._-".contains(c))
    {
        return Err(fail("its name has characters that no program of this kind has"));
    }
    let exchange = async {
        let mut child = Command::new(&program)
            .arg("get")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .kill_on_drop(true)
            .spawn()?;
        if let Some(mut stdin) = child.stdin.take() {
            // A helper that does not read its input still answers, or fails, by itself.
            let _ = stdin.write_all(registry.as_bytes()).await;
        }
        child.wait_with_output().await
    };
    let output = tokio::time::timeout(PATIENCE, exchange)
        .await
        .map_err(|_| fail("it did not answer in 30 s"))?
        .map_err(|error| fail(&format!("it does not start: {error}")))?;
    if !output.status.success() {
        // The protocol's only way to say that there is nothing; the words are fixed in docker-credential-helpers.
        let said = String::from_utf8_lossy(&output.stdout);
        return if said.contains("credentials not found") {
            Ok(None)
        } else {
            Err(fail(&output.status.to_string()))
        };
    }
    match helper_answer(&output.stdout) {
        Found::Credentials(credentials) => Ok(Some(credentials)),
        Found::IdentityToken => Err(CredentialError::IdentityToken(registry.to_owned())),
        Found::Malformed | Found::Nothing => Err(fail("it printed something else than an answer")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(flavor = "current_thread")]
    async fn files_are_looked_into_in_order() {
        let folder = tempfile::tempdir().unwrap();
        let write = |name: &str, text: &str| {
            let path = folder.path().join(name);
            std::fs::write(&path, text).unwrap();
            path
        };
        let first = write("a", r#"{"auths": {"h": {"username": "a", "password": "1"}}}"#);
        let second = write(
            "b",
            r#"{"auths": {"h": {"username": "b", "password": "2"}, "https://index.docker.io/v1/": {"username": "d", "password": "3"}}}"#,
        );
        let config = RegistryConfig::new()
            .with_credential_file(first)
            .with_credential_file(second)
            .with_credentials("own", Credentials::basic("o", "0"));
        for (registry, expected) in [
            ("own", Some(Credentials::basic("o", "0"))),
            ("h", Some(Credentials::basic("a", "1"))),
            ("docker.io", Some(Credentials::basic("d", "3"))),
            ("other", None),
        ] {
            assert!(find(&config, registry).await.unwrap() == expected, "{registry}");
        }
    }

    #[tokio::test(flavor = "current_thread")]
    async fn faults_are_named_without_content() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("config.json");
        let fault = async |text: &str| {
            std::fs::write(&path, text).unwrap();
            let config = RegistryConfig::new().with_credential_file(&path);
            let error = find(&config, "h").await.unwrap_err().to_string();
            error.replace(&path.display().to_string(), "FILE")
        };
        let faults = [
            fault(r#"{"auths": "hunter2"}"#).await,
            fault(r#"{"auths": {"h": {"auth": "hunter2"}}}"#).await,
            fault(r#"{"auths": {"h": {"identitytoken": "hunter2"}}}"#).await,
            fault(r#"{"credsStore": "../../bin/sh"}"#).await,
            fault(r#"{"credsStore": "no-such-helper"}"#).await,
        ];
        let missing = RegistryConfig::new().with_credential_file("/no/such/file");
        let missing = find(&missing, "h").await.unwrap_err();
        insta::assert_snapshot!(format!("{}\n{missing}", faults.join("\n")), @"
        the credential file FILE is malformed at line 1, column 19
        the credential file FILE has a malformed entry for h
        an identity token is stored for h; log in with user and password instead
        the credential helper docker-credential-../../bin/sh failed for h: its name has characters that no program of this kind has
        the credential helper docker-credential-no-such-helper failed for h: it does not start: No such file or directory (os error 2)
        the credential file /no/such/file cannot be read: No such file or directory (os error 2)
        ");
    }
}
