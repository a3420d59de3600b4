//! `cargo xtask notices`: the licences of everything that is compiled into the Python wheel, which are to go with it.
//!
//! A pure function of `cargo metadata` and of the files that crates bring. Crates of all platforms are listed, so that
//! the file is the same wherever it is written.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use serde_json::Value;

use crate::command::Workspace;

const ROOT: &str = "smo-python";
const FILE: &str = "smo-python/THIRD-PARTY-NOTICES.txt";
/// How files with licences begin, in small letters.
const NAMES: [&str; 6] = [
    "license",
    "licence",
    "copying",
    "copyright",
    "notice",
    "unlicense",
];
const HEAD: &str = "

Third-party software in the Python package smo. The compiled module holds parts of the crates below; each goes under its
own licence, whose text follows. Written by `cargo xtask notices`; do not edit.
";

/// Writes the file.
pub(crate) fn write(workspace: &Workspace) -> Result<(), String> {
    let path = workspace.path(FILE);
    let text = text(workspace)?;
    std::fs::write(&path, text).map_err(|error| format!("{FILE}: {error}"))
}

/// Fails where the file is not what [`write`] would write.
pub(crate) fn check(workspace: &Workspace) -> Result<(), String> {
    let there = std::fs::read_to_string(workspace.path(FILE)).unwrap_or_default();
    if there == text(workspace)? {
        Ok(())
    } else {
        Err(format!("{FILE} is out of date; run `cargo xtask notices`"))
    }
}

fn text(workspace: &Workspace) -> Result<String, String> {
    let arguments = [
        "metadata",
        "--format-version",
        "1",
        "--locked",
        "--manifest-path",
        "smo-python/Cargo.toml",
    ];
    let metadata = workspace.cargo().args(arguments).output()?;
    let metadata: Value =
        serde_json::from_str(&metadata).map_err(|error| format!("cargo metadata: {error}"))?;
    let crates = crates(&metadata)?;
    let read = |one: &Crate| files(&one.folder, &one.licence);
    let texts = crates.iter().map(read).collect::<Result<Vec<_>, _>>()?;
    let own =
        std::fs::read_to_string(workspace.path("LICENSE")).map_err(|error| format!("LICENSE: {error}"))?;
    Ok(format!("{}{}", own.trim(), render(&crates, texts)))
}

/// A crate of somebody else.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Crate {
    name: String,
    version: String,
    licence: String,
    repository: String,
    folder: String,
}

/// What the module is compiled from, as opposed to what it is built or tested with, by name and version.
fn crates(metadata: &Value) -> Result<Vec<Crate>, String> {
    let list = |value: &Value| value.as_array().cloned().unwrap_or_default();
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let packages: BTreeMap<String, Value> = list(&metadata["packages"])
        .into_iter()
        .map(|package| (text(&package["id"]), package))
        .collect();
    let nodes: BTreeMap<String, Value> = list(&metadata["resolve"]["nodes"])
        .into_iter()
        .map(|node| (text(&node["id"]), node))
        .collect();
    let root = packages.iter().find(|(_, package)| package["name"] == ROOT);
    let (root, _) = root.ok_or_else(|| format!("cargo metadata has no {ROOT}"))?;
    let mut open = vec![root.clone()];
    let mut seen = BTreeSet::new();
    while let Some(id) = open.pop() {
        let needs = nodes.get(&id).map(|node| list(&node["deps"])).unwrap_or_default();
        let compiled = |need: &&Value| list(&need["dep_kinds"]).iter().any(|kind| kind["kind"].is_null());
        if seen.insert(id) {
            open.extend(needs.iter().filter(compiled).map(|need| text(&need["pkg"])));
        }
    }
    let of_others = seen
        .iter()
        .filter_map(|id| packages.get(id))
        .filter(|package| package["source"].is_string());
    let mut crates: Vec<Crate> = of_others
        .map(|package| Crate {
            name: text(&package["name"]),
            version: text(&package["version"]),
            licence: text(&package["license"]),
            repository: text(&package["repository"]),
            folder: text(&package["manifest_path"])
                .trim_end_matches("Cargo.toml")
                .to_owned(),
        })
        .collect();
    crates.sort();
    Ok(crates)
}

/// The licence texts in a crate's folder. Where it may be used under the MIT licence and brings that, no other.
fn files(folder: &str, licence: &str) -> Result<Vec<String>, String> {
    let fault = |error: std::io::Error| format!("{folder}: {error}");
    let mut names: Vec<String> = Vec::new();
    for entry in std::fs::read_dir(Path::new(folder)).map_err(fault)? {
        let entry = entry.map_err(fault)?;
        let name = entry.file_name().to_string_lossy().into_owned();
        let small = name.to_lowercase();
        if entry.path().is_file() && NAMES.iter().any(|begin| small.starts_with(begin)) {
            names.push(name);
        }
    }
    names.sort();
    let is_mit = |name: &String| name.to_lowercase().contains("mit");
    let chosen = licence.contains("MIT") && !licence.contains(" AND ");
    if chosen && let Some(mit) = names.iter().find(|name| is_mit(name)).cloned() {
        names = vec![mit];
    }
    let read = |name: &String| {
        let bytes = std::fs::read(Path::new(folder).join(name)).map_err(fault)?;
        Ok(String::from_utf8_lossy(&bytes).into_owned())
    };
    names.iter().map(read).collect()
}

