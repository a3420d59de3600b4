//! What is said to Helm, by major version.

use std::ffi::OsString;
use std::path::Path;

use smo_core::backend::ReleaseName;
use smo_core::id::Project;

use super::config::HelmConfig;

/// The major version of Helm.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Major {
    Three,
    Four,
}

/// Makes the arguments of a call.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Arguments<'a> {
    pub(crate) config: &'a HelmConfig,
    pub(crate) major: Major,
}

impl Arguments<'_> {
    /// Installs or upgrades; values come on standard input.
    pub(crate) fn apply(self, release: &ReleaseName, chart: &Path) -> Vec<OsString> {
        let mut all = self.of_release(&["upgrade"], release);
        all.push(chart.into());
        let history = self.config.history.to_string();
        // `--reset-values`: without it Helm keeps the values of the revision before when none are given.
        all.extend(words(&[
            "--install",
            "--create-namespace",
            "--reset-values",
            "--values",
            "-",
            "--output",
            "json",
        ]));
        all.extend(words(&["--history-max", &history]));
        all.extend(self.hooks());
        all.extend(self.owner());
        all
    }

    pub(crate) fn rollback(self, release: &ReleaseName, revision: u64) -> Vec<OsString> {
        let mut all = self.of_release(&["rollback"], release);
        let history = self.config.history.to_string();
        all.extend(words(&[&revision.to_string(), "--history-max", &history]));
        all.extend(self.hooks());
        all.extend(self.owner());
        all
    }

    pub(crate) fn uninstall(self, release: &ReleaseName) -> Vec<OsString> {
        let mut all = self.of_release(&["uninstall"], release);
        all.extend(words(&["--ignore-not-found", "--cascade", "background"]));
        all.extend(self.hooks());
        all
    }

    pub(crate) fn values(self, release: &ReleaseName) -> Vec<OsString> {
        let mut all = self.of_release(&["get", "values"], release);
        all.extend(words(&["--output", "json"]));
        all
    }

    pub(crate) fn history(self, release: &ReleaseName) -> Vec<OsString> {
        let mut all = self.of_release(&["history"], release);
        all.extend(words(&["--max", "256", "--output", "json"]));
        all
    }

    /// Releases in every state: of a namespace or all, of one name or any.
    pub(crate) fn list(
        self,
        namespace: Option<&Project>,
        name: Option<&str>,
        offset: usize,
    ) -> Vec<OsString> {
        let mut all = words(&[
            "list",
            "--output",
            "json",
            "--max",
            "256",
            "--offset",
            &offset.to_string(),
        ]);
        // Helm 4 shows every state, and knows no `--all`.
        if self.major == Major::Three {
            all.push("--all".into());
        }
        match namespace {
            Some(namespace) => all.extend(words(&["--namespace", namespace.as_str()])),
            None => all.push("--all-namespaces".into()),
        }
        if let Some(name) = name {
            all.extend(words(&["--filter", &format!("^{name}$")]));
        }
        all.extend(self.control_plane());
        all
    }

    /// Renders without a control plane; values come on standard input.
    pub(crate) fn render(self, release: &ReleaseName, chart: &Path) -> Vec<OsString> {
        let mut all = words(&["template", release.name.as_str()]);
        all.push(chart.into());
        all.extend(words(&[
            "--namespace",
            release.namespace.as_str(),
            "--values",
            "-",
        ]));
        all.extend(words(&["--include-crds", "--skip-tests"]));
        all.extend(self.hooks());
        for version in &self.config.api_versions {
            all.extend(words(&["--api-versions", version]));
        }
        if let Some(version) = &self.config.kube_version {
            all.extend(words(&["--kube-version", version]));
        }
        all
    }

    fn of_release(self, command: &[&str], release: &ReleaseName) -> Vec<OsString> {
        let mut all = words(command);
        all.extend(words(&[
            release.name.as_str(),
            "--namespace",
            release.namespace.as_str(),
        ]));
        all.extend(self.control_plane());
        all
    }

    fn control_plane(self) -> Vec<OsString> {
        let mut all = Vec::new();
        if let Some(path) = &self.config.kubeconfig {
            all.extend(["--kubeconfig".into(), path.into()]);
        }
        if let Some(context) = &self.config.context {
            all.extend(words(&["--kube-context", context]));
        }
        all
    }

    fn hooks(self) -> Vec<OsString> {
        words(if self.config.hooks { &[] } else { &["--no-hooks"] })
    }

    /// The values given win over what others wrote into the fields of the chart, such as a scaled `replicas`. Helm 3
    /// does so anyway; Helm 4 would refuse.
    fn owner(self) -> Vec<OsString> {
        match self.major {
            Major::Three => Vec::new(),
            Major::Four => words(&["--server-side=true", "--force-conflicts"]),
        }
    }
}

