//! Looks for an order of moves: straight ahead first, then over the states of the fleet.

use super::OrderLimits;
use super::ahead::{Ahead, Resort};
use super::exact::{Aim, Exact, Outcome};
use super::fleet::{Fleet, Lot};
use super::meanwhile::Meanwhile;
use super::way::Way;
use crate::id::{ClusterName, ServiceKey};
use crate::placement::{Placement, PlacementProblem};
use crate::resources::Resources;

/// One thing that is done.
#[derive(Debug, Clone)]
pub(super) struct Action {
    pub(super) service: ServiceKey,
    pub(super) replicas: u32,
    pub(super) from: Option<ClusterName>,
    pub(super) to: Option<ClusterName>,
    /// What there is no room for.
    pub(super) missing: Resources,
}

/// A service that stays where it is makes room by two hops more, there and back.
const THERE_AND_BACK: usize = 2;

/// The best order found, and whether no other one is better.
pub(super) fn search(
    problem: &PlacementProblem,
    rules: &Meanwhile<'_>,
    from: &Placement,
    to: &Placement,
    limits: OrderLimits,
) -> (Vec<Action>, bool) {
    let fleet = Fleet::new(problem, from, to);
    let all = fleet.lots(from, to, limits.stop_overs);
    let movers = fleet.lots(from, to, false);
    let least: usize = movers.iter().map(|lot| lot.hops_left(&lot.before)).sum();
    let with_room = |way: &Way<'_, '_>| way.cost.lack == 0;
    let mut best: Option<Way<'_, '_>> = None;
    let mut proved = false;
    let tries: [(&[Lot<'_>], Resort, bool); 3] = [
        (&movers, Resort::Parts, false),
        (&all, Resort::Room, true),
        (&all, Resort::Parts, true),
    ];
    let allowed = tries
        .into_iter()
        .filter(|(.., stop_overs)| limits.stop_overs || !stop_overs);
    for (lots, resort, stop_overs) in allowed {
        let hops = Ahead::new(&fleet, lots, rules, from, (resort, stop_overs)).run();
        take(&mut best, Way::new(&fleet, lots, rules, from, &hops));
        proved = best
            .as_ref()
            .is_some_and(|way| with_room(way) && way.cost.hops == least);
        if proved {
            break;
        }
    }
    let breaks_nothing = best.as_ref().is_some_and(|way| way.cost.broken == 0);
    if proved && breaks_nothing {
        return (actions(&fleet, best), true);
    }
    let room = (limits.states, limits.stop_overs);
    let among_movers = Exact::new(&fleet, &movers, rules, from, room);
    let found = among_movers.map(|exact| with_least_room(&exact));
    if let Some(Some(hops)) = &found {
        let way = Way::new(&fleet, &movers, rules, from, hops);
        proved |= !limits.stop_overs || with_room(&way) && way.cost.hops <= least + THERE_AND_BACK;
        take(&mut best, way);
    }
    // Services that stay may step aside, too; there are more states then.
    if !proved
        && matches!(found, Some(Some(_)))
        && let Some(exact) = Exact::new(&fleet, &all, rules, from, room)
        && let Some(hops) = with_least_room(&exact)
    {
        proved = true;
        take(&mut best, Way::new(&fleet, &all, rules, from, &hops));
    }
    (actions(&fleet, best), proved)
}

fn take<'f, 'a>(best: &mut Option<Way<'f, 'a>>, way: Way<'f, 'a>) {
    if best.as_ref().is_none_or(|best| way.cost < best.cost) {
        *best = Some(way);
    }
}

/// With room at every hop where that is possible; else what lacks least. `None` where there are too many states.
fn with_least_room(exact: &Exact<'_, '_>) -> Option<Vec<super::fleet::Hop>> {
    let peak = match exact.search(Aim::Within(0)) {
        Outcome::Found(hops, _) => return Some(hops),
        Outcome::GaveUp => return None,
        Outcome::Exhausted => match exact.search(Aim::LeastPeak) {
            Outcome::Found(_, peak) => peak,
            Outcome::Exhausted | Outcome::GaveUp => return None,
        },
    };
    match exact.search(Aim::Within(peak)) {
        Outcome::Found(hops, _) => Some(hops),
        Outcome::Exhausted | Outcome::GaveUp => None,
    }
}

/// Hops by name, with what each lacks.
fn actions(fleet: &Fleet<'_>, way: Option<Way<'_, '_>>) -> Vec<Action> {
    let name = |place: usize| fleet.clusters.get(place).map(|name| (*name).clone());
    let mut load = fleet.load.clone();
    let mut actions = Vec::new();
    let Some(way) = way else { return actions };
    for hop in way.hops {
        let lot = &way.lots[hop.lot];
        let missing = fleet.missing(&load, hop.to, &lot.needs, hop.replicas);
        let missing = fleet.resources.iter().zip(missing);
        actions.push(Action {
            service: lot.service.clone(),
            replicas: hop.replicas,
            from: name(hop.from),
            to: name(hop.to),
            missing: missing
                .filter(|(_, missing)| *missing > 0)
                .map(|(resource, missing)| ((*resource).clone(), missing))
                .collect(),
        });
        load.carry_out(hop, &lot.needs);
    }
    actions
}
