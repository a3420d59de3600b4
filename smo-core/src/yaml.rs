//! The one module that knows the YAML library: text to a tree of nodes with positions, and values back to text.
//!
//! The tree keeps everything the text says, so that a reader can report every fault with its place and lose no key.
//! Scalars are read as Kubernetes reads them (`yes` and `True` are booleans, `0644` is octal); duplicate keys are an
//! error, merge keys are applied.

use serde::de::{self, Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};
use serde_json::Number;
use serde_yaml::Spanned;

use crate::diagnostic::{Code, Position, Violation, quoted};

/// The text is no YAML, or holds several documents.
pub const SYNTAX: Code = Code("E001");
/// The text is larger, deeper or expands to more than a reader accepts.
pub const TOO_LARGE: Code = Code("E002");

/// What a reader accepts before it refuses to go on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Bytes of text.
    pub bytes: usize,
    /// Levels of nesting. A build without optimisation needs about 40 KiB of stack for each.
    pub depth: usize,
    /// Nodes after aliases are expanded.
    pub nodes: usize,
}

impl Default for Limits {
    /// 4 MiB of text, 32 levels (which fit the 2 MiB stack of a thread), 250,000 nodes.
    fn default() -> Self {
        Self {
            bytes: 4 << 20,
            depth: 32,
            nodes: 250_000,
        }
    }
}

/// A value and where it stands in the text.
#[derive(Debug, Clone, PartialEq)]
pub struct Node {
    /// The value.
    pub value: Value,
    /// Where it stands; for an alias, where it is used.
    pub position: Position,
    /// Where the value is written; differs from `position` for an alias or a merged key.
    defined: Position,
    /// The scalar as written, for a plain number or boolean (`1.0`, `True`).
    raw: Option<String>,
}

/// A YAML value.
#[derive(Debug, Clone, PartialEq)]
pub enum Value {
    /// `null`, `~`, or nothing.
    Null,
    /// A boolean.
    Bool(bool),
    /// A number.
    Number(Number),
    /// A text.
    String(String),
    /// A list.
    List(Vec<Node>),
    /// A map, in the order of the text.
    Map(Vec<(Node, Node)>),
}

impl Node {
    /// The text of a scalar as the author wrote it: `1.0` and `True` as well as strings.
    #[must_use]
    pub fn scalar_text(&self) -> Option<&str> {
        match &self.value {
            Value::String(text) => Some(text),
            Value::Bool(_) | Value::Number(_) => self.raw.as_deref(),
            _ => None,
        }
    }

    /// What the value is, as an error says it: `the number 7`, `a list`.
    #[must_use]
    pub fn describe(&self) -> String {
        match &self.value {
            Value::Null => "nothing".to_owned(),
            Value::Bool(value) => format!("the boolean {value}"),
            Value::Number(number) => format!(
                "the number {}",
                self.raw.as_deref().unwrap_or(&number.to_string())
            ),
            Value::String(text) if text.is_empty() => "an empty text".to_owned(),
            Value::String(text) => format!("the text {}", quoted(text)),
            Value::List(_) => "a list".to_owned(),
            Value::Map(_) => "a map".to_owned(),
        }
    }

    /// The value of `key`, when this is a map that has it.
    #[must_use]
    pub fn get(&self, key: &str) -> Option<&Node> {
        match &self.value {
            Value::Map(entries) => entries
                .iter()
                .find(|(name, _)| name.scalar_text() == Some(key))
                .map(|(_, value)| value),
            _ => None,
        }
    }

    /// What kind of value it is, without the value: `a number`, `a list`.
    #[must_use]
    pub fn kind(&self) -> &'static str {
        match &self.value {
            Value::Null => "nothing",
            Value::Bool(_) => "a boolean",
            Value::Number(_) => "a number",
            Value::String(_) => "a text",
            Value::List(_) => "a list",
            Value::Map(_) => "a map",
        }
    }

    /// The tree of a JSON value; every node stands at the beginning of a text.
    #[must_use]
    pub fn from_json(json: &serde_json::Value) -> Self {
        use serde_json::Value as Json;
        let position = Position {
            line: 1,
            column: 1,
            width: 1,
        };
        let raw = match json {
            Json::Bool(_) | Json::Number(_) => Some(json.to_string()),
            _ => None,
        };
        let value = match json {
            Json::Null => Value::Null,
            Json::Bool(value) => Value::Bool(*value),
            Json::Number(number) => Value::Number(number.clone()),
            Json::String(text) => Value::String(text.clone()),
            Json::Array(items) => Value::List(items.iter().map(Self::from_json).collect()),
            Json::Object(map) => Value::Map(
                map.iter()
                    .map(|(key, value)| {
                        (
                            Self::from_json(&Json::String(key.clone())),
                            Self::from_json(value),
                        )
                    })
                    .collect(),
            ),
        };
        Self {
            value,
            position,
            defined: position,
            raw,
        }
    }

    /// The same value as JSON.
    #[must_use]
    pub fn to_json(&self) -> serde_json::Value {
        match &self.value {
            Value::Null => serde_json::Value::Null,
            Value::Bool(value) => (*value).into(),
            Value::Number(number) => number.clone().into(),
            Value::String(text) => text.clone().into(),
            Value::List(items) => items.iter().map(Self::to_json).collect(),
            Value::Map(entries) => entries
                .iter()
                .map(|(key, value)| (key.scalar_text().unwrap_or_default().to_owned(), value.to_json()))
                .collect::<serde_json::Map<_, _>>()
                .into(),
        }
    }
}

