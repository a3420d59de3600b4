//! Which programs the live suites need, in which version, and how each is built from a Go module.

use std::path::Path;

/// A program: where it comes from and what it is called here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Recipe {
    /// Its file name.
    pub(crate) name: &'static str,
    /// Its `main` package.
    pub(crate) package: &'static str,
    /// The module of that package, and the pinned version.
    pub(crate) module: &'static str,
    pub(crate) version: &'static str,
    /// `-X` settings of the linker: the version the program says it has. Unset, Kubernetes calls itself v0.0.0 and Helm
    /// refuses charts with a `kubeVersion`.
    pub(super) settings: &'static [(&'static str, &'static str)],
    pub(super) source: Source,
    /// What a build takes on two cores, and of disk space with an empty build cache; for the messages.
    pub(crate) minutes: u32,
    pub(crate) gibibytes: u64,
}

/// How Go can be made to build it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Source {
    /// `go install package@version`.
    Release,
    /// As a dependency of a module of our own, which repairs what the published one leaves open: `go install` refuses
    /// modules with `replace` lines, and Kubernetes requires its parts at a version that does not exist.
    Dependency { parts: &'static [&'static str] },
}

const ETCD: Source = Source::Dependency { parts: &[] };
const KUBERNETES: Source = Source::Dependency {
    parts: &KUBERNETES_PARTS,
};
const KUBERNETES_VERSION: &str = "v1.36.3";
/// The parts' version is that of Kubernetes with 0 in front.
const KUBERNETES_PARTS_VERSION: &str = "v0.36.3";
const KUBERNETES_SETTINGS: &[(&str, &str)] = &[
    ("k8s.io/component-base/version.gitVersion", KUBERNETES_VERSION),
    ("k8s.io/component-base/version.gitMajor", "1"),
    ("k8s.io/component-base/version.gitMinor", "36"),
    ("k8s.io/client-go/pkg/version.gitVersion", KUBERNETES_VERSION),
];
/// Every `k8s.io` module that the go.mod of `k8s.io/kubernetes` requires at v0.0.0.
const KUBERNETES_PARTS: [&str; 33] = [
    "api",
    "apiextensions-apiserver",
    "apimachinery",
    "apiserver",
    "cli-runtime",
    "client-go",
    "cloud-provider",
    "cluster-bootstrap",
    "code-generator",
    "component-base",
    "component-helpers",
    "controller-manager",
    "cri-api",
    "cri-client",
    "cri-streaming",
    "csi-translation-lib",
    "dynamic-resource-allocation",
    "endpointslice",
    "externaljwt",
    "kms",
    "kube-aggregator",
    "kube-controller-manager",
    "kube-proxy",
    "kube-scheduler",
    "kubectl",
    "kubelet",
    "metrics",
    "mount-utils",
    "pod-security-admission",
    "sample-apiserver",
    "sample-cli-plugin",
    "sample-controller",
    "streaming",
];

const fn kubernetes(name: &'static str, package: &'static str, minutes: u32, gibibytes: u64) -> Recipe {
    Recipe {
        name,
        package,
        module: "k8s.io/kubernetes",
        version: KUBERNETES_VERSION,
        settings: KUBERNETES_SETTINGS,
        source: KUBERNETES,
        minutes,
        gibibytes,
    }
}

/// All of them, in the order in which they are built.
pub(crate) const RECIPES: [Recipe; 9] = [
    Recipe {
        name: "etcd",
        package: "go.etcd.io/etcd/server/v3",
        module: "go.etcd.io/etcd/server/v3",
        version: "v3.6.16",
        settings: &[],
        source: ETCD,
        minutes: 1,
        gibibytes: 1,
    },
    kubernetes("kube-apiserver", "k8s.io/kubernetes/cmd/kube-apiserver", 5, 3),
    kubernetes(
        "kube-controller-manager",
        "k8s.io/kubernetes/cmd/kube-controller-manager",
        2,
        1,
    ),
    kubernetes("kube-scheduler", "k8s.io/kubernetes/cmd/kube-scheduler", 1, 1),
    kubernetes("kubectl", "k8s.io/kubernetes/cmd/kubectl", 1, 1),
    Recipe {
        name: "kwok",
        package: "sigs.k8s.io/kwok/cmd/kwok",
        module: "sigs.k8s.io/kwok",
        version: "v0.8.0",
        settings: &[],
        source: Source::Release,
        minutes: 2,
        gibibytes: 1,
    },
    Recipe {
        name: "helm4",
        package: "helm.sh/helm/v4/cmd/helm",
        module: "helm.sh/helm/v4",
        version: "v4.2.4",
        settings: &[("helm.sh/helm/v4/internal/version.version", "v4.2.4")],
        source: Source::Release,
        minutes: 2,
        gibibytes: 1,
    },
    Recipe {
        name: "helm3",
        package: "helm.sh/helm/v3/cmd/helm",
        module: "helm.sh/helm/v3",
        version: "v3.22.0",
        settings: &[
            ("helm.sh/helm/v3/internal/version.version", "v3.22.0"),
            // As its releases: unset, it renders for Kubernetes 1.20 when it is not connected to a cluster.
            ("helm.sh/helm/v3/pkg/chartutil.k8sVersionMajor", "1"),
            ("helm.sh/helm/v3/pkg/chartutil.k8sVersionMinor", "37"),
        ],
        source: Source::Release,
        minutes: 2,
        gibibytes: 1,
    },
    Recipe {
        name: "registry",
        package: "github.com/distribution/distribution/v3/cmd/registry",
        module: "github.com/distribution/distribution/v3",
        version: "v3.1.2",
        settings: &[],
        source: Source::Release,
        minutes: 2,
        gibibytes: 1,
    },
];

