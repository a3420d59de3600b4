//! The project's own chores. `cargo xtask --help` lists them.

mod command;
mod lab;
mod live;
mod notices;
mod python;
mod report;
mod rust;
mod servers;
mod spdx;
mod supply;

use std::process::ExitCode;

use command::Workspace;
use report::Report;

const HELP: &str = "\
usage: cargo xtask <command> [options]

commands:
  test     run every check and test: Rust, documentation, licences, real servers, and the Python wheel
  live     run the suites against real servers alone
  servers  install the programs of the live suites, once per machine, all of them or those named
  notices  write the licences of what is in the Python wheel, after a change of Cargo.lock
  bench    run the benchmarks; what follows `--` goes to Criterion
  solve    solve a problem of a file, check the answer and print it as JSON; `solve --help` lists formats and options
  profile  learn what replicas carry from a CSV file or a Prometheus range; `profile --help` lists options
  backtest forecast a load of a file again and say how good that was
  replay   replay a load of a file with this library's policy of scaling and with those of others
  report scaling [FOLDER or FILE]...
           measure forecasts and decisions on generated loads, public ones that are in a folder, and those of files, and
           write benches/SCALING.md
  report solver
           measure the solver on public problems, beside others that Python has, and write benches/SOLVER.md;
           `report solver --help` lists options
  report karmada
           measure on a real Karmada, beside kubectl and Helm, and write benches/REPORT.md
  help     print this

options of test and live:
  --only rust|python    one half only; the Rust half needs no Python
options of test:
  --fast                what an edit usually breaks: no documentation, licences, servers, type checkers or notebooks
";

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let workspace = Workspace::here();
    match arguments.as_slice() {
        ["test", options @ ..] => match TestOptions::parse(options) {
            Ok(options) => test(&workspace, options),
            Err(fault) => misused(&fault),
        },
        ["live", options @ ..] => match TestOptions::parse(options) {
            Ok(options) if !options.fast => live(&workspace, options),
            Ok(_) => misused("live has no option `--fast`"),
            Err(fault) => misused(&fault),
        },
        ["servers", names @ ..] => match names.iter().find(|name| name.starts_with('-')) {
            Some(option) => misused(&format!("servers has no option `{option}`")),
            None => servers::install(&workspace, names),
        },
        ["notices"] => {
            let mut report = Report::new();
            report.step("notices", || notices::write(&workspace));
            report.close()
        }
        ["bench", options @ ..] => match options {
            [] | ["--", ..] => bench(&workspace, options),
            _ => misused("bench takes only `-- <options of Criterion>`"),
        },
        [command @ ("solve" | "profile" | "backtest" | "replay"), rest @ ..] => {
            lab::call(&workspace, command, rest)
        }
        ["report", "scaling", sources @ ..] => lab::scaling_report(&workspace, sources),
        ["report", "solver", options @ ..] => lab::solver_report(&workspace, options),
        ["report", "karmada"] => {
            let mut report = Report::new();
            live::measure(&workspace, &mut report);
            report.close()
        }
        ["report", ..] => misused("report takes one word: karmada, scaling or solver"),
        ["help" | "--help" | "-h"] => {
            print!("{HELP}");
            ExitCode::SUCCESS
        }
        [] => misused("which command?"),
        [unknown, ..] => misused(&format!("no command `{unknown}`")),
    }
}

/// Exit code 2: the command line is wrong, nothing was run.
fn misused(fault: &str) -> ExitCode {
    eprint!("error: {fault}\n\n{HELP}");
    ExitCode::from(2)
}

/// What `test` runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct TestOptions {
    rust: bool,
    python: bool,
    fast: bool,
}

impl TestOptions {
    fn parse(arguments: &[&str]) -> Result<Self, String> {
        let mut options = Self {
            rust: true,
            python: true,
            fast: false,
        };
        let mut rest = arguments;
        loop {
            rest = match rest {
                [] => return Ok(options),
                ["--fast", rest @ ..] => {
                    options.fast = true;
                    rest
                }
                ["--only", "rust", rest @ ..] => {
                    options.python = false;
                    rest
                }
                ["--only", "python", rest @ ..] => {
                    options.rust = false;
                    rest
                }
                ["--only", ..] => return Err("--only takes `rust` or `python`".to_owned()),
                [unknown, ..] => return Err(format!("there is no option `{unknown}`")),
            };
            if !options.rust && !options.python {
                return Err("--only rust and --only python exclude each other".to_owned());
            }
        }
    }
}

fn test(workspace: &Workspace, options: TestOptions) -> ExitCode {
    let mut report = Report::new();
    if options.rust {
        rust::test(workspace, options.fast, &mut report);
    }
    let environment = wheel(workspace, options, &mut report);
    if let Some(environment) = &environment {
        python::test(environment, options.fast, &mut report);
    }
    if !options.fast {
        live::test(workspace, options.rust, environment.as_ref(), &mut report);
    }
    report.close()
}

fn live(workspace: &Workspace, options: TestOptions) -> ExitCode {
    let mut report = Report::new();
    let environment = wheel(workspace, options, &mut report);
    live::test(workspace, options.rust, environment.as_ref(), &mut report);
    report.close()
}

/// The environment of the Python half, where that is asked for and can be made.
fn wheel<'a>(
    workspace: &'a Workspace,
    options: TestOptions,
    report: &mut Report,
) -> Option<python::Environment<'a>> {
    options.python.then(|| python::wheel(workspace, report)).flatten()
}

/// All that measure with Criterion alone.
const BENCHES: [&str; 3] = ["pipeline", "solver", "scaling"];

fn bench(workspace: &Workspace, options: &[&str]) -> ExitCode {
    let mut report = Report::new();
    for name in BENCHES {
        report.step(name, || {
            workspace
                .cargo()
                .args(["bench", "--package", "smo", "--bench", name])
                .args(options)
                .run()
        });
    }
    report.close()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn options_are_read() {
        let all = TestOptions {
            rust: true,
            python: true,
            fast: false,
        };
        assert_eq!(TestOptions::parse(&[]), Ok(all));
        assert_eq!(
            TestOptions::parse(&["--fast", "--only", "rust"]),
            Ok(TestOptions {
                python: false,
                fast: true,
                ..all
            })
        );
        assert_eq!(
            TestOptions::parse(&["--only", "python"]),
            Ok(TestOptions { rust: false, ..all })
        );
    }

    #[test]
    fn wrong_options_are_named() {
        assert_eq!(
            TestOptions::parse(&["--slow"]),
            Err("there is no option `--slow`".to_owned())
        );
        assert_eq!(
            TestOptions::parse(&["--only"]),
            Err("--only takes `rust` or `python`".to_owned())
        );
        assert!(TestOptions::parse(&["--only", "rust", "--only", "python"]).is_err());
    }
}
