//! Alert rules and dashboards, free of the tool that runs them.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::Fingerprint;
use crate::graph::{ApplicationGraph, Service, TriggerEvent};
use crate::id::{GraphKey, ServiceKey};

/// One alert rule, as Prometheus evaluates it
/// ([rules](https://prometheus.io/docs/prometheus/latest/configuration/alerting_rules/)).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AlertRule {
    /// Its name, unique over all graphs and services.
    pub alert: String,
    /// The PromQL expression.
    pub expr: String,
    /// How long the expression has to hold.
    #[serde(rename = "for")]
    pub hold: String,
    /// Labels of the alert; `smo_project`, `smo_graph`, `smo_service` and `smo_event` find the service again.
    pub labels: BTreeMap<String, String>,
    /// Texts for people.
    pub annotations: BTreeMap<String, String>,
}

/// The alert rules of one graph. They are written and removed together.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AlertGroup {
    /// Its name, unique over all graphs.
    pub name: String,
    /// The rules, in the order of services and events.
    pub rules: Vec<AlertRule>,
}

/// A dashboard, to be drawn by whatever tool the host has.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Dashboard {
    /// Its id: letters, digits, `-` and `_`, 40 at most, unique over all graphs and services.
    pub uid: String,
    /// What it is called.
    pub title: String,
    /// Words to find it by.
    pub tags: Vec<String>,
    /// Choices that its panels refer to as `$name`.
    pub variables: Vec<Variable>,
    /// Its panels, in reading order.
    pub panels: Vec<Panel>,
}

/// A choice among given values.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Variable {
    /// Its name.
    pub name: String,
    /// The values to choose from.
    pub options: Vec<String>,
}

/// One picture of a dashboard.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Panel {
    /// What it shows.
    pub title: String,
    /// How it shows it.
    pub kind: PanelKind,
    /// The unit of its values.
    pub unit: Unit,
    /// Where the values come from.
    pub queries: Vec<Query>,
}

/// How a panel shows its values.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum PanelKind {
    /// Lines over time.
    TimeSeries,
    /// The last value.
    Stat,
}

/// The unit of a panel.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Unit {
    /// A count.
    Count,
    /// A share, 0 to 1.
    Ratio,
    /// Bytes.
    Bytes,
    /// Cores.
    Cores,
}

/// A PromQL query and what its lines are called.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Query {
    /// The expression.
    pub expr: String,
    /// The name of a line; `{{label}}` stands for a label's value.
    pub legend: String,
}

impl AlertGroup {
    /// The alert rules that start the waiting services of a graph; `None` when no service waits.
    #[must_use]
    pub fn of_graph(key: &GraphKey, graph: &ApplicationGraph) -> Option<Self> {
        let of_service = |service: &Service| {
            let key = key.service(service.id.clone());
            let rule = move |event| AlertRule::new(&key, event);
            service.trigger.events().iter().map(rule).collect::<Vec<_>>()
        };
        let rules: Vec<AlertRule> = graph.services().values().flat_map(of_service).collect();
        (!rules.is_empty()).then(|| Self {
            name: Self::name_of(key),
            rules,
        })
    }

    /// The fingerprint of its content, as [`crate::cluster::ObservedState::alert_groups`] has it.
    #[must_use]
    pub fn fingerprint(&self) -> String {
        Fingerprint::of(self).as_str().to_owned()
    }

    /// The name of the group of a graph. `.` cannot be part of an id, so no two graphs share one; it is a valid name
    /// for a Kubernetes object.
    #[must_use]
    pub fn name_of(key: &GraphKey) -> String {
        format!("smo.{}.{}", key.project, key.graph)
    }
}

impl AlertRule {
    /// The label that holds the project.
    pub const PROJECT: &'static str = "smo_project";
    /// The label that holds the graph.
    pub const GRAPH: &'static str = "smo_graph";
    /// The label that holds the service.
    pub const SERVICE: &'static str = "smo_service";
    /// The label that holds the event.
    pub const EVENT: &'static str = "smo_event";

