//! [`OciArtifacts`]: charts and descriptors in OCI registries.

use std::path::Path;
use std::sync::Arc;

use async_trait::async_trait;
use oci_client::manifest::OciImageManifest;
use semver::Version;
use smo_core::backend::{ArtifactBackend, ArtifactInfo, ArtifactKind, BackendError};

use crate::archive::{self, Form};
use crate::client::Registries;
use crate::config::RegistryConfig;
use crate::content::{self, Content};
use crate::error::ArtifactError;
use crate::package::{HELM_CONFIG, HELM_CONTENT, HELM_CONTENT_LEGACY, HELM_PROVENANCE, Package};
use crate::reference::{ArtifactReference, Selector, newest, version_of};

/// Charts and descriptors in OCI registries. Clones share connections and credentials.
///
/// Besides what the port says, a reference may begin with `https://` (as `oci://`), `http://` (no TLS) or with the host,
/// and end with a range of versions ([`VersionRange`](crate::VersionRange)): `oci://host/path/name:^1.2`. A tag wins
/// over a range of the same spelling. Where no tag is a version, one called `latest` or the only one is taken.
///
/// What an artifact is, its content says, whatever the media types: an archive with `<folder>/Chart.yaml` is a chart, a
/// YAML file with the root key `hdaGraph` a descriptor. Digests and sizes are checked, and archives that lead out of
/// their folder or grow too large are refused.
#[derive(Debug, Clone)]
pub struct OciArtifacts(Arc<Registries>);

/// A chart as it stands in a registry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PulledChart {
    /// What the reference stands for.
    pub info: ArtifactInfo,
    /// The name of the chart.
    pub name: String,
    /// Its version, as `Chart.yaml` has it.
    pub version: String,
    /// Its archive, as `helm package` writes it.
    pub archive: Vec<u8>,
}

/// Where exactly an artifact is.
#[derive(Debug)]
pub(crate) struct Located {
    pub(crate) reference: String,
    pub(crate) digest: String,
}

/// An artifact with its content looked into.
struct Pulled {
    info: ArtifactInfo,
    content: Content,
    archive: Vec<u8>,
}

impl OciArtifacts {
    /// Registries reached as `config` says.
    ///
    /// # Errors
    /// `Invalid` when certificates cannot be read.
    pub fn new(config: RegistryConfig) -> Result<Self, BackendError> {
        let registries = Registries::new(config);
        let registries = registries.map_err(|error| error.into_backend("configure the registry client"))?;
        Ok(Self(Arc::new(registries)))
    }

    /// Registries reached as the environment says; see [`RegistryConfig::from_env`].
    ///
    /// # Errors
    /// `Invalid` when certificates cannot be read.
    pub fn from_env() -> Result<Self, BackendError> {
        Self::new(RegistryConfig::from_env())
    }

    /// The chart that a reference stands for.
    ///
    /// # Errors
    /// Those of [`ArtifactBackend`]; `Invalid` for a descriptor.
    pub async fn chart(&self, reference: &str) -> Result<PulledChart, BackendError> {
        let pulled = self.pull(reference).await;
        let chart = pulled.and_then(|pulled| match pulled.content {
            Content::Chart(facts) => Ok(PulledChart {
                info: pulled.info,
                name: facts.name,
                version: facts.version,
                archive: pulled.archive,
            }),
            _ => Err(wrong_kind(
                reference,
                ArtifactKind::Descriptor,
                ArtifactKind::Chart,
            )),
        });
        chart.map_err(|error| error.into_backend(format!("pull {reference}")))
    }

    /// A reference to exactly what `reference` stands for, and its digest, without looking into it.
    pub(crate) async fn locate(&self, reference: &str) -> Result<Located, BackendError> {
        let found = self.find(reference).await;
        found
            .map(|(_, digest, exact)| Located {
                reference: exact.to_string(),
                digest,
            })
            .map_err(|error| error.into_backend(format!("resolve {reference}")))
    }

