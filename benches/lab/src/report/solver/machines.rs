//! Machine reassignment of the ROADEF/EURO challenge 2012.

use std::fmt::Write as _;
use std::path::Path;
use std::process::{Command, Stdio};

use super::measure::{percent, solve};
use super::targets::{Target, short};
use super::{Report, Sources};
use crate::solve::{Input, judged};

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

/// In seconds: what the winner was measured by, and what comes near the best that is known.
const SHORT: f64 = 60.0;
const LONG: f64 = 300.0;

/// So many percent off the best known is near.
const NEAR: f64 = 0.1;

const LIMIT: &str = "annealing freezes in different places, and only a longer run finds better ones \
                     (docs/decisions/0011-machine-reassignment.md)";

/// An instance, what was found, and what the other program found.
struct Line {
    best: f64,
    value: Option<f64>,
    long: Option<f64>,
    challenger: Option<f64>,
}

pub(super) fn report(report: &mut Report<'_>, sources: &Sources, scratch: &Path) -> Result<(), String> {
    let folder = sources.shared.join("bench/roadef2012");
    if !folder.is_dir() {
        report.missing.push("the files of machine reassignment");
        return Ok(());
    }
    if sources.challenger.is_none() {
        report
            .missing
            .push("a program of the challenge of machine reassignment");
    }
    report.page.push_str(
        "## Machine reassignment

ROADEF/EURO challenge 2012, set A; two threads, 60 s of effort each; with `--long` 300 s where that ends more than 0.1 % above the best known. The cost is that of the
challenge, by a judge of its own; the bound is as if all machines were one. *Challenger* is a program of the challenge with 60 s on the same two threads.

| instance | original | value | best known | off | after 300 s | off | challenger | bound | seconds | CPU seconds |
| --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: |
",
    );
    let mut lines = Vec::new();
    for (name, best) in BEST {
        (report.say)(&format!("roadef {name} ..."));
        let model = folder.join(format!("model_{name}.txt"));
        let run = solve("roadef", &model, SHORT)?;
        let mut line = Line {
            best,
            value: run.value(),
            long: None,
            challenger: None,
        };
        if sources.long && line.off(line.value).is_none_or(|off| off > NEAR) {
            (report.say)(&format!("roadef {name}, {LONG} s ..."));
            line.long = solve("roadef", &model, LONG)?.value();
        }
        if let Some(program) = &sources.challenger {
            (report.say)(&format!("roadef {name}, the challenger ..."));
            line.challenger = challenge(program, &folder, name, scratch);
        }
        let whole = |number: Option<f64>| number.map_or("-".to_owned(), |number| format!("{number:.0}"));
        let share = |value: Option<f64>| {
            let off = line.off(value);
            off.map_or("-".to_owned(), |off| format!("{} %", short(off)))
        };
        let _ = writeln!(
            report.page,
            "| {name} | {} | {} | {best:.0} | {} | {} | {} | {} | {} | {} | {} |",
            whole(run.number("original")),
            whole(line.value),
            share(line.value),
            whole(line.long),
            share(line.long),
            whole(line.challenger),
            whole(run.bound()),
            short(run.seconds),
            run.user.map_or("-".to_owned(), short),
        );
        lines.push(line);
    }
    report.targets.extend(targets(&lines));
    Ok(())
}

impl Line {
    /// How far a value is from the best that is known, in percent.
    fn off(&self, value: Option<f64>) -> Option<f64> {
        percent(value?, self.best)
    }
}

fn targets(lines: &[Line]) -> Vec<Target> {
    let best = |line: &Line| [line.value, line.long].into_iter().flatten().reduce(f64::min);
    let mut targets = vec![Target {
        promise: "machine reassignment, set A: farthest from the best known".to_owned(),
        measured: lines
            .iter()
            .filter_map(|line| line.off(best(line)))
            .reduce(f64::max),
        at_most: NEAR,
        unit: "%",
        limit: LIMIT,
    }];
    if lines.iter().any(|line| line.challenger.is_some()) {
        let above = lines
            .iter()
            .filter_map(|line| percent(line.value?, line.challenger?));
        targets.push(Target {
            promise: "machine reassignment, set A: farthest above the challenger, 60 s".to_owned(),
            measured: above.reduce(f64::max),
            at_most: 0.0,
            unit: "%",
            limit: LIMIT,
        });
    }
    targets
}

/// What the answer of a program of the challenge costs; `None` when it gives none in time, or one that breaks a rule.
fn challenge(program: &Path, folder: &Path, name: &str, scratch: &Path) -> Option<f64> {
    let program = program.canonicalize().ok()?;
    let model = folder.join(format!("model_{name}.txt")).canonicalize().ok()?;
    let original = folder
        .join(format!("assignment_{name}.txt"))
        .canonicalize()
        .ok()?;
    let answer = scratch.join(format!("answer_{name}.txt"));
    let status = Command::new(program)
        .current_dir(scratch)
        .args(["-t", &SHORT.to_string(), "-s", "1"])
        .arg("-p")
        .arg(&model)
        .arg("-i")
        .arg(original)
        .arg("-o")
        .arg(&answer)
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()
        .ok()?;
    let (model, answer) = (Input::read(&model).ok()?, Input::read(&answer).ok()?);
    judged(&model, &answer).ok().filter(|_| status.success())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn promises_are_kept_by_the_worst_instance() {
        let line = |value: f64, long, challenger| Line {
            best: 100.0,
            value: Some(value),
            long,
            challenger,
        };
        let lines = [
            line(100.0, None, Some(100.0)),
            line(101.0, Some(100.5), Some(102.0)),
            line(70.0, None, Some(80.0)),
        ];
        let targets = targets(&lines);
        assert_eq!(targets[0].measured, Some(0.5));
        assert_eq!(targets[1].measured, Some(0.0));
        assert!(!targets[0].is_met() && targets[1].is_met());
    }
}
