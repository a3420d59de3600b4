//! Questions about decisions. Each is a function from a placer and a problem to a value that prints as text, compares with
//! `==` and serialises.
//!
//! They ask any [`Placer`](super::Placer), through [`super::decide`], and believe it as little: every placement they give
//! back was verified. What they claim beyond a placement, they prove or say that they do not.
//!
//! Each that decides more than once has a form that is watched, such as [`what_if_watched`]: it tells an [`AskWatch`] which of
//! its decisions is being made, and once that says `false` comes back with what it knows and says that it was stopped.
//!
//! | question | function |
//! | --- | --- |
//! | why is it decided like this? | [`explain_in_full`] |
//! | what if something changed? | [`what_if`], [`what_then`] |
//! | what if a cluster fails? | [`single_losses`] |
//! | what are the trade-offs of two goals? | [`pareto`] |
//! | what do a few moves buy? | [`with_few_moves`], [`move_curve`] |
//! | in which order can it be done? | [`order_of_moves`] |
//! | why is it impossible? | [`minimal_conflict`] |
//! | how does it become possible? | [`repairs`] |
//!
//! ```
//! use smo_core::placement::ask::{Edit, what_if};
//! use smo_core::placement::{ClusterSupply, MilpPlacer, PlacementProblem, ServiceDemand};
//! use smo_core::resources::{ResourceName, Resources};
//!
//! let cores = |millicores| Resources::new().with(ResourceName::CPU, millicores);
//! let mut problem = PlacementProblem::default();
//! for name in ["edge-1", "edge-2"] {
//!     let supply = ClusterSupply { capacity: cores(4000), ..ClusterSupply::default() };
//!     problem.clusters.insert(name.parse()?, supply);
//! }
//! let web = ServiceDemand { replicas: 2, per_replica: cores(1000), ..ServiceDemand::default() };
//! problem.services.insert("shop/demo/web".parse()?, web);
//!
//! let lost = Edit::Lose { cluster: "edge-1".parse()? };
//! let answer = what_if(&MilpPlacer::default(), &problem, &[lost])?;
//! assert_eq!(answer.comparison.as_ref().map(|comparison| comparison.relocations.len()), Some(1));
//! println!("{answer}");
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod asker;
mod binding;
mod chart;
mod comparison;
mod condition;
mod condition_text;
mod conflict;
mod edit;
mod edit_apply;
mod edit_text;
mod forced;
mod full;
mod full_text;
mod losses;
mod maps;
mod moves;
mod order;
mod pareto;
mod repair_cost;
mod repair_search;
mod repair_tries;
mod repair_undo;
mod repairs;
mod what_if;
mod within;

pub use asker::{AskProgress, AskWatch};
pub(crate) use asker::{Asker, watched};
pub use binding::Binding;
pub use comparison::{Comparison, Fate, Relocation};
pub use condition::Condition;
pub use conflict::{Conflict, Member, minimal_conflict, minimal_conflict_watched};
pub use edit::Edit;
pub use full::{
    DEFAULT_EXPLANATION_QUESTIONS, FullExplanation, Precision, Price, ServiceChoice, explain_in_full,
    explain_in_full_watched,
};
pub use losses::{Loss, LossCertificate, LossOf, Redundancy, Survival, single_losses, single_losses_watched};
pub use moves::{
    DEFAULT_QUESTIONS, FewMoves, MoveCurve, MoveUnit, Replacement, move_curve, move_curve_watched,
    with_few_moves, with_few_moves_watched,
};
pub use order::{MoveOrder, OrderLimits, OrderStep, SpareRoom, StepKind, order_of_moves};
pub use pareto::{FrontLimits, FrontPoint, ParetoFront, pareto, pareto_watched};
pub use repair_cost::RepairCosts;
pub use repairs::{Repair, RepairLimits, Repairs, repairs, repairs_watched};
pub use what_if::{WhatIf, what_if, what_if_watched, what_then, what_then_watched};