    /// The name of the rule for an event of a service.
    #[must_use]
    pub fn name_of(service: &ServiceKey, event: &str) -> String {
        format!(
            "{}.{}.{}.{event}",
            service.graph.project, service.graph.graph, service.service
        )
    }

    fn new(service: &ServiceKey, event: &TriggerEvent) -> Self {
        let text = event
            .description
            .clone()
            .unwrap_or_else(|| format!("{} is due", event.id));
        let labels = [
            (Self::PROJECT, service.graph.project.to_string()),
            (Self::GRAPH, service.graph.graph.to_string()),
            (Self::SERVICE, service.service.to_string()),
            (Self::EVENT, event.id.clone()),
            // What the predecessor's rules carry, for receivers that were written for them.
            ("service", service.service.to_string()),
            ("severity", "critical".to_owned()),
        ];
        Self {
            alert: Self::name_of(service, &event.id),
            expr: event.prom_query.clone(),
            hold: event.grace_period.to_string(),
            labels: labels
                .into_iter()
                .map(|(name, value)| (name.to_owned(), value))
                .collect(),
            annotations: ["description", "summary"]
                .map(|name| (name.to_owned(), text.clone()))
                .into(),
        }
    }
}

impl Dashboard {
    /// The fingerprint of its content, as [`crate::cluster::ObservedState::dashboards`] has it.
    #[must_use]
    pub fn fingerprint(&self) -> String {
        Fingerprint::of(self).as_str().to_owned()
    }

    /// The dashboards of a graph: one of the whole, then one of each service.
    #[must_use]
    pub fn of_graph(key: &GraphKey, graph: &ApplicationGraph) -> Vec<Self> {
        let services: Vec<String> = graph.services().keys().map(ToString::to_string).collect();
        let whole = Self {
            uid: uid("g", &key.to_string(), key.graph.as_str()),
            title: key.to_string(),
            tags: tags(key),
            variables: vec![Variable {
                name: "service".to_owned(),
                options: services.clone(),
            }],
            panels: panels(key.project.as_str(), "$service"),
        };
        let one = |service: &String| Self {
            uid: uid("s", &format!("{key}/{service}"), service),
            title: format!("{key}/{service}"),
            tags: tags(key),
            variables: Vec::new(),
            panels: panels(key.project.as_str(), service),
        };
        std::iter::once(whole).chain(services.iter().map(one)).collect()
    }
}

fn tags(key: &GraphKey) -> Vec<String> {
    vec!["smo".to_owned(), key.project.to_string(), key.graph.to_string()]
}

/// At most 40 characters (Grafana's limit): a readable beginning and the digest of the whole name.
fn uid(kind: &str, whole: &str, readable: &str) -> String {
    let digest = Fingerprint::of(&(kind, whole));
    let readable: String = readable.chars().take(20).collect();
    format!(
        "smo-{readable}-{}",
        digest.as_str().get(..14).unwrap_or(digest.as_str())
    )
}

