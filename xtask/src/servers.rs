//! `cargo xtask servers`: installs the programs of the live suites, once per machine.

mod needs;
mod recipe;
mod stamp;

use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::{Duration, Instant};

use crate::command::Workspace;
use recipe::{RECIPES, Recipe};
use stamp::{Installed, State};

const VARIABLE: &str = "SMO_SERVERS_BIN";
/// How often a build says that it is still going on.
const BEAT: Duration = Duration::from_secs(20);

/// Where the programs are: `SMO_SERVERS_BIN`, by default `target/servers/bin`.
pub(crate) fn folder(workspace: &Workspace) -> PathBuf {
    match std::env::var(VARIABLE) {
        Ok(given) if !given.is_empty() => workspace.path(&given),
        _ => workspace.path("target/servers/bin"),
    }
}

/// Programs that are absent, or in another version than the recipes say. A file put there by hand is taken for right.
pub(crate) fn missing(workspace: &Workspace) -> Vec<&'static str> {
    let installed = Installed::read(&folder(workspace));
    let wanting = RECIPES
        .iter()
        .filter(|recipe| matches!(installed.state(recipe), State::Missing | State::Outdated));
    wanting.map(|recipe| recipe.name).collect()
}

/// Installs all programs, or those named.
pub(crate) fn install(workspace: &Workspace, names: &[&str]) -> ExitCode {
    let outcome = chosen(names).and_then(|recipes| install_all(workspace, &recipes));
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(fault) => {
            eprintln!("error: {fault}");
            ExitCode::FAILURE
        }
    }
}

fn chosen(names: &[&str]) -> Result<Vec<Recipe>, String> {
    let known = RECIPES.map(|recipe| recipe.name);
    if let Some(unknown) = names.iter().find(|name| !known.contains(name)) {
        return Err(format!("no server `{unknown}`; there are {}", known.join(", ")));
    }
    let wanted = RECIPES
        .into_iter()
        .filter(|recipe| names.is_empty() || names.contains(&recipe.name));
    Ok(wanted.collect())
}

fn install_all(workspace: &Workspace, recipes: &[Recipe]) -> Result<(), String> {
    let began = Instant::now();
    let folder = folder(workspace);
    std::fs::create_dir_all(&folder).map_err(|error| format!("{}: {error}", folder.display()))?;
    // Two runs at once would build everything twice. The system unlocks it when this process ends.
    let lock =
        File::create(folder.join("lock")).map_err(|error| format!("{}/lock: {error}", folder.display()))?;
    if lock.try_lock().is_err() {
        println!("another `cargo xtask servers` is at work; waiting for it");
        lock.lock()
            .map_err(|error| format!("{}/lock: {error}", folder.display()))?;
    }

    let mut installed = Installed::read(&folder);
    let mut wanting = Vec::new();
    for recipe in recipes {
        let path = installed.path(recipe);
        match installed.state(recipe) {
            State::Current => {}
            State::Unknown if stamp::is_built_by(recipe, &path) => {
                installed.note(recipe)?;
                println!("{} {}: found, built as it should be", recipe.name, recipe.version);
            }
            _ => wanting.push(*recipe),
        }
    }
    if wanting.is_empty() {
        println!(
            "{} programs are installed in {} ({:.1} s)",
            recipes.len(),
            folder.display(),
            began.elapsed().as_secs_f64()
        );
        return Ok(());
    }
    let faults = needs::missing(&wanting, &folder);
    if !faults.is_empty() {
        return Err(format!(
            "the servers cannot be built here:\n  {}",
            faults.join("\n  ")
        ));
    }
    let minutes: u32 = wanting.iter().map(|recipe| recipe.minutes).sum();
    println!(
        "{} of {} programs are to be built from Go modules: about {minutes} minutes on two cores, once per machine",
        wanting.len(),
        recipes.len()
    );
    for (index, recipe) in wanting.iter().enumerate() {
        println!(
            "[{}/{}] {} {}",
            index + 1,
            wanting.len(),
            recipe.name,
            recipe.version
        );
        build(workspace, recipe, &installed.path(recipe))?;
        installed.note(recipe)?;
    }
    println!(
        "installed in {} after {}",
        folder.display(),
        clock(began.elapsed())
    );
    Ok(())
}

