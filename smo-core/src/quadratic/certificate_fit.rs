//! Whether a set of each tree fits an agent's room together at less than is claimed, as a certificate has it checked.
//!
//! All sums of either half of the trees are listed, and looked up beside each other by what they need of the two resources that are paid most for; of further
//! resources only the price is counted, which can refuse a claim that holds but confirms none that does not. Shares nothing with the search.

use std::collections::BTreeMap;

/// Certificates of more resources are not looked at.
pub(super) const MOST_RESOURCES: usize = 4;

/// By resource; nothing beyond those of the question.
pub(super) type Load = [u128; MOST_RESOURCES];

/// Some tasks of a tree: how much dearer they are than the cheapest, and what they need.
pub(super) type Set = (i128, Load);

/// More sums of one half are not looked at: nothing is shown.
const MOST_SUMS: usize = 1 << 16;

pub(super) struct Fit<'a> {
    /// By tree.
    pub(super) menus: &'a [Vec<Set>],
    /// By resource.
    pub(super) room: &'a [u64],
    /// What a unit of it costs, taken or not.
    pub(super) rent: &'a [i128],
    /// What sets may be dearer than the cheapest and unused room may cost together, and less.
    pub(super) spare: i128,
}

impl Fit<'_> {
    /// `None` when there are too many sums to tell, or one does not fit its type.
    pub(super) fn exists(&self) -> Option<bool> {
        let mut menus: Vec<&Vec<Set>> = self.menus.iter().collect();
        menus.sort_by_key(|menu| std::cmp::Reverse(menu.len()));
        let mut halves = [(1_u128, Vec::new()), (1, Vec::new())];
        for menu in menus {
            let half = usize::from(halves[0].0 > halves[1].0);
            halves[half].0 = halves[half].0.saturating_mul(menu.len() as u128);
            halves[half].1.push(menu);
        }
        let [(_, one), (_, other)] = halves;
        let (one, other) = (self.sums(&one)?, self.sums(&other)?);
        self.meet(one, other)
    }

    /// By resource, the most that sets of these menus can need.
    fn most<'s>(menus: impl Iterator<Item = &'s Vec<Set>>) -> Load {
        let mut most = Load::default();
        for menu in menus {
            for (resource, most) in most.iter_mut().enumerate() {
                *most += menu.iter().map(|(_, load)| load[resource]).max().unwrap_or(0);
            }
        }
        most
    }

    /// All sums of these menus that fit, and that with what must stay empty come to less than is spare.
    fn sums(&self, menus: &[&Vec<Set>]) -> Option<Vec<Set>> {
        let mut rest = Self::most(self.menus.iter());
        let mut sums: Vec<Set> = vec![(0, Load::default())];
        for menu in menus {
            let mine = Self::most(std::iter::once(*menu));
            rest.iter_mut().zip(mine).for_each(|(rest, mine)| *rest -= mine);
            let mut next = Vec::new();
            for (above, load) in &sums {
                for (more, needs) in *menu {
                    let above = above.checked_add(*more)?;
                    if above >= self.spare {
                        continue;
                    }
                    let load: Load = std::array::from_fn(|resource| load[resource] + needs[resource]);
                    if self.can_be_less(above, &load, &rest)? {
                        next.push((above, load));
                    }
                }
                if next.len() > MOST_SUMS {
                    return None;
                }
            }
            sums = next;
        }
        Some(sums)
    }

    fn can_be_less(&self, above: i128, load: &Load, rest: &Load) -> Option<bool> {
        let mut sum = above;
        for (resource, has) in self.room.iter().enumerate() {
            let has = u128::from(*has);
            if load[resource] > has {
                return Some(false);
            }
            let empty = has.saturating_sub(load[resource] + rest[resource]);
            sum = sum.checked_add(self.rent[resource].checked_mul(i128::try_from(empty).ok()?)?)?;
        }
        Some(sum < self.spare)
    }

    /// True when a sum of either fit together, and come to less than is spare.
    fn meet(&self, mut one: Vec<Set>, mut other: Vec<Set>) -> Option<bool> {
        let mut resources: Vec<usize> = (0..self.room.len()).collect();
        let paid = |resource: usize| self.rent[resource].saturating_mul(self.room[resource].into());
        resources.sort_by_key(|resource| std::cmp::Reverse(paid(*resource)));
        let need = |load: &Load, place: usize| resources.get(place).map_or(0, |resource| load[*resource]);
        let has = |place: usize| {
            resources
                .get(place)
                .map_or(0, |resource| u128::from(self.room[*resource]))
        };
        let mut all = 0_i128;
        for (has, rent) in self.room.iter().zip(self.rent) {
            all = all.checked_add(rent.checked_mul((*has).into())?)?;
        }
        let value = |(above, load): &Set| {
            let mut value = *above;
            for (load, rent) in load.iter().zip(self.rent) {
                value = value.checked_sub(rent.checked_mul(i128::try_from(*load).ok()?)?)?;
            }
            Some(value)
        };
        one.sort_by_key(|(_, load)| need(load, 0));
        other.sort_by_key(|(_, load)| std::cmp::Reverse(need(load, 0)));
        // of those of the first that fit by the first resource: the least value by what they need of the second, each less than those before
        let mut least: BTreeMap<u128, i128> = BTreeMap::new();
        let mut waiting = one.iter().peekable();
        for beside in &other {
            while let Some(sum) = waiting.next_if(|(_, load)| need(load, 0) + need(&beside.1, 0) <= has(0)) {
                let (second, value) = (need(&sum.1, 1), value(sum)?);
                if least
                    .range(..=second)
                    .next_back()
                    .is_none_or(|(_, known)| *known > value)
                {
                    let dearer = least.range(second..).take_while(|(_, known)| **known >= value);
                    let dearer: Vec<u128> = dearer.map(|(second, _)| *second).collect();
                    for second in dearer {
                        least.remove(&second);
                    }
                    least.insert(second, value);
                }
            }
            let left = has(1).checked_sub(need(&beside.1, 1));
            let best = left.and_then(|left| least.range(..=left).next_back());
            if let Some((_, best)) = best
                && all.checked_add(*best)?.checked_add(value(beside)?)? < self.spare
            {
                return Some(true);
            }
        }
        Some(false)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::Random;

    /// Whether any choice fits and comes to less, all of them tried.
    fn tried(fit: &Fit<'_>, at: usize, above: i128, load: &Load) -> bool {
        let Some(menu) = fit.menus.get(at) else {
            let rows = load.iter().zip(fit.room).zip(fit.rent);
            let mut sum = above;
            for ((load, room), rent) in rows {
                if *load > u128::from(*room) {
                    return false;
                }
                sum += rent * (i128::from(*room) - *load as i128);
            }
            return sum < fit.spare;
        };
        menu.iter().any(|(more, needs)| {
            let load = std::array::from_fn(|resource| load[resource] + needs[resource]);
            tried(fit, at + 1, above + more, &load)
        })
    }

    fn menus(random: &mut Random, resources: usize) -> Vec<Vec<Set>> {
        let set = |random: &mut Random| {
            let mut needs = Load::default();
            needs[..resources].fill_with(|| random.below(9) as u128);
            (random.below(12) as i128, needs)
        };
        (0..random.below(6))
            .map(|_| (0..1 + random.below(4)).map(|_| set(random)).collect())
            .collect()
    }

    #[test]
    fn it_says_what_trying_every_choice_says() {
        let mut random = Random::new(9);
        let mut yes = 0;
        for round in 0..3_000 {
            let resources = random.below(4);
            let menus = menus(&mut random, resources);
            let room: Vec<u64> = (0..resources).map(|_| random.below(30) as u64).collect();
            let rent: Vec<i128> = (0..resources).map(|_| random.below(3) as i128).collect();
            let fit = Fit {
                menus: &menus,
                room: &room,
                rent: &rent,
                spare: random.below(60) as i128,
            };
            let (exists, tried) = (fit.exists().unwrap(), tried(&fit, 0, 0, &Load::default()));
            // a third resource is only priced, so a claim may be refused that holds
            assert!(exists || !tried, "round {round}: {menus:?}");
            assert!(exists == tried || resources > 2, "round {round}: {menus:?}");
            yes += usize::from(exists);
        }
        assert!((500..2_500).contains(&yes), "{yes}");
    }
}
