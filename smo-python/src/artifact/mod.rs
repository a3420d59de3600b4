//! OCI registries, and charts installed by the `helm` program.

mod helm;
mod registry;

pub(crate) use helm::{HelmConfig, HelmDriver};
pub(crate) use registry::{OciArtifacts, PulledChart, RegistryConfig};
