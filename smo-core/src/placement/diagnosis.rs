//! Why no placement was found: per service and cluster, which rule is in the way, and what is missing.

use std::fmt;

use indexmap::IndexMap;
use serde::Serialize;

use super::diagnose::names;
use super::{Reason, Work};
use crate::id::{ClusterName, ServiceKey};
use crate::resources::ResourceName;

/// Why no placement was found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Diagnosis {
    /// The placer that found none.
    pub placer: String,
    /// True when no placement exists; false when the placer gave up and another one may find one.
    pub proved: bool,
    /// How many clusters the fleet has.
    pub clusters: usize,
    /// The services that no cluster can take, each with the reason of every cluster.
    pub services: IndexMap<ServiceKey, ServiceDiagnosis>,
    /// Resources of which the services ask for more, together, than the clusters that may take them have.
    pub shortages: Vec<Shortage>,
    /// Services that do not fit together although any one of them fewer would; empty where not searched or not needed.
    pub conflict: Vec<ServiceKey>,
    /// What to try, most promising first.
    pub hints: Vec<Hint>,
    /// What the placer did.
    pub work: Work,
}

/// Why one service fits nowhere.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ServiceDiagnosis {
    /// The first rule in the way, by cluster.
    pub reasons: IndexMap<ClusterName, Reason>,
}

/// A resource that is not enough for all.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Shortage {
    /// The resource.
    pub resource: ResourceName,
    /// What the services ask for together, in its base unit.
    pub demanded: u64,
    /// What the clusters that may take them have, in its base unit.
    pub available: u64,
    /// The services that ask for it.
    pub services: Vec<ServiceKey>,
}

/// Something to try.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub struct Hint(pub String);

impl fmt::Display for Hint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Display for ServiceDiagnosis {
    /// How many clusters have each reason: `2 no nvidia.com/gpu, 1 not ready, 2 insufficient cpu (3 cores short at best)`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut counts: IndexMap<String, (usize, Option<&Reason>)> = IndexMap::new();
        for reason in self.reasons.values() {
            let (count, least) = counts.entry(reason.label()).or_default();
            *count += 1;
            let short = |reason: &Reason| match reason {
                Reason::Insufficient { missing, .. } => Some(*missing),
                _ => None,
            };
            let nearer = short(reason)
                .is_some_and(|missing| least.and_then(short).is_none_or(|least| missing < least));
            if nearer {
                *least = Some(reason);
            }
        }
        let part = |(label, (count, least)): (&String, &(usize, Option<&Reason>))| match least {
            Some(least) if *count > 1 => format!("{count} {label} ({least} at best)"),
            Some(least) => format!("{count} {label} ({least})"),
            None => format!("{count} {label}"),
        };
        f.write_str(&counts.iter().map(part).collect::<Vec<_>>().join(", "))
    }
}

impl fmt::Display for Shortage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (needs, take) = match self.services.as_slice() {
            [_] => ("needs", "it"),
            _ => ("need", "them"),
        };
        let together = if self.services.len() > 1 { " together" } else { "" };
        let amount = |amount: u64| self.resource.describe(amount);
        write!(
            f,
            "{} {needs} {}{together}; the clusters that may take {take} have {}",
            names(&self.services),
            amount(self.demanded),
            amount(self.available)
        )
    }
}

impl fmt::Display for Diagnosis {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.proved {
            writeln!(f, "no placement exists (proved)")?;
        } else {
            writeln!(
                f,
                "{} found no placement (not proved that none exists)",
                self.placer
            )?;
        }
        for (service, reasons) in &self.services {
            write!(f, "  0/{} clusters can take {}", self.clusters, service.service)?;
            if reasons.reasons.is_empty() {
                writeln!(f)?;
            } else {
                writeln!(f, ": {reasons}")?;
            }
        }
        for shortage in &self.shortages {
            writeln!(f, "  {shortage}")?;
        }
        if !self.conflict.is_empty() {
            writeln!(
                f,
                "  {} do not fit together, though they would with any of them left out",
                names(&self.conflict)
            )?;
        } else if self.services.is_empty() && self.shortages.is_empty() {
            let together = if self.proved {
                "together they do not fit"
            } else {
                "whether all fit together is open"
            };
            writeln!(f, "  every service fits somewhere by itself; {together}")?;
        }
        if !self.hints.is_empty() {
            writeln!(f, "try")?;
        }
        for (number, hint) in self.hints.iter().enumerate() {
            writeln!(f, "  {}. {hint}", number + 1)?;
        }
        Ok(())
    }
}
