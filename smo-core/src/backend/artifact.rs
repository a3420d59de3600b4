//! The port to artifacts: what a reference stands for.

use std::fmt::{self, Debug};

use async_trait::async_trait;

use super::{BackendError, ErrorKind};

/// What an artifact is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum ArtifactKind {
    /// A Helm chart.
    Chart,
    /// An HDAG descriptor.
    Descriptor,
}

impl fmt::Display for ArtifactKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Chart => "chart",
            Self::Descriptor => "descriptor",
        })
    }
}

/// What a reference stands for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ArtifactInfo {
    /// A reference to exactly this content: with its digest.
    pub reference: String,
    /// The digest of its manifest, `sha256:...`.
    pub digest: String,
    /// What it is.
    pub kind: ArtifactKind,
    /// Bytes of its content.
    pub size: u64,
}

/// Looks artifacts up.
///
/// # Contract
/// - A reference is `oci://host/path/name`, followed by `:tag`, by `@sha256:digest`, or by nothing. Nothing stands for
///   the highest version that is no pre-release, and for the tag `latest` where no tag is a version. A `+` in a version
///   is `_` in its tag; both spellings are understood.
/// - `resolve` says what the reference stands for now, and gives a reference that will stand for it for ever.
/// - `descriptor` returns the text of a descriptor, unread.
///
/// # Idempotence
/// Looking changes nothing.
///
/// # Consistency
/// A reference with a digest always gives the same. A tag may move between two calls: resolve once, then use the
/// resolved reference.
///
/// # Cancellation
/// Safe at any time.
///
/// # Errors
/// `Invalid` for what is no reference, and for a chart where a descriptor is asked for; `NotFound` for an unknown name,
/// tag or digest; `Unauthenticated` and `Unavailable` as the registry says.
///
/// # Implementations
/// [`InMemoryArtifacts`](super::memory::InMemoryArtifacts); OCI registries in the crate `smo-artifact`.
///
/// # Example
/// ```
/// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// use smo_core::backend::{ArtifactBackend, ArtifactKind, memory::InMemoryArtifacts};
///
/// let registry = InMemoryArtifacts::new();
/// registry.add_chart("oci://registry/shop/web:1.0.0", b"the chart")?;
/// let web = registry.resolve("oci://registry/shop/web").await?;
/// assert_eq!((web.kind, web.size), (ArtifactKind::Chart, 9));
/// assert_eq!(registry.resolve(&web.reference).await?, web);
/// # Ok(()) }
/// ```
#[async_trait]
pub trait ArtifactBackend: Debug + Send + Sync {
    /// What `reference` stands for.
    async fn resolve(&self, reference: &str) -> Result<ArtifactInfo, BackendError>;

    /// The text of the descriptor that `reference` stands for.
    async fn descriptor(&self, reference: &str) -> Result<String, BackendError>;
}

/// Conveniences for every [`ArtifactBackend`].
#[async_trait]
pub trait ArtifactBackendExt: ArtifactBackend {
    /// True when `reference` stands for something.
    async fn exists(&self, reference: &str) -> Result<bool, BackendError> {
        match self.resolve(reference).await {
            Ok(_) => Ok(true),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(false),
            Err(error) => Err(error),
        }
    }
}

impl<B: ArtifactBackend + ?Sized> ArtifactBackendExt for B {}