/// Every crate, then each text once, with the crates that it is of.
fn render(crates: &[Crate], texts: Vec<Vec<String>>) -> String {
    let mut all = String::from(HEAD);
    let mut of_text: Vec<(String, String, Vec<String>)> = Vec::new();
    for (one, texts) in crates.iter().zip(texts) {
        all.push_str(&format!(
            "\n{} {}: {}; {}",
            one.name, one.version, one.licence, one.repository
        ));
        let shown = format!("{} {}", one.name, one.version);
        for text in texts {
            let key = key(&text);
            match of_text.iter_mut().find(|(known, ..)| *known == key) {
                Some((.., of)) if of.contains(&shown) => {}
                Some((.., of)) => of.push(shown.clone()),
                None => of_text.push((key, text, vec![shown.clone()])),
            }
        }
    }
    all.push('\n');
    for (_, text, of) in of_text {
        let lines: Vec<&str> = text.trim().lines().map(str::trim_end).collect();
        all.push_str(&format!(
            "\n{}\n{}\n\n{}\n",
            "-".repeat(78),
            of.join(", "),
            lines.join("\n")
        ));
    }
    all
}

/// Equal for texts that say the same. The Apache licence is one text, however it is broken into lines or filled in.
fn key(text: &str) -> String {
    const APACHE: &str = "apache license version 2.0";
    let words: Vec<String> = text.split_whitespace().map(str::to_lowercase).collect();
    let words = words.join(" ");
    if words.starts_with(APACHE) && words.contains("end of terms and conditions") {
        APACHE.to_owned()
    } else {
        words
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_is_compiled_in_is_found() {
        let package = |name: &str, source: Option<&str>| {
            json!({"id": name, "name": name, "version": "1.0.0", "license": "MIT", "source": source,
                   "repository": format!("https://example.org/{name}"), "manifest_path": format!("/r/{name}/Cargo.toml")})
        };
        let node = |name: &str, needs: Value| json!({"id": name, "deps": needs});
        let need = |name: &str, kind: Option<&str>| json!({"pkg": name, "dep_kinds": [{"kind": kind}]});
        let metadata = json!({
            "packages": [package(ROOT, None), package("smo-core", None), package("serde", Some("r")), package("insta", Some("r")), package("itoa", Some("r"))],
            "resolve": {"nodes": [
                node(ROOT, json!([need("smo-core", None)])),
                node("smo-core", json!([need("serde", None), need("insta", Some("dev"))])),
                node("serde", json!([need("itoa", None), need("serde", None)])),
            ]},
        });
        let crates = crates(&metadata).expect("crates");
        let names: Vec<&str> = crates.iter().map(|one| one.name.as_str()).collect();
        assert_eq!(names, ["itoa", "serde"]);
        assert_eq!(crates[0].folder, "/r/itoa/");
    }

    #[test]
    fn a_text_is_there_once() {
        let one = |name: &str| Crate {
            name: name.to_owned(),
            version: "1.0.0".to_owned(),
            licence: "MIT".to_owned(),
            repository: format!("https://example.org/{name}"),
            folder: String::new(),
        };
        let text = |text: &str| text.to_owned();
        let apache =
            |end: &str| format!("Apache License\n Version 2.0\n...\nEND OF TERMS AND CONDITIONS\n{end}");
        let texts = vec![
            vec![text("MIT, (c) A\nAs is.")],
            vec![text("MIT,  (c) A As is.\n"), apache("Copyright X")],
            vec![text("MIT, (c) B"), apache("")],
        ];
        let all = render(&[one("a"), one("b"), one("c")], texts);
        assert_eq!(all.matches("As is.").count(), 1, "{all}");
        assert_eq!(all.matches("END OF TERMS").count(), 1, "{all}");
        assert!(
            all.contains("\na 1.0.0, b 1.0.0\n") && all.contains("\nb 1.0.0, c 1.0.0\n"),
            "{all}"
        );
        assert!(all.contains("\nb 1.0.0: MIT; https://example.org/b\n"), "{all}");
    }

    #[test]
    fn mit_is_enough_where_it_may_be_chosen() {
        let folder = std::env::temp_dir().join(format!("smo-xtask-{}-notices", std::process::id()));
        std::fs::create_dir_all(&folder).expect("a folder");
        for name in ["LICENSE-APACHE", "LICENSE-MIT", "README.md", "NOTICE"] {
            std::fs::write(folder.join(name), name).expect("a file");
        }
        let here = folder.display().to_string();
        assert_eq!(
            files(&here, "MIT OR Apache-2.0"),
            Ok(vec!["LICENSE-MIT".to_owned()])
        );
        let all = ["LICENSE-APACHE", "LICENSE-MIT", "NOTICE"]
            .map(str::to_owned)
            .to_vec();
        assert_eq!(files(&here, "MIT AND Apache-2.0"), Ok(all));
        std::fs::remove_dir_all(&folder).expect("the folder goes");
    }
}
