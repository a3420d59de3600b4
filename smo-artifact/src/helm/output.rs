//! What Helm prints, read.

use jiff::Timestamp;
use serde::Deserialize;
use serde_json::Value;
use smo_core::backend::{ChartState, InstalledChart, ReleaseName};
use smo_core::helm_values::HelmValues;
use smo_core::yaml;

use super::arguments::Major;

/// An answer that cannot be read.
pub(crate) type Unreadable = String;

/// Stack for reading YAML: schemas of custom resources are nested deeply.
const STACK: usize = 16 << 20;
/// What is read of rendered objects.
const LIMITS: yaml::Limits = yaml::Limits {
    bytes: 64 << 20,
    depth: 128,
    nodes: 2_000_000,
};

/// A release as `helm list` shows it.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Listed {
    pub(crate) installed: InstalledChart,
    /// When it last changed, if that can be read.
    pub(crate) updated: Option<Timestamp>,
}

/// One line of `helm history`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Past {
    pub(crate) revision: u64,
    pub(crate) state: String,
}

/// The major version that `helm version --template {{.Version}}` prints.
pub(crate) fn major(text: &str) -> Result<Major, Unreadable> {
    let number = text
        .trim()
        .trim_start_matches('v')
        .split('.')
        .next()
        .unwrap_or_default();
    match number {
        "3" => Ok(Major::Three),
        "4" => Ok(Major::Four),
        _ => Err(format!(
            "the program says it is version `{}`; Helm 3 or 4 is needed",
            text.trim()
        )),
    }
}

/// `helm list -o json`: how many there are, and those that have a name we can have.
pub(crate) fn list(text: &str) -> Result<(usize, Vec<Listed>), Unreadable> {
    #[derive(Deserialize)]
    struct Row {
        name: String,
        namespace: String,
        revision: String,
        updated: String,
        status: String,
        chart: String,
    }
    let rows: Vec<Row> = json("list", text)?;
    let count = rows.len();
    let read = |row: Row| {
        let release = ReleaseName {
            namespace: row.namespace.parse().ok()?,
            name: row.name.parse().ok()?,
        };
        // With `--keep-history` a release is gone and its history stays.
        (row.status != "uninstalled").then(|| Listed {
            installed: InstalledChart {
                release,
                revision: row.revision.parse().unwrap_or(0),
                chart: row.chart,
                state: state(&row.status),
            },
            updated: timestamp(&row.updated),
        })
    };
    Ok((count, rows.into_iter().filter_map(read).collect()))
}

/// `helm upgrade -o json`: what is installed now, so that nobody need ask again.
pub(crate) fn upgraded(text: &str, release: &ReleaseName) -> Result<InstalledChart, Unreadable> {
    #[derive(Deserialize)]
    struct Release {
        version: u64,
        info: Info,
        chart: Chart,
    }
    #[derive(Deserialize)]
    struct Info {
        status: String,
    }
    #[derive(Deserialize)]
    struct Chart {
        metadata: Metadata,
    }
    #[derive(Deserialize)]
    struct Metadata {
        name: String,
        version: String,
    }
    let Release { version, info, chart } = json("upgrade", text)?;
    Ok(InstalledChart {
        release: release.clone(),
        revision: version,
        chart: format!("{}-{}", chart.metadata.name, chart.metadata.version),
        state: state(&info.status),
    })
}

/// `helm history -o json`, oldest first.
pub(crate) fn history(text: &str) -> Result<Vec<Past>, Unreadable> {
    #[derive(Deserialize)]
    struct Row {
        revision: u64,
        status: String,
    }
    let rows: Vec<Row> = json("history", text)?;
    let mut past: Vec<Past> = rows
        .into_iter()
        .map(|row| Past {
            revision: row.revision,
            state: row.status,
        })
        .collect();
    past.sort_by_key(|past| past.revision);
    Ok(past)
}

/// The revision to go back to: the one in force, else the last that was.
pub(crate) fn last_good(past: &[Past]) -> Option<u64> {
    let last = |state: &str| past.iter().rev().find(|past| past.state == state);
    last("deployed")
        .or_else(|| last("superseded"))
        .map(|past| past.revision)
}

