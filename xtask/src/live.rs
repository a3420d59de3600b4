//! `cargo xtask live`: the suites against real servers, which are started before and gone afterwards.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Stdio};

use crate::command::Workspace;
use crate::python::Environment;
use crate::report::Report;
use crate::servers;

const KARMADA_PROGRAMS: [&str; 4] = [
    "aggregated-apiserver",
    "webhook",
    "controller-manager",
    "scheduler",
];
const KARMADA_FILES: [&str; 2] = ["crds", "webhook-configuration.yaml"];
/// The variable that names the kubeconfig of a running Karmada.
pub(crate) const KARMADA: &str = "SMO_KARMADA_KUBECONFIG";

/// Runs all live suites: those of Rust, and that of Python in an environment that has the wheel. Without servers: one
/// line, or under CI a failure.
pub(crate) fn test(workspace: &Workspace, rust: bool, python: Option<&Environment<'_>>, report: &mut Report) {
    if !rust && python.is_none() {
        return report.skip("live suites", "they need the wheel");
    }
    let missing = servers::missing(workspace);
    if !missing.is_empty() {
        let line = format!(
            "{} not installed in {}; `cargo xtask servers` installs what is missing",
            missing.join(", "),
            servers::folder(workspace).display()
        );
        if std::env::var("CI").is_ok_and(|value| value == "true") {
            report.step("live servers", || Err(line));
        } else {
            report.skip("live suites", &line);
        }
        return;
    }
    let found = if rust { suites(workspace) } else { Ok(Vec::new()) };
    let suites = match found {
        Ok(suites) if suites.is_empty() && python.is_none() => {
            return report.skip("live suites", "there is no tests/live.rs");
        }
        Ok(suites) => suites,
        Err(fault) => {
            report.step("live suites", || Err(fault));
            return;
        }
    };
    // Built first: servers that wait for a compiler cost memory and time.
    if !report.step("live build", || build(workspace, &suites)) {
        return;
    }
    let karmada = Karmada::find(workspace);
    let mut holder = None;
    let started = report.step("live servers", || {
        let own_karmada = matches!(karmada, Karmada::Programs(_));
        holder = Some(Holder::start(workspace, own_karmada, python.is_some())?);
        Ok(())
    });
    let Some(mut holder) = holder.filter(|_| started) else {
        return;
    };
    let mut environment = holder.environment.clone();
    environment.insert(
        "SMO_SERVERS_BIN".to_owned(),
        servers::folder(workspace).display().to_string(),
    );
    if let Karmada::Programs(folder) = &karmada {
        environment.insert("KARMADA_BIN".to_owned(), folder.display().to_string());
    }
    let call = |suite: &Suite, chosen: &[&str]| {
        // One test at a time: some kill a member that others use. Not captured: what they measured is of interest.
        let call = workspace
            .cargo()
            .args(["test", "--quiet", "--package", &suite.package])
            .args(["--features", &suite.features]);
        let variables = environment.iter();
        let call = variables.fold(call, |call, (name, value)| call.env(name, value));
        let call = call.env("INSTA_UPDATE", "no").args(["--test", suite.target]);
        call.args(["--", "--test-threads=1", "--nocapture"]).args(chosen)
    };
    let (rig, rest): (Vec<&Suite>, Vec<&Suite>) = suites.iter().partition(|suite| suite.package == RIG);
    for suite in rig {
        report.step(suite.step, || call(suite, &[]).run());
    }
    // It has servers of its own, so it runs beside those on Karmada, but for the module that is about Karmada.
    let (api, others): (Vec<&Suite>, Vec<&Suite>) = rest.into_iter().partition(|suite| suite.target == API);
    let beside: Vec<_> = api
        .into_iter()
        .map(|suite| {
            let log = workspace.path(&format!("target/live/{}.log", suite.package));
            (suite, call(suite, &["--skip", ON_KARMADA]).aside(&log))
        })
        .collect();
    for suite in others {
        report.step(suite.step, || call(suite, &[]).run());
    }
    for (suite, started) in beside {
        report.step(suite.step, || started?.end());
        report.step("api: on Karmada", || call(suite, &[ON_KARMADA]).run());
    }
    if let Some(python) = python {
        python.live(&environment, report);
    }
    report.step("live end", || holder.end());
    match karmada {
        Karmada::Programs(folder) => {
            println!(
                "live: the Karmada suite ran, with the programs of {}",
                folder.display()
            );
        }
        Karmada::Running(kubeconfig) => {
            println!("live: the Karmada suite ran, on the one that {kubeconfig} names")
        }
        Karmada::Absent(why) => report.skip("live Karmada", &why),
    }
}

