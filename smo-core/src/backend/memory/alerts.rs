//! Alert rules in memory; a test says what fires.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use jiff::Timestamp;
use sha2::{Digest, Sha256};

use super::{Journal, Scripted, lock};
use crate::backend::{AlertBackend, BackendError, ErrorKind, FiringAlert, Labels};
use crate::graph::PrometheusDuration;
use crate::plan::{AlertGroup, AlertRule};

/// Alert rules in memory. Nothing is evaluated: [`InMemoryAlerts::fire`] says what fires. Clones share everything.
#[derive(Debug, Clone, Default)]
pub struct InMemoryAlerts(Arc<Inner>);

#[derive(Debug, Default)]
struct Inner {
    journal: Journal,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    groups: BTreeMap<String, AlertGroup>,
    /// Start by name of rule.
    firing: BTreeMap<String, Timestamp>,
}

impl State {
    fn rule(&self, name: &str) -> Option<&AlertRule> {
        self.groups
            .values()
            .flat_map(|group| &group.rules)
            .find(|rule| rule.alert == name)
    }

    /// An alert whose rule is gone or has changed does not fire any more.
    fn drop_orphans(&mut self, changed: &[String]) {
        let names: BTreeSet<String> = self
            .groups
            .values()
            .flat_map(|group| &group.rules)
            .map(|rule| rule.alert.clone())
            .collect();
        self.firing
            .retain(|name, _| names.contains(name) && !changed.contains(name));
    }
}

impl InMemoryAlerts {
    /// No rules.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Makes a rule fire since `at`, and gives the alert. A rule that fires already goes on with its start.
    ///
    /// # Errors
    /// `NotFound` when no rule of that name is in force.
    pub fn fire(&self, rule: &str, at: Timestamp) -> Result<FiringAlert, BackendError> {
        let mut state = lock(&self.0.state);
        let missing = || {
            BackendError::new(
                ErrorKind::NotFound,
                format!("fire {rule}"),
                "no such rule is in force",
            )
        };
        let found = state.rule(rule).cloned().ok_or_else(missing)?;
        let starts_at = *state.firing.entry(rule.to_owned()).or_insert(at);
        Ok(alert(&found, starts_at))
    }

    /// Ends an alert.
    pub fn resolve(&self, rule: &str) {
        lock(&self.0.state).firing.remove(rule);
    }

    /// The group called `name`, as it was written.
    #[must_use]
    pub fn group(&self, name: &str) -> Option<AlertGroup> {
        lock(&self.0.state).groups.get(name).cloned()
    }
}

fn alert(rule: &AlertRule, starts_at: Timestamp) -> FiringAlert {
    let mut labels = rule.labels.clone();
    labels.insert("alertname".to_owned(), rule.alert.clone());
    FiringAlert {
        fingerprint: fingerprint(&labels),
        labels,
        starts_at,
    }
}

/// Equal for equal labels: 16 hexadecimal digits, as Alertmanager's.
fn fingerprint(labels: &Labels) -> String {
    let mut hash = Sha256::new();
    for (name, value) in labels {
        hash.update(name.as_bytes());
        hash.update([0xff]);
        hash.update(value.as_bytes());
        hash.update([0xff]);
    }
    hash.finalize()
        .iter()
        .take(8)
        .map(|byte| format!("{byte:02x}"))
        .collect()
}

fn check(rule: &AlertRule) -> Result<(), BackendError> {
    let invalid = |why: String| {
        Err(BackendError::new(
            ErrorKind::Invalid,
            format!("alert rule {}", rule.alert),
            why,
        ))
    };
    if rule.alert.is_empty() {
        return invalid("it has no name".to_owned());
    }
    if rule.expr.trim().is_empty() {
        return invalid("its expression is empty".to_owned());
    }
    match rule.hold.parse::<PrometheusDuration>() {
        Ok(_) => Ok(()),
        Err(error) => invalid(error.to_string()),
    }
}

impl Scripted for InMemoryAlerts {
    fn journal(&self) -> &Journal {
        &self.0.journal
    }
}

#[async_trait]
impl AlertBackend for InMemoryAlerts {
    async fn write(&self, group: &AlertGroup) -> Result<(), BackendError> {
        self.0.journal.enter("write", &group.name)?;
        group.rules.iter().try_for_each(check)?;
        {
            let mut state = lock(&self.0.state);
            let former = state.groups.insert(group.name.clone(), group.clone());
            let changed = former.into_iter().flat_map(|former| former.rules);
            let changed = changed
                .filter(|rule| !group.rules.contains(rule))
                .map(|rule| rule.alert);
            let changed: Vec<String> = changed.collect();
            state.drop_orphans(&changed);
        }
        self.0.journal.leave("write", &group.name)
    }

    async fn remove(&self, group: &str) -> Result<(), BackendError> {
        self.0.journal.enter("remove", group)?;
        {
            let mut state = lock(&self.0.state);
            state.groups.remove(group);
            state.drop_orphans(&[]);
        }
        self.0.journal.leave("remove", group)
    }

    async fn groups(&self) -> Result<BTreeMap<String, String>, BackendError> {
        self.0.journal.enter("groups", "")?;
        let state = lock(&self.0.state);
        Ok(state
            .groups
            .iter()
            .map(|(name, group)| (name.clone(), group.fingerprint()))
            .collect())
    }

    async fn firing(&self) -> Result<Vec<FiringAlert>, BackendError> {
        self.0.journal.enter("firing", "")?;
        let state = lock(&self.0.state);
        let firing = state.firing.iter();
        Ok(firing
            .filter_map(|(name, start)| state.rule(name).map(|rule| alert(rule, *start)))
            .collect())
    }
}
