//! Certificates, keys and tokens of one testbed: made at its start, worth nothing elsewhere.

use std::path::{Path, PathBuf};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, DistinguishedName, DnType, ExtendedKeyUsagePurpose,
    IsCa, KeyPair, KeyUsagePurpose,
};

use crate::error::TestbedError;

/// Names under which servers are reached. The last two: Karmada's API server checks the certificate of its aggregated
/// API server against the name of the Service, although it dials loopback.
const SERVER_NAMES: [&str; 6] = [
    "localhost",
    "127.0.0.1",
    "kubernetes",
    "kubernetes.default.svc",
    "karmada-aggregated-apiserver.karmada-system.svc",
    "karmada-webhook.karmada-system.svc",
];

/// What the servers and their clients identify themselves with.
pub(crate) struct Pki {
    folder: PathBuf,
    ca: String,
    admin: (String, String),
    admin_token: String,
    restricted_token: String,
}

impl std::fmt::Debug for Pki {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.debug_struct("Pki")
            .field("folder", &self.folder)
            .finish_non_exhaustive()
    }
}

impl Pki {
    /// Makes everything and writes what servers read from files into `folder`.
    pub(crate) fn create(folder: &Path) -> Result<Self, TestbedError> {
        let mut params = params("testbed-ca", None, &[])?;
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::DigitalSignature];
        let issuer = CertifiedIssuer::self_signed(params, KeyPair::generate()?)?;
        let ca = issuer.pem();

        let issue = |params: CertificateParams| -> Result<(String, String), TestbedError> {
            let key = KeyPair::generate()?;
            Ok((params.signed_by(&key, &issuer)?.pem(), key.serialize_pem()))
        };
        let mut server = self::params("server", None, &SERVER_NAMES)?;
        server.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
        let server = issue(server)?;
        let mut admin = self::params("system:admin", Some("system:masters"), &[])?;
        admin.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];
        let admin = issue(admin)?;
        let mut front = self::params("front-proxy-client", None, &[])?;
        front.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];
        let front = issue(front)?;
        let accounts = KeyPair::generate()?;

        let pki = Self {
            folder: folder.to_owned(),
            ca,
            admin,
            admin_token: token()?,
            restricted_token: token()?,
        };
        let tokens = format!(
            "{},testbed-admin,u1,\"system:masters\"\n{},testbed-restricted,u2\n",
            pki.admin_token, pki.restricted_token
        );
        for (name, text) in [
            ("ca.crt", pki.ca.as_str()),
            ("server.crt", &server.0),
            ("server.key", &server.1),
            ("front.crt", &front.0),
            ("front.key", &front.1),
            ("accounts.key", &accounts.serialize_pem()),
            ("accounts.pub", &accounts.public_key_pem()),
            ("tokens.csv", &tokens),
        ] {
            let path = pki.file(name);
            std::fs::write(&path, text).map_err(TestbedError::file(path))?;
        }
        Ok(pki)
    }

    /// Where a file of this name is.
    pub(crate) fn file(&self, name: &str) -> PathBuf {
        self.folder.join(name)
    }

    /// The authority as `caBundle` fields take it.
    pub(crate) fn ca_bundle(&self) -> String {
        STANDARD.encode(&self.ca)
    }

    /// The authority in PEM.
    pub(crate) fn ca(&self) -> &str {
        &self.ca
    }

    /// The administrator's certificate and key, base64 of PEM as kubeconfigs take them.
    pub(crate) fn admin(&self) -> (String, String) {
        (STANDARD.encode(&self.admin.0), STANDARD.encode(&self.admin.1))
    }

    /// A bearer token of a user who may do everything.
    pub(crate) fn admin_token(&self) -> &str {
        &self.admin_token
    }

    /// A bearer token of a user who was granted nothing.
    pub(crate) fn restricted_token(&self) -> &str {
        &self.restricted_token
    }
}

fn params(name: &str, organization: Option<&str>, names: &[&str]) -> Result<CertificateParams, TestbedError> {
    let names: Vec<String> = names.iter().map(|&name| name.to_owned()).collect();
    let mut params = CertificateParams::new(names)?;
    params.distinguished_name = DistinguishedName::new();
    params.distinguished_name.push(DnType::CommonName, name);
    if let Some(organization) = organization {
        params
            .distinguished_name
            .push(DnType::OrganizationName, organization);
    }
    params.use_authority_key_identifier_extension = true;
    Ok(params)
}

/// 128 random bits: part of a fresh public key, which is as unpredictable and needs no further crate.
pub(crate) fn token() -> Result<String, TestbedError> {
    let key = KeyPair::generate()?;
    let bytes = key.public_key_raw().iter().skip(1).take(16);
    Ok(bytes.map(|byte| format!("{byte:02x}")).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_servers_read_is_there_and_secrets_are_not_shown() {
        let folder = std::env::temp_dir().join(format!("smo-testbed-{}-pki", std::process::id()));
        std::fs::create_dir_all(&folder).expect("a folder");
        let pki = Pki::create(&folder).expect("certificates");
        for (name, mark) in [
            ("ca.crt", "-----BEGIN CERTIFICATE-----"),
            ("server.key", "-----BEGIN PRIVATE KEY-----"),
            ("accounts.pub", "-----BEGIN PUBLIC KEY-----"),
            ("tokens.csv", pki.admin_token()),
        ] {
            let text = std::fs::read_to_string(pki.file(name)).expect(name);
            assert!(text.starts_with(mark), "{name}");
        }
        assert_ne!(pki.admin_token(), pki.restricted_token());
        assert_eq!(pki.admin_token().len(), 32);
        assert!(!format!("{pki:?}").contains(pki.admin_token()));
        std::fs::remove_dir_all(&folder).expect("the folder goes");
    }
}