/// Writes `benches/REPORT.md`: what acts take on a real Karmada. Without one there is nothing to measure.
pub(crate) fn measure(workspace: &Workspace, report: &mut Report) {
    let missing = servers::missing(workspace);
    let karmada = match Karmada::find(workspace) {
        _ if !missing.is_empty() => Err(format!(
            "{} not installed; `cargo xtask servers` installs what is missing",
            missing.join(", ")
        )),
        Karmada::Programs(folder) => Ok(folder),
        Karmada::Running(_) => Err(format!(
            "{KARMADA} is set; the report starts a Karmada of its own"
        )),
        Karmada::Absent(why) => Err(why),
    };
    report.step("report on Karmada", || {
        let bench = [
            "test",
            "--quiet",
            "--package",
            "smo",
            "--features",
            "artifact,karmada",
            "--bench",
            "karmada",
        ];
        workspace
            .cargo()
            .args(bench)
            .env("KARMADA_BIN", &karmada?.display().to_string())
            .env(
                "SMO_SERVERS_BIN",
                &servers::folder(workspace).display().to_string(),
            )
            .env(
                "SMO_REPORT",
                &workspace.path("benches/REPORT.md").display().to_string(),
            )
            .run()
    });
}

/// Test targets that hold live tests: on an API server alone, and on whatever else there is.
const TARGETS: [&str; 2] = [API, "live"];
const API: &str = "api";
/// The module of an API suite that needs a whole Karmada.
const ON_KARMADA: &str = "karmada::";
/// The package of the rig.
const RIG: &str = "smo-testbed";

/// A test target of a package with live tests.
#[derive(Debug, PartialEq, Eq)]
struct Suite {
    package: String,
    target: &'static str,
    /// The features without which it is not built, with commas between them.
    features: String,
    step: &'static str,
}

/// Every package of the workspace with a `tests/api` or `tests/live`, the rig's own first.
fn suites(workspace: &Workspace) -> Result<Vec<Suite>, String> {
    let text = workspace
        .cargo()
        .args(["metadata", "--format-version", "1", "--no-deps"])
        .output()?;
    let metadata: serde_json::Value =
        serde_json::from_str(&text).map_err(|error| format!("cargo metadata: {error}"))?;
    Ok(suites_of(&metadata))
}

fn suites_of(metadata: &serde_json::Value) -> Vec<Suite> {
    let list = |value: &serde_json::Value| value.as_array().cloned().unwrap_or_default();
    let text = |value: &serde_json::Value| value.as_str().map(str::to_owned);
    let suite = |package: &serde_json::Value, name: &'static str| {
        let is = |target: &serde_json::Value| target["name"] == name && target["kind"][0] == "test";
        let target = list(&package["targets"]).into_iter().find(is)?;
        let features: Vec<String> = list(&target["required-features"])
            .iter()
            .filter_map(text)
            .collect();
        let package = text(&package["name"])?;
        Some(Suite {
            // The names of steps live as long as the program.
            step: String::leak(format!("{name}: {package}")),
            features: features.join(","),
            package,
            target: name,
        })
    };
    let packages = list(&metadata["packages"]);
    let all = packages
        .iter()
        .flat_map(|package| TARGETS.map(|name| suite(package, name)));
    let mut suites: Vec<Suite> = all.flatten().collect();
    // The rig first: where it does not work, nothing else does.
    suites.sort_by_key(|suite| (suite.package != RIG, suite.package.clone(), suite.target));
    suites
}

fn build(workspace: &Workspace, suites: &[Suite]) -> Result<(), String> {
    workspace
        .cargo()
        .args(["build", "--quiet", "--package", "smo-testbed"])
        .run()?;
    suites.iter().try_for_each(|suite| {
        workspace
            .cargo()
            .args([
                "test",
                "--quiet",
                "--no-run",
                "--test",
                suite.target,
                "--package",
                &suite.package,
                "--features",
                &suite.features,
            ])
            .run()
    })
}

/// Whether there is a Karmada to test on.
#[derive(Debug, PartialEq, Eq)]
enum Karmada {
    /// Its programs are in this folder.
    Programs(PathBuf),
    /// One runs already; its kubeconfig.
    Running(String),
    /// Neither, and what to do.
    Absent(String),
}

impl Karmada {
    fn find(workspace: &Workspace) -> Self {
        let set = |name: &str| std::env::var(name).ok().filter(|value| !value.is_empty());
        let folder = |name: &str, default: &str| workspace.path(&set(name).unwrap_or(default.to_owned()));
        Self::judge(
            set(KARMADA),
            &folder("KARMADA_BIN", "target/servers/karmada"),
            &folder("SMO_KARMADA_FILES", "../shared/testbed/karmada-1.18.2"),
        )
    }

    fn judge(running: Option<String>, programs: &Path, files: &Path) -> Self {
        if let Some(kubeconfig) = running {
            return Self::Running(kubeconfig);
        }
        let absent = |folder: &Path, names: &[&str]| -> Option<String> {
            let absent: Vec<&str> = names
                .iter()
                .copied()
                // Programs of a release are called `karmada-...`.
                .filter(|name| {
                    !folder.join(name).exists() && !folder.join(format!("karmada-{name}")).exists()
                })
                .collect();
            (!absent.is_empty()).then(|| format!("{} has no {}", folder.display(), absent.join(", ")))
        };
        if let Some(fault) = absent(programs, &KARMADA_PROGRAMS) {
            return Self::Absent(format!(
                "{fault}; KARMADA_BIN names the programs of a Karmada release, {KARMADA} a running Karmada"
            ));
        }
        match absent(files, &KARMADA_FILES) {
            Some(fault) => Self::Absent(format!(
                "{fault}; SMO_KARMADA_FILES names the CRDs and the webhook configuration of a Karmada release"
            )),
            None => Self::Programs(programs.to_owned()),
        }
    }
}