/// Reads one YAML document.
///
/// # Errors
/// One violation, with its place, when the text is no single YAML document or goes beyond the limits.
pub fn parse(text: &str, limits: Limits) -> Result<Node, Violation> {
    if text.len() > limits.bytes {
        let message = format!("the text has {} bytes; {} are accepted", text.len(), limits.bytes);
        return Err(Violation::new(TOO_LARGE, message));
    }
    let options = serde_yaml::options! {
        legacy_octal_numbers: true,
        with_snippet: false,
        budget: serde_yaml::budget! { max_depth: limits.depth, max_nodes: limits.nodes },
    };
    let parsed: Result<Node, _> = serde_yaml::from_str_with_options(text, options);
    let mut node = parsed.map_err(|error| syntax_violation(&error, text, limits))?;
    keep_raw_scalars(&mut node, &LineIndex::new(text));
    Ok(node)
}

/// Writes a value as YAML that YAML 1.1 and 1.2 readers, Helm's among them, read back unchanged.
///
/// # Errors
/// When the value cannot be serialised.
pub fn to_string<T: serde::Serialize>(value: &T) -> Result<String, serde_yaml::ser_error::Error> {
    serde_yaml::to_string(value)
}

fn syntax_violation(error: &serde_yaml::Error, text: &str, limits: Limits) -> Violation {
    let full = error.to_string();
    let first = full.lines().next().unwrap_or_default();
    let message = first.trim_start_matches("error: ");
    let message = match message.split_once(": ") {
        Some((place, rest)) if place.starts_with("line ") => rest,
        _ => message,
    };
    let message = message.split(" at line ").next().unwrap_or(message);
    let (code, message, hint) = if message.contains("budget") || message.contains("recursion limit") {
        let message = if message.contains("Nodes") {
            format!(
                "the document expands to more than the {} nodes that are accepted",
                limits.nodes
            )
        } else if message.contains("Depth") || message.contains("recursion limit") {
            format!(
                "the document is nested deeper than the {} levels that are accepted",
                limits.depth
            )
        } else {
            format!("the document expands beyond what is accepted ({message})")
        };
        (TOO_LARGE, message, None)
    } else if message.starts_with("duplicate mapping key") {
        let key = message
            .split(": ")
            .nth(1)
            .and_then(|rest| rest.split(',').next())
            .unwrap_or_default();
        (
            SYNTAX,
            format!("the key `{key}` stands twice in this map"),
            Some("keep one of them"),
        )
    } else if message.starts_with("multiple YAML documents") {
        (
            SYNTAX,
            "a second YAML document begins here; one is accepted".to_owned(),
            Some("split the file at `---`"),
        )
    } else {
        (SYNTAX, format!("not YAML: {message}"), None)
    };
    let mut violation = Violation::new(code, message);
    violation.hint = hint.map(str::to_owned);
    match error.location() {
        Some(location) => {
            let position = Position {
                width: 1,
                ..position_of(location)
            };
            violation.with_position(position, text)
        }
        None => violation,
    }
}

/// Lines of the text, to cut a scalar out by its position.
struct LineIndex<'a>(Vec<&'a str>);

impl<'a> LineIndex<'a> {
    fn new(text: &'a str) -> Self {
        Self(text.lines().collect())
    }

    fn slice(&self, position: Position) -> Option<String> {
        let line = self.0.get(position.line.checked_sub(1)?)?;
        Some(
            line.chars()
                .skip(position.column - 1)
                .take(position.width)
                .collect(),
        )
    }
}

/// Fills in how plain numbers and booleans were written.
fn keep_raw_scalars(node: &mut Node, lines: &LineIndex<'_>) {
    match &mut node.value {
        Value::Bool(_) | Value::Number(_) => {
            node.raw = lines
                .slice(node.defined)
                .or_else(|| Some(node.to_json().to_string()));
        }
        Value::List(items) => items.iter_mut().for_each(|item| keep_raw_scalars(item, lines)),
        Value::Map(entries) => {
            for (key, value) in entries {
                keep_raw_scalars(key, lines);
                keep_raw_scalars(value, lines);
            }
        }
        Value::Null | Value::String(_) => {}
    }
}

