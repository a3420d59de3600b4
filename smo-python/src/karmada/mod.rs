//! Karmada: how to reach it, the fleet behind it, what the host knows of that.

mod config;
mod facts;
mod fleet;

pub(crate) use config::KarmadaConfig;
pub(crate) use facts::FleetFacts;
pub(crate) use fleet::{Changes, FleetReport, KarmadaFleet};
