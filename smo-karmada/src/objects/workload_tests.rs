use std::path::Path;

use smo_core::cluster::TaintEffect;

use super::*;

fn owner() -> Owner {
    Owner {
        manager: "smo".to_owned(),
        service: "proj/shop/web".parse().unwrap(),
    }
}

fn values(values: Value) -> ImageValues {
    ImageValues::read(&values.as_object().unwrap().clone().into()).unwrap()
}

fn two_to_one() -> Assignment {
    Assignment::from_iter([("m1".parse().unwrap(), 2), ("m2".parse().unwrap(), 1)])
}

fn everything() -> Rendered {
    let values = values(json!({
        "ports": [{"name": "http", "port": 8080}, {"port": 5683, "protocol": "UDP"}],
        "env": {"LOG_LEVEL": "info", "WORKERS": 4},
        "command": ["/app/server"],
        "args": ["--verbose"],
        "probes": {
            "startup": {"exec": ["true"]},
            "readiness": {"http": {"path": "/healthz", "port": "http"}, "initialDelaySeconds": 1},
            "liveness": {"tcp": {"port": 8080}, "periodSeconds": 10},
        },
        "limits": {"memory": "512Mi"},
        "imagePullSecrets": ["registry"],
        "memberAutoscaling": true,
        "conflictResolution": "Overwrite",
        "serviceImportClusters": ["m3"],
        "clusters": {"m2": {"image": "docker://mirror/web:1", "env": {"LOG_LEVEL": "debug"}}, "m1": {}},
    }));
    let resources = Resources::new()
        .with(ResourceName::CPU, 500)
        .with(ResourceName::MEMORY, 256 << 20)
        .with(ResourceName::STORAGE, 1 << 30)
        .with(ResourceName::PODS, 1)
        .with(ResourceName::NVIDIA_GPU, 1);
    let edge = Toleration {
        key: Some("tier".to_owned()),
        value: Some("edge".to_owned()),
        effect: Some(TaintEffect::NoSchedule),
    };
    render_image(
        &owner(),
        "docker://registry/web:1",
        &values,
        &resources,
        &two_to_one(),
        3,
        &[edge],
    )
    .unwrap()
}

fn least() -> Rendered {
    render_image(
        &owner(),
        "docker://nginx",
        &ImageValues::default(),
        &Resources::new(),
        &two_to_one(),
        3,
        &[],
    )
    .unwrap()
}

