//! What one step of the controller decided, and why, as data and as text.

use std::fmt;

use indexmap::IndexMap;
use jiff::Timestamp;
use serde::Serialize;

use super::super::explain::{deciding, headline, load_line, replicas};
use super::super::{DecidedBy, Replace, ServiceTarget};
use super::ExpectedLoad;
use crate::id::ServiceKey;
use crate::units::Rate;

/// What the host should do next.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum ScalingAction {
    /// Nothing.
    Hold,
    /// Set the replicas of the services that change.
    Scale,
    /// Place the services again; until then, set the replicas of those that change.
    Replace,
}

/// One step: a verdict about every service.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ScalingStep {
    /// When.
    pub at: Timestamp,
    /// Every service, in the order of the observation.
    pub services: IndexMap<ServiceKey, ServiceVerdict>,
    /// Why services have to be placed again, if they have to.
    pub replace: Option<Replace>,
}

impl ScalingStep {
    /// What the host should do next.
    #[must_use]
    pub fn action(&self) -> ScalingAction {
        if self.replace.is_some() {
            ScalingAction::Replace
        } else if self.changes().next().is_some() {
            ScalingAction::Scale
        } else {
            ScalingAction::Hold
        }
    }

    /// The services whose replicas change.
    pub fn changes(&self) -> impl Iterator<Item = (&ServiceKey, &ServiceTarget)> {
        let all = self
            .services
            .iter()
            .map(|(service, verdict)| (service, &verdict.target));
        all.filter(|(_, target)| target.changes())
    }

    /// The earliest moment at which time alone would change a verdict; ask again then, or with the next sample.
    #[must_use]
    pub fn next(&self) -> Option<Timestamp> {
        let limits = self.services.values().flat_map(|verdict| &verdict.limits);
        limits.filter_map(Limit::until).min()
    }
}

/// The load that a count was decided for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase", tag = "from")]
pub enum LoadUsed {
    /// A sample.
    Measured {
        /// Requests per second.
        rate: Rate,
        /// When it was measured.
        at: Timestamp,
        /// How much more the count was decided for, in percent.
        headroom_percent: u32,
        /// A forecast that is lower than that, or none.
        expected: Option<ExpectedLoad>,
    },
    /// A forecast that is higher than the sample.
    Expected {
        /// The sample.
        rate: Rate,
        /// When it was measured.
        at: Timestamp,
        /// The forecast.
        expected: ExpectedLoad,
    },
    /// No sample: the load that the policy assumes.
    Assumed {
        /// Requests per second.
        rate: Rate,
    },
    /// No sample, or nothing to decide.
    None,
}

/// What kept a count from what was wanted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase", tag = "limit")]
pub enum Limit {
    /// There is no fresh sample.
    NoSample {
        /// When there last was one.
        last: Option<Timestamp>,
    },
    /// Somebody else owns the count.
    OwnedBy {
        /// Who.
        owners: Vec<String>,
    },
    /// Somebody else changed the count.
    ForeignChange {
        /// What the controller had asked for or found.
        from: u32,
        /// What it is now.
        to: u32,
        /// Until when it is left alone; `None` when the controller decides again at once.
        until: Option<Timestamp>,
    },
    /// A foreign change is still left alone.
    Respected {
        /// Until when.
        until: Timestamp,
    },
    /// The last change is not in place yet.
    Pending {
        /// What was asked for.
        asked: u32,
        /// When it counts as not carried out.
        until: Timestamp,
    },
    /// The last change was not carried out.
    NotCarriedOut {
        /// What was asked for.
        asked: u32,
    },
    /// Stabilisation: another count was wanted a short while ago.
    Window {
        /// What is wanted now.
        wanted: u32,
        /// The count that was wanted within the window.
        within: u32,
        /// The window, in seconds.
        seconds: u64,
    },
    /// The last change is too recent.
    Cooldown {
        /// What is wanted.
        wanted: u32,
        /// Until when.
        until: Timestamp,
    },
    /// Hysteresis: fewer would not carry a little more load.
    Tolerance {
        /// What is wanted.
        wanted: u32,
        /// How much more load it has to carry, in percent.
        percent: u32,
    },
    /// The change is larger than one step.
    Step {
        /// What is wanted.
        wanted: u32,
        /// The most that one step changes.
        most: u32,
    },
    /// There was no load, but not for long enough to run nothing.
    Idle {
        /// Until when one keeps running.
        until: Timestamp,
    },
    /// Others need the room: the window, cool-down and tolerance do not hold this count up.
    RoomNeeded,
    /// What was wanted does not fit beside what is held.
    NoRoom {
        /// What is wanted.
        wanted: u32,
    },
}

impl Limit {
    /// When time alone lifts it.
    #[must_use]
    pub fn until(&self) -> Option<Timestamp> {
        match self {
            Self::ForeignChange { until, .. } => *until,
            Self::Respected { until }
            | Self::Pending { until, .. }
            | Self::Cooldown { until, .. }
            | Self::Idle { until } => Some(*until),
            _ => None,
        }
    }
}

/// What was decided about one service.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ServiceVerdict {
    /// The replicas, and the bound that decided them.
    pub target: ServiceTarget,
    /// What the load was taken from.
    pub load: LoadUsed,
    /// What kept the count from what was wanted, in the order it applied.
    pub limits: Vec<Limit>,
}

