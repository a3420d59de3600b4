//! Reading a plan for what is allowed and yet surprising.

use std::collections::BTreeMap;

use super::{DeploymentPlan, Note, Target};
use crate::cluster::{Inventory, Readiness};
use crate::diagnostic::Code;
use crate::graph::ApplicationGraph;
use crate::id::ServiceId;

/// A chart is named without a version, so the newest one is installed.
pub const UNPINNED_CHART: Code = Code("N101");
/// A chart is named by an `https://` reference, which Helm takes for an archive.
pub const HTTPS_CHART: Code = Code("N102");
/// A service id differs from the name of its chart.
pub const RELEASE_NAME: Code = Code("N103");
/// Two services install one chart into one namespace.
pub const SHARED_CHART: Code = Code("N104");
/// Static placement: nothing was decided for this service.
pub const STATIC_PLACEMENT: Code = Code("N111");
/// The values of a statically placed service name a cluster that the fleet does not have.
pub const UNKNOWN_CLUSTER: Code = Code("N112");
/// The values of a statically placed service have an empty import list.
pub const EMPTY_IMPORTS: Code = Code("N113");
/// Nobody calls a service, so it is imported where it runs.
pub const NO_IMPORTER: Code = Code("N114");
/// A cluster was left out.
pub const CLUSTER_LEFT_OUT: Code = Code("N121");
/// An intent was read and carries no rule yet.
pub const INTENT_WITHOUT_RULE: Code = Code("N131");
/// Energy efficiency was asked for, and nothing is known about carbon.
pub const UNKNOWN_CARBON: Code = Code("N132");
/// Capacity is held for a service that waits.
pub const HELD_CAPACITY: Code = Code("N133");

/// Every kind of note, with its meaning.
pub const ALL: [(Code, &str); 12] = [
    (UNPINNED_CHART, "a chart is named without a version"),
    (HTTPS_CHART, "a chart is named by an https:// reference"),
    (RELEASE_NAME, "a service id differs from the name of its chart"),
    (SHARED_CHART, "two services install one chart into one namespace"),
    (STATIC_PLACEMENT, "nothing was decided for this service"),
    (
        UNKNOWN_CLUSTER,
        "static values name a cluster that the fleet does not have",
    ),
    (EMPTY_IMPORTS, "static values have an empty import list"),
    (NO_IMPORTER, "nobody calls a service"),
    (CLUSTER_LEFT_OUT, "a cluster cannot take work"),
    (INTENT_WITHOUT_RULE, "an intent carries no rule yet"),
    (UNKNOWN_CARBON, "carbon counts and is unknown"),
    (HELD_CAPACITY, "capacity is held for a waiting service"),
];

/// Notes on a plan, in a stable order: by code, then in the order of the descriptor.
#[must_use]
pub fn lint(plan: &DeploymentPlan, graph: &ApplicationGraph, fleet: &Inventory) -> Vec<Note> {
    let mut notes = Vec::new();
    charts(plan, &mut notes);
    targets(plan, fleet, &mut notes);
    clusters(plan, fleet, &mut notes);
    intents(plan, graph, fleet, &mut notes);
    notes.sort_by_key(|note| note.code);
    notes
}

fn note(notes: &mut Vec<Note>, code: Code, service: Option<&ServiceId>, message: impl Into<String>) {
    notes.push(Note {
        code,
        service: service.cloned(),
        message: message.into(),
    });
}

/// The last part of a chart reference without version or digest: what the chart is called in its registry.
fn chart_name(reference: &str) -> &str {
    let last = reference.rsplit('/').next().unwrap_or(reference);
    last.split(['@', ':']).next().unwrap_or(last)
}

fn charts(plan: &DeploymentPlan, notes: &mut Vec<Note>) {
    let mut users: BTreeMap<&str, Vec<&ServiceId>> = BTreeMap::new();
    for (id, service) in &plan.services {
        let chart = service.release.chart.as_str();
        let name = chart_name(chart);
        users.entry(chart).or_default().push(id);
        if !chart.rsplit('/').next().unwrap_or_default().contains([':', '@']) {
            note(
                notes,
                UNPINNED_CHART,
                Some(id),
                format!("{chart} names no version; the newest is installed"),
            );
        }
        if chart.starts_with("https://") || chart.starts_with("http://") {
            let message = format!("Helm takes {chart} for a chart archive; write oci:// for a registry");
            note(notes, HTTPS_CHART, Some(id), message);
        }
        if name != id.as_str() {
            let message = format!(
                "the chart is called `{name}`: objects that it names after itself are not found under the service id"
            );
            note(notes, RELEASE_NAME, Some(id), message);
        }
    }
    for (chart, services) in users.into_iter().filter(|(_, services)| services.len() > 1) {
        let names: Vec<&str> = services.iter().map(|id| id.as_str()).collect();
        let message = format!(
            "{} install {chart} into one namespace: objects that it names after itself collide",
            names.join(" and ")
        );
        note(notes, SHARED_CHART, None, message);
    }
}

