//! What a pure core does not name.

use crate::source::{Source, paths};

/// Paths that reach outside, with what to do instead. Matched at the start of a path.
const IMPURE_PATHS: &[(&[&str], &str)] = &[
    (
        &["std", "fs"],
        "take the text as an argument; the host reads files",
    ),
    (&["std", "net"], "put it behind a port in backend/"),
    (&["std", "process"], "put it behind a port in backend/"),
    (&["std", "env"], "take the setting as an argument"),
    (&["std", "thread"], "the host owns threads"),
    (&["std", "os"], "put it behind a port in backend/"),
    (&["std", "io", "stdin"], "take the text as an argument"),
    (&["std", "io", "stdout"], "return a value that implements Display"),
    (&["std", "io", "stderr"], "return a value that implements Display"),
    (
        &["rand"],
        "take a seed, and a generator whose stream never changes",
    ),
    (&["getrandom"], "take a seed"),
    (&["tokio"], "core has no runtime; async traits need none"),
];
/// Words that mean a clock, chance, or an order that changes from run to run.
const IMPURE_WORDS: &[(&str, &str)] = &[
    ("SystemTime", "take `now` as an argument, or a Clock"),
    ("Instant", "count work, or take a Clock"),
    ("HashMap", "use IndexMap or BTreeMap: same input, same bytes"),
    ("HashSet", "use IndexSet or BTreeSet: same input, same bytes"),
    ("RandomState", "hash with a fixed key"),
];

/// What `file` does that a pure core does not, one line each.
pub(crate) fn purity_faults(file: &Source) -> Vec<String> {
    let mut faults = Vec::new();
    for used in paths(&file.code) {
        let parts: Vec<&str> = used.parts.iter().map(String::as_str).collect();
        let path = IMPURE_PATHS
            .iter()
            .find(|(path, _)| parts.starts_with(path))
            .map(|(_, advice)| *advice);
        let word = IMPURE_WORDS
            .iter()
            .find(|(word, _)| parts.contains(word))
            .map(|(_, advice)| *advice);
        let clock = matches!(parts[..], [.., "Timestamp" | "Zoned" | "Utc" | "Local", "now"])
            .then_some("take `now` as an argument, or a Clock");
        if let Some(advice) = path.or(word).or(clock) {
            faults.push(format!(
                "{}:{}: `{}`; {advice}",
                file.path.display(),
                used.line,
                parts.join("::")
            ));
        }
    }
    faults
}

/// A rule that finds nothing anywhere proves nothing: here it is on small made-up sources.
mod tests {
    use super::*;
    use crate::source::sample as source;

    #[test]
    fn impurity_is_found_however_it_is_written() {
        for text in [
            "use std::fs;",
            "use std::{fmt, fs::File};",
            "fn f() { ::std::fs::read(p) }",
            "fn f() { std::env::var(n) }",
            "use std::time::{Duration, Instant};",
            "fn f() { jiff::Timestamp::now() }",
            "use std::collections::{BTreeMap, HashMap};",
            "fn f() { rand::random() }",
            "use tokio::sync::Mutex as Lock;",
        ] {
            assert_eq!(
                purity_faults(&source("smo-core/src/id.rs", text)).len(),
                1,
                "{text}"
            );
        }
    }

    #[test]
    fn purity_has_no_false_alarms() {
        let text = "use std::fmt; use std::time::Duration; fn now() {} fn f(c: &dyn Clock) { c.now(); environment::read(); }\n\
                    // SystemTime\n#[cfg(test)] mod tests { use std::fs; }";
        assert_eq!(
            purity_faults(&source("smo-core/src/id.rs", text)),
            Vec::<String>::new()
        );
    }
}
