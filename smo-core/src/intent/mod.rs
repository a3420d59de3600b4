//! What intents mean in amounts: a catalogue of classes, and the requirements of a graph by it.

mod requirements;

pub use requirements::{LinkRequirement, Requirements, ServiceRequirements};
