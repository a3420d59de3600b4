//! What is pushed: a descriptor or a chart as an OCI manifest and its blobs. Pure, but for reading a folder.

use std::collections::BTreeMap;
use std::path::Path;

use oci_client::manifest::{OCI_IMAGE_MEDIA_TYPE, OciDescriptor, OciImageManifest};
use semver::Version;
use serde_json::Value;
use sha2::{Digest, Sha256};
use smo_core::descriptor::Descriptor;
use smo_core::id::GraphId;

use crate::archive::{self, Files};
use crate::config::ArchiveLimits;
use crate::content::{self, Content};
use crate::error::ArtifactError;

/// Configuration of a Helm chart: its `Chart.yaml` as JSON.
pub(crate) const HELM_CONFIG: &str = "application/vnd.cncf.helm.config.v1+json";
/// The archive of a Helm chart.
pub(crate) const HELM_CONTENT: &str = "application/vnd.cncf.helm.chart.content.v1.tar+gzip";
/// The same as early versions of Helm wrote it.
pub(crate) const HELM_CONTENT_LEGACY: &str = "application/tar+gzip";
/// The signature of a Helm chart.
pub(crate) const HELM_PROVENANCE: &str = "application/vnd.cncf.helm.chart.provenance.v1.prov";
/// What a descriptor is, as this library pushes it. Readers go by content, since other tools use types of their own.
pub(crate) const HDAG: &str = "application/vnd.smo.hdag.v1";
/// The configuration of an artifact that has none.
const EMPTY: &str = "application/vnd.oci.empty.v1+json";
/// A folder as the ORAS tools store it.
const FOLDER: &str = "application/vnd.oci.image.layer.v1.tar+gzip";

const TITLE: &str = "org.opencontainers.image.title";
const VERSION: &str = "org.opencontainers.image.version";

/// An artifact ready to be pushed.
#[derive(Debug, Clone)]
pub(crate) struct Package {
    pub(crate) name: String,
    pub(crate) version: Version,
    pub(crate) config: Vec<u8>,
    pub(crate) archive: Vec<u8>,
    pub(crate) manifest: OciImageManifest,
}

