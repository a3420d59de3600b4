//! Other solvers, measured in the same run by `benches/peers.py`, where Python has them.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::measure::{Run, run};

/// The solvers as they are called and shown.
pub(super) const SOLVERS: [(&str, &str, &str); 3] = [
    ("highs", "highspy", "HiGHS"),
    ("cpsat", "ortools", "OR-tools CP-SAT"),
    ("rebalancer", "rebalancer", "Meta Rebalancer"),
];

/// What the predecessor's solver may take for a case: it has no limit of its own, and an end has to be.
const CASE_SECONDS: f64 = 60.0;

/// The script and what is installed.
#[derive(Debug)]
pub(super) struct Peers {
    python: String,
    script: PathBuf,
    versions: BTreeMap<String, Option<String>>,
    /// Why nothing of them can be asked.
    pub(super) broken: Option<String>,
    /// Seconds that each may take.
    pub(super) seconds: f64,
}

impl Peers {
    pub(super) fn new(python: &str, folder: &Path, seconds: f64) -> Self {
        let mut peers = Self {
            python: python.to_owned(),
            script: folder.join("peers.py"),
            versions: BTreeMap::new(),
            broken: None,
            seconds,
        };
        match peers.call(&["versions"]) {
            Ok(found) => peers.versions = serde_json::from_value(found.said).unwrap_or_default(),
            Err(why) => peers.broken = Some(why),
        }
        peers
    }

    fn call(&self, arguments: &[&str]) -> Result<Run, String> {
        run(Command::new(&self.python).arg(&self.script).args(arguments))
    }

    /// The version of a package; `None` where it is not installed.
    pub(super) fn version(&self, package: &str) -> Option<&str> {
        self.versions.get(package)?.as_deref()
    }

    /// What each solver says of a file: its name, and the run or why there is none.
    pub(super) fn solve(&self, format: &str, file: &Path) -> Vec<(&'static str, Result<Run, String>)> {
        let ask = |(solver, package, shown): (&str, &str, &'static str)| {
            if self.version(package).is_none() {
                return (shown, Err("not installed".to_owned()));
            }
            let (path, seconds) = (file.display().to_string(), self.seconds.to_string());
            (shown, self.call(&[format, solver, &path, &seconds]))
        };
        SOLVERS.map(ask).into()
    }

    /// The predecessor's way with a file of cases.
    pub(super) fn cases(&self, file: &Path) -> Result<Run, String> {
        if self.version("cvxpy").is_none() || self.version("highspy").is_none() {
            return Err("not installed".to_owned());
        }
        self.call(&["cases", &file.display().to_string(), &CASE_SECONDS.to_string()])
    }
}
