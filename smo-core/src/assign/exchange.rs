//! Two agents divide all that they do between them anew, at least cost: a knapsack over what one of them takes.
//!
//! Both are limited in the same thing, so what one does not take the other must have room for, and one table settles the
//! pair exactly. Ties fall by chance and costs are blurred a little, so that the search wanders over answers of about the same
//! cost. This is a large neighbourhood in the sense of Ahuja, Ergun, Orlin, Punnen, [A survey of very large-scale neighborhood
//! search techniques](https://doi.org/10.1016/S0166-218X(01)00338-9), 2002.
//!
//! Agents with needs of their own (the public assignment problems) do not exchange: with a price for the other's room such
//! exchanges were no better than dives.

use super::FORBIDDEN;
use super::scaled::Scaled;
use crate::random::Random;

/// Tables of more cells are not filled.
const MOST_CELLS: u64 = 65_536;
/// Blurred costs are counted in parts of a unit.
const PARTS: i64 = 16;
/// At most so large a share of the distance to the bound is what a cost is blurred by, on average.
const BLUR: f64 = 0.0625;
/// Of so many walks one begins at the best answer, the others where the last one ended.
const RETURN: usize = 4;
/// Loads that are not reached cost more than this.
const REACHED: i64 = i64::MAX / 8;

/// A limit that agents may share.
#[derive(Debug, Clone)]
struct Common {
    kind: usize,
    /// By task, in units of their greatest common divisor.
    needs: Vec<usize>,
    /// By agent; `None` where the agent is not limited in it.
    rooms: Vec<Option<usize>>,
}

/// An answer that wanders.
#[derive(Debug, Clone)]
pub(super) struct Exchange {
    commons: Vec<Common>,
    /// By agent: the place in `commons` of its first limit.
    firsts: Vec<Option<usize>>,
    members: Vec<Vec<usize>>,
    total: i64,
    table: Vec<i64>,
    taken: Vec<bool>,
}

/// What two agents do between them.
#[derive(Debug, Default)]
struct Pair {
    /// Tasks that only one may do, and those that either may.
    kept: Vec<usize>,
    given: Vec<usize>,
    free: Vec<usize>,
    /// Of the free tasks: what the one needs of its limit, and what it costs more there, blurred.
    sizes: Vec<usize>,
    more: Vec<i64>,
    /// What the one takes of them at least and at most.
    least: usize,
    most: usize,
}

impl Exchange {
    /// `None` where no two agents are limited in the same thing, where some are limited in more than one (what a table divides
    /// then breaks the other limits too often), or tables would be too large.
    pub(super) fn new(scaled: &Scaled) -> Option<Self> {
        if scaled.sacks.iter().any(|sack| sack.limits.len() > 1) {
            return None;
        }
        let mut commons: Vec<Common> = Vec::new();
        let mut firsts = Vec::with_capacity(scaled.agents);
        for sack in &scaled.sacks {
            let Some(limit) = sack.limits.first() else {
                firsts.push(None);
                continue;
            };
            let known = commons.iter().position(|common| common.kind == limit.kind);
            if known.is_none() {
                commons.push(Common::of(scaled, limit.kind)?);
            }
            firsts.push(Some(known.unwrap_or(commons.len() - 1)));
        }
        let shared =
            (0..commons.len()).any(|at| firsts.iter().filter(|first| **first == Some(at)).nth(1).is_some());
        shared.then(|| Self {
            commons,
            firsts,
            members: Vec::new(),
            total: i64::MAX,
            table: Vec::new(),
            taken: Vec::new(),
        })
    }

    /// Goes on from another answer.
    fn begin(&mut self, scaled: &Scaled, answer: &[usize]) {
        self.members = vec![Vec::new(); scaled.agents];
        for (task, agent) in answer.iter().enumerate() {
            self.members[*agent].push(task);
        }
        self.total = scaled.total(answer);
    }

    fn answer(&self, tasks: usize) -> Vec<usize> {
        let mut answer = vec![0; tasks];
        for (agent, members) in self.members.iter().enumerate() {
            for task in members {
                answer[*task] = agent;
            }
        }
        answer
    }

    /// Wanders from `best`, or from where it was, and gives what is cheaper than that as soon as it is found, or nothing when
    /// `work` has come to `until`.
    pub(super) fn wander(
        &mut self,
        scaled: &Scaled,
        best: &[usize],
        bound: i64,
        random: &mut Random,
        work: &mut u64,
        until: u64,
    ) -> Option<Vec<usize>> {
        let known = scaled.total(best);
        let first = self.members.is_empty();
        if first || random.below(RETURN) == 0 {
            self.begin(scaled, best);
        }
        // The less the nearer the best is to the bound; not at all at first.
        let share = if first { 0.0 } else { random.unit() };
        let blur = BLUR * share * share * known.saturating_sub(bound) as f64 * PARTS as f64;
        while *work < until {
            let one = random.below(scaled.agents);
            let other = (one + 1 + random.below(scaled.agents - 1)) % scaled.agents;
            self.divide(scaled, one, other, blur, random, work);
            if self.total < known {
                return Some(self.answer(scaled.tasks));
            }
        }
        None
    }

    /// Divides what two agents do between them anew.
    fn divide(
        &mut self,
        scaled: &Scaled,
        one: usize,
        other: usize,
        blur: f64,
        random: &mut Random,
        work: &mut u64,
    ) {
        *work += 100;
        let Some(pair) = self.pair(scaled, one, other, blur, random) else {
            return;
        };
        self.fill(&pair, random, work);
        let Some(load) = self.end(&pair, random) else {
            return;
        };
        let (mut kept, mut given) = self.trace(&pair, load);
        kept.extend(&pair.kept);
        given.extend(&pair.given);
        let cost = |agent: usize, tasks: &[usize]| -> i64 {
            tasks.iter().map(|task| scaled.cost(agent, *task)).sum()
        };
        self.total -= cost(one, &self.members[one]) + cost(other, &self.members[other]);
        self.total += cost(one, &kept) + cost(other, &given);
        self.members[one] = kept;
        self.members[other] = given;
    }

