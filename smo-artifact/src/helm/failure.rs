//! What Helm's words on standard error mean.

use serde_json::Value;
use smo_core::backend::ErrorKind;
use smo_core::helm_values::HelmValues;

/// The longest text that is handed on, in characters.
const LONGEST: usize = 700;

/// A run of Helm that failed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Failure {
    pub(crate) kind: ErrorKind,
    /// Helm's own words, without warnings and secrets.
    pub(crate) message: String,
}

impl Failure {
    pub(crate) fn new(kind: ErrorKind, message: impl Into<String>) -> Self {
        Self {
            kind,
            message: message.into(),
        }
    }

    /// What `stderr` says; `values` are what Helm was given.
    pub(crate) fn of_stderr(stderr: &str, values: Option<&HelmValues>) -> Self {
        let said = said(stderr);
        let mut message: String = said.chars().take(LONGEST).collect();
        if message.len() < said.len() {
            message.push_str(" ...");
        }
        for secret in values.map(secrets).unwrap_or_default() {
            message = message.replace(&secret, "***");
        }
        Self {
            kind: kind(&said),
            message,
        }
    }

    /// True when the name belongs to an operation or a release of somebody else, so that nothing may be cleaned up.
    pub(crate) fn is_about_the_name(&self) -> bool {
        let lower = self.message.to_lowercase();
        lower.contains("still in use") || lower.contains("another operation")
    }
}

/// The lines of an error, without what Helm and its libraries log.
fn said(stderr: &str) -> String {
    let is_log = |line: &str| {
        let klog = line.len() > 5
            && line.starts_with(['I', 'W', 'E'])
            && line.chars().skip(1).take(4).all(|c| c.is_ascii_digit());
        klog || line.starts_with("WARNING:") || line.starts_with("level=") || line.starts_with("time=")
    };
    let lines: Vec<&str> = stderr
        .lines()
        .map(str::trim)
        .filter(|line| !line.is_empty() && !is_log(line))
        .collect();
    let first = lines
        .iter()
        .position(|line| line.starts_with("Error:"))
        .unwrap_or(0);
    let said = lines.get(first..).unwrap_or_default().join("; ");
    let said = said.trim_start_matches("Error: ");
    if said.is_empty() {
        "helm failed without a word".to_owned()
    } else {
        said.to_owned()
    }
}

/// Fragments in lower case, and what they mean; the first that is found counts.
const FRAGMENTS: &[(&str, ErrorKind)] = &[
    ("still in use", ErrorKind::Conflict),
    ("another operation", ErrorKind::Conflict),
    ("invalid ownership metadata", ErrorKind::Conflict),
    ("cannot be imported into the current release", ErrorKind::Conflict),
    ("conflict with ", ErrorKind::Conflict),
    ("conflicts with ", ErrorKind::Conflict),
    ("already exists", ErrorKind::Conflict),
    ("the object has been modified", ErrorKind::Conflict),
    // A refusal by a webhook may say anything after this.
    ("admission webhook", ErrorKind::Invalid),
    ("forbidden: user", ErrorKind::Unauthenticated),
    ("unauthorized", ErrorKind::Unauthenticated),
    (
        "asked for the client to provide credentials",
        ErrorKind::Unauthenticated,
    ),
    ("certificate has expired", ErrorKind::Unauthenticated),
    (
        "certificate signed by unknown authority",
        ErrorKind::Unauthenticated,
    ),
    ("does not exist", ErrorKind::Invalid),
    ("no such file or directory", ErrorKind::Invalid),
    ("loading config file", ErrorKind::Invalid),
    ("kubeconfig", ErrorKind::Invalid),
    ("unreachable", ErrorKind::Unavailable),
    ("connection refused", ErrorKind::Unavailable),
    ("connection reset", ErrorKind::Unavailable),
    ("no such host", ErrorKind::Unavailable),
    ("i/o timeout", ErrorKind::Unavailable),
    ("handshake timeout", ErrorKind::Unavailable),
    ("deadline exceeded", ErrorKind::Unavailable),
    ("timed out", ErrorKind::Unavailable),
    ("currently unable to handle the request", ErrorKind::Unavailable),
    ("etcdserver:", ErrorKind::Unavailable),
    ("too many requests", ErrorKind::Unavailable),
    ("release: not found", ErrorKind::NotFound),
    ("has no deployed releases", ErrorKind::NotFound),
    ("release has no ", ErrorKind::NotFound),
    // What is refused: values, templates, objects.
    ("specifications of the schema", ErrorKind::Invalid),
    ("execution error", ErrorKind::Invalid),
    ("error calling", ErrorKind::Invalid),
    ("parse error", ErrorKind::Invalid),
    ("template", ErrorKind::Invalid),
    ("unable to build kubernetes objects", ErrorKind::Invalid),
    ("no matches for kind", ErrorKind::Invalid),
    ("unknown field", ErrorKind::Invalid),
    ("is invalid", ErrorKind::Invalid),
    ("forbidden", ErrorKind::Invalid),
    ("chart requires kubeversion", ErrorKind::Invalid),
    ("failed to create typed patch object", ErrorKind::Invalid),
    ("error converting yaml", ErrorKind::Invalid),
    ("error unmarshaling", ErrorKind::Invalid),
    ("chart.yaml", ErrorKind::Invalid),
    ("missing in charts/ directory", ErrorKind::Invalid),
    ("must be at least", ErrorKind::Invalid),
    ("cannot unmarshal", ErrorKind::Invalid),
];

fn kind(said: &str) -> ErrorKind {
    let lower = said.to_lowercase();
    let found = FRAGMENTS.iter().find(|(fragment, _)| lower.contains(fragment));
    found.map_or(ErrorKind::Unexpected, |(_, kind)| *kind)
}

