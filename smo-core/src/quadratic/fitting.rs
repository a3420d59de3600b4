//! One part of every menu, together within an agent's room, at the least: a knapsack of many choices by meeting in the middle.
//!
//! The menus are halved, all sums of either half listed, and for each of one half the best of the other that fits beside it looked up: Horowitz,
//! Sahni, [Computing partitions with applications to the knapsack problem](https://doi.org/10.1145/321812.321823), 1974. With the sums of one half sorted by
//! what they need of one resource, what may be beside a sum of the other grows as that shrinks, and a staircase over the second resource holds the best of it.
//! Of further resources only the price is counted, so what is found is the least or less.

use std::collections::BTreeMap;

use super::packing::{Amounts, MOST_RESOURCES, add};

/// Some tasks of a tree.
#[derive(Debug)]
pub(super) struct Part {
    /// How much dearer they are than the tree's cheapest, room priced.
    pub(super) excess: f64,
    pub(super) load: Amounts,
    pub(super) members: Vec<u32>,
}

/// What a search comes to.
pub(super) enum Search<T> {
    /// How far above the priced sum the least is, and what it takes.
    Found(f64, T),
    Nothing,
    TooLong,
}

/// The menus, and the room.
pub(super) struct Fitting<'a> {
    pub(super) menus: &'a [Vec<Part>],
    pub(super) rent: &'a Amounts,
    pub(super) room: &'a Amounts,
    /// What is taken in any case.
    pub(super) base: &'a Amounts,
    /// Nothing dearer is of use.
    pub(super) window: f64,
    /// Sums listed of one half; where they do not suffice, nothing is known.
    pub(super) most_sums: usize,
}

/// A part of each of some menus.
struct Sum {
    excess: f64,
    load: Amounts,
    /// The number of the sum without the last menu, and the part of that.
    from: usize,
    pick: usize,
}

/// Sums menu by menu, the last ones complete.
struct Half {
    menus: Vec<usize>,
    levels: Vec<Vec<Sum>>,
}

impl Half {
    fn sums(&self) -> &[Sum] {
        self.levels.last().map_or(&[], Vec::as_slice)
    }

    /// Notes the part of every menu of a sum.
    fn note(&self, mut number: usize, picks: &mut [usize]) {
        for (menu, level) in self.menus.iter().zip(self.levels.iter().skip(1)).rev() {
            picks[*menu] = level[number].pick;
            number = level[number].from;
        }
    }
}

