//! Requests to registries: one client for each host, credentials looked up once, again when they are refused.

use std::collections::BTreeMap;
use std::future::Future;
use std::io;
use std::pin::Pin;
use std::sync::{Mutex, PoisonError};
use std::task::{Context, Poll};

use oci_client::client::{Certificate, CertificateEncoding, ClientConfig, ClientProtocol};
use oci_client::errors::OciDistributionError;
use oci_client::manifest::{OciDescriptor, OciImageManifest, OciManifest};
use oci_client::secrets::RegistryAuth;
use oci_client::{Client, Reference};
use tokio::io::AsyncWrite;

use crate::config::{Credentials, RegistryConfig};
use crate::credentials;
use crate::error::ArtifactError;
use crate::package::Package;
use crate::reference::{ArtifactReference, Selector};
use crate::tls::install_tls_provider;

/// The user agent of every request.
const USER_AGENT: &str = concat!("smo/", env!("CARGO_PKG_VERSION"));
/// No registry gives shorter pages of tags when there are more.
const SHORT_PAGE: usize = 50;

/// Requests to any number of registries.
#[derive(Debug)]
pub(crate) struct Registries {
    pub(crate) config: RegistryConfig,
    certificates: Vec<Vec<u8>>,
    /// By host, and whether TLS is left out.
    sessions: Mutex<BTreeMap<(String, bool), Session>>,
}

#[derive(Clone)]
struct Session {
    client: Client,
    auth: RegistryAuth,
}

impl std::fmt::Debug for Session {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Session")
    }
}

impl Registries {
    pub(crate) fn new(config: RegistryConfig) -> Result<Self, ArtifactError> {
        install_tls_provider();
        let mut certificates = Vec::new();
        for path in &config.certificates {
            let fail = |why: &str| ArtifactError::Configuration(format!("{}: {why}", path.display()));
            let text = std::fs::read_to_string(path).map_err(|error| fail(&error.to_string()))?;
            let found = pem_blocks(&text);
            if found.is_empty() {
                return Err(fail("it holds no certificate in PEM"));
            }
            certificates.extend(found);
        }
        let registries = Self {
            certificates,
            sessions: Mutex::default(),
            config,
        };
        // Faults of certificates show now rather than at the first request.
        registries.client("", false)?;
        Ok(registries)
    }

    fn client(&self, registry: &str, plain_http: bool) -> Result<Client, ArtifactError> {
        let certificate = |pem: &Vec<u8>| Certificate {
            encoding: CertificateEncoding::Pem,
            data: pem.clone(),
        };
        let protocol = if plain_http {
            ClientProtocol::HttpsExcept(vec![registry.to_owned()])
        } else {
            ClientProtocol::Https
        };
        let config = ClientConfig {
            protocol,
            extra_root_certificates: self.certificates.iter().map(certificate).collect(),
            connect_timeout: Some(self.config.connect_timeout),
            read_timeout: Some(self.config.read_timeout),
            user_agent: USER_AGENT,
            ..ClientConfig::default()
        };
        Client::try_from(config).map_err(|error| ArtifactError::Configuration(error.to_string()))
    }

    fn sessions(&self) -> std::sync::MutexGuard<'_, BTreeMap<(String, bool), Session>> {
        self.sessions.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn session(&self, key: &(String, bool)) -> Result<Session, ArtifactError> {
        let (registry, plain_http) = key;
        let auth = match credentials::find(&self.config, registry).await? {
            None => RegistryAuth::Anonymous,
            Some(Credentials::Basic { user, password }) => RegistryAuth::Basic(user, password),
            Some(Credentials::Token(token)) => RegistryAuth::Bearer(token),
        };
        let client = self.client(registry, *plain_http)?;
        let session = Session { client, auth };
        self.sessions().insert(key.clone(), session.clone());
        Ok(session)
    }