fn targets(plan: &DeploymentPlan, fleet: &Inventory, notes: &mut Vec<Note>) {
    for (id, service) in &plan.services {
        let Target::ChosenByChart { declared } = &service.release.target else {
            continue;
        };
        let message = if declared.is_empty() {
            "static placement: the defaults of the chart decide where it runs".to_owned()
        } else {
            let names: Vec<&str> = declared.iter().map(|cluster| cluster.as_str()).collect();
            format!(
                "static placement: the descriptor says {}; nothing is checked against capacity",
                names.join(", ")
            )
        };
        note(notes, STATIC_PLACEMENT, Some(id), message);
        for cluster in declared
            .iter()
            .filter(|cluster| fleet.cluster(cluster.as_str()).is_none())
        {
            note(
                notes,
                UNKNOWN_CLUSTER,
                Some(id),
                format!("the fleet has no cluster `{cluster}`: it will not be scheduled"),
            );
        }
        let imports = plan
            .values_contract
            .read_imports(&service.implementer, &service.release.values);
        if imports.is_some_and(|clusters| clusters.is_empty()) {
            let message = "its import list is empty, which Karmada reads as every cluster";
            note(notes, EMPTY_IMPORTS, Some(id), message);
        }
    }
    for import in plan.imports.iter().filter(|import| import.importers.is_empty()) {
        let message = "no service calls it, and Karmada reads an empty import list as every cluster: imported only where it runs";
        note(notes, NO_IMPORTER, Some(&import.service), message);
    }
}

fn clusters(plan: &DeploymentPlan, fleet: &Inventory, notes: &mut Vec<Note>) {
    if plan.decision.is_none() {
        return;
    }
    for cluster in fleet.clusters.values() {
        let (reason, since) = match &cluster.readiness {
            Readiness::Ready => continue,
            Readiness::NotReady { reason, since } => (reason, *since),
            Readiness::Unknown { reason } => (reason, None),
        };
        let since = since.map(|time| format!(" since {time}")).unwrap_or_default();
        note(
            notes,
            CLUSTER_LEFT_OUT,
            None,
            format!("{} is left out: not ready{since} ({reason})", cluster.name),
        );
    }
}

fn intents(plan: &DeploymentPlan, graph: &ApplicationGraph, fleet: &Inventory, notes: &mut Vec<Note>) {
    let intent = graph.intent();
    if intent.security {
        note(
            notes,
            INTENT_WITHOUT_RULE,
            None,
            "security is asked for; no placement rule follows from it yet",
        );
    }
    if intent.high_availability && plan.services.values().all(|service| service.replicas < 2) {
        let message = "high availability is asked for with one replica per service: the placement is final, nothing is spread";
        note(notes, INTENT_WITHOUT_RULE, None, message);
    }
    if intent.energy_efficiency && fleet.ready().all(|cluster| cluster.carbon.is_none()) {
        let message = "energy efficiency is asked for, and no cluster says what it emits";
        note(notes, UNKNOWN_CARBON, None, message);
    }
    for service in graph.services().values() {
        let needs = plan.requirements.services.get(&service.id);
        if service.device_proximity && needs.is_none_or(|needs| needs.device_label.is_none()) {
            let message = "device proximity is asked for; the catalogue names no label of clusters near devices, so pin the service to be sure";
            note(notes, INTENT_WITHOUT_RULE, Some(&service.id), message);
        }
        for with in &service.co_location {
            if !graph.services().keys().any(|id| id.as_str() == with.id) {
                let message = format!(
                    "shares the clusters of {} only where that service is known to run, or is decided together with this one",
                    with.id
                );
                note(notes, INTENT_WITHOUT_RULE, Some(&service.id), message);
            }
        }
        if service.trigger.waits_for_event() && plan.decision.is_some() {
            let message = "waits for its alert; its capacity is held until then";
            note(notes, HELD_CAPACITY, Some(&service.id), message);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_chart_is_called_by_the_last_part_of_its_reference() {
        for reference in [
            "oci://host:5000/p/web",
            "oci://h/p/web:1.2.0",
            "https://h/web@sha256:abc",
            "web",
        ] {
            assert_eq!(chart_name(reference), "web", "{reference}");
        }
    }

    #[test]
    fn every_code_is_listed_once() {
        let codes: std::collections::BTreeSet<_> = ALL.iter().map(|(code, _)| code).collect();
        assert_eq!(codes.len(), ALL.len());
    }
}