    /// The versions in a repository, newest first; what a reference says after its name does not matter.
    ///
    /// # Errors
    /// `NotFound` for an unknown repository, and those of [`ArtifactBackend`].
    pub async fn versions(&self, reference: &str) -> Result<Vec<Version>, BackendError> {
        let listed = async {
            let reference: ArtifactReference = reference.parse()?;
            let tags = self.0.tags(&reference).await?;
            let mut versions: Vec<Version> = tags.iter().filter_map(|tag| version_of(tag)).collect();
            versions.sort_by(|a, b| b.cmp(a));
            versions.dedup();
            Ok(versions)
        };
        listed
            .await
            .map_err(|error: ArtifactError| error.into_backend(format!("list versions of {reference}")))
    }

    /// Pushes a descriptor below `project` (`oci://host[:port]/path`), under its `hdaGraph.id` and `hdaGraph.version`.
    ///
    /// It becomes an archive with the folder `<id>` and the file `hdag.yaml` in it, the text unchanged.
    ///
    /// # Errors
    /// `Invalid` for a text that cannot be read or has no id and version, and those of [`ArtifactBackend`].
    pub async fn push_descriptor(&self, project: &str, text: &str) -> Result<ArtifactInfo, BackendError> {
        self.push(project, Package::descriptor(text), ArtifactKind::Descriptor)
            .await
    }

    /// Pushes the archive of a chart (as `helm package` writes it) below `project`, under its name and version.
    ///
    /// # Errors
    /// `Invalid` for what is no chart, and those of [`ArtifactBackend`].
    pub async fn push_chart(&self, project: &str, archive: &[u8]) -> Result<ArtifactInfo, BackendError> {
        let package = Package::chart(archive, &self.0.config.limits);
        self.push(project, package, ArtifactKind::Chart).await
    }

    /// Packages and pushes a folder below `project`: a chart when it has a `Chart.yaml`, else the descriptor in it.
    ///
    /// Files that begin with a dot stay out; patterns in `.helmignore` are not looked at.
    ///
    /// # Errors
    /// `Invalid` for a folder with neither, and those of [`ArtifactBackend`].
    pub async fn push_folder(
        &self,
        project: &str,
        folder: impl AsRef<Path>,
    ) -> Result<ArtifactInfo, BackendError> {
        let package = Package::folder(folder.as_ref(), &self.0.config.limits);
        let is_chart = package
            .as_ref()
            .is_ok_and(|package| package.manifest.artifact_type.is_none());
        let kind = if is_chart {
            ArtifactKind::Chart
        } else {
            ArtifactKind::Descriptor
        };
        self.push(project, package, kind).await
    }

    async fn push(
        &self,
        project: &str,
        package: Result<Package, ArtifactError>,
        kind: ArtifactKind,
    ) -> Result<ArtifactInfo, BackendError> {
        let pushed = async {
            let package = package?;
            let reference = ArtifactReference::below(project, &package.name, &package.version)?;
            let digest = self.0.push(&reference, &package).await?;
            Ok(ArtifactInfo {
                reference: reference.at_digest(&digest).to_string(),
                digest,
                kind,
                size: length(&package.archive),
            })
        };
        pushed
            .await
            .map_err(|error: ArtifactError| error.into_backend(format!("push to {project}")))
    }

    /// The manifest that a reference stands for, its digest, and the reference with that digest.
    async fn find(&self, text: &str) -> Result<(OciImageManifest, String, ArtifactReference), ArtifactError> {
        let reference: ArtifactReference = text.parse()?;
        let exact = match reference.selector() {
            Selector::Digest(_) => reference.clone(),
            Selector::Tag(tag) => match self.0.manifest(&reference).await {
                Ok((manifest, digest)) => {
                    let exact = reference.at_digest(&digest);
                    return Ok((manifest, digest, exact));
                }
                Err(ArtifactError::NotFound(_)) => {
                    // `1.2` may be a range; a complete version is none.
                    let range = tag.parse().ok().filter(|_| version_of(tag).is_none());
                    let tags = self.0.tags(&reference).await?;
                    let missing = |there| ArtifactError::NoTag {
                        repository: repository(&reference),
                        tag: tag.clone(),
                        there,
                    };
                    match range.as_ref().and_then(|range| newest(&tags, Some(range))) {
                        Some(found) => reference.at_tag(found),
                        None => return Err(missing(tags)),
                    }
                }
                Err(error) => return Err(error),
            },
            Selector::Range(range) => self.newest(&reference, Some(range)).await?,
            Selector::Newest => self.newest(&reference, None).await?,
        };
        let (manifest, digest) = self.0.manifest(&exact).await?;
        let exact = exact.at_digest(&digest);
        Ok((manifest, digest, exact))
    }

