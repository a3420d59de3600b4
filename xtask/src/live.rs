//! `cargo xtask live`: the suites against real servers, which are started before and gone afterwards.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Stdio};

use crate::command::{Call, Workspace};
use crate::python::Environment;
use crate::report::Report;
use crate::rust::MEMBERS;
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
    // Built first: servers that wait for a compiler cost memory and time.
    let mut built = None;
    report.step("live build", || {
        built = Some(Built::new(workspace)?);
        Ok(())
    });
    let Some(mut built) = built else { return };
    if !rust {
        built.suites.clear();
    }
    let karmada = Karmada::find(workspace);
    let mut holder = None;
    let started = report.step("live servers", || {
        let own_karmada = matches!(karmada, Karmada::Programs(_));
        let call = workspace.program(&built.testbed);
        holder = Some(Holder::start(workspace, call, own_karmada, python.is_some())?);
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
        let call = workspace.program(&suite.executable).folder(&suite.folder);
        let variables = environment.iter();
        let call = variables.fold(call, |call, (name, value)| call.env(name, value));
        let call = call.env("INSTA_UPDATE", "no");
        call.args(["--test-threads=1", "--nocapture"]).args(chosen)
    };
    let (rig, rest): (Vec<&Suite>, Vec<&Suite>) = built.suites.iter().partition(|suite| suite.package == RIG);
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
        workspace
            .cargo()
            .args(["test", "--quiet"])
            .args(MEMBERS)
            .args(["--bench", "karmada"])
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

/// A program of live tests.
#[derive(Debug, PartialEq, Eq)]
struct Suite {
    package: String,
    target: &'static str,
    executable: PathBuf,
    /// The folder of its package, where it runs.
    folder: PathBuf,
    step: &'static str,
}

/// The programs that live tests need. They are built as the step "tests" builds them, so that nothing is built twice.
#[derive(Debug, PartialEq, Eq)]
struct Built {
    /// The program that holds the servers.
    testbed: PathBuf,
    /// Every `tests/api` and `tests/live`, the rig's own first.
    suites: Vec<Suite>,
}

impl Built {
    fn new(workspace: &Workspace) -> Result<Self, String> {
        let targets = TARGETS.iter().flat_map(|target| ["--test", target]);
        let messages = workspace
            .cargo()
            .args([
                "test",
                "--quiet",
                "--no-run",
                "--message-format=json-render-diagnostics",
            ])
            .args(MEMBERS)
            .args(targets)
            .output()?;
        Self::of(&messages)
    }

    /// From the messages of Cargo, an object a line.
    fn of(messages: &str) -> Result<Self, String> {
        let (mut testbed, mut suites) = (None, Vec::new());
        for line in messages.lines().filter(|line| line.starts_with('{')) {
            let artifact: serde_json::Value =
                serde_json::from_str(line).map_err(|error| format!("the messages of cargo: {error}"))?;
            let text = |pointer: &str| artifact.pointer(pointer).and_then(serde_json::Value::as_str);
            let (Some(executable), Some(name), Some(package)) = (
                text("/executable").map(PathBuf::from),
                text("/target/name"),
                text("/package_id").map(package_name),
            ) else {
                continue;
            };
            if package == RIG && text("/target/kind/0") == Some("bin") {
                testbed = Some(executable);
                continue;
            }
            let folder = text("/manifest_path").and_then(|path| Path::new(path).parent());
            let known = TARGETS.into_iter().find(|target| *target == name);
            if let (Some(target), Some(folder)) = (known, folder) {
                suites.push(Suite {
                    // The names of steps live as long as the program.
                    step: String::leak(format!("{target}: {package}")),
                    package: package.to_owned(),
                    target,
                    executable,
                    folder: folder.to_owned(),
                });
            }
        }
        // The rig first: where it does not work, nothing else does.
        suites.sort_by_key(|suite| (suite.package != RIG, suite.package.clone(), suite.target));
        let testbed = testbed.ok_or_else(|| format!("cargo built no program of {RIG}"))?;
        Ok(Self { testbed, suites })
    }
}

/// The name in the id of a package: `path+file:///folder/name#version` or `path+file:///folder#name@version`.
fn package_name(id: &str) -> &str {
    let (path, version) = id.split_once('#').unwrap_or((id, ""));
    match version.split_once('@') {
        Some((name, _)) => name,
        None => path.rsplit('/').next().unwrap_or(path),
    }
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
    /// `call` is that of the program that holds them.
    fn start(workspace: &Workspace, call: Call, karmada: bool, registry: bool) -> Result<Self, String> {
        let mut call = call.args(["api"]);
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
    fn programs_with_live_tests_are_found() {
        let artifact = |id: &str, kind: &str, name: &str, executable: Option<&str>| {
            json!({
                "reason": "compiler-artifact", "package_id": id, "manifest_path": "/w/Cargo.toml",
                "target": {"kind": [kind], "name": name}, "executable": executable,
            })
        };
        let messages = [
            artifact("path+file:///w#smo@0.1.0", "test", "live", Some("/t/live-1")),
            artifact("path+file:///w/smo-core#0.1.0", "lib", "smo_core", None),
            artifact(
                "path+file:///w/smo-karmada#0.1.0",
                "test",
                "live",
                Some("/t/live-2"),
            ),
            artifact(
                "path+file:///w/smo-karmada#0.1.0",
                "test",
                "api",
                Some("/t/api-1"),
            ),
            artifact(
                "path+file:///w/smo-testbed#0.1.0",
                "bin",
                "testbed",
                Some("/t/testbed"),
            ),
            artifact(
                "path+file:///w/smo-testbed#0.1.0",
                "test",
                "live",
                Some("/t/live-3"),
            ),
            json!({"reason": "build-finished", "success": true}),
        ];
        let messages: Vec<String> = messages.iter().map(ToString::to_string).collect();
        let built = Built::of(&messages.join("\n")).expect("programs");
        let steps: Vec<&str> = built.suites.iter().map(|suite| suite.step).collect();
        assert_eq!(
            steps,
            [
                "live: smo-testbed",
                "live: smo",
                "api: smo-karmada",
                "live: smo-karmada"
            ]
        );
        assert_eq!(built.suites[2].executable, Path::new("/t/api-1"));
        assert_eq!(built.suites[2].folder, Path::new("/w"));
        assert_eq!(built.testbed, Path::new("/t/testbed"));
        assert!(Built::of("{}").is_err());
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