impl<'de> Deserialize<'de> for Node {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let spanned = Spanned::<Value>::deserialize(deserializer)?;
        let (position, defined) = (position_of(spanned.referenced), position_of(spanned.defined));
        Ok(Self {
            value: spanned.value,
            position,
            defined,
            raw: None,
        })
    }
}

fn position_of(location: serde_yaml::Location) -> Position {
    let number = |value: u64| usize::try_from(value).unwrap_or(usize::MAX).max(1);
    Position {
        line: number(location.line()),
        column: number(location.column()),
        width: number(location.span().len()),
    }
}

impl<'de> Deserialize<'de> for Value {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(ValueVisitor)
    }
}

struct ValueVisitor;

impl<'de> Visitor<'de> for ValueVisitor {
    type Value = Value;

    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("a YAML value")
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_none<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_some<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        Value::deserialize(deserializer)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        Ok(Value::Bool(value))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Value, E> {
        Ok(Value::Number(value.into()))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Value, E> {
        Ok(Value::Number(value.into()))
    }

    fn visit_f64<E: de::Error>(self, value: f64) -> Result<Value, E> {
        Number::from_f64(value)
            .map(Value::Number)
            .ok_or_else(|| E::custom("a number that is not finite"))
    }

    fn visit_str<E>(self, text: &str) -> Result<Value, E> {
        Ok(Value::String(text.to_owned()))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut access: A) -> Result<Value, A::Error> {
        let mut items = Vec::new();
        while let Some(item) = access.next_element()? {
            items.push(item);
        }
        Ok(Value::List(items))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut access: A) -> Result<Value, A::Error> {
        let mut entries = Vec::new();
        while let Some(entry) = access.next_entry()? {
            entries.push(entry);
        }
        Ok(Value::Map(entries))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Node {
        parse(text, Limits::default()).unwrap()
    }

    #[test]
    fn every_node_knows_its_place_and_its_text() {
        let root = read("im: 0.4.0\nversion: 1.0\nok: True\nn: [a, 'True', 0644]\n");
        let version = root.get("version").unwrap();
        assert_eq!((version.position.line, version.position.column), (2, 10));
        assert_eq!(version.scalar_text(), Some("1.0"));
        assert_eq!(root.get("ok").unwrap().value, Value::Bool(true));
        assert_eq!(root.get("ok").unwrap().scalar_text(), Some("True"));
        assert_eq!(root.get("im").unwrap().scalar_text(), Some("0.4.0"));
        assert_eq!(
            root.get("n").unwrap().to_json(),
            serde_json::json!(["a", "True", 420])
        );
    }

    #[test]
    fn aliases_and_merges_are_applied() {
        let root = read("a: &a {p: 1, y: 2}\nb: *a\nc: {<<: *a, r: 3}\n");
        assert_eq!(
            root.get("b").unwrap().to_json(),
            serde_json::json!({"p": 1, "y": 2})
        );
        assert_eq!(
            root.get("c").unwrap().get("p").unwrap().to_json(),
            serde_json::json!(1)
        );
    }

    #[test]
    fn syntax_errors_say_where_and_what() {
        let message = |text: &str| {
            let violation = parse(text, Limits::default()).unwrap_err();
            format!("{:?} {violation}", violation.position.map(|p| (p.line, p.column)))
        };
        insta::assert_snapshot!(message("a: 1\na: 2\n"), @"Some((2, 1)) E001 the key `a` stands twice in this map; keep one of them");
        insta::assert_snapshot!(message("a: 1\n---\nb: 2\n"), @"Some((3, 1)) E001 a second YAML document begins here; one is accepted; split the file at `---`");
        insta::assert_snapshot!(message("a: [1\nb: 2\n"), @"Some((2, 2)) E001 not YAML: illegal placement of ':' indicator");
        insta::assert_snapshot!(message("a: .inf\n"), @"Some((1, 4)) E001 not YAML: non-finite float `.inf` rejected by the configured policy");
    }

    #[test]
    fn bombs_are_refused() {
        let mut bomb = "a0: &a0 [x,x,x,x,x,x,x,x,x,x]\n".to_owned();
        for level in 1..8 {
            let below = format!("*a{}", level - 1);
            bomb.push_str(&format!("a{level}: &a{level} [{}]\n", vec![below; 10].join(",")));
        }
        let refused = |text: &str| parse(text, Limits::default()).unwrap_err().to_string();
        insta::assert_snapshot!(refused(&bomb), @"E002 the document expands to more than the 250000 nodes that are accepted");
        insta::assert_snapshot!(refused(&"[".repeat(100_000)), @"E002 the document is nested deeper than the 32 levels that are accepted");
        insta::assert_snapshot!(refused(&"{a: ".repeat(33)), @"E001 not YAML: unclosed bracket '{'");
        insta::assert_snapshot!(refused(&"a".repeat(5 << 20)), @"E002 the text has 5242880 bytes; 4194304 are accepted");
    }
}
