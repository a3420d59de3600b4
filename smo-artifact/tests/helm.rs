//! [`HelmDriver`] with the real programs, and how well they understand what [`OciArtifacts`] pushes.
#![allow(clippy::unwrap_used, clippy::panic, reason = "tests")]

mod support;

use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use rstest::rstest;
use serde_json::{Value, json};
use smo_artifact::{HelmConfig, HelmDriver, OciArtifacts, RegistryConfig};
use smo_core::backend::conformance::{self, ChartFixture};
use smo_core::backend::{ArtifactBackend, ArtifactKind, ChartBackend, ChartState, ErrorKind, ReleaseName};
use smo_core::helm_values::HelmValues;
use support::{Registry, kubeconfig, program, root, small_chart};

fn values(value: Value) -> HelmValues {
    value.as_object().cloned().unwrap().into()
}

fn release(namespace: &str, name: &str) -> ReleaseName {
    ReleaseName {
        namespace: namespace.parse().unwrap(),
        name: name.parse().unwrap(),
    }
}

fn registry_config(registry: &Registry) -> RegistryConfig {
    RegistryConfig::new().with_plain_http(&registry.address)
}

/// Runs Helm by hand, in a folder.
fn helm(program: &Path, folder: &Path, arguments: &[&str]) -> String {
    let output = Command::new(program)
        .args(arguments)
        .current_dir(folder)
        .env("HELM_CACHE_HOME", folder)
        .env("HELM_CONFIG_HOME", folder)
        .env("HELM_DATA_HOME", folder)
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "helm {}: {said}", arguments.join(" "));
    String::from_utf8_lossy(&output.stdout).into_owned()
}

#[rstest]
#[case("helm3")]
#[case("helm4")]
#[tokio::test(flavor = "current_thread")]
async fn helm_and_this_library_read_each_other(#[case] name: &str) {
    let (Some(program), Some(registry)) = (program(name), Registry::start()) else {
        return;
    };
    let artifacts = OciArtifacts::new(registry_config(&registry)).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let ours = artifacts
        .push_folder(
            &registry.at("ours"),
            root().join("examples/charts/image-compression-vo"),
        )
        .await
        .unwrap();
    let reference = registry.at("ours/image-compression-vo");
    helm(
        &program,
        folder.path(),
        &["pull", &reference, "--version", "0.1.0", "--plain-http"],
    );
    let pulled = std::fs::read(folder.path().join("image-compression-vo-0.1.0.tgz")).unwrap();
    assert_eq!(pulled, artifacts.chart(&ours.reference).await.unwrap().archive);
    let rendered = helm(
        &program,
        folder.path(),
        &["template", "vo", &ours.reference, "--plain-http"],
    );
    assert!(rendered.contains("kind: Deployment"), "{rendered}");

    let chart = small_chart("theirs", "0.2.0+b1");
    helm(
        &program,
        folder.path(),
        &["package", &chart.path().display().to_string()],
    );
    helm(
        &program,
        folder.path(),
        &["push", "theirs-0.2.0+b1.tgz", &registry.at("p"), "--plain-http"],
    );
    let theirs = artifacts.resolve(&registry.at("p/theirs")).await.unwrap();
    assert_eq!(theirs.kind, ArtifactKind::Chart);
    let theirs = artifacts.chart(&registry.at("p/theirs:0.2.0+b1")).await.unwrap();
    assert_eq!(
        (theirs.name.as_str(), theirs.version.as_str()),
        ("theirs", "0.2.0+b1")
    );
    // What Helm packaged can be pushed on, byte for byte.
    let on = artifacts
        .push_chart(&registry.at("q"), &theirs.archive)
        .await
        .unwrap();
    assert_eq!(
        artifacts.chart(&on.reference).await.unwrap().archive,
        theirs.archive
    );
}