impl Package {
    /// A descriptor: its text as `<id>/hdag.yaml` in an archive, under its id and version.
    pub(crate) fn descriptor(text: &str) -> Result<Self, ArtifactError> {
        let descriptor = Descriptor::parse(text).map_err(ArtifactError::Descriptor)?;
        let root = descriptor.root().get("hdaGraph");
        let field = |key: &str| {
            let node = root.and_then(|graph| graph.get(key));
            node.and_then(|node| node.scalar_text().map(str::to_owned))
        };
        let required = |name: &'static str| {
            field(name).ok_or(ArtifactError::DescriptorField {
                field: name,
                reason: "it is missing or no text".to_owned(),
            })
        };
        let id = GraphId::parse(required("id")?).map_err(|error| ArtifactError::DescriptorField {
            field: "id",
            reason: error.to_string(),
        })?;
        let stated = required("version")?;
        let version = Version::parse(&stated).map_err(|error| ArtifactError::DescriptorField {
            field: "version",
            reason: format!("`{stated}`: {error}"),
        })?;
        let name = id.as_str().to_owned();
        let files = Files::from([(format!("{name}/hdag.yaml"), text.as_bytes().to_vec())]);
        let archive = pack(&files)?;
        let config = b"{}".to_vec();
        // So that ORAS tools unpack the folder on pull.
        let unpack = [
            (TITLE.to_owned(), name.clone()),
            ("io.deis.oras.content.unpack".to_owned(), "true".to_owned()),
        ];
        let mut annotations = BTreeMap::from([
            (TITLE.to_owned(), name.clone()),
            (VERSION.to_owned(), version.to_string()),
        ]);
        for (key, annotation) in [("description", "description"), ("designer", "authors")] {
            if let Some(text) = field(key) {
                annotations.insert(format!("org.opencontainers.image.{annotation}"), text);
            }
        }
        let manifest = OciImageManifest {
            media_type: Some(OCI_IMAGE_MEDIA_TYPE.to_owned()),
            artifact_type: Some(HDAG.to_owned()),
            config: blob(EMPTY, &config, None),
            layers: vec![blob(FOLDER, &archive, Some(BTreeMap::from(unpack)))],
            annotations: Some(annotations),
            ..OciImageManifest::default()
        };
        Ok(Self {
            name,
            version,
            config,
            archive,
            manifest,
        })
    }

    /// A chart from its archive, as `helm package` writes it, byte for byte.
    pub(crate) fn chart(archive: &[u8], limits: &ArchiveLimits) -> Result<Self, ArtifactError> {
        let files = archive::read(archive, limits)?;
        let no_chart = || {
            ArtifactError::Chart("no folder at its top has a Chart.yaml with a name and a version".to_owned())
        };
        let facts = content::chart(&files).ok_or_else(no_chart)?;
        let version = Version::parse(&facts.version)
            .map_err(|error| ArtifactError::Chart(format!("its version `{}`: {error}", facts.version)))?;
        let config =
            serde_json::to_vec(&facts.metadata).map_err(|error| ArtifactError::Chart(error.to_string()))?;
        let manifest = OciImageManifest {
            media_type: Some(OCI_IMAGE_MEDIA_TYPE.to_owned()),
            config: blob(HELM_CONFIG, &config, None),
            layers: vec![blob(HELM_CONTENT, archive, None)],
            annotations: Some(chart_annotations(&facts.name, &facts.version, &facts.metadata)),
            ..OciImageManifest::default()
        };
        Ok(Self {
            name: facts.name,
            version,
            config,
            archive: archive.to_vec(),
            manifest,
        })
    }

    /// A chart or a descriptor from a folder.
    pub(crate) fn folder(path: &Path, limits: &ArchiveLimits) -> Result<Self, ArtifactError> {
        let refuse = |reason: &str| ArtifactError::Folder {
            path: path.to_owned(),
            reason: reason.to_owned(),
        };
        let mut files = Files::new();
        collect(path, "", &mut files, limits)?;
        if let Some(bytes) = files.get("Chart.yaml") {
            let facts = content::chart_facts(bytes)
                .ok_or_else(|| refuse("its Chart.yaml has no name and version"))?;
            let below = |(path, content)| (format!("{}/{path}", facts.name), content);
            let files: Files = files.into_iter().map(below).collect();
            return Self::chart(&pack(&files)?, limits);
        }
        match content::of_files(&files) {
            Content::Descriptor(text) => Self::descriptor(&text),
            Content::Ambiguous(names) => Err(ArtifactError::Ambiguous {
                reference: path.display().to_string(),
                names,
            }),
            _ => Err(refuse(
                "it has neither a Chart.yaml nor a YAML file with the root key `hdaGraph`",
            )),
        }
    }
}

fn pack(files: &Files) -> Result<Vec<u8>, ArtifactError> {
    archive::write(files).map_err(|error| ArtifactError::Chart(error.to_string()))
}

/// The files below a folder. What begins with a dot stays out, but for Helm's own `.helmignore`.
fn collect(
    folder: &Path,
    prefix: &str,
    files: &mut Files,
    limits: &ArchiveLimits,
) -> Result<(), ArtifactError> {
    let refuse = |path: &Path, reason: String| ArtifactError::Folder {
        path: path.to_owned(),
        reason,
    };
    let entries = std::fs::read_dir(folder).map_err(|error| refuse(folder, error.to_string()))?;
    for entry in entries {
        let entry = entry.map_err(|error| refuse(folder, error.to_string()))?;
        let path = entry.path();
        let name = entry.file_name().into_string();
        let name = name.map_err(|_| refuse(&path, "its name is no Unicode".to_owned()))?;
        if name.starts_with('.') && name != ".helmignore" {
            continue;
        }
        let kind = entry
            .file_type()
            .map_err(|error| refuse(&path, error.to_string()))?;
        let inner = if prefix.is_empty() {
            name
        } else {
            format!("{prefix}/{name}")
        };
        if files.len() >= limits.entries {
            return Err(refuse(
                folder,
                format!("it has more than {} files", limits.entries),
            ));
        }
        if kind.is_dir() {
            collect(&path, &inner, files, limits)?;
        } else if kind.is_file() {
            let content = std::fs::read(&path).map_err(|error| refuse(&path, error.to_string()))?;
            files.insert(inner, content);
        } else {
            return Err(refuse(&path, "it is a link or a device".to_owned()));
        }
    }
    Ok(())
}

