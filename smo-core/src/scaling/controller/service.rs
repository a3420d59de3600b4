//! One service in one step: what it asks for, and what keeps its count from changing.

use indexmap::IndexMap;
use jiff::Timestamp;

use super::super::{DecidedBy, ServiceTarget, Share};
use super::memory::{ServiceMemory, later, since};
use super::{
    ForeignChange, Limit, LoadSample, LoadUsed, ObservedService, ScalingPolicy, ServiceVerdict,
    WithoutSample, unchanged,
};
use crate::id::{ClusterName, ServiceKey};
use crate::units::Rate;

/// A service while a step is taken.
pub(super) struct Case<'a> {
    pub(super) key: &'a ServiceKey,
    pub(super) observed: &'a ObservedService,
    policy: &'a ScalingPolicy,
    pub(super) current: u32,
    /// The load and the fewest replicas that the scaler is asked for.
    pub(super) asked: (Rate, u32),
    /// True when the count stays, whatever the load.
    pub(super) held: bool,
    used: LoadUsed,
    /// What the scaler says.
    pub(super) recommended: u32,
    pub(super) target: ServiceTarget,
    /// What the policy makes of it.
    pub(super) count: u32,
    pub(super) shares: Vec<Share>,
    pub(super) limits: Vec<Limit>,
}

impl<'a> Case<'a> {
    /// Looks at what was observed of a service before anything is decided.
    pub(super) fn open(
        key: &'a ServiceKey,
        observed: &'a ObservedService,
        policy: &'a ScalingPolicy,
        memory: &mut ServiceMemory,
        now: Timestamp,
    ) -> Self {
        let current = observed.current();
        let mut case = Self {
            key,
            observed,
            policy,
            current,
            asked: (Rate::ZERO, observed.min),
            held: false,
            used: LoadUsed::None,
            recommended: current,
            target: unchanged(observed, Rate::ZERO),
            count: current,
            shares: Vec::new(),
            limits: Vec::new(),
        };
        case.read_sample(memory, now);
        case.look_for_other_owners(memory, now);
        case.rest_when_idle(memory, now);
        if matches!(case.used, LoadUsed::Measured { .. }) {
            case.asked.0 = policy.with_headroom(case.asked.0);
        }
        case.target = unchanged(observed, case.asked.0);
        case
    }

    fn hold(&mut self, limit: Limit) {
        self.held = true;
        self.limits.push(limit);
    }

    fn read_sample(&mut self, memory: &mut ServiceMemory, now: Timestamp) {
        let fresh = match self.observed.sample {
            LoadSample::Measured { rate, at } if since(now, at) <= self.policy.stale_after => {
                Some((rate, at))
            }
            LoadSample::Measured { at, .. } => {
                memory.sampled = memory.sampled.max(Some(at));
                None
            }
            LoadSample::Missing => None,
        };
        match (fresh, self.policy.without_sample) {
            (Some((rate, at)), _) => {
                memory.sampled = memory.sampled.max(Some(at));
                let expected = self.observed.expected;
                let ample = self.policy.with_headroom(rate);
                if let Some(higher) = expected.filter(|expected| expected.rate > ample) {
                    self.asked.0 = higher.rate;
                    self.used = LoadUsed::Expected {
                        rate,
                        at,
                        expected: higher,
                    };
                } else {
                    self.asked.0 = rate;
                    let headroom_percent = self.policy.headroom_percent;
                    self.used = LoadUsed::Measured {
                        rate,
                        at,
                        headroom_percent,
                        expected,
                    };
                }
            }
            (None, WithoutSample::Assume(rate)) => {
                self.asked.0 = rate;
                self.used = LoadUsed::Assumed { rate };
            }
            (None, WithoutSample::Hold) => self.hold(Limit::NoSample { last: memory.sampled }),
        }
    }

    fn look_for_other_owners(&mut self, memory: &mut ServiceMemory, now: Timestamp) {
        if !self.observed.owners.is_empty() {
            // What they set is not a foreign change to be found out later.
            memory.target = None;
            let owners = self.observed.owners.clone();
            return self.hold(Limit::OwnedBy { owners });
        }
        let total = |counts: &IndexMap<ClusterName, u32>| {
            counts
                .values()
                .fold(0_u32, |sum, count| sum.saturating_add(*count))
        };
        if let Some(target) = &memory.target {
            // Clusters come and go with placement, which is not a change of counts by somebody else.
            let asked = total(target);
            let in_place = asked == self.current;
            if in_place {
                memory.in_place = true;
            } else if memory.in_place || self.current != memory.before {
                // Neither what was asked for nor what was there before.
                let until = match self.policy.foreign_change {
                    ForeignChange::Respect(duration) => Some(later(now, duration)),
                    ForeignChange::Override => None,
                };
                memory.respected_until = until;
                memory.target = None;
                // What was wanted before is no reason to keep more or fewer now.
                memory.wanted.clear();
                let limit = Limit::ForeignChange {
                    from: asked,
                    to: self.current,
                    until,
                };
                self.limits.push(limit);
                self.held |= until.is_some();
                return;
            } else {
                let until = later(memory.changed.unwrap_or(now), self.policy.settle);
                if now < until {
                    return self.hold(Limit::Pending { asked, until });
                }
                memory.target = None;
                self.limits.push(Limit::NotCarriedOut { asked });
            }
        }
        match memory.respected_until.filter(|until| now < *until) {
            Some(until) => self.hold(Limit::Respected { until }),
            None => memory.respected_until = None,
        }
    }

