//! Quadratic generalised assignment: every task to one agent, within capacities, at least cost of pairs and of links.
//!
//! The kernel for fleets, free of the words of placement: agents are clusters, tasks are services, a link costs by where its
//! two tasks are. It answers with the best assignment found, a lower bound in whole numbers and the prices that prove it.
//! Deterministic: limits are counts of work, and chance is seeded.

mod affinity;
mod anneal;
mod branch;
mod branch_rewards;
mod certificate;
mod certificate_cases;
mod certificate_fit;
mod certificate_narrow;
mod certificate_packing;
mod certificate_parts;
mod certificate_rewards;
mod certificate_tree;
mod construct;
mod distance;
mod dual;
mod fair;
mod far;
mod field;
mod fitting;
mod forest;
mod group;
mod incumbent;
mod near;
mod packing;
mod part;
mod problem;
mod rearrange;
mod rewards;
mod rows;
mod shares;
mod solve;
mod spread;
mod spreading;
mod star;
mod state;
mod strain;
mod sweep;
#[cfg(test)]
mod tests;
mod value;

pub use affinity::Affinity;
pub use branch::{Branched, by_cases};
pub use certificate::Certificate;
pub use certificate_cases::{Case, Cases, Claim};
pub use certificate_packing::Packing;
pub use certificate_parts::{Share, ShareOf};
pub use distance::Distance;
pub use group::Group;
pub use problem::{FORBIDDEN, Link, QuadraticProblem};
pub use solve::{Limits, Progress, Solved, Start, prove, solve};
pub use strain::{Balance, Comfort};
