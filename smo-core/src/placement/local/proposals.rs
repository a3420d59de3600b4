//! What the search tries: a service or some of its replicas elsewhere, two that change places, one with those that belong to it, and
//! a cluster that everything leaves.

use super::draft::{Draft, Shift};
use super::faults::Faulty;
use crate::placement::IntegerModel;
use crate::placement::integers::IntegerService;
use crate::random::Random;

/// So many of a service's cheapest clusters are tried more often than others.
const CHEAPEST: usize = 4;

/// So often a service is drawn until one comes that moved.
const DRAWS: usize = 8;

/// What is looked up once.
#[derive(Debug)]
pub(super) struct Ideas {
    /// By service, its cheapest clusters.
    cheapest: Vec<Vec<usize>>,
    /// By service, the services that a link or a group brings near it.
    related: Vec<Vec<usize>>,
    /// By service, where it runs now and may stay.
    now: Vec<Vec<usize>>,
}

impl Ideas {
    pub(super) fn new(model: &IntegerModel<'_>) -> Self {
        let cheapest = model.services.iter().map(|service| {
            let worth = |position: &usize| {
                let amounts = service.amounts.get(*position);
                amounts
                    .and_then(|amounts| model.worth(amounts))
                    .unwrap_or(i128::MAX)
            };
            let mut positions: Vec<usize> = (0..service.open.len()).collect();
            positions.sort_by_key(worth);
            positions.truncate(CHEAPEST);
            positions
                .into_iter()
                .map(|position| service.open[position])
                .collect()
        });
        let mut related = vec![Vec::new(); model.services.len()];
        for faulty in Faulty::all(model) {
            if matches!(faulty, Faulty::Link(_) | Faulty::Limit(_) | Faulty::Together(_)) {
                let services = faulty.services(model);
                for one in &services {
                    related[*one].extend(services.iter().copied().filter(|other| other != one));
                }
            }
        }
        for related in &mut related {
            related.sort_unstable();
            related.dedup();
        }
        Self {
            cheapest: cheapest.collect(),
            related,
            now: model.services.iter().map(now).collect(),
        }
    }

    /// A change to look at; nothing where chance finds none.
    pub(super) fn propose(
        &self,
        draft: &Draft<'_, '_>,
        suspects: &[usize],
        random: &mut Random,
        shifts: &mut Vec<Shift>,
    ) {
        shifts.clear();
        let service = if !suspects.is_empty() && random.below(3) == 0 {
            suspects[random.below(suspects.len())]
        } else {
            random.below(draft.spots.len())
        };
        let spots = &draft.spots[service];
        let (Some((from, there)), Some(to)) = (
            spots.get(random.below(spots.len())).copied(),
            self.target(draft, service, random),
        ) else {
            return;
        };
        if from == to {
            return;
        }
        let count = self.count(draft, service, there, random);
        shifts.push(Shift {
            service,
            from,
            to,
            count,
        });
        match random.below(16) {
            0..6 => {}
            6 | 7 => self.beside(draft, random, shifts),
            8..13 => self.swap(draft, (from, to), random, shifts),
            _ => self.follow(draft, service, (from, to), shifts),
        }
    }

    fn count(&self, draft: &Draft<'_, '_>, service: usize, there: u32, random: &mut Random) -> u32 {
        if !draft.model.services[service].split || there == 1 {
            return there;
        }
        match random.below(3) {
            0 => there,
            1 => 1,
            _ => 1 + random.below(there as usize) as u32,
        }
    }

    /// A cluster that is open to a service.
    fn target(&self, draft: &Draft<'_, '_>, service: usize, random: &mut Random) -> Option<usize> {
        let open = &draft.model.services[service].open;
        let pick = |list: &[usize], random: &mut Random| list.get(random.below(list.len())).copied();
        match random.below(8) {
            0 | 1 => {
                let Some(other) = pick(&self.related[service], random) else {
                    return pick(open, random);
                };
                let spots = &draft.spots[other];
                let (cluster, _) = *spots.get(random.below(spots.len()))?;
                open.binary_search(&cluster).ok().map(|_| cluster)
            }
            2..5 => pick(&self.cheapest[service], random),
            _ => pick(open, random),
        }
    }

    /// One of where the first goes comes back, or goes to a third cluster.
    fn swap(
        &self,
        draft: &Draft<'_, '_>,
        (from, to): (usize, usize),
        random: &mut Random,
        shifts: &mut Vec<Shift>,
    ) {
        let members = &draft.members[to];
        let Some(&other) = members.get(random.below(members.len())) else {
            return;
        };
        let back = if random.below(4) > 0 {
            Some(from).filter(|from| draft.model.services[other].open.binary_search(from).is_ok())
        } else {
            self.target(draft, other, random)
        };
        let mine = shifts.first().map(|shift| shift.service);
        if let Some(back) = back.filter(|back| *back != to && mine != Some(other)) {
            let count = self.count(draft, other, draft.on(other, to), random);
            shifts.push(Shift {
                service: other,
                from: to,
                to: back,
                count,
            });
        }
    }

    /// Another service, wherever that is, goes back to where it runs now: as much as before moves where no more may.
    fn beside(&self, draft: &Draft<'_, '_>, random: &mut Random, shifts: &mut Vec<Shift>) {
        for _ in 0..DRAWS {
            let service = random.below(draft.spots.len());
            let (spots, now) = (&draft.spots[service], &self.now[service]);
            let (Some((from, there)), Some(to)) = (
                spots.get(random.below(spots.len())),
                now.get(random.below(now.len())),
            ) else {
                continue;
            };
            let is_new = shifts.iter().all(|shift| shift.service != service);
            if is_new && !now.contains(from) {
                let count = self.count(draft, service, *there, random);
                shifts.push(Shift {
                    service,
                    from: *from,
                    to: *to,
                    count,
                });
                return;
            }
        }
    }

    /// Those that belong to the service and are where it is come along.
    fn follow(
        &self,
        draft: &Draft<'_, '_>,
        service: usize,
        (from, to): (usize, usize),
        shifts: &mut Vec<Shift>,
    ) {
        for other in &self.related[service] {
            let count = draft.on(*other, from);
            if count > 0 && draft.model.services[*other].open.binary_search(&to).is_ok() {
                shifts.push(Shift {
                    service: *other,
                    from,
                    to,
                    count,
                });
            }
        }
    }

    /// Everything leaves a cluster, each to one that is used already where there is one.
    pub(super) fn evacuate(&self, draft: &Draft<'_, '_>, random: &mut Random, shifts: &mut Vec<Shift>) {
        shifts.clear();
        let used: Vec<usize> = (0..draft.members.len())
            .filter(|cluster| !draft.members[*cluster].is_empty())
            .collect();
        let Some(&from) = used.get(random.below(used.len())) else {
            return;
        };
        for service in &draft.members[from] {
            let open = &draft.model.services[*service].open;
            let others: Vec<usize> = open
                .iter()
                .copied()
                .filter(|cluster| *cluster != from && !draft.members[*cluster].is_empty())
                .collect();
            let Some(&to) = others.get(random.below(others.len())) else {
                shifts.clear();
                return;
            };
            shifts.push(Shift {
                service: *service,
                from,
                to,
                count: draft.on(*service, from),
            });
        }
    }
}

fn now(service: &IntegerService<'_>) -> Vec<usize> {
    let runs = |cluster: &usize| service.now.get(*cluster).is_some_and(|replicas| *replicas > 0);
    service.open.iter().copied().filter(runs).collect()
}
