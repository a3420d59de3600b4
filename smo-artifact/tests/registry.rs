//! [`OciArtifacts`] on a real registry.
#![allow(clippy::unwrap_used, clippy::panic, clippy::print_stderr, reason = "tests")]

mod support;

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Write};
use std::net::TcpListener;

use oci_client::client::{ClientConfig, ClientProtocol, Config, ImageLayer};
use oci_client::manifest::{ImageIndexEntry, OciImageIndex, OciImageManifest, OciManifest};
use oci_client::secrets::RegistryAuth;
use oci_client::{Client, Reference};
use smo_artifact::{ArchiveLimits, Credentials, OciArtifacts, RegistryConfig, install_tls_provider};
use smo_core::backend::conformance::{self, ArtifactFixture};
use smo_core::backend::{ArtifactBackend, ArtifactKind, ErrorKind};
use support::{Registry, certificates, root, small_chart};

const GRAPH: &str = "hdaGraph:\n  id: shop\n  version: 1.0.0\n  services: []\n";

fn artifacts(registry: &Registry) -> OciArtifacts {
    OciArtifacts::new(RegistryConfig::new().with_plain_http(&registry.address)).unwrap()
}

/// Puts an artifact together by hand.
async fn push_raw(
    registry: &Registry,
    name: &str,
    config: &str,
    layers: &[(&str, Vec<u8>)],
) -> (OciImageManifest, String) {
    install_tls_provider();
    let client = Client::new(ClientConfig {
        protocol: ClientProtocol::Http,
        ..ClientConfig::default()
    });
    let reference = Reference::with_tag(registry.address.clone(), name.to_owned(), "1.0.0".to_owned());
    let layers: Vec<_> = layers
        .iter()
        .map(|(kind, data)| ImageLayer::new(data.clone(), (*kind).to_owned(), None))
        .collect();
    let config = Config::new(b"{}".to_vec(), config.to_owned(), None);
    let manifest = OciImageManifest::build(&layers, &config, None);
    client
        .push(
            &reference,
            &layers,
            config,
            &RegistryAuth::Anonymous,
            Some(manifest.clone()),
        )
        .await
        .unwrap();
    let digest = client
        .fetch_manifest_digest(&reference, &RegistryAuth::Anonymous)
        .await
        .unwrap();
    (manifest, digest)
}

#[tokio::test(flavor = "current_thread")]
async fn the_contract_is_kept() {
    let Some(registry) = Registry::start() else { return };
    let artifacts = artifacts(&registry);
    let chart = root().join("examples/charts/noise-reduction");
    let text = std::fs::read_to_string(root().join("examples/descriptors/brussels.yaml")).unwrap();
    let project = registry.at("brussels");
    let pushed = artifacts.push_folder(&project, &chart).await.unwrap();
    assert_eq!(pushed, artifacts.resolve(&pushed.reference).await.unwrap());
    // The same again is the same.
    assert_eq!(artifacts.push_folder(&project, &chart).await.unwrap(), pushed);
    let pushed = artifacts.push_descriptor(&project, &text).await.unwrap();
    assert_eq!(pushed, artifacts.resolve(&pushed.reference).await.unwrap());
    let fixture = ArtifactFixture {
        chart: registry.at("brussels/noise-reduction:0.1.0"),
        descriptor: registry.at("brussels/image-detection-graph:1.0.0"),
        descriptor_text: text,
        missing: registry.at("brussels/noise-reduction:9.9.9"),
    };
    conformance::artifacts(&artifacts, &fixture).await.unwrap();
    // `http://` asks for no TLS by itself, and what it resolves to does so too.
    let anywhere = OciArtifacts::new(RegistryConfig::new()).unwrap();
    let plain = fixture.chart.replace("oci://", "http://");
    let resolved = anywhere.resolve(&plain).await.unwrap();
    assert!(resolved.reference.starts_with("http://"));
    assert_eq!(anywhere.resolve(&resolved.reference).await.unwrap(), resolved);
}