/// The texts below keys that look secret, which templates and servers like to quote.
fn secrets(values: &HelmValues) -> Vec<String> {
    let mut secrets = Vec::new();
    compare(&values.to_json(), &values.redacted(), &mut secrets);
    // Longest first, so that no secret is left half shown.
    secrets.sort_by_key(|secret| std::cmp::Reverse(secret.len()));
    secrets
}

fn compare(full: &Value, redacted: &Value, secrets: &mut Vec<String>) {
    match (full, redacted) {
        (Value::Object(full), Value::Object(redacted)) => {
            for (key, value) in full {
                compare(value, redacted.get(key).unwrap_or(&Value::Null), secrets);
            }
        }
        (Value::Array(full), Value::Array(redacted)) => {
            for (value, shown) in full.iter().zip(redacted) {
                compare(value, shown, secrets);
            }
        }
        (full, redacted) if full != redacted => leaves(full, secrets),
        _ => {}
    }
}

fn leaves(value: &Value, secrets: &mut Vec<String>) {
    match value {
        Value::Object(map) => map.values().for_each(|value| leaves(value, secrets)),
        Value::Array(items) => items.iter().for_each(|value| leaves(value, secrets)),
        Value::String(text) if text.chars().count() >= 3 => secrets.push(text.clone()),
        Value::Number(number) if number.to_string().len() >= 4 => secrets.push(number.to_string()),
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    #[rstest]
    #[case(
        "Error: INSTALLATION FAILED: Kubernetes cluster unreachable: Get \"https://127.0.0.1:1/version\": dial tcp 127.0.0.1:1: connect: connection refused",
        ErrorKind::Unavailable
    )]
    #[case(
        "Error: INSTALLATION FAILED: cluster reachability check failed: kubernetes cluster unreachable: x",
        ErrorKind::Unavailable
    )]
    #[case(
        "Error: INSTALLATION FAILED: cannot re-use a name that is still in use",
        ErrorKind::Conflict
    )]
    #[case(
        "Error: UPGRADE FAILED: another operation (install/upgrade/rollback) is in progress",
        ErrorKind::Conflict
    )]
    #[case(
        "Error: Unable to continue with install: Service \"web\" in namespace \"p\" exists and cannot be imported into the current release: invalid ownership metadata",
        ErrorKind::Conflict
    )]
    #[case(
        "Error: UPGRADE FAILED: Apply failed with 1 conflict: conflict with \"kubectl\": .spec.replicas",
        ErrorKind::Conflict
    )]
    #[case("Error: UPGRADE FAILED: \"zz\" has no deployed releases", ErrorKind::NotFound)]
    #[case("Error: release: not found", ErrorKind::NotFound)]
    #[case("Error: release has no 7 version", ErrorKind::NotFound)]
    #[case(
        "Error: values don't meet the specifications of the schema(s) in the following chart(s):\nweb:\n- (root): Additional property x is not allowed\n",
        ErrorKind::Invalid
    )]
    #[case(
        "Error: execution error at (web/templates/a.yaml:3:4): port is required",
        ErrorKind::Invalid
    )]
    #[case(
        "Error: YAML parse error on web/templates/a.yaml: error converting YAML to JSON",
        ErrorKind::Invalid
    )]
    #[case(
        "Error: unable to build kubernetes objects from release manifest: resource mapping not found: no matches for kind \"ServiceMonitor\"",
        ErrorKind::Invalid
    )]
    #[case(
        "Error: admission webhook \"x\" denied the request: Unauthorized label",
        ErrorKind::Invalid
    )]
    #[case(
        "Error: query: failed to query with labels: secrets is forbidden: User \"smo\" cannot list resource \"secrets\"",
        ErrorKind::Unauthenticated
    )]
    #[case(
        "Error: Kubernetes cluster unreachable: the server has asked for the client to provide credentials",
        ErrorKind::Unauthenticated
    )]
    #[case("Error: context \"nosuch\" does not exist", ErrorKind::Invalid)]
    #[case("Error: pods \"x\" is forbidden: exceeded quota", ErrorKind::Invalid)]
    #[case("Error: something new", ErrorKind::Unexpected)]
    #[case("", ErrorKind::Unexpected)]
    fn kinds(#[case] stderr: &str, #[case] expected: ErrorKind) {
        assert_eq!(Failure::of_stderr(stderr, None).kind, expected, "{stderr}");
    }

    #[test]
    fn only_helms_own_words_are_kept() {
        let stderr = "WARNING: Kubernetes configuration file is group-readable\nlevel=WARN msg=\"x\"\n\
            W1124 22:00:00.000000    123 warnings.go:70] deprecated\nError: values don't meet the specifications of the schema(s)\nweb:\n- replicas: Invalid type\n";
        insta::assert_snapshot!(Failure::of_stderr(stderr, None).message, @"values don't meet the specifications of the schema(s); web:; - replicas: Invalid type");
        assert_eq!(
            Failure::of_stderr("\n", None).message,
            "helm failed without a word"
        );
        assert!(Failure::of_stderr(&"x".repeat(5000), None).message.len() < 800);
    }

    #[test]
    fn secrets_among_the_values_are_blanked() {
        let values = serde_json::json!({
            "db": {"password": "hunter2", "port": 5432},
            "tokens": ["alpha", {"deep": "omega"}],
            "list": [{"apiKey": 987_654}],
        });
        let values: HelmValues = values.as_object().cloned().unwrap().into();
        let stderr = "Error: template: web/a.yaml: hunter2 alpha omega 987654 5432";
        insta::assert_snapshot!(Failure::of_stderr(stderr, Some(&values)).message, @"template: web/a.yaml: *** *** *** *** 5432");
    }
}
