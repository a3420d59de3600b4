//! The two ends of a link with a limit run near one another. What nobody measured is not near. Softly: points for every
//! two clusters of a link that are too far apart.

use super::{Pair, Rule, first_own_reason};
use crate::cluster::Path;
use crate::id::ServiceKey;
use crate::placement::{Breach, LinkDemand, LinkLimit, Placement, PlacementProblem, Reason};

/// Every link with a limit keeps it.
#[derive(Debug, Clone, Copy)]
pub struct Latency;

impl LinkLimit {
    /// True when the path is known to be near enough: its round trip strictly below, its hops at most the limit.
    #[must_use]
    pub fn allows(&self, path: Path) -> bool {
        let near = self
            .rtt_below
            .is_none_or(|limit| path.rtt.is_some_and(|rtt| rtt < limit));
        let direct = self
            .max_hops
            .is_none_or(|limit| path.hops.is_some_and(|hops| hops <= limit));
        near && direct
    }

    /// The limit that the path would keep, in words; `None` where nobody measured it.
    pub(crate) fn relaxed_to(&self, path: Path) -> Option<String> {
        let rtt = match self.rtt_below {
            Some(limit) if path.rtt? >= limit => Some(format!("more than {}", path.rtt?)),
            _ => None,
        };
        let hops = match self.max_hops {
            Some(limit) if path.hops? > limit => Some(plural_hops(path.hops?)),
            _ => None,
        };
        let parts: Vec<String> = [rtt, hops].into_iter().flatten().collect();
        (!parts.is_empty()).then(|| parts.join(" and "))
    }

    /// What was measured and what is needed: `18 ms, needs < 10 ms`.
    #[must_use]
    pub fn compare(&self, path: Path) -> String {
        let rtt = self.rtt_below.map(|limit| {
            let measured = path
                .rtt
                .map_or_else(|| "not measured".to_owned(), |rtt| rtt.to_string());
            (
                path.rtt.is_some_and(|rtt| rtt < limit),
                format!("{measured}, needs < {limit}"),
            )
        });
        let hops = self.max_hops.map(|limit| {
            let measured = path
                .hops
                .map_or_else(|| "hops not measured".to_owned(), plural_hops);
            let kept = path.hops.is_some_and(|hops| hops <= limit);
            (kept, format!("{measured}, needs at most {limit}"))
        });
        let broken: Vec<String> = [rtt, hops]
            .into_iter()
            .flatten()
            .filter(|(kept, _)| !kept)
            .map(|(_, text)| text)
            .collect();
        broken.join("; ")
    }
}

fn plural_hops(hops: u32) -> String {
    if hops == 1 {
        "1 hop".to_owned()
    } else {
        format!("{hops} hops")
    }
}

/// The limited links of a service, each with the service at the other end.
pub(crate) fn limited_links<'a>(
    problem: &'a PlacementProblem,
    service: &'a ServiceKey,
) -> impl Iterator<Item = (&'a ServiceKey, LinkLimit)> {
    problem.links.iter().filter_map(move |link| {
        let peer = match (link.from == *service, link.to == *service) {
            (true, false) => &link.to,
            (false, true) => &link.from,
            _ => return None,
        };
        (!link.limit.is_none()).then_some((peer, link.limit))
    })
}

impl Rule for Latency {
    fn name(&self) -> &str {
        "latency"
    }

    /// A cluster is out when no cluster that the other rules leave to the peer is near enough to it.
    fn forbids(&self, pair: &Pair<'_>) -> Option<Reason> {
        let problem = pair.problem;
        for (peer, limit) in limited_links(problem, pair.service) {
            if problem
                .services
                .get(peer)
                .is_none_or(|demand| demand.replicas == 0)
            {
                continue;
            }
            let open = |cluster| {
                let there = problem.pair(peer, cluster);
                there.is_some_and(|there| first_own_reason(&there).is_none())
            };
            // The same cluster is the nearest one and nearly always open.
            let measured = |cluster| problem.network.path(pair.cluster, cluster);
            let near = |cluster| limit.allows(measured(cluster)) && open(cluster);
            if near(pair.cluster) || problem.clusters.keys().any(near) {
                continue;
            }
            let mut candidates: Vec<_> = problem.clusters.keys().filter(|cluster| open(*cluster)).collect();
            // A peer that can run nowhere is its own problem, not one of this link.
            if candidates.is_empty() {
                continue;
            }
            candidates.sort_by_key(|cluster| distance(measured(cluster)));
            let nearest = candidates.first().copied();
            return Some(Reason::LinkTooLong {
                peer: peer.clone(),
                peer_cluster: nearest.filter(|_| candidates.len() == 1).cloned(),
                limit,
                measured: nearest.map(measured).unwrap_or_default(),
            });
        }
        None
    }

    fn couples(&self, problem: &PlacementProblem) -> bool {
        problem.links.iter().any(|link| !link.limit.is_none())
    }

    fn breaches(&self, problem: &PlacementProblem, placement: &Placement) -> Vec<Breach> {
        too_long(problem, placement, &problem.links)
    }

    fn breaches_about(
        &self,
        problem: &PlacementProblem,
        placement: &Placement,
        service: &ServiceKey,
    ) -> Vec<Breach> {
        let links = problem.links.iter();
        let own = links.filter(|link| link.from == *service || link.to == *service);
        too_long(problem, placement, own)
    }
}

/// What links of the problem are too long.
pub(crate) fn too_long<'a>(
    problem: &PlacementProblem,
    placement: &Placement,
    links: impl IntoIterator<Item = &'a LinkDemand>,
) -> Vec<Breach> {
    let mut breaches = Vec::new();
    for link in links.into_iter().filter(|link| !link.limit.is_none()) {
        let (Some(from), Some(to)) = (placement.get(&link.from), placement.get(&link.to)) else {
            continue;
        };
        // A link of a service to itself stays within each cluster.
        if link.from == link.to {
            continue;
        }
        for from_cluster in from.clusters() {
            for to_cluster in to.clusters() {
                let measured = problem.network.path(from_cluster, to_cluster);
                if !link.limit.allows(measured) {
                    breaches.push(Breach::LinkTooLong {
                        from: link.from.clone(),
                        from_cluster: from_cluster.clone(),
                        to: link.to.clone(),
                        to_cluster: to_cluster.clone(),
                        limit: link.limit,
                        measured,
                    });
                }
            }
        }
    }
    breaches
}

/// Sorts paths by nearness, unmeasured ones last.
fn distance(path: Path) -> (bool, i64, u32) {
    let rtt = path.rtt.map_or(i64::MAX, crate::units::Latency::base);
    (
        path.rtt.is_none() && path.hops.is_none(),
        rtt,
        path.hops.unwrap_or(u32::MAX),
    )
}