    /// What there is to divide; `None` where there is nothing, or where their limits differ.
    fn pair(
        &self,
        scaled: &Scaled,
        one: usize,
        other: usize,
        blur: f64,
        random: &mut Random,
    ) -> Option<Pair> {
        let mine = &self.commons[self.firsts[one]?];
        if self.firsts[other].is_some_and(|theirs| self.commons[theirs].kind != mine.kind) {
            return None;
        }
        let mut pair = Pair::default();
        for task in self.members[one].iter().chain(&self.members[other]) {
            match (scaled.cost(one, *task), scaled.cost(other, *task)) {
                (_, FORBIDDEN) => pair.kept.push(*task),
                (FORBIDDEN, _) => pair.given.push(*task),
                _ => pair.free.push(*task),
            }
        }
        random.shuffle(&mut pair.free);
        let mut blurred = |agent: usize, task: usize| {
            let noise = if blur > 0.0 {
                -(1.0 - random.unit()).ln() * blur
            } else {
                0.0
            };
            scaled.cost(agent, task) * PARTS + noise as i64
        };
        let more = |task: &usize| blurred(one, *task) - blurred(other, *task);
        pair.more = pair.free.iter().map(more).collect();
        pair.sizes = pair.free.iter().map(|task| mine.needs[*task]).collect();
        let all = pair.sizes.iter().sum::<usize>();
        pair.most = mine.left(one, &pair.kept).unwrap_or(all).min(all);
        // What the other has room for may be given.
        pair.least = mine
            .left(other, &pair.given)
            .map_or(0, |room| all.saturating_sub(room));
        (pair.least <= pair.most && !pair.free.is_empty()).then_some(pair)
    }

    /// Fills the table: by what the one takes of its limit, the least that this costs more than if the other did all.
    fn fill(&mut self, pair: &Pair, random: &mut Random, work: &mut u64) {
        let width = pair.most + 1;
        self.table.clear();
        self.table.resize(width, 2 * REACHED);
        self.taken.clear();
        self.taken.resize(width * pair.free.len(), false);
        self.table[0] = 0;
        let mut reached = 0;
        let tasks = pair.sizes.iter().zip(&pair.more);
        for ((size, more), taken) in tasks.zip(self.taken.chunks_mut(width)) {
            reached = (reached + size).min(pair.most);
            *work += reached as u64 + 8;
            // A tie is taken or left, as chance will have it.
            let tie = i64::from(random.below(2) == 0);
            for load in (*size..=reached).rev() {
                let (with, known) = (self.table[load - size] + more, self.table[load]);
                taken[load] = with < known + tie;
                self.table[load] = if taken[load] { with } else { known };
            }
        }
    }

    /// The load that costs least, one of several by chance.
    fn end(&self, pair: &Pair, random: &mut Random) -> Option<usize> {
        let loads = || (pair.least..=pair.most).map(|load| (self.table[load], load));
        let least = loads()
            .map(|(cost, _)| cost)
            .min()
            .filter(|cost| *cost < REACHED)?;
        let equal = || loads().filter(|(cost, _)| *cost == least);
        equal().nth(random.below(equal().count())).map(|(_, load)| load)
    }

    /// The tasks that the one takes for a load, and the others.
    fn trace(&self, pair: &Pair, mut load: usize) -> (Vec<usize>, Vec<usize>) {
        let (mut kept, mut given) = (Vec::new(), Vec::new());
        let rows = self.taken.chunks(pair.most + 1);
        let tasks = pair.free.iter().zip(&pair.sizes);
        let rows: Vec<_> = tasks.zip(rows).collect();
        for ((task, size), taken) in rows.into_iter().rev() {
            if taken[load] {
                load -= size;
                kept.push(*task);
            } else {
                given.push(*task);
            }
        }
        (kept, given)
    }
}

impl Common {
    /// `None` when tasks need more than can be counted.
    fn of(scaled: &Scaled, kind: usize) -> Option<Self> {
        let mut needs = vec![0; scaled.tasks];
        let mut limited = vec![None; scaled.agents];
        for (agent, sack) in scaled.sacks.iter().enumerate() {
            let Some(limit) = sack.limits.iter().find(|limit| limit.kind == kind) else {
                continue;
            };
            for (task, need) in limit.needs.iter().enumerate() {
                if scaled.cost(agent, task) != FORBIDDEN {
                    needs[task] = need.checked_mul(limit.unit)?;
                }
            }
            limited[agent] = Some(limit.capacity.checked_mul(limit.unit)?);
        }
        let unit = needs.iter().copied().fold(0, crate::units::gcd).max(1);
        let room = |room: u64| Some(room / unit).filter(|room| *room < MOST_CELLS);
        let mut rooms = vec![None; scaled.agents];
        for (slot, limit) in rooms.iter_mut().zip(limited) {
            if let Some(limit) = limit {
                *slot = Some(usize::try_from(room(limit)?).ok()?);
            }
        }
        let needs = needs.iter().map(|need| usize::try_from(need / unit).ok());
        Some(Self {
            kind,
            needs: needs.collect::<Option<_>>()?,
            rooms,
        })
    }

    /// What an agent that does `tasks` has left; `None` where it is not limited in it.
    fn left(&self, agent: usize, tasks: &[usize]) -> Option<usize> {
        let needed = tasks.iter().map(|task| self.needs[*task]).sum();
        self.rooms[agent].map(|room| room.saturating_sub(needed))
    }
}
