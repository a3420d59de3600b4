//! The main job as a command: what it prints, what it writes, and how it refuses.

#![allow(clippy::unwrap_used, clippy::panic)]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

fn plan(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO"))
        .args(["run", "--quiet", "--example", "plan", "--"])
        .args(arguments)
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .output()
        .unwrap()
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap()
}

/// A file in the folder for this test, which no other test uses.
fn scratch(name: &str) -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("main_job");
    fs::create_dir_all(&folder).unwrap();
    let file = folder.join(name);
    if file.exists() {
        fs::remove_file(&file).unwrap();
    }
    file
}

#[test]
fn json_is_the_whole_plan_and_the_picture_is_a_picture() {
    let svg = scratch("brussels.svg");
    let output = plan(&["--json", "--svg", svg.to_str().unwrap()]);
    assert!(output.status.success(), "{}", text(&output.stderr));
    let plan: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    let vo = &plan["services"]["image-compression-vo"]["release"]["values"]["voChartOverwrite"];
    assert_eq!(vo["clustersAffinity"], serde_json::json!(["edge-1"]));
    assert_eq!(plan["decision"]["status"], "optimal");
    assert_eq!(plan["alerts"]["rules"].as_array().unwrap().len(), 1);
    let picture = fs::read_to_string(svg).unwrap();
    assert!(picture.starts_with("<svg") && picture.trim_end().ends_with("</svg>"));
    for name in ["edge-1", "cloud-1", "noise-reduction", "image-detection"] {
        assert!(picture.contains(name), "{name}");
    }
}

#[test]
fn the_same_files_give_the_same_bytes() {
    let svg = scratch("twice.svg");
    let run = || {
        let output = plan(&["--svg", svg.to_str().unwrap()]);
        (output.stdout, fs::read(&svg).unwrap())
    };
    assert_eq!(run(), run());
}

#[test]
fn wrong_input_is_refused_with_everything_and_nothing_written() {
    let svg = scratch("wrong.svg");
    let output = plan(&["examples/descriptors/wrong.yaml", "--svg", svg.to_str().unwrap()]);
    assert_eq!(output.status.code(), Some(2));
    assert!(output.stdout.is_empty());
    let error = text(&output.stderr);
    for code in ["E004", "E012", "E021"] {
        assert!(error.contains(code), "{error}");
    }
    assert!(!svg.exists());
}

#[test]
fn both_files_are_read_before_either_is_refused() {
    let fleet = scratch("fleet.yaml");
    fs::write(
        &fleet,
        "fleet: {clusters: [{name: Edge_1, allocatable: {cpu: many}}]}",
    )
    .unwrap();
    let output = plan(&[
        "examples/descriptors/wrong.yaml",
        "--fleet",
        fleet.to_str().unwrap(),
    ]);
    assert_eq!(output.status.code(), Some(2));
    let error = text(&output.stderr);
    assert!(
        error.contains("wrong.yaml") && error.contains("fleet.yaml") && error.contains("edge-1"),
        "{error}"
    );
}

#[test]
fn a_missing_or_unreadable_file_is_named() {
    let output = plan(&["no/such/graph.yaml"]);
    assert_eq!(output.status.code(), Some(2));
    assert!(text(&output.stderr).contains("no/such/graph.yaml"));
    let binary = scratch("binary.yaml");
    fs::write(&binary, [0xff, 0xfe, 0x00]).unwrap();
    let output = plan(&["--fleet", binary.to_str().unwrap()]);
    assert_eq!(output.status.code(), Some(2));
    assert!(text(&output.stderr).contains("binary.yaml: not UTF-8"));
}

#[test]
fn infeasible_says_why_and_is_not_bad_input() {
    let output = plan(&["examples/descriptors/impossible.yaml"]);
    assert_eq!(output.status.code(), Some(1));
    let error = text(&output.stderr);
    assert!(
        error.contains("no placement exists (proved)") && error.contains("nvidia.com/gpu"),
        "{error}"
    );
}