#[rstest]
#[case("helm3")]
#[case("helm4")]
#[tokio::test(flavor = "current_thread")]
async fn charts_are_rendered(#[case] name: &str) {
    let (Some(program), Some(registry)) = (program(name), Registry::start()) else {
        return;
    };
    let artifacts = OciArtifacts::new(registry_config(&registry)).unwrap();
    let config = HelmConfig::new()
        .with_program(program)
        .with_registry(registry_config(&registry));
    let driver = HelmDriver::new(config).unwrap();
    assert!(driver.version().await.unwrap().starts_with(['v']));
    let render = async |chart: &str, given: Value| {
        driver
            .render(&release("brussels", "demo"), &registry.at(chart), &values(given))
            .await
    };
    let kinds = |objects: &[Value]| {
        let shown = |object: &Value| {
            let policy = object.pointer("/spec/placement/clusterAffinity/clusterNames");
            let clusters = policy.map_or_else(String::new, |clusters| format!(" on {clusters}"));
            let name = object["metadata"]["name"].as_str().unwrap_or_default();
            format!("{} {name}{clusters}", object["kind"].as_str().unwrap_or_default())
        };
        let mut lines: Vec<String> = objects.iter().map(shown).collect();
        lines.sort();
        lines.join("\n")
    };
    let everything = json!({"clustersAffinity": ["m1"], "serviceImportClusters": ["m1", "m2"]});
    for chart in ["noise-reduction", "image-detection", "image-compression-vo"] {
        artifacts
            .push_folder(&registry.at("p"), root().join("examples/charts").join(chart))
            .await
            .unwrap();
        let is_vo = chart == "image-compression-vo";
        let wrap = |lists: Value| {
            if is_vo {
                json!({"voChartOverwrite": lists})
            } else {
                lists
            }
        };
        // Empty lists propagate nothing: Karmada would read an empty list as "everywhere".
        let unplaced = render(&format!("p/{chart}"), json!({})).await.unwrap();
        assert!(!kinds(&unplaced).contains("Policy"), "{}", kinds(&unplaced));
        let alone = wrap(json!({"clustersAffinity": ["m1"], "serviceImportClusters": []}));
        let alone = render(&format!("p/{chart}"), alone).await.unwrap();
        assert!(!kinds(&alone).contains("import"), "{}", kinds(&alone));
        let placed = render(&format!("p/{chart}"), wrap(everything.clone()))
            .await
            .unwrap();
        let import = placed
            .iter()
            .find(|object| object["kind"] == "ServiceImport")
            .unwrap();
        let ports = import["spec"]["ports"].as_array().unwrap();
        assert!(ports.iter().all(|port| port["name"].is_string()), "{import}");
        if is_vo {
            insta::assert_snapshot!("image_compression_vo", kinds(&placed));
        } else {
            insta::assert_snapshot!("app", kinds(&placed));
        }
    }
    let refused = render("p/noise-reduction", json!({"clustersAffinity": "m1"}))
        .await
        .unwrap_err();
    assert_eq!(refused.kind(), ErrorKind::Invalid, "{refused}");
    let missing = render("p/nosuch:1.0.0", json!({})).await.unwrap_err();
    assert_eq!(missing.kind(), ErrorKind::NotFound, "{missing}");
}

#[rstest]
#[case("helm3")]
#[case("helm4")]
#[tokio::test(flavor = "current_thread")]
async fn a_control_plane_that_is_not_there(#[case] name: &str) {
    let Some(program) = program(name) else { return };
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("kubeconfig");
    let text = format!(
        "apiVersion: v1\nkind: Config\ncurrent-context: c\nclusters: [{{name: c, cluster: {{server: 'http://127.0.0.1:{}'}}}}]\n\
         contexts: [{{name: c, context: {{cluster: c, user: u}}}}]\nusers: [{{name: u, user: {{token: hunter2}}}}]\n",
        support::free_port()
    );
    std::fs::write(&file, text).unwrap();
    let config = HelmConfig::new().with_program(program).with_kubeconfig(&file);
    let web = release("p", "web");
    let status = async |config: HelmConfig| HelmDriver::new(config).unwrap().status(&web).await.unwrap_err();
    let errors = [
        (status(config.clone()).await, ErrorKind::Unavailable),
        (
            status(config.clone().with_context("nosuch")).await,
            ErrorKind::Invalid,
        ),
        (
            status(config.clone().with_kubeconfig(folder.path().join("nosuch"))).await,
            ErrorKind::Invalid,
        ),
        (
            status(config.with_program("/no/such/helm")).await,
            ErrorKind::Unsupported,
        ),
    ];
    for (error, kind) in errors {
        assert_eq!(error.kind(), kind, "{error}");
        assert!(!format!("{error:?}").contains("hunter2"), "{error:?}");
    }
}

