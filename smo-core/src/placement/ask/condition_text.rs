//! What conditions say, in words.

use std::collections::BTreeSet;

use super::Condition;
use crate::cluster::TaintEffect;
use crate::placement::{PlacementProblem, Spread};

impl Condition {
    /// What it says, in one line.
    #[must_use]
    pub fn describe(&self, problem: &PlacementProblem) -> String {
        let list = |names: &mut dyn Iterator<Item = String>| names.collect::<Vec<_>>().join(", ");
        match self {
            Self::Readiness => {
                let down = problem
                    .clusters
                    .iter()
                    .filter(|(_, supply)| !supply.readiness.is_ready());
                let names: Vec<&str> = down.map(|(name, _)| name.as_str()).collect();
                let verb = if names.len() == 1 { "is" } else { "are" };
                format!("{} {verb} not ready", shortened(&names))
            }
            Self::NotReady { cluster } => format!("{cluster} is not ready"),
            Self::Resource { resource } => {
                let offers: Vec<String> = problem
                    .clusters
                    .iter()
                    .filter(|(_, supply)| supply.readiness.is_ready())
                    .filter_map(|(name, supply)| Some((name, supply.available(resource)?)))
                    .filter(|(_, amount)| *amount > 0)
                    .map(|(name, amount)| format!("{name} has {}", resource.describe(amount)))
                    .collect();
                if offers.is_empty() {
                    return format!("no cluster that is ready has {resource}");
                }
                let offers: Vec<&str> = offers.iter().map(String::as_str).collect();
                shortened(&offers)
            }
            Self::Capacity { cluster, resource } => {
                let supply = problem.clusters.get(cluster);
                match supply.and_then(|supply| supply.available(resource)) {
                    None | Some(0) => format!("{cluster} has no {resource}"),
                    Some(amount) => format!("{cluster} has {}", resource.describe(amount)),
                }
            }
            Self::Pin { service } => {
                let pinned = problem
                    .services
                    .get(service)
                    .and_then(|demand| demand.pinned.as_ref());
                let names = list(&mut pinned.into_iter().flatten().map(ToString::to_string));
                format!("{} is pinned to {names}", service.service)
            }
            Self::Exclusion { service } => {
                let excluded = problem.services.get(service).map(|demand| &demand.excluded);
                let names = list(&mut excluded.into_iter().flatten().map(ToString::to_string));
                format!("{} is kept off {names}", service.service)
            }
            Self::Regions { service } => {
                let regions = problem
                    .services
                    .get(service)
                    .and_then(|demand| demand.regions.as_ref());
                let names = list(&mut regions.into_iter().flatten().cloned());
                format!("{} may only run in {names}", service.service)
            }
            Self::Taints { service } => {
                let demand = problem.services.get(service);
                let keeps_off = |taint: &&crate::cluster::Taint| {
                    taint.effect != TaintEffect::PreferNoSchedule
                        && demand.is_some_and(|demand| {
                            !demand.tolerations.iter().any(|known| known.tolerates(taint))
                        })
                };
                let taints = problem.clusters.values().flat_map(|supply| &supply.taints);
                let keys: BTreeSet<String> =
                    taints.filter(keeps_off).map(|taint| taint.key.clone()).collect();
                let names = list(&mut keys.into_iter());
                format!("{} does not tolerate the taint {names}", service.service)
            }
            Self::Requirement { service } => {
                let requires = problem.services.get(service).map(|demand| &demand.requires);
                let names = list(&mut requires.into_iter().flatten().map(ToString::to_string));
                format!("{} requires {names}", service.service)
            }
            Self::Link { from, to } => {
                let limits = problem
                    .links
                    .iter()
                    .filter(|link| link.from == *from && link.to == *to)
                    .map(|link| link.limit.to_string());
                let limits: Vec<String> = limits.filter(|limit| !limit.is_empty()).collect();
                format!(
                    "{} -> {} needs {}",
                    from.service,
                    to.service,
                    limits.join(" and ")
                )
            }
            Self::Labels { service } => {
                let labels = problem.services.get(service).map(|demand| &demand.labels);
                let labels = list(&mut labels.into_iter().flatten().map(ToString::to_string));
                format!("{} needs clusters with the labels {labels}", service.service)
            }
            Self::Spread { service } => {
                let spread = problem.services.get(service).map(|demand| &demand.spread);
                let hard = spread
                    .into_iter()
                    .flatten()
                    .filter(|spread| spread.price.is_none());
                let said = list(&mut hard.map(described));
                format!("{} spreads over {said}", service.service)
            }
            Self::HighAvailability { service } => {
                let wanted = problem.services.get(service);
                let wanted = wanted.and_then(|demand| demand.high_availability.as_ref());
                let key = wanted.map(|wanted| wanted.key.to_string()).unwrap_or_default();
                format!("{} survives the loss of a {key}", service.service)
            }
            Self::Final { service } => format!("the placement of {} is final", service.service),
            Self::CoLocation { services, .. } => {
                let names = list(&mut services.iter().map(|key| key.service.to_string()));
                format!("{names} share their clusters")
            }
            Self::AntiAffinity { services, key, .. } => {
                let names = list(&mut services.iter().map(|key| key.service.to_string()));
                format!("of {names} no two share a {key}")
            }
            Self::Budget { goal } => {
                let budgets = problem.budgets.iter().filter(|budget| budget.goal == *goal);
                let least = budgets.map(|budget| budget.at_most).min().unwrap_or(0);
                format!("at most {}", goal.describe(least))
            }
            Self::Bandwidth => "the network between clusters carries what it can".to_owned(),
            Self::Custom { rule } => format!("the rule {rule} is kept"),
            Self::Service { service } => {
                let demand = problem.services.get(service);
                let total = demand.and_then(crate::placement::ServiceDemand::total);
                let total = total.map_or_else(String::new, |total| format!(" and takes {total}"));
                format!("{} runs{total}", service.service)
            }
        }
    }
}

/// `zones, at least 2`
fn described(spread: &Spread) -> String {
    let parts = [
        spread.min_groups.map(|least| format!("at least {least}")),
        spread.max_groups.map(|most| format!("at most {most}")),
        spread
            .max_skew
            .map(|skew| format!("with a skew of at most {skew}")),
    ];
    let parts: Vec<String> = parts.into_iter().flatten().collect();
    format!("{}s ({})", spread.key, parts.join(", "))
}

/// A few of many, and how many more.
fn shortened(names: &[&str]) -> String {
    const SPELLED_OUT: usize = 4;
    let mut shown: Vec<String> = names
        .iter()
        .take(SPELLED_OUT)
        .map(|name| (*name).to_owned())
        .collect();
    if names.len() > SPELLED_OUT {
        shown.push(format!("{} more", names.len() - SPELLED_OUT));
    }
    shown.join(", ")
}
