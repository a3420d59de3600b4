//! `cargo xtask solve` ends up here.

use std::io::Write as _;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Parser, Subcommand};
use smo_lab::solve::{self, Effort, Input};

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
        #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(u16).range(1..=256))]
        threads: u16,
        /// Print the JSON only, without a line for people on the standard error.
        #[arg(long)]
        json: bool,
    },
}

fn seconds(text: &str) -> Result<f64, String> {
    match text.parse::<f64>() {
        Ok(seconds) if seconds > 0.0 && seconds <= 86_400.0 => Ok(seconds),
        _ => Err("give a number of seconds above 0 and up to 86400".to_owned()),
    }
}

fn main() -> ExitCode {
    let done = match Arguments::parse().command {
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
