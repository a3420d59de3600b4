//! What intents mean in amounts: a catalogue of classes, and the requirements of a graph by it.
//!
//! ```
//! use smo_core::graph::{ApplicationGraph, Service};
//! use smo_core::intent::{Catalog, translate};
//!
//! let web = Service::new("web".parse()?, "oci://registry.example.com/demo/web");
//! let graph = ApplicationGraph::new("demo".parse()?, [web], [])?;
//! let requirements = translate(&graph, &Catalog::default())?;
//! assert_eq!(requirements.services["web"].per_replica.to_string(), "1 core, 1Gi memory, 10G storage");
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod catalog;
mod reader;
mod requirements;
mod translate;

pub use catalog::{Catalog, LatencyLimit};
pub use reader::codes;
pub use requirements::{LinkRequirement, Requirements, ServiceRequirements};
pub use translate::{TranslateError, translate};
