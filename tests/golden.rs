//! Golden stories: every folder of `tests/golden` is a descriptor and a fleet in, a screen out.
//!
//! A folder holds `descriptor.yaml` and `fleet.yaml`, and where the story is about change, `before.yaml`, the fleet that the
//! graph was planned on before, and `fleet.yaml` counts what runs since then as allocated. What comes out is compared with `plan.txt` and `plan.svg`, or `refused.txt`, or
//! `infeasible.txt`, and `changes.txt`. `UPDATE_GOLDEN=1 cargo test --test golden` writes them anew; read the difference
//! before you commit it.

#![allow(clippy::unwrap_used, clippy::panic)]

use std::fs;
use std::path::{Path, PathBuf};

use smo::{Descriptor, Inventory, Placement, PlanError, Planner};

/// What a story gives: file names and contents.
fn play(folder: &Path) -> Vec<(&'static str, String)> {
    let read = |name: &str| fs::read_to_string(folder.join(name)).unwrap();
    let descriptor = Descriptor::parse_named("descriptor.yaml", &read("descriptor.yaml"));
    let graph = match descriptor.and_then(|descriptor| descriptor.validate()) {
        Ok(graph) => graph,
        Err(violations) => return vec![("refused.txt", format!("error: {violations}\n"))],
    };
    let fleet = match Inventory::parse_named("fleet.yaml", &read("fleet.yaml")) {
        Ok(fleet) => fleet,
        Err(violations) => return vec![("refused.txt", format!("error: {violations}\n"))],
    };
    let planner = Planner::new();
    let before = folder.join("before.yaml").exists().then(|| {
        let fleet = Inventory::parse_named("before.yaml", &read("before.yaml")).unwrap();
        planner.plan(&graph, &fleet).unwrap().expected_state()
    });
    let current = before.as_ref().map(Placement::from).unwrap_or_default();
    let plan = match planner.replan(&graph, &fleet, &current) {
        Ok(plan) => plan,
        Err(PlanError::Infeasible { diagnosis, .. }) => {
            return vec![("infeasible.txt", diagnosis.to_string())];
        }
        Err(other) => return vec![("refused.txt", format!("error: {other}\n"))],
    };
    let mut files = vec![("plan.txt", plan.to_string()), ("plan.svg", plan.to_svg(&fleet))];
    if let Some(before) = before {
        files.push(("changes.txt", plan.diff(&before).to_string()));
    }
    files
}

fn stories() -> Vec<PathBuf> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden");
    let mut folders: Vec<PathBuf> = fs::read_dir(root)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    folders.retain(|path| path.is_dir());
    folders.sort();
    folders
}

#[test]
fn every_story_ends_as_written() {
    const OUTPUTS: [&str; 5] = [
        "plan.txt",
        "plan.svg",
        "refused.txt",
        "infeasible.txt",
        "changes.txt",
    ];
    let update = std::env::var_os("UPDATE_GOLDEN").is_some();
    let stories = stories();
    assert!(!stories.is_empty(), "no story found");
    let mut wrong = Vec::new();
    for folder in stories {
        let files = play(&folder);
        assert_eq!(
            files,
            play(&folder),
            "{}: the same input gave other bytes",
            folder.display()
        );
        for name in OUTPUTS {
            let path = folder.join(name);
            let made = files
                .iter()
                .find(|(file, _)| *file == name)
                .map(|(_, content)| content.as_str());
            if update {
                match made {
                    Some(content) => fs::write(&path, content).unwrap(),
                    None => drop(fs::remove_file(&path)),
                }
            }
            if fs::read_to_string(&path).ok().as_deref() != made {
                wrong.push(format!(
                    "{}:\n{}",
                    path.display(),
                    made.unwrap_or("(should not be there)")
                ));
            }
        }
    }
    assert!(
        wrong.is_empty(),
        "these differ (UPDATE_GOLDEN=1 writes them):\n{}",
        wrong.join("\n")
    );
}
