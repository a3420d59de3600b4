//! The rig's own smoke tests. `cargo xtask live` runs them; without it they print one line and pass.

#![allow(
    clippy::expect_used,
    clippy::panic,
    clippy::print_stderr,
    reason = "tests fail and report"
)]

use std::io::{BufRead as _, BufReader};
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::time::Duration;

use serde_json::{Value, json};
use smo_testbed::live::eventually;
use smo_testbed::{Kubectl, Testbed, TestbedError, condition, group_runs, live};

/// Longer than anything here takes on two busy cores.
const LONG: Duration = Duration::from_secs(60);

fn deployment(name: &str) -> Value {
    json!({
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": name, "namespace": "default"},
        "spec": {
            "replicas": 2,
            "selector": {"matchLabels": {"app": name}},
            "template": {
                "metadata": {"labels": {"app": name}},
                "spec": {"containers": [{"name": "app", "image": "registry.example.com/app:1"}]},
            },
        },
    })
}

fn policy(name: &str, cluster: &str) -> Value {
    json!({
        "apiVersion": "policy.karmada.io/v1alpha1",
        "kind": "PropagationPolicy",
        "metadata": {"name": name, "namespace": "default"},
        "spec": {
            "resourceSelectors": [{"apiVersion": "apps/v1", "kind": "Deployment", "name": name}],
            "placement": {"clusterAffinity": {"clusterNames": [cluster]}},
        },
    })
}

fn ready_replicas(kubectl: &Kubectl, name: &str) -> Option<u64> {
    kubectl
        .get(&["deployment", name])
        .ok()?
        .pointer("/status/readyReplicas")?
        .as_u64()
}

fn has_karmada_crds(testbed: &Testbed) -> bool {
    let found = testbed
        .kubectl()
        .run(&["get", "crd", "propagationpolicies.policy.karmada.io"])
        .is_ok();
    if !found {
        eprintln!("live: no CRDs of Karmada (SMO_KARMADA_FILES): policies are not checked");
    }
    found
}

#[test]
fn api_policies_are_checked_strictly() {
    let Some(testbed) = live::api() else { return };
    if !has_karmada_crds(testbed) {
        return;
    }
    let kubectl = testbed.kubectl();
    let good = policy("smoke-strict", "m1");
    kubectl.apply(&good).expect("a good policy");

    let mut bad = good;
    bad["spec"]["placement"]["clusterAffinity"]["clusterName"] = json!("m1");
    let refusal = kubectl.apply(&bad).expect_err("an unknown field").to_string();
    assert!(
        refusal.contains("field not declared in schema") || refusal.contains("unknown field"),
        "{refusal}"
    );
    assert!(refusal.contains("clusterName"), "{refusal}");
    kubectl
        .run(&["delete", "propagationpolicy", "smoke-strict"])
        .expect("it goes");
}

#[test]
fn api_knows_who_may_do_what() {
    let Some(testbed) = live::api() else { return };
    let with = |kubeconfig: PathBuf| {
        let output = Command::new(testbed.servers().program("kubectl"))
            .arg("--kubeconfig")
            .arg(kubeconfig)
            .args(["get", "namespaces"])
            .output()
            .expect("kubectl starts");
        assert!(!output.status.success());
        String::from_utf8_lossy(&output.stderr).into_owned()
    };
    let refusal = with(testbed.restricted_kubeconfig());
    assert!(
        refusal.contains("\"testbed-restricted\" cannot list resource"),
        "{refusal}"
    );
    let refusal = with(testbed.unknown_token_kubeconfig());
    assert!(
        refusal.contains("Unauthorized") || refusal.contains("logged in"),
        "{refusal}"
    );
}

#[test]
fn api_member_runs_pods_and_keeps_its_objects_through_a_crash() {
    let Some(testbed) = live::api() else { return };
    let kubectl = testbed.member_kubectl("m1").expect("it has m1");
    kubectl.apply(&deployment("smoke-member")).expect("a deployment");
    let ready = || (ready_replicas(&kubectl, "smoke-member")? == 2).then_some(());
    let ((), time) = eventually("two ready pods", LONG, ready);
    eprintln!(
        "live: two pods ready in a member after {:.1} s",
        time.as_secs_f64()
    );

    testbed.stop_member("m1").expect("it is ours");
    let fault = kubectl
        .run(&["get", "deployments"])
        .expect_err("it is dead")
        .to_string();
    assert!(fault.contains("refused"), "{fault}");
    testbed.start_member("m1").expect("it starts again");
    assert_eq!(ready_replicas(&kubectl, "smoke-member"), Some(2));
    // The controllers work again too.
    kubectl
        .run(&["scale", "deployment", "smoke-member", "--replicas=3"])
        .expect("it scales");
    let ready = || (ready_replicas(&kubectl, "smoke-member")? == 3).then_some(());
    let ((), time) = eventually("a third ready pod", LONG, ready);
    eprintln!(
        "live: a third one {:.1} s after the member's crash",
        time.as_secs_f64()
    );
    kubectl
        .run(&["delete", "deployment", "smoke-member"])
        .expect("it goes");

    let fault = testbed.stop_member("m9").expect_err("there is none").to_string();
    assert!(fault.contains("no member `m9`"), "{fault}");
}

