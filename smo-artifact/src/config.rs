//! How registries are reached: transport, credentials, limits.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// What a caller is known by at a registry. `Debug` shows no secret.
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Credentials {
    /// A user and a password, or an access token given as one.
    Basic {
        /// The user.
        user: String,
        /// The password.
        password: String,
    },
    /// A registry token, sent as it is.
    Token(String),
}

impl Credentials {
    /// A user and a password.
    #[must_use]
    pub fn basic(user: impl Into<String>, password: impl Into<String>) -> Self {
        Self::Basic {
            user: user.into(),
            password: password.into(),
        }
    }
}

impl fmt::Debug for Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Basic { .. } => "Basic(***)",
            Self::Token(_) => "Token(***)",
        })
    }
}

/// What is accepted from an archive before reading stops. The defaults are Helm's.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ArchiveLimits {
    /// Bytes as stored in the registry.
    pub packed: u64,
    /// Bytes of all files together, unpacked.
    pub unpacked: u64,
    /// Bytes of one file.
    pub file: u64,
    /// Files and folders.
    pub entries: usize,
}

impl Default for ArchiveLimits {
    /// 100 MiB packed, 100 MiB unpacked, 5 MiB a file, 10,000 entries.
    fn default() -> Self {
        Self {
            packed: 100 << 20,
            unpacked: 100 << 20,
            file: 5 << 20,
            entries: 10_000,
        }
    }
}

/// How registries are reached.
///
/// ```
/// use smo_artifact::{Credentials, RegistryConfig};
/// let config = RegistryConfig::new()
///     .with_plain_http("127.0.0.1:5000")
///     .with_credentials("registry.example.com", Credentials::basic("smo", "hunter2"));
/// assert!(!format!("{config:?}").contains("hunter2"));
/// ```
#[derive(Debug, Clone)]
pub struct RegistryConfig {
    pub(crate) plain_http: BTreeSet<String>,
    pub(crate) credentials: BTreeMap<String, Credentials>,
    pub(crate) credential_files: Vec<CredentialFile>,
    pub(crate) certificates: Vec<PathBuf>,
    pub(crate) connect_timeout: Duration,
    pub(crate) read_timeout: Duration,
    pub(crate) limits: ArchiveLimits,
}

/// A file in Docker's format.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct CredentialFile {
    pub(crate) path: PathBuf,
    /// False: it does not matter when the file is not there.
    pub(crate) required: bool,
}

impl Default for RegistryConfig {
    fn default() -> Self {
        Self {
            plain_http: BTreeSet::new(),
            credentials: BTreeMap::new(),
            credential_files: Vec::new(),
            certificates: Vec::new(),
            connect_timeout: Duration::from_secs(10),
            read_timeout: Duration::from_secs(30),
            limits: ArchiveLimits::default(),
        }
    }
}

impl RegistryConfig {
    /// TLS everywhere, no credentials, Helm's limits.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// What the environment says. Variables that are not set change nothing.
    ///
    /// | variable | meaning |
    /// | --- | --- |
    /// | `SMO_REGISTRY_PLAIN_HTTP` | hosts (with ports) reached without TLS, separated by commas |
    /// | `SMO_REGISTRY_AUTH_FILE` | a credential file in Docker's format, used before all others |
    /// | `SMO_REGISTRY_CA_FILE` | certificates in PEM that are trusted besides the system's |
    /// | `HELM_REGISTRY_CONFIG` | Helm's credential file; default `$XDG_CONFIG_HOME/helm/registry/config.json` |
    /// | `DOCKER_CONFIG` | the folder of Docker's `config.json`; default `$HOME/.docker` |
    #[must_use]
    pub fn from_env() -> Self {
        Self::from_variables(&|name| std::env::var(name).ok())
    }