    /// The reference with the tag of the newest version.
    async fn newest(
        &self,
        reference: &ArtifactReference,
        range: Option<&crate::VersionRange>,
    ) -> Result<ArtifactReference, ArtifactError> {
        let tags = self.0.tags(reference).await?;
        let named_latest = || tags.iter().find(|tag| *tag == "latest");
        let only = || match tags.as_slice() {
            [only] if version_of(only).is_none() => Some(only),
            _ => None,
        };
        let fallback = || {
            named_latest()
                .or_else(only)
                .map(String::as_str)
                .filter(|_| range.is_none())
        };
        match newest(&tags, range).or_else(fallback) {
            Some(tag) => Ok(reference.at_tag(tag)),
            None => Err(ArtifactError::NoVersion {
                repository: repository(reference),
                range: range.cloned(),
                there: tags,
            }),
        }
    }

    /// Resolves a reference, gets its content and looks into it.
    async fn pull(&self, text: &str) -> Result<Pulled, ArtifactError> {
        let (manifest, digest, reference) = self.find(text).await?;
        let is_chart = manifest.config.media_type == HELM_CONFIG;
        let media_types: &[&str] = &[HELM_CONTENT, HELM_CONTENT_LEGACY];
        // Layers are in any order, and a signature may stand beside the content.
        let layers = manifest.layers.iter().filter(|layer| {
            let of_a_chart = media_types.contains(&layer.media_type.as_str());
            layer.media_type != HELM_PROVENANCE && (of_a_chart || !is_chart)
        });
        for layer in layers {
            let archive = self.0.blob(&reference, layer).await?;
            let content = match archive::form(&archive) {
                Form::GzippedTar | Form::Tar => {
                    content::of_files(&archive::read(&archive, &self.0.config.limits)?)
                }
                Form::Other => content::of_text(&archive),
            };
            let kind = match &content {
                Content::Chart(_) => ArtifactKind::Chart,
                Content::Descriptor(_) => ArtifactKind::Descriptor,
                Content::Ambiguous(names) => {
                    return Err(ArtifactError::Ambiguous {
                        reference: reference.to_string(),
                        names: names.clone(),
                    });
                }
                Content::Neither => continue,
            };
            let info = ArtifactInfo {
                reference: reference.to_string(),
                digest,
                kind,
                size: length(&archive),
            };
            return Ok(Pulled {
                info,
                content,
                archive,
            });
        }
        Err(ArtifactError::Unknown {
            reference: text.to_owned(),
            media_type: manifest.config.media_type,
        })
    }
}

fn repository(reference: &ArtifactReference) -> String {
    format!("{}/{}", reference.registry(), reference.repository())
}

fn length(bytes: &[u8]) -> u64 {
    u64::try_from(bytes.len()).unwrap_or(u64::MAX)
}

fn wrong_kind(reference: &str, found: ArtifactKind, wanted: ArtifactKind) -> ArtifactError {
    ArtifactError::WrongKind {
        reference: reference.to_owned(),
        found,
        wanted,
    }
}

#[async_trait]
impl ArtifactBackend for OciArtifacts {
    async fn resolve(&self, reference: &str) -> Result<ArtifactInfo, BackendError> {
        let pulled = self.pull(reference).await;
        pulled
            .map(|pulled| pulled.info)
            .map_err(|error| error.into_backend(format!("resolve {reference}")))
    }

    async fn descriptor(&self, reference: &str) -> Result<String, BackendError> {
        let pulled = self.pull(reference).await;
        let text = pulled.and_then(|pulled| match pulled.content {
            Content::Descriptor(text) => Ok(text),
            _ => Err(wrong_kind(
                reference,
                ArtifactKind::Chart,
                ArtifactKind::Descriptor,
            )),
        });
        text.map_err(|error| error.into_backend(format!("descriptor {reference}")))
    }
}