impl Recipe {
    /// What the linker is told: no symbols for debuggers, and the version.
    pub(crate) fn linker_flags(&self) -> String {
        let settings = self
            .settings
            .iter()
            .map(|(name, value)| format!(" -X {name}={value}"));
        std::iter::once("-s -w".to_owned()).chain(settings).collect()
    }

    /// What makes two builds the same program.
    pub(crate) fn identity(&self) -> String {
        identity(self.package, self.module, self.version, &self.linker_flags())
    }

    /// The module of ours that it is built in, if it needs one: name of its folder and text of its go.mod.
    pub(crate) fn workshop(&self) -> Option<(&'static str, String)> {
        let Source::Dependency { parts } = self.source else {
            return None;
        };
        let folder = if self.module == "k8s.io/kubernetes" {
            "kubernetes"
        } else {
            "etcd"
        };
        let mut text = format!(
            "module servers/{folder}\n\ngo 1.26.0\n\nrequire {} {}\n",
            self.module, self.version
        );
        if !parts.is_empty() {
            text.push_str("\nreplace (\n");
            for part in parts {
                text.push_str(&format!(
                    "\tk8s.io/{part} => k8s.io/{part} {KUBERNETES_PARTS_VERSION}\n"
                ));
            }
            text.push_str(")\n");
        }
        Some((folder, text))
    }

    /// The arguments of `go` that leave the program at `output`; with `go install`, `output` is in `GOBIN`.
    pub(crate) fn arguments(&self, output: &Path) -> Vec<String> {
        let flags = ["-v".to_owned(), "-ldflags".to_owned(), self.linker_flags()];
        match self.source {
            Source::Release => std::iter::once("install".to_owned())
                .chain(flags)
                .chain([format!("{}@{}", self.package, self.version)])
                .collect(),
            Source::Dependency { .. } => ["build".to_owned(), "-mod=mod".to_owned()]
                .into_iter()
                .chain(flags)
                .chain([
                    "-o".to_owned(),
                    output.display().to_string(),
                    self.package.to_owned(),
                ])
                .collect(),
        }
    }

    /// The file name that `go install` gives it: the last part of the package's path.
    pub(crate) fn built_name(&self) -> &'static str {
        match self.source {
            Source::Release => self.package.rsplit('/').next().unwrap_or(self.name),
            Source::Dependency { .. } => self.name,
        }
    }
}

pub(crate) fn identity(package: &str, module: &str, version: &str, linker_flags: &str) -> String {
    format!("{package} of {module} {version}, linked with {linker_flags}")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn recipe(name: &str) -> Recipe {
        *RECIPES.iter().find(|recipe| recipe.name == name).expect(name)
    }

    #[test]
    fn a_release_is_installed() {
        let helm = recipe("helm4");
        assert_eq!(
            helm.arguments(Path::new("out/helm")),
            [
                "install",
                "-v",
                "-ldflags",
                "-s -w -X helm.sh/helm/v4/internal/version.version=v4.2.4",
                "helm.sh/helm/v4/cmd/helm@v4.2.4"
            ]
        );
        assert_eq!(helm.built_name(), "helm");
        assert_eq!(helm.workshop(), None);
    }

    #[test]
    fn kubernetes_is_built_in_a_module_that_pins_its_parts() {
        let server = recipe("kube-apiserver");
        let (folder, text) = server.workshop().expect("a module");
        assert_eq!(folder, "kubernetes");
        assert!(text.starts_with(
            "module servers/kubernetes\n\ngo 1.26.0\n\nrequire k8s.io/kubernetes v1.36.3\n\nreplace (\n\tk8s.io/api => k8s.io/api v0.36.3\n"
        ));
        assert_eq!(text.matches(" => ").count(), 33);
        assert_eq!(
            server.arguments(Path::new("out/kube-apiserver"))[..2],
            ["build".to_owned(), "-mod=mod".to_owned()]
        );
        assert!(server.linker_flags().contains("gitVersion=v1.36.3"));
    }

    #[test]
    fn etcd_is_built_as_a_dependency() {
        let (folder, text) = recipe("etcd").workshop().expect("a module");
        assert_eq!(folder, "etcd");
        assert_eq!(
            text,
            "module servers/etcd\n\ngo 1.26.0\n\nrequire go.etcd.io/etcd/server/v3 v3.6.16\n"
        );
    }

    #[test]
    fn programs_are_told_apart() {
        let mut names: Vec<_> = RECIPES.map(|recipe| recipe.name).to_vec();
        let mut identities: Vec<_> = RECIPES.map(|recipe| recipe.identity()).to_vec();
        names.sort();
        names.dedup();
        identities.sort();
        identities.dedup();
        assert_eq!((names.len(), identities.len()), (RECIPES.len(), RECIPES.len()));
    }
}
