//! What the controller is told: load, replicas, room and who else changes counts, at one moment.

use std::collections::BTreeSet;

use indexmap::IndexMap;
use jiff::Timestamp;
use serde::Serialize;

use super::super::{ClusterRoom, Throughput};
use crate::id::{ClusterName, ServiceKey};
use crate::resources::{ResourceName, Resources};
use crate::units::Rate;

/// What was measured of a service.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase", tag = "sample")]
pub enum LoadSample {
    /// A rate, and when it was measured.
    Measured {
        /// Requests per second.
        rate: Rate,
        /// When.
        at: Timestamp,
    },
    /// Nothing: no sample, or one that is no number. This is not a load of 0.
    Missing,
}

/// What a forecast expects; where it is above the measured rate, replicas are decided for it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ExpectedLoad {
    /// Requests per second.
    pub rate: Rate,
    /// How sure: the real rate is expected to be at most this in so many of 100 cases. `None` where the latest changes of what is
    /// measured lead there ([`LoadPredictor::to_carry`](super::super::LoadPredictor::to_carry)).
    pub percent: Option<u8>,
    /// For how long from now, in seconds.
    pub seconds: u32,
}

/// One service as it is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ObservedService {
    /// What was measured.
    pub sample: LoadSample,
    /// What is expected, where there is a forecast.
    pub expected: Option<ExpectedLoad>,
    /// What replicas carry.
    pub throughput: Throughput,
    /// The fewest replicas allowed. A policy that scales to zero goes below.
    pub min: u32,
    /// The most replicas allowed.
    pub max: u32,
    /// What each replica takes.
    pub per_replica: Resources,
    /// Resources that its clusters have to offer at all.
    pub requires: BTreeSet<ResourceName>,
    /// The clusters it may run on, and how many replicas are asked for there now (`spec.replicas`).
    pub clusters: IndexMap<ClusterName, u32>,
    /// Others that set its replicas, as `HorizontalPodAutoscaler/web`. Two owners would undo one another, so with any
    /// here the controller holds.
    pub owners: Vec<String>,
}

impl ObservedService {
    /// How many replicas are asked for now, on all clusters.
    #[must_use]
    pub fn current(&self) -> u32 {
        self.clusters.values().fold(0, |sum, n| sum.saturating_add(*n))
    }
}

/// Everything at one moment.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ScalingObservation {
    /// The services, in order of importance.
    pub services: IndexMap<ServiceKey, ObservedService>,
    /// The clusters they run on; their room includes what these services hold.
    pub clusters: IndexMap<ClusterName, ClusterRoom>,
}
