//! Every real descriptor is read, survives a round trip, and has the shape that the JSON Schema says.

#![allow(clippy::unwrap_used, clippy::print_stdout)] // helpers of tests stand outside of test functions

use std::path::{Path, PathBuf};

use smo_core::cluster::Inventory;
use smo_core::descriptor::{Dangling, Descriptor, ValidateOptions, schema};
use smo_core::intent::{Catalog, translate};

fn workspace() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// Name and text of every YAML file in a folder, by name; nothing when there is no such folder.
fn yaml_files(folder: &Path) -> Vec<(String, String)> {
    let Ok(entries) = std::fs::read_dir(folder) else {
        println!("skipped: {} does not exist", folder.display());
        return Vec::new();
    };
    let mut paths: Vec<PathBuf> = entries.map(|entry| entry.unwrap().path()).collect();
    paths.retain(|path| path.extension().is_some_and(|extension| extension == "yaml"));
    paths.sort();
    let read = |path: &PathBuf| {
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        (name, std::fs::read_to_string(path).unwrap())
    };
    paths.iter().map(read).collect()
}

/// Descriptors of other projects, where they are at hand.
fn real() -> Vec<(String, String)> {
    yaml_files(&workspace().join("../shared/reference/descriptors"))
}

/// Our own descriptors that are valid.
fn examples() -> Vec<(String, String)> {
    let mut files = yaml_files(&workspace().join("examples/descriptors"));
    files.retain(|(name, _)| name != "wrong.yaml");
    assert!(files.len() >= 5);
    files
}

#[test]
fn every_descriptor_survives_a_round_trip() {
    let lenient = ValidateOptions::new().with_dangling(Dangling::Drop);
    for (name, text) in real().into_iter().chain(examples()) {
        let descriptor = Descriptor::parse_named(&name, &text).unwrap_or_else(|error| panic!("{error}"));
        let validated = descriptor
            .validate_with(&lenient)
            .unwrap_or_else(|error| panic!("{error}"));
        for note in &validated.notes {
            println!("{name}: {note}");
        }
        let written = Descriptor::from_graph(&validated.graph);
        let again = Descriptor::parse(&written.to_yaml()).unwrap();
        assert_eq!(again.validate().unwrap(), validated.graph, "{name}");
        assert_eq!(written.validate().unwrap(), validated.graph, "{name}");
        let reprinted = Descriptor::parse(&descriptor.to_yaml()).unwrap();
        assert_eq!(reprinted.to_json(), descriptor.to_json(), "{name}");
        let json = Descriptor::parse(&descriptor.to_json().to_string()).unwrap();
        assert_eq!(
            json.validate_with(&lenient).unwrap().graph,
            validated.graph,
            "{name}"
        );
        translate(&validated.graph, &Catalog::default()).unwrap_or_else(|error| panic!("{name}: {error}"));
    }
}

#[test]
fn only_the_descriptor_with_misspelt_ids_is_refused() {
    for (name, text) in real() {
        match Descriptor::parse(&text).unwrap().validate() {
            Ok(_) => assert!(!name.starts_with("uc1-graph")),
            Err(violations) => {
                assert!(name.starts_with("uc1-graph"), "{violations}");
                assert_eq!(violations.codes(), ["E012", "E012", "E012"]);
                let hints: Vec<_> = violations.iter().map(|v| v.hint.as_deref()).collect();
                let meant = [
                    None,
                    Some("did you mean `rosbag-summit`?"),
                    Some("did you mean `rosbag-drone`?"),
                ];
                assert_eq!(hints, meant);
            }
        }
    }
}

#[test]
fn the_wire_types_take_every_descriptor_that_is_read() {
    for (name, text) in real().into_iter().chain(examples()) {
        let json = Descriptor::parse(&text).unwrap().to_json();
        let document: Result<schema::Document, _> = serde_json::from_value(json);
        let document = document.unwrap_or_else(|error| panic!("{name}: {error}"));
        let written = serde_json::to_value(&document).unwrap();
        let again: schema::Document = serde_json::from_value(written).unwrap();
        assert_eq!(again, document, "{name}");
    }
}

#[test]
fn our_own_descriptors_have_nothing_to_note() {
    for (name, text) in examples() {
        let descriptor = Descriptor::parse_named(&name, &text).unwrap();
        let validated = descriptor.validate_with(&ValidateOptions::default()).unwrap();
        assert!(validated.notes.is_empty(), "{:?}", validated.notes);
    }
}

#[test]
fn three_mistakes_are_shown_at_once() {
    let text = std::fs::read_to_string(workspace().join("examples/descriptors/wrong.yaml")).unwrap();
    let descriptor = Descriptor::parse_named("wrong.yaml", &text).unwrap();
    insta::assert_snapshot!(descriptor.validate().unwrap_err());
}

#[test]
fn the_demo_asks_for_what_the_table_says() {
    let text = std::fs::read_to_string(workspace().join("examples/descriptors/brussels.yaml")).unwrap();
    let graph = Descriptor::parse(&text).unwrap().validate().unwrap();
    insta::assert_snapshot!(translate(&graph, &Catalog::default()).unwrap());
}

#[test]
fn our_own_fleets_are_read() {
    let fleets = yaml_files(&workspace().join("examples/fleets"));
    assert_eq!(fleets.len(), 2);
    for (name, text) in fleets {
        let (fleet, notes) = Inventory::parse_noted(&name, &text, Default::default()).unwrap();
        assert!(notes.is_empty());
        assert!(fleet.ready().count() > 0);
        insta::assert_json_snapshot!(name.replace(".yaml", ""), fleet);
    }
}

/// The checked-in file equals what the types say; `UPDATE_SCHEMAS=1` writes it anew.
#[track_caller]
fn check_schema(file: &str, schema: &serde_json::Value) {
    let path = workspace().join("schemas").join(file);
    let text = format!("{}\n", serde_json::to_string_pretty(schema).unwrap());
    if std::env::var_os("UPDATE_SCHEMAS").is_some() {
        std::fs::write(&path, &text).unwrap();
    }
    let checked_in = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(
        checked_in == text,
        "{} is out of date; run the tests once with UPDATE_SCHEMAS=1",
        path.display()
    );
}

#[test]
fn the_json_schemas_are_checked_in() {
    check_schema("hdag.schema.json", &smo_core::descriptor::json_schema());
    check_schema("fleet.schema.json", &smo_core::cluster::schema::json_schema());
    check_schema(
        "problem.schema.json",
        &smo_core::placement::file::schema::json_schema(),
    );
}

#[test]
fn the_wire_types_take_every_fleet_that_is_read() {
    for (name, text) in yaml_files(&workspace().join("examples/fleets")) {
        let json = smo_core::yaml::parse(&text, Default::default())
            .unwrap()
            .to_json();
        let document: Result<smo_core::cluster::schema::Document, _> = serde_json::from_value(json);
        document.unwrap_or_else(|error| panic!("{name}: {error}"));
    }
}
