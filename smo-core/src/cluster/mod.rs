//! The fleet: one consistent snapshot of every member cluster, and of what runs there.

mod capacity;
pub mod codes;
mod domain;
mod headroom;
mod inventory;
mod network;
mod observation;
mod reader;
mod reader_amounts;
mod reader_cluster;
pub mod schema;

pub use capacity::{
    AverageIntensity, CarbonProfile, CarbonSignal, Egress, Intensity, MarginalIntensity, Price, Taint,
    TaintEffect, Toleration,
};
pub use domain::DomainKey;
pub use headroom::{Headroom, HeadroomTooLarge};
pub use inventory::{Cluster, Inventory, Readiness};
pub use network::{Network, Path};
pub use observation::{Health, ObservedRelease, ObservedReplicas, ObservedState};
pub(crate) use reader::Reader;
