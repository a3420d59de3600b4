//! Two thresholds, two counts: the predecessor's simple scaler.

use indexmap::IndexMap;
use serde::Serialize;

use super::{DecidedBy, ExactScaler, Scaler, ScalingDecision, ScalingError, ScalingProblem, ServiceLoad};
use crate::id::ServiceKey;
use crate::units::Rate;

/// When to run many replicas, and when few.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Thresholds {
    /// Above this load, `up_replicas` run.
    pub up: Rate,
    /// Below this load, `down_replicas` run.
    pub down: Rate,
    /// How many run under a high load.
    pub up_replicas: u32,
    /// How many run under a low load.
    pub down_replicas: u32,
}

impl Thresholds {
    /// The count, and the threshold that was passed; `None` where none asks for another count.
    fn decide(&self, service: &ServiceLoad) -> Option<(u32, Rate)> {
        let current = service.current();
        if service.load > self.up && current < u64::from(self.up_replicas) {
            Some((self.up_replicas, self.up))
        } else if service.load < self.down && current > u64::from(self.down_replicas) {
            Some((self.down_replicas, self.down))
        } else {
            None
        }
    }
}

/// The predecessor's stateless step: above `up` with fewer than `up_replicas`, scale to them; below `down` with more
/// than `down_replicas`, scale to those; nothing otherwise.
///
/// A count stays within the minimum and maximum of the problem. Replicas on several clusters are divided at least
/// cost, and where the room is too small the answer is [`ScalingDecision::Replace`], like everywhere. Cool-down is the
/// matter of the [`ScalingController`](super::ScalingController).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ThresholdScaler {
    default: Option<Thresholds>,
    services: IndexMap<ServiceKey, Thresholds>,
}

impl ThresholdScaler {
    /// The same thresholds for every service.
    #[must_use]
    pub fn new(thresholds: Thresholds) -> Self {
        Self {
            default: Some(thresholds),
            services: IndexMap::new(),
        }
    }

    /// No thresholds: every service stays as it is, but for those named by [`ThresholdScaler::with_service`].
    #[must_use]
    pub fn by_service() -> Self {
        Self {
            default: None,
            services: IndexMap::new(),
        }
    }

    /// The same with other thresholds for one service.
    #[must_use]
    pub fn with_service(mut self, service: ServiceKey, thresholds: Thresholds) -> Self {
        self.services.insert(service, thresholds);
        self
    }
}

impl Scaler for ThresholdScaler {
    fn name(&self) -> &str {
        "threshold"
    }