#[tokio::test(flavor = "current_thread")]
async fn versions_and_ranges_lead_to_tags() {
    let Some(registry) = Registry::start() else { return };
    let artifacts = artifacts(&registry);
    let mut digests = BTreeMap::new();
    for version in ["0.9.0", "0.10.0", "1.2.0+b1", "1.10.0", "2.0.0-rc.1"] {
        let folder = small_chart("web", version);
        let pushed = artifacts
            .push_folder(&registry.at("p"), folder.path())
            .await
            .unwrap();
        digests.insert(pushed.digest, version);
    }
    let found = async |end: &str| {
        let info = artifacts.resolve(&registry.at(&format!("p/web{end}"))).await;
        info.map(|info| digests[&info.digest])
            .map_err(|error| error.to_string())
    };
    for (end, version) in [
        ("", "1.10.0"),
        (":0.9.0", "0.9.0"),
        (":1.2.0+b1", "1.2.0+b1"),
        (":1.2.0_b1", "1.2.0+b1"),
        (":^0", "0.10.0"),
        (":~1.2", "1.2.0+b1"),
        (":1.2", "1.2.0+b1"),
        (":1", "1.10.0"),
        (":>=1, <1.5", "1.2.0+b1"),
        (":>=2.0.0-rc.1", "2.0.0-rc.1"),
    ] {
        assert_eq!(found(end).await, Ok(version), "{end}");
    }
    let refused = [
        found(":^3").await,
        found(":1.3").await,
        found(":2.0.0").await,
        found(":latest").await,
    ];
    let refused: Vec<String> = refused
        .into_iter()
        .map(|result| result.unwrap_err().replace(&registry.address, "REGISTRY"))
        .collect();
    insta::assert_snapshot!(refused.join("\n"), @"
    resolve oci://REGISTRY/p/web:^3: REGISTRY/p/web has no version ^3; its tags are 0.10.0, 0.9.0, 1.10.0, 1.2.0_b1, 2.0.0-rc.1
    resolve oci://REGISTRY/p/web:1.3: REGISTRY/p/web has no tag 1.3; its tags are 0.10.0, 0.9.0, 1.10.0, 1.2.0_b1, 2.0.0-rc.1
    resolve oci://REGISTRY/p/web:2.0.0: REGISTRY/p/web has no tag 2.0.0; its tags are 0.10.0, 0.9.0, 1.10.0, 1.2.0_b1, 2.0.0-rc.1
    resolve oci://REGISTRY/p/web:latest: REGISTRY/p/web has no tag latest; its tags are 0.10.0, 0.9.0, 1.10.0, 1.2.0_b1, 2.0.0-rc.1
    ");
    let versions = artifacts.versions(&registry.at("p/web")).await.unwrap();
    let versions: Vec<String> = versions.iter().map(ToString::to_string).collect();
    assert_eq!(versions, ["2.0.0-rc.1", "1.10.0", "1.2.0+b1", "0.10.0", "0.9.0"]);
}

#[tokio::test(flavor = "current_thread")]
async fn many_tags_are_all_found() {
    let Some(registry) = Registry::start() else { return };
    let artifacts = artifacts(&registry);
    for patch in 0..60 {
        let folder = small_chart("web", &format!("1.0.{patch}"));
        artifacts
            .push_folder(&registry.at("p"), folder.path())
            .await
            .unwrap();
    }
    assert_eq!(artifacts.versions(&registry.at("p/web")).await.unwrap().len(), 60);
    let newest = artifacts.chart(&registry.at("p/web")).await.unwrap();
    assert_eq!((newest.name.as_str(), newest.version.as_str()), ("web", "1.0.59"));
}

#[tokio::test(flavor = "current_thread")]
async fn content_decides_what_an_artifact_is() {
    let Some(registry) = Registry::start() else { return };
    let artifacts = artifacts(&registry);
    let pushed = artifacts
        .push_folder(&registry.at("p"), small_chart("web", "1.0.0").path())
        .await
        .unwrap();
    let archive = artifacts.chart(&pushed.reference).await.unwrap().archive;
    const HELM: &str = "application/vnd.cncf.helm.config.v1+json";
    const CONTENT: &str = "application/vnd.cncf.helm.chart.content.v1.tar+gzip";
    const SIGNATURE: &str = "application/vnd.cncf.helm.chart.provenance.v1.prov";
    let text = || GRAPH.as_bytes().to_vec();
    push_raw(
        &registry,
        "p/signed",
        HELM,
        &[(SIGNATURE, b"signed".to_vec()), (CONTENT, archive.clone())],
    )
    .await;
    push_raw(
        &registry,
        "p/legacy",
        HELM,
        &[("application/tar+gzip", archive.clone())],
    )
    .await;
    push_raw(
        &registry,
        "p/untyped",
        "application/x",
        &[("application/y", archive.clone())],
    )
    .await;
    push_raw(
        &registry,
        "p/text",
        "application/x",
        &[("text/plain", b"readme".to_vec()), ("text/yaml", text())],
    )
    .await;
    push_raw(
        &registry,
        "p/neither",
        "application/x",
        &[("text/plain", b"readme".to_vec())],
    )
    .await;
    push_raw(&registry, "p/empty", HELM, &[(SIGNATURE, b"signed".to_vec())]).await;
    for (name, kind) in [
        ("signed", ArtifactKind::Chart),
        ("legacy", ArtifactKind::Chart),
        ("untyped", ArtifactKind::Chart),
        ("text", ArtifactKind::Descriptor),
    ] {
        let info = artifacts
            .resolve(&registry.at(&format!("p/{name}:1.0.0")))
            .await
            .unwrap();
        assert_eq!(info.kind, kind, "{name}");
    }
    assert_eq!(
        artifacts.descriptor(&registry.at("p/text:1.0.0")).await.unwrap(),
        GRAPH
    );
    let mut errors = vec![
        artifacts
            .resolve(&registry.at("p/neither:1.0.0"))
            .await
            .unwrap_err(),
        artifacts
            .resolve(&registry.at("p/empty:1.0.0"))
            .await
            .unwrap_err(),
        artifacts.chart(&registry.at("p/text:1.0.0")).await.unwrap_err(),
        artifacts
            .descriptor(&registry.at("p/web:1.0.0"))
            .await
            .unwrap_err(),
        artifacts.resolve(&registry.at("p/nosuch")).await.unwrap_err(),
        artifacts
            .resolve(&registry.at("p/nosuch:1.0.0"))
            .await
            .unwrap_err(),
    ];
    let small = ArchiveLimits {
        packed: 100,
        ..ArchiveLimits::default()
    };
    let config = RegistryConfig::new()
        .with_plain_http(&registry.address)
        .with_limits(small);
    let strict = OciArtifacts::new(config).unwrap();
    errors.push(strict.resolve(&registry.at("p/web:1.0.0")).await.unwrap_err());
    let shown: Vec<String> = errors
        .iter()
        .map(|error| {
            format!("{}: {error}", error.kind())
                .replace(&registry.address, "REGISTRY")
                .replace(&pushed.digest, "DIGEST")
        })
        .collect();
    let shown = shown.join("\n");
    insta::assert_snapshot!(shown, @"
    invalid: resolve oci://REGISTRY/p/neither:1.0.0: oci://REGISTRY/p/neither:1.0.0 is neither a chart nor a descriptor; its configuration is `application/x`
    invalid: resolve oci://REGISTRY/p/empty:1.0.0: oci://REGISTRY/p/empty:1.0.0 is neither a chart nor a descriptor; its configuration is `application/vnd.cncf.helm.config.v1+json`
    invalid: pull oci://REGISTRY/p/text:1.0.0: oci://REGISTRY/p/text:1.0.0 is a descriptor, not a chart
    invalid: descriptor oci://REGISTRY/p/web:1.0.0: oci://REGISTRY/p/web:1.0.0 is a chart, not a descriptor
    not found: resolve oci://REGISTRY/p/nosuch: oci://REGISTRY/p/nosuch is not there
    not found: resolve oci://REGISTRY/p/nosuch:1.0.0: oci://REGISTRY/p/nosuch:1.0.0 is not there
    invalid: resolve oci://REGISTRY/p/web:1.0.0: oci://REGISTRY/p/web@DIGEST has more than 100 bytes
    ");
}

#[tokio::test(flavor = "current_thread")]
async fn an_index_leads_to_its_one_manifest() {
    let Some(registry) = Registry::start() else { return };
    let artifacts = artifacts(&registry);
    let (manifest, digest) = push_raw(
        &registry,
        "p/g",
        "application/x",
        &[("text/yaml", GRAPH.as_bytes().to_vec())],
    )
    .await;
    let entry = |digest: &str, size: usize| ImageIndexEntry {
        media_type: oci_client::manifest::OCI_IMAGE_MEDIA_TYPE.to_owned(),
        digest: digest.to_owned(),
        size: i64::try_from(size).unwrap(),
        platform: None,
        annotations: None,
        artifact_type: None,
    };
    let size = serde_json::to_vec(&manifest).unwrap().len();
    let client = Client::new(ClientConfig {
        protocol: ClientProtocol::Http,
        ..ClientConfig::default()
    });
    for (tag, entries) in [("one", 1), ("two", 2)] {
        let index = OciImageIndex {
            schema_version: 2,
            media_type: Some(oci_client::manifest::OCI_IMAGE_INDEX_MEDIA_TYPE.to_owned()),
            manifests: vec![entry(&digest, size); entries],
            artifact_type: None,
            annotations: None,
        };
        let reference = Reference::with_tag(registry.address.clone(), "p/g".to_owned(), tag.to_owned());
        client
            .store_auth_if_needed(&registry.address, &RegistryAuth::Anonymous)
            .await;
        client
            .push_manifest(&reference, &OciManifest::ImageIndex(index))
            .await
            .unwrap();
    }
    let info = artifacts.resolve(&registry.at("p/g:one")).await.unwrap();
    assert_eq!((info.digest, info.kind), (digest, ArtifactKind::Descriptor));
    let error = artifacts.resolve(&registry.at("p/g:two")).await.unwrap_err();
    assert!(error.to_string().contains("index of 2 manifests"), "{error}");
}

#[tokio::test(flavor = "current_thread")]
async fn nobody_there_is_unavailable() {
    let port = support::free_port();
    let config = RegistryConfig::new().with_plain_http(format!("127.0.0.1:{port}"));
    let error = OciArtifacts::new(config)
        .unwrap()
        .resolve(&format!("oci://127.0.0.1:{port}/p/n:1"))
        .await
        .unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unavailable);
    assert!(error.to_string().contains("onnection refused"), "{error}");
    let Some(registry) = Registry::start() else { return };
    let tls = OciArtifacts::new(RegistryConfig::new()).unwrap();
    let error = tls.resolve(&registry.at("p/n:1")).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unavailable);
    assert!(error.to_string().contains("SMO_REGISTRY_PLAIN_HTTP"), "{error}");
}

