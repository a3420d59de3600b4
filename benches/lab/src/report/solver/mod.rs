//! `cargo xtask report solver`: how good and how fast the solver is, beside others, as a page.

mod assignment;
mod fleets;
mod machines;
mod measure;
mod peers;
mod predecessor;
mod rich;
mod targets;
mod whole;

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use clap::ValueEnum as _;

use crate::solve::Fault;
use measure::Run;
use peers::Peers;
use targets::{Target, short};

/// A page in the making.
struct Report<'a> {
    page: String,
    targets: Vec<Target>,
    /// What could not be measured.
    missing: Vec<&'static str>,
    peers: Peers,
    say: &'a mut dyn FnMut(&str),
}

/// The head of a table of solvers.
const HEAD: &str = "| instance | solver | value | bound | gap | seconds | CPU seconds |
| --- | --- | ---: | ---: | ---: | ---: | ---: |
";

/// A row of a table of solvers.
fn row(instance: &str, solver: &str, run: &Result<Run, String>) -> String {
    let run = match run {
        Ok(run) => run,
        Err(why) => return format!("| {instance} | {solver} | {why} | | | | |\n"),
    };
    let whole = |number: Option<f64>| number.map_or("none".to_owned(), |number| format!("{number:.0}"));
    format!(
        "| {instance} | {solver} | {} | {} | {} | {} | {} |\n",
        whole(run.value()),
        whole(run.bound()),
        run.gap()
            .map_or("-".to_owned(), |gap| format!("{} %", short(gap))),
        short(run.number("seconds").unwrap_or(run.seconds)),
        run.number("user").or(run.user).map_or("-".to_owned(), short),
    )
}

/// Where instances and other solvers come from.
#[derive(Debug, Clone)]
pub struct Sources {
    /// The folder that holds `bench/gap`, `bench/fleet` and `bench/roadef2012`.
    pub shared: PathBuf,
    /// A folder of more instances of generalised assignment.
    pub gap: Option<PathBuf>,
    /// A program of the ROADEF/EURO challenge 2012.
    pub challenger: Option<PathBuf>,
    /// Machine reassignment gets 300 s where 60 s end far from the best known.
    pub long: bool,
    /// The Python that has the other solvers.
    pub python: String,
    /// How long each of the other solvers may take.
    pub seconds: f64,
    /// The sections to write; all where this is empty.
    pub only: Vec<Section>,
}

/// A section of the page.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum Section {
    /// The predecessor's model.
    Predecessor,
    /// Generalised assignment.
    Assignment,
    /// Generated fleets.
    Fleets,
    /// Fleets with a richer mix of rules.
    Rich,
    /// Rules and goals about everything.
    Whole,
    /// Machine reassignment.
    Machines,
}

impl Section {
    fn report(self, report: &mut Report<'_>, sources: &Sources, scratch: &Path) -> Result<(), String> {
        match self {
            Self::Predecessor => predecessor::report(report, scratch),
            Self::Assignment => assignment::report(report, sources),
            Self::Fleets => fleets::report(report, sources, scratch),
            Self::Rich => rich::report(report, scratch),
            Self::Whole => whole::report(report, scratch),
            Self::Machines => machines::report(report, sources, scratch),
        }
    }
}

/// Writes the page `SOLVER.md` into `folder`, where `peers.py` is too. What is not there is left out, and the page says so.
///
/// # Errors
/// [`Fault::Failed`] for a solver that fails or cannot be started, and where the page cannot be written.
pub fn solver(folder: &Path, sources: &Sources, say: &mut dyn FnMut(&str)) -> Result<(), Fault> {
    let failed = |why: String| Fault::Failed {
        what: "the report".to_owned(),
        why,
    };
    let scratch = std::env::temp_dir().join(format!("smo-report-{}", std::process::id()));
    std::fs::create_dir_all(&scratch).map_err(|error| failed(error.to_string()))?;
    let before = measure::machine();
    let mut report = Report {
        page: String::new(),
        targets: Vec::new(),
        missing: Vec::new(),
        peers: Peers::new(&sources.python, folder, sources.seconds),
        say,
    };
    let wanted = |section: &&Section| sources.only.is_empty() || sources.only.contains(section);
    let mut sections = Section::value_variants().iter().filter(wanted);
    let made = sections.try_for_each(|section| section.report(&mut report, sources, &scratch));
    let _ = std::fs::remove_dir_all(&scratch);
    made.map_err(failed)?;
    let text = format!(
        "{}{}",
        head(&report, &before, &sources.only),
        report.page.trim_end()
    );
    std::fs::write(folder.join("SOLVER.md"), text + "\n").map_err(|error| failed(error.to_string()))
}

fn head(report: &Report<'_>, before: &str, only: &[Section]) -> String {
    let known = [
        ("cvxpy", "cvxpy"),
        ("highspy", "HiGHS"),
        ("ortools", "OR-tools"),
        ("rebalancer", "Meta Rebalancer"),
    ];
    let versions: Vec<String> = known
        .into_iter()
        .map(|(package, shown)| {
            format!(
                "{shown} {}",
                report.peers.version(package).unwrap_or("not installed")
            )
        })
        .collect();
    let mut head = format!(
        "# The solver, measured

Written by `cargo xtask report solver`; do not edit. `cargo xtask solve FORMAT FILE` does one of it. smo's answers are the same on every run and on any
number of threads; seconds are not: they are of a machine that others use too, so CPU seconds say more. Every answer of smo was checked by other code.

Machine: {before} before, {} after. {}.

",
        measure::machine().rsplit("load average ").next().unwrap_or_default(),
        versions.join(", ")
    );
    if !only.is_empty() {
        let _ = writeln!(head, "Only some sections were asked for.\n");
    }
    if let Some(why) = &report.peers.broken {
        let _ = writeln!(head, "Other solvers could not be asked: {why}\n");
    }
    for missing in &report.missing {
        let _ = writeln!(head, "Not in this run: {missing}.\n");
    }
    let met = report.targets.iter().filter(|target| target.is_met()).count();
    let _ = writeln!(
        head,
        "## In short\n\n{met} of {} targets are met.\n\n| target | at most | measured | |\n| --- | ---: | ---: | --- |",
        report.targets.len()
    );
    for target in &report.targets {
        head.push_str(&target.row());
    }
    head.push('\n');
    head
}
