//! The main job: a descriptor and a fleet in, an explained plan out.
//!
//! ```console
//! $ cargo run --release --example plan
//! $ cargo run --release --example plan -- my.yaml --fleet fleet.yaml --svg plan.svg
//! ```

#![allow(clippy::print_stdout, clippy::print_stderr)]

use std::fmt::Display;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::{Parser, ValueEnum};
use smo::decode::UnknownKeys;
use smo::descriptor::{Dangling, ValidateOptions};
use smo::{
    AutoPlacer, Descriptor, FirstFit, FleetPlacer, GreenConsolidation, Inventory, MilpPlacer, Placer,
    PlanError, Planner, Project,
};

/// Reads a descriptor and a fleet, decides where every service runs, and prints the plan with its reasons.
#[derive(Debug, Parser)]
#[command(
    name = "plan",
    after_help = "Exit codes: 0 planned, 1 no placement exists or was found, 2 bad input."
)]
struct Options {
    /// The HDAG descriptor (YAML or JSON).
    #[arg(default_value = "examples/descriptors/brussels.yaml")]
    descriptor: PathBuf,
    /// The fleet file: clusters with capacities, prices, carbon, latencies.
    #[arg(long, default_value = "examples/fleets/brussels.yaml")]
    fleet: PathBuf,
    /// Print the plan as JSON.
    #[arg(long)]
    json: bool,
    /// Write a picture of graph and fleet to this file (by default plan.svg; with --json none).
    #[arg(long, value_name = "FILE")]
    svg: Option<PathBuf>,
    /// The project (Kubernetes namespace) to plan for.
    #[arg(long, default_value = "default")]
    project: String,
    /// Who decides.
    #[arg(long, value_enum, default_value = "auto")]
    placer: PlacerName,
    /// Refuse keys that the descriptor format does not know.
    #[arg(long)]
    strict: bool,
    /// Leave out references to services that do not exist, with a note each.
    #[arg(long)]
    drop_dangling: bool,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum PlacerName {
    /// What suits the problem: exact where that is quick, else the fleet's.
    Auto,
    /// Exact, by mixed-integer programming.
    Milp,
    /// Prices and annealing, for thousands of services.
    Fleet,
    /// The first cluster that fits, in the order of the files.
    FirstFit,
    /// The greenest cluster that fits.
    Green,
}

impl PlacerName {
    fn placer(self) -> Box<dyn Placer> {
        match self {
            Self::Auto => Box::new(AutoPlacer::default()),
            Self::Milp => Box::new(MilpPlacer::default()),
            Self::Fleet => Box::new(FleetPlacer::default()),
            Self::FirstFit => Box::new(FirstFit::new()),
            Self::Green => Box::new(GreenConsolidation),
        }
    }
}

/// What went wrong, and the exit code for it.
struct Refusal {
    code: u8,
    text: String,
}

fn bad_input(text: impl Display) -> Refusal {
    Refusal {
        code: 2,
        text: text.to_string(),
    }
}

fn main() -> ExitCode {
    match run(&Options::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(refusal) => {
            eprintln!("error: {}", refusal.text);
            ExitCode::from(refusal.code)
        }
    }
}

fn run(options: &Options) -> Result<(), Refusal> {
    let project = options
        .project
        .parse::<Project>()
        .map_err(|error| bad_input(format!("--project: {error}")))?;
    let descriptor = read(&options.descriptor)?;
    let fleet = read(&options.fleet)?;
    let (descriptor_name, fleet_name) = (
        options.descriptor.display().to_string(),
        options.fleet.display().to_string(),
    );

    let mut rules = ValidateOptions::default();
    if options.strict {
        rules = rules.with_unknown_keys(UnknownKeys::Refuse);
    }
    if options.drop_dangling {
        rules = rules.with_dangling(Dangling::Drop);
    }
    let graph =
        Descriptor::parse_named(&descriptor_name, &descriptor).and_then(|text| text.validate_with(&rules));
    let fleet = Inventory::parse_named(&fleet_name, &fleet);
    let (graph, fleet) = match (graph, fleet) {
        (Ok(graph), Ok(fleet)) => (graph, fleet),
        (Err(wrong), Ok(_)) | (Ok(_), Err(wrong)) => return Err(bad_input(wrong)),
        (Err(wrong), Err(too)) => return Err(bad_input(format!("{wrong}\n{too}"))),
    };

    let planner = Planner::new()
        .with_project(project)
        .with_placer(options.placer.placer());
    let plan = planner.plan(&graph.graph, &fleet).map_err(|error| match error {
        PlanError::Infeasible { diagnosis, .. } => Refusal {
            code: 1,
            text: diagnosis.to_string(),
        },
        PlanError::Placement(error) => Refusal {
            code: 1,
            text: error.to_string(),
        },
        other => bad_input(other),
    })?;

    let picture = options
        .svg
        .clone()
        .or_else(|| (!options.json).then(|| PathBuf::from("plan.svg")));
    if let Some(file) = &picture {
        fs::write(file, plan.to_svg(&fleet))
            .map_err(|error| bad_input(format!("{}: {error}", file.display())))?;
    }
    if options.json {
        println!("{}", serde_json::to_string_pretty(&plan).map_err(bad_input)?);
        return Ok(());
    }
    print!("{plan}");
    if !graph.notes.is_empty() {
        println!("\n{descriptor_name} ({})", graph.notes.len());
        for note in &graph.notes {
            println!("  {note}");
        }
    }
    if let Some(file) = &picture {
        println!("\npicture: {}", file.display());
    }
    Ok(())
}

fn read(file: &Path) -> Result<String, Refusal> {
    let bytes = fs::read(file).map_err(|error| bad_input(format!("{}: {error}", file.display())))?;
    String::from_utf8(bytes)
        .map_err(|error| bad_input(format!("{}: not UTF-8 text: {error}", file.display())))
}
