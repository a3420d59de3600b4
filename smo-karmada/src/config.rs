//! How to reach a Karmada control plane, and under which name to write there.

use std::env;
use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;

use kube::config::{Config, KubeConfigOptions, Kubeconfig, KubeconfigError};
use smo_core::backend::{BackendError, ChartBackend, Clock};

use crate::KarmadaFleet;
use crate::error::KarmadaError;
use crate::facts::FleetFacts;

/// What is done about fields of our objects that somebody else has set since, `kubectl edit` for instance.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Drift {
    /// They are taken back.
    #[default]
    Repair,
    /// They stay, and what would take them back fails with [`KarmadaError::FieldConflict`], which names them and who set
    /// them. What was written before that stays, and is written again by the next attempt.
    Report,
}

/// The kubeconfig of Karmada's API server.
#[derive(Clone, PartialEq, Eq)]
enum Source {
    Path(PathBuf),
    Text(String),
}

/// Where Karmada is and how this library appears there. Made by [`KarmadaConfig::builder`] or
/// [`KarmadaConfig::from_env`]; credentials never reach `Debug`.
#[derive(Clone, PartialEq, Eq)]
pub struct KarmadaConfig {
    source: Source,
    context: Option<String>,
    manager: String,
    drift: Drift,
}

impl fmt::Debug for KarmadaConfig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let source = match &self.source {
            Source::Path(path) => path.display().to_string(),
            Source::Text(_) => "(text)".to_owned(),
        };
        f.debug_struct("KarmadaConfig")
            .field("kubeconfig", &source)
            .field("context", &self.context)
            .field("manager", &self.manager)
            .field("drift", &self.drift)
            .finish()
    }
}

/// Builds a [`KarmadaConfig`].
#[derive(Debug, Clone, Default)]
pub struct KarmadaConfigBuilder {
    path: Option<PathBuf>,
    text: Option<Hidden>,
    context: Option<String>,
    manager: Option<String>,
    drift: Drift,
}

/// A text that `Debug` does not show.
#[derive(Clone)]
struct Hidden(String);

impl fmt::Debug for Hidden {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("***")
    }
}

impl KarmadaConfig {
    /// The variable that names the kubeconfig of Karmada; `KUBECONFIG` is read when it is not set.
    pub const KUBECONFIG: &'static str = "SMO_KARMADA_KUBECONFIG";
    /// The variable that names the context in it; the current one when it is not set.
    pub const CONTEXT: &'static str = "SMO_KARMADA_CONTEXT";
    /// The name under which this library writes when nothing else is said.
    pub const DEFAULT_MANAGER: &'static str = "smo";

    /// Begins a configuration.
    ///
    /// ```
    /// use smo_karmada::KarmadaConfig;
    /// let config = KarmadaConfig::builder().with_kubeconfig_path("/etc/karmada/karmada.config").build()?;
    /// # Ok::<(), smo_karmada::KarmadaError>(())
    /// ```
    #[must_use]
    pub fn builder() -> KarmadaConfigBuilder {
        KarmadaConfigBuilder::default()
    }

    /// The configuration that the environment gives: [`Self::KUBECONFIG`] or `KUBECONFIG`, and [`Self::CONTEXT`].
    ///
    /// # Errors
    /// When neither names a kubeconfig.
    pub fn from_env() -> Result<Self, KarmadaError> {
        Self::from_variables(|name| env::var(name).ok())
    }

    fn from_variables(variable: impl Fn(&str) -> Option<String>) -> Result<Self, KarmadaError> {
        let set = |name: &str| variable(name).filter(|value| !value.trim().is_empty());
        // KUBECONFIG may be a list; Karmada's file is the first of it.
        let listed = || {
            let list = set("KUBECONFIG")?;
            env::split_paths(&list).next()
        };
        let path = set(Self::KUBECONFIG).map(PathBuf::from).or_else(listed);
        let mut builder = Self::builder();
        builder.path = path;
        builder.context = set(Self::CONTEXT);
        builder.build()
    }

    /// The name under which this library writes: its field manager, and `app.kubernetes.io/managed-by` of its objects.
    #[must_use]
    pub fn manager(&self) -> &str {
        &self.manager
    }

    /// What is done about fields of our objects that somebody else has set since.
    #[must_use]
    pub fn drift(&self) -> Drift {
        self.drift
    }

    /// The same with another answer to such fields.
    #[must_use]
    pub fn with_drift(mut self, drift: Drift) -> Self {
        self.drift = drift;
        self
    }