impl Fitting<'_> {
    /// The part of every menu, and the work.
    pub(super) fn cheapest(&self) -> (Search<Vec<usize>>, u64) {
        let mut order: Vec<usize> = (0..self.menus.len()).collect();
        order.sort_by_key(|menu| std::cmp::Reverse(self.menus[*menu].len()));
        let (mut one, mut other) = (Vec::new(), Vec::new());
        let (mut of_one, mut of_other) = (1.0, 1.0);
        for menu in order {
            let parts = self.menus[menu].len() as f64;
            if of_one <= of_other {
                one.push(menu);
                of_one *= parts;
            } else {
                other.push(menu);
                of_other *= parts;
            }
        }
        let mut work = 0;
        let halves = (self.half(one, &mut work), self.half(other, &mut work));
        let (Some(one), Some(other)) = halves else {
            return (Search::TooLong, work);
        };
        work += 16 * (one.sums().len() + other.sums().len()) as u64;
        let found = self.meet(one.sums(), other.sums());
        let found = found.filter(|(excess, _)| *excess <= self.window);
        let found = found.map_or(Search::Nothing, |(excess, numbers)| {
            let mut picks = vec![0; self.menus.len()];
            one.note(numbers.0, &mut picks);
            other.note(numbers.1, &mut picks);
            Search::Found(excess, picks)
        });
        (found, work)
    }

    /// All sums of these menus that can be of use; `None` where there are too many.
    fn half(&self, menus: Vec<usize>, work: &mut u64) -> Option<Half> {
        let mut most = *self.base;
        for menu in self.menus {
            add(&mut most, &greatest(menu));
        }
        let first = Sum {
            excess: 0.0,
            load: [0.0; MOST_RESOURCES],
            from: 0,
            pick: 0,
        };
        let mut levels = vec![vec![first]];
        for menu in &menus {
            let menu = &self.menus[*menu];
            let greatest = greatest(menu);
            most.iter_mut()
                .zip(greatest)
                .for_each(|(most, more)| *most -= more);
            let mut next = Vec::new();
            for (from, sum) in levels.last()?.iter().enumerate() {
                for (pick, part) in menu.iter().enumerate() {
                    let mut load = sum.load;
                    add(&mut load, &part.load);
                    let excess = sum.excess + part.excess;
                    if self.is_of_use(excess, &load, &most) {
                        next.push(Sum {
                            excess,
                            load,
                            from,
                            pick,
                        });
                    }
                }
                if next.len() > self.most_sums {
                    *work += 8 * next.len() as u64;
                    return None;
                }
            }
            *work += 8 * (levels.last()?.len() * menu.len()) as u64;
            levels.push(next);
        }
        Some(Half { menus, levels })
    }

    /// Whether a sum fits beside what is taken in any case, and what must stay empty beside it is not too dear; `most` is what the rest can need.
    fn is_of_use(&self, mut excess: f64, load: &Amounts, most: &Amounts) -> bool {
        for resource in 0..MOST_RESOURCES {
            if load[resource] + self.base[resource] > self.room[resource] {
                return false;
            }
            let empty = self.room[resource] - load[resource] - most[resource];
            excess += self.rent[resource] * empty.max(0.0);
        }
        excess <= self.window
    }

    /// The numbers of two sums that fit together at the least, and how far that is above the priced sum.
    fn meet(&self, one: &[Sum], other: &[Sum]) -> Option<(f64, (usize, usize))> {
        let mut resources: Vec<usize> = (0..MOST_RESOURCES).collect();
        let paid = |resource: &usize| self.rent[*resource] * self.room[*resource];
        resources.sort_by(|a, b| paid(b).total_cmp(&paid(a)));
        let (first, second) = (resources[0], resources[1]);
        let room = |resource: usize| self.room[resource] - self.base[resource];
        let value = |sum: &Sum| {
            let saved = sum.load.iter().zip(self.rent);
            sum.excess - saved.map(|(load, rent)| load * rent).sum::<f64>()
        };
        let sorted = |sums: &[Sum]| {
            let mut order: Vec<usize> = (0..sums.len()).collect();
            order.sort_by(|a, b| sums[*a].load[first].total_cmp(&sums[*b].load[first]));
            order
        };
        let mut waiting = sorted(one).into_iter().peekable();
        // what they need of the second resource, as an integer in the same order, and the least up to there
        let mut stairs: BTreeMap<u64, (f64, usize)> = BTreeMap::new();
        let mut best: Option<(f64, (usize, usize))> = None;
        for number in sorted(other).into_iter().rev() {
            let beside = &other[number];
            while let Some(at) =
                waiting.next_if(|at| one[*at].load[first] + beside.load[first] <= room(first))
            {
                climb(&mut stairs, one[at].load[second], (value(&one[at]), at));
            }
            let left = room(second) - beside.load[second];
            if left >= 0.0
                && let Some((_, (least, at))) = stairs.range(..=left.to_bits()).next_back()
            {
                let sum = least + value(beside);
                if best.is_none_or(|(known, _)| sum < known) {
                    best = Some((sum, (*at, number)));
                }
            }
        }
        let all = (0..MOST_RESOURCES).map(|resource| self.rent[resource] * room(resource));
        let all: f64 = all.sum();
        best.map(|(value, numbers)| (value + all, numbers))
    }
}

/// Adds a step, unless there is a lower one that needs no more; higher ones that need more go.
fn climb(stairs: &mut BTreeMap<u64, (f64, usize)>, need: f64, step: (f64, usize)) {
    // floats above zero are in the order of their bits
    let need = need.to_bits();
    if let Some((_, (known, _))) = stairs.range(..=need).next_back()
        && *known <= step.0
    {
        return;
    }
    while let Some((above, (known, _))) = stairs.range(need..).next()
        && *known >= step.0
    {
        let above = *above;
        stairs.remove(&above);
    }
    stairs.insert(need, step);
}