#[cfg(unix)]
#[tokio::test(flavor = "current_thread")]
async fn a_program_that_does_not_end_is_ended() {
    let folder = tempfile::tempdir().unwrap();
    let program = folder.path().join("helm");
    std::os::unix::fs::symlink(support::programs().join("helm-sleeper"), &program).unwrap();
    let config = HelmConfig::new()
        .with_program(program)
        .with_timeout(Duration::from_millis(500));
    let error = HelmDriver::new(config).unwrap().version().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unavailable, "{error}");
    let pid = std::fs::read_to_string(folder.path().join("pid")).unwrap();
    let process = Path::new("/proc").join(pid.trim());
    let deadline = Instant::now() + Duration::from_secs(10);
    let runs = || {
        let state = std::fs::read_to_string(process.join("stat")).unwrap_or_default();
        !state.is_empty() && !state.contains(") Z")
    };
    while Path::new("/proc/self").exists() && runs() {
        assert!(Instant::now() < deadline, "the program still runs");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

#[rstest]
#[case("helm3")]
#[case("helm4")]
#[tokio::test(flavor = "current_thread")]
async fn the_contract_is_kept_on_a_control_plane(#[case] name: &str) {
    let (Some(kubeconfig), Some(program), Some(registry)) = (kubeconfig(), program(name), Registry::start())
    else {
        return;
    };
    let artifacts = OciArtifacts::new(registry_config(&registry)).unwrap();
    artifacts
        .push_folder(&registry.at("p"), small_chart("small", "0.1.0").path())
        .await
        .unwrap();
    let config = HelmConfig::new()
        .with_program(program)
        .with_kubeconfig(kubeconfig)
        .with_registry(registry_config(&registry));
    let driver = HelmDriver::new(config).unwrap();
    let fixture = ChartFixture {
        namespaces: ["a", "b"].map(|end| format!("smo-conformance-{name}-{end}").parse().unwrap()),
        name: "small".parse().unwrap(),
        chart: registry.at("p/small"),
        missing_chart: registry.at("p/small:9.9.9"),
        values: [
            values(json!({"text": "one", "more": {"no": true}})),
            values(json!({"text": "n"})),
        ],
        refused: values(json!({"text": 7})),
    };
    conformance::charts(&driver, &fixture).await.unwrap();

    // Objects that the server refuses when a part is written already.
    let web = release(fixture.namespaces[0].as_str(), "small");
    let good = values(json!({"text": "good"}));
    let broken = values(json!({"text": "broken", "broken": true}));
    let apply = async |given: &HelmValues| driver.apply(&web, &fixture.chart, given).await;
    let error = apply(&broken).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Invalid, "{error}");
    assert_eq!(driver.status(&web).await.unwrap(), None);
    apply(&good).await.unwrap();
    let error = apply(&broken).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Invalid, "{error}");
    let state = driver.status(&web).await.unwrap().map(|found| found.state);
    assert_eq!(state, Some(ChartState::Deployed));
    assert_eq!(driver.values(&web).await.unwrap(), good);
    // A call that is dropped is mended by the next.
    for pause in [50, 150, 300, 600] {
        let _ = tokio::time::timeout(Duration::from_millis(pause), apply(&good)).await;
        apply(&good).await.unwrap();
    }
    // Somebody else's object of the same name.
    let other = release(fixture.namespaces[0].as_str(), "other");
    let foreign = small_chart("small", "0.1.0");
    let template = foreign.path().join("templates/objects.yaml");
    let text = std::fs::read_to_string(&template)
        .unwrap()
        .replace("{{ .Release.Name }}", "small");
    std::fs::write(&template, text).unwrap();
    let error = driver
        .apply(&other, &foreign.path().display().to_string(), &good)
        .await
        .unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Conflict, "{error}");
    assert_eq!(driver.status(&other).await.unwrap(), None);
    assert!(driver.uninstall(&web).await.unwrap());
}

