//! What was asked of Karmada's API server, by whom: its audit log.

use std::collections::BTreeMap;
use std::io::{Read as _, Seek as _, SeekFrom};
use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use crate::error::TestbedError;
use crate::folder::Folder;

const LOG: &str = "karmada-audit.log";

/// Flags that let an API server write one line for each request, when it is answered.
pub(crate) fn flags(folder: &Folder) -> Result<[String; 3], TestbedError> {
    let policy = json!({
        "apiVersion": "audit.k8s.io/v1", "kind": "Policy",
        "omitStages": ["RequestReceived", "ResponseStarted"],
        "rules": [{"level": "Metadata"}],
    });
    let path = folder.write("audit-policy.json", policy.to_string())?;
    Ok([
        format!("--audit-policy-file={}", path.display()),
        format!("--audit-log-path={}", folder.path("log").join(LOG).display()),
        "--audit-log-maxsize=1000".to_owned(),
    ])
}

/// The requests to Karmada's API server from some moment on.
#[derive(Debug)]
pub struct Audit {
    path: PathBuf,
    from: u64,
}

/// How many requests a client made, by verb: `{"patch": 3}`.
pub type Calls = BTreeMap<String, usize>;

impl Audit {
    pub(crate) fn begin(logs: &Path) -> Result<Self, TestbedError> {
        let path = logs.join(LOG);
        let from = std::fs::metadata(&path).map_err(TestbedError::file(&path))?.len();
        Ok(Self { path, from })
    }

    /// The requests answered since then whose client calls itself so: the beginning of its `User-Agent`, such as
    /// `kubectl/`; with an empty text, clients that say nothing. Discovery of the API is left out: clients keep what it
    /// says for hours.
    ///
    /// # Errors
    ///
    /// When the log cannot be read.
    pub fn calls(&self, agent: &str) -> Result<Calls, TestbedError> {
        let mut text = String::new();
        let read = || -> std::io::Result<String> {
            let mut file = std::fs::File::open(&self.path)?;
            file.seek(SeekFrom::Start(self.from))?;
            file.read_to_string(&mut text)?;
            Ok(text)
        };
        Ok(count(&read().map_err(TestbedError::file(&self.path))?, agent))
    }
}

fn count(log: &str, agent: &str) -> Calls {
    let mut calls = Calls::new();
    for line in log.lines() {
        let Ok(event) = serde_json::from_str::<Value>(line) else {
            continue;
        };
        let text = |key: &str| event.get(key).and_then(Value::as_str).unwrap_or_default();
        let named = text("userAgent");
        let theirs = if agent.is_empty() {
            named.is_empty()
        } else {
            named.starts_with(agent)
        };
        // Discovery and health are asked for by path, not by resource.
        if theirs && event.get("objectRef").is_some() {
            *calls.entry(text("verb").to_owned()).or_default() += 1;
        }
    }
    calls
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn requests_are_counted_by_client_and_verb() {
        let event = |agent: Option<&str>, verb: &str, resource: bool| {
            let reference = resource.then(|| json!({"resource": "secrets"}));
            let mut event = json!({"verb": verb, "userAgent": agent, "objectRef": reference});
            event
                .as_object_mut()
                .expect("an object")
                .retain(|_, value| !value.is_null());
            event.to_string()
        };
        let log = [
            event(Some("kubectl/v1.36"), "get", true),
            event(Some("kubectl/v1.36"), "get", false),
            event(None, "patch", true),
            event(None, "patch", true),
            event(None, "list", true),
            "{\"half".to_owned(),
        ];
        let log = log.join("\n");
        assert_eq!(count(&log, "kubectl/"), Calls::from([("get".to_owned(), 1)]));
        let ours = Calls::from([("list".to_owned(), 1), ("patch".to_owned(), 2)]);
        assert_eq!(count(&log, ""), ours);
        assert_eq!(count(&log, "Helm/"), Calls::new());
    }
}
