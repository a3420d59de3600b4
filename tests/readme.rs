//! What the pages tell a reader to type works, and prints what the pages show.
//!
//! Pages are `README.md`, `CONTRIBUTING.md`, `ARCHITECTURE.md` and all of `docs/`. In a `console` block a line that starts
//! with `$ ` is a command, and the lines below it its output, where a line `...` stands for any lines and `[..]` for any
//! characters. `cargo run` is run; other commands of cargo are checked to name targets and chores that exist; `python` and
//! `pip` are left to `smo-python/tests/test_readme.py`, and so are `python` blocks. Rust blocks are doctests.

#![allow(
    clippy::panic,
    clippy::expect_used,
    clippy::print_stdout,
    reason = "helpers of tests fail and report as tests do"
)]

#[path = "readme/markdown.rs"]
mod markdown;

use std::path::{Path, PathBuf};
use std::process::Output;

use markdown::{Block, Command, blocks, matches_output};
use serde_json::Value;

/// Commands that a test does not run, and why.
const LEFT_ALONE: &[(&[&str], &str)] = &[
    (&["git"], "needs a network"),
    (&["cargo", "add"], "changes a manifest"),
    (&["cargo", "install"], "needs a network"),
    (&["cargo", "insta"], "changes snapshots"),
    (&["cargo", "deny"], "a tool the tests do not install"),
    (&["python"], "run by smo-python/tests/test_readme.py"),
    (&["pip"], "run by smo-python/tests/test_readme.py"),
];

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// Every page that exists: its path from the root, and its blocks.
fn pages() -> Vec<(PathBuf, Vec<Block>)> {
    let mut files = ["README.md", "CONTRIBUTING.md", "ARCHITECTURE.md"]
        .map(PathBuf::from)
        .to_vec();
    let mut folders = vec![PathBuf::from("docs")];
    while let Some(folder) = folders.pop() {
        let Ok(entries) = std::fs::read_dir(root().join(&folder)) else {
            continue;
        };
        for name in entries.flatten().map(|entry| entry.file_name()) {
            let path = folder.join(name);
            if root().join(&path).is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|end| end == "md") {
                files.push(path);
            }
        }
    }
    files.sort();
    let read = |path: PathBuf| {
        Some((
            path.clone(),
            blocks(&std::fs::read_to_string(root().join(path)).ok()?),
        ))
    };
    let found: Vec<_> = files.into_iter().filter_map(read).collect();
    assert!(!found.is_empty(), "no page was found below {}", root().display());
    found
}

fn cargo(arguments: &[&str]) -> Output {
    let program = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    std::process::Command::new(program)
        .args(arguments)
        .current_dir(root())
        .output()
        .expect("cargo starts")
}

fn printed(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned()
}

/// Runs `cargo run` with `words` and compares what it prints. `--release` is left out: the program is the same, and a second
/// build of everything proves nothing about the page.
fn run(words: &[&str], shown: &[String]) -> Result<(), String> {
    let (ours, theirs) = words.split_at(words.iter().position(|word| *word == "--").unwrap_or(words.len()));
    let kept: Vec<&str> = ours
        .iter()
        .copied()
        .filter(|word| !["--release", "--quiet", "-q"].contains(word))
        .collect();
    let output = cargo(&[&["run", "--quiet"], kept.as_slice(), theirs].concat());
    let text = printed(&output);
    if !output.status.success() {
        return Err(format!(
            "ended with {}:\n{}",
            output.status,
            String::from_utf8_lossy(&output.stderr)
        ));
    }
    if !shown.is_empty() && !matches_output(shown, &text.lines().collect::<Vec<_>>()) {
        return Err(format!(
            "prints something else than the page shows; it prints:\n{text}"
        ));
    }
    Ok(())
}

/// The chores that `cargo xtask --help` lists: the indented lines below `commands:`.
fn chores() -> Vec<String> {
    let help = printed(&cargo(&["xtask", "--help"]));
    let listed = help
        .lines()
        .skip_while(|line| *line != "commands:")
        .skip(1)
        .take_while(|line| line.starts_with("  "));
    listed
        .filter_map(|line| line.split_whitespace().next())
        .map(str::to_owned)
        .collect()
}

/// Checks that every `-p`, `--example`, `--test` and `--bench` of a cargo command names something that exists.
fn names_exist(words: &[&str], metadata: &Value) -> Result<(), String> {
    let packages = metadata["packages"]
        .as_array()
        .map(Vec::as_slice)
        .unwrap_or_default();
    let targets = packages
        .iter()
        .flat_map(|package| package["targets"].as_array().into_iter().flatten());
    let targets: Vec<&Value> = targets.collect();
    let ours = words
        .iter()
        .position(|word| *word == "--")
        .map_or(words, |end| &words[..end]);
    for pair in ours.windows(2) {
        let known = match pair[0] {
            "-p" | "--package" => packages.iter().any(|package| package["name"] == pair[1]),
            "--example" | "--test" | "--bench" => {
                let kind = pair[0].trim_start_matches('-');
                targets
                    .iter()
                    .any(|target| target["name"] == pair[1] && target["kind"][0] == kind)
            }
            _ => true,
        };
        if !known {
            return Err(format!(
                "`{} {}` names nothing in this workspace",
                pair[0], pair[1]
            ));
        }
    }
    Ok(())
}

