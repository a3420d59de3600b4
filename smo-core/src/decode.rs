//! Walking a YAML tree into typed values while collecting every violation on the way.
//!
//! A [`Decoder`] owns the list of violations, a [`Cursor`] is a node with its path, a [`MapReader`] takes keys out of a
//! map and reports the ones nobody took. Readers of descriptors and fleets share it.

use crate::diagnostic::{Code, Severity, Violation, Violations, excerpt_of, quoted};
use crate::id::did_you_mean;
use crate::yaml::{Node, Value};

/// A value of the wrong type.
pub const WRONG_TYPE: Code = Code("E003");
/// A required key is missing.
pub const MISSING_KEY: Code = Code("E005");
/// More violations than are listed.
pub const MORE: Code = Code("E099");
/// A key that the format does not know.
pub const UNKNOWN_KEY: Code = Code("N001");

/// Errors, and notes, that are listed; the rest is counted.
const LISTED: usize = 1000;
/// Comparisons that looking for a similar name may cost in one reading.
const COMPARISONS: usize = 200_000;
/// Characters of a key that a path shows.
const KEY_IN_PATH: usize = 80;

/// What to do with keys that the format does not know.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum UnknownKeys {
    /// Report a note and keep the key.
    #[default]
    Note,
    /// Refuse the input.
    Refuse,
}

/// Collects violations while a tree is read.
#[derive(Debug)]
pub struct Decoder<'a> {
    lines: Vec<&'a str>,
    unknown_keys: UnknownKeys,
    violations: Vec<Violation>,
    errors: usize,
    notes: usize,
    /// Takes the changes to a violation that is counted but not listed.
    unlisted: Violation,
    comparisons_left: usize,
}

/// A node and the path that led to it.
#[derive(Debug, Clone)]
pub struct Cursor<'a> {
    /// The node.
    pub node: &'a Node,
    /// The path, such as `services[0].id`; empty at the root.
    pub path: String,
}

impl<'a> Cursor<'a> {
    /// The root of a tree.
    #[must_use]
    pub fn root(node: &'a Node) -> Self {
        Self {
            node,
            path: String::new(),
        }
    }

    /// The node below `key`, with its path.
    fn child(&self, key: &str, node: &'a Node) -> Self {
        let end = key
            .char_indices()
            .nth(KEY_IN_PATH)
            .map_or(key.len(), |(end, _)| end);
        let key = &key[..end];
        let path = if self.path.is_empty() {
            key.to_owned()
        } else {
            format!("{}.{key}", self.path)
        };
        Self { node, path }
    }

    /// True for `null`, `~` and nothing at all.
    #[must_use]
    pub fn is_null(&self) -> bool {
        self.node.value == Value::Null
    }
}

impl<'a> Decoder<'a> {
    /// A decoder of `text`, from which excerpts are taken.
    #[must_use]
    pub fn new(text: &'a str, unknown_keys: UnknownKeys) -> Self {
        Self {
            lines: text.lines().collect(),
            unknown_keys,
            violations: Vec::new(),
            errors: 0,
            notes: 0,
            unlisted: Violation::new(MORE, ""),
            comparisons_left: COMPARISONS,
        }
    }

    /// Adds a violation at a place and gives it back for a hint.
    pub fn report(&mut self, at: &Cursor<'_>, code: Code, message: impl Into<String>) -> &mut Violation {
        self.push(at, Violation::new(code, message))
    }

    /// Adds a note at a place and gives it back for a hint.
    pub fn note(&mut self, at: &Cursor<'_>, code: Code, message: impl Into<String>) -> &mut Violation {
        self.push(at, Violation::new(code, message).as_note())
    }

    /// Adds a violation whose line is not shown, because it may hold a secret.
    pub fn report_hidden(
        &mut self,
        at: &Cursor<'_>,
        code: Code,
        message: impl Into<String>,
    ) -> &mut Violation {
        let violation = self.push(at, Violation::new(code, message));
        violation.excerpt = None;
        violation
    }

    fn push(&mut self, at: &Cursor<'_>, violation: Violation) -> &mut Violation {
        let count = match violation.severity {
            Severity::Error => &mut self.errors,
            Severity::Note => &mut self.notes,
        };
        *count += 1;
        if *count > LISTED {
            self.unlisted = violation;
            return &mut self.unlisted;
        }
        let position = at.node.position;
        let line = self.lines.get(position.line.saturating_sub(1));
        let excerpt = line.and_then(|line| excerpt_of(line));
        let index = self.violations.len();
        self.violations.push(
            violation
                .with_path(at.path.clone())
                .with_excerpt(position, excerpt),
        );
        &mut self.violations[index]
    }

