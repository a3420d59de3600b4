//! What load costs that is within capacity: above a level, and out of balance.

/// How much of an agent's resource may be taken for nothing, and what a unit above costs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Comfort {
    /// Up to here it costs nothing.
    pub level: u64,
    /// What a unit above costs; not negative.
    pub price: i64,
}

impl Comfort {
    /// Taking it costs nothing.
    pub const FREE: Self = Self {
        level: u64::MAX,
        price: 0,
    };
}

/// Two resources that should stay in proportion at every agent, such as free cores and the free memory that they need to be of
/// use. What is taken of `other` beyond `target` times what is taken of `one` and a level costs by the unit.
///
/// With levels of what there is of `other` less `target` times what there is of `one`, that is what is free of `other` too little for
/// `target` times what is free of `one`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Balance {
    /// A resource.
    pub one: usize,
    /// Another.
    pub other: usize,
    /// How much of the other goes with a unit of the one; not negative.
    pub target: i64,
    /// By agent: what may be taken of the other besides; below zero where it has less than goes with all of the one.
    pub level: Vec<i64>,
    /// What a unit above costs; not negative.
    pub price: i64,
}

impl Balance {
    /// How much is above the level when so much is taken.
    pub(super) fn above(&self, agent: usize, one: u128, other: u128) -> Option<u128> {
        let [one, other] = [i128::try_from(one).ok()?, i128::try_from(other).ok()?];
        let balanced = i128::from(self.target).checked_mul(one)?;
        let above = other
            .checked_sub(balanced)?
            .checked_sub(i128::from(*self.level.get(agent)?))?;
        Some(above.max(0).unsigned_abs())
    }
}