#[tokio::test(flavor = "current_thread")]
async fn a_certificate_of_our_own_is_trusted_when_told_to() {
    let Some(registry) = Registry::start_with_tls() else {
        return;
    };
    let chart = small_chart("web", "1.0.0");
    let push = async |config: RegistryConfig| {
        let artifacts = OciArtifacts::new(config).unwrap();
        artifacts.push_folder(&registry.at("p"), chart.path()).await
    };
    let error = push(RegistryConfig::new()).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unavailable);
    assert!(error.to_string().contains("SMO_REGISTRY_CA_FILE"), "{error}");
    let pushed = push(RegistryConfig::new().with_certificates(certificates()))
        .await
        .unwrap();
    assert!(pushed.reference.starts_with(&registry.at("p/web@sha256:")));
}

#[tokio::test(flavor = "current_thread")]
async fn a_password_is_found_wherever_it_is() {
    let Some(registry) = Registry::start_with_password() else {
        return;
    };
    let config = || RegistryConfig::new().with_plain_http(&registry.address);
    let chart = small_chart("web", "1.0.0");
    let push = async |config: RegistryConfig| {
        let artifacts = OciArtifacts::new(config).unwrap();
        artifacts.push_folder(&registry.at("p"), chart.path()).await
    };
    let wrong = config().with_credentials(&registry.address, Credentials::basic("smo", "wrong-one"));
    for (config, words) in [
        (config(), "asks for credentials, and none are known"),
        (wrong, "does not accept the credentials"),
    ] {
        let error = push(config).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Unauthenticated);
        let shown = format!("{error} {error:?}");
        assert!(shown.contains(words) && !shown.contains("wrong-one"), "{shown}");
    }
    let right = config().with_credentials(&registry.address, Credentials::basic("smo", "hunter2"));
    push(right).await.unwrap();

    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("config.json");
    let write = |auth: &str| {
        let text = format!(r#"{{"auths": {{"{}": {{"auth": "{auth}"}}}}}}"#, registry.address);
        std::fs::write(&file, text).unwrap();
    };
    write("c21vOmh1bnRlcjI=");
    let artifacts = OciArtifacts::new(config().with_credential_file(&file)).unwrap();
    artifacts.resolve(&registry.at("p/web")).await.unwrap();
    // A password that was changed is looked up again.
    write("c21vOndyb25n");
    let artifacts = OciArtifacts::new(config().with_credential_file(&file)).unwrap();
    assert!(artifacts.resolve(&registry.at("p/web")).await.is_err());
    write("c21vOmh1bnRlcjI=");
    artifacts.resolve(&registry.at("p/web")).await.unwrap();
    let missing = config().with_credential_file(folder.path().join("nosuch.json"));
    assert_eq!(push(missing).await.unwrap_err().kind(), ErrorKind::Invalid);
}

