//! What charts get wrong about the import of their Service, and what is done about it.
//!
//! - A chart renders the list of importing clusters into its own policy, and an empty list is *every* cluster to Karmada.
//!   So a chart whose Service nobody imports is given a name that no cluster can have.
//! - Karmada makes a Service of a ServiceImport in each importing cluster, and a Service of several ports has to name
//!   each. Where a chart's ServiceImport does not, Karmada retries for ever without a word in any status; so the names
//!   are filled in.

use serde_json::{Map, Value, json};
use smo_core::graph::Implementer;
use smo_core::helm_values::HelmValues;
use smo_core::id::ClusterName;
use smo_core::plan::ValuesContract;

use crate::objects::ObjectRef;

/// A name that no cluster has: theirs are DNS labels, without a dot.
const NO_CLUSTER: &str = "no.importer";

/// The clusters that are to import the chart's Service, as its values say; `None` when they do not say.
pub(crate) fn imports_of(values: &HelmValues) -> Option<Vec<ClusterName>> {
    let contract = ValuesContract::default();
    let read = |implementer: Implementer| contract.read_imports(&implementer, values);
    read(Implementer::Helm).or_else(|| read(Implementer::Wot))
}

/// The values that a chart is given: an import by nobody is one by a cluster that cannot be.
pub(crate) fn for_nobody_else(values: &HelmValues) -> HelmValues {
    let contract = ValuesContract::default();
    let close = |holder: &mut Map<String, Value>| {
        let list = holder.get_mut(&contract.imports).and_then(Value::as_array_mut);
        if let Some(list) = list.filter(|list| list.is_empty()) {
            list.push(NO_CLUSTER.into());
        }
    };
    let mut values = values.clone();
    close(&mut values);
    if let Some(wrapper) = values
        .get_mut(&contract.wot_wrapper)
        .and_then(Value::as_object_mut)
    {
        close(wrapper);
    }
    values
}

/// The values without the two lists of clusters.
pub(crate) fn without_clusters(values: &HelmValues) -> HelmValues {
    let contract = ValuesContract::default();
    let strip = |holder: &mut Map<String, Value>| {
        holder.retain(|key, _| *key != contract.affinity && *key != contract.imports);
    };
    let mut values = values.clone();
    strip(&mut values);
    if let Some(wrapper) = values
        .get_mut(&contract.wot_wrapper)
        .and_then(Value::as_object_mut)
    {
        strip(wrapper);
    }
    values
}

/// The values with a number of replicas under the two names that charts have for it.
pub(crate) fn with_replicas(values: &HelmValues, replicas: u32) -> HelmValues {
    let mut values = values.clone();
    for key in ["replicas", "replicaCount"] {
        values.insert(key.to_owned(), replicas.into());
    }
    values
}

/// ServiceImports of a chart whose ports need names, each with what is to be different in it.
pub(crate) fn named_ports(objects: &[(ObjectRef, &Value)]) -> Vec<(ObjectRef, Value)> {
    let ports = |object: &Value| -> Vec<Value> {
        let ports = object.pointer("/spec/ports").and_then(Value::as_array);
        ports.cloned().unwrap_or_default()
    };
    let has_name = |port: &Value| {
        port.get("name")
            .and_then(Value::as_str)
            .is_some_and(|name| !name.is_empty())
    };
    let protocol = |port: &Value| {
        let protocol = port.get("protocol").and_then(Value::as_str);
        protocol.unwrap_or("TCP").to_owned()
    };
    let imports = objects
        .iter()
        .filter(|(reference, _)| reference.kind == "ServiceImport");
    imports
        .filter_map(|(reference, import)| {
            let mut all = ports(import);
            if all.len() < 2 || all.iter().all(has_name) {
                return None;
            }
            let of_service = objects.iter().find(|(other, _)| {
                other.kind == "Service"
                    && other.name == reference.name
                    && other.namespace == reference.namespace
            });
            let of_service = of_service.map(|(_, service)| ports(service)).unwrap_or_default();
            for port in all.iter_mut().filter(|port| !has_name(port)) {
                let same = |other: &&Value| {
                    other.get("port") == port.get("port") && protocol(other) == protocol(port)
                };
                let known = of_service.iter().find(same).and_then(|other| other.get("name"));
                let number = port.get("port").cloned().unwrap_or_default();
                let made = format!("{}-{number}", protocol(port).to_lowercase());
                port["name"] = known.cloned().unwrap_or_else(|| made.into());
            }
            Some((reference.clone(), json!({"spec": {"ports": all}})))
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn values(value: Value) -> HelmValues {
        value.as_object().unwrap().clone().into()
    }

    #[test]
    fn an_import_by_nobody_is_never_one_by_everybody() {
        let given =
            values(json!({"serviceImportClusters": [], "voChartOverwrite": {"serviceImportClusters": []}}));
        let wanted = json!({"serviceImportClusters": [NO_CLUSTER], "voChartOverwrite": {"serviceImportClusters": [NO_CLUSTER]}});
        assert_eq!(for_nobody_else(&given).to_json(), wanted);
        assert!(NO_CLUSTER.parse::<ClusterName>().is_err());
        assert_eq!(imports_of(&for_nobody_else(&given)), Some(Vec::new()));
        for same in [
            json!({}),
            json!({"serviceImportClusters": ["m1"]}),
            json!({"serviceImportClusters": null, "voChartOverwrite": 3}),
        ] {
            assert_eq!(for_nobody_else(&values(same.clone())).to_json(), same);
        }
    }

    #[test]
    fn lists_of_clusters_are_no_difference() {
        let given = json!({"a": 1, "clustersAffinity": ["m1"], "voChartOverwrite": {"serviceImportClusters": ["m2"], "b": 2}});
        let rest = json!({"a": 1, "voChartOverwrite": {"b": 2}});
        assert_eq!(without_clusters(&values(given)).to_json(), rest);
    }

    #[test]
    fn several_ports_get_the_names_of_the_service() {
        let service = json!({"apiVersion": "v1", "kind": "Service", "metadata": {"name": "vo"}, "spec": {"ports": [
            {"name": "catalogue", "port": 9090},
            {"name": "coap", "port": 5683, "protocol": "UDP"},
        ]}});
        let import = |ports: Value| {
            json!({"apiVersion": "multicluster.x-k8s.io/v1alpha1", "kind": "ServiceImport", "metadata": {"name": "vo"},
                   "spec": {"type": "ClusterSetIP", "ports": ports}})
        };
        let mended = |ports: Value| {
            let import = import(ports);
            let objects = [&service, &import].map(|object| (ObjectRef::of(object).unwrap(), object));
            named_ports(&objects)
        };
        let found = mended(json!([
            {"port": 9090, "protocol": "TCP"},
            {"port": 5683, "protocol": "TCP"},
            {"port": 7, "name": "echo"},
        ]));
        insta::assert_snapshot!(found[0].1, @r#"{"spec":{"ports":[{"port":9090,"protocol":"TCP","name":"catalogue"},{"port":5683,"protocol":"TCP","name":"tcp-5683"},{"port":7,"name":"echo"}]}}"#);
        assert_eq!(mended(json!([{"port": 9090}])), [], "one port needs no name");
        assert_eq!(
            mended(json!([{"port": 1, "name": "a"}, {"port": 2, "name": "b"}])),
            []
        );
    }
}
