//! A registry in memory.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use sha2::{Digest, Sha256};

use super::{Journal, Scripted, lock};
use crate::backend::{ArtifactBackend, ArtifactInfo, ArtifactKind, BackendError, ErrorKind};

/// An artifact registry in memory. Clones share everything.
#[derive(Debug, Clone, Default)]
pub struct InMemoryArtifacts(Arc<Inner>);

#[derive(Debug, Default)]
struct Inner {
    journal: Journal,
    repositories: Mutex<BTreeMap<String, Repository>>,
}

#[derive(Debug, Default)]
struct Repository {
    /// Digest by tag.
    tags: BTreeMap<String, String>,
    /// Kind and content by digest.
    contents: BTreeMap<String, (ArtifactKind, Vec<u8>)>,
}

impl Repository {
    /// The tag that a reference without one stands for.
    fn default_tag(&self) -> Option<&String> {
        let version = |tag: &String| semver::Version::parse(&tag.replace('_', "+")).ok();
        let releases = self
            .tags
            .keys()
            .filter_map(|tag| version(tag).map(|version| (version, tag)));
        let highest = releases
            .filter(|(version, _)| version.pre.is_empty())
            .max_by(|(a, _), (b, _)| a.cmp(b));
        highest
            .map(|(_, tag)| tag)
            .or_else(|| self.tags.get_key_value("latest").map(|(tag, _)| tag))
    }
}

/// `oci://host/path/name[:tag][@digest]`, taken apart.
struct Parts<'a> {
    repository: &'a str,
    tag: Option<&'a str>,
    digest: Option<&'a str>,
}

impl<'a> Parts<'a> {
    fn parse(reference: &'a str) -> Result<Self, BackendError> {
        let refuse = || {
            let why = "a reference is `oci://host/path/name`, then `:tag` or `@sha256:digest` or nothing";
            BackendError::new(ErrorKind::Invalid, format!("resolve {reference}"), why)
        };
        let rest = reference.strip_prefix("oci://").ok_or_else(refuse)?;
        let (rest, digest) = match rest.split_once('@') {
            Some((rest, digest)) => (rest, Some(digest)),
            None => (rest, None),
        };
        let slash = rest.rfind('/').ok_or_else(refuse)?;
        let (repository, tag) = match rest.get(slash..).and_then(|name| name.find(':')) {
            Some(colon) => (rest.get(..slash + colon), rest.get(slash + colon + 1..)),
            None => (Some(rest), None),
        };
        let repository = repository
            .filter(|name| !name.starts_with('/') && !name.ends_with('/'))
            .ok_or_else(refuse)?;
        if tag == Some("") || digest.is_some_and(|digest| !digest.starts_with("sha256:")) {
            return Err(refuse());
        }
        Ok(Self {
            repository,
            tag,
            digest,
        })
    }
}

impl InMemoryArtifacts {
    /// An empty registry.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Puts a chart at a reference with a tag (without one: `latest`), and gives its digest.
    ///
    /// # Errors
    /// `Invalid` for what is no reference.
    pub fn add_chart(&self, reference: &str, content: &[u8]) -> Result<String, BackendError> {
        self.add(reference, ArtifactKind::Chart, content)
    }

    /// Puts a descriptor at a reference with a tag (without one: `latest`), and gives its digest.
    ///
    /// # Errors
    /// `Invalid` for what is no reference.
    pub fn add_descriptor(&self, reference: &str, text: &str) -> Result<String, BackendError> {
        self.add(reference, ArtifactKind::Descriptor, text.as_bytes())
    }

    fn add(&self, reference: &str, kind: ArtifactKind, content: &[u8]) -> Result<String, BackendError> {
        let parts = Parts::parse(reference)?;
        let hex: String = Sha256::digest(content)
            .iter()
            .map(|byte| format!("{byte:02x}"))
            .collect();
        let digest = format!("sha256:{hex}");
        let mut repositories = lock(&self.0.repositories);
        let repository = repositories.entry(parts.repository.to_owned()).or_default();
        repository
            .tags
            .insert(parts.tag.unwrap_or("latest").replace('+', "_"), digest.clone());
        repository
            .contents
            .insert(digest.clone(), (kind, content.to_vec()));
        Ok(digest)
    }

