//! The values contract between an orchestrator and a chart: which keys say where a release runs and who imports it.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::graph::{Artifact, Implementer};
use crate::helm_values::HelmValues;
use crate::id::ClusterName;

/// The names of the keys. Charts with a values schema refuse every other key, so only these two lists are written.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ValuesContract {
    /// The list of clusters to run on.
    pub affinity: String,
    /// The list of clusters that import the Kubernetes Service.
    pub imports: String,
    /// The map that holds both in a Web-of-Things chart; in other charts they stand at the root.
    pub wot_wrapper: String,
}

impl Default for ValuesContract {
    /// `clustersAffinity`, `serviceImportClusters`, `voChartOverwrite`.
    fn default() -> Self {
        Self {
            affinity: "clustersAffinity".to_owned(),
            imports: "serviceImportClusters".to_owned(),
            wot_wrapper: "voChartOverwrite".to_owned(),
        }
    }
}

/// The wrapper key of a Web-of-Things chart holds something other than a map.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`valuesOverwrite.{key}` holds {found}; a map is expected")]
pub struct WrapperIsNoMap {
    key: String,
    found: &'static str,
}

impl ValuesContract {
    /// The designer's values with both lists set.
    ///
    /// # Errors
    /// When the wrapper of a Web-of-Things chart is there and no map.
    pub fn write(
        &self,
        artifact: &Artifact,
        clusters: &[ClusterName],
        imports: &[ClusterName],
    ) -> Result<HelmValues, WrapperIsNoMap> {
        let mut values = artifact.values.clone();
        let target = if artifact.implementer == Implementer::Wot {
            let wrapper = values.entry(self.wot_wrapper.clone()).or_insert(Value::Null);
            if wrapper.is_null() {
                *wrapper = Value::Object(Map::new());
            }
            let found = kind(wrapper);
            let refuse = || WrapperIsNoMap {
                key: self.wot_wrapper.clone(),
                found,
            };
            wrapper.as_object_mut().ok_or_else(refuse)?
        } else {
            &mut values
        };
        target.insert(self.affinity.clone(), names(clusters));
        target.insert(self.imports.clone(), names(imports));
        Ok(values)
    }

    /// The clusters that values name to run on; none when they name none.
    #[must_use]
    pub fn read_affinity(&self, implementer: &Implementer, values: &HelmValues) -> Vec<ClusterName> {
        self.read(implementer, values, &self.affinity).unwrap_or_default()
    }

    /// The clusters that values name to import the Kubernetes Service; `None` when they do not say.
    #[must_use]
    pub fn read_imports(&self, implementer: &Implementer, values: &HelmValues) -> Option<Vec<ClusterName>> {
        self.read(implementer, values, &self.imports)
    }

    fn read(&self, implementer: &Implementer, values: &HelmValues, key: &str) -> Option<Vec<ClusterName>> {
        let holder = match implementer {
            Implementer::Wot => values.get(&self.wot_wrapper)?.as_object()?,
            _ => values,
        };
        let names = holder.get(key)?.as_array()?;
        Some(
            names
                .iter()
                .filter_map(|name| name.as_str()?.parse().ok())
                .collect(),
        )
    }
}

fn names(clusters: &[ClusterName]) -> Value {
    clusters
        .iter()
        .map(|cluster| Value::String(cluster.to_string()))
        .collect()
}

fn kind(value: &Value) -> &'static str {
    match value {
        Value::Null => "nothing",
        Value::Bool(_) => "a boolean",
        Value::Number(_) => "a number",
        Value::String(_) => "a text",
        Value::Array(_) => "a list",
        Value::Object(_) => "a map",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::graph::Service;
    use serde_json::json;

    fn artifact(implementer: Implementer, values: Value) -> Artifact {
        let values = values.as_object().unwrap().clone().into();
        Artifact {
            implementer,
            values,
            ..Service::new("s".parse().unwrap(), "oci://r/s").artifact
        }
    }

    fn clusters(names: &[&str]) -> Vec<ClusterName> {
        names.iter().map(|name| name.parse().unwrap()).collect()
    }

    #[test]
    fn plain_charts_have_both_lists_at_the_root() {
        let contract = ValuesContract::default();
        let artifact = artifact(Implementer::Helm, json!({"image": {"tag": "1"}}));
        let values = contract
            .write(&artifact, &clusters(&["a"]), &clusters(&["a", "b"]))
            .unwrap();
        let expected =
            json!({"image": {"tag": "1"}, "clustersAffinity": ["a"], "serviceImportClusters": ["a", "b"]});
        assert_eq!(values.to_json(), expected);
        assert_eq!(
            contract.read_affinity(&Implementer::Helm, &values),
            clusters(&["a"])
        );
    }

    #[test]
    fn wot_charts_have_them_in_the_wrapper_and_keep_the_rest() {
        let contract = ValuesContract::default();
        for given in [
            json!({}),
            json!({"voChartOverwrite": null}),
            json!({"voChartOverwrite": {"service": {"type": "NodePort"}}}),
        ] {
            let values = contract
                .write(
                    &artifact(Implementer::Wot, given),
                    &clusters(&["a"]),
                    &clusters(&["b"]),
                )
                .unwrap();
            assert_eq!(values["voChartOverwrite"]["clustersAffinity"], json!(["a"]));
            assert!(!values.contains_key("clustersAffinity"));
            assert_eq!(
                contract.read_imports(&Implementer::Wot, &values),
                Some(clusters(&["b"]))
            );
        }
        let broken = artifact(Implementer::Wot, json!({"voChartOverwrite": ["x"]}));
        assert_eq!(
            contract.write(&broken, &[], &[]).unwrap_err().to_string(),
            "`valuesOverwrite.voChartOverwrite` holds a list; a map is expected"
        );
    }
}
