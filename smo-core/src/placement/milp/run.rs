//! One question while it is answered: what it took, what is settled so far, and who watches.

use super::component::{Part, Placed};
use crate::placement::teller::Teller;
use crate::placement::{Answer, Value, Work};

/// What it takes to look at a pair of service and cluster, about a nanosecond each.
pub(super) const PAIR: u64 = 10;

#[derive(Debug)]
pub(super) struct Run<'w> {
    pub(super) work: Work,
    pub(super) teller: Teller<'w>,
    /// Parts that are not settled yet, the one at hand included.
    open: usize,
    /// What the placements of the settled parts are worth together; `None` when that does not fit.
    value: Option<i128>,
    /// Nothing is worth less in all the other parts together; `None` when that does not fit.
    bound: Option<i128>,
}

impl<'w> Run<'w> {
    pub(super) const fn new(work: Work, teller: Teller<'w>) -> Self {
        Self {
            work,
            teller,
            open: 0,
            value: Some(0),
            bound: Some(0),
        }
    }

    /// Begins with these parts. Each is worth at least what its cheapest clusters cost.
    pub(super) fn begin(&mut self, parts: &[Part]) {
        self.open = parts.len();
        let mut offsets = parts.iter().map(|part| part.offset);
        self.bound = offsets.try_fold(0, i128::checked_add);
        self.teller.see(None, self.bound.map(Value::from_units));
    }

    /// Takes what is known of the part at hand, in its units: the cheapest placement, and what no placement is below.
    pub(super) fn see(&mut self, part: &Part, total: Option<i128>, bound: i128) {
        let bound = total.map_or(bound, |total| total.min(bound));
        self.tell(part, total.and_then(|total| part.value(total)), part.value(bound));
    }

    /// Takes how the part at hand is settled.
    pub(super) fn settled(&mut self, part: &Part, placed: &Placed) {
        let value = part.total(&placed.clusters).and_then(|total| part.value(total));
        (self.value, self.bound) = self.tell(part, value, placed.bound);
        self.open = self.open.saturating_sub(1);
    }

    pub(super) const fn not_found(&self, proved: bool) -> Answer {
        Answer::NotFound {
            proved,
            work: self.work,
        }
    }

    /// Tells what the part at hand and the others come to. The value is known where this part is the last.
    fn tell(
        &mut self,
        part: &Part,
        value: Option<i128>,
        bound: Option<i128>,
    ) -> (Option<i128>, Option<i128>) {
        let sum = |others: Option<i128>, more: Option<i128>| others?.checked_add(more?);
        let others = self.bound.and_then(|all| all.checked_sub(part.offset));
        let (value, bound) = (sum(self.value, value), sum(others, bound));
        let whole = value.filter(|_| self.open <= 1);
        self.teller
            .see(whole.map(Value::from_units), bound.map(Value::from_units));
        (value, bound)
    }
}