/// Names of metrics are those of kube-state-metrics and cAdvisor; the pod pattern is anchored, so that a service whose
/// name begins like another's is not counted with it.
fn panels(namespace: &str, service: &str) -> Vec<Panel> {
    let deployment = format!(r#"namespace="{namespace}",deployment="{service}""#);
    let pods = format!(
        r#"namespace="{namespace}",pod=~"{service}-[a-z0-9]+-[a-z0-9]+",container!="",container!="POD""#
    );
    let limits = format!(r#"namespace="{namespace}",pod=~"{service}-[a-z0-9]+-[a-z0-9]+""#);
    let panel = |title: &str, unit, queries: Vec<(String, &str)>| Panel {
        title: format!("{service} {title}"),
        kind: PanelKind::TimeSeries,
        unit,
        queries: queries
            .into_iter()
            .map(|(expr, legend)| Query {
                expr,
                legend: legend.to_owned(),
            })
            .collect(),
    };
    vec![
        panel(
            "replicas",
            Unit::Count,
            vec![
                (
                    format!("sum(kube_deployment_status_replicas_ready{{{deployment}}}) or on() vector(0)"),
                    "ready",
                ),
                (
                    format!("sum(kube_deployment_spec_replicas{{{deployment}}}) or on() vector(0)"),
                    "wanted",
                ),
            ],
        ),
        panel(
            "cpu",
            Unit::Cores,
            vec![
                (
                    format!("sum(rate(container_cpu_usage_seconds_total{{{pods}}}[2m]))"),
                    "used",
                ),
                (
                    format!(r#"sum(kube_pod_container_resource_limits{{{limits},resource="cpu"}})"#),
                    "limit",
                ),
            ],
        ),
        panel(
            "memory",
            Unit::Bytes,
            vec![
                (
                    format!("sum(container_memory_working_set_bytes{{{pods}}})"),
                    "used",
                ),
                (
                    format!(r#"sum(kube_pod_container_resource_limits{{{limits},resource="memory"}})"#),
                    "limit",
                ),
            ],
        ),
        panel(
            "throttled share",
            Unit::Ratio,
            vec![(
                format!(
                    "sum(increase(container_cpu_cfs_throttled_periods_total{{{pods}}}[2m])) / sum(increase(container_cpu_cfs_periods_total{{{pods}}}[2m]))"
                ),
                "throttled",
            )],
        ),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::graph::{EventCondition, Trigger};

    fn waiting(id: &str, events: &[&str]) -> Service {
        let event = |id: &&str| TriggerEvent {
            id: (*id).to_owned(),
            sources: Vec::new(),
            prom_query: "up == 0".to_owned(),
            grace_period: "2m".parse().unwrap(),
            description: None,
        };
        let trigger = Trigger::Event {
            condition: EventCondition::Any,
            events: events.iter().map(event).collect(),
        };
        Service {
            trigger,
            ..Service::new(id.parse().unwrap(), "oci://r/c")
        }
    }

    fn key(project: &str, graph: &str) -> GraphKey {
        GraphKey::new(project.parse().unwrap(), graph.parse().unwrap())
    }

    #[test]
    fn alert_names_are_unique_over_graphs_and_services() {
        let graph = |id: &str, services| ApplicationGraph::new(id.parse().unwrap(), services, []).unwrap();
        let one = graph(
            "g",
            vec![waiting("a", &["main"]), waiting("a-b", &["main", "other"])],
        );
        let mut names: Vec<String> = Vec::new();
        for project in ["p", "q"] {
            let group = AlertGroup::of_graph(&key(project, "g"), &one).unwrap();
            names.extend(group.rules.iter().map(|rule| rule.alert.clone()));
        }
        let unique: std::collections::BTreeSet<_> = names.iter().collect();
        assert_eq!(unique.len(), 6);
        let plain = graph("h", vec![Service::new("a".parse().unwrap(), "oci://r/c")]);
        assert_eq!(AlertGroup::of_graph(&key("p", "h"), &plain), None);
    }

    #[test]
    fn dashboard_uids_are_short_valid_and_unique() {
        let long = "x".repeat(63);
        let services = [
            Service::new(long.parse().unwrap(), "oci://r/c"),
            Service::new("g".parse().unwrap(), "oci://r/c"),
        ];
        let graph = ApplicationGraph::new("g".parse().unwrap(), services, []).unwrap();
        let dashboards = Dashboard::of_graph(&key("p", "g"), &graph);
        let uids: std::collections::BTreeSet<_> = dashboards.iter().map(|dashboard| &dashboard.uid).collect();
        assert_eq!(uids.len(), 3);
        for uid in uids {
            assert!(
                uid.len() <= 40 && uid.chars().all(|c| c.is_ascii_alphanumeric() || c == '-'),
                "{uid}"
            );
        }
    }
}
