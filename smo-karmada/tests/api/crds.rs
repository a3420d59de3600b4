//! Karmada's kinds of objects, made from the types of this crate where no release's files are at hand.
//!
//! Everything that is not typed here is refused by these schemas, so they are narrower than Karmada's own: what they accept,
//! Karmada accepts. [`the_types_are_karmadas`] compares them with a release's where there is one.

use std::path::PathBuf;

use schemars::JsonSchema;
use schemars::generate::SchemaSettings;
use serde_json::{Map, Value, json};
use smo_karmada::objects::{OverridePolicySpec, PropagationSpec};
use smo_testbed::Kubectl;

/// Installs what the API server lacks.
pub(crate) fn ensure(kubectl: &Kubectl) {
    let has = |name: &str| kubectl.run(&["get", "crd", name]).is_ok();
    let mut missing: Vec<Value> = all()
        .into_iter()
        .filter(|crd| !has(crd["metadata"]["name"].as_str().unwrap()))
        .collect();
    if missing.is_empty() {
        return;
    }
    if missing.len() > 1 {
        eprintln!(
            "live: no CRDs of a Karmada release: the API suite uses those made from this crate's types"
        );
    }
    let names: Vec<String> = missing
        .iter()
        .map(|crd| format!("crd/{}", crd["metadata"]["name"].as_str().unwrap()))
        .collect();
    let list = json!({"apiVersion": "v1", "kind": "List", "items": std::mem::take(&mut missing)});
    kubectl.apply(&list).unwrap();
    let mut wait = vec!["wait".to_owned(), "--for=condition=Established".to_owned()];
    wait.extend(names);
    kubectl.run(&wait).unwrap();
}

/// Every kind that is written or read here. `Cluster` is no CRD in a real Karmada; its schema is open, since an
/// aggregated API server takes anything, too.
fn all() -> Vec<Value> {
    let open = || json!({"type": "object", "x-kubernetes-preserve-unknown-fields": true});
    let policy =
        |kind: &str, scope: &str, spec: Value| crd("policy.karmada.io", "v1alpha1", kind, scope, spec, None);
    let import = json!({"type": "object", "properties": {
        "type": {"type": "string"},
        "ips": {"type": "array", "items": {"type": "string"}},
        "ports": {"type": "array", "items": {"type": "object", "required": ["port"], "properties": {
            "name": {"type": "string"}, "protocol": {"type": "string"}, "port": {"type": "integer", "format": "int32"},
        }}},
    }});
    let multicluster = |kind: &str, spec: Value| {
        crd(
            "multicluster.x-k8s.io",
            "v1alpha1",
            kind,
            "Namespaced",
            spec,
            Some(open()),
        )
    };
    let work = |version: &str, kind: &str| {
        crd(
            "work.karmada.io",
            version,
            kind,
            "Namespaced",
            open(),
            Some(open()),
        )
    };
    let mut cluster = crd(
        "cluster.karmada.io",
        "v1alpha1",
        "Cluster",
        "Cluster",
        open(),
        Some(open()),
    );
    // So that a test writes spec and status at once.
    cluster["spec"]["versions"][0]
        .as_object_mut()
        .unwrap()
        .remove("subresources");
    vec![
        policy("PropagationPolicy", "Namespaced", schema::<PropagationSpec>()),
        policy("ClusterPropagationPolicy", "Cluster", schema::<PropagationSpec>()),
        policy("OverridePolicy", "Namespaced", schema::<OverridePolicySpec>()),
        multicluster("ServiceExport", json!({"type": "object"})),
        multicluster("ServiceImport", import),
        work("v1alpha2", "ResourceBinding"),
        work("v1alpha1", "Work"),
        cluster,
    ]
}