/// The search path of a test cannot be changed, that of a child can: this test runs the next one as a child.
#[cfg(unix)]
#[test]
fn a_credential_helper_is_asked() {
    let Some(registry) = Registry::start_with_password() else {
        return;
    };
    let folder = tempfile::tempdir().unwrap();
    let programs = support::programs();
    let path = format!(
        "{}:{}",
        programs.display(),
        std::env::var("PATH").unwrap_or_default()
    );
    for (helper, succeeds) in [("smotest", true), ("nosuch", false)] {
        let text = format!(r#"{{"credHelpers": {{"{}": "{helper}"}}}}"#, registry.address);
        let file = folder.path().join("config.json");
        std::fs::write(&file, text).unwrap();
        let output = std::process::Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "the_child_of_the_test_of_helpers", "--nocapture"])
            .env("PATH", &path)
            .env("SMO_TEST_REGISTRY", &registry.address)
            .env("SMO_REGISTRY_AUTH_FILE", &file)
            .env("SMO_REGISTRY_PLAIN_HTTP", &registry.address)
            .output()
            .unwrap();
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(said.contains("NAME_UNKNOWN or not there"), succeeds, "{said}");
        assert_eq!(
            said.contains("the credential helper docker-credential-nosuch failed"),
            !succeeds,
            "{said}"
        );
        assert!(!said.contains("hunter2"), "{said}");
    }
}

