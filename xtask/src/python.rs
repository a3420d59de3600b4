//! The Python half of `cargo xtask test`: builds the wheel, installs it into an environment of its own, tests it there.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use crate::command::{Call, Workspace};
use crate::live::KARMADA;
use crate::report::Report;

const MANIFEST: &str = "smo-python/Cargo.toml";
const PROJECT: &str = "smo-python/pyproject.toml";
const REQUIREMENTS: &str = "smo-python/requirements-dev.txt";
const ENVIRONMENT: &str = "target/python-venv";
const WHEELS: &str = "target/wheels";
const NOTEBOOKS: &str = "examples/python";
const LIVE_NOTEBOOKS: &str = "examples/python/live";
/// Tried in this order, after `$PYTHON`.
const INTERPRETERS: [&str; 6] = [
    "python3",
    "python3.14",
    "python3.13",
    "python3.12",
    "python3.11",
    "python3.10",
];

/// An environment with the wheel in it.
pub(crate) fn wheel<'a>(workspace: &'a Workspace, report: &mut Report) -> Option<Environment<'a>> {
    let environment = Environment {
        workspace,
        folder: workspace.path(ENVIRONMENT),
    };
    if !report.step("python environment", || environment.prepare()) {
        report.skip("python tests", "they need the environment");
        return None;
    }
    if !report.step("python wheel", || environment.install_wheel()) {
        report.skip("python tests", "they need the wheel");
        return None;
    }
    Some(environment)
}

/// Everything but the suite for real servers.
pub(crate) fn test(environment: &Environment<'_>, fast: bool, report: &mut Report) {
    let workspace = environment.workspace;
    report.step("python lint", || {
        let call = workspace
            .cargo()
            .args(["clippy", "--package", "smo-python", "--all-targets"]);
        call.args(["--", "-D", "warnings"]).run()
    });
    report.step("pytest", || {
        let call = environment
            .module("pytest")
            .args(["-c", PROJECT, "-m", "not live"]);
        call.args(["smo-python/tests"]).run()
    });
    if fast {
        return;
    }
    report.step("mypy", || {
        environment.module("mypy").args(["--config-file", PROJECT]).run()
    });
    report.step("stubtest", || {
        environment
            .module("mypy.stubtest")
            .args(["smo", "--mypy-config-file", PROJECT])
            .run()
    });
    match environment.pyright_version() {
        Ok(_) => {
            report.step("pyright", || {
                let python = environment.program("python");
                let call = environment
                    .module("pyright")
                    .args(["--project", "smo-python", "--pythonpath"])
                    .args([python]);
                call.run()
            });
        }
        Err(fault) => report.skip(
            "pyright",
            &format!("it cannot start, mypy alone has checked the types: {fault}"),
        ),
    }
    match notebooks(&workspace.path(NOTEBOOKS)).as_slice() {
        [] => report.skip("notebooks", "there are none in examples/python"),
        found => {
            report.step("notebooks", || environment.notebooks(found).run());
        }
    }
}

fn notebooks(folder: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
    let mut found: Vec<PathBuf> = entries
        .map(|entry| entry.path())
        .filter(|path| path.extension().is_some_and(|end| end == "ipynb"))
        .collect();
    found.sort();
    found
}

/// A virtual environment below `target/`, with the pinned tools and the wheel in it.
#[derive(Debug)]
pub(crate) struct Environment<'a> {
    workspace: &'a Workspace,
    folder: PathBuf,
}

