//! The file format of placement problems: the whole question as YAML or JSON, to keep what a planner was asked, to try it
//! again, and to write problems by hand.
//!
//! Reading refuses with *every* fault and its place. Writing refuses what has no place in a file, and compares what it wrote,
//! read again, with the question: a file that is written says exactly what was asked.

pub mod codes;
mod reader;
mod reader_rules;
mod reader_service;
pub mod schema;
mod write;

use super::PlacementProblem;
use crate::diagnostic::{Violation, Violations};
use crate::yaml::{self, Limits};

pub use write::Unwritable;

impl PlacementProblem {
    /// Reads a problem file. Keys that the format does not know are refused.
    ///
    /// ```
    /// use smo_core::placement::{AutoPlacer, PlacementProblem, decide};
    /// let problem = PlacementProblem::parse("
    /// problem:
    ///   goals: {money: 1, carbon: 0.0001}                  # points for 1 EUR/h and 1 gCO2e/h
    ///   services:
    ///     - {name: default/shop/web, replicas: 2, perReplica: {cpu: 500m, memory: 1Gi}, mode: split}
    ///     - {name: default/shop/db, perReplica: {cpu: 2, memory: 4Gi}, regions: [eu]}
    ///   clusters:
    ///     - {name: edge-1, capacity: {cpu: 3, memory: 8Gi}, region: eu, price: {cpu: 0.05}}
    ///     - {name: cloud-1, capacity: {cpu: 64, memory: 256Gi}, region: us, price: {cpu: 0.02}}
    ///   links:
    ///     - {from: default/shop/web, to: default/shop/db, rttBelow: 30, traffic: 2M}
    ///   network:
    ///     - {between: [edge-1, cloud-1], rtt: 24}
    /// ").unwrap();
    /// let decision = decide(&AutoPlacer::default(), &problem).unwrap().into_decision().unwrap();
    /// assert_eq!(decision.value.to_string(), "0.12");
    /// assert_eq!(PlacementProblem::parse(&problem.to_yaml().unwrap()), Ok(problem));
    /// ```
    ///
    /// # Errors
    /// *Everything* that is wrong, with its place.
    pub fn parse(text: &str) -> Result<Self, Violations> {
        Self::parse_named(reader::ROOT, text)
    }

    /// The same for the input called `source` (a file name) in violations.
    ///
    /// # Errors
    /// As [`Self::parse`].
    pub fn parse_named(source: &str, text: &str) -> Result<Self, Violations> {
        Self::parse_noted(source, text, Limits::default()).map(|(problem, _)| problem)
    }

    /// The same within other limits, with notes about what is odd but accepted.
    ///
    /// # Errors
    /// As [`Self::parse`].
    pub fn parse_noted(
        source: &str,
        text: &str,
        limits: Limits,
    ) -> Result<(Self, Vec<Violation>), Violations> {
        let root = yaml::parse(text, limits).map_err(|violation| Violations::new(source, vec![violation]))?;
        reader::read(source, text, &root)
    }

    /// The question in the shape of its file.
    ///
    /// # Errors
    /// [`Unwritable`] for rules and goals of the host, which are code, and for what the format would not read as it is, such as
    /// a negative price.
    pub fn document(&self) -> Result<schema::Document, Unwritable> {
        write::document(self)
    }

    /// The question as JSON that [`Self::parse`] reads.
    ///
    /// # Errors
    /// As [`Self::document`].
    pub fn to_json(&self) -> Result<serde_json::Value, Unwritable> {
        write::json(&self.document()?)
    }

    /// The question as YAML that [`Self::parse`] reads.
    ///
    /// # Errors
    /// As [`Self::document`].
    pub fn to_yaml(&self) -> Result<String, Unwritable> {
        yaml::to_string(&self.document()?).map_err(|error| Unwritable::new(vec![error.to_string()]))
    }
}
