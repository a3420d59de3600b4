//! Artifacts for smo: descriptors and Helm charts in OCI registries, and charts installed by the `helm` program.
//!
//! [`OciArtifacts`] is the [`ArtifactBackend`](smo_core::backend::ArtifactBackend) of any registry of the
//! [OCI distribution specification](https://github.com/opencontainers/distribution-spec/blob/main/spec.md): it resolves
//! references, tells a chart from a descriptor by what is inside, and pulls and pushes both. [`HelmDriver`] is the
//! [`ChartBackend`](smo_core::backend::ChartBackend) that runs Helm 3 or 4 on charts that [`OciArtifacts`] pulled.
//!
//! ```no_run
//! # async fn demo() -> Result<(), Box<dyn std::error::Error>> {
//! use smo_artifact::{OciArtifacts, RegistryConfig};
//! use smo_core::backend::ArtifactBackend;
//!
//! let registry = OciArtifacts::new(RegistryConfig::new().with_plain_http("127.0.0.1:5000"))?;
//! registry.push_folder("oci://127.0.0.1:5000/demo", "examples/charts/noise-reduction").await?;
//! let newest = registry.resolve("oci://127.0.0.1:5000/demo/noise-reduction").await?;
//! println!("{} {}", newest.kind, newest.reference);
//! # Ok(()) }
//! ```
//!
//! | file | what |
//! | --- | --- |
//! | `reference`, `range` | references, tags, versions and ranges of them |
//! | `archive`, `content`, `package` | what is in an artifact, and how one is made; pure |
//! | `docker_config`, `credentials` | where credentials are found |
//! | `config`, `error`, `client`, `backend` | the registry |
//! | `helm` | the `helm` program |
//!
//! No credential appears in `Debug`, in an error or in a log line.

mod archive;
mod backend;
mod client;
mod config;
mod content;
mod credentials;
mod docker_config;
mod error;
pub mod helm;
mod package;
mod range;
mod reference;
mod tls;

pub use archive::ArchiveError;
pub use backend::{OciArtifacts, PulledChart};
pub use config::{ArchiveLimits, Credentials, RegistryConfig};
pub use credentials::CredentialError;
pub use error::ArtifactError;
pub use helm::{HelmConfig, HelmDriver};
pub use range::{RangeError, VersionRange};
pub use reference::{ArtifactReference, ReferenceError, Selector};
pub use tls::install_tls_provider;