/// By resource, the most that any part needs.
fn greatest(menu: &[Part]) -> Amounts {
    let mut most: Amounts = [0.0; MOST_RESOURCES];
    for part in menu {
        for (most, load) in most.iter_mut().zip(part.load) {
            *most = most.max(load);
        }
    }
    most
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::Random;

    fn menus(random: &mut Random) -> Vec<Vec<Part>> {
        let part = |random: &mut Random, cheapest: bool| {
            let mut load = [0.0; MOST_RESOURCES];
            load[0] = random.below(9) as f64;
            load[1] = random.below(9) as f64;
            Part {
                excess: if cheapest { 0.0 } else { random.below(12) as f64 },
                load,
                members: Vec::new(),
            }
        };
        (0..random.below(6))
            .map(|_| {
                (0..2 + random.below(3))
                    .map(|number| part(random, number == 0))
                    .collect()
            })
            .collect()
    }

    /// What a choice of parts comes to above the priced sum; `None` where they do not fit.
    fn cost(fitting: &Fitting<'_>, picks: &[usize]) -> Option<f64> {
        let mut load = *fitting.base;
        let mut excess = 0.0;
        for (menu, pick) in fitting.menus.iter().zip(picks) {
            add(&mut load, &menu[*pick].load);
            excess += menu[*pick].excess;
        }
        let rows = load.iter().zip(fitting.room).zip(fitting.rent);
        let mut empty = 0.0;
        for ((load, room), rent) in rows {
            if load > room {
                return None;
            }
            empty += rent * (room - load);
        }
        Some(excess + empty)
    }

    /// The least of all choices.
    fn least_of_all(fitting: &Fitting<'_>, picks: &mut Vec<usize>) -> Option<f64> {
        let Some(menu) = fitting.menus.get(picks.len()) else {
            return cost(fitting, picks);
        };
        let mut least: Option<f64> = None;
        for pick in 0..menu.len() {
            picks.push(pick);
            let one = least_of_all(fitting, picks);
            picks.pop();
            least = [least, one].into_iter().flatten().reduce(f64::min);
        }
        least
    }

    #[test]
    fn the_least_that_fits_is_found_where_it_is_within_the_window() {
        let mut random = Random::new(3);
        let (mut found, mut nothing) = (0, 0);
        for _ in 0..2_000 {
            let menus = menus(&mut random);
            let fitting = Fitting {
                menus: &menus,
                rent: &[1.0, 2.0, 0.0, 0.0],
                room: &[random.below(30) as f64, random.below(30) as f64, 5.0, 0.0],
                base: &[1.0, 0.0, 2.0, 0.0],
                window: random.below(40) as f64,
                most_sums: 1_000,
            };
            let least = least_of_all(&fitting, &mut Vec::new()).filter(|least| *least <= fitting.window);
            match (fitting.cheapest().0, least) {
                (Search::Found(excess, picks), Some(least)) => {
                    assert_eq!(excess, least);
                    assert_eq!(cost(&fitting, &picks), Some(least));
                    found += 1;
                }
                (Search::Nothing, None) => nothing += 1,
                (Search::Found(excess, _), least) => panic!("{excess}, not {least:?}"),
                (_, least) => panic!("nothing, not {least:?}"),
            }
        }
        assert!(found > 300 && nothing > 300, "{found} {nothing}");
    }

    #[test]
    fn too_many_sums_are_given_up() {
        let part = |number: usize| Part {
            excess: 0.0,
            load: [number as f64, 0.0, 0.0, 0.0],
            members: Vec::new(),
        };
        let menus: Vec<Vec<Part>> = (0..40).map(|menu| vec![part(0), part(1 + menu)]).collect();
        let fitting = Fitting {
            menus: &menus,
            rent: &[1.0, 0.0, 0.0, 0.0],
            room: &[800.0, 0.0, 0.0, 0.0],
            base: &[0.0; MOST_RESOURCES],
            window: 1e9,
            most_sums: 1_000,
        };
        assert!(matches!(fitting.cheapest().0, Search::TooLong));
    }
}
