//! The Kubernetes HorizontalPodAutoscaler, by its documentation.

use std::collections::VecDeque;
use std::time::Duration;

use jiff::Timestamp;

use super::pace::Pace;
use super::{ReplayError, ReplayOutcome, ReplayPolicy, ReplayView, Workload, replay};
use crate::scaling::controller::since;

/// A HorizontalPodAutoscaler on requests per second and replica, with its documented algorithm and defaults: every 15 s
/// `ceil(replicas * measured / target)`, unless that is within 10 % of the target; up by the larger of 4 and 100 % a period, down
/// to the most that was wanted within 300 s. Replicas that do not serve yet count as idle where it goes up, and are left out where it
/// goes down; without a sample nothing changes.
/// (<https://kubernetes.io/docs/tasks/run-application/horizontal-pod-autoscale/>, *Algorithm details* and *Configurable scaling
/// behavior*.)
#[derive(Debug, Clone)]
pub struct Hpa {
    target_percent: u32,
    rules: Behaviour,
}

/// What an autoscaler does with a count that the load asks for.
#[derive(Debug, Clone)]
pub(super) struct Behaviour {
    pub(super) pace: Pace,
    pub(super) tolerance: f64,
    down_window: Duration,
    wanted: VecDeque<(Timestamp, u32)>,
}

impl Default for Behaviour {
    fn default() -> Self {
        Self {
            pace: Pace::new(Duration::from_secs(15)),
            tolerance: 0.1,
            down_window: Duration::from_secs(300),
            wanted: VecDeque::new(),
        }
    }
}

impl Behaviour {
    /// Holds a count back: stabilisation, and the most that goes up at once.
    pub(super) fn settle(&mut self, view: &ReplayView<'_>, wanted: u32) -> u32 {
        if self.wanted.is_empty() {
            // What runs when it starts was wanted.
            self.wanted.push_back((view.now, view.asked));
        }
        self.wanted.push_back((view.now, wanted));
        while self
            .wanted
            .front()
            .is_some_and(|(at, _)| since(view.now, *at) > self.down_window)
        {
            self.wanted.pop_front();
        }
        if wanted < view.asked {
            let highest = self
                .wanted
                .iter()
                .map(|(_, count)| *count)
                .max()
                .unwrap_or(wanted);
            return highest.min(view.asked);
        }
        let most = view.asked.saturating_add(view.asked.max(4));
        wanted.min(most)
    }
}

/// `ceil(share)` as a count.
#[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
pub(super) fn ceil(share: f64) -> u32 {
    share.ceil() as u32
}

/// What a replica is meant to carry, at a percentage of what it can.
pub(super) fn target(view: &ReplayView<'_>, percent: u32) -> f64 {
    view.workload.throughput.alpha.to_f64() * f64::from(percent) / 100.0
}

pub(super) fn checked(name: &str, target_percent: u32) -> Result<(), ReplayError> {
    if (1..=100).contains(&target_percent) {
        return Ok(());
    }
    Err(ReplayError::Policy {
        policy: name.to_owned(),
        fault: format!("a target of {target_percent} % of what a replica carries is not between 1 and 100"),
    })
}

impl Hpa {
    /// An autoscaler whose target is so many percent of what one more replica carries (alpha).
    ///
    /// # Errors
    /// [`ReplayError::Policy`] for a target that is not between 1 and 100.
    pub fn new(target_percent: u32) -> Result<Self, ReplayError> {
        checked("HPA", target_percent)?;
        Ok(Self {
            target_percent,
            rules: Behaviour::default(),
        })
    }

    /// How the autoscaler would have served whose target is the highest of those that take `hours` replica-hours or more; `None` where no
    /// target does. A lower target takes more, so that ten replays find it.
    ///
    /// # Errors
    /// As [`replay`](super::replay).
    pub fn of_hours(workload: &Workload, hours: f64) -> Result<Option<ReplayOutcome>, ReplayError> {
        let mut found = None;
        let (mut least, mut most) = (1, 100);
        while least <= most {
            let target = least + (most - least) / 2;
            let outcome = replay(&mut Self::new(target)?, workload)?;
            if outcome.replica_hours >= hours {
                found = Some(outcome);
                least = target + 1;
            } else {
                most = target - 1;
            }
        }
        Ok(found)
    }

    fn wanted(&self, view: &ReplayView<'_>, measured: f64) -> u32 {
        let target = target(view, self.target_percent);
        if view.asked == 0 {
            return 0;
        }
        let (ready, all) = (f64::from(view.ready), f64::from(view.asked));
        if view.ready == 0 {
            return view.asked;
        }
        let of_ready = measured / (ready * target);
        // Replicas that do not serve yet count as idle where it goes up.
        let (replicas, ratio) = if of_ready > 1.0 {
            (all, measured / (all * target))
        } else {
            (ready, of_ready)
        };
        let turned = of_ready > 1.0 && ratio < 1.0;
        if turned || (ratio - 1.0).abs() <= self.rules.tolerance {
            return view.asked;
        }
        ceil(replicas * ratio)
    }
}

impl ReplayPolicy for Hpa {
    fn name(&self) -> String {
        format!("HPA {} %", self.target_percent)
    }

    fn decide(&mut self, view: &ReplayView<'_>) -> Result<u32, ReplayError> {
        let Some(measured) = view.sample.filter(|_| self.rules.pace.is_due(view.now)) else {
            return Ok(view.asked);
        };
        let wanted = self
            .wanted(view, measured)
            .max(view.workload.min)
            .min(view.workload.max);
        Ok(self.rules.settle(view, wanted))
    }
}
