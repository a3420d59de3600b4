//! Generalised assignment: every public file.

use std::fmt::Write as _;
use std::path::Path;

use super::measure::{Run, percent, solve};
use super::targets::{Target, short};
use super::{Report, Sources};

/// Files that other solvers get too.
const SHARED: [&str; 4] = ["c20200", "d10200", "d20200", "e10200"];
/// What limits type D.
const BOUND: &str =
    "what one agent can do at a time bounds no better, and dives find no cheaper answer in the effort given";

/// In seconds: what every file gets, and what those get that are to be proved and are not by then.
const EFFORT: f64 = 10.0;
const PATIENT: f64 = 300.0;

struct File {
    name: String,
    best: Option<f64>,
    effort: f64,
    run: Run,
}

/// The items of a file: its name is a type, two digits of agents, and them.
fn items(name: &str) -> u32 {
    let items = name.get(3..).and_then(|items| items.parse().ok());
    items.unwrap_or(u32::MAX)
}

/// True where a proof was promised, in whatever time.
fn is_promised(name: &str) -> bool {
    name.starts_with(['a', 'b', 'c']) && items(name) <= 200 || name.starts_with('e') && items(name) <= 400
}

impl File {
    /// How far the answer is from the best that is known.
    fn off(&self) -> Option<f64> {
        percent(self.run.value()?, self.best?)
    }
}

/// The instances of a folder, with the best values that are known: of a table there, or above.
fn instances(folder: &Path) -> Vec<(String, Option<f64>)> {
    let tables = ["values.csv", "data.csv", "../data.csv"];
    let values = tables
        .iter()
        .find_map(|table| std::fs::read_to_string(folder.join(table)).ok());
    let values = values.unwrap_or_default();
    let rows = values.lines().skip(1).filter_map(|line| {
        let fields: Vec<&str> = line.split(',').collect();
        let name = fields.first()?.rsplit('/').next()?;
        Some((name.to_owned(), fields.last()?.parse().ok()))
    });
    let mut rows: Vec<_> = rows.filter(|(name, _)| folder.join(name).is_file()).collect();
    rows.sort_by(|a, b| a.0.cmp(&b.0));
    rows
}

pub(super) fn report(report: &mut Report<'_>, sources: &Sources) -> Result<(), String> {
    let folder = sources.shared.join("bench/gap");
    let mut files: Vec<File> = Vec::new();
    for folder in std::iter::once(&folder).chain(&sources.gap) {
        for (name, best) in instances(folder) {
            if files.iter().any(|file| file.name == name) {
                continue;
            }
            (report.say)(&format!("gap {name} ..."));
            let mut effort = EFFORT;
            let mut run = solve("gap", &folder.join(&name), effort)?;
            if !run.is_proved() && is_promised(&name) {
                (report.say)(&format!("gap {name}, {PATIENT} s ..."));
                effort = PATIENT;
                run = solve("gap", &folder.join(&name), effort)?;
            }
            files.push(File {
                name,
                best,
                effort,
                run,
            });
        }
    }
    if files.is_empty() {
        report.missing.push("the files of generalised assignment");
        return Ok(());
    }
    if sources.gap.is_none() {
        report.missing.push("the larger files of generalised assignment");
    }
    let mut table = "## Generalised assignment

Types A to E of the OR-library and of Yagiura; one thread; what is to be proved and is not in 10 s of effort gets 300 s. Seconds are those of the whole program.

| instance | best known | effort | value | off | bound | gap | seconds | CPU seconds |
| --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: |
"
    .to_owned();
    for file in &files {
        let run = &file.run;
        let whole = |number: Option<f64>| number.map_or("-".to_owned(), |number| format!("{number:.0}"));
        let share =
            |number: Option<f64>| number.map_or("-".to_owned(), |number| format!("{} %", short(number)));
        let _ = writeln!(
            table,
            "| {} | {} | {:.0} s | {} | {} | {} | {} | {} | {} |",
            file.name,
            whole(file.best),
            file.effort,
            whole(run.value()),
            share(file.off()),
            whole(run.bound()),
            if run.is_proved() {
                "proved".to_owned()
            } else {
                share(run.gap())
            },
            short(run.seconds),
            run.user.map_or("-".to_owned(), short),
        );
    }
    report.page.push_str(&table);
    peers(report, &folder, &files);
    report.targets.extend(targets(&files));
    Ok(())
}

fn peers(report: &mut Report<'_>, folder: &Path, files: &[File]) {
    let mut rows = String::new();
    for file in files.iter().filter(|file| SHARED.contains(&file.name.as_str())) {
        (report.say)(&format!("gap {}, other solvers ...", file.name));
        let others = report.peers.solve("gap", &folder.join(&file.name));
        rows.push_str(&super::row(&file.name, "smo", &Ok(file.run.clone())));
        for (solver, run) in others {
            rows.push_str(&super::row(&file.name, solver, &run));
        }
    }
    let seconds = short(report.peers.seconds);
    let _ = write!(
        report.page,
        "\nOther solvers, {seconds} s on two threads:\n\n{}{rows}\n",
        super::HEAD
    );
}

fn targets(files: &[File]) -> Vec<Target> {
    let of = |kinds: &str, most: u32| -> Vec<&File> {
        let files = files.iter().filter(|file| items(&file.name) <= most);
        files
            .filter(|file| file.name.starts_with(|kind| kinds.contains(kind)))
            .collect()
    };
    #[allow(clippy::cast_precision_loss)]
    let open = |files: &[&File]| {
        (!files.is_empty()).then(|| files.iter().filter(|file| !file.run.is_proved()).count() as f64)
    };
    let worst = |files: &[&File], of: fn(&File) -> Option<f64>| {
        files.iter().filter_map(|file| of(file)).reduce(f64::max)
    };
    let named: Vec<&File> = files.iter().filter(|file| file.name == "c20200").collect();
    let widest: Vec<&File> = files
        .iter()
        .filter(|file| file.name.ends_with("801600"))
        .collect();
    let mut targets = vec![
        Target {
            promise: "types A, B and C, up to 200 items: instances left open".to_owned(),
            measured: open(&of("abc", 200)),
            at_most: 0.0,
            unit: "instances",
            limit: "the tree needs more effort",
        },
        Target {
            promise: "c20200, CPU time to its proof".to_owned(),
            measured: worst(&named, |file| file.run.user.filter(|_| file.run.is_proved())),
            at_most: 1.0,
            unit: "s",
            limit: "the tree needs more effort",
        },
        Target {
            promise: "type D, widest gap after 10 s of effort".to_owned(),
            measured: worst(&of("d", u32::MAX), |file| file.run.gap()),
            at_most: 0.1,
            unit: "%",
            limit: BOUND,
        },
        Target {
            promise: "type E, up to 400 items: instances left open".to_owned(),
            measured: open(&of("e", 400)),
            at_most: 0.0,
            unit: "instances",
            limit: "the tree needs more effort",
        },
    ];
    if !widest.is_empty() {
        targets.push(Target {
            promise: "80 x 1600: farthest from the best known after 10 s of effort".to_owned(),
            measured: worst(&widest, File::off),
            at_most: 0.05,
            unit: "%",
            limit: "dives find no cheaper answer in the effort given",
        });
    }
    targets
}
