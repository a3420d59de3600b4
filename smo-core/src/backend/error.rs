//! What goes wrong behind a port, by kind, with word on whether to try again.

use std::error::Error;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

/// What kind of failure it was. A caller decides by kind, never by text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum ErrorKind {
    /// What the call is about does not exist.
    NotFound,
    /// It exists and belongs to somebody else, or has changed since it was read.
    Conflict,
    /// The backend does not know the caller, or does not let them.
    Unauthenticated,
    /// The backend does not answer now; it may later.
    Unavailable,
    /// The backend refuses what it was given, and always will.
    Invalid,
    /// This backend cannot do it at all.
    Unsupported,
    /// Anything else: an answer that makes no sense, a bug.
    Unexpected,
}

impl fmt::Display for ErrorKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::NotFound => "not found",
            Self::Conflict => "conflict",
            Self::Unauthenticated => "not authenticated",
            Self::Unavailable => "unavailable",
            Self::Invalid => "invalid",
            Self::Unsupported => "unsupported",
            Self::Unexpected => "unexpected",
        })
    }
}

/// Whether the same call may succeed when it is repeated.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Retry {
    /// It will fail again.
    Never,
    /// It may succeed; the caller picks the pause.
    Later,
    /// It may succeed after this pause (HTTP `Retry-After`).
    After(Duration),
}

/// A failure behind a port.
///
/// Secrets are blanked when the error is made, so that neither `Display` nor `Debug` ever shows one:
///
/// ```
/// use smo_core::backend::{BackendError, ErrorKind, Retry};
/// let error = BackendError::new(ErrorKind::Unavailable, "query", "GET http://smo:hunter2@prometheus:9090 timed out");
/// assert_eq!(error.to_string(), "query: GET http://***@prometheus:9090 timed out");
/// assert_eq!(error.retry(), Retry::Later);
/// assert!(!format!("{error:?}").contains("hunter2"));
/// ```
#[derive(Clone)]
pub struct BackendError {
    kind: ErrorKind,
    operation: String,
    message: String,
    retry: Retry,
    source: Option<Arc<dyn Error + Send + Sync>>,
}

impl BackendError {
    /// A failure of `operation` (such as `apply default/graph/web`). Only [`ErrorKind::Unavailable`] may be retried
    /// unless [`BackendError::with_retry`] says otherwise.
    #[must_use]
    pub fn new(kind: ErrorKind, operation: impl AsRef<str>, message: impl AsRef<str>) -> Self {
        let retry = if kind == ErrorKind::Unavailable {
            Retry::Later
        } else {
            Retry::Never
        };
        Self {
            kind,
            operation: one_line(operation.as_ref()),
            message: one_line(message.as_ref()),
            retry,
            source: None,
        }
    }

    /// The same with another word on retrying.
    #[must_use]
    pub fn with_retry(mut self, retry: Retry) -> Self {
        self.retry = retry;
        self
    }

    /// The same with the error that caused it. `Debug` shows that error's text with secrets blanked.
    #[must_use]
    pub fn with_source(mut self, source: impl Error + Send + Sync + 'static) -> Self {
        self.source = Some(Arc::new(source));
        self
    }

    /// What kind of failure it was.
    #[must_use]
    pub fn kind(&self) -> ErrorKind {
        self.kind
    }

    /// What was attempted.
    #[must_use]
    pub fn operation(&self) -> &str {
        &self.operation
    }

    /// What went wrong.
    #[must_use]
    pub fn message(&self) -> &str {
        &self.message
    }

    /// Whether the same call may succeed when it is repeated.
    #[must_use]
    pub fn retry(&self) -> Retry {
        self.retry
    }
}

impl fmt::Display for BackendError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.operation, self.message)
    }
}

impl fmt::Debug for BackendError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let source = self.source.as_ref().map(|source| one_line(&source.to_string()));
        f.debug_struct("BackendError")
            .field("kind", &self.kind)
            .field("operation", &self.operation)
            .field("message", &self.message)
            .field("retry", &self.retry)
            .field("source", &source)
            .finish()
    }
}

impl Error for BackendError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        self.source
            .as_ref()
            .map(|source| source.as_ref() as &(dyn Error + 'static))
    }
}

/// Words before a value that is not shown.
const SECRET_WORDS: [&str; 8] = [
    "password",
    "passwd",
    "secret",
    "token",
    "apikey",
    "api_key",
    "authorization",
    "credential",
];

/// The text on one line, with secrets blanked.
fn one_line(text: &str) -> String {
    let joined = text
        .lines()
        .map(str::trim)
        .filter(|line| !line.is_empty())
        .collect::<Vec<_>>()
        .join("; ");
    blank_assignments(&blank_schemes(&blank_userinfo(&joined)))
}