fn blob(media_type: &str, bytes: &[u8], annotations: Option<BTreeMap<String, String>>) -> OciDescriptor {
    OciDescriptor {
        media_type: media_type.to_owned(),
        digest: digest(bytes),
        size: i64::try_from(bytes.len()).unwrap_or(i64::MAX),
        annotations,
        ..OciDescriptor::default()
    }
}

/// `sha256:` and the hexadecimal digest of bytes.
pub(crate) fn digest(bytes: &[u8]) -> String {
    let hex: String = Sha256::digest(bytes)
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect();
    format!("sha256:{hex}")
}

/// The annotations that Helm writes, but for the time of creation: the same chart gives the same manifest.
fn chart_annotations(name: &str, version: &str, metadata: &Value) -> BTreeMap<String, String> {
    let text = |value: Option<&Value>| value.and_then(Value::as_str).map(str::to_owned);
    let mut annotations = BTreeMap::new();
    for (key, value) in metadata
        .get("annotations")
        .and_then(Value::as_object)
        .into_iter()
        .flatten()
    {
        if let Some(value) = value.as_str() {
            annotations.insert(key.clone(), value.to_owned());
        }
    }
    let person = |person: &Value| {
        let name = text(person.get("name"))?;
        Some(match text(person.get("email")) {
            Some(email) => format!("{name} ({email})"),
            None => name,
        })
    };
    let people = metadata.get("maintainers").and_then(Value::as_array);
    let authors: Vec<String> = people.into_iter().flatten().filter_map(person).collect();
    let facts = [
        ("description", text(metadata.get("description"))),
        ("url", text(metadata.get("home"))),
        ("source", text(metadata.pointer("/sources/0"))),
        ("authors", (!authors.is_empty()).then(|| authors.join(", "))),
    ];
    for (key, value) in facts {
        if let Some(value) = value {
            annotations
                .entry(format!("org.opencontainers.image.{key}"))
                .or_insert(value);
        }
    }
    annotations.insert(TITLE.to_owned(), name.to_owned());
    annotations.insert(VERSION.to_owned(), version.to_owned());
    annotations
}

#[cfg(test)]
mod tests {
    use super::*;

    const GRAPH: &str = "hdaGraph:\n  id: shop\n  version: \"1.2.0+b1\"\n  designer: Ada\n  description: A shop.\n  services: []\n";

    fn manifest(package: &Package) -> String {
        let mut json = serde_json::to_value(&package.manifest).unwrap();
        // Digests and sizes are asserted apart; compressed bytes may differ between versions of the compressor.
        for pointer in ["/layers/0/digest", "/layers/0/size"] {
            *json.pointer_mut(pointer).unwrap() = "...".into();
        }
        serde_json::to_string_pretty(&json).unwrap()
    }

    fn chart_files(chart: &str) -> Vec<u8> {
        archive::write(&Files::from([
            ("web/Chart.yaml".to_owned(), chart.as_bytes().to_vec()),
            (
                "web/charts/db/Chart.yaml".to_owned(),
                b"name: db\nversion: 9.0.0\n".to_vec(),
            ),
        ]))
        .unwrap()
    }