/// `helm get values -o json`; `null` where none were given.
pub(crate) fn values(text: &str) -> Result<HelmValues, Unreadable> {
    let values: Option<HelmValues> = json("get values", text)?;
    Ok(values.unwrap_or_default())
}

/// The objects that `helm template` prints, lists taken apart.
pub(crate) fn objects(text: &str) -> Result<Vec<Value>, Unreadable> {
    let text = text.to_owned();
    let reader = std::thread::Builder::new()
        .stack_size(STACK)
        .spawn(move || read_objects(&text));
    let reader = reader.map_err(|error| error.to_string())?;
    reader
        .join()
        .map_err(|_| "the rendered objects cannot be read".to_owned())?
}

fn read_objects(text: &str) -> Result<Vec<Value>, Unreadable> {
    let mut objects = Vec::new();
    for document in documents(text) {
        let node = yaml::parse(&document, LIMITS).map_err(|fault| format!("a rendered object: {fault}"))?;
        match node.to_json() {
            Value::Null => {}
            Value::Object(mut list) if list.get("kind").and_then(Value::as_str) == Some("List") => {
                match list.get_mut("items").map(Value::take) {
                    Some(Value::Array(items)) => objects.extend(items),
                    _ => return Err("a rendered List has no items".to_owned()),
                }
            }
            object @ Value::Object(_) => objects.push(object),
            _ => return Err("a rendered document is no object".to_owned()),
        }
    }
    Ok(objects)
}

/// The documents of a YAML stream. Text of block scalars is indented, so that a line of dashes is always a border.
fn documents(text: &str) -> Vec<String> {
    let mut documents = vec![String::new()];
    for line in text.lines() {
        if line == "---" || line.starts_with("--- ") {
            documents.push(String::new());
        } else if let Some(last) = documents.last_mut() {
            last.push_str(line);
            last.push('\n');
        }
    }
    let says_something = |document: &String| {
        let mut lines = document.lines().map(str::trim);
        lines.any(|line| !line.is_empty() && !line.starts_with('#'))
    };
    documents.retain(says_something);
    documents
}

fn json<'a, T: Deserialize<'a>>(command: &str, text: &'a str) -> Result<T, Unreadable> {
    // Not the error's own text: it shows values.
    serde_json::from_str(text).map_err(|error| {
        format!(
            "`helm {command}` printed something else than expected at line {}",
            error.line()
        )
    })
}

fn state(status: &str) -> ChartState {
    match status {
        "deployed" => ChartState::Deployed,
        "failed" => ChartState::Failed,
        "pending-install" | "pending-upgrade" | "pending-rollback" => ChartState::Pending,
        "uninstalling" => ChartState::Uninstalling,
        _ => ChartState::Other,
    }
}