/// The process that holds the servers: they end when its input does, so when this program does.
struct Holder {
    process: Child,
    groups: Vec<String>,
    environment: BTreeMap<String, String>,
}

impl Holder {
    fn start(workspace: &Workspace, karmada: bool, registry: bool) -> Result<Self, String> {
        let mut call = workspace
            .cargo()
            .args(["run", "--quiet", "--package", "smo-testbed", "--", "api"]);
        if karmada {
            call = call.args(["karmada"]);
        }
        if registry {
            call = call.args(["registry"]);
        }
        let bin = servers::folder(workspace).display().to_string();
        let mut process = call.env("SMO_SERVERS_BIN", &bin).start()?;
        let output = process.stdout.take().map(BufReader::new);
        let mut holder = Self {
            process,
            groups: Vec::new(),
            environment: BTreeMap::new(),
        };
        for line in output.into_iter().flat_map(BufRead::lines).map_while(Result::ok) {
            match line.split_once('=') {
                None if line == "ready" => return Ok(holder),
                Some(("group", id)) => holder.groups.push(id.to_owned()),
                Some((name, value)) => {
                    println!("{name}={value}");
                    holder.environment.insert(name.to_owned(), value.to_owned());
                }
                None => println!("{line}"),
            }
        }
        let status = holder.process.wait().map_err(|error| error.to_string())?;
        Err(format!(
            "the servers did not start ({status}); the reason is above, their logs below target/live"
        ))
    }

    /// Ends all servers and makes sure that they are gone.
    fn end(&mut self) -> Result<(), String> {
        drop(self.process.stdin.take());
        let status = self.process.wait().map_err(|error| error.to_string())?;
        if !status.success() {
            return Err(format!("the process that held the servers ended with {status}"));
        }
        let left: Vec<&str> = self
            .groups
            .iter()
            .map(String::as_str)
            .filter(|group| group_runs(group))
            .collect();
        if left.is_empty() {
            println!("every server is gone");
            Ok(())
        } else {
            Err(format!("process groups still run: {}", left.join(", ")))
        }
    }
}

fn group_runs(group: &str) -> bool {
    std::process::Command::new("/bin/sh")
        .args(["-c", "kill -s 0 -- \"-$1\"", "sh", group])
        .stderr(Stdio::null())
        .status()
        .is_ok_and(|status| status.success())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn packages_with_live_tests_are_found() {
        let target = |name: &str, kind: &str| json!({"name": name, "kind": [kind]});
        let metadata = json!({"packages": [
            {"name": "smo", "targets": [
                {"name": "live", "kind": ["test"], "required-features": ["artifact", "karmada"]},
            ]},
            {"name": "smo-core", "targets": [target("smo_core", "lib"), target("live", "example")]},
            {"name": "smo-karmada", "targets": [target("smo_karmada", "lib"), target("live", "test"), target("api", "test")]},
            {"name": "smo-testbed", "targets": [target("live", "test")]},
        ]});
        let found = suites_of(&metadata);
        let steps: Vec<&str> = found.iter().map(|suite| suite.step).collect();
        assert_eq!(
            steps,
            [
                "live: smo-testbed",
                "live: smo",
                "api: smo-karmada",
                "live: smo-karmada"
            ]
        );
        let features: Vec<&str> = found.iter().map(|suite| suite.features.as_str()).collect();
        assert_eq!(features, ["", "artifact,karmada", "", ""]);
    }

    #[test]
    fn what_karmada_lacks_is_named() {
        let folder = std::env::temp_dir().join(format!("smo-xtask-{}-karmada", std::process::id()));
        std::fs::create_dir_all(folder.join("crds")).expect("a folder");
        let here = folder.display();
        for name in ["aggregated-apiserver", "webhook", "karmada-scheduler"] {
            std::fs::write(folder.join(name), "").expect("a program");
        }
        assert_eq!(
            Karmada::judge(None, &folder, &folder),
            Karmada::Absent(format!(
                "{here} has no controller-manager; KARMADA_BIN names the programs of a Karmada release, \
                 SMO_KARMADA_KUBECONFIG a running Karmada"
            ))
        );
        std::fs::write(folder.join("controller-manager"), "").expect("a program");
        assert_eq!(
            Karmada::judge(None, &folder, &folder),
            Karmada::Absent(format!(
                "{here} has no webhook-configuration.yaml; SMO_KARMADA_FILES names the CRDs and the webhook configuration \
                 of a Karmada release"
            ))
        );
        std::fs::write(folder.join("webhook-configuration.yaml"), "").expect("a file");
        assert_eq!(
            Karmada::judge(None, &folder, &folder),
            Karmada::Programs(folder.clone())
        );
        assert_eq!(
            Karmada::judge(Some("config".to_owned()), &folder, &folder),
            Karmada::Running("config".to_owned())
        );
        std::fs::remove_dir_all(&folder).expect("the folder goes");
    }
}