#[test]
fn api_of_somebody_else_is_used_and_not_stopped() {
    let Some(testbed) = live::api() else { return };
    let folder = std::env::temp_dir().join(format!("smo-testbed-{}-foreign", std::process::id()));
    std::fs::create_dir_all(&folder).expect("a folder");
    let kubeconfig = folder.join("config");
    std::fs::copy(testbed.kubeconfig(), &kubeconfig).expect("a copy elsewhere");
    let foreign = Testbed::attach(&kubeconfig).expect("it answers");
    assert!(foreign.members().is_empty());
    assert!(matches!(
        foreign.stop_member("m1"),
        Err(TestbedError::NotOurs { .. })
    ));
    std::fs::remove_dir_all(&folder).expect("the folder goes");
}

#[test]
fn api_servers_end_with_a_holder_that_is_killed() {
    if live::api().is_none() {
        return;
    }
    let mut holder = Command::new(env!("CARGO_BIN_EXE_testbed"))
        .arg("api")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("the holder starts");
    let output = BufReader::new(holder.stdout.take().expect("a pipe"));
    let mut group = None;
    for line in output.lines().map_while(Result::ok) {
        if let Some(id) = line.strip_prefix("group=") {
            group = id.parse().ok();
        }
        if line == "ready" {
            break;
        }
    }
    let group: u32 = group.expect("it says which processes are its servers");
    assert!(group_runs(group));
    holder.kill().expect("as the system does when memory ends");
    holder.wait().expect("it is gone");
    let ((), time) = eventually("the end of all its servers", LONG, || {
        (!group_runs(group)).then_some(())
    });
    eprintln!(
        "live: all servers gone {:.1} s after their holder was killed",
        time.as_secs_f64()
    );
}

/// A deployment in a member, seen through Karmada: it works on a Karmada that was not started here too.
fn deployment_in(kubectl: &Kubectl, member: &str, name: &str) -> Option<Value> {
    let proxy = format!("/apis/cluster.karmada.io/v1alpha1/clusters/{member}/proxy");
    let path = format!("{proxy}/apis/apps/v1/namespaces/default/deployments/{name}");
    let text = kubectl.run(&["get", "--raw", &path]).ok()?;
    serde_json::from_str(&text).ok()
}

#[test]
fn karmada_runs_a_deployment_where_its_policy_says() {
    let Some(testbed) = live::karmada() else { return };
    for (step, time) in testbed.times() {
        eprintln!("live: Karmada {:5.1} s  {step}", time.as_secs_f64());
    }
    let kubectl = testbed.kubectl();
    let clusters = kubectl.get(&["clusters.cluster.karmada.io"]).expect("clusters");
    let clusters = clusters["items"].as_array().expect("a list");
    let ready = clusters
        .iter()
        .filter(|cluster| condition(cluster, "Ready") == Some("True"))
        .filter_map(|cluster| cluster["metadata"]["name"].as_str());
    let ready: Vec<&str> = ready.collect();
    assert!(ready.len() >= 2, "members that are ready: {ready:?}");
    if !testbed.members().is_empty() {
        assert_eq!(ready.len(), testbed.members().len());
    }
    let (other, chosen) = (ready[0], ready[1]);

    let objects = json!({"apiVersion": "v1", "kind": "List", "items": [
        deployment("smoke-placed"), policy("smoke-placed", chosen),
    ]});
    kubectl.apply(&objects).expect("deployment and policy");
    let running = || {
        let found = deployment_in(&kubectl, chosen, "smoke-placed")?;
        (found.pointer("/status/readyReplicas")? == 2).then_some(())
    };
    let ((), time) = eventually("it runs where its policy says", LONG, running);
    eprintln!(
        "live: running on the chosen member after {:.2} s",
        time.as_secs_f64()
    );
    assert_eq!(deployment_in(&kubectl, other, "smoke-placed"), None);

    let all = ["delete", "deployment,propagationpolicy", "smoke-placed"];
    kubectl.run(&all).expect("they go");
    let gone = || {
        deployment_in(&kubectl, chosen, "smoke-placed")
            .is_none()
            .then_some(())
    };
    let ((), time) = eventually("it is gone from the member", LONG, gone);
    eprintln!("live: gone from the member after {:.2} s", time.as_secs_f64());
}

