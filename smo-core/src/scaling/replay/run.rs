//! Going through a workload tick by tick.

use std::collections::VecDeque;
use std::fmt;

use jiff::Timestamp;
use serde::Serialize;

use super::{ReplayError, ReplayPolicy, ReplayView, Workload};
use crate::scaling::forecast::moment;
use crate::scaling::statistics::float;
use crate::units::Rate;

/// How a policy would have served.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ReplayOutcome {
    /// The policy.
    pub policy: String,
    /// The share of the time with a known load in which more came than the ready replicas carry.
    pub violation_share: f64,
    /// The share of the requests that came above what the ready replicas carry.
    pub excess_share: f64,
    /// Replicas asked for, times hours.
    pub replica_hours: f64,
    /// Ready replicas beyond those needed, times hours.
    pub over_hours: f64,
    /// Replicas needed beyond those ready, times hours.
    pub under_hours: f64,
    /// How often the count was changed.
    pub actions: usize,
    /// The most replicas asked for.
    pub peak: u32,
    /// How long was judged, gaps included, in hours.
    pub hours: f64,
}

impl fmt::Display for ReplayOutcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{}: {:.2} % of the time too few, {:.1} replica-hours ({:.1} too many, {:.1} too few), {} actions",
            self.policy,
            self.violation_share * 100.0,
            self.replica_hours,
            self.over_hours,
            self.under_hours,
            self.actions
        )
    }
}

/// One tick of a replay.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ReplayMoment {
    /// When it begins.
    pub at: Timestamp,
    /// Whether it is judged.
    pub judged: bool,
    /// What came, in requests per second.
    pub load: Option<f64>,
    /// Replicas asked for.
    pub asked: u32,
    /// Replicas that served.
    pub ready: u32,
}

/// Goes through a workload with a policy.
///
/// # Errors
/// [`ReplayError::Invalid`] with every fault of the workload, and what the policy says.
pub fn replay(policy: &mut dyn ReplayPolicy, workload: &Workload) -> Result<ReplayOutcome, ReplayError> {
    replay_with(policy, workload, &mut |_| {})
}

/// The same; `seen` is shown every tick.
///
/// # Errors
/// As [`replay`].
pub fn replay_with(
    policy: &mut dyn ReplayPolicy,
    workload: &Workload,
    seen: &mut dyn FnMut(&ReplayMoment),
) -> Result<ReplayOutcome, ReplayError> {
    workload.checked()?;
    let mut fleet = Fleet::start(workload);
    let mut samples = Samples::new(workload);
    let mut counted = Counted::default();
    for tick in 0..workload.ticks() {
        fleet.serve(tick);
        let view = ReplayView {
            tick,
            now: moment(workload.load.moment(0), workload.tick, tick),
            sample: samples.mean(),
            asked: fleet.asked(),
            ready: fleet.ready,
            workload,
        };
        let before = fleet.asked();
        let wanted = policy.decide(&view)?.max(workload.min).min(workload.max);
        fleet.ask(wanted, tick);
        let load = workload.load_at(tick);
        samples.push(load);
        let judged = workload.step_of(tick) >= workload.first;
        if judged {
            counted.take(workload, load, &fleet, before != wanted);
        }
        seen(&ReplayMoment {
            at: view.now,
            judged,
            load,
            asked: fleet.asked(),
            ready: fleet.ready,
        });
    }
    Ok(counted.outcome(policy.name(), workload))
}

/// The replicas.
struct Fleet {
    ready: u32,
    /// When how many more serve, soonest first.
    starting: VecDeque<(usize, u32)>,
    delay: usize,
}

impl Fleet {
    /// What the first known load needs is there.
    fn start(workload: &Workload) -> Self {
        let first = workload.load.values().iter().flatten().next();
        Self {
            ready: workload.needed(first.copied().unwrap_or(0.0)),
            starting: VecDeque::new(),
            delay: workload.ticks_of(workload.start_delay),
        }
    }

    fn asked(&self) -> u32 {
        let starting = self.starting.iter().map(|(_, count)| *count);
        starting.fold(self.ready, u32::saturating_add)
    }

    /// Replicas that have started serve.
    fn serve(&mut self, tick: usize) {
        while let Some((at, count)) = self.starting.front().copied()
            && at <= tick
        {
            self.ready += count;
            self.starting.pop_front();
        }
    }

    /// Starts replicas, or stops some at once: those that do not serve yet first.
    fn ask(&mut self, wanted: u32, tick: usize) {
        let asked = self.asked();
        if wanted > asked {
            self.starting.push_back((tick + self.delay, wanted - asked));
            // Without a delay they serve at once.
            self.serve(tick);
            return;
        }
        let mut fewer = asked - wanted;
        while let Some((_, count)) = self.starting.back_mut().filter(|_| fewer > 0) {
            let stopped = fewer.min(*count);
            *count -= stopped;
            fewer -= stopped;
            if *count == 0 {
                self.starting.pop_back();
            }
        }
        self.ready = self.ready.saturating_sub(fewer);
    }
}

/// The loads of the window that samples are means of.
struct Samples {
    length: usize,
    latest: VecDeque<Option<f64>>,
}

impl Samples {
    fn new(workload: &Workload) -> Self {
        Self {
            length: workload.ticks_of(workload.sample_window).max(1),
            latest: VecDeque::new(),
        }
    }

    fn push(&mut self, load: Option<f64>) {
        if self.latest.len() == self.length {
            self.latest.pop_front();
        }
        self.latest.push_back(load);
    }

    fn mean(&self) -> Option<f64> {
        let known = self.latest.iter().flatten();
        let count = known.clone().count();
        (count > 0).then(|| known.sum::<f64>() / float(count))
    }
}

/// Sums over ticks.
#[derive(Default)]
struct Counted {
    ticks: usize,
    known: usize,
    violated: usize,
    requests: f64,
    excess: f64,
    asked: u64,
    over: u64,
    under: u64,
    actions: usize,
    peak: u32,
}

impl Counted {
    fn take(&mut self, workload: &Workload, load: Option<f64>, fleet: &Fleet, changed: bool) {
        self.ticks += 1;
        self.asked += u64::from(fleet.asked());
        self.peak = self.peak.max(fleet.asked());
        self.actions += usize::from(changed);
        let Some(load) = load else {
            return;
        };
        self.known += 1;
        let carried = workload.throughput.capacity(fleet.ready);
        // Exactly as the decision compares them.
        let rate = Rate::from_f64(load).unwrap_or(Rate::ZERO);
        self.violated += usize::from(rate > carried);
        self.requests += load;
        self.excess += (load - carried.to_f64()).max(0.0);
        let needed = workload.needed(load);
        self.over += u64::from(fleet.ready.saturating_sub(needed));
        self.under += u64::from(needed.saturating_sub(fleet.ready));
    }

    #[allow(clippy::cast_precision_loss)]
    fn outcome(&self, policy: String, workload: &Workload) -> ReplayOutcome {
        let tick = workload.tick.as_secs_f64() / 3600.0;
        let hours = |ticks: u64| ticks as f64 * tick;
        ReplayOutcome {
            policy,
            violation_share: float(self.violated) / float(self.known.max(1)),
            excess_share: if self.requests > 0.0 {
                self.excess / self.requests
            } else {
                0.0
            },
            replica_hours: hours(self.asked),
            over_hours: hours(self.over),
            under_hours: hours(self.under),
            actions: self.actions,
            peak: self.peak,
            hours: float(self.ticks) * tick,
        }
    }
}