fn crd(group: &str, version: &str, kind: &str, scope: &str, spec: Value, status: Option<Value>) -> Value {
    let singular = kind.to_lowercase();
    let plural = match singular.strip_suffix('y') {
        Some(stem) => format!("{stem}ies"),
        None => format!("{singular}s"),
    };
    let mut properties = Map::from_iter([("spec".to_owned(), spec)]);
    properties.extend(status.clone().map(|status| ("status".to_owned(), status)));
    let subresources = status.map_or(json!({}), |_| json!({"status": {}}));
    json!({
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": format!("{plural}.{group}"), "annotations": approval(group)},
        "spec": {
            "group": group,
            "scope": scope,
            "names": {"kind": kind, "plural": plural, "singular": singular, "listKind": format!("{kind}List")},
            "versions": [{
                "name": version, "served": true, "storage": true, "subresources": subresources,
                "schema": {"openAPIV3Schema": {"type": "object", "properties": properties}},
            }],
        },
    })
}

/// Groups of Kubernetes itself are protected.
fn approval(group: &str) -> Value {
    if group.ends_with("x-k8s.io") {
        json!({"api-approved.kubernetes.io": "unapproved, for tests"})
    } else {
        json!({})
    }
}

/// The schema of a type, as a CRD takes it: nothing referred to, and nothing left open.
fn schema<T: JsonSchema>() -> Value {
    let settings = SchemaSettings::openapi3().with(|settings| {
        settings.inline_subschemas = true;
        settings.meta_schema = None;
    });
    let mut schema = settings.into_generator().into_root_schema_for::<T>().to_value();
    structural(&mut schema);
    schema
}

/// Kubernetes wants every node typed, and no notes of the generator.
fn structural(schema: &mut Value) {
    if *schema == json!(true) || *schema == json!({}) {
        *schema = json!({"x-kubernetes-preserve-unknown-fields": true});
        return;
    }
    let Some(node) = schema.as_object_mut() else {
        return;
    };
    for key in ["title", "default", "$schema", "additionalProperties"] {
        if key != "additionalProperties" || node.contains_key("properties") {
            node.shift_remove(key);
        }
    }
    let untyped =
        !node.contains_key("type") && node.keys().all(|key| key == "description" || key == "nullable");
    if untyped {
        node.insert("x-kubernetes-preserve-unknown-fields".to_owned(), json!(true));
    }
    for key in ["items", "additionalProperties"] {
        if let Some(below) = node.get_mut(key) {
            structural(below);
        }
    }
    let properties = node.get_mut("properties").and_then(Value::as_object_mut);
    properties
        .into_iter()
        .flatten()
        .for_each(|(_, below)| structural(below));
}

/// Every path of a schema's properties with its type.
fn fields(schema: &Value, path: &str, all: &mut Vec<(String, Value)>) {
    let properties = schema.get("properties").and_then(Value::as_object);
    for (name, below) in properties.into_iter().flatten() {
        let path = format!("{path}.{name}");
        all.push((path.clone(), below.get("type").cloned().unwrap_or(Value::Null)));
        fields(below, &path, all);
    }
    if let Some(items) = schema.get("items") {
        fields(items, path, all);
    }
}

#[test]
fn the_types_are_karmadas() {
    let folder =
        PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../shared/testbed/karmada-1.18.2/crds/policy");
    if !folder.is_dir() {
        eprintln!("no CRDs of a Karmada release beside the workspace: the types are not compared with them");
        return;
    }
    for (file, ours) in [
        ("propagationpolicies", schema::<PropagationSpec>()),
        ("clusterpropagationpolicies", schema::<PropagationSpec>()),
        ("overridepolicies", schema::<OverridePolicySpec>()),
    ] {
        let text = std::fs::read_to_string(folder.join(format!("policy.karmada.io_{file}.yaml"))).unwrap();
        let theirs: Value = serde_yaml::from_str(&text).unwrap();
        let pointer = "/spec/versions/0/schema/openAPIV3Schema/properties/spec";
        let mut known = Vec::new();
        fields(theirs.pointer(pointer).unwrap(), "spec", &mut known);
        let mut typed = Vec::new();
        fields(&ours, "spec", &mut typed);
        assert!(typed.len() > 8, "{typed:?}");
        for (path, kind) in typed {
            let found = known.iter().find(|(known, _)| *known == path);
            let (_, found) = found.unwrap_or_else(|| panic!("{file}: Karmada has no {path}"));
            assert!(
                kind.is_null() || kind == *found,
                "{file}: {path} is {found}, not {kind}"
            );
        }
    }
}