    #[test]
    fn a_descriptor_becomes_a_manifest() {
        let package = Package::descriptor(GRAPH).unwrap();
        assert_eq!(
            (package.name.as_str(), package.version.to_string().as_str()),
            ("shop", "1.2.0+b1")
        );
        assert_eq!(package.manifest.layers[0].digest, digest(&package.archive));
        let files = archive::read(&package.archive, &ArchiveLimits::default()).unwrap();
        assert_eq!(
            files.get("shop/hdag.yaml").map(Vec::as_slice),
            Some(GRAPH.as_bytes())
        );
        insta::assert_snapshot!(manifest(&package), @r#"
        {
          "schemaVersion": 2,
          "mediaType": "application/vnd.oci.image.manifest.v1+json",
          "config": {
            "mediaType": "application/vnd.oci.empty.v1+json",
            "digest": "sha256:44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a",
            "size": 2
          },
          "layers": [
            {
              "mediaType": "application/vnd.oci.image.layer.v1.tar+gzip",
              "digest": "...",
              "size": "...",
              "annotations": {
                "io.deis.oras.content.unpack": "true",
                "org.opencontainers.image.title": "shop"
              }
            }
          ],
          "artifactType": "application/vnd.smo.hdag.v1",
          "annotations": {
            "org.opencontainers.image.authors": "Ada",
            "org.opencontainers.image.description": "A shop.",
            "org.opencontainers.image.title": "shop",
            "org.opencontainers.image.version": "1.2.0+b1"
          }
        }
        "#);
    }

    #[test]
    fn a_chart_becomes_what_helm_would_push() {
        let chart = "apiVersion: v2\nname: web\nversion: 0.1.0\ndescription: A page.\nhome: https://example.com\n\
            sources: [https://example.com/git]\nmaintainers: [{name: Ada, email: ada@example.com}, {name: Bob}]\n\
            annotations: {specType: App, org.opencontainers.image.title: other, number: 1}\n";
        let archive = chart_files(chart);
        let package = Package::chart(&archive, &ArchiveLimits::default()).unwrap();
        assert_eq!(package.archive, archive);
        assert_eq!(package.manifest.layers[0].digest, digest(&archive));
        insta::assert_snapshot!(manifest(&package), @r#"
        {
          "schemaVersion": 2,
          "mediaType": "application/vnd.oci.image.manifest.v1+json",
          "config": {
            "mediaType": "application/vnd.cncf.helm.config.v1+json",
            "digest": "sha256:20d4dbbc81bccdc5b36197241ebaecf5679dedd9ef142b0cc82279f042e16d95",
            "size": 298
          },
          "layers": [
            {
              "mediaType": "application/vnd.cncf.helm.chart.content.v1.tar+gzip",
              "digest": "...",
              "size": "..."
            }
          ],
          "annotations": {
            "org.opencontainers.image.authors": "Ada (ada@example.com), Bob",
            "org.opencontainers.image.description": "A page.",
            "org.opencontainers.image.source": "https://example.com/git",
            "org.opencontainers.image.title": "web",
            "org.opencontainers.image.url": "https://example.com",
            "org.opencontainers.image.version": "0.1.0",
            "specType": "App"
          }
        }
        "#);
        insta::assert_snapshot!(String::from_utf8(package.config).unwrap(), @r#"{"apiVersion":"v2","name":"web","version":"0.1.0","description":"A page.","home":"https://example.com","sources":["https://example.com/git"],"maintainers":[{"name":"Ada","email":"ada@example.com"},{"name":"Bob"}],"annotations":{"specType":"App","org.opencontainers.image.title":"other","number":1}}"#);
    }

    #[test]
    fn every_refusal() {
        let limits = ArchiveLimits::default();
        let missing = Path::new(env!("CARGO_MANIFEST_DIR")).join("no-such-folder");
        let sources = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
        let errors = [
            Package::descriptor("a: [").unwrap_err(),
            Package::descriptor("hdaGraph: {id: shop}").unwrap_err(),
            Package::descriptor("hdaGraph: {version: 1.0.0}").unwrap_err(),
            Package::descriptor("hdaGraph: {id: My Shop, version: 1.0.0}").unwrap_err(),
            Package::descriptor("hdaGraph: {id: shop, version: '1.0'}").unwrap_err(),
            Package::chart(b"no archive at all", &limits).unwrap_err(),
            Package::chart(&chart_files("name: web"), &limits).unwrap_err(),
            Package::chart(&chart_files("name: web\nversion: '1'"), &limits).unwrap_err(),
            Package::folder(&missing, &limits).unwrap_err(),
            Package::folder(&sources, &limits).unwrap_err(),
        ];
        let shown = errors.map(|error| error.to_string().replace(env!("CARGO_MANIFEST_DIR"), "."));
        insta::assert_snapshot!(shown.join("\n"), @"
        the descriptor cannot be read: E001 not YAML: unclosed bracket '['
        the descriptor has no usable `hdaGraph.version`: it is missing or no text
        the descriptor has no usable `hdaGraph.id`: it is missing or no text
        the descriptor has no usable `hdaGraph.id`: `My Shop` is not a DNS label (lower-case letters, digits and `-`, 63 at most)
        the descriptor has no usable `hdaGraph.version`: `1.0`: unexpected end of input while parsing minor version number
        the archive cannot be read: failed to read entire block
        this is no chart: no folder at its top has a Chart.yaml with a name and a version
        this is no chart: its version `1`: unexpected end of input while parsing major version number
        ./no-such-folder cannot be packaged: No such file or directory (os error 2)
        ./src cannot be packaged: it has neither a Chart.yaml nor a YAML file with the root key `hdaGraph`
        ");
    }
}