    /// Scale to zero: no minimum after a while without load.
    fn rest_when_idle(&mut self, memory: &mut ServiceMemory, now: Timestamp) {
        let Some(after) = self.policy.idle_after else {
            return;
        };
        let known = !matches!(self.used, LoadUsed::None | LoadUsed::Assumed { .. });
        if !known || self.asked.0 > self.policy.idle_load {
            // A gap in the samples is no proof of rest.
            memory.idle_since = None;
            return;
        }
        let idle_since = *memory.idle_since.get_or_insert(now);
        self.asked.0 = Rate::ZERO;
        let until = later(idle_since, after);
        if self.current == 0 || now >= until {
            self.asked.1 = 0;
        } else {
            self.asked.1 = self.observed.min.max(1);
            if !self.held {
                self.limits.push(Limit::Idle { until });
            }
        }
    }

    /// Holds the recommended count back as the policy says.
    pub(super) fn limit(&mut self, memory: &mut ServiceMemory, now: Timestamp) {
        if self.held {
            return;
        }
        let (min, max) = (self.asked.1.min(self.observed.max), self.observed.max);
        if memory.wanted.is_empty() {
            // As the HPA does: what runs when it starts was wanted.
            memory.wanted.push_back((now, self.current));
        }
        let wanted = self.with_tolerance();
        memory.wanted.push_back((now, wanted));
        self.count = wanted;
        if self.current == 0 || (wanted == 0 && self.policy.idle_after.is_some()) {
            // Waking is not put off, and going to rest has waited long enough.
            return;
        }
        let (lowest, highest) = memory.stabilised(now, self.policy.up_window, self.policy.down_window);
        // The step at hand is within every window.
        let (lowest, highest) = (lowest.min(wanted), highest.max(wanted));
        let steady = self.current.clamp(lowest, highest);
        let held_by = |up: bool| {
            if up {
                (lowest, self.policy.up_window)
            } else {
                (highest, self.policy.down_window)
            }
        };
        if steady != wanted {
            let (within, window) = held_by(wanted > self.current);
            self.limits.push(Limit::Window {
                wanted,
                within,
                seconds: window.as_secs(),
            });
        }
        self.count = self.in_steps(steady, memory, now);
        // The bounds hold at once.
        self.count = self.count.max(min.min(self.recommended)).min(max);
        if self.count == wanted {
            let holds = |limit: &Limit| {
                matches!(
                    limit,
                    Limit::Window { .. } | Limit::Cooldown { .. } | Limit::Step { .. }
                )
            };
            self.limits.retain(|limit| !holds(limit));
        }
    }

    /// The recommended count, or the lowest that carries a little more where it goes down.
    fn with_tolerance(&mut self) -> u32 {
        let wanted = self.recommended;
        if wanted >= self.current || wanted == 0 {
            return wanted;
        }
        let percent = self.policy.tolerance_percent;
        let more = i128::from(self.asked.0.base()) * i128::from(100 + percent) / 100;
        let load = Rate::from_base(i64::try_from(more).unwrap_or(i64::MAX));
        let needed = self.observed.throughput.needed(load).unwrap_or(u32::MAX);
        let tolerant = wanted
            .max(needed.min(self.current))
            .min(self.observed.max.max(wanted));
        if tolerant > wanted {
            self.limits.push(Limit::Tolerance { wanted, percent });
        }
        tolerant
    }

    fn in_steps(&mut self, wanted: u32, memory: &ServiceMemory, now: Timestamp) -> u32 {
        let up = wanted > self.current;
        if wanted == self.current {
            return wanted;
        }
        let (cooldown, step) = if up {
            (self.policy.up_cooldown, self.policy.up_step)
        } else {
            (self.policy.down_cooldown, self.policy.down_step)
        };
        let until = memory.changed.map(|changed| later(changed, cooldown));
        if let Some(until) = until.filter(|until| now < *until) {
            self.limits.push(Limit::Cooldown { wanted, until });
            return self.current;
        }
        let most = step.most(self.current);
        if wanted.abs_diff(self.current) > most {
            self.limits.push(Limit::Step { wanted, most });
        }
        if up {
            wanted.min(self.current.saturating_add(most))
        } else {
            wanted.max(self.current.saturating_sub(most))
        }
    }

    /// Keeps what the next step needs to know.
    pub(super) fn remember(&self, memory: &mut ServiceMemory, now: Timestamp) {
        let target: IndexMap<ClusterName, u32> = self
            .shares
            .iter()
            .map(|share| (share.cluster.clone(), share.to))
            .collect();
        if self.shares.iter().any(|share| share.from != share.to) {
            memory.changed = Some(now);
            memory.before = self.current;
            memory.in_place = false;
            memory.target = Some(target);
        } else if memory.target.is_none() && self.observed.owners.is_empty() {
            memory.in_place = true;
            memory.target = Some(target);
        }
    }

    pub(super) fn verdict(self) -> ServiceVerdict {
        let mut target = self.target;
        target.shares = self.shares;
        // A bound that the count does not follow did not decide it; what held it back is among the limits.
        if target.replicas() != self.recommended {
            target.decided_by = DecidedBy::Asked;
        }
        ServiceVerdict {
            target,
            load: if self.held { LoadUsed::None } else { self.used },
            limits: self.limits,
        }
    }
}