#[test]
fn an_image_alone_is_a_workload_and_a_policy() {
    let rendered = least();
    let kinds: Vec<String> = rendered.refs().unwrap().iter().map(ToString::to_string).collect();
    assert_eq!(kinds, ["PropagationPolicy proj/web.smo", "Deployment proj/web"]);
    insta::assert_snapshot!(serde_json::to_string(&rendered.objects[0]).unwrap(), @r#"{"apiVersion":"apps/v1","kind":"Deployment","metadata":{"labels":{"app.kubernetes.io/instance":"web","app.kubernetes.io/managed-by":"smo","app.kubernetes.io/part-of":"shop"},"name":"web","namespace":"proj"},"spec":{"replicas":3,"selector":{"matchLabels":{"app.kubernetes.io/instance":"web"}},"template":{"metadata":{"labels":{"app.kubernetes.io/instance":"web","app.kubernetes.io/managed-by":"smo","app.kubernetes.io/part-of":"shop"}},"spec":{"containers":[{"image":"nginx","name":"web","resources":{}}]}}}}"#);
    insta::assert_snapshot!(serde_json::to_string(&rendered.policies[0]).unwrap(), @r#"{"apiVersion":"policy.karmada.io/v1alpha1","kind":"PropagationPolicy","metadata":{"labels":{"app.kubernetes.io/instance":"web","app.kubernetes.io/managed-by":"smo","app.kubernetes.io/part-of":"shop"},"name":"web.smo","namespace":"proj"},"spec":{"resourceSelectors":[{"apiVersion":"apps/v1","kind":"Deployment","name":"web"}],"placement":{"clusterAffinity":{"clusterNames":["m1","m2"]},"replicaScheduling":{"replicaSchedulingType":"Divided","replicaDivisionPreference":"Weighted","weightPreference":{"staticWeightList":[{"targetCluster":{"clusterNames":["m1"]},"weight":2},{"targetCluster":{"clusterNames":["m2"]},"weight":1}]}}},"conflictResolution":"Abort"}}"#);
}

#[test]
fn everything_that_can_be_said() {
    let rendered = everything();
    let mut shown = String::new();
    for object in rendered.policies.iter().chain(&rendered.objects) {
        shown.push_str(&format!("{}\n", serde_json::to_string_pretty(object).unwrap()));
    }
    insta::assert_snapshot!(shown);
}

#[test]
fn what_cannot_run_is_refused() {
    let render = |reference: &str, assignment: &Assignment| {
        let values = ImageValues::default();
        render_image(
            &owner(),
            reference,
            &values,
            &Resources::new(),
            assignment,
            1,
            &[],
        )
        .unwrap_err()
    };
    let mut shown = String::new();
    for error in [
        render("docker://", &two_to_one()),
        render("nginx", &two_to_one()),
        render("docker://a b", &two_to_one()),
        render("docker://nginx", &Assignment::default()),
    ] {
        shown.push_str(&format!("{error}\n"));
    }
    insta::assert_snapshot!(shown, @"
    Karmada refuses the object: `docker://` is no image reference (docker://host/repository:tag)
    Karmada refuses the object: `nginx` is no image reference (docker://host/repository:tag)
    Karmada refuses the object: `docker://a b` is no image reference (docker://host/repository:tag)
    Karmada refuses the object: it names no cluster, which would mean every cluster
    ");
}

/// Every object is what Karmada's own schemas accept, and a broken one is not.
#[test]
#[allow(clippy::print_stderr)]
fn the_real_schemas_accept_every_object() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/testbed/karmada-1.18.2/crds");
    if !folder.is_dir() {
        eprintln!("skipped: Karmada's CRDs are not at {}", folder.display());
        return;
    }
    let mut checked = 0;
    for object in [least(), everything()]
        .iter()
        .flat_map(|all| all.policies.iter().chain(&all.objects))
    {
        let kind = object["kind"].as_str().unwrap();
        let file = match kind {
            "PropagationPolicy" => "policy/policy.karmada.io_propagationpolicies.yaml",
            "OverridePolicy" => "policy/policy.karmada.io_overridepolicies.yaml",
            "ServiceExport" => "multicluster/multicluster.x-k8s.io_serviceexports.yaml",
            "ServiceImport" => "multicluster/multicluster.x-k8s.io_serviceimports.yaml",
            _ => continue,
        };
        let text = std::fs::read_to_string(folder.join(file)).unwrap();
        let limits = smo_core::yaml::Limits {
            depth: 64,
            ..smo_core::yaml::Limits::default()
        };
        let crd = smo_core::yaml::parse(&text, limits).unwrap().to_json();
        let mut schema = crd["spec"]["versions"][0]["schema"]["openAPIV3Schema"].clone();
        close(&mut schema);
        let validator = jsonschema::validator_for(&schema).unwrap();
        let faults: Vec<String> = validator
            .iter_errors(object)
            .map(|error| error.to_string())
            .collect();
        assert_eq!(faults, Vec::<String>::new(), "{object}");
        let mut broken = object.clone();
        broken["spec"]["placment"] = json!({});
        assert!(!validator.is_valid(&broken), "{kind}");
        checked += 1;
    }
    assert!(checked >= 6, "{checked}");
}

/// Refuses fields that a schema does not list, as strict field validation does.
fn close(schema: &mut Value) {
    if let Some(map) = schema.as_object_mut() {
        if map.contains_key("properties") && !map.contains_key("additionalProperties") {
            let open = map.get("x-kubernetes-preserve-unknown-fields").is_some();
            map.insert("additionalProperties".to_owned(), json!(open));
        }
        if let Some(Value::Object(properties)) = map.get_mut("properties") {
            // Metadata is checked by the API server itself.
            properties
                .iter_mut()
                .filter(|(key, _)| *key != "metadata")
                .for_each(|(_, schema)| close(schema));
        }
        if let Some(items) = map.get_mut("items") {
            close(items);
        }
    }
}