#[tokio::test(flavor = "current_thread")]
async fn the_child_of_the_test_of_helpers() {
    let Ok(address) = std::env::var("SMO_TEST_REGISTRY") else {
        return;
    };
    let error = OciArtifacts::from_env()
        .unwrap()
        .resolve(&format!("oci://{address}/p/n:1.0.0"))
        .await
        .unwrap_err();
    // Not to be there is said to who may look only.
    if error.kind() == ErrorKind::NotFound {
        eprintln!("NAME_UNKNOWN or not there");
    }
    eprintln!("{error}");
}

/// Status, one more header, and body.
type Answer = (&'static str, String, String);

/// A server on loopback that answers a request (its first line, its headers, the server's own address) as `answer` says.
/// Lives as long as the test program.
fn fake_registry(answer: fn(&str, &[String], &str) -> Answer) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap().to_string();
    let own = address.clone();
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            let mut lines = BufReader::new(stream.try_clone().unwrap()).lines();
            let request = lines.next().unwrap().unwrap();
            let headers: Vec<String> = lines
                .map_while(Result::ok)
                .take_while(|line| !line.is_empty())
                .collect();
            let (status, header, body) = answer(&request, &headers, &own);
            let length = body.len();
            let text = format!(
                "HTTP/1.1 {status}\r\n{header}\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n{body}"
            );
            let _ = stream.write_all(text.as_bytes());
        }
    });
    address
}