/// Go's way to print a time: `2026-11-22 01:59:37.25 +0000 UTC`.
fn timestamp(text: &str) -> Option<Timestamp> {
    let (stamp, _zone) = text.rsplit_once(' ')?;
    Timestamp::strptime("%Y-%m-%d %H:%M:%S%.f %z", stamp).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_upgrade_says_what_is_installed() {
        let text = r#"{"name":"web","info":{"status":"deployed","notes":"x"},"chart":{"metadata":{"name":"shop","version":"1.2.0"},"values":{}},
            "config":{"a":1},"manifest":"---","version":3,"namespace":"proj"}"#;
        let release = ReleaseName {
            namespace: "proj".parse().unwrap(),
            name: "web".parse().unwrap(),
        };
        let installed = upgraded(text, &release).unwrap();
        assert_eq!((installed.revision, installed.state), (3, ChartState::Deployed));
        assert_eq!(installed.chart, "shop-1.2.0");
        assert!(upgraded("Release web", &release).is_err());
    }
    use rstest::rstest;

    #[rstest]
    #[case("v3.22.0", Ok(Major::Three))]
    #[case("v4.2\n", Ok(Major::Four))]
    #[case("v3.18.0-rc.1", Ok(Major::Three))]
    #[case("v2.17.0", Err("the program says it is version `v2.17.0`; Helm 3 or 4 is needed".to_owned()))]
    #[case("", Err("the program says it is version ``; Helm 3 or 4 is needed".to_owned()))]
    fn versions(#[case] text: &str, #[case] expected: Result<Major, String>) {
        assert_eq!(major(text), expected);
    }

    #[test]
    fn a_list_is_read() {
        let row = |name: &str, status: &str, updated: &str| {
            serde_json::json!({"name": name, "namespace": "shop", "revision": "2", "updated": updated,
                "status": status, "chart": "c-0.1.0", "app_version": ""})
        };
        let text = serde_json::json!([
            row("web", "deployed", "2026-11-22 01:59:37.25 +0000 UTC"),
            row("db", "pending-upgrade", "2026-11-22 02:59:37 +0100 CET"),
            row("api", "failed", "yesterday"),
            row("gone", "uninstalled", ""),
            row("not.ours", "deployed", ""),
        ]);
        let (count, found) = list(&text.to_string()).unwrap();
        assert_eq!(count, 5);
        let shown: Vec<String> = found
            .iter()
            .map(|listed| {
                let InstalledChart {
                    release,
                    revision,
                    chart,
                    state,
                } = &listed.installed;
                format!("{release} {revision} {chart} {state:?} {:?}", listed.updated)
            })
            .collect();
        insta::assert_snapshot!(shown.join("\n"), @"
        shop/web 2 c-0.1.0 Deployed Some(2026-11-22T01:59:37.25Z)
        shop/db 2 c-0.1.0 Pending Some(2026-11-22T01:59:37Z)
        shop/api 2 c-0.1.0 Failed None
        ");
        assert_eq!(list("[]"), Ok((0, Vec::new())));
    }

    #[rstest]
    #[case(&[(1, "superseded"), (2, "deployed"), (3, "failed")], Some(2))]
    #[case(&[(1, "superseded"), (2, "failed"), (3, "pending-upgrade")], Some(1))]
    #[case(&[(1, "failed")], None)]
    #[case(&[(1, "pending-install")], None)]
    fn the_revision_to_go_back_to(#[case] past: &[(u64, &str)], #[case] expected: Option<u64>) {
        let rows: Vec<Value> = past
            .iter()
            .rev()
            .map(|(revision, status)| serde_json::json!({"revision": revision, "status": status}))
            .collect();
        let past = history(&Value::from(rows).to_string()).unwrap();
        assert_eq!(last_good(&past), expected);
    }

    #[test]
    fn values_are_read() {
        assert_eq!(values("null"), Ok(HelmValues::default()));
        assert_eq!(values(r#"{"a": 1}"#).unwrap().len(), 1);
    }

    #[test]
    fn what_is_rendered_is_read() {
        let text = "---\n# Source: web/templates/a.yaml\napiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\n\
            data:\n  text: |\n    ---\n    kind: no document\n--- # next\n# nothing here\n---\n\
            kind: List\nitems:\n- {kind: Service, metadata: {name: b}}\n- {kind: Secret, metadata: {name: c}}\n";
        let kinds: Vec<String> = objects(text)
            .unwrap()
            .iter()
            .map(|object| object["kind"].as_str().unwrap().to_owned())
            .collect();
        assert_eq!(kinds, ["ConfigMap", "Service", "Secret"]);
        assert_eq!(objects(""), Ok(Vec::new()));
    }

    #[test]
    fn deep_schemas_are_read() {
        let mut text = String::new();
        for level in 0..100 {
            text.push_str(&format!("{}a:\n", " ".repeat(level)));
        }
        assert_eq!(objects(&text).unwrap().len(), 1);
    }

    #[test]
    fn what_cannot_be_read_is_said_without_values() {
        let faults = [
            list("hunter2").unwrap_err(),
            history("{}").unwrap_err(),
            values("[\"hunter2\"]").unwrap_err(),
            objects("a: [").unwrap_err(),
            objects("just text").unwrap_err(),
            objects("kind: List").unwrap_err(),
        ];
        insta::assert_snapshot!(faults.join("\n"), @"
        `helm list` printed something else than expected at line 1
        `helm history` printed something else than expected at line 1
        `helm get values` printed something else than expected at line 1
        a rendered object: E001 not YAML: unclosed bracket '['
        a rendered document is no object
        a rendered List has no items
        ");
    }
}