/// What Helm 3 installed, Helm 4 upgrades, and the other way round; and what somebody scaled meanwhile is set as given.
#[tokio::test(flavor = "current_thread")]
async fn either_helm_goes_on_from_the_other() {
    let (Some(kubeconfig), Some(three), Some(four)) = (kubeconfig(), program("helm3"), program("helm4"))
    else {
        return;
    };
    let Some(kubectl) = program("kubectl") else { return };
    let driver = |program: &Path| {
        let config = HelmConfig::new()
            .with_program(program)
            .with_kubeconfig(&kubeconfig);
        HelmDriver::new(config).unwrap()
    };
    let drivers = [driver(&three), driver(&four)];
    let web = release("smo-either-helm", "web");
    let chart = root()
        .join("examples/charts/noise-reduction")
        .display()
        .to_string();
    let kubectl = |arguments: &[&str]| {
        let mut command = Command::new(&kubectl);
        command
            .arg("--kubeconfig")
            .arg(&kubeconfig)
            .args(["--namespace", "smo-either-helm"])
            .args(arguments);
        let output = command.output().unwrap();
        assert!(
            output.status.success(),
            "{}",
            String::from_utf8_lossy(&output.stderr)
        );
        String::from_utf8_lossy(&output.stdout).into_owned()
    };
    drivers[0].uninstall(&web).await.unwrap();
    for (step, replicas) in [(0, 1), (1, 2), (0, 3), (1, 4), (1, 5)] {
        let applied = drivers[step]
            .apply(&web, &chart, &values(json!({"replicas": replicas})))
            .await
            .unwrap();
        assert_eq!(applied.state, ChartState::Deployed);
        let found = kubectl(&["get", "deployment", "web", "-o", "jsonpath={.spec.replicas}"]);
        assert_eq!(found, replicas.to_string());
        kubectl(&["scale", "deployment", "web", "--replicas", "7"]);
    }
    assert_eq!(drivers[1].rollback(&web, 2).await.unwrap().revision, 6);
    assert_eq!(
        kubectl(&["get", "deployment", "web", "-o", "jsonpath={.spec.replicas}"]),
        "2"
    );
    assert!(drivers[0].uninstall(&web).await.unwrap());
    assert_eq!(kubectl(&["get", "deployment,service", "-o", "name"]), "");
}

/// Two processes at once: one of them may be told that the other is at work, and nothing is lost.
#[rstest]
#[case("helm3")]
#[case("helm4")]
#[tokio::test(flavor = "current_thread")]
async fn two_at_once_do_no_harm(#[case] name: &str) {
    let (Some(kubeconfig), Some(program)) = (kubeconfig(), program(name)) else {
        return;
    };
    let config = HelmConfig::new()
        .with_program(program)
        .with_kubeconfig(kubeconfig);
    let drivers = [config.clone(), config].map(|config| HelmDriver::new(config).unwrap());
    let web = release(&format!("smo-two-at-once-{name}"), "web");
    let folder = small_chart("small", "0.1.0");
    let chart = folder.path().display().to_string();
    for round in 0..3 {
        let given = values(json!({"text": round.to_string()}));
        let both = tokio::join!(
            drivers[0].apply(&web, &chart, &given),
            drivers[1].apply(&web, &chart, &given)
        );
        let refused: Vec<_> = [both.0, both.1].into_iter().filter_map(Result::err).collect();
        assert!(refused.len() < 2, "{refused:?}");
        assert!(
            refused.iter().all(|error| error.kind() == ErrorKind::Conflict),
            "{refused:?}"
        );
        let found = drivers[0].status(&web).await.unwrap().unwrap();
        assert_eq!(found.state, ChartState::Deployed);
        assert_eq!(drivers[1].values(&web).await.unwrap(), given);
    }
    drivers[0].uninstall(&web).await.unwrap();
}