/// Asks for a token, and gives one for the right password.
fn with_token(request: &str, headers: &[String], own: &str) -> Answer {
    let has = |header: &str| headers.iter().any(|line| line.eq_ignore_ascii_case(header));
    let (status, body) = if request.starts_with("GET /token?") {
        assert!(request.contains("scope=repository%3Ap%2Fn%3Apull"), "{request}");
        match has("authorization: Basic c21vOmh1bnRlcjI=") {
            true => ("200 OK", r#"{"access_token": "abc", "token": "abc"}"#),
            false => ("401 Unauthorized", "{}"),
        }
    } else if request.starts_with("GET /v2/p/n/tags/list") && has("authorization: Bearer abc") {
        ("200 OK", r#"{"name": "p/n", "tags": ["1.0.0"]}"#)
    } else {
        ("401 Unauthorized", "{}")
    };
    let challenge = format!("WWW-Authenticate: Bearer realm=\"http://{own}/token\",service=\"smo\"");
    (status, challenge, body.to_owned())
}

/// Gives other blobs than its manifests promise: `a` one of another digest, `b` a longer and `c` a shorter one. Too busy
/// for `d`.
fn altered(request: &str, _: &[String], _: &str) -> Answer {
    // The digest of `hdaGraph: {}`, which has 12 bytes.
    const DIGEST: &str = "sha256:b426f90334c9fcd46ae9a63c9131c886ab8953fa085d55a84e5d177f2e4ce789";
    let name = request.split('/').nth(3).unwrap_or_default();
    let header = "X-Nothing: none".to_owned();
    if !request.contains("/v2/p/") {
        return ("200 OK", header, "{}".to_owned());
    }
    if name == "d" {
        return ("429 Too Many Requests", header, "{}".to_owned());
    }
    if request.contains("/manifests/") {
        let blob = |kind: &str| format!(r#"{{"mediaType": "{kind}", "digest": "{DIGEST}", "size": 12}}"#);
        let (config, layer) = (blob("application/x"), blob("text/yaml"));
        let body = format!(r#"{{"schemaVersion": 2, "config": {config}, "layers": [{layer}]}}"#);
        return ("200 OK", header, body);
    }
    let body = match name {
        "a" => "hdaGraph: []",
        "b" => "hdaGraph: {} # and more",
        _ => "hdaGraph:",
    };
    ("200 OK", header, body.to_owned())
}

#[tokio::test(flavor = "current_thread")]
async fn what_was_altered_on_the_way_is_refused() {
    let address = fake_registry(altered);
    let artifacts = OciArtifacts::new(RegistryConfig::new().with_plain_http(&address)).unwrap();
    let mut shown = Vec::new();
    let zeros = format!("a@sha256:{}", "0".repeat(64));
    for name in ["a:1", "b:1", "c:1", "d:1", &zeros] {
        let error = artifacts
            .resolve(&format!("oci://{address}/p/{name}"))
            .await
            .unwrap_err();
        let text = format!("{}: {:?}: {error}", error.kind(), error.retry());
        shown.push(text.replace(&address, "REGISTRY"));
    }
    insta::assert_snapshot!(shown.join("\n"), @"
    unexpected: Never: resolve oci://REGISTRY/p/a:1: oci://REGISTRY/p/a@sha256:35c2fd8911d1a892765cb0cf6dcb47a60bc1a3cc1bdfea2ac1b5d42c59e2d688 has been altered: Invalid digest. Expected sha256:b426f90334c9fcd46ae9a63c9131c886ab8953fa085d55a84e5d177f2e4ce789, got sha256:f3ff9d0c2dd54171e9e660944fef8abc24a5c94ce35b4b6d8d87d1dc35762c1f
    unexpected: Never: resolve oci://REGISTRY/p/b:1: oci://REGISTRY/p/b@sha256:35c2fd8911d1a892765cb0cf6dcb47a60bc1a3cc1bdfea2ac1b5d42c59e2d688 has been altered: blob sha256:b426f90334c9fcd46ae9a63c9131c886ab8953fa085d55a84e5d177f2e4ce789 has more than the 12 bytes stated
    unexpected: Never: resolve oci://REGISTRY/p/c:1: oci://REGISTRY/p/c@sha256:35c2fd8911d1a892765cb0cf6dcb47a60bc1a3cc1bdfea2ac1b5d42c59e2d688 has been altered: Invalid digest. Expected sha256:b426f90334c9fcd46ae9a63c9131c886ab8953fa085d55a84e5d177f2e4ce789, got sha256:bf9a1678a503eb063ce2c01ba4f1a79345dc2e6b77503808db7756e986b85f49
    unavailable: Later: resolve oci://REGISTRY/p/d:1: REGISTRY gets too many requests
    unexpected: Never: resolve oci://REGISTRY/p/a@sha256:0000000000000000000000000000000000000000000000000000000000000000: oci://REGISTRY/p/a@sha256:0000000000000000000000000000000000000000000000000000000000000000 has been altered: Invalid digest. Expected sha256:0000000000000000000000000000000000000000000000000000000000000000, got sha256:35c2fd8911d1a892765cb0cf6dcb47a60bc1a3cc1bdfea2ac1b5d42c59e2d688
    ");
}

#[tokio::test(flavor = "current_thread")]
async fn a_password_is_exchanged_for_a_token() {
    let address = fake_registry(with_token);
    let versions = async |password: Option<&str>| {
        let mut config = RegistryConfig::new().with_plain_http(&address);
        if let Some(password) = password {
            config = config.with_credentials(&address, Credentials::basic("smo", password));
        }
        OciArtifacts::new(config)
            .unwrap()
            .versions(&format!("oci://{address}/p/n"))
            .await
    };
    assert_eq!(versions(Some("hunter2")).await.unwrap().len(), 1);
    for password in [Some("wrong"), None] {
        assert_eq!(
            versions(password).await.unwrap_err().kind(),
            ErrorKind::Unauthenticated
        );
    }
}
