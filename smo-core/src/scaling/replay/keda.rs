//! KEDA's ScaledObject, by its documentation.

use std::time::Duration;

use jiff::Timestamp;

use super::hpa::{Behaviour, ceil, checked, target};
use super::pace::Pace;
use super::{ReplayError, ReplayPolicy, ReplayView};
use crate::scaling::controller::since;

/// A ScaledObject with a trigger on all requests per second: KEDA makes a HorizontalPodAutoscaler with an external metric, so between 1
/// and the most it is `ceil(measured / target)` every 15 s with the tolerance and the windows of that. KEDA itself takes the count to 0 when its
/// polling, every 30 s, has seen nothing for the cool-down of 300 s, and from 0 to 1 when it sees something; that is where the minimum
/// is 0, as KEDA's default has it. (<https://keda.sh/docs/latest/reference/scaledobject-spec/>,
/// <https://keda.sh/docs/latest/concepts/scaling-deployments/>.)
#[derive(Debug, Clone)]
pub struct Keda {
    target_percent: u32,
    rules: Behaviour,
    polling: Pace,
    active: Option<Timestamp>,
}

const POLLING: Duration = Duration::from_secs(30);
const COOLDOWN: Duration = Duration::from_secs(300);

impl Keda {
    /// A trigger whose threshold is so many percent of what one more replica carries (alpha).
    ///
    /// # Errors
    /// [`ReplayError::Policy`] for a target that is not between 1 and 100.
    pub fn new(target_percent: u32) -> Result<Self, ReplayError> {
        checked("KEDA", target_percent)?;
        Ok(Self {
            target_percent,
            rules: Behaviour::default(),
            polling: Pace::new(POLLING),
            active: None,
        })
    }

    /// What KEDA itself decides: whether anything runs at all.
    fn activates(&mut self, view: &ReplayView<'_>, measured: f64) -> Option<bool> {
        if !self.polling.is_due(view.now) {
            return None;
        }
        if measured > 0.0 || self.active.is_none() {
            self.active = Some(view.now);
        }
        let rested = self
            .active
            .is_some_and(|active| since(view.now, active) >= COOLDOWN);
        if rested {
            Some(false)
        } else {
            (measured > 0.0).then_some(true)
        }
    }
}

impl ReplayPolicy for Keda {
    fn name(&self) -> String {
        format!("KEDA {} %", self.target_percent)
    }

    fn decide(&mut self, view: &ReplayView<'_>) -> Result<u32, ReplayError> {
        let Some(measured) = view.sample else {
            return Ok(view.asked);
        };
        if view.workload.min == 0 {
            match self.activates(view, measured) {
                Some(false) => return Ok(0),
                Some(true) if view.asked == 0 => return Ok(1),
                _ if view.asked == 0 => return Ok(0),
                _ => {}
            }
        }
        if !self.rules.pace.is_due(view.now) {
            return Ok(view.asked);
        }
        let target = target(view, self.target_percent);
        let ratio = measured / (target * f64::from(view.asked.max(1)));
        let wanted = if (ratio - 1.0).abs() <= self.rules.tolerance {
            view.asked
        } else {
            ceil(measured / target)
        };
        // The autoscaler that it makes has a minimum of 1 at least.
        let wanted = wanted.max(view.workload.min.max(1)).min(view.workload.max);
        Ok(self.rules.settle(view, wanted))
    }
}