    /// Connects, with `charts` for services that are charts. Nothing is sent yet.
    ///
    /// # Errors
    /// `Invalid` when the kubeconfig cannot be read.
    pub async fn connect(
        &self,
        charts: Box<dyn ChartBackend>,
        clock: Arc<dyn Clock>,
    ) -> Result<KarmadaFleet, BackendError> {
        let (client, address) = self
            .reach()
            .await
            .map_err(|error| error.during("connect to Karmada"))?;
        let mut fleet = KarmadaFleet::new(client, &self.manager, charts, clock, FleetFacts::new());
        fleet.client.address = Some(address);
        Ok(fleet.with_drift(self.drift))
    }

    /// A client for Karmada's API server, for what this crate does not do.
    ///
    /// # Errors
    /// When the kubeconfig cannot be read.
    pub async fn client(&self) -> Result<kube::Client, KarmadaError> {
        self.reach().await.map(|(client, _)| client)
    }

    /// A client, and the address that it asks.
    async fn reach(&self) -> Result<(kube::Client, String), KarmadaError> {
        install_crypto_provider();
        let kubeconfig = match &self.source {
            Source::Path(path) => Kubeconfig::read_from(path).map_err(unusable)?,
            Source::Text(text) => Kubeconfig::from_yaml(text).map_err(unusable)?,
        };
        let options = KubeConfigOptions {
            context: self.context.clone(),
            ..KubeConfigOptions::default()
        };
        check_user(&kubeconfig, self.context.as_deref())?;
        let mut config = Config::from_custom_kubeconfig(kubeconfig, &options)
            .await
            .map_err(unusable)?;
        // What is down is told at once and not after half a minute of trying.
        config.default_retry = false;
        check_address(&config)?;
        let address = config.cluster_url.to_string();
        let client = kube::Client::try_from(config).map_err(|error| KarmadaError::from_kube("", error))?;
        Ok((client, address.trim_end_matches('/').to_owned()))
    }
}

impl KarmadaConfigBuilder {
    /// Reads the kubeconfig of Karmada's API server from a file, at [`KarmadaConfig::connect`].
    #[must_use]
    pub fn with_kubeconfig_path(mut self, path: impl Into<PathBuf>) -> Self {
        self.path = Some(path.into());
        self
    }

    /// Takes the kubeconfig itself. It goes before a path.
    #[must_use]
    pub fn with_kubeconfig_text(mut self, text: impl Into<String>) -> Self {
        self.text = Some(Hidden(text.into()));
        self
    }

    /// Uses this context of the kubeconfig instead of its current one.
    #[must_use]
    pub fn with_context(mut self, context: impl Into<String>) -> Self {
        self.context = Some(context.into());
        self
    }

    /// Writes under this name, so that two installations of this library on one Karmada stay apart. It is the field
    /// manager and the label `app.kubernetes.io/managed-by`.
    #[must_use]
    pub fn with_manager(mut self, manager: impl Into<String>) -> Self {
        self.manager = Some(manager.into());
        self
    }

    /// Says what is done about fields that somebody else has set since. They are taken back when nothing is said.
    #[must_use]
    pub fn with_drift(mut self, drift: Drift) -> Self {
        self.drift = drift;
        self
    }

    /// The configuration.
    ///
    /// # Errors
    /// When no kubeconfig was given, or the manager is no DNS label.
    pub fn build(self) -> Result<KarmadaConfig, KarmadaError> {
        let source = match (self.text, self.path) {
            (Some(Hidden(text)), _) => Source::Text(text),
            (None, Some(path)) => Source::Path(path),
            (None, None) => return Err(KarmadaError::Kubeconfig("none was named".to_owned())),
        };
        let manager = self
            .manager
            .unwrap_or_else(|| KarmadaConfig::DEFAULT_MANAGER.to_owned());
        if !smo_core::id::is_dns_label(&manager) {
            return Err(KarmadaError::Configuration(format!(
                "the manager `{manager}` is no DNS label (lower-case letters, digits and `-`, 63 at most)"
            )));
        }
        Ok(KarmadaConfig {
            source,
            context: self.context,
            manager,
            drift: self.drift,
        })
    }
}

/// What is wrong with a kubeconfig, in words without quotes of quotes.
fn unusable(error: KubeconfigError) -> KarmadaError {
    KarmadaError::Kubeconfig(match error {
        KubeconfigError::ReadConfig(error, path) => format!("{}: {error}", path.display()),
        // What follows the first line quotes the file, which may hold a token.
        KubeconfigError::Parse(error) => {
            let said = error.to_string();
            let first = said.lines().next().unwrap_or_default();
            first.trim_start_matches("error: ").to_owned()
        }
        KubeconfigError::CurrentContextNotSet => "it has no current-context".to_owned(),
        KubeconfigError::LoadContext(context) => format!("it has no context `{context}`"),
        KubeconfigError::LoadClusterOfContext(cluster) => format!("it has no cluster `{cluster}`"),
        other => other.to_string(),
    })
}

