//! Alert rules and dashboards, free of the tool that runs them.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

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
