//! References to artifacts: `[scheme://]host[:port]/path/name[:tag or version range][@digest]`.

use std::fmt;
use std::str::FromStr;

use semver::Version;
use thiserror::Error;

use crate::range::VersionRange;

/// Why a text is no reference. The text itself is not shown when it may hold a password.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum ReferenceError {
    /// Another scheme than `oci`, `http` or `https`.
    #[error("`{0}://` is no scheme of a registry: `oci://`, `https://`, `http://` or none")]
    Scheme(String),
    /// `user:password@host`.
    #[error("a reference holds no user and password")]
    Userinfo,
    /// No registry host, or not one.
    #[error("`{0}` is no registry host; write `oci://host[:port]/path/name`")]
    Host(String),
    /// No repository after the host.
    #[error("`{0}` names no repository; write `oci://host[:port]/path/name`")]
    NoRepository(String),
    /// A repository that the distribution specification does not allow.
    #[error(
        "`{0}` is no repository: lower-case letters, digits, and `.`, `_`, `-` between them, in parts joined by `/`"
    )]
    Repository(String),
    /// Neither a tag nor a version range.
    #[error("`{0}` is neither a tag, a version nor a range of versions")]
    Tag(String),
    /// No digest of a known kind.
    #[error("`{0}` is no digest: `sha256:` and 64 hexadecimal digits")]
    Digest(String),
}

/// Which content of a repository is meant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Selector {
    /// The highest version that is no pre-release.
    Newest,
    /// A tag. One such as `1.2` that is not there is then read as a range.
    Tag(String),
    /// The highest version in a range.
    Range(VersionRange),
    /// Exactly this content.
    Digest(String),
}

/// A reference, taken apart.
///
/// ```
/// use smo_artifact::{ArtifactReference, Selector};
/// let web: ArtifactReference = "oci://registry.example.com:5000/shop/web:1.2.0+b1".parse()?;
/// assert_eq!((web.registry(), web.repository()), ("registry.example.com:5000", "shop/web"));
/// assert_eq!(web.selector(), &Selector::Tag("1.2.0_b1".to_owned()));
/// assert!(!web.is_plain_http());
/// # Ok::<(), smo_artifact::ReferenceError>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ArtifactReference {
    plain_http: bool,
    registry: String,
    repository: String,
    selector: Selector,
}

impl ArtifactReference {
    /// The host, with its port if one was given.
    #[must_use]
    pub fn registry(&self) -> &str {
        &self.registry
    }

    /// The path and name in the registry.
    #[must_use]
    pub fn repository(&self) -> &str {
        &self.repository
    }

    /// Which content is meant.
    #[must_use]
    pub fn selector(&self) -> &Selector {
        &self.selector
    }

    /// True when the reference begins with `http://` and so asks for a connection without TLS.
    #[must_use]
    pub fn is_plain_http(&self) -> bool {
        self.plain_http
    }

    /// The same repository at exactly this content.
    #[must_use]
    pub fn at_digest(&self, digest: impl Into<String>) -> Self {
        self.at(Selector::Digest(digest.into()))
    }

    /// The same repository at a tag.
    #[must_use]
    pub fn at_tag(&self, tag: impl Into<String>) -> Self {
        self.at(Selector::Tag(tag.into()))
    }

    fn at(&self, selector: Selector) -> Self {
        Self {
            selector,
            ..self.clone()
        }
    }

    /// Reads where artifacts are pushed to, `oci://host[:port][/path]`, and adds a name and a tag.
    pub(crate) fn below(project: &str, name: &str, version: &Version) -> Result<Self, ReferenceError> {
        let (plain_http, rest) = scheme(project)?;
        let rest = rest.trim_end_matches('/');
        let (registry, path) = rest.split_once('/').unwrap_or((rest, ""));
        check_host(registry)?;
        let repository = if path.is_empty() {
            name.to_owned()
        } else {
            format!("{path}/{name}")
        };
        if !is_repository(&repository) {
            return Err(ReferenceError::Repository(repository));
        }
        Ok(Self {
            plain_http,
            registry: registry.to_owned(),
            repository,
            selector: Selector::Tag(tag_of(version)),
        })
    }
}

impl FromStr for ArtifactReference {
    type Err = ReferenceError;

