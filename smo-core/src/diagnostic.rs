//! What is wrong with an input: violations with a code, a path, a position and a hint.
//!
//! A reader collects every violation before it refuses, so that a user mends a file once and not once per fault.

use std::fmt;

use serde::Serialize;

/// A stable name for one kind of violation or note, such as `E012`. Codes are never reused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(transparent)]
pub struct Code(pub &'static str);

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0)
    }
}

/// Declares codes as constants, each with its meaning as documentation, and a table `ALL` of them.
macro_rules! code_table {
    ($([$($shared:tt)+])? $($(#[doc = $doc:literal])+ $name:ident = $code:literal;)+) => {
        $($(#[doc = $doc])+ pub const $name: Code = Code($code);)+

        /// Every code with its meaning.
        pub const ALL: &[(Code, &str)] = &[
            $($($shared)+)?
            $(($name, concat!($($doc),+).trim_ascii()),)+
        ];
    };
}
pub(crate) use code_table;

/// Whether the input is refused for it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// The input is refused.
    Error,
    /// The input is accepted; the user should know.
    Note,
}

/// Where in the text, counted from 1, in characters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
pub struct Position {
    /// Line, from 1.
    pub line: usize,
    /// Column, from 1.
    pub column: usize,
    /// How many characters of that line are meant; at least 1.
    pub width: usize,
}

/// One thing that is wrong, or worth knowing, at one place of the input.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Violation {
    /// What kind of thing.
    pub code: Code,
    /// Whether the input is refused for it.
    pub severity: Severity,
    /// The place in the structure, such as `services[0].deployment.intent.compute.cpu`; empty for the whole input.
    pub path: String,
    /// The place in the text, where there is a text.
    pub position: Option<Position>,
    /// What was found and what is allowed.
    pub message: String,
    /// What to try.
    pub hint: Option<String>,
    /// The line of text, with secrets blanked.
    #[serde(skip)]
    pub excerpt: Option<String>,
}

impl Violation {
    /// A violation of the whole input, without a place.
    #[must_use]
    pub fn new(code: Code, message: impl Into<String>) -> Self {
        Self {
            code,
            severity: Severity::Error,
            path: String::new(),
            position: None,
            message: message.into(),
            hint: None,
            excerpt: None,
        }
    }

    /// The same with a hint.
    #[must_use]
    pub fn with_hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    /// The same at a place of the structure.
    #[must_use]
    pub fn with_path(mut self, path: impl Into<String>) -> Self {
        self.path = path.into();
        self
    }

    /// The same at a place of `text`.
    #[must_use]
    pub fn with_position(mut self, position: Position, text: &str) -> Self {
        self.position = Some(position);
        self.excerpt = text
            .lines()
            .nth(position.line.saturating_sub(1))
            .filter(|_| !is_in_values(text, position.line))
            .and_then(excerpt_of);
        self
    }

    /// The same at a place of a text whose line is already known; see [`excerpt_of`].
    #[must_use]
    pub fn with_excerpt(mut self, position: Position, excerpt: Option<String>) -> Self {
        self.position = Some(position);
        self.excerpt = excerpt;
        self
    }

    /// The same as a note.
    #[must_use]
    pub fn as_note(mut self) -> Self {
        self.severity = Severity::Note;
        self
    }
}

impl fmt::Display for Violation {
    /// One line: code, path and message, and the hint where there is one.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.code)?;
        if !self.path.is_empty() {
            write!(f, " {}:", self.path)?;
        }
        write!(f, " {}", self.message)?;
        match &self.hint {
            Some(hint) => write!(f, "; {hint}"),
            None => Ok(()),
        }
    }
}

/// All violations of one input, in the order of the text.
///
/// `Display` shows each with its line and a caret below the place.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Violations {
    source: String,
    list: Vec<Violation>,
}

impl Violations {
    /// The violations of the input called `source` (a file name), sorted by place, code and message.
    #[must_use]
    pub fn new(source: impl Into<String>, mut list: Vec<Violation>) -> Self {
        list.sort_by(|a, b| {
            let place = |v: &Violation| v.position.map_or((usize::MAX, 0), |p| (p.line, p.column));
            place(a)
                .cmp(&place(b))
                .then(a.code.cmp(&b.code))
                .then(a.message.cmp(&b.message))
        });
        list.dedup();
        Self {
            source: source.into(),
            list,
        }
    }

    /// The name of the input.
    #[must_use]
    pub fn source_name(&self) -> &str {
        &self.source
    }

    /// Each violation, in the order of the text.
    pub fn iter(&self) -> std::slice::Iter<'_, Violation> {
        self.list.iter()
    }

    /// How many there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.list.len()
    }

    /// True when there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.list.is_empty()
    }

    /// The codes, in the order of the text.
    #[must_use]
    pub fn codes(&self) -> Vec<&'static str> {
        self.list.iter().map(|violation| violation.code.0).collect()
    }
}

impl<'a> IntoIterator for &'a Violations {
    type Item = &'a Violation;
    type IntoIter = std::slice::Iter<'a, Violation>;

    fn into_iter(self) -> Self::IntoIter {
        self.list.iter()
    }
}

impl std::error::Error for Violations {}

