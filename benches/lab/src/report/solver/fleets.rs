//! Fleets: services of many graphs on clusters, generated.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::measure::{Run, solve};
use super::targets::{Target, short};
use super::{Report, Sources};
use crate::solve::{Input, lose_a_cluster};

const SMALL: &str = "annealing ends at different answers for different chance, up to 0.4 % apart; the bound, by what clusters can take, is within 0.2 % of the best that is known";
const LARGE: &str = "annealing at this effort; with ten times as much the gap is 0.1 % smaller";
const LINKS: &str = "links that close circles count at their least in the bound";

/// A file to generate, and how long to try.
struct Case {
    services: u32,
    clusters: u32,
    more: &'static [&'static str],
    seconds: f64,
    /// The gap that was promised, and what limits it.
    promise: Option<(f64, &'static str)>,
    /// Other solvers get it too.
    shared: bool,
}

const fn case(
    (services, clusters): (u32, u32),
    more: &'static [&'static str],
    seconds: f64,
    promise: Option<(f64, &'static str)>,
) -> Case {
    Case {
        services,
        clusters,
        more,
        seconds,
        promise,
        shared: false,
    }
}

const CASES: [Case; 17] = [
    case((100, 10), &["--seed", "1"], 1.0, None),
    case((500, 20), &["--seed", "1"], 1.0, Some((1.0, SMALL))),
    case((500, 20), &["--seed", "2"], 1.0, Some((1.0, SMALL))),
    case((500, 20), &["--seed", "3"], 1.0, Some((1.0, SMALL))),
    Case {
        shared: true,
        ..case((500, 20), &["--seed", "1"], 5.0, Some((0.4, SMALL)))
    },
    case((500, 20), &["--seed", "2"], 5.0, Some((0.4, SMALL))),
    case((500, 20), &["--seed", "3"], 5.0, None),
    case((5000, 100), &["--seed", "1"], 5.0, Some((0.3, LARGE))),
    case((5000, 100), &["--seed", "2"], 5.0, Some((0.4, LARGE))),
    case((5000, 100), &["--seed", "3"], 5.0, Some((0.3, LARGE))),
    case((5000, 100), &["--seed", "4"], 5.0, Some((0.4, LARGE))),
    case((5000, 100), &["--seed", "5"], 5.0, Some((0.4, LARGE))),
    case((5000, 100), &["--seed", "1"], 60.0, Some((0.2, LARGE))),
    case((5000, 100), &["--seed", "5"], 60.0, Some((0.2, LARGE))),
    case(
        (5000, 100),
        &["--seed", "1", "--link-cost", "150"],
        10.0,
        Some((1.0, LINKS)),
    ),
    case(
        (5000, 100),
        &["--seed", "1", "--link-cost", "150", "--shape", "tree"],
        10.0,
        Some((1.0, LINKS)),
    ),
    case(
        (5000, 100),
        &["--seed", "1", "--link-cost", "150", "--shape", "mesh"],
        10.0,
        Some((1.0, LINKS)),
    ),
];

impl Case {
    fn name(&self) -> String {
        let more: Vec<&str> = self
            .more
            .iter()
            .map(|word| word.trim_start_matches('-'))
            .collect();
        format!("{} x {}, {}", self.services, self.clusters, more.join(" "))
    }

    /// Generates the file, once.
    fn file(&self, python: &str, generator: &Path, folder: &Path) -> Result<PathBuf, String> {
        let more: String = self.more.concat().replace("--", "-");
        let path = folder.join(format!("fleet-{}x{}{more}.jsonl", self.services, self.clusters));
        if path.exists() {
            return Ok(path);
        }
        let (services, clusters) = (self.services.to_string(), self.clusters.to_string());
        let output = Command::new(python)
            .arg(generator)
            .args(["--services", &services, "--clusters", &clusters])
            .args(self.more)
            .output()
            .map_err(|error| format!("{python}: {error}"))?;
        if !output.status.success() {
            return Err(String::from_utf8_lossy(&output.stderr).trim().to_owned());
        }
        std::fs::write(&path, output.stdout).map_err(|error| error.to_string())?;
        Ok(path)
    }
}

pub(super) fn report(report: &mut Report<'_>, sources: &Sources, folder: &Path) -> Result<(), String> {
    let python = sources.python.as_str();
    let generator = sources.shared.join("bench/fleet/generate.py");
    if !generator.is_file() {
        report.missing.push("the generator of fleets");
        return Ok(());
    }
    let mut table = "## Fleets

Services of graphs of 5 to 20 on clusters of cpu and memory, 70 % full; carbon and price for every pair, a price for every link that is cut (1000
where nothing else is said). One thread; the gap is to smo's own bound, in whole numbers. *Effort* is in seconds of an idle core.

| services x clusters | effort | value | bound | gap | first answer | seconds | CPU seconds |
| --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: |
"
    .to_owned();
    let mut others = String::new();
    for case in &CASES {
        let name = case.name();
        (report.say)(&format!("fleet {name}, {} s ...", case.seconds));
        let file = case.file(python, &generator, folder)?;
        let run = solve("fleet", &file, case.seconds)?;
        table.push_str(&row(&name, case.seconds, &run));
        if let Some((at_most, limit)) = case.promise {
            report.targets.push(Target {
                promise: format!("{name}: gap after {} s of effort", case.seconds),
                measured: run.gap(),
                at_most,
                unit: "%",
                limit,
            });
        }
        if case.clusters == 10 {
            report.targets.push(Target {
                promise: format!("{name}: first answer, with a bound"),
                measured: run.number("firstAnswerSeconds").map(|seconds| seconds * 1e3),
                at_most: 1.0,
                unit: "ms",
                limit: "the first fit and the bound without prices are all that is in it, and the start of the clock",
            });
        }
        if case.shared {
            (report.say)(&format!("fleet {name}, other solvers ..."));
            others.push_str(&super::row(&name, "smo", &Ok(run.clone())));
            for (solver, run) in report.peers.solve("fleet", &file) {
                others.push_str(&super::row(&name, solver, &run));
            }
        }
    }
    report.page.push_str(&table);
    let _ = write!(
        report.page,
        "\nOther solvers, {} s on two threads:\n\n{}{others}\n",
        short(report.peers.seconds),
        super::HEAD
    );
    growth(report, &|case: &Case| case.file(python, &generator, folder))?;
    (report.say)("fleet 5000 x 100, a cluster is lost ...");
    let first = CASES.iter().find(|case| case.services == 5000);
    if let Some(case) = first {
        lost(report, &case.file(python, &generator, folder)?)?;
    }
    Ok(())
}

