//! The contract of [`ArtifactBackend`].

use super::{Outcome, Port};
use crate::backend::{ArtifactBackend, ArtifactBackendExt, ArtifactKind, ErrorKind};

const PORT: Port = Port("ArtifactBackend");

/// What the registry holds.
#[derive(Debug, Clone)]
pub struct ArtifactFixture {
    /// A chart, with a tag.
    pub chart: String,
    /// A descriptor, with a tag.
    pub descriptor: String,
    /// The text of that descriptor.
    pub descriptor_text: String,
    /// A reference that stands for nothing.
    pub missing: String,
}

/// Checks that `backend` keeps the contract of [`ArtifactBackend`].
///
/// # Errors
/// The first rule that it breaks.
pub async fn artifacts(backend: &dyn ArtifactBackend, fixture: &ArtifactFixture) -> Outcome {
    let cases = [
        (&fixture.chart, ArtifactKind::Chart),
        (&fixture.descriptor, ArtifactKind::Descriptor),
    ];
    for (reference, kind) in cases {
        let info = PORT.succeeds("what is there is resolved", backend.resolve(reference).await)?;
        PORT.equal("the kind of an artifact is told", info.kind, kind)?;
        PORT.holds("an artifact has content", info.size > 0, "no bytes")?;
        PORT.holds(
            "a digest is sha256",
            info.digest.starts_with("sha256:"),
            info.digest.as_str(),
        )?;
        let pinned = info.reference.ends_with(&info.digest);
        PORT.holds(
            "a resolved reference holds the digest",
            pinned,
            info.reference.as_str(),
        )?;
        let again = PORT.succeeds(
            "a resolved reference is resolved",
            backend.resolve(&info.reference).await,
        )?;
        PORT.equal("a resolved reference stands for the same", again, info)?;
    }
    let text = PORT.succeeds(
        "a descriptor can be read",
        backend.descriptor(&fixture.descriptor).await,
    )?;
    PORT.equal(
        "a descriptor is given as it was stored",
        text,
        fixture.descriptor_text.clone(),
    )?;
    let chart = backend.descriptor(&fixture.chart).await;
    PORT.fails("a chart is no descriptor: Invalid", ErrorKind::Invalid, chart)?;
    let missing = backend.resolve(&fixture.missing).await;
    PORT.fails("what is not there is NotFound", ErrorKind::NotFound, missing)?;
    let exists = PORT.succeeds("absence is an answer", backend.exists(&fixture.missing).await)?;
    PORT.equal("what is not there does not exist", exists, false)?;
    let nonsense = backend.resolve("no reference").await;
    PORT.fails("what is no reference is Invalid", ErrorKind::Invalid, nonsense)
}