    /// Sends a request; once more with credentials looked up anew when those of before are refused.
    async fn send<T, F, Fut>(&self, reference: &ArtifactReference, request: F) -> Result<T, ArtifactError>
    where
        F: Fn(Client, Reference, RegistryAuth) -> Fut + Sync,
        Fut: Future<Output = Result<T, OciDistributionError>> + Send,
    {
        let registry = reference.registry();
        let plain_http = reference.is_plain_http() || self.config.plain_http.contains(registry);
        let key = (registry.to_owned(), plain_http);
        let known = self.sessions().get(&key).cloned();
        let was_known = known.is_some();
        let ask = async |session: Session| {
            let anonymous = session.auth == RegistryAuth::Anonymous;
            let answer = request(session.client, wire(reference), session.auth).await;
            answer.map_err(|error| {
                ArtifactError::from_client(error, registry, anonymous, &reference.to_string())
            })
        };
        let session = match known {
            Some(session) => session,
            None => self.session(&key).await?,
        };
        match ask(session).await {
            Err(ArtifactError::Unauthenticated { .. }) if was_known => ask(self.session(&key).await?).await,
            answer => answer,
        }
    }

    /// The manifest at a reference with a tag or a digest, and its digest. Of an index, the manifest it leads to.
    pub(crate) async fn manifest(
        &self,
        reference: &ArtifactReference,
    ) -> Result<(OciImageManifest, String), ArtifactError> {
        let pull = async |reference: &ArtifactReference| {
            self.send(reference, |client, wire, auth| async move {
                client.pull_manifest(&wire, &auth).await
            })
            .await
        };
        let index = match pull(reference).await? {
            (OciManifest::Image(manifest), digest) => return Ok((manifest, digest)),
            (OciManifest::ImageIndex(index), _) => index,
        };
        let entry = match index.manifests.as_slice() {
            [only] => Some(only),
            entries => {
                let mut plain = entries.iter().filter(|entry| entry.platform.is_none());
                plain.next().filter(|_| plain.next().is_none())
            }
        };
        let protocol = |reason: String| ArtifactError::Protocol {
            registry: reference.registry().to_owned(),
            reason,
        };
        let entry = entry.ok_or_else(|| {
            let count = index.manifests.len();
            protocol(format!(
                "{reference} is an index of {count} manifests for platforms, not a chart or descriptor"
            ))
        })?;
        match pull(&reference.at_digest(&entry.digest)).await? {
            (OciManifest::Image(manifest), digest) => Ok((manifest, digest)),
            (OciManifest::ImageIndex(_), _) => Err(protocol(format!("{reference} is an index of indexes"))),
        }
    }

    /// A blob of the repository of `reference`, no larger than accepted and with the digest and size stated.
    pub(crate) async fn blob(
        &self,
        reference: &ArtifactReference,
        blob: &OciDescriptor,
    ) -> Result<Vec<u8>, ArtifactError> {
        let limit = self.config.limits.packed;
        let too_large = || ArtifactError::TooLarge {
            reference: reference.to_string(),
            limit,
        };
        let stated = u64::try_from(blob.size).unwrap_or(u64::MAX);
        if stated > limit {
            return Err(too_large());
        }
        let result = self
            .send(reference, |client, wire, auth| async move {
                client.store_auth_if_needed(wire.resolve_registry(), &auth).await;
                let mut bytes = Capped::new(stated);
                let pulled = client.pull_blob(&wire, blob, &mut bytes).await;
                if bytes.is_over {
                    Ok(None)
                } else {
                    pulled.map(|()| Some(bytes.bytes))
                }
            })
            .await?;
        let altered = |found: &str| ArtifactError::Altered {
            reference: reference.to_string(),
            reason: format!("blob {} has {found} than the {stated} bytes stated", blob.digest),
        };
        let bytes = result.ok_or_else(|| altered("more"))?;
        if u64::try_from(bytes.len()) == Ok(stated) {
            Ok(bytes)
        } else {
            Err(altered("less"))
        }
    }

    /// All tags of a repository, as the registry orders them.
    pub(crate) async fn tags(&self, reference: &ArtifactReference) -> Result<Vec<String>, ArtifactError> {
        let mut tags: Vec<String> = Vec::new();
        loop {
            let last = tags.last().cloned();
            let page = self
                .send(reference, |client, wire, auth| {
                    let last = last.clone();
                    async move { client.list_tags(&wire, &auth, None, last.as_deref()).await }
                })
                .await?;
            let length = page.tags.len();
            let before = tags.len();
            // A registry without paging gives everything again.
            let new: Vec<String> = page.tags.into_iter().filter(|tag| !tags.contains(tag)).collect();
            tags.extend(new);
            if length < SHORT_PAGE || tags.len() == before {
                return Ok(tags);
            }
        }
    }