    fn find(&self, reference: &str) -> Result<(ArtifactInfo, Vec<u8>), BackendError> {
        let parts = Parts::parse(reference)?;
        let missing =
            |what: &str| BackendError::new(ErrorKind::NotFound, format!("resolve {reference}"), what);
        let repositories = lock(&self.0.repositories);
        let repository = repositories
            .get(parts.repository)
            .ok_or_else(|| missing("no such repository"))?;
        let digest = match (parts.digest, parts.tag) {
            (Some(digest), _) => Some(digest),
            (None, Some(tag)) => repository.tags.get(&tag.replace('+', "_")).map(String::as_str),
            (None, None) => repository
                .default_tag()
                .and_then(|tag| repository.tags.get(tag))
                .map(String::as_str),
        };
        let digest = digest.ok_or_else(|| missing("no such tag"))?;
        let (kind, content) = repository
            .contents
            .get(digest)
            .ok_or_else(|| missing("no such digest"))?;
        let info = ArtifactInfo {
            reference: format!("oci://{}@{digest}", parts.repository),
            digest: digest.to_owned(),
            kind: *kind,
            size: u64::try_from(content.len()).unwrap_or(u64::MAX),
        };
        Ok((info, content.clone()))
    }
}

impl Scripted for InMemoryArtifacts {
    fn journal(&self) -> &Journal {
        &self.0.journal
    }
}

#[async_trait]
impl ArtifactBackend for InMemoryArtifacts {
    async fn resolve(&self, reference: &str) -> Result<ArtifactInfo, BackendError> {
        self.0.journal.enter("resolve", reference)?;
        self.find(reference).map(|(info, _)| info)
    }

    async fn descriptor(&self, reference: &str) -> Result<String, BackendError> {
        self.0.journal.enter("descriptor", reference)?;
        let (info, content) = self.find(reference)?;
        let invalid =
            |why: String| BackendError::new(ErrorKind::Invalid, format!("descriptor {reference}"), why);
        if info.kind != ArtifactKind::Descriptor {
            return Err(invalid(format!("it is a {}", info.kind)));
        }
        String::from_utf8(content)
            .map_err(|error| invalid("it is no UTF-8 text".to_owned()).with_source(error))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    #[rstest]
    #[case("oci://host/p/n", Some(("host/p/n", None, None)))]
    #[case("oci://host:5000/n", Some(("host:5000/n", None, None)))]
    #[case("oci://host:5000/n:1.0", Some(("host:5000/n", Some("1.0"), None)))]
    #[case("oci://host/n:1.0@sha256:ab", Some(("host/n", Some("1.0"), Some("sha256:ab"))))]
    #[case("https://host/n", None)]
    #[case("oci://host", None)]
    #[case("oci:///n", None)]
    #[case("oci://host/", None)]
    #[case("oci://host/n:", None)]
    #[case("oci://host/n@md5:ab", None)]
    fn references(#[case] text: &str, #[case] expected: Option<(&str, Option<&str>, Option<&str>)>) {
        let parts = Parts::parse(text)
            .ok()
            .map(|parts| (parts.repository, parts.tag, parts.digest));
        assert_eq!(parts, expected);
    }

    #[test]
    fn no_tag_is_the_highest_release_then_latest() {
        let registry = InMemoryArtifacts::new();
        let latest = registry.add_chart("oci://h/n", b"latest").unwrap();
        let pinned = |text: &str| registry.find(text).unwrap().0.digest;
        assert_eq!(pinned("oci://h/n"), latest);
        registry.add_chart("oci://h/n:0.9.0", b"nine").unwrap();
        let ten = registry.add_chart("oci://h/n:0.10.0+b1", b"ten").unwrap();
        registry.add_chart("oci://h/n:1.0.0-rc.1", b"candidate").unwrap();
        assert_eq!(pinned("oci://h/n"), ten);
        assert_eq!(pinned("oci://h/n:0.10.0_b1"), ten);
        assert_eq!(pinned("oci://h/n:0.10.0+b1"), ten);
    }
}
