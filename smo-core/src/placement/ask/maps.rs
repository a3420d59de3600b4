//! Answers as maps: services beside clusters, losses, or before and after.

use indexmap::{IndexMap, IndexSet};

use super::comparison::changes;
use super::what_if::verdict;
use super::{Fate, FullExplanation, LossCertificate, Price, Relocation, ServiceChoice, Survival, WhatIf};
use crate::id::{ClusterName, ServiceKey};
use crate::placement::map::{Cell, Map, Shade};
use crate::placement::{Assignment, Outcome, Value};

impl FullExplanation {
    /// A map of services and clusters: where each service runs, and what every other cluster costs or what forbids it. The
    /// dearer, the redder. Self-contained, without scripts.
    #[must_use]
    pub fn to_svg(&self) -> String {
        let clusters: Vec<&ClusterName> = self.decision.explanation.clusters.keys().collect();
        let prices = self.services.values().flat_map(|choice| choice.others.values());
        let dearest = prices.filter_map(Price::difference).max();
        let rows = self.services.iter().map(|(service, choice)| {
            let cells = clusters.iter().map(|cluster| cell(choice, cluster, dearest));
            (service.service.to_string(), cells.collect())
        });
        Map {
            title: format!("why here: {}", self.decision.verdict()),
            columns: clusters.iter().map(ToString::to_string).collect(),
            rows: rows.collect(),
            notes: Vec::new(),
        }
        .to_svg()
    }
}

/// A service beside a cluster: it runs there, would at a price, or may not.
fn cell(choice: &ServiceChoice, cluster: &ClusterName, dearest: Option<Value>) -> Option<Cell> {
    let here = choice.chosen.on(cluster);
    if here > 0 {
        let several = choice.chosen.replicas() > 1;
        let on = Assignment::single(cluster.clone(), here).to_string();
        let text = if several { on } else { "here".to_owned() };
        return Some(Cell::new(Shade::Here, text));
    }
    Some(match choice.others.get(cluster)? {
        Price::Costs {
            difference, by_goal, ..
        } => {
            let whole = choice.whole.get(cluster);
            let all = whole.map(|whole| format!(" a replica; all: {whole}"));
            let text = changes(by_goal) + &all.unwrap_or_default();
            Cell::new(Shade::Priced(shade(*difference, dearest)), text)
        }
        Price::Forbidden(reason) | Price::NotAsked(reason) => Cell::new(Shade::Closed, reason.to_string()),
        price @ Price::NoRoom { .. } => Cell::new(Shade::Closed, price.to_string()),
    })
}

/// From white to red, by the share of the dearest price.
fn shade(price: Value, dearest: Option<Value>) -> String {
    let whole = dearest.map_or(0, Value::units).max(1);
    let part = price.units().clamp(0, whole);
    // Scaled down first where the product would not fit.
    let scale = (whole / i128::from(u64::MAX)).max(1);
    let share = (part / scale) * 110 / (whole / scale).max(1);
    let rest = 250 - u8::try_from(share.clamp(0, 110)).unwrap_or(0);
    format!("#fa{rest:02x}{rest:02x}")
}

impl LossCertificate {
    /// A map of services and losses: where each service runs, where it goes after each loss that moves it, and which losses leave no
    /// placement. Self-contained, without scripts.
    #[must_use]
    pub fn to_svg(&self) -> String {
        let baseline = match &self.baseline {
            Outcome::Placed(baseline) => baseline,
            Outcome::Infeasible(diagnosis) => return diagnosis.to_svg(),
        };
        let changed: Vec<_> = self
            .losses
            .iter()
            .map(|loss| by_service(loss.survival.relocations()))
            .collect();
        let rows = baseline.placement.iter().map(|(service, now)| {
            let now = Cell::new(Shade::Here, now.to_string());
            let losses = self.losses.iter().zip(&changed);
            let after = losses.map(|(loss, changed)| match &loss.survival {
                Survival::Broken { outcome } => Some(Cell::new(Shade::Broken, verdict(outcome))),
                _ => changed.get(service).map(|change| goes(change)),
            });
            let cells = std::iter::once(Some(now)).chain(after).collect();
            (service.service.to_string(), cells)
        });
        let lost = self.losses.iter().map(|loss| format!("without {}", loss.name));
        let text = self.to_string();
        Map {
            title: text.lines().next().unwrap_or_default().to_owned(),
            columns: std::iter::once("now".to_owned()).chain(lost).collect(),
            rows: rows.collect(),
            notes: self.stopped_early().into_iter().collect(),
        }
        .to_svg()
    }
}

/// By service, what becomes of it; nothing of those that stay.
fn by_service<'r>(
    relocations: impl IntoIterator<Item = &'r Relocation>,
) -> IndexMap<&'r ServiceKey, &'r Relocation> {
    relocations
        .into_iter()
        .map(|change| (&change.service, change))
        .collect()
}

impl WhatIf {
    /// A map of services before and after the edits: where each one runs, and what moves, starts or stops. Below it is what changes by
    /// goal. Self-contained, without scripts.
    #[must_use]
    pub fn to_svg(&self) -> String {
        let relocations = self
            .comparison
            .iter()
            .flat_map(|comparison| &comparison.relocations);
        let changed = by_service(relocations);
        let decisions = [&self.before, &self.after]
            .into_iter()
            .filter_map(Outcome::decision);
        let placed = decisions.flat_map(|decision| decision.placement.iter());
        let services: IndexSet<&ServiceKey> = placed.map(|(service, _)| service).collect();
        let rows = services.into_iter().map(|service| {
            let after = match changed.get(service) {
                Some(change) => Some(goes(change)),
                None => runs(&self.after, service),
            };
            let cells = [runs(&self.before, service), after];
            (service.service.to_string(), cells.into())
        });
        let text = self.to_string();
        let mut lines = text.lines();
        let title = lines.next().unwrap_or_default().to_owned();
        let mut notes: Vec<String> = lines
            .take_while(|line| !line.is_empty())
            .map(str::to_owned)
            .collect();
        if let Some(comparison) = &self.comparison {
            let change = comparison.after.checked_sub(&comparison.before);
            notes.push(format!("change: {}", changes(&change.unwrap_or_default())));
        }
        Map {
            title,
            columns: vec!["before".to_owned(), "after".to_owned()],
            rows: rows.collect(),
            notes,
        }
        .to_svg()
    }
}

/// Where a service runs; `None` where it is not asked for.
fn runs(outcome: &Outcome, service: &ServiceKey) -> Option<Cell> {
    match outcome {
        Outcome::Placed(decision) => {
            let there = decision.placement.get(service)?;
            Some(Cell::new(Shade::Here, there.to_string()))
        }
        Outcome::Infeasible(_) => Some(Cell::new(Shade::Broken, verdict(outcome))),
    }
}

/// Where a service that changes goes.
fn goes(change: &Relocation) -> Cell {
    match change.fate() {
        Fate::Stops => Cell::new(Shade::Closed, "stops"),
        _ => Cell::new(Shade::Moved, change.to.to_string()),
    }
}
