//! Machine reassignment of the ROADEF/EURO challenge 2012.

use std::fmt::Write as _;
use std::path::Path;

use super::Report;
use super::measure::{percent, solve};
use super::targets::{Target, short};

/// The best values of public tables, as of the challenge's set A.
const BEST: [(&str, f64); 10] = [
    ("a1_1", 44_306_501.0),
    ("a1_2", 777_531_842.0),
    ("a1_3", 583_005_719.0),
    ("a1_4", 262_086_758.0),
    ("a1_5", 727_578_310.0),
    ("a2_1", 329.0),
    ("a2_2", 746_097_632.0),
    ("a2_3", 1_210_644_572.0),
    ("a2_4", 1_680_615_349.0),
    ("a2_5", 318_358_949.0),
];

const LIMIT: &str = "annealing moves one process or exchanges two: where a rule binds many at once it freezes too soon \
                     (docs/decisions/0011-machine-reassignment.md)";

pub(super) fn report(report: &mut Report<'_>, shared: &Path) -> Result<(), String> {
    let folder = shared.join("bench/roadef2012");
    if !folder.is_dir() {
        report.missing.push("the files of machine reassignment");
        return Ok(());
    }
    report.page.push_str(
        "## Machine reassignment

ROADEF/EURO challenge 2012, set A; 60 s of effort each, one thread. The cost is that of the challenge, by a judge of its own; the bound is as if all machines were one.

| instance | original | value | best known | off | bound | seconds | CPU seconds |
| --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: |
",
    );
    let mut worst: Option<f64> = None;
    for (name, best) in BEST {
        (report.say)(&format!("roadef {name} ..."));
        let run = solve("roadef", &folder.join(format!("model_{name}.txt")), 60.0)?;
        let off = run.value().and_then(|value| percent(value, best));
        // The best of a2_1 is nearly nothing: a share of it says nothing.
        if name != "a2_1" {
            worst = worst.into_iter().chain(off).reduce(f64::max);
        }
        let whole = |number: Option<f64>| number.map_or("-".to_owned(), |number| format!("{number:.0}"));
        let _ = writeln!(
            report.page,
            "| {name} | {} | {} | {best:.0} | {} | {} | {} | {} |",
            whole(run.number("original")),
            whole(run.value()),
            off.map_or("-".to_owned(), |off| format!("{} %", short(off))),
            whole(run.bound()),
            short(run.seconds),
            run.user.map_or("-".to_owned(), short),
        );
    }
    report.targets.push(Target {
        promise: "machine reassignment, set A without a2_1: farthest from the best known".to_owned(),
        measured: worst,
        at_most: 0.1,
        unit: "%",
        limit: LIMIT,
    });
    Ok(())
}