    fn from_str(text: &str) -> Result<Self, ReferenceError> {
        let (plain_http, rest) = scheme(text)?;
        let Some((registry, path)) = rest.split_once('/') else {
            check_host(rest)?;
            return Err(ReferenceError::NoRepository(text.to_owned()));
        };
        check_host(registry)?;
        // Without a scheme the first part has to look like a host, as in Docker's rule.
        let host_like = registry.contains(['.', ':']) || registry == "localhost";
        if !text.contains("://") && !host_like {
            return Err(ReferenceError::Host(registry.to_owned()));
        }
        let (path, digest) = match path.split_once('@') {
            Some((path, digest)) => (path, Some(digest)),
            None => (path, None),
        };
        let (repository, tag) = match path.split_once(':') {
            Some((repository, tag)) => (repository, Some(tag)),
            None => (path, None),
        };
        if repository.is_empty() {
            return Err(ReferenceError::NoRepository(text.to_owned()));
        }
        if !is_repository(repository) {
            return Err(ReferenceError::Repository(repository.to_owned()));
        }
        let tag = tag.map(selector_of).transpose()?;
        let selector = match digest {
            Some(digest) if is_digest(digest) => Selector::Digest(digest.to_owned()),
            Some(digest) => return Err(ReferenceError::Digest(digest.to_owned())),
            None => tag.unwrap_or(Selector::Newest),
        };
        Ok(Self {
            plain_http,
            registry: registry.to_owned(),
            repository: repository.to_owned(),
            selector,
        })
    }
}

impl fmt::Display for ArtifactReference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let scheme = if self.plain_http { "http" } else { "oci" };
        write!(f, "{scheme}://{}/{}", self.registry, self.repository)?;
        match &self.selector {
            Selector::Newest => Ok(()),
            Selector::Tag(tag) => write!(f, ":{tag}"),
            Selector::Range(range) => write!(f, ":{range}"),
            Selector::Digest(digest) => write!(f, "@{digest}"),
        }
    }
}

/// Whether plain HTTP is asked for, and what follows the scheme.
fn scheme(text: &str) -> Result<(bool, &str), ReferenceError> {
    let (scheme, rest) = text.split_once("://").unwrap_or(("oci", text));
    let plain_http = match scheme.to_ascii_lowercase().as_str() {
        "oci" | "https" => false,
        "http" => true,
        _ => return Err(ReferenceError::Scheme(scheme.to_owned())),
    };
    let authority = rest.split('/').next().unwrap_or_default();
    if authority.contains('@') {
        return Err(ReferenceError::Userinfo);
    }
    Ok((plain_http, rest))
}

fn check_host(text: &str) -> Result<(), ReferenceError> {
    let refuse = || ReferenceError::Host(text.to_owned());
    let (host, port) = match text.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
        Some((address, port)) => {
            address.parse::<std::net::Ipv6Addr>().map_err(|_| refuse())?;
            (
                "v6",
                port.strip_prefix(':')
                    .or_else(|| (!port.is_empty()).then_some("no port")),
            )
        }
        None => match text.split_once(':') {
            Some((host, port)) => (host, Some(port)),
            None => (text, None),
        },
    };
    let label = |label: &str| {
        let inner = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
        !label.is_empty() && label.chars().all(inner) && !label.starts_with('-') && !label.ends_with('-')
    };
    let port_is_good = port.is_none_or(|port| port.parse::<u16>().is_ok_and(|port| port > 0));
    if host.split('.').all(label) && port_is_good {
        Ok(())
    } else {
        Err(refuse())
    }
}

/// The grammar of names in the distribution specification.
fn is_repository(text: &str) -> bool {
    let alphanumeric = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit();
    let part = |part: &str| {
        let separators = part.split(alphanumeric).filter(|between| !between.is_empty());
        part.starts_with(alphanumeric)
            && part.ends_with(alphanumeric)
            && separators
                .into_iter()
                .all(|between| matches!(between, "." | "_" | "__") || between.chars().all(|c| c == '-'))
    };
    text.len() <= 255 && text.split('/').all(part)
}

fn is_tag(text: &str) -> bool {
    let word = |c: char| c.is_ascii_alphanumeric() || c == '_';
    text.len() <= 128 && text.starts_with(word) && text.chars().all(|c| word(c) || c == '.' || c == '-')
}

fn is_digest(text: &str) -> bool {
    let hex = |digits: &str, length| {
        digits.len() == length && digits.chars().all(|c| matches!(c, '0'..='9' | 'a'..='f'))
    };
    match text.split_once(':') {
        Some(("sha256", digits)) => hex(digits, 64),
        Some(("sha512", digits)) => hex(digits, 128),
        _ => false,
    }
}