/// Builds one program beside its place, and moves it there when it is whole.
fn build(workspace: &Workspace, recipe: &Recipe, place: &Path) -> Result<(), String> {
    let fault = |path: &Path| {
        let path = path.display().to_string();
        move |error: std::io::Error| format!("{path}: {error}")
    };
    let workshop = workspace.path("target/servers").join(match recipe.workshop() {
        Some((folder, _)) => folder,
        None => recipe.name,
    });
    std::fs::create_dir_all(&workshop).map_err(fault(&workshop))?;
    if let Some((_, text)) = recipe.workshop() {
        let (module, ours) = (workshop.join("go.mod"), workshop.join("go.mod.ours"));
        // Go adds what it finds out to go.mod, which saves time at the next program. A newer recipe begins anew.
        let grown = module.exists() && std::fs::read_to_string(&ours).is_ok_and(|old| old == text);
        if !grown {
            std::fs::write(&module, &text).map_err(fault(&module))?;
            std::fs::write(&ours, &text).map_err(fault(&ours))?;
        }
    }
    let began = Instant::now();
    let output = workshop.join(recipe.built_name());
    workspace
        .program("go")
        .folder(&workshop)
        .args(recipe.arguments(&output))
        // As pinned, without downloading another Go, and without a C compiler.
        .env("GOTOOLCHAIN", "local")
        .env("CGO_ENABLED", "0")
        .env("GOWORK", "off")
        .env("GOBIN", &workshop.display().to_string())
        .watch(BEAT, |lines, last| {
            println!("      {}: {lines} packages, now {last}", clock(began.elapsed()));
        })
        .map_err(|fault| format!("{} was not built: {fault}{}", recipe.name, advice(&fault)))?;
    std::fs::rename(&output, place)
        .or_else(|_| {
            // Another file system. Removed first: a program that runs cannot be written to.
            if place.exists() {
                std::fs::remove_file(place)?;
            }
            std::fs::copy(&output, place)?;
            std::fs::remove_file(&output)
        })
        .map_err(fault(place))?;
    let size = std::fs::metadata(place).map_err(fault(place))?.len();
    println!(
        "      built in {}, {} MB",
        clock(began.elapsed()),
        size / 1_000_000
    );
    Ok(())
}

/// What to do about the usual failures.
fn advice(fault: &str) -> &'static str {
    if fault.contains("signal: killed") {
        "\nthe compiler was killed, probably for want of memory: it needs 2 GB; GOFLAGS=-p=1 makes it need less"
    } else if ["dial tcp", "lookup ", "i/o timeout", "connection refused"]
        .iter()
        .any(|sign| fault.contains(sign))
    {
        "\nthe Go module proxy was not reached: set GOPROXY to one that can be"
    } else if fault.contains("no space left") {
        "\nthe disk is full: `go clean -cache` frees what Go can make again"
    } else {
        ""
    }
}

/// A time as people say it.
fn clock(time: Duration) -> String {
    let seconds = time.as_secs();
    if seconds < 60 {
        format!("{:.1} s", time.as_secs_f64())
    } else {
        format!("{} min {:02} s", seconds / 60, seconds % 60)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_choose() {
        let names = |names: &[&str]| -> Vec<&str> {
            let recipes = chosen(names).expect("known names");
            recipes.iter().map(|recipe| recipe.name).collect()
        };
        assert_eq!(names(&[]).len(), RECIPES.len());
        assert_eq!(names(&["kwok", "etcd"]), ["etcd", "kwok"]);
        assert_eq!(
            chosen(&["etc"]),
            Err(
                "no server `etc`; there are etcd, kube-apiserver, kube-controller-manager, kube-scheduler, kubectl, kwok, helm4, \
                 helm3, registry"
                    .to_owned()
            )
        );
    }

    #[test]
    fn times_are_readable() {
        assert_eq!(clock(Duration::from_millis(1250)), "1.2 s");
        assert_eq!(clock(Duration::from_secs(125)), "2 min 05 s");
    }

    #[test]
    fn usual_failures_come_with_advice() {
        assert!(advice("compile: signal: killed").contains("memory"));
        assert!(advice("Get \"https://...\": dial tcp: lookup proxy").contains("GOPROXY"));
        assert_eq!(advice("undefined: x"), "");
    }
}
