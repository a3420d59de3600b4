//! The house rules that a compiler does not check: layers, purity, one YAML reader, small files, documented modules.
//!
//! Each failure says what to do. The ranks are read from the table in `smo-core/src/lib.rs`, so that what is documented
//! is what is enforced.

#![allow(
    clippy::panic,
    clippy::expect_used,
    clippy::print_stdout,
    reason = "helpers of tests fail and report as tests do"
)]

#[path = "layering/purity.rs"]
mod purity;
#[path = "layering/ranks.rs"]
mod ranks;
#[path = "layering/source.rs"]
mod source;

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::Command;

use purity::purity_faults;
use ranks::{layering_faults, ranks};
use source::{Source, paths, sources};

/// Crates that bring a runtime, the network, an interpreter, a database or randomness.
const IMPURE_CRATES: &[&str] = &[
    "async-std",
    "axum",
    "getrandom",
    "hyper",
    "k8s-openapi",
    "kube",
    "libsqlite3-sys",
    "mio",
    "oci-client",
    "pyo3",
    "rand",
    "rayon",
    "redb",
    "reqwest",
    "rustls",
    "smol",
    "socket2",
    "sqlx",
    "sqlx-core",
    "tokio",
    "ureq",
    "uuid",
];
const LINES_AIMED_AT: usize = 400;
const LINES_ALLOWED: usize = 600;

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn core() -> Vec<Source> {
    let found = sources(root(), "smo-core/src");
    assert!(
        found.len() > 10,
        "smo-core/src was not found: {} files",
        found.len()
    );
    found
}

/// Sources of every library crate: the facade and all `smo-*` members.
fn library_sources() -> Vec<Source> {
    let members = std::fs::read_dir(root())
        .expect("the workspace root can be listed")
        .flatten();
    let names = members.map(|entry| entry.file_name().to_string_lossy().into_owned());
    let mut folders: Vec<String> = names
        .filter(|name| name.starts_with("smo-"))
        .map(|name| format!("{name}/src"))
        .collect();
    folders.push("src".to_owned());
    folders.sort();
    folders
        .iter()
        .flat_map(|folder| sources(root(), folder))
        .collect()
}

fn assert_none(faults: &[String], rule: &str) {
    assert!(faults.is_empty(), "{rule}\n  {}\n", faults.join("\n  "));
}

#[test]
fn modules_use_lower_ranks_only() {
    let lib = std::fs::read_to_string(root().join("smo-core/src/lib.rs")).expect("smo-core/src/lib.rs");
    let ranks = ranks(&lib);
    let declared: BTreeSet<String> = lib
        .lines()
        .filter_map(|line| line.strip_prefix("pub mod ")?.strip_suffix(';'))
        .map(str::to_owned)
        .collect();
    assert_eq!(
        ranks.keys().cloned().collect::<BTreeSet<_>>(),
        declared,
        "the table of ranks in smo-core/src/lib.rs (left) must list exactly its `pub mod`s (right)"
    );
    assert_none(
        &layering_faults(&core(), &ranks),
        "smo-core's modules use modules of lower rank only:",
    );
}

#[test]
fn core_source_is_pure() {
    let faults: Vec<String> = core().iter().flat_map(purity_faults).collect();
    assert_none(
        &faults,
        "smo-core has no files, sockets, processes, environment, clock, chance or threads:",
    );
}

#[test]
fn core_dependencies_are_pure() {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let arguments = [
        "tree",
        "--package",
        "smo-core",
        "--edges",
        "normal",
        "--prefix",
        "none",
        "--format",
        "{p}",
        "--offline",
    ];
    let output = Command::new(cargo)
        .args(arguments)
        .current_dir(root())
        .output()
        .expect("cargo tree starts");
    assert!(
        output.status.success(),
        "cargo tree failed:\n{}",
        String::from_utf8_lossy(&output.stderr)
    );
    let tree = String::from_utf8_lossy(&output.stdout);
    let names: BTreeSet<&str> = tree.lines().filter_map(|line| line.split(' ').next()).collect();
    assert!(
        names.contains("good_lp"),
        "cargo tree printed something else:\n{tree}"
    );
    let faults: Vec<String> = IMPURE_CRATES
        .iter()
        .filter(|name| names.contains(*name))
        .map(|name| format!("{name}; see `cargo tree -p smo-core -e normal -i {name}`, and move what needs it to an adapter crate"))
        .collect();
    assert_none(&faults, "smo-core must not depend on:");
}

#[test]
fn one_module_names_the_yaml_crate() {
    let faults: Vec<String> = library_sources()
        .iter()
        .filter(|file| file.path != Path::new("smo-core/src/yaml.rs"))
        .flat_map(|file| {
            let named = paths(&file.code).into_iter().filter(|used| {
                used.parts
                    .iter()
                    .any(|part| part == "serde_yaml" || part == "serde_saphyr")
            });
            named
                .map(|used| format!("{}:{}; use smo_core::yaml", file.path.display(), used.line))
                .collect::<Vec<_>>()
        })
        .collect();
    assert_none(
        &faults,
        "only smo-core/src/yaml.rs names the YAML crate, so that it can be exchanged:",
    );
}

#[test]
fn files_are_small() {
    let mut faults = Vec::new();
    for file in library_sources() {
        let lines = file.text.lines().count();
        if lines > LINES_ALLOWED {
            faults.push(format!(
                "{}: {lines} lines; it holds more than one idea, split it",
                file.path.display()
            ));
        } else if lines > LINES_AIMED_AT {
            println!("{}: {lines} lines; aim at {LINES_AIMED_AT}", file.path.display());
        }
    }
    assert_none(
        &faults,
        &format!("a file has at most {LINES_ALLOWED} lines, tests included:"),
    );
}

#[test]
fn public_modules_say_what_they_are() {
    let files = library_sources();
    let mut faults = Vec::new();
    for file in &files {
        for (index, line) in file.code.lines().enumerate() {
            let Some(name) = line
                .trim()
                .strip_prefix("pub mod ")
                .and_then(|rest| rest.strip_suffix(';'))
            else {
                continue;
            };
            let mut module = file.module();
            module.push(name.to_owned());
            let folder = file
                .path
                .components()
                .take_while(|part| part.as_os_str() != "src")
                .collect::<PathBuf>();
            let own = files
                .iter()
                .find(|other| other.path.starts_with(&folder) && other.module() == module);
            let documented = own.is_some_and(|other| other.text.starts_with("//!"))
                || index > 0
                    && file
                        .text
                        .lines()
                        .nth(index - 1)
                        .is_some_and(|above| above.trim().starts_with("///"));
            if !documented {
                faults.push(format!(
                    "{}:{}: `{name}`; begin its file with `//!` and one sentence",
                    file.path.display(),
                    index + 1
                ));
            }
        }
    }
    assert_none(&faults, "every public module begins with what it is for:");
}