    pub(crate) fn from_variables(variable: &dyn Fn(&str) -> Option<String>) -> Self {
        let set = |name: &str| variable(name).filter(|value| !value.is_empty());
        let path = |name: &str| set(name).map(PathBuf::from);
        let mut config = Self::new();
        let hosts = set("SMO_REGISTRY_PLAIN_HTTP").unwrap_or_default();
        for host in hosts.split(',').map(str::trim).filter(|host| !host.is_empty()) {
            config = config.with_plain_http(host);
        }
        if let Some(file) = path("SMO_REGISTRY_AUTH_FILE") {
            config = config.with_credential_file(file);
        }
        if let Some(file) = path("SMO_REGISTRY_CA_FILE") {
            config = config.with_certificates(file);
        }
        let home = path("HOME");
        let below_home = |folder: &str| home.as_ref().map(|home| home.join(folder));
        let helm = path("HELM_REGISTRY_CONFIG").or_else(|| {
            let configuration = path("XDG_CONFIG_HOME").or_else(|| below_home(".config"));
            configuration.map(|folder| folder.join("helm/registry/config.json"))
        });
        let docker = path("DOCKER_CONFIG").or_else(|| below_home(".docker"));
        let docker = docker.map(|folder| folder.join("config.json"));
        let files = [helm, docker].into_iter().flatten();
        config.credential_files.extend(files.map(|path| CredentialFile {
            path,
            required: false,
        }));
        config
    }

    /// Reaches `host[:port]` without TLS.
    #[must_use]
    pub fn with_plain_http(mut self, host: impl Into<String>) -> Self {
        self.plain_http.insert(host.into());
        self
    }

    /// Uses these credentials at `host[:port]`, whatever files say.
    #[must_use]
    pub fn with_credentials(mut self, host: impl Into<String>, credentials: Credentials) -> Self {
        self.credentials.insert(host.into(), credentials);
        self
    }

    /// Looks for credentials in a file in Docker's format, after the files given before. Credential helpers that it
    /// names are run.
    #[must_use]
    pub fn with_credential_file(mut self, path: impl Into<PathBuf>) -> Self {
        self.credential_files.push(CredentialFile {
            path: path.into(),
            required: true,
        });
        self
    }

    /// Trusts the PEM certificates in a file besides the system's.
    #[must_use]
    pub fn with_certificates(mut self, path: impl AsRef<Path>) -> Self {
        self.certificates.push(path.as_ref().to_owned());
        self
    }

    /// Gives up connecting, or waiting for the next bytes, after these times (default 10 s and 30 s).
    #[must_use]
    pub fn with_timeouts(mut self, connect: Duration, read: Duration) -> Self {
        self.connect_timeout = connect;
        self.read_timeout = read;
        self
    }

    /// Accepts archives within these limits.
    #[must_use]
    pub fn with_limits(mut self, limits: ArchiveLimits) -> Self {
        self.limits = limits;
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn from(variables: &[(&str, &str)]) -> RegistryConfig {
        RegistryConfig::from_variables(&|name| {
            let found = variables.iter().find(|(known, _)| *known == name);
            found.map(|(_, value)| (*value).to_owned())
        })
    }

    #[test]
    fn the_environment_is_read() {
        let config = from(&[
            ("SMO_REGISTRY_PLAIN_HTTP", "127.0.0.1:5000, registry:5000,"),
            ("SMO_REGISTRY_AUTH_FILE", "/run/auth.json"),
            ("SMO_REGISTRY_CA_FILE", "/etc/ca.pem"),
            ("HELM_REGISTRY_CONFIG", ""),
            ("HOME", "/home/smo"),
            ("DOCKER_CONFIG", "/etc/docker"),
        ]);
        let files = config.credential_files.iter();
        let files: Vec<String> = files
            .map(|file| format!("{} required: {}", file.path.display(), file.required))
            .collect();
        insta::assert_snapshot!(format!("{:?}\n{}\n{:?}", config.plain_http, files.join("\n"), config.certificates), @r#"
        {"127.0.0.1:5000", "registry:5000"}
        /run/auth.json required: true
        /home/smo/.config/helm/registry/config.json required: false
        /etc/docker/config.json required: false
        ["/etc/ca.pem"]
        "#);
    }

    #[test]
    fn an_empty_environment_changes_nothing() {
        let config = from(&[]);
        assert!(config.credential_files.is_empty() && config.plain_http.is_empty());
    }

    #[test]
    fn no_secret_in_debug() {
        let config = RegistryConfig::new()
            .with_credentials("a", Credentials::basic("smo", "hunter2"))
            .with_credentials("b", Credentials::Token("hunter2".to_owned()));
        let shown = format!("{config:?}");
        assert!(!shown.contains("hunter2") && !shown.contains("smo"), "{shown}");
    }
}