fn words(words: &[&str]) -> Vec<OsString> {
    words.iter().map(OsString::from).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(arguments: Vec<OsString>) -> String {
        let words: Vec<_> = arguments.iter().map(|word| word.to_string_lossy()).collect();
        words.join(" ")
    }

    #[test]
    fn every_call() {
        let config = HelmConfig::new()
            .with_kubeconfig("/etc/karmada")
            .with_context("karmada")
            .with_api_versions(["policy.karmada.io/v1alpha1"])
            .with_kube_version("1.33.0");
        let release = ReleaseName {
            namespace: "shop".parse().unwrap(),
            name: "web".parse().unwrap(),
        };
        let chart = Path::new("/tmp/web.tgz");
        let calls = |config: &HelmConfig, major| {
            let to = Arguments { config, major };
            let calls = [
                to.apply(&release, chart),
                to.rollback(&release, 3),
                to.uninstall(&release),
                to.values(&release),
                to.history(&release),
                to.list(Some(&release.namespace), Some("web"), 0),
                to.list(None, None, 256),
                to.render(&release, chart),
            ];
            calls.map(line).join("\n")
        };
        insta::assert_snapshot!(calls(&config, Major::Four), @"
        upgrade web --namespace shop --kubeconfig /etc/karmada --kube-context karmada /tmp/web.tgz --install --create-namespace --reset-values --values - --output json --history-max 10 --server-side=true --force-conflicts
        rollback web --namespace shop --kubeconfig /etc/karmada --kube-context karmada 3 --history-max 10 --server-side=true --force-conflicts
        uninstall web --namespace shop --kubeconfig /etc/karmada --kube-context karmada --ignore-not-found --cascade background
        get values web --namespace shop --kubeconfig /etc/karmada --kube-context karmada --output json
        history web --namespace shop --kubeconfig /etc/karmada --kube-context karmada --max 256 --output json
        list --output json --max 256 --offset 0 --namespace shop --filter ^web$ --kubeconfig /etc/karmada --kube-context karmada
        list --output json --max 256 --offset 256 --all-namespaces --kubeconfig /etc/karmada --kube-context karmada
        template web /tmp/web.tgz --namespace shop --values - --include-crds --skip-tests --api-versions policy.karmada.io/v1alpha1 --kube-version 1.33.0
        ");
        insta::assert_snapshot!(calls(&HelmConfig::new().without_hooks(), Major::Three), @"
        upgrade web --namespace shop /tmp/web.tgz --install --create-namespace --reset-values --values - --output json --history-max 10 --no-hooks
        rollback web --namespace shop 3 --history-max 10 --no-hooks
        uninstall web --namespace shop --ignore-not-found --cascade background --no-hooks
        get values web --namespace shop --output json
        history web --namespace shop --max 256 --output json
        list --output json --max 256 --offset 0 --all --namespace shop --filter ^web$
        list --output json --max 256 --offset 256 --all --all-namespaces
        template web /tmp/web.tgz --namespace shop --values - --include-crds --skip-tests --no-hooks
        ");
        assert!(!calls(&config, Major::Four).contains("--wait"));
    }
}