    fn decide(&self, problem: &ScalingProblem) -> Result<ScalingDecision, ScalingError> {
        let passed = |(key, service): (&ServiceKey, &ServiceLoad)| {
            let thresholds = self.services.get(key).or(self.default.as_ref());
            thresholds.and_then(|thresholds| thresholds.decide(service))
        };
        let passed: Vec<Option<(u32, Rate)>> = problem.services.iter().map(passed).collect();
        let wanted = |(service, passed): (&ServiceLoad, &Option<(u32, Rate)>)| {
            let current = u32::try_from(service.current()).unwrap_or(u32::MAX);
            let count = passed.map_or(current, |(count, _)| count);
            // The other way round than `clamp`, which panics where the bounds are crossed.
            count.min(service.max).max(service.min)
        };
        let totals: Vec<u32> = problem.services.values().zip(&passed).map(wanted).collect();
        let mut decision = ExactScaler::new().divide(problem, &totals)?;
        let name = self.name().to_owned();
        let services = match &mut decision {
            ScalingDecision::Scale(targets) => {
                targets.scaler = name;
                (targets.value, targets.bound) = (None, None);
                &mut targets.services
            }
            ScalingDecision::Replace(replace) => {
                replace.scaler = name;
                &mut replace.meanwhile
            }
        };
        for (((target, passed), total), service) in services
            .values_mut()
            .zip(&passed)
            .zip(&totals)
            .zip(problem.services.values())
        {
            target.decided_by = match passed {
                _ if *total == service.max && passed.is_some_and(|(count, _)| count > *total) => {
                    DecidedBy::Maximum
                }
                _ if *total == service.min && passed.is_some_and(|(count, _)| count < *total) => {
                    DecidedBy::Minimum
                }
                Some((_, threshold)) => DecidedBy::Threshold {
                    threshold: *threshold,
                },
                None => DecidedBy::BetweenThresholds,
            };
        }
        Ok(decision)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use rstest::rstest;

    use super::*;
    use crate::resources::{ResourceName, Resources};
    use crate::scaling::{ClusterRoom, Throughput, decide};

    fn rate(requests: i64) -> Rate {
        Rate::from_base(requests * 1_000_000)
    }

    fn scaler() -> ThresholdScaler {
        ThresholdScaler::new(Thresholds {
            up: rate(50),
            down: rate(10),
            up_replicas: 4,
            down_replicas: 1,
        })
    }

    fn problem(load: i64, current: u32, max: u32) -> ScalingProblem {
        let mut problem = ScalingProblem::default();
        let capacity = Resources::new().with(ResourceName::CPU, 3_500);
        let room = ClusterRoom {
            capacity,
            ..ClusterRoom::default()
        };
        problem.clusters.insert("edge-1".parse().unwrap(), room);
        let service = ServiceLoad {
            load: rate(load),
            throughput: Throughput::new(20.0, 0.0).unwrap(),
            min: 0,
            max,
            per_replica: Resources::new().with(ResourceName::CPU, 1_000),
            requires: BTreeSet::new(),
            clusters: [("edge-1".parse().unwrap(), current)].into_iter().collect(),
        };
        problem.services.insert("p/g/web".parse().unwrap(), service);
        problem
    }

    #[rstest]
    #[case(51, 2, 3, 3)] // four are too many
    #[case(51, 3, 9, 4)]
    #[case(51, 5, 9, 5)] // already more
    #[case(50, 2, 9, 2)] // not above
    #[case(10, 2, 9, 2)] // not below
    #[case(9, 2, 9, 1)]
    #[case(9, 0, 9, 0)] // already fewer
    fn the_predecessors_step(#[case] load: i64, #[case] current: u32, #[case] max: u32, #[case] wanted: u32) {
        let mut problem = problem(load, current, max);
        problem.clusters[0].capacity.set(ResourceName::CPU, 9_000);
        let decision = decide(&scaler(), &problem).unwrap();
        assert_eq!(
            decision.replicas(problem.services.get_index(0).unwrap().0),
            Some(wanted)
        );
    }

    #[test]
    fn it_says_which_threshold_and_what_does_not_fit() {
        insta::assert_snapshot!(decide(&scaler(), &problem(9, 2, 3)).unwrap(), @"
        web 2 -> 1 replica on edge-1
          load 9 req/s; 1 replica carries 20 (20 r)
          below the threshold of 10 req/s
        ");
        insta::assert_snapshot!(decide(&scaler(), &problem(20, 2, 3)).unwrap(), @"
        web stays at 2 replicas on edge-1
          load 20 req/s; 2 replicas carry 40 (20 r)
          no threshold asks for another number
        ");
        insta::assert_snapshot!(decide(&scaler(), &problem(60, 2, 3)).unwrap(), @"
        web 2 -> 3 replicas on edge-1
          load 60 req/s; 3 replicas carry 60 (20 r)
          the most allowed
        ");
        insta::assert_snapshot!(decide(&scaler(), &problem(60, 2, 9)).unwrap(), @"
        the load does not fit where the services are (proved): place again
          web lacks 1 of 4 replicas: 3 carry 60 of 60 req/s; edge-1 has 0.5 cores left, one more takes 1 core
        until then
          web 2 -> 3 replicas on edge-1
        ");
        let none = ThresholdScaler::by_service();
        assert_eq!(none.name(), "threshold");
        insta::assert_snapshot!(decide(&none, &problem(60, 2, 9)).unwrap(), @"
        web stays at 2 replicas on edge-1
          load 60 req/s; 2 replicas carry 40 (20 r)
          no threshold asks for another number
        ");
    }
}
