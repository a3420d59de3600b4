//! What goes wrong with artifacts, and what kind of failure that is for a caller.

use std::error::Error;
use std::path::PathBuf;

use oci_client::errors::{OciDistributionError, OciErrorCode};
use smo_core::backend::{ArtifactKind, BackendError, ErrorKind};
use smo_core::diagnostic::Violations;
use thiserror::Error;

use crate::archive::ArchiveError;
use crate::credentials::CredentialError;
use crate::range::VersionRange;
use crate::reference::ReferenceError;

/// What goes wrong with artifacts. No text shows a credential.
#[derive(Debug, Clone, PartialEq, Error)]
#[non_exhaustive]
pub enum ArtifactError {
    /// A text is no reference.
    #[error(transparent)]
    Reference(#[from] ReferenceError),
    /// Credentials could not be looked up.
    #[error(transparent)]
    Credentials(#[from] CredentialError),
    /// An archive is refused.
    #[error(transparent)]
    Archive(#[from] ArchiveError),
    /// The configuration makes no client.
    #[error("the registry configuration cannot be used: {0}")]
    Configuration(String),
    /// The registry wants to know who asks.
    #[error("{registry} {}", if *.anonymous { "asks for credentials, and none are known" } else { "does not accept the credentials" })]
    Unauthenticated {
        /// The registry.
        registry: String,
        /// True when no credentials were found.
        anonymous: bool,
    },
    /// The registry knows who asks, and does not let them.
    #[error("{registry} does not allow this: {message}")]
    Denied {
        /// The registry.
        registry: String,
        /// Its words.
        message: String,
    },
    /// What was asked for is not there.
    #[error("{0} is not there")]
    NotFound(String),
    /// The repository is there, the tag is not.
    #[error("{repository} has no tag {tag}; {}", tags(.there))]
    NoTag {
        /// The repository with its registry.
        repository: String,
        /// What was asked for.
        tag: String,
        /// The tags that are there.
        there: Vec<String>,
    },
    /// No tag is in a range, or stands for a version at all.
    #[error("{repository} has no {}; {}", wanted(.range.as_ref()), tags(.there))]
    NoVersion {
        /// The repository with its registry.
        repository: String,
        /// What was asked for; none: any version.
        range: Option<VersionRange>,
        /// The tags that are there.
        there: Vec<String>,
    },
    /// The registry does not answer.
    #[error("{registry} does not answer: {reason}")]
    Unreachable {
        /// The registry.
        registry: String,
        /// The innermost cause.
        reason: String,
    },
    /// The registry asks to come later.
    #[error("{0} gets too many requests")]
    Busy(String),
    /// The registry failed, or refused without a reason that is known.
    #[error("{registry} answered {status}: {message}")]
    Server {
        /// The registry.
        registry: String,
        /// The HTTP status.
        status: u16,
        /// Its words.
        message: String,
    },
    /// The registry answered something that the specification does not know.
    #[error("{registry} answers strangely: {reason}")]
    Protocol {
        /// The registry.
        registry: String,
        /// What is strange.
        reason: String,
    },
    /// What came is not what was asked for.
    #[error("{reference} has been altered: {reason}")]
    Altered {
        /// The reference.
        reference: String,
        /// Which digest or size differs.
        reason: String,
    },
    /// Larger than accepted.
    #[error("{reference} has more than {limit} bytes")]
    TooLarge {
        /// The reference.
        reference: String,
        /// The most that is accepted.
        limit: u64,
    },
    /// Neither a chart nor a descriptor.
    #[error("{reference} is neither a chart nor a descriptor; its configuration is `{media_type}`")]
    Unknown {
        /// The reference.
        reference: String,
        /// The media type of its configuration.
        media_type: String,
    },
    /// Several descriptors, of which none is to be preferred.
    #[error("{reference} holds several descriptors: {}; name one of them `hdag.yaml`", .names.join(", "))]
    Ambiguous {
        /// The reference.
        reference: String,
        /// Their files.
        names: Vec<String>,
    },
    /// Another kind than asked for.
    #[error("{reference} is a {found}, not a {wanted}")]
    WrongKind {
        /// The reference.
        reference: String,
        /// What it is.
        found: ArtifactKind,
        /// What it should be.
        wanted: ArtifactKind,
    },
    /// A descriptor that cannot be read.
    #[error("the descriptor cannot be read: {}", .0.iter().next().map_or_else(String::new, ToString::to_string))]
    Descriptor(Violations),
    /// A descriptor that does not say what it is called.
    #[error("the descriptor has no usable `hdaGraph.{field}`: {reason}")]
    DescriptorField {
        /// `id` or `version`.
        field: &'static str,
        /// What is wrong with it.
        reason: String,
    },
    /// A chart that cannot be pushed.
    #[error("this is no chart: {0}")]
    Chart(String),
    /// A folder that cannot be packaged.
    #[error("{path} cannot be packaged: {reason}")]
    Folder {
        /// The folder or file.
        path: PathBuf,
        /// Why.
        reason: String,
    },
}

fn wanted(range: Option<&VersionRange>) -> String {
    match range {
        Some(range) => format!("version {range}"),
        None => "released version".to_owned(),
    }
}

fn tags(there: &[String]) -> String {
    const SHOWN: usize = 8;
    match there.len() {
        0 => "it has no tags".to_owned(),
        count if count > SHOWN => {
            let last = there.iter().rev().take(SHOWN).rev().cloned().collect::<Vec<_>>();
            format!("among its {count} tags are {}", last.join(", "))
        }
        _ => format!("its tags are {}", there.join(", ")),
    }
}

impl ArtifactError {
    /// What kind of failure it is.
    #[must_use]
    pub fn kind(&self) -> ErrorKind {
        match self {
            Self::Unauthenticated { .. } | Self::Denied { .. } => ErrorKind::Unauthenticated,
            Self::Credentials(error) => match error {
                CredentialError::Unreadable { .. } | CredentialError::Malformed { .. } => ErrorKind::Invalid,
                _ => ErrorKind::Unauthenticated,
            },
            Self::NotFound(_) | Self::NoTag { .. } | Self::NoVersion { .. } => ErrorKind::NotFound,
            Self::Unreachable { .. } | Self::Busy(_) => ErrorKind::Unavailable,
            Self::Server { status, .. } if *status >= 500 => ErrorKind::Unavailable,
            Self::Server { .. } | Self::Protocol { .. } | Self::Altered { .. } => ErrorKind::Unexpected,
            _ => ErrorKind::Invalid,
        }
    }

    /// What to try.
    #[must_use]
    pub fn hint(&self) -> Option<&'static str> {
        match self {
            Self::Unreachable { reason, .. } if reason.contains("corrupt message") => {
                Some("it seems to speak plain HTTP: set SMO_REGISTRY_PLAIN_HTTP, or write http://")
            }
            Self::Unreachable { reason, .. } if reason.contains("certificate") => {
                Some("name the certificate it is signed with in SMO_REGISTRY_CA_FILE")
            }
            Self::Unauthenticated { anonymous: true, .. } => {
                Some("log in with `helm registry login` or `docker login`, or set SMO_REGISTRY_AUTH_FILE")
            }
            _ => None,
        }
    }

    /// The same for a caller of a port.
    pub(crate) fn into_backend(self, operation: impl AsRef<str>) -> BackendError {
        let message = match self.hint() {
            Some(hint) => format!("{self} ({hint})"),
            None => self.to_string(),
        };
        BackendError::new(self.kind(), operation, message).with_source(self)
    }

    /// What a client's error means. `what` is what a "not found" is about.
    pub(crate) fn from_client(
        error: OciDistributionError,
        registry: &str,
        anonymous: bool,
        what: &str,
    ) -> Self {
        let registry = registry.to_owned();
        match error {
            OciDistributionError::UnauthorizedError { .. }
            | OciDistributionError::AuthenticationFailure(_) => Self::Unauthenticated { registry, anonymous },
            OciDistributionError::ImageManifestNotFoundError(_) => Self::NotFound(what.to_owned()),
            OciDistributionError::RegistryError { envelope, .. } => {
                let first = envelope.errors.into_iter().next();
                let message = first
                    .as_ref()
                    .map_or_else(String::new, |error| error.message.clone());
                match first.map(|error| error.code) {
                    Some(
                        OciErrorCode::ManifestUnknown
                        | OciErrorCode::NameUnknown
                        | OciErrorCode::BlobUnknown
                        | OciErrorCode::NotFound,
                    ) => Self::NotFound(what.to_owned()),
                    Some(OciErrorCode::Unauthorized) => Self::Unauthenticated { registry, anonymous },
                    Some(OciErrorCode::Denied) => Self::Denied { registry, message },
                    Some(OciErrorCode::Toomanyrequests) => Self::Busy(registry),
                    Some(code) => Self::Protocol {
                        registry,
                        reason: format!("{code:?}: {message}"),
                    },
                    None => Self::Protocol {
                        registry,
                        reason: "an error without a reason".to_owned(),
                    },
                }
            }
            OciDistributionError::ServerError { code, message, .. } => Self::from_status(
                code,
                message.chars().take(200).collect(),
                registry,
                anonymous,
                what,
            ),
            OciDistributionError::RequestError(error) => match error.status() {
                Some(status) => {
                    let message = status.canonical_reason().unwrap_or_default().to_owned();
                    Self::from_status(status.as_u16(), message, registry, anonymous, what)
                }
                None => Self::Unreachable {
                    registry,
                    reason: innermost(&error),
                },
            },
            OciDistributionError::DigestError(error) => Self::Altered {
                reference: what.to_owned(),
                reason: error.to_string(),
            },
            other => Self::Protocol {
                registry,
                reason: other.to_string(),
            },
        }
    }
}

impl ArtifactError {
    fn from_status(status: u16, message: String, registry: String, anonymous: bool, what: &str) -> Self {
        match status {
            404 => Self::NotFound(what.to_owned()),
            401 => Self::Unauthenticated { registry, anonymous },
            403 => Self::Denied { registry, message },
            429 => Self::Busy(registry),
            _ => Self::Server {
                registry,
                status,
                message,
            },
        }
    }
}

fn innermost(error: &dyn Error) -> String {
    let mut cause = error;
    while let Some(inner) = cause.source() {
        cause = inner;
    }
    cause.to_string()
}

#[cfg(test)]
mod tests {
    use super::*;
    use oci_client::errors::{OciEnvelope, OciError};

    fn shown(error: ArtifactError) -> String {
        let error = error.into_backend("resolve oci://h/n");
        format!("{}: {error}", error.kind())
    }

    #[test]
    fn every_error_of_our_own() {
        let text = |text: &str| text.to_owned();
        let range: VersionRange = "^2".parse().unwrap();
        let many: Vec<String> = (0..20).map(|minor| format!("1.{minor}.0")).collect();
        let reference = || text("oci://h/p/n:1.0.0");
        let no_version = |range, there| ArtifactError::NoVersion {
            repository: text("h/p/n"),
            range,
            there,
        };
        let path = PathBuf::from("charts/web");
        let errors = [
            ReferenceError::Userinfo.into(),
            ArchiveError::TooMany(3).into(),
            CredentialError::IdentityToken(text("h")).into(),
            CredentialError::Malformed {
                path: path.clone(),
                line: 1,
                column: 2,
            }
            .into(),
            CredentialError::Unreadable {
                path: path.clone(),
                reason: text("permission denied"),
            }
            .into(),
            CredentialError::Entry {
                path: path.clone(),
                registry: text("h"),
            }
            .into(),
            CredentialError::Helper {
                helper: text("docker-credential-x"),
                registry: text("h"),
                reason: text("exit status: 1"),
            }
            .into(),
            ArtifactError::Configuration(text("no certificate in ca.pem")),
            ArtifactError::Unauthenticated {
                registry: text("h"),
                anonymous: true,
            },
            ArtifactError::Unauthenticated {
                registry: text("h"),
                anonymous: false,
            },
            ArtifactError::Denied {
                registry: text("h"),
                message: text("read only"),
            },
            ArtifactError::NotFound(reference()),
            ArtifactError::NoTag {
                repository: text("h/p/n"),
                tag: text("2.0.0"),
                there: vec![text("1.0.0")],
            },
            no_version(Some(range.clone()), vec![text("1.0.0"), text("1.1.0")]),
            no_version(Some(range), many),
            no_version(None, Vec::new()),
            ArtifactError::Unreachable {
                registry: text("h"),
                reason: text("received corrupt message"),
            },
            ArtifactError::Unreachable {
                registry: text("h"),
                reason: text("invalid peer certificate"),
            },
            ArtifactError::Unreachable {
                registry: text("h"),
                reason: text("connection refused"),
            },
            ArtifactError::Busy(text("h")),
            ArtifactError::Server {
                registry: text("h"),
                status: 503,
                message: text("down"),
            },
            ArtifactError::Server {
                registry: text("h"),
                status: 418,
                message: text("tea"),
            },
            ArtifactError::Protocol {
                registry: text("h"),
                reason: text("no digest"),
            },
            ArtifactError::Altered {
                reference: reference(),
                reason: text("other digest"),
            },
            ArtifactError::TooLarge {
                reference: reference(),
                limit: 100,
            },
            ArtifactError::Unknown {
                reference: reference(),
                media_type: text("application/x"),
            },
            ArtifactError::Ambiguous {
                reference: reference(),
                names: vec![text("a.yaml"), text("b.yaml")],
            },
            ArtifactError::WrongKind {
                reference: reference(),
                found: ArtifactKind::Chart,
                wanted: ArtifactKind::Descriptor,
            },
            ArtifactError::DescriptorField {
                field: "version",
                reason: text("it is missing"),
            },
            ArtifactError::Chart(text("it has no Chart.yaml")),
            ArtifactError::Folder {
                path,
                reason: text("it is a file"),
            },
        ];
        insta::assert_snapshot!(errors.map(shown).join("\n"), @"
        invalid: resolve oci://h/n: a reference holds no user and password
        invalid: resolve oci://h/n: the archive has more than 3 files and folders
        not authenticated: resolve oci://h/n: an identity token is stored for h; log in with user and password instead
        invalid: resolve oci://h/n: the credential file charts/web is malformed at line 1, column 2
        invalid: resolve oci://h/n: the credential file charts/web cannot be read: permission denied
        not authenticated: resolve oci://h/n: the credential file charts/web has a malformed entry for h
        not authenticated: resolve oci://h/n: the credential helper docker-credential-x failed for h: exit status: 1
        invalid: resolve oci://h/n: the registry configuration cannot be used: no certificate in ca.pem
        not authenticated: resolve oci://h/n: h asks for credentials, and none are known (log in with `helm registry login` or `docker login`, or set SMO_REGISTRY_AUTH_FILE)
        not authenticated: resolve oci://h/n: h does not accept the credentials
        not authenticated: resolve oci://h/n: h does not allow this: read only
        not found: resolve oci://h/n: oci://h/p/n:1.0.0 is not there
        not found: resolve oci://h/n: h/p/n has no tag 2.0.0; its tags are 1.0.0
        not found: resolve oci://h/n: h/p/n has no version ^2; its tags are 1.0.0, 1.1.0
        not found: resolve oci://h/n: h/p/n has no version ^2; among its 20 tags are 1.12.0, 1.13.0, 1.14.0, 1.15.0, 1.16.0, 1.17.0, 1.18.0, 1.19.0
        not found: resolve oci://h/n: h/p/n has no released version; it has no tags
        unavailable: resolve oci://h/n: h does not answer: received corrupt message (it seems to speak plain HTTP: set SMO_REGISTRY_PLAIN_HTTP, or write http://)
        unavailable: resolve oci://h/n: h does not answer: invalid peer certificate (name the certificate it is signed with in SMO_REGISTRY_CA_FILE)
        unavailable: resolve oci://h/n: h does not answer: connection refused
        unavailable: resolve oci://h/n: h gets too many requests
        unavailable: resolve oci://h/n: h answered 503: down
        unexpected: resolve oci://h/n: h answered 418: tea
        unexpected: resolve oci://h/n: h answers strangely: no digest
        unexpected: resolve oci://h/n: oci://h/p/n:1.0.0 has been altered: other digest
        invalid: resolve oci://h/n: oci://h/p/n:1.0.0 has more than 100 bytes
        invalid: resolve oci://h/n: oci://h/p/n:1.0.0 is neither a chart nor a descriptor; its configuration is `application/x`
        invalid: resolve oci://h/n: oci://h/p/n:1.0.0 holds several descriptors: a.yaml, b.yaml; name one of them `hdag.yaml`
        invalid: resolve oci://h/n: oci://h/p/n:1.0.0 is a chart, not a descriptor
        invalid: resolve oci://h/n: the descriptor has no usable `hdaGraph.version`: it is missing
        invalid: resolve oci://h/n: this is no chart: it has no Chart.yaml
        invalid: resolve oci://h/n: charts/web cannot be packaged: it is a file
        ");
    }

    #[test]
    fn every_error_of_the_client() {
        let envelope = |code, message: &str| {
            let error = OciError {
                code,
                message: message.to_owned(),
                detail: serde_json::Value::Null,
            };
            OciDistributionError::RegistryError {
                envelope: OciEnvelope { errors: vec![error] },
                url: "https://smo:hunter2@h/v2/".to_owned(),
            }
        };
        let server = |code| OciDistributionError::ServerError {
            code,
            url: "https://h/v2/".to_owned(),
            message: "x".repeat(500),
        };
        let errors = [
            OciDistributionError::UnauthorizedError {
                url: "https://h".to_owned(),
            },
            OciDistributionError::AuthenticationFailure("hunter2".to_owned()),
            OciDistributionError::ImageManifestNotFoundError("x".to_owned()),
            envelope(OciErrorCode::ManifestUnknown, "manifest unknown"),
            envelope(OciErrorCode::NameUnknown, "repository unknown"),
            envelope(OciErrorCode::Unauthorized, "who are you"),
            envelope(OciErrorCode::Denied, "read only"),
            envelope(OciErrorCode::Toomanyrequests, "slow down"),
            envelope(OciErrorCode::Other("LOCKED".to_owned()), "locked"),
            OciDistributionError::RegistryError {
                envelope: OciEnvelope { errors: Vec::new() },
                url: String::new(),
            },
            server(404),
            server(401),
            server(403),
            server(429),
            server(503),
            server(400),
            OciDistributionError::RegistryNoDigestError,
        ];
        let shown = errors.map(|error| {
            let mut text = shown(ArtifactError::from_client(error, "h", false, "oci://h/n:1"));
            text.truncate(110);
            text
        });
        let shown = shown.join("\n");
        assert!(!shown.contains("hunter2"));
        insta::assert_snapshot!(shown, @r#"
        not authenticated: resolve oci://h/n: h does not accept the credentials
        not authenticated: resolve oci://h/n: h does not accept the credentials
        not found: resolve oci://h/n: oci://h/n:1 is not there
        not found: resolve oci://h/n: oci://h/n:1 is not there
        not found: resolve oci://h/n: oci://h/n:1 is not there
        not authenticated: resolve oci://h/n: h does not accept the credentials
        not authenticated: resolve oci://h/n: h does not allow this: read only
        unavailable: resolve oci://h/n: h gets too many requests
        unexpected: resolve oci://h/n: h answers strangely: Other("LOCKED"): locked
        unexpected: resolve oci://h/n: h answers strangely: an error without a reason
        not found: resolve oci://h/n: oci://h/n:1 is not there
        not authenticated: resolve oci://h/n: h does not accept the credentials
        not authenticated: resolve oci://h/n: h does not allow this: xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx
        unavailable: resolve oci://h/n: h gets too many requests
        unavailable: resolve oci://h/n: h answered 503: xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx
        unexpected: resolve oci://h/n: h answered 400: xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx
        unexpected: resolve oci://h/n: h answers strangely: Registry did not return a digest header
        "#);
    }
}
