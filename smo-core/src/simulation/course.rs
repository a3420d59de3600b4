//! The time of a simulation: whoever waits moves it, and on the way load is measured and clusters fail.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use indexmap::IndexMap;
use jiff::Timestamp;

use super::result::{Happening, ServiceCourse};
use super::trace::LoadTrace;
use crate::backend::memory::{InMemoryFleet, InMemoryMetrics};
use crate::backend::{Clock, ManualClock, Timer, later, since};
use crate::id::{ClusterName, ServiceKey};
use crate::scaling::Throughput;

/// Something that the scenario makes happen.
#[derive(Debug, Clone)]
pub(super) enum Event {
    Fails(ClusterName),
    Returns(ClusterName),
    Edited(ServiceKey, u32),
}

/// A service as the simulation knows it.
#[derive(Debug)]
pub(super) struct Simulated {
    pub(super) query: String,
    pub(super) load: LoadTrace,
    /// What its replicas really carry.
    pub(super) throughput: Throughput,
    pub(super) course: ServiceCourse,
}

#[derive(Debug)]
pub(super) struct State {
    pub(super) services: IndexMap<ServiceKey, Simulated>,
    pub(super) events: VecDeque<(Timestamp, Event)>,
    pub(super) happenings: Vec<(Timestamp, Happening)>,
    next_tick: Timestamp,
}

/// The clock of a simulation. Clones share the time.
#[derive(Debug, Clone)]
pub(super) struct Course {
    fleet: InMemoryFleet,
    metrics: InMemoryMetrics,
    clock: ManualClock,
    pub(super) start: Timestamp,
    end: Timestamp,
    tick: Duration,
    state: Arc<Mutex<State>>,
}

impl Course {
    pub(super) fn new(
        fleet: InMemoryFleet,
        metrics: InMemoryMetrics,
        services: IndexMap<ServiceKey, Simulated>,
        events: VecDeque<(Duration, Event)>,
        tick: Duration,
        duration: Duration,
    ) -> Self {
        let clock = fleet.clock();
        let start = clock.now();
        let events = events
            .into_iter()
            .map(|(after, event)| (later(start, after), event));
        let state = State {
            services,
            events: events.collect(),
            happenings: Vec::new(),
            next_tick: start,
        };
        let course = Self {
            fleet,
            metrics,
            clock,
            start,
            end: later(start, duration),
            tick,
            state: Arc::new(Mutex::new(state)),
        };
        course.advance_to(start);
        course
    }

    pub(super) fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn tell(&self, happening: Happening) {
        let now = self.clock.now();
        self.state().happenings.push((now, happening));
    }

    pub(super) fn is_over(&self) -> bool {
        self.clock.now() >= self.end
    }

    /// Lets time pass until `until`: what is due on the way happens at its moment.
    pub(super) fn advance_to(&self, until: Timestamp) {
        let mut state = self.state();
        loop {
            let event = state.events.front().map_or(Timestamp::MAX, |(at, _)| *at);
            let next = state.next_tick.min(event).min(until);
            let now = self.clock.now();
            self.clock.advance(since(next, now));
            if event <= next {
                if let Some((at, event)) = state.events.pop_front() {
                    let happening = self.happen(event);
                    state.happenings.push((at, happening));
                }
                continue;
            }
            if state.next_tick <= next && next <= self.end {
                state.next_tick = later(next, self.tick);
                self.measure(&mut state, next);
                continue;
            }
            if next >= until {
                return;
            }
            // The end is past: nothing is measured any more.
            state.next_tick = Timestamp::MAX;
        }
    }

    fn happen(&self, event: Event) -> Happening {
        match event {
            Event::Fails(cluster) => {
                self.fleet.kill(&cluster);
                Happening::ClusterFailed { cluster }
            }
            Event::Returns(cluster) => {
                self.fleet.restore(&cluster);
                Happening::ClusterReturned { cluster }
            }
            Event::Edited(service, replicas) => {
                self.fleet.edit_replicas(&service, replicas);
                Happening::Edited { service, replicas }
            }
        }
    }

    fn measure(&self, state: &mut State, at: Timestamp) {
        for (key, service) in &mut state.services {
            let load = service.load.at(since(at, self.start));
            self.metrics.record(&service.query, [], at, load.to_f64());
            let clusters = self.fleet.serving(key);
            let ready = clusters
                .values()
                .fold(0, |sum: u32, count| sum.saturating_add(*count));
            let course = &mut service.course;
            course.load.push(load);
            course.capacity.push(service.throughput.capacity(ready));
            course.ready.push(ready);
            course.clusters.push(clusters);
        }
    }
}

impl Clock for Course {
    fn now(&self) -> Timestamp {
        self.clock.now()
    }
}

#[async_trait]
impl Timer for Course {
    async fn wait(&self, duration: Duration) {
        self.advance_to(later(self.clock.now(), duration));
    }
}
