//! `cargo xtask solve`, `profile`, `backtest`, `replay`, `report scaling` and `report solver` end up here.

use std::io::Write as _;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Parser, Subcommand};
use smo_lab::backtest::BacktestArguments;
use smo_lab::load::seconds;
use smo_lab::profile::ProfileArguments;
use smo_lab::replay::ReplayArguments;
use smo_lab::report;
use smo_lab::solve::{self, Effort, Fault, Input};

#[derive(Debug, Parser)]
#[command(bin_name = "cargo xtask", disable_help_subcommand = true)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Solve a problem of a file, check the answer, and print it as JSON.
    Solve {
        /// How the file is written.
        #[arg(value_parser = clap::builder::PossibleValuesParser::new(solve::FORMATS.iter().map(
            |format| clap::builder::PossibleValue::new(format.name()).help(format.about())
        )))]
        format: String,
        /// The file.
        file: PathBuf,
        /// How long to look for a better answer, about: it is turned into a count of steps, so that the same call gives
        /// the same answer.
        #[arg(long, default_value_t = 10.0, value_parser = seconds)]
        seconds: f64,
        /// How many threads may be used. The answer does not depend on it.
        #[arg(long, default_value_t = cores(), value_parser = clap::value_parser!(u16).range(1..=256))]
        threads: u16,
        /// Print the JSON only, without a line for people on the standard error.
        #[arg(long)]
        json: bool,
    },
    /// Learn what replicas of a service carry, from samples; refused where they do not tell.
    Profile(ProfileArguments),
    /// Forecast the second half of a load again, and say how good that was.
    Backtest(BacktestArguments),
    /// Replay a load with this library's policy and with those of others.
    Replay(ReplayArguments),
    /// Write a report.
    Report {
        #[command(subcommand)]
        report: Report,
    },
}

#[derive(Debug, Subcommand)]
enum Report {
    /// Forecasts and decisions on public and generated loads: SCALING.md and its charts.
    Scaling {
        /// The folder to write into.
        folder: PathBuf,
        /// Folders of public loads, and files of loads in requests per second.
        sources: Vec<PathBuf>,
    },
    /// How good and how fast the solver is, beside others: SOLVER.md.
    Solver {
        /// The folder to write into, where peers.py is.
        folder: PathBuf,
        /// The folder that holds bench/gap, bench/fleet and bench/roadef2012.
        shared: PathBuf,
        /// How long each of the other solvers may take.
        #[arg(long, default_value_t = 20.0, value_parser = seconds)]
        seconds: f64,
        /// The Python that has the other solvers, and generates fleets.
        #[arg(long, default_value = "python3")]
        python: String,
        /// A folder of more instances of generalised assignment; `values.csv` or `data.csv`, there or above, has the best values known.
        #[arg(long)]
        gap: Option<PathBuf>,
        /// A program of the ROADEF/EURO challenge 2012, with the command line that its rules ask for: `-t SECONDS -p MODEL -i ASSIGNMENT -o ANSWER`.
        #[arg(long)]
        challenger: Option<PathBuf>,
        /// Give machine reassignment 300 s where 60 s end far from the best known.
        #[arg(long)]
        long: bool,
        /// Write only this section; may be given more than once.
        #[arg(long, value_name = "SECTION")]
        only: Vec<report::Section>,
    },
}

/// How many threads this machine runs at once.
fn cores() -> u16 {
    let cores = std::thread::available_parallelism();
    cores.map_or(1, |cores| u16::try_from(cores.get()).unwrap_or(256).clamp(1, 256))
}

/// Prints to a reader that may have seen enough.
fn print(text: &str) {
    let _ = std::io::stdout().write_all(text.as_bytes());
}

fn main() -> ExitCode {
    let printed = |text: Result<String, Fault>| text.map(|text| print(&text));
    let done = match Arguments::parse().command {
        Command::Profile(arguments) => printed(arguments.run()),
        Command::Backtest(arguments) => printed(arguments.run()),
        Command::Replay(arguments) => printed(arguments.run()),
        Command::Report {
            report: Report::Scaling { folder, sources },
        } => report::scaling(&folder, &sources, &mut |progress| eprintln!("{progress}")),
        Command::Report {
            report:
                Report::Solver {
                    folder,
                    shared,
                    seconds,
                    python,
                    gap,
                    challenger,
                    long,
                    only,
                },
        } => {
            let sources = report::Sources {
                shared,
                gap,
                challenger,
                long,
                python,
                seconds,
                only,
            };
            report::solver(&folder, &sources, &mut |progress| eprintln!("{progress}"))
        }
        Command::Solve {
            format,
            file,
            seconds,
            threads,
            json,
        } => {
            let effort = Effort { seconds, threads };
            Input::read(&file).and_then(|input| {
                solve::solve(&format, &input, effort, &mut |answer| {
                    if !json {
                        eprintln!("{}", answer.headline());
                    }
                    // A reader that has seen enough, such as `head`, ends the run.
                    writeln!(std::io::stdout(), "{}", answer.json()).is_ok()
                })
            })
        }
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(fault) => {
            eprintln!("error: {fault}");
            for hint in fault.hints() {
                eprintln!("  try: {hint}");
            }
            ExitCode::FAILURE
        }
    }
}
