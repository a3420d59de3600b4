//! Chores that need the deciders: the program `smo-lab`, built with optimisation, does them.

use std::process::ExitCode;

use crate::command::Workspace;

/// Runs a command of `smo-lab` where this program was called, so that paths mean what they mean there. What it prints is
/// all that is on the standard output.
pub(crate) fn call(workspace: &Workspace, command: &str, arguments: &[&str]) -> ExitCode {
    let manifest = workspace.path("Cargo.toml").display().to_string();
    let own = [
        "run",
        "--quiet",
        "--release",
        "--manifest-path",
        &manifest,
        "--package",
        "smo-lab",
        "--",
    ];
    let call = workspace.cargo().args(own).args([command]).args(arguments);
    match call.here().hand_over() {
        Ok(code) => code,
        Err(fault) => {
            eprintln!("error: {fault}");
            ExitCode::FAILURE
        }
    }
}

/// Writes `benches/SCALING.md` and its charts; `sources` are folders of public loads, and files of loads.
pub(crate) fn scaling_report(workspace: &Workspace, sources: &[&str]) -> ExitCode {
    let folder = workspace.path("benches").display().to_string();
    let usual = workspace.path("../shared/bench/traces").display().to_string();
    let own = ["scaling", &folder, &usual];
    call(workspace, "report", &[&own, sources].concat())
}

/// Writes `benches/SOLVER.md`.
pub(crate) fn solver_report(workspace: &Workspace, options: &[&str]) -> ExitCode {
    let folder = workspace.path("benches").display().to_string();
    let shared = workspace.path("../shared").display().to_string();
    let own = ["solver", &folder, &shared];
    call(workspace, "report", &[&own, options].concat())
}