fn row(name: &str, effort: f64, run: &Run) -> String {
    let whole = |number: Option<f64>| number.map_or("-".to_owned(), |number| format!("{number:.0}"));
    let first = run.number("firstAnswerSeconds");
    format!(
        "| {name} | {effort} s | {} | {} | {} | {} | {} | {} |\n",
        whole(run.value()),
        whole(run.bound()),
        run.gap().map_or("-".to_owned(), |gap| format!("{gap:.2} %")),
        first.map_or("-".to_owned(), |first| format!("{} s", short(first))),
        short(run.seconds),
        run.user.map_or("-".to_owned(), short),
    )
}

/// Ten times as many services on five times as many clusters have fifty times as many pairs, and get fifty times the effort.
const GROWTH: [Case; 3] = [
    case((5_000, 100), &["--seed", "1"], 1.0, None),
    case((16_000, 250), &["--seed", "1"], 8.0, None),
    case((50_000, 500), &["--seed", "1"], 50.0, None),
];

/// How time and memory grow with size.
fn growth(report: &mut Report<'_>, file: &dyn Fn(&Case) -> Result<PathBuf, String>) -> Result<(), String> {
    report.page.push_str(
        "### Growth

The same effort for each pair of a service and a cluster, 2 µs. Memory is the most that the process held, with the file.

| services x clusters | effort | value | bound | gap | first answer | seconds | CPU seconds | MiB | CPU µs a pair | bytes a pair |
| --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: |
",
    );
    let mut by_pair = Vec::new();
    for case in &GROWTH {
        let name = case.name();
        (report.say)(&format!("fleet {name}, {} s ...", case.seconds));
        let run = solve("fleet", &file(case)?, case.seconds)?;
        let pairs = f64::from(case.services) * f64::from(case.clusters);
        let memory = run.number("peakMebibytes");
        let time = run.user.map(|seconds| seconds * 1e6 / pairs);
        let bytes = memory.map(|memory| memory * 1_048_576.0 / pairs);
        let shown = |number: Option<f64>| number.map_or("-".to_owned(), short);
        let row = row(&name, case.seconds, &run);
        let _ = writeln!(
            report.page,
            "{} {} | {} | {} |",
            row.trim_end(),
            shown(memory),
            shown(time),
            shown(bytes)
        );
        by_pair.push((memory, time));
    }
    report.page.push('\n');
    let (first, last) = (by_pair.first(), by_pair.last());
    report.targets.push(Target {
        promise: "5000 x 100: memory".to_owned(),
        measured: first.and_then(|(memory, _)| *memory),
        at_most: 100.0,
        unit: "MiB",
        limit: "costs by pair, as whole numbers and as the search counts them",
    });
    let grown = first
        .zip(last)
        .and_then(|((_, first), (_, last))| Some((*last)? / (*first)?));
    report.targets.push(Target {
        promise: "50000 x 500 over 5000 x 100: CPU time a pair".to_owned(),
        measured: grown,
        at_most: 2.0,
        unit: "times",
        limit: "tables of that size do not fit a cache",
    });
    Ok(())
}

/// One dead cluster, decided again from what was known.
fn lost(report: &mut Report<'_>, file: &Path) -> Result<(), String> {
    let input = Input::read(file).map_err(|fault| fault.to_string())?;
    let efforts = [0.1, 0.5, 2.0];
    let again = lose_a_cluster(&input, 5.0, &efforts).map_err(|fault| fault.to_string())?;
    let _ = write!(
        report.page,
        "### A cluster is lost\n\n5000 x 100, seed 1: the cluster with the most services ({}) dies, and all is decided again from the answer and the \
         prices before. *Moves* are services that are elsewhere then.\n\n\
         | effort | value | bound | gap | moves | seconds |\n| ---: | ---: | ---: | ---: | ---: | ---: |\n",
        again.services
    );
    for turn in &again.turns {
        let gap = turn.gap();
        let _ = writeln!(
            report.page,
            "| {} s | {} | {} | {} | {} | {} |",
            turn.effort,
            turn.value,
            turn.bound,
            gap.map_or("-".to_owned(), |gap| format!("{gap:.2} %")),
            turn.moves,
            short(turn.seconds)
        );
    }
    report.page.push('\n');
    report.targets.push(Target {
        promise: "5000 x 100, a cluster is lost, decided again: time".to_owned(),
        measured: again.turns.first().map(|turn| turn.seconds),
        at_most: 0.5,
        unit: "s",
        limit: "this is time on a clock, and others use the machine; effort has to be 0.1 s of an idle core for it",
    });
    Ok(())
}