/// Without this, a context whose user does not exist would go on as nobody.
fn check_user(kubeconfig: &Kubeconfig, context: Option<&str>) -> Result<(), KarmadaError> {
    let chosen = context.or(kubeconfig.current_context.as_deref());
    let context = kubeconfig
        .contexts
        .iter()
        .find(|context| Some(context.name.as_str()) == chosen)
        .and_then(|named| named.context.as_ref());
    let user = context.and_then(|context| context.user.as_ref());
    match user.filter(|user| !kubeconfig.auth_infos.iter().any(|info| info.name == **user)) {
        Some(user) => Err(KarmadaError::Kubeconfig(format!("it has no user `{user}`"))),
        None => Ok(()),
    }
}

/// Without this, an address without a scheme would end a task of the client.
fn check_address(config: &Config) -> Result<(), KarmadaError> {
    let address = &config.cluster_url;
    let complete = matches!(address.scheme_str(), Some("http" | "https")) && address.host().is_some();
    if complete {
        Ok(())
    } else {
        let why = format!("the server `{address}` is no address (https://host:port)");
        Err(KarmadaError::Kubeconfig(why))
    }
}

/// rustls takes its cryptography from a provider of the process. Where the host has installed one, that one stays.
fn install_crypto_provider() {
    let _already_installed = rustls::crypto::ring::default_provider().install_default();
}

#[cfg(test)]
mod tests {
    use super::*;

    fn variables(pairs: &'static [(&'static str, &'static str)]) -> impl Fn(&str) -> Option<String> {
        move |name| {
            pairs
                .iter()
                .find(|(key, _)| *key == name)
                .map(|(_, value)| (*value).to_owned())
        }
    }

    #[test]
    fn the_environment_names_the_kubeconfig() {
        let both = KarmadaConfig::from_variables(variables(&[
            ("SMO_KARMADA_KUBECONFIG", "/k"),
            ("KUBECONFIG", "/other"),
            ("SMO_KARMADA_CONTEXT", "c"),
        ]));
        insta::assert_snapshot!(format!("{:?}", both.unwrap()), @r#"KarmadaConfig { kubeconfig: "/k", context: Some("c"), manager: "smo", drift: Repair }"#);
        let list = KarmadaConfig::from_variables(variables(&[
            ("SMO_KARMADA_KUBECONFIG", " "),
            ("KUBECONFIG", "/a:/b"),
        ]));
        insta::assert_snapshot!(format!("{:?}", list.unwrap()), @r#"KarmadaConfig { kubeconfig: "/a", context: None, manager: "smo", drift: Repair }"#);
        let none = KarmadaConfig::from_variables(variables(&[])).unwrap_err();
        insta::assert_snapshot!(none.during("connect"), @"connect: no usable kubeconfig: none was named (name Karmada's kubeconfig in SMO_KARMADA_KUBECONFIG or KUBECONFIG, and check its current-context)");
    }

    #[test]
    fn secrets_never_reach_debug() {
        let builder = KarmadaConfig::builder().with_kubeconfig_text("users: [{user: {token: hunter2}}]");
        assert!(!format!("{builder:?}").contains("hunter2"));
        assert!(!format!("{:?}", builder.build().unwrap()).contains("hunter2"));
    }

    #[tokio::test]
    async fn an_unusable_kubeconfig_says_why() {
        let mut shown = String::new();
        let configs = [
            KarmadaConfig::builder().with_kubeconfig_path("/nowhere/karmada.config"),
            KarmadaConfig::builder().with_kubeconfig_text("a: [b"),
            KarmadaConfig::builder().with_kubeconfig_text("kind: Config"),
            KarmadaConfig::builder()
                .with_kubeconfig_text("kind: Config\ncurrent-context: k")
                .with_context("nosuch"),
        ];
        for config in configs {
            let error = config.build().unwrap().client().await.err().unwrap();
            shown.push_str(&format!("{}\n", error.to_string().lines().next().unwrap()));
        }
        insta::assert_snapshot!(shown, @"
        no usable kubeconfig: /nowhere/karmada.config: No such file or directory (os error 2)
        no usable kubeconfig: line 1 column 4: unclosed bracket '['
        no usable kubeconfig: it has no current-context
        no usable kubeconfig: it has no context `nosuch`
        ");
    }
}
