//! Descriptors: text to a tree, a tree to an [`ApplicationGraph`] or *every* violation, and a graph back to text.
//!
//! Information models 0.4.0 and 0.3.0 are read, in every form that descriptors in use have: booleans as texts, bare
//! switches, a trigger by `type` or by key, connection points below `network`, quantities beside classes.
//!
//! ```
//! use smo_core::descriptor::Descriptor;
//!
//! let text = "
//! hdaGraph:
//!   imVersion: 0.4.0
//!   id: hello
//!   services:
//!     - id: web
//!       deployment:
//!         intent:
//!           compute: {cpu: light, ram: 256Mi, storage: none}
//!           connectionPoints: [api]
//!       artifact: {ociImage: oci://registry.example.com/demo/web}
//!     - id: api
//!       deployment: {intent: {compute: {cpu: tiny}}}
//!       artifact: {ociImage: oci://registry.example.com/demo/api}
//! ";
//! let violations = Descriptor::parse(text).unwrap().validate().unwrap_err();
//! assert_eq!(violations.codes(), ["E021"]);
//!
//! let graph = Descriptor::parse(&text.replace("tiny", "small")).unwrap().validate().unwrap();
//! assert_eq!(graph.services().len(), 2);
//! assert_eq!(Descriptor::from_graph(&graph).validate().unwrap(), graph);
//! ```

mod artifact;
pub mod codes;
mod intent;
mod reader;
pub mod schema;
mod service;
mod trigger;
mod validate;
mod write;

#[cfg(test)]
mod tests;

use crate::decode::UnknownKeys;
use crate::diagnostic::{Violation, Violations};
use crate::graph::ApplicationGraph;
use crate::intent::Catalog;
use crate::yaml::{self, Limits, Node};

pub use schema::json_schema;

/// The most services that one graph may have.
pub const MAX_SERVICES: usize = 10_000;
/// The longest service id: a service id is the name of a Helm release, of which Helm takes this many characters.
pub const MAX_SERVICE_ID: usize = 53;

/// A descriptor that is read but not validated: its text, and the tree of what it says.
#[derive(Debug, Clone, PartialEq)]
pub struct Descriptor {
    source: String,
    text: String,
    root: Node,
}

/// What to do with a reference to a service that the graph does not have.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Dangling {
    /// Refuse the descriptor: a misspelt id would silently lose a link.
    #[default]
    Refuse,
    /// Leave the reference out, with a note.
    Drop,
}

/// How to validate.
///
/// ```
/// use smo_core::decode::UnknownKeys;
/// use smo_core::descriptor::{Dangling, ValidateOptions};
/// let options = ValidateOptions::new().with_unknown_keys(UnknownKeys::Refuse).with_dangling(Dangling::Drop);
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ValidateOptions {
    catalog: Catalog,
    unknown_keys: UnknownKeys,
    dangling: Dangling,
}

impl ValidateOptions {
    /// The default catalogue, notes for unknown keys, dangling references refused.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// The same with the classes of `catalog`.
    #[must_use]
    pub fn with_catalog(mut self, catalog: Catalog) -> Self {
        self.catalog = catalog;
        self
    }

    /// The same with what to do with keys that the format does not know.
    #[must_use]
    pub fn with_unknown_keys(mut self, unknown_keys: UnknownKeys) -> Self {
        self.unknown_keys = unknown_keys;
        self
    }

    /// The same with what to do with references to services that do not exist.
    #[must_use]
    pub fn with_dangling(mut self, dangling: Dangling) -> Self {
        self.dangling = dangling;
        self
    }
}

/// A descriptor that is valid: its graph, and what its author should know.
#[derive(Debug, Clone, PartialEq)]
pub struct Validated {
    /// The graph.
    pub graph: ApplicationGraph,
    /// Notes, in the order of the text.
    pub notes: Vec<Violation>,
}

impl Descriptor {
    /// Reads a descriptor from YAML or JSON text, within the default [`Limits`].
    ///
    /// # Errors
    /// When the text is no YAML, is too large, or has no `hdaGraph` map at its root. Everything else is for
    /// [`Self::validate`] to say.
    pub fn parse(text: &str) -> Result<Self, Violations> {
        Self::parse_named("descriptor", text)
    }

    /// The same for the input called `source` (a file name) in violations.
    ///
    /// # Errors
    /// As [`Self::parse`].
    pub fn parse_named(source: impl Into<String>, text: &str) -> Result<Self, Violations> {
        Self::parse_within(source, text, Limits::default())
    }

    /// The same within other limits.
    ///
    /// # Errors
    /// As [`Self::parse`].
    pub fn parse_within(source: impl Into<String>, text: &str, limits: Limits) -> Result<Self, Violations> {
        let source = source.into();
        let root = match yaml::parse(text, limits) {
            Ok(root) => root,
            Err(violation) => return Err(Violations::new(source, vec![violation])),
        };
        match validate::check_root(&root, text) {
            None => Ok(Self {
                source,
                text: text.to_owned(),
                root,
            }),
            Some(violation) => Err(Violations::new(source, vec![violation])),
        }
    }

    /// The descriptor of `graph`, in the form of information model 0.4.0. Validating it gives an equal graph.
    #[must_use]
    pub fn from_graph(graph: &ApplicationGraph) -> Self {
        let document = write::document(graph);
        let text = yaml::to_string(&document).unwrap_or_default();
        let limits = Limits {
            bytes: usize::MAX,
            nodes: usize::MAX,
            ..Limits::default()
        };
        // Helm values that are nested too deeply to be read back make a tree without positions.
        let root = yaml::parse(&text, limits)
            .unwrap_or_else(|_| Node::from_json(&serde_json::to_value(&document).unwrap_or_default()));
        Self {
            source: "descriptor".to_owned(),
            text,
            root,
        }
    }

    /// The name of the input, for violations.
    #[must_use]
    pub fn source_name(&self) -> &str {
        &self.source
    }

    /// The text as it was read.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.text
    }

    /// The tree of what it says, with positions.
    #[must_use]
    pub fn root(&self) -> &Node {
        &self.root
    }

    /// What it says as JSON, keys that the format does not know included.
    #[must_use]
    pub fn to_json(&self) -> serde_json::Value {
        self.root.to_json()
    }

    /// What it says as YAML without comments, anchors and merges, keys that the format does not know included.
    #[must_use]
    pub fn to_yaml(&self) -> String {
        let json = self.to_json();
        // JSON is YAML, should the value have no nicer form.
        yaml::to_string(&json).unwrap_or_else(|_| json.to_string())
    }

    /// The graph it describes, by the default catalogue, with dangling references refused.
    ///
    /// # Errors
    /// *Every* violation, with its place.
    pub fn validate(&self) -> Result<ApplicationGraph, Violations> {
        self.validate_with(&ValidateOptions::default())
            .map(|validated| validated.graph)
    }

    /// The graph it describes, and notes about it.
    ///
    /// # Errors
    /// *Every* violation, with its place.
    pub fn validate_with(&self, options: &ValidateOptions) -> Result<Validated, Violations> {
        validate::validate(self, options)
    }
}