/// Runs or checks one command; `Ok` says what was done.
fn check(command: &Command, metadata: &Value) -> Result<String, String> {
    let words: Vec<&str> = command.words.iter().map(String::as_str).collect();
    if let Some(odd) = words
        .iter()
        .find(|word| word.contains(['|', '&', ';', '<', '>', '$', '`', '"', '\'']))
    {
        return Err(format!("`{odd}` needs a shell; show one plain command a line"));
    }
    if let Some((_, reason)) = LEFT_ALONE.iter().find(|(start, _)| words.starts_with(start)) {
        return Ok(format!("left alone: {reason}"));
    }
    match words.as_slice() {
        ["cargo", "run", arguments @ ..] => {
            names_exist(arguments, metadata)?;
            run(arguments, &command.output).map(|()| "run".to_owned())
        }
        ["cargo", "xtask", chore, ..] if chores().iter().any(|known| known == chore) => {
            Ok("a known chore".to_owned())
        }
        ["cargo", "xtask", ..] => Err(format!("`cargo xtask --help` lists only {}", chores().join(", "))),
        [
            "cargo",
            "build" | "check" | "test" | "bench" | "doc" | "clippy" | "fmt",
            arguments @ ..,
        ] => names_exist(arguments, metadata).map(|()| "names what exists".to_owned()),
        _ => Err(
            "tests/readme.rs does not know this command; teach it, or show it in a `text` block".to_owned(),
        ),
    }
}

fn assert_none(faults: &[String], rule: &str) {
    assert!(faults.is_empty(), "{rule}\n  {}\n", faults.join("\n  "));
}

#[test]
fn commands_do_what_the_pages_say() {
    let metadata = cargo(&["metadata", "--format-version", "1", "--no-deps", "--offline"]);
    let metadata = serde_json::from_slice(&metadata.stdout).expect("cargo metadata prints JSON");
    let mut faults = Vec::new();
    for (page, blocks) in pages() {
        for block in blocks.iter().filter(|block| block.is_console()) {
            let commands = block.commands();
            if commands.is_empty() {
                faults.push(format!(
                    "{}:{}: no line starts with `$ `, so nothing is tested",
                    page.display(),
                    block.line
                ));
            }
            for command in commands {
                let shown = format!("{}:{}: {}", page.display(), command.line, command.words.join(" "));
                match check(&command, &metadata) {
                    Ok(done) => println!("{shown}  ({done})"),
                    Err(fault) => faults.push(format!("{shown}: {fault}")),
                }
            }
        }
    }
    assert_none(&faults, "what a page tells a reader to type must work:");
}

/// Rustdoc compiles and runs the Rust blocks of a page that the facade includes.
#[test]
fn rust_blocks_are_doctests() {
    let facade = std::fs::read_to_string(root().join("src/lib.rs")).expect("src/lib.rs");
    let mut faults = Vec::new();
    for (page, blocks) in pages() {
        let included = facade.contains(&format!("include_str!(\"../{}\")", page.display()));
        for block in blocks.iter().filter(|block| block.language == "rust") {
            let place = format!("{}:{}", page.display(), block.line);
            if !included {
                faults.push(format!(
                    "{place}: nobody compiles it; add to src/lib.rs: #[cfg(doctest)] #[doc = include_str!(\"../{}\")] struct Page;",
                    page.display()
                ));
            }
            if block.flags.iter().any(|flag| flag == "ignore") {
                faults.push(format!(
                    "{place}: `ignore` hides it from the compiler; use `no_run`, or a `text` block"
                ));
            }
        }
    }
    assert_none(&faults, "every Rust block of a page is compiled:");
}

/// The harness itself, on made-up commands: a check that accepts anything proves nothing.
mod harness {
    use serde_json::json;

    use super::*;

    fn verdict(text: &str) -> Result<String, String> {
        let metadata =
            json!({"packages": [{"name": "smo", "targets": [{"name": "plan", "kind": ["example"]}]}]});
        let words = text.split(' ').map(str::to_owned).collect();
        check(
            &Command {
                line: 1,
                words,
                output: vec![],
            },
            &metadata,
        )
    }

    #[test]
    fn good_commands_are_accepted() {
        for good in [
            "cargo test -p smo --lib",
            "cargo build --example plan",
            "cargo xtask test --fast",
            "pip install smo",
        ] {
            assert!(verdict(good).is_ok(), "{good}: {:?}", verdict(good));
        }
    }

    #[test]
    fn bad_commands_are_refused() {
        for bad in [
            "cargo test -p nobody",
            "cargo build --example nothing",
            "cargo bench --bench plan",
            "cargo run --example nothing",
            "cargo xtask tset",
            "cargo frobnicate",
            "smo apply",
            "cargo test | tee log",
        ] {
            assert!(verdict(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn a_program_is_run_and_its_output_compared() {
        let words = ["--release", "-q", "--package", "xtask", "--", "--help"];
        let shown = ["usage: cargo xtask [..]", "..."].map(str::to_owned);
        assert_eq!(run(&words, &shown), Ok(()));
        let fault = run(&words, &["something else".to_owned()]).expect_err("the output differs");
        assert!(
            fault.starts_with("prints something else than the page shows; it prints:\nusage: cargo xtask"),
            "{fault}"
        );
        let fault = run(&["--package", "xtask", "--", "nonsense"], &[]).expect_err("it fails");
        assert!(fault.contains("no command `nonsense`"), "{fault}");
    }
}