#[test]
fn karmada_sees_gpus_and_a_dead_member() {
    let Some(testbed) = live::karmada() else { return };
    if testbed.members().is_empty() {
        eprintln!("live: this Karmada was not started here: no member of it is killed");
        return;
    }
    let kubectl = testbed.kubectl();
    let cluster = |name: &str| kubectl.get(&["clusters.cluster.karmada.io", name]).ok();
    let gpus = || {
        let cluster = cluster("m2")?;
        let amounts = cluster.pointer("/status/resourceSummary/allocatable")?;
        amounts.get("nvidia.com/gpu").cloned()
    };
    let (gpus, _) = eventually("GPUs of m2", LONG, gpus);
    assert_eq!(gpus, json!("6"));

    let is = |name: &'static str, status: &'static str| {
        move || (condition(&cluster(name)?, "Ready")? == status).then_some(())
    };
    testbed.stop_member("m3").expect("it is ours");
    let ((), time) = eventually("m3 is not ready", LONG, is("m3", "False"));
    eprintln!(
        "live: a dead member is Ready=False after {:.1} s",
        time.as_secs_f64()
    );
    assert!(is("m1", "True")().is_some());
    testbed.start_member("m3").expect("it starts again");
    let ((), time) = eventually("m3 is ready", LONG, is("m3", "True"));
    eprintln!(
        "live: it is Ready=True again {:.1} s after its return",
        time.as_secs_f64()
    );
}

/// Runs a program of the installation, and returns what it wrote and whether it succeeded.
fn run(testbed: &Testbed, program: &str, arguments: &[&str]) -> (bool, String) {
    let output = Command::new(testbed.servers().program(program))
        .args(arguments)
        .output()
        .expect("it starts");
    let text = [output.stdout, output.stderr].concat();
    (
        output.status.success(),
        String::from_utf8_lossy(&text).into_owned(),
    )
}

#[test]
fn registry_takes_a_chart_from_one_helm_and_gives_it_to_the_other() {
    let (Some(testbed), Some(registry)) = (live::api(), live::registry(false)) else {
        return;
    };
    let folder = std::env::temp_dir().join(format!("smo-testbed-{}-chart", std::process::id()));
    std::fs::create_dir_all(folder.join("smoke/templates")).expect("a folder");
    let chart = "{apiVersion: v2, name: smoke, version: 1.0.0, kubeVersion: '>=1.30.0-0'}";
    std::fs::write(folder.join("smoke/Chart.yaml"), chart).expect("a chart");
    let template = "{apiVersion: v1, kind: ConfigMap, metadata: {name: '{{ .Release.Name }}'}}";
    std::fs::write(folder.join("smoke/templates/map.yaml"), template).expect("a template");
    let path = |below: &str| folder.join(below).display().to_string();

    let (done, text) = run(
        testbed,
        "helm4",
        &["package", &path("smoke"), "--destination", &path("")],
    );
    assert!(done, "{text}");
    let place = format!("oci://{}/charts", registry.address());
    let (done, text) = run(
        testbed,
        "helm4",
        &["push", &path("smoke-1.0.0.tgz"), &place, "--plain-http"],
    );
    assert!(done, "{text}");
    let arguments = [
        "template",
        "r",
        &format!("{place}/smoke"),
        "--version=1.0.0",
        "--plain-http",
    ];
    let (done, text) = run(testbed, "helm3", &arguments);
    assert!(
        done && text.contains("kind: ConfigMap, metadata: {name: 'r'}"),
        "{text}"
    );

    let guarded = live::registry(true).expect("it was asked for");
    let elsewhere = format!("oci://{}/charts", guarded.address());
    let arguments = ["push", &path("smoke-1.0.0.tgz"), &elsewhere, "--plain-http"];
    let (done, text) = run(testbed, "helm4", &arguments);
    assert!(!done && text.contains("basic credential not found"), "{text}");
    let with = [
        "--username",
        smo_testbed::Registry::USER,
        "--password",
        smo_testbed::Registry::PASSWORD,
    ];
    let (done, text) = run(testbed, "helm4", &[&arguments[..], &with[..]].concat());
    assert!(done, "{text}");
    std::fs::remove_dir_all(&folder).expect("the folder goes");
}

#[test]
fn helm_says_its_version() {
    let Some(testbed) = live::api() else { return };
    for (program, version) in [("helm3", "v3.22.0"), ("helm4", "v4.2.4")] {
        let (done, text) = run(testbed, program, &["version", "--template", "{{ .Version }}"]);
        assert!(done && text.trim() == version, "{program}: {text}");
    }
}