    /// Pushes a package to a reference with a tag; gives the digest of its manifest.
    pub(crate) async fn push(
        &self,
        reference: &ArtifactReference,
        package: &Package,
    ) -> Result<String, ArtifactError> {
        let bytes = serde_json::to_vec(&package.manifest)
            .map_err(|error| ArtifactError::Configuration(error.to_string()))?;
        let media_type = http::HeaderValue::from_static(oci_client::manifest::OCI_IMAGE_MEDIA_TYPE);
        self.send(reference, |client, wire, auth| {
            let (bytes, media_type) = (bytes.clone(), media_type.clone());
            async move {
                client.store_auth_if_needed(wire.resolve_registry(), &auth).await;
                let blobs = package
                    .manifest
                    .layers
                    .iter()
                    .map(|layer| (&layer.digest, &package.archive));
                let config = (&package.manifest.config.digest, &package.config);
                for (digest, content) in blobs.chain([config]) {
                    if !client.blob_exists(&wire, digest).await? {
                        client.push_blob(&wire, content.clone(), digest).await?;
                    }
                }
                client.push_manifest_raw(&wire, bytes.clone(), media_type).await
            }
        })
        .await?;
        Ok(crate::package::digest(&bytes))
    }
}

/// The certificates of a PEM file, one each: the client library reads no more than the first of a text.
fn pem_blocks(text: &str) -> Vec<Vec<u8>> {
    const BEGIN: &str = "-----BEGIN CERTIFICATE-----";
    let blocks = text.split(BEGIN).skip(1);
    blocks
        .map(|block| format!("{BEGIN}{block}").into_bytes())
        .collect()
}

/// The reference as the client library has it.
fn wire(reference: &ArtifactReference) -> Reference {
    let registry = reference.registry().to_owned();
    let repository = reference.repository().to_owned();
    match reference.selector() {
        Selector::Digest(digest) => Reference::with_digest(registry, repository, digest.clone()),
        Selector::Tag(tag) => Reference::with_tag(registry, repository, tag.clone()),
        // Tags are listed, which names none.
        Selector::Newest | Selector::Range(_) => {
            Reference::with_tag(registry, repository, "latest".to_owned())
        }
    }
}

/// Bytes up to a limit.
struct Capped {
    bytes: Vec<u8>,
    limit: u64,
    is_over: bool,
}

impl Capped {
    fn new(limit: u64) -> Self {
        Self {
            bytes: Vec::new(),
            limit,
            is_over: false,
        }
    }
}

impl AsyncWrite for Capped {
    fn poll_write(mut self: Pin<&mut Self>, _: &mut Context<'_>, more: &[u8]) -> Poll<io::Result<usize>> {
        let length = self.bytes.len().saturating_add(more.len());
        if u64::try_from(length).unwrap_or(u64::MAX) > self.limit {
            self.is_over = true;
            return Poll::Ready(Err(io::Error::other("more bytes than stated")));
        }
        self.bytes.extend_from_slice(more);
        Poll::Ready(Ok(more.len()))
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    fn refusal(file: &std::path::Path) -> String {
        let config = RegistryConfig::new().with_certificates(file);
        let error = Registries::new(config)
            .err()
            .map(|error| error.to_string())
            .unwrap_or_default();
        error.replace(&file.display().to_string(), "FILE")
    }

    #[test]
    fn certificates_that_cannot_be_read_are_named() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("ca.pem");
        let missing = refusal(&file);
        std::fs::write(&file, "hunter2").unwrap();
        let none = refusal(&file);
        insta::assert_snapshot!(format!("{missing}\n{none}"), @"
        the registry configuration cannot be used: FILE: No such file or directory (os error 2)
        the registry configuration cannot be used: FILE: it holds no certificate in PEM
        ");
    }

    #[rstest]
    #[case("", 0)]
    #[case("-----BEGIN CERTIFICATE-----\nA\n-----END CERTIFICATE-----\n", 1)]
    #[case(
        "# a\n-----BEGIN CERTIFICATE-----\nA\n-----END CERTIFICATE-----\n# b\n-----BEGIN CERTIFICATE-----\nB\n-----END CERTIFICATE-----",
        2
    )]
    fn a_bundle_is_taken_apart(#[case] text: &str, #[case] count: usize) {
        let blocks = pem_blocks(text);
        assert_eq!(blocks.len(), count);
        assert!(blocks.iter().all(|block| block.starts_with(b"-----BEGIN")));
    }
}