    /// The candidate that `found` was most likely meant to be, as a hint.
    pub fn suggest<'c>(
        &mut self,
        found: &str,
        candidates: impl ExactSizeIterator<Item = &'c str>,
    ) -> Option<String> {
        // No text takes a reader longer than it is worth: long names and huge lists go without a suggestion.
        // Any two names of one or two letters are similar.
        self.comparisons_left = self.comparisons_left.checked_sub(candidates.len())?;
        if !(3..=KEY_IN_PATH).contains(&found.len()) {
            return None;
        }
        did_you_mean(found, candidates).map(|meant| format!("did you mean `{meant}`?"))
    }

    /// How many errors there are so far.
    #[must_use]
    pub fn errors(&self) -> usize {
        self.errors
    }

    /// True when the input will be refused.
    #[must_use]
    pub fn has_errors(&self) -> bool {
        self.errors > 0
    }

    /// Ends the reading: the notes, or everything that is wrong.
    ///
    /// # Errors
    /// All violations, when there is one of severity error.
    pub fn finish(self, source: &str) -> Result<Vec<Violation>, Violations> {
        let failed = self.has_errors();
        let wanted = if failed { Severity::Error } else { Severity::Note };
        let mut list: Vec<Violation> = self.violations;
        list.retain(|violation| violation.severity == wanted);
        let all = if failed { self.errors } else { self.notes };
        if all > LISTED {
            let mut more = Violation::new(MORE, format!("{} more of them are not listed", all - LISTED));
            more.severity = wanted;
            list.push(more);
        }
        let list = Violations::new(source, list);
        if failed {
            Err(list)
        } else {
            Ok(list.iter().cloned().collect())
        }
    }

    fn wrong_type(&mut self, at: &Cursor<'_>, expected: &str) {
        self.report(
            at,
            WRONG_TYPE,
            format!("{} where {expected} is expected", at.node.describe()),
        );
    }

    /// A text. Plain numbers and booleans count as the text the author wrote.
    pub fn text(&mut self, at: &Cursor<'a>) -> Option<&'a str> {
        let text = at.node.scalar_text();
        if text.is_none() {
            self.wrong_type(at, "a text");
        }
        text
    }

    /// A boolean, also one written as the text `'True'` or `'False'`.
    pub fn boolean(&mut self, at: &Cursor<'a>) -> Option<bool> {
        let value = match &at.node.value {
            Value::Bool(value) => Some(*value),
            Value::String(text) => boolean_text(text),
            _ => None,
        };
        if value.is_none() {
            self.wrong_type(at, "true or false");
        }
        value
    }

    /// A whole number that is not negative.
    pub fn count(&mut self, at: &Cursor<'a>) -> Option<u32> {
        let count = at.node.scalar_text().and_then(|text| text.trim().parse().ok());
        if count.is_none() {
            self.wrong_type(at, "a whole number, 0 or more,");
        }
        count
    }

    /// The items of a list, each with its path. Nothing at all counts as an empty list.
    pub fn list(&mut self, at: &Cursor<'a>) -> Vec<Cursor<'a>> {
        match &at.node.value {
            Value::List(items) => {
                let cursor = |(index, node)| Cursor {
                    node,
                    path: format!("{}[{index}]", at.path),
                };
                items.iter().enumerate().map(cursor).collect()
            }
            Value::Null => Vec::new(),
            _ => {
                self.wrong_type(at, "a list");
                Vec::new()
            }
        }
    }

    /// The keys of a map. Nothing at all counts as an empty map.
    pub fn map(&mut self, at: &Cursor<'a>) -> Option<MapReader<'a>> {
        match &at.node.value {
            Value::Map(entries) => Some(MapReader {
                at: at.clone(),
                entries,
                known: Vec::new(),
            }),
            Value::Null => Some(MapReader {
                at: at.clone(),
                entries: &[],
                known: Vec::new(),
            }),
            _ => {
                self.wrong_type(at, "a map");
                None
            }
        }
    }
}

/// The boolean that a text says: `true`, `yes` and `on`, or `false`, `no` and `off`, in any case.
#[must_use]
pub fn boolean_text(text: &str) -> Option<bool> {
    match text.to_ascii_lowercase().as_str() {
        "true" | "yes" | "on" => Some(true),
        "false" | "no" | "off" => Some(false),
        _ => None,
    }
}

/// Takes keys out of a map, one by one.
#[derive(Debug)]
pub struct MapReader<'a> {
    at: Cursor<'a>,
    entries: &'a [(Node, Node)],
    known: Vec<&'static str>,
}

impl<'a> MapReader<'a> {
    /// The place of the map itself.
    #[must_use]
    pub fn cursor(&self) -> &Cursor<'a> {
        &self.at
    }

    /// The value of `key`, if the map has it. A key without a value is there, with a null.
    pub fn get(&mut self, key: &'static str) -> Option<Cursor<'a>> {
        self.known.push(key);
        let (_, value) = self
            .entries
            .iter()
            .find(|(name, _)| name.scalar_text() == Some(key))?;
        Some(self.at.child(key, value))
    }

    /// The value of `key`; a violation when the map has none, or a null.
    pub fn require(&mut self, decoder: &mut Decoder<'a>, key: &'static str) -> Option<Cursor<'a>> {
        let found = self.get(key).filter(|cursor| !cursor.is_null());
        if found.is_none() {
            let message = format!("the key `{key}` is missing");
            decoder.report(&self.at, MISSING_KEY, message);
        }
        found
    }

    /// All keys and values, for maps whose keys are data. Counts every key as known.
    pub fn entries(self, decoder: &mut Decoder<'a>) -> Vec<(&'a str, Cursor<'a>)> {
        let mut entries = Vec::new();
        for (name, value) in self.entries {
            match name.scalar_text() {
                Some(key) => entries.push((key, self.at.child(key, value))),
                None => decoder.wrong_type(
                    &Cursor {
                        node: name,
                        path: self.at.path.clone(),
                    },
                    "a text as key",
                ),
            }
        }
        entries
    }

    /// Reports the keys nobody asked for and returns them, so that they survive a round trip.
    pub fn finish(self, decoder: &mut Decoder<'a>) -> serde_json::Map<String, serde_json::Value> {
        let mut extensions = serde_json::Map::new();
        for (name, value) in self.entries {
            let Some(key) = name.scalar_text() else {
                decoder.wrong_type(
                    &Cursor {
                        node: name,
                        path: self.at.path.clone(),
                    },
                    "a text as key",
                );
                continue;
            };
            if self.known.contains(&key) {
                continue;
            }
            extensions.insert(key.to_owned(), value.to_json());
            let at = Cursor {
                node: name,
                path: self.at.child(key, value).path,
            };
            let hint = decoder.suggest(key, self.known.iter().copied());
            let message = format!("the format has no key {} here", quoted(key));
            let violation = match decoder.unknown_keys {
                UnknownKeys::Refuse => decoder.report(&at, UNKNOWN_KEY, message),
                UnknownKeys::Note => decoder.note(&at, UNKNOWN_KEY, message),
            };
            violation.hint = hint;
        }
        extensions
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::yaml::{Limits, parse};

    fn read(text: &str, unknown_keys: UnknownKeys) -> (Option<String>, Result<Vec<Violation>, Violations>) {
        let root = parse(text, Limits::default()).unwrap();
        let mut decoder = Decoder::new(text, unknown_keys);
        let mut name = None;
        if let Some(mut map) = decoder.map(&Cursor::root(&root)) {
            name = map
                .require(&mut decoder, "name")
                .and_then(|at| decoder.text(&at))
                .map(str::to_owned);
            for item in map.get("flags").map(|at| decoder.list(&at)).unwrap_or_default() {
                decoder.boolean(&item);
            }
            map.finish(&mut decoder);
        }
        (name, decoder.finish("f.yaml"))
    }

    #[test]
    fn every_fault_is_reported_at_once() {
        let (_, result) = read("flags: [true, 'False', maybe, 3]\nnmae: x\n", UnknownKeys::Refuse);
        insta::assert_snapshot!(result.unwrap_err(), @"
        f.yaml has 4 problems
         --> f.yaml:1:1
          |   flags: [true, 'False', maybe, 3]
          |   ^ E005 the key `name` is missing
         --> f.yaml:1:24   flags[2]
          |   flags: [true, 'False', maybe, 3]
          |                          ^^^^^ E003 the text `maybe` where true or false is expected
         --> f.yaml:1:31   flags[3]
          |   flags: [true, 'False', maybe, 3]
          |                                 ^ E003 the number 3 where true or false is expected
         --> f.yaml:2:1   nmae
          |   nmae: x
          |   ^^^^ N001 the format has no key `nmae` here; did you mean `name`?
        ");
    }

    #[test]
    fn unknown_keys_are_notes_by_default() {
        let (name, notes) = read("name: 1.0\nextra: {a: 1}\n", UnknownKeys::Note);
        assert_eq!(name.as_deref(), Some("1.0"));
        assert_eq!(
            notes.unwrap()[0].to_string(),
            "N001 extra: the format has no key `extra` here"
        );
    }
}