impl fmt::Display for Violations {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let notes_only = self
            .list
            .iter()
            .all(|violation| violation.severity == Severity::Note);
        let noun = if notes_only && !self.list.is_empty() {
            "note"
        } else {
            "problem"
        };
        let plural = if self.list.len() == 1 { "" } else { "s" };
        let problems = format!("{} {noun}{plural}", self.list.len());
        write!(f, "{} has {problems}", self.source)?;
        for violation in &self.list {
            let place = violation
                .position
                .map(|p| format!(":{}:{}", p.line, p.column))
                .unwrap_or_default();
            write!(f, "\n --> {}{place}", self.source)?;
            if !violation.path.is_empty() {
                write!(f, "   {}", violation.path)?;
            }
            let what = match &violation.hint {
                Some(hint) => format!("{} {}; {hint}", violation.code, violation.message),
                None => format!("{} {}", violation.code, violation.message),
            };
            match (&violation.excerpt, violation.position) {
                (Some(line), Some(position)) => {
                    let column = position.column.saturating_sub(1);
                    let indent = line.chars().take_while(|c| c.is_whitespace()).count();
                    // A long line is shown from a little before the place.
                    let start = if column > indent + 80 {
                        column - 40
                    } else {
                        indent.min(column)
                    };
                    let shown: String = line.trim_end().chars().skip(start).take(120).collect();
                    let before = column - start;
                    let width = position
                        .width
                        .min(shown.chars().count().saturating_sub(before))
                        .max(1);
                    write!(
                        f,
                        "\n  |   {shown}\n  |   {}{} {what}",
                        " ".repeat(before),
                        "^".repeat(width)
                    )?;
                }
                _ => write!(f, "\n  |   {what}")?,
            }
        }
        Ok(())
    }
}

/// Bytes of a line that an excerpt shows something of; a longer line is not quoted.
const LONGEST_LINE: usize = 2000;

/// What an error may show of a line: secrets blanked, control characters replaced; nothing of a very long line.
#[must_use]
pub fn excerpt_of(line: &str) -> Option<String> {
    (line.len() <= LONGEST_LINE).then(|| printable(&blank_secrets(line)))
}

/// `text` between backticks, without control characters and cut after 60 characters, for messages.
#[must_use]
pub fn quoted(text: &str) -> String {
    const LONGEST: usize = 60;
    let shown: String = text.chars().take(LONGEST).collect();
    let rest = if shown.len() < text.len() { "..." } else { "" };
    format!("`{}{rest}`", printable(&shown))
}

/// A terminal obeys control characters, so an error never prints them.
fn printable(text: &str) -> String {
    let show = |c: char| match c {
        '\t' => ' ',
        c if c.is_control() => char::REPLACEMENT_CHARACTER,
        c => c,
    };
    text.chars().map(show).collect()
}

/// True when a line belongs to Helm values, as far as indentation shows: they are free data and never shown.
fn is_in_values(text: &str, line: usize) -> bool {
    let names_values = |line: &str| line.to_lowercase().contains("valuesoverwrite");
    let before: Vec<&str> = text.lines().take(line).collect();
    if text.trim_start().starts_with('{') {
        // JSON need not be indented, so nothing after the key is shown.
        return before.iter().any(|line| names_values(line));
    }
    let indent = |line: &str| line.len() - line.trim_start().len();
    let Some((last, above)) = before.split_last() else {
        return false;
    };
    let mut inner = indent(last);
    for line in above.iter().rev().filter(|line| !line.trim().is_empty()) {
        if indent(line) < inner {
            if names_values(line) {
                return true;
            }
            inner = indent(line);
        }
    }
    false
}

/// Words in a key whose value is not shown. Helm values are free data, so none of them is shown on one line with
/// their key.
const SECRET_WORDS: [&str; 9] = [
    "valuesoverwrite",
    "password",
    "passwd",
    "secret",
    "token",
    "apikey",
    "api_key",
    "credential",
    "private_key",
];

/// True for a key whose value is not shown to people.
pub(crate) fn looks_secret(key: &str) -> bool {
    let lower = key.to_lowercase();
    SECRET_WORDS.iter().any(|word| lower.contains(word))
}

/// The line with the value of a secret-looking key replaced, so that an error never prints a password.
fn blank_secrets(line: &str) -> String {
    let lower = line.to_lowercase();
    let Some(word) = SECRET_WORDS.iter().filter_map(|word| lower.find(word)).min() else {
        return line.to_owned();
    };
    // Lower-casing can change byte lengths outside ASCII, so only cut where the same byte offset is a boundary.
    let colon = line
        .get(word..)
        .and_then(|rest| rest.find(':'))
        .map(|offset| word + offset);
    match colon.and_then(|end| line.get(..=end)) {
        Some(kept) => format!("{kept} ***"),
        None => "***".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn violations_come_in_the_order_of_the_text_and_show_the_place() {
        let text = "a: 1\nbeta: [x, yy]\n";
        let at = |line, column, width| Position { line, column, width };
        let violations = Violations::new(
            "f.yaml",
            vec![
                Violation::new(Code("E2"), "bad yy")
                    .with_path("beta[1]")
                    .with_position(at(2, 11, 2), text),
                Violation::new(Code("E1"), "bad a")
                    .with_hint("try 2")
                    .with_position(at(1, 4, 1), text),
            ],
        );
        assert_eq!(violations.codes(), ["E1", "E2"]);
        insta::assert_snapshot!(violations, @r"
        f.yaml has 2 problems
         --> f.yaml:1:4
          |   a: 1
          |      ^ E1 bad a; try 2
         --> f.yaml:2:11   beta[1]
          |   beta: [x, yy]
          |             ^^ E2 bad yy
        ");
    }

    #[test]
    fn an_excerpt_never_shows_a_secret() {
        assert_eq!(blank_secrets("  dbPassword: hunter2"), "  dbPassword: ***");
        assert_eq!(
            blank_secrets("{user: a, apiToken: abc}"),
            "{user: a, apiToken: ***"
        );
        assert_eq!(blank_secrets("hunter2 # the secret"), "***");
        assert_eq!(blank_secrets("cpu: 1"), "cpu: 1");
    }
}