/// `scheme://user:password@host` as `scheme://***@host`.
fn blank_userinfo(text: &str) -> String {
    let mut parts = text.split("://");
    let mut blanked = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let authority = part
            .find(|c: char| c.is_whitespace() || "/?#\"'".contains(c))
            .unwrap_or(part.len());
        let host = part.get(..authority).and_then(|authority| authority.rfind('@'));
        blanked.push_str("://");
        match host.and_then(|at| part.get(at..)) {
            Some(rest) => {
                blanked.push_str("***");
                blanked.push_str(rest);
            }
            None => blanked.push_str(part),
        }
    }
    blanked
}

/// `Bearer abc` and `Basic abc` without `abc`.
fn blank_schemes(text: &str) -> String {
    let mut after_scheme = false;
    let word = |word: &str| {
        let blanked = if after_scheme && !word.is_empty() {
            "***"
        } else {
            word
        };
        after_scheme = ["bearer", "basic"]
            .iter()
            .any(|scheme| word.to_ascii_lowercase().ends_with(scheme));
        blanked.to_owned()
    };
    text.split(' ').map(word).collect::<Vec<_>>().join(" ")
}

/// `token=abc`, `"password": "abc"` and the like without `abc`.
fn blank_assignments(text: &str) -> String {
    // ASCII lower-casing keeps byte offsets.
    let lower = text.to_ascii_lowercase();
    let mut blanked = String::new();
    let mut rest = 0;
    while let Some((start, word)) = next_secret_word(&lower, rest) {
        let after = start + word.len();
        let tail = text.get(after..).unwrap_or_default();
        let value = tail.trim_start_matches(|c: char| c.is_alphanumeric() || "_-\"'".contains(c));
        let assigned = value.trim_start().strip_prefix([':', '=']);
        let Some(assigned) = assigned else {
            blanked.push_str(text.get(rest..after).unwrap_or_default());
            rest = after;
            continue;
        };
        let value = assigned.trim_start_matches([' ', '"', '\'']);
        let begin = text.len() - value.len();
        let end = value
            .find(|c: char| c.is_whitespace() || ",;&\"'})".contains(c))
            .unwrap_or(value.len());
        blanked.push_str(text.get(rest..begin).unwrap_or_default());
        if end > 0 {
            blanked.push_str("***");
        }
        rest = begin + end;
    }
    blanked.push_str(text.get(rest..).unwrap_or_default());
    blanked
}

fn next_secret_word(lower: &str, from: usize) -> Option<(usize, &'static str)> {
    let rest = lower.get(from..)?;
    let at = |word: &'static str| rest.find(word).map(|offset| (from + offset, word));
    SECRET_WORDS.into_iter().filter_map(at).min()
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    #[rstest]
    #[case("dial tcp 10.0.0.1:443: refused", "dial tcp 10.0.0.1:443: refused")]
    #[case("oci://u:p@host/x and oci://host/y", "oci://***@host/x and oci://host/y")]
    #[case("GET /x?token=abc&b=1 failed", "GET /x?token=***&b=1 failed")]
    #[case(
        r#"{"password": "abc", "user": "me"}"#,
        r#"{"password": "***", "user": "me"}"#
    )]
    #[case("Authorization: Bearer abc.def", "Authorization: *** ***")]
    #[case("apiToken = abc", "apiToken = ***")]
    #[case("the token expired", "the token expired")]
    #[case("secret `web` not found", "secret `web` not found")]
    #[case("first\n  second\n", "first; second")]
    #[case("password=", "password=")]
    #[case("Größe: token=ä, b", "Größe: token=***, b")]
    fn messages_are_one_line_without_secrets(#[case] text: &str, #[case] shown: &str) {
        assert_eq!(
            BackendError::new(ErrorKind::Unexpected, "op", text).message(),
            shown
        );
    }

    #[test]
    fn debug_blanks_the_source_too() {
        let source = std::io::Error::other("POST https://a:b@c failed: token=abc");
        let error = BackendError::new(ErrorKind::Unavailable, "put x", "no answer").with_source(source);
        insta::assert_snapshot!(format!("{error:?}"), @r#"BackendError { kind: Unavailable, operation: "put x", message: "no answer", retry: Later, source: Some("POST https://***@c failed: token=***") }"#);
        assert!(error.source().is_some());
    }

    #[test]
    fn only_unavailability_is_retried_by_itself() {
        for kind in [
            ErrorKind::NotFound,
            ErrorKind::Conflict,
            ErrorKind::Invalid,
            ErrorKind::Unsupported,
        ] {
            assert_eq!(
                BackendError::new(kind, "op", "no").retry(),
                Retry::Never,
                "{kind}"
            );
        }
        let error = BackendError::new(ErrorKind::Unavailable, "op", "no");
        assert_eq!(error.retry(), Retry::Later);
        let pause = Retry::After(Duration::from_secs(3));
        assert_eq!(error.with_retry(pause).retry(), pause);
    }
}