impl Environment<'_> {
    fn program(&self, name: &str) -> PathBuf {
        let (folder, end) = if cfg!(windows) {
            ("Scripts", ".exe")
        } else {
            ("bin", "")
        };
        self.folder.join(folder).join(format!("{name}{end}"))
    }

    /// `python -m name`, in this environment.
    fn module(&self, name: &str) -> Call {
        self.workspace.program(self.program("python")).args(["-m", name])
    }

    /// Pytest on notebooks.
    fn notebooks(&self, found: &[PathBuf]) -> Call {
        let call = self.module("pytest").args(["-c", PROJECT, "--nbmake"]);
        call.args(["--nbmake-kernel=python3", "--nbmake-timeout=300"])
            .args(found)
    }

    /// Runs the suite for real servers, which these variables name; where one of them is a Karmada, notebooks too.
    pub(crate) fn live(&self, variables: &BTreeMap<String, String>, report: &mut Report) {
        let named = |call: Call| {
            let variables = variables.iter();
            variables.fold(call, |call, (name, value)| call.env(name, value))
        };
        report.step("live: python", || {
            let call = named(self.module("pytest")).args(["-c", PROJECT, "-m", "live"]);
            // Not captured: what they measured is of interest. Skipped ones say why.
            call.args(["-rs", "--capture=no", "smo-python/tests"]).run()
        });
        let karmada = std::env::var(KARMADA).is_ok_and(|kubeconfig| !kubeconfig.is_empty());
        if !karmada && !variables.contains_key(KARMADA) {
            return report.skip("live: notebooks", "they need a Karmada");
        }
        report.step("live: notebooks", || {
            let found = notebooks(&self.workspace.path(LIVE_NOTEBOOKS));
            let helm = Path::new(variables.get("SMO_SERVERS_BIN").map_or("", String::as_str)).join("helm4");
            named(self.notebooks(&found))
                .env("SMO_HELM", &helm.display().to_string())
                .run()
        });
    }

    /// Creates the environment and installs the tools, unless the ones asked for are there already.
    fn prepare(&self) -> Result<(), String> {
        let python = self.interpreter()?;
        let requirements = std::fs::read_to_string(self.workspace.path(REQUIREMENTS))
            .map_err(|error| format!("{REQUIREMENTS}: {error}"))?;
        let stamp = self.folder.join("installed.txt");
        let wanted = format!("{python}\n{requirements}");
        if std::fs::read_to_string(&stamp).is_ok_and(|installed| installed == wanted) {
            println!("{ENVIRONMENT} is up to date ({python})");
            return Ok(());
        }
        let (program, _) = python.split_once(' ').unwrap_or((&python, ""));
        self.workspace
            .program(program)
            .args(["-m", "venv", "--clear", ENVIRONMENT])
            .run()?;
        let pip = [
            "install",
            "--quiet",
            "--disable-pip-version-check",
            "--requirement",
            REQUIREMENTS,
        ];
        self.module("pip").args(pip).run()?;
        std::fs::write(&stamp, wanted).map_err(|error| format!("{}: {error}", stamp.display()))
    }

    /// The first interpreter that will do, as `program version`; or what to install.
    fn interpreter(&self) -> Result<String, String> {
        let chosen = std::env::var("PYTHON").ok();
        let mut unfit = Vec::new();
        for program in chosen.as_deref().into_iter().chain(INTERPRETERS) {
            let probe = "import sys, venv, ensurepip; assert sys.version_info >= (3, 10), sys.version; print(sys.version.split()[0])";
            match self.workspace.program(program).args(["-c", probe]).output() {
                Ok(version) => return Ok(format!("{program} {}", version.trim())),
                // Python's own last line, such as a ModuleNotFoundError; a program that does not exist says only one.
                Err(fault) => unfit.extend(
                    fault
                        .lines()
                        .skip(1)
                        .last()
                        .map(|last| format!("\n{program}: {last}")),
                ),
            }
        }
        Err(format!(
            "no Python of 3.10 or later with venv and ensurepip; on Debian: apt-get install python3 python3-venv; \
             elsewhere set PYTHON to one; or run with `--only rust`{}",
            unfit.concat()
        ))
    }

    /// Builds the wheel in the dev profile and installs it.
    fn install_wheel(&self) -> Result<(), String> {
        let wheels = self.workspace.path(WHEELS);
        if wheels.exists() {
            std::fs::remove_dir_all(&wheels).map_err(|error| format!("{WHEELS}: {error}"))?;
        }
        let build = [
            "build",
            "--locked",
            "--manifest-path",
            MANIFEST,
            "--out",
            WHEELS,
            "--interpreter",
        ];
        self.module("maturin")
            .args(build)
            .args([self.program("python")])
            .run()?;
        let install = [
            "install",
            "--quiet",
            "--disable-pip-version-check",
            "--no-index",
            "--no-deps",
            "--force-reinstall",
        ];
        self.module("pip")
            .args(install)
            .args(["--find-links", WHEELS, "smo"])
            .run()
    }

    /// Pyright is a Node.js program; without Node.js its Python package would try to download one.
    fn pyright_version(&self) -> Result<String, String> {
        let node = self.workspace.program("node").args(["--version"]).output();
        node.map_err(|_| "Node.js is not installed".to_owned())?;
        self.module("pyright").args(["--version"]).output()
    }
}
