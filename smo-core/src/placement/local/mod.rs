//! Local search on the whole model: every rule and goal counts at every step, those of the host included.
//!
//! The [kernel for fleets](crate::quadratic) proves and is fast, but does not know budgets, bandwidth, the fullest cluster and other
//! rules and goals that look at everything at once. From its answer, or any other, replicas move one by one, change places, move
//! with those that belong to them, or leave a cluster all together; what breaks a rule costs more and more while it cools
//! (simulated annealing, Kirkpatrick, Gelatt, Vecchi, [Optimization by simulated
//! annealing](https://doi.org/10.1126/science.220.4598.671), 1983).

mod code;
mod draft;
mod faults;
mod proposals;
mod search;
mod trials;
mod yardstick;

#[cfg(test)]
mod tests;

pub(super) use code::has_code;
pub(super) use search::improve;
pub(super) use trials::{Trial, Trials};
