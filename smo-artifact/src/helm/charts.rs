//! Charts as files for Helm.

use std::path::{Path, PathBuf};

use smo_core::backend::{BackendError, ErrorKind};

use crate::backend::OciArtifacts;

/// A file of the chart that `reference` stands for: in a folder `store` for what is in a registry, else where it is.
///
/// Helm is not asked to pull: one way to find credentials, decide on TLS and check digests is enough, and a reference
/// then means the same everywhere.
pub(crate) async fn file(
    registry: &OciArtifacts,
    store: &Path,
    reference: &str,
) -> Result<PathBuf, BackendError> {
    if ["/", "./", "../"]
        .iter()
        .any(|start| reference.starts_with(start))
    {
        let path = PathBuf::from(reference);
        return if path.exists() {
            Ok(path)
        } else {
            Err(BackendError::new(
                ErrorKind::NotFound,
                format!("read {reference}"),
                "no such file or folder",
            ))
        };
    }
    let exact = registry.locate(reference).await?;
    let path = store.join(format!("{}.tgz", exact.digest.replace(':', "-")));
    if path.exists() {
        return Ok(path);
    }
    let chart = registry.chart(&exact.reference).await?;
    let unwritable = |error: std::io::Error| {
        BackendError::new(
            ErrorKind::Unexpected,
            format!("store {reference}"),
            error.to_string(),
        )
    };
    // In one step, since another call may want the same chart now.
    let file = tempfile::NamedTempFile::new_in(store).map_err(unwritable)?;
    std::fs::write(file.path(), &chart.archive).map_err(unwritable)?;
    file.persist(&path).map_err(|error| unwritable(error.error))?;
    Ok(path)
}
