//! Where Helm and the control plane are.

use std::path::PathBuf;
use std::time::Duration;

use crate::config::RegistryConfig;

/// Where Helm and the control plane are, and how charts are pulled.
///
/// ```
/// use smo_artifact::{HelmConfig, RegistryConfig};
/// let config = HelmConfig::new()
///     .with_program("/usr/local/bin/helm")
///     .with_kubeconfig("/etc/karmada/apiserver.config")
///     .with_context("karmada-apiserver")
///     .with_registry(RegistryConfig::new().with_plain_http("127.0.0.1:5000"))
///     .with_api_versions(["policy.karmada.io/v1alpha1/PropagationPolicy"]);
/// ```
#[derive(Debug, Clone)]
pub struct HelmConfig {
    pub(crate) program: PathBuf,
    pub(crate) kubeconfig: Option<PathBuf>,
    pub(crate) context: Option<String>,
    pub(crate) timeout: Duration,
    pub(crate) history: u32,
    pub(crate) hooks: bool,
    pub(crate) api_versions: Vec<String>,
    pub(crate) kube_version: Option<String>,
    pub(crate) registry: RegistryConfig,
}

impl Default for HelmConfig {
    fn default() -> Self {
        Self {
            program: PathBuf::from("helm"),
            kubeconfig: None,
            context: None,
            timeout: Duration::from_secs(120),
            history: 10,
            hooks: true,
            api_versions: Vec::new(),
            kube_version: None,
            registry: RegistryConfig::default(),
        }
    }
}

impl HelmConfig {
    /// `helm` in the search path, the kubeconfig of the environment, no registry credentials.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// What the environment says, registries as [`RegistryConfig::from_env`] has it. Variables that are not set change
    /// nothing; without a kubeconfig of its own, Helm reads `KUBECONFIG` as it always does.
    ///
    /// | variable | meaning |
    /// | --- | --- |
    /// | `SMO_HELM` | the program |
    /// | `SMO_KARMADA_KUBECONFIG` | the kubeconfig of the control plane |
    /// | `SMO_KARMADA_CONTEXT` | the context in it |
    #[must_use]
    pub fn from_env() -> Self {
        let config = Self::from_variables(&|name| std::env::var(name).ok());
        config.with_registry(RegistryConfig::from_env())
    }

    fn from_variables(variable: &dyn Fn(&str) -> Option<String>) -> Self {
        let set = |name: &str| variable(name).filter(|value| !value.is_empty());
        let mut config = Self::new();
        if let Some(program) = set("SMO_HELM") {
            config = config.with_program(program);
        }
        if let Some(path) = set("SMO_KARMADA_KUBECONFIG") {
            config = config.with_kubeconfig(path);
        }
        if let Some(context) = set("SMO_KARMADA_CONTEXT") {
            config = config.with_context(context);
        }
        config
    }

    /// Runs this program.
    #[must_use]
    pub fn with_program(mut self, program: impl Into<PathBuf>) -> Self {
        self.program = program.into();
        self
    }

    /// Finds the control plane in this kubeconfig.
    #[must_use]
    pub fn with_kubeconfig(mut self, path: impl Into<PathBuf>) -> Self {
        self.kubeconfig = Some(path.into());
        self
    }

    /// Uses this context of the kubeconfig, not its current one.
    #[must_use]
    pub fn with_context(mut self, context: impl Into<String>) -> Self {
        self.context = Some(context.into());
        self
    }

    /// Ends a run of Helm that takes longer (default 120 s), and takes an operation older than this for cut off.
    #[must_use]
    pub fn with_timeout(mut self, timeout: Duration) -> Self {
        self.timeout = timeout;
        self
    }

    /// Keeps this many revisions of a release (default 10).
    #[must_use]
    pub fn with_history(mut self, revisions: u32) -> Self {
        self.history = revisions;
        self
    }

    /// Leaves out the hooks of charts. Helm waits for the Jobs of hooks, which never end where nothing runs them.
    #[must_use]
    pub fn without_hooks(mut self) -> Self {
        self.hooks = false;
        self
    }

    /// Tells charts that are rendered that these API versions (`group/version` or `group/version/Kind`) are there.
    #[must_use]
    pub fn with_api_versions<T: Into<String>>(mut self, versions: impl IntoIterator<Item = T>) -> Self {
        self.api_versions = versions.into_iter().map(Into::into).collect();
        self
    }

    /// Tells charts that are rendered that the control plane is of this version of Kubernetes, such as `1.33.0`.
    #[must_use]
    pub fn with_kube_version(mut self, version: impl Into<String>) -> Self {
        self.kube_version = Some(version.into());
        self
    }

    /// Pulls charts as this says.
    #[must_use]
    pub fn with_registry(mut self, registry: RegistryConfig) -> Self {
        self.registry = registry;
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_environment_is_read() {
        let config = HelmConfig::from_variables(&|name| match name {
            "SMO_HELM" => Some("/opt/helm4".to_owned()),
            "SMO_KARMADA_KUBECONFIG" => Some("/etc/karmada".to_owned()),
            _ => Some(String::new()),
        });
        assert_eq!(config.program, PathBuf::from("/opt/helm4"));
        assert_eq!(config.kubeconfig, Some(PathBuf::from("/etc/karmada")));
        assert_eq!(config.context, None);
    }
}
