//! Rules and goals that a host brings along.

use std::fmt;
use std::sync::Arc;

use super::goals::Measure;
use super::rules::Rule;

/// A rule of the host: one more rule that every placement keeps.
#[derive(Clone)]
pub struct CustomRule(Arc<dyn Rule>);

impl CustomRule {
    /// From a rule.
    pub fn new(rule: impl Rule + 'static) -> Self {
        Self(Arc::new(rule))
    }

    /// The rule.
    #[must_use]
    pub fn get(&self) -> &dyn Rule {
        self.0.as_ref()
    }
}

/// A goal of the host: amounts in millionths of a point, less is better.
#[derive(Clone)]
pub struct CustomGoal(Arc<dyn Measure>);

impl CustomGoal {
    /// From what it measures.
    pub fn new(measure: impl Measure + 'static) -> Self {
        Self(Arc::new(measure))
    }

    /// What it measures.
    #[must_use]
    pub fn get(&self) -> &dyn Measure {
        self.0.as_ref()
    }
}

macro_rules! shared {
    ($name:ident) => {
        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Debug::fmt(&self.0, f)
            }
        }

        /// Equal when they are one and the same.
        impl PartialEq for $name {
            fn eq(&self, other: &Self) -> bool {
                Arc::ptr_eq(&self.0, &other.0)
            }
        }
    };
}

shared!(CustomRule);
shared!(CustomGoal);