/// Seconds as people say them: `45 s`, `5 min`, `3 min 30 s`.
fn seconds(total: u64) -> String {
    match (total / 60, total % 60) {
        (0, seconds) => format!("{seconds} s"),
        (minutes, 0) => format!("{minutes} min"),
        (minutes, seconds) => format!("{minutes} min {seconds} s"),
    }
}

/// The time of day, UTC.
struct Clock(Timestamp);

impl fmt::Display for Clock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = self.0.to_string();
        let time = text.split_once('T').map_or(text.as_str(), |(_, time)| time);
        f.write_str(time.trim_end_matches('Z'))
    }
}

impl fmt::Display for Limit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoSample { last: Some(last) } => {
                write!(
                    f,
                    "held: no fresh sample since {}, which does not mean no load",
                    Clock(*last)
                )
            }
            Self::NoSample { last: None } => f.write_str("held: no sample yet, which does not mean no load"),
            Self::OwnedBy { owners } => {
                write!(
                    f,
                    "held: {} sets this count; remove one of the two",
                    owners.join(" and ")
                )
            }
            Self::ForeignChange { from, to, until } => {
                write!(f, "somebody else changed {from} to {to}")?;
                match until {
                    Some(until) => write!(f, "; left so until {}", Clock(*until)),
                    None => f.write_str("; decided again"),
                }
            }
            Self::Respected { until } => {
                write!(
                    f,
                    "held: a change of somebody else is left alone until {}",
                    Clock(*until)
                )
            }
            Self::Pending { asked, until } => {
                write!(
                    f,
                    "held: {} asked for and not in place yet; waiting until {}",
                    replicas(*asked),
                    Clock(*until)
                )
            }
            Self::NotCarriedOut { asked } => {
                write!(
                    f,
                    "{} asked for and never in place; decided again",
                    replicas(*asked)
                )
            }
            Self::Window {
                wanted,
                within,
                seconds: window,
            } => {
                write!(
                    f,
                    "{wanted} wanted, but {within} within the last {}",
                    seconds(*window)
                )
            }
            Self::Cooldown { wanted, until } => {
                write!(f, "{wanted} wanted, not before {} (cool-down)", Clock(*until))
            }
            Self::Tolerance { wanted, percent } => {
                write!(f, "{wanted} wanted, but would not carry {percent} % more")
            }
            Self::Step { wanted, most } => write!(f, "{wanted} wanted, but by at most {most} at once"),
            Self::Idle { until } => write!(f, "no load; one keeps running until {}", Clock(*until)),
            Self::RoomNeeded => f.write_str("fewer at once, since others need the room"),
            Self::NoRoom { wanted } => write!(f, "{wanted} wanted, but there is no room beside what is held"),
        }
    }
}

impl fmt::Display for ExpectedLoad {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let within = seconds(u64::from(self.seconds));
        write!(f, "{} expected within {within}", self.rate.decimal())?;
        match self.percent {
            Some(percent) => write!(f, " (0.{percent:02} quantile)"),
            None => write!(f, " (where it is heading, with headroom)"),
        }
    }
}

impl ServiceVerdict {
    fn write(&self, f: &mut fmt::Formatter<'_>, service: &ServiceKey, now: Timestamp) -> fmt::Result {
        writeln!(f, "{} {}", service.service, headline(&self.target))?;
        let age = |at: Timestamp| seconds(super::memory::since(now, at).as_secs());
        match &self.load {
            LoadUsed::Measured {
                rate,
                at,
                headroom_percent,
                ..
            } if *headroom_percent > 0 => {
                writeln!(f, "  {}", load_line(&self.target))?;
                let (rate, age) = (rate.decimal(), age(*at));
                writeln!(
                    f,
                    "  {rate} req/s measured {age} ago, and {headroom_percent} % more in reserve"
                )?;
            }
            LoadUsed::Measured { at, .. } => {
                writeln!(f, "  {}, measured {} ago", load_line(&self.target), age(*at))?;
            }
            LoadUsed::Expected { rate, at, expected } => {
                writeln!(f, "  {}", load_line(&self.target))?;
                writeln!(
                    f,
                    "  {} req/s measured {} ago, {expected}",
                    rate.decimal(),
                    age(*at)
                )?;
            }
            LoadUsed::Assumed { .. } => {
                writeln!(f, "  {}, assumed without a sample", load_line(&self.target))?;
            }
            LoadUsed::None => {}
        }
        let decided = !matches!(self.load, LoadUsed::None) && self.target.decided_by != DecidedBy::Asked;
        if decided {
            writeln!(f, "  {}", deciding(&self.target))?;
        }
        for limit in &self.limits {
            writeln!(f, "  {limit}")?;
        }
        Ok(())
    }
}

impl fmt::Display for ScalingStep {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let action = match self.action() {
            ScalingAction::Hold => "hold",
            ScalingAction::Scale => "scale",
            ScalingAction::Replace => "place again",
        };
        writeln!(f, "{} {action}", Clock(self.at))?;
        for (service, verdict) in &self.services {
            verdict.write(f, service, self.at)?;
        }
        if let Some(replace) = &self.replace {
            for lack in &replace.lacks {
                writeln!(f, "{lack}")?;
            }
        }
        if let Some(next) = self.next() {
            writeln!(f, "next change by time alone at {}", Clock(next))?;
        }
        Ok(())
    }
}