fn selector_of(text: &str) -> Result<Selector, ReferenceError> {
    let tag = text.replace('+', "_");
    if is_tag(&tag) {
        return Ok(Selector::Tag(tag));
    }
    let range = text.parse().map_err(|_| ReferenceError::Tag(text.to_owned()))?;
    Ok(Selector::Range(range))
}

/// The tag of a version: `+` is not allowed in tags, `_` stands for it, as Helm has it.
pub(crate) fn tag_of(version: &Version) -> String {
    version.to_string().replace('+', "_")
}

/// The version that a tag stands for; a leading `v` is tolerated.
pub(crate) fn version_of(tag: &str) -> Option<Version> {
    let text = tag.replace('_', "+");
    Version::parse(text.strip_prefix('v').unwrap_or(&text)).ok()
}

/// The tag of the highest version that is in `range`, or that is no pre-release where there is no range.
pub(crate) fn newest<'a>(tags: &'a [String], range: Option<&VersionRange>) -> Option<&'a str> {
    let versions = tags
        .iter()
        .filter_map(|tag| version_of(tag).map(|version| (version, tag)));
    let meant = versions.filter(|(version, _)| match range {
        Some(range) => range.contains(version),
        None => version.pre.is_empty(),
    });
    meant.max().map(|(_, tag)| tag.as_str())
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    const HEX: &str = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";

    #[rstest]
    #[case(
        "oci://127.0.0.1:5000/test/noise-reduction",
        "127.0.0.1:5000",
        "test/noise-reduction",
        "oci://127.0.0.1:5000/test/noise-reduction"
    )]
    #[case(
        "oci://host.docker.internal:5000/demo0/hello-world",
        "host.docker.internal:5000",
        "demo0/hello-world",
        "oci://host.docker.internal:5000/demo0/hello-world"
    )]
    #[case(
        "https://hdar.example.com/zhaw/cvo",
        "hdar.example.com",
        "zhaw/cvo",
        "oci://hdar.example.com/zhaw/cvo"
    )]
    #[case(
        "http://10.0.3.53:5000/test/graph",
        "10.0.3.53:5000",
        "test/graph",
        "http://10.0.3.53:5000/test/graph"
    )]
    #[case(
        "HTTP://10.0.3.53:5000/test/graph:0.1.0",
        "10.0.3.53:5000",
        "test/graph",
        "http://10.0.3.53:5000/test/graph:0.1.0"
    )]
    #[case(
        "registry.example.com/p/n:v1.2.0",
        "registry.example.com",
        "p/n",
        "oci://registry.example.com/p/n:v1.2.0"
    )]
    #[case("localhost/n", "localhost", "n", "oci://localhost/n")]
    #[case("oci://registry/n", "registry", "n", "oci://registry/n")]
    #[case("oci://[::1]:5000/n", "[::1]:5000", "n", "oci://[::1]:5000/n")]
    #[case(
        "oci://h/a__b/c--d/e.f_g:1.0.0+build.1",
        "h",
        "a__b/c--d/e.f_g",
        "oci://h/a__b/c--d/e.f_g:1.0.0_build.1"
    )]
    #[case("oci://h/n:^1.2", "h", "n", "oci://h/n:^1.2")]
    #[case("oci://h/n:>=1.2, <2", "h", "n", "oci://h/n:>=1.2, <2")]
    #[case("oci://h/n:1.x", "h", "n", "oci://h/n:1.x")]
    fn what_a_reference_means(
        #[case] text: &str,
        #[case] registry: &str,
        #[case] repository: &str,
        #[case] shown: &str,
    ) {
        let reference: ArtifactReference = text.parse().unwrap();
        assert_eq!(
            (reference.registry(), reference.repository()),
            (registry, repository)
        );
        assert_eq!(reference.to_string(), shown);
        assert_eq!(shown.parse::<ArtifactReference>().unwrap(), reference);
    }

    #[test]
    fn a_digest_wins_over_a_tag() {
        let reference: ArtifactReference = format!("oci://h/n:1.0.0@sha256:{HEX}").parse().unwrap();
        assert_eq!(reference.selector(), &Selector::Digest(format!("sha256:{HEX}")));
    }

    #[test]
    fn every_refusal_says_what_is_right() {
        let texts = [
            "",
            "no reference",
            "web",
            "web:1.0.0",
            "shop/web",
            "ftp://h/n",
            "oci://user:hunter2@h/n",
            "user:hunter2@h.example/n",
            "oci://h",
            "oci://h/",
            "oci:///n",
            "oci://h:0/n",
            "oci://h:port/n",
            "oci://[::x]/n",
            "oci://h/Web",
            "oci://h/a//b",
            "oci://h/a/",
            "oci://h/../b",
            "oci://h/n?x=1",
            "oci://h/n:",
            "oci://h/n:a b",
            "oci://h/n@sha256:ab",
            "oci://h/n@md5:0123",
        ];
        let shown: Vec<String> = texts
            .iter()
            .map(|text| text.parse::<ArtifactReference>().unwrap_err().to_string())
            .collect();
        assert!(shown.iter().all(|text| !text.contains("hunter2")));
        insta::assert_snapshot!(shown.join("\n"), @"
        `` is no registry host; write `oci://host[:port]/path/name`
        `no reference` is no registry host; write `oci://host[:port]/path/name`
        `web` names no repository; write `oci://host[:port]/path/name`
        `web:1.0.0` is no registry host; write `oci://host[:port]/path/name`
        `shop` is no registry host; write `oci://host[:port]/path/name`
        `ftp://` is no scheme of a registry: `oci://`, `https://`, `http://` or none
        a reference holds no user and password
        a reference holds no user and password
        `oci://h` names no repository; write `oci://host[:port]/path/name`
        `oci://h/` names no repository; write `oci://host[:port]/path/name`
        `` is no registry host; write `oci://host[:port]/path/name`
        `h:0` is no registry host; write `oci://host[:port]/path/name`
        `h:port` is no registry host; write `oci://host[:port]/path/name`
        `[::x]` is no registry host; write `oci://host[:port]/path/name`
        `Web` is no repository: lower-case letters, digits, and `.`, `_`, `-` between them, in parts joined by `/`
        `a//b` is no repository: lower-case letters, digits, and `.`, `_`, `-` between them, in parts joined by `/`
        `a/` is no repository: lower-case letters, digits, and `.`, `_`, `-` between them, in parts joined by `/`
        `../b` is no repository: lower-case letters, digits, and `.`, `_`, `-` between them, in parts joined by `/`
        `n?x=1` is no repository: lower-case letters, digits, and `.`, `_`, `-` between them, in parts joined by `/`
        `` is neither a tag, a version nor a range of versions
        `a b` is neither a tag, a version nor a range of versions
        `sha256:ab` is no digest: `sha256:` and 64 hexadecimal digits
        `md5:0123` is no digest: `sha256:` and 64 hexadecimal digits
        ");
    }

    #[rstest]
    #[case("oci://h:5000/p/", "oci://h:5000/p/web:1.0.0_b1")]
    #[case("http://h", "http://h/web:1.0.0_b1")]
    fn a_push_adds_name_and_tag(#[case] project: &str, #[case] shown: &str) {
        let version = Version::parse("1.0.0+b1").unwrap();
        let reference = ArtifactReference::below(project, "web", &version).unwrap();
        assert_eq!(reference.to_string(), shown);
        assert!(ArtifactReference::below(project, "My_Chart", &version).is_err());
    }

    #[rstest]
    #[case(&["0.9.0", "0.10.0", "1.0.0-rc.1", "latest"], None, Some("0.10.0"))]
    #[case(&["1.0.0", "1.0.0_b2", "1.0.0_b1"], None, Some("1.0.0_b2"))]
    #[case(&["v1.0.0", "0.9.0"], None, Some("v1.0.0"))]
    #[case(&["1.1.0", "1.2.9", "2.0.0"], Some("^1.1"), Some("1.2.9"))]
    #[case(&["1.0.0-rc.1"], None, None)]
    #[case(&["1.0.0-rc.1", "1.0.0-rc.2"], Some(">=1.0.0-rc.1"), Some("1.0.0-rc.2"))]
    #[case(&["latest", "1.0"], None, None)]
    fn the_newest_tag(#[case] tags: &[&str], #[case] range: Option<&str>, #[case] expected: Option<&str>) {
        let tags: Vec<String> = tags.iter().map(ToString::to_string).collect();
        let range = range.map(|text| text.parse().unwrap());
        assert_eq!(newest(&tags, range.as_ref()), expected);
    }
}
