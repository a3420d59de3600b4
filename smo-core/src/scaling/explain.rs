//! Decisions as text: what changes, which bound decided, what is lacking.

use std::fmt;

use super::{DecidedBy, Lack, LackReason, Replace, ScalingDecision, ServiceTarget, Share, Targets};
use crate::id::ServiceKey;
use crate::units::Rate;

pub(super) fn replicas(count: u32) -> String {
    if count == 1 {
        "1 replica".to_owned()
    } else {
        format!("{count} replicas")
    }
}

/// Where replicas go: `2 -> 5 replicas on edge-2`, or with every cluster where there are several.
pub(super) fn headline(target: &ServiceTarget) -> String {
    let count = if target.current() == target.replicas() {
        format!("stays at {}", replicas(target.replicas()))
    } else {
        format!("{} -> {}", target.current(), replicas(target.replicas()))
    };
    match target.shares.as_slice() {
        [only] => format!("{count} on {}", only.cluster),
        shares => {
            let used = shares.iter().filter(|share| share.from > 0 || share.to > 0);
            let texts: Vec<String> = used.map(ToString::to_string).collect();
            if texts.is_empty() {
                count
            } else {
                format!("{count}: {}", texts.join(", "))
            }
        }
    }
}

/// Which bound decided, in one line.
pub(super) fn deciding(target: &ServiceTarget) -> String {
    let count = target.replicas();
    let short = |fewer: u32| {
        let carried = target.throughput.capacity(fewer);
        let missing = target.load.saturating_sub(carried);
        format!("{fewer} would carry {}, {missing} short", carried.decimal())
    };
    match &target.decided_by {
        DecidedBy::Load if count == 0 => "no load, and none has to run".to_owned(),
        DecidedBy::Load => format!("the fewest that carry it: {}", short(count - 1)),
        DecidedBy::Minimum => "the fewest allowed".to_owned(),
        DecidedBy::Maximum => "the most allowed".to_owned(),
        DecidedBy::Kept => match target.needed {
            Some(needed) => format!("{needed} would do; stopping the others gains nothing"),
            None => "stopping some gains nothing".to_owned(),
        },
        DecidedBy::Room => "others need the room, and stopping these costs least".to_owned(),
        DecidedBy::Fits => format!("all that fits; {}", lacking(target)),
        DecidedBy::Threshold { threshold } if target.load > *threshold => {
            format!("above the threshold of {threshold}")
        }
        DecidedBy::Threshold { threshold } => format!("below the threshold of {threshold}"),
        DecidedBy::BetweenThresholds => "no threshold asks for another number".to_owned(),
        DecidedBy::Asked => "as asked for".to_owned(),
    }
}

fn lacking(target: &ServiceTarget) -> String {
    let missing = target.load.saturating_sub(target.carries());
    format!("{missing} short")
}

/// What is carried, and by which model.
pub(super) fn load_line(target: &ServiceTarget) -> String {
    let count = target.replicas();
    let carry = if count == 1 { "carries" } else { "carry" };
    format!(
        "load {}; {} {carry} {} ({})",
        target.load,
        replicas(count),
        rate(target.carries()),
        target.throughput
    )
}

fn rate(rate: Rate) -> String {
    rate.decimal()
}

pub(super) fn service_lines(
    f: &mut fmt::Formatter<'_>,
    service: &ServiceKey,
    target: &ServiceTarget,
) -> fmt::Result {
    writeln!(f, "{} {}", service.service, headline(target))?;
    writeln!(f, "  {}", load_line(target))?;
    writeln!(f, "  {}", deciding(target))
}

impl fmt::Display for Share {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.from == self.to {
            write!(f, "{} {}", self.cluster, self.to)
        } else {
            write!(f, "{} {} -> {}", self.cluster, self.from, self.to)
        }
    }
}

impl fmt::Display for LackReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Maximum { max } => write!(f, "more than {max} are not allowed"),
            Self::Insufficient {
                cluster,
                resource,
                left,
                per_replica,
            } => write!(
                f,
                "{cluster} has {} left, one more takes {}",
                resource.describe(*left),
                resource.describe(*per_replica)
            ),
            Self::NotOffered { cluster, resource } => write!(f, "{cluster} offers no {resource}"),
        }
    }
}

impl fmt::Display for Lack {
    /// `image-detection lacks 2 of 5 replicas: 3 carry 5 of 8.3 req/s; edge-2 has 0.5 cores left, one more takes 4 cores`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let service = &self.service.service;
        match self.needed {
            Some(needed) => write!(
                f,
                "{service} lacks {} of {}",
                needed.saturating_sub(self.possible),
                replicas(needed)
            )?,
            None => write!(f, "{service} lacks more replicas than can be counted")?,
        }
        let carry = if self.possible == 1 { "carries" } else { "carry" };
        write!(
            f,
            ": {} {carry} {} of {}",
            self.possible,
            rate(self.carried),
            self.load
        )?;
        for reason in &self.reasons {
            write!(f, "; {reason}")?;
        }
        Ok(())
    }
}

impl fmt::Display for Targets {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (service, target) in &self.services {
            service_lines(f, service, target)?;
        }
        match (self.value, self.bound) {
            (Some(value), Some(bound)) if value != bound => {
                writeln!(
                    f,
                    "value {value}, not proved to be the best: nothing is below {bound}"
                )
            }
            (Some(value), None) => writeln!(f, "value {value}, not proved to be the best"),
            _ => Ok(()),
        }
    }
}

impl fmt::Display for Replace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.proved {
            writeln!(
                f,
                "the load does not fit where the services are (proved): place again"
            )?;
        } else {
            writeln!(
                f,
                "{} found no room for the load where the services are (not proved): place again",
                self.scaler
            )?;
        }
        for lack in &self.lacks {
            writeln!(f, "  {lack}")?;
        }
        let mut changing = self.meanwhile.iter().filter(|(_, target)| target.changes());
        let first = changing.next();
        if first.is_some() {
            writeln!(f, "until then")?;
        }
        for (service, target) in first.into_iter().chain(changing) {
            writeln!(f, "  {} {}", service.service, headline(target))?;
        }
        Ok(())
    }
}

impl fmt::Display for ScalingDecision {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Scale(targets) => targets.fmt(f),
            Self::Replace(replace) => replace.fmt(f),
        }
    }
}
