//! Where the programs and the files of Karmada's release are.

use std::path::{Path, PathBuf};

use crate::error::TestbedError;

/// Programs every testbed needs, by file name.
const SERVERS: [&str; 6] = [
    "etcd",
    "kube-apiserver",
    "kube-controller-manager",
    "kube-scheduler",
    "kubectl",
    "kwok",
];
/// Karmada's own programs that its control plane consists of, by file name; `karmada-` may stand before it.
const KARMADA: [&str; 4] = [
    "aggregated-apiserver",
    "webhook",
    "controller-manager",
    "scheduler",
];

pub(crate) fn workspace_root() -> &'static Path {
    let own = Path::new(env!("CARGO_MANIFEST_DIR"));
    own.parent().unwrap_or(own)
}

fn folder(variable: &str, default: &str) -> PathBuf {
    match std::env::var_os(variable) {
        Some(value) if !value.is_empty() => {
            // Tests run in the folder of their package; people think of the workspace.
            workspace_root().join(value)
        }
        _ => workspace_root().join(default),
    }
}

fn missing(folder: &Path, names: &[&str]) -> Vec<String> {
    let absent = names.iter().filter(|name| !folder.join(name).exists());
    absent.map(|&name| name.to_owned()).collect()
}

/// The once-per-machine installation: `SMO_SERVERS_BIN`, by default `target/servers/bin`.
#[derive(Debug, Clone)]
pub struct Servers {
    folder: PathBuf,
}

impl Servers {
    /// Finds it.
    ///
    /// # Errors
    ///
    /// [`TestbedError::MissingServers`] with every program that is absent.
    pub fn find() -> Result<Self, TestbedError> {
        let folder = folder("SMO_SERVERS_BIN", "target/servers/bin");
        let names = missing(&folder, &SERVERS);
        if names.is_empty() {
            Ok(Self { folder })
        } else {
            Err(TestbedError::MissingServers { folder, names })
        }
    }

    /// A program of the installation, such as `helm4`, `helm3` or `registry`.
    pub fn program(&self, name: &str) -> PathBuf {
        self.folder.join(name)
    }
}

/// Karmada's own programs: `KARMADA_BIN`, by default `target/servers/karmada`.
#[derive(Debug, Clone)]
pub(crate) struct KarmadaPrograms {
    folder: PathBuf,
}

impl KarmadaPrograms {
    pub(crate) fn find() -> Result<Self, TestbedError> {
        let folder = folder("KARMADA_BIN", "target/servers/karmada");
        let absent = KARMADA
            .iter()
            .filter(|name| karmada_program(&folder, name).is_none());
        let names: Vec<String> = absent.map(|&name| name.to_owned()).collect();
        if names.is_empty() {
            Ok(Self { folder })
        } else {
            Err(TestbedError::MissingKarmada {
                folder,
                names,
                hint: "KARMADA_BIN names the folder with the programs of a Karmada release",
            })
        }
    }

    pub(crate) fn program(&self, name: &str) -> PathBuf {
        karmada_program(&self.folder, name).unwrap_or_else(|| self.folder.join(name))
    }
}

/// Releases call it `karmada-webhook`, its folder of sources and so a plain `go build` call it `webhook`.
fn karmada_program(folder: &Path, name: &str) -> Option<PathBuf> {
    let names = [name.to_owned(), format!("karmada-{name}")];
    names
        .map(|name| folder.join(name))
        .into_iter()
        .find(|path| path.exists())
}

/// Files of Karmada's release: `crds/` and `webhook-configuration.yaml` in the folder `SMO_KARMADA_FILES`, by default the
/// reference folder beside the workspace.
#[derive(Debug, Clone)]
pub(crate) struct KarmadaFiles {
    folder: PathBuf,
}

impl KarmadaFiles {
    pub(crate) fn find() -> Result<Self, TestbedError> {
        let folder = folder("SMO_KARMADA_FILES", "../shared/testbed/karmada-1.18.2");
        let names = missing(&folder, &["crds", "webhook-configuration.yaml"]);
        if names.is_empty() {
            Ok(Self { folder })
        } else {
            Err(TestbedError::MissingKarmada {
                folder,
                names,
                hint: "SMO_KARMADA_FILES names a folder with `crds/` and `webhook-configuration.yaml` of a Karmada release",
            })
        }
    }

    pub(crate) fn crds(&self) -> PathBuf {
        self.folder.join("crds")
    }

    /// CRDs of the multi-cluster services API, which members serve too.
    pub(crate) fn member_crds(&self) -> PathBuf {
        self.crds().join("multicluster")
    }

    pub(crate) fn webhook_configuration(&self) -> PathBuf {
        self.folder.join("webhook-configuration.yaml")
    }

    /// CRDs of the Prometheus operator, where they are kept beside.
    pub(crate) fn monitoring_crds(&self) -> Option<PathBuf> {
        let folder = self.folder.parent()?.join("monitoring-crds");
        folder.is_dir().then_some(folder)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn karmadas_programs_go_by_two_names() {
        let folder = std::env::temp_dir().join(format!("smo-testbed-{}-karmada", std::process::id()));
        std::fs::create_dir_all(&folder).expect("a folder");
        for name in ["webhook", "karmada-scheduler"] {
            std::fs::write(folder.join(name), "").expect("a program");
        }
        assert_eq!(karmada_program(&folder, "webhook"), Some(folder.join("webhook")));
        assert_eq!(
            karmada_program(&folder, "scheduler"),
            Some(folder.join("karmada-scheduler"))
        );
        assert_eq!(karmada_program(&folder, "controller-manager"), None);
        std::fs::remove_dir_all(&folder).expect("the folder goes");
    }
}
