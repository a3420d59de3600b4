//! What a placement is judged by.

use std::collections::BTreeMap;

use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3::types::PyDict;
use smo_core::id::suggestion;
use smo_core::placement::{self as core, Goal, Totals, Weight};

use crate::convert::Reduced;

/// What to minimise: points for one unit of each goal. A placement is worth the sum; less is better.
///
/// `money` counts for 1 EUR/h, `carbon` for 1 gCO2e/h, `moves` for a service that leaves its cluster, `placements` for a
/// service that is placed, `latency` for a MB/s of traffic over a millisecond, `moved_replicas` and `moved_state` for a
/// replica and a GB that move, `balance` for a percent of the fullest cluster, `consolidation` for a cluster in use,
/// `preference` for a point of scores and wishes. A weight is 0 to a million, in steps of a millionth; anything else is a
/// `ValueError`. Goals of a lower priority come after with `then`.
///
/// >>> import smo
/// >>> smo.Goals(carbon=0.0002)
/// smo.Goals(money=1.0, carbon=0.0002, moves=0.01, placements=0.0)
/// >>> smo.Goals.by_priority(["carbon", "money"]).levels[1].money
/// 1.0
#[pyclass(module = "smo", frozen, eq)]
#[derive(PartialEq)]
pub(crate) struct Goals(pub(crate) core::Goals);

/// Points for one unit of a goal.
pub(super) fn weight(goal: Goal, points: f64) -> PyResult<Weight> {
    let message = || {
        format!(
            "the weight of {} is {points}, not a number from 0 to 1000000",
            goal.name()
        )
    };
    Weight::from_points(points).ok_or_else(|| PyValueError::new_err(message()))
}

/// The goal called `name`, as itself or as an argument.
pub(super) fn goal(name: &str) -> PyResult<Goal> {
    let named = |goal: &Goal| goal.name() == name || keyword(*goal) == name;
    let found = Goal::ALL.into_iter().find(named);
    found.ok_or_else(|| {
        let known: Vec<&str> = Goal::ALL.into_iter().map(keyword).collect();
        let meant = suggestion(name, known.iter().copied());
        PyValueError::new_err(format!("{name} is no goal; one of {}{meant}", known.join(", ")))
    })
}

/// The name of a goal as an argument.
pub(super) const fn keyword(goal: Goal) -> &'static str {
    match goal {
        Goal::MovedReplicas => "moved_replicas",
        Goal::MovedState => "moved_state",
        _ => goal.name(),
    }
}

/// A budget in the unit that the goal is shown in.
#[allow(clippy::cast_possible_truncation, clippy::cast_precision_loss)]
pub(super) fn budget(name: &str, at_most: f64, price: Option<Weight>) -> PyResult<core::Budget> {
    let goal = goal(name)?;
    let base = at_most * goal.base_per_unit() as f64;
    if !base.is_finite() || base.abs() >= i64::MAX as f64 {
        return Err(PyValueError::new_err(format!(
            "a budget of {at_most} {}",
            goal.unit()
        )));
    }
    Ok(core::Budget {
        goal,
        at_most: base.round() as i64,
        price,
    })
}

/// Points in millionths.
#[allow(clippy::cast_possible_truncation)]
pub(super) fn millionths(points: f64) -> PyResult<i64> {
    if points.is_finite() && points.abs() <= 1e9 {
        Ok((points * 1e6).round() as i64)
    } else {
        Err(PyValueError::new_err(format!(
            "points are a number from -1e9 to 1e9, not {points}"
        )))
    }
}

#[pymethods]
impl Goals {
    #[new]
    #[pyo3(signature = (money = 1.0, carbon = 0.0001, moves = 0.01, placements = 0.0, *, latency = 0.0, moved_replicas = 0.0, moved_state = 0.0, balance = 0.0, consolidation = 0.0, preference = 1.0))]
    #[allow(clippy::too_many_arguments)]
    fn new(
        money: f64,
        carbon: f64,
        moves: f64,
        placements: f64,
        latency: f64,
        moved_replicas: f64,
        moved_state: f64,
        balance: f64,
        consolidation: f64,
        preference: f64,
    ) -> PyResult<Self> {
        Ok(Self(core::Goals {
            money: weight(Goal::Money, money)?,
            carbon: weight(Goal::Carbon, carbon)?,
            moves: weight(Goal::Moves, moves)?,
            placements: weight(Goal::Placements, placements)?,
            latency: weight(Goal::Latency, latency)?,
            moved_replicas: weight(Goal::MovedReplicas, moved_replicas)?,
            moved_state: weight(Goal::MovedState, moved_state)?,
            balance: weight(Goal::Balance, balance)?,
            consolidation: weight(Goal::Consolidation, consolidation)?,
            preference: weight(Goal::Preference, preference)?,
            then: Vec::new(),
        }))
    }

    /// The predecessor's re-placement objective: it minimises moves.
    #[staticmethod]
    fn smo() -> Self {
        Self(core::Goals::smo())
    }

    /// The predecessor's carbon-aware objective: a move counts 1, a gCO2e/h 5.
    #[staticmethod]
    fn smo_carbon() -> Self {
        Self(core::Goals::smo_carbon())
    }

    /// Nothing counts: any placement that keeps the rules will do.
    #[staticmethod]
    fn none() -> Self {
        Self(core::Goals::none())
    }

    /// One goal after the other, by name: the first counts, the second among what is best by the first, and so on.
    ///
    /// Raises `ValueError` for a name that is no goal.
    #[staticmethod]
    fn by_priority(goals: Vec<String>) -> PyResult<Self> {
        let goals = goals
            .iter()
            .map(|name| goal(name))
            .collect::<PyResult<Vec<_>>>()?;
        Ok(Self(core::Goals::by_priority(goals)))
    }

    /// These goals, and others of a lower priority than all of them.
    fn then(&self, other: &Self) -> Self {
        Self(self.0.clone().then(other.0.clone()))
    }

    /// The levels in order of priority, the first of them these weights.
    #[getter]
    fn levels(&self) -> Vec<Self> {
        self.0.levels().into_iter().map(Self).collect()
    }

    /// Points for 1 EUR/h.
    #[getter]
    fn money(&self) -> f64 {
        self.0.money.points()
    }

    /// Points for 1 gCO2e/h.
    #[getter]
    fn carbon(&self) -> f64 {
        self.0.carbon.points()
    }

    /// Points for one service that leaves the cluster it runs on.
    #[getter]
    fn moves(&self) -> f64 {
        self.0.moves.points()
    }

    /// Points for one placed service.
    #[getter]
    fn placements(&self) -> f64 {
        self.0.placements.points()
    }

    /// Points for a MB/s over a millisecond of round trip.
    #[getter]
    fn latency(&self) -> f64 {
        self.0.latency.points()
    }

    /// Points for one replica that leaves the cluster it runs on.
    #[getter]
    fn moved_replicas(&self) -> f64 {
        self.0.moved_replicas.points()
    }

    /// Points for a GB that moving replicas take along.
    #[getter]
    fn moved_state(&self) -> f64 {
        self.0.moved_state.points()
    }

    /// Points for a percent of the fullest cluster.
    #[getter]
    fn balance(&self) -> f64 {
        self.0.balance.points()
    }

    /// Points for a cluster in use.
    #[getter]
    fn consolidation(&self) -> f64 {
        self.0.consolidation.points()
    }

    /// Points for a point of scores, of goals of yours, and of wishes that are not kept.
    #[getter]
    fn preference(&self) -> f64 {
        self.0.preference.points()
    }

    fn __repr__(&self) -> String {
        let shown = |goal: &Goal| {
            let weight = self.0.weight(*goal).points();
            let basic = matches!(goal, Goal::Money | Goal::Carbon | Goal::Moves | Goal::Placements);
            let usual = if *goal == Goal::Preference { 1.0 } else { 0.0 };
            (basic || weight != usual).then(|| format!("{}={weight:?}", keyword(*goal)))
        };
        let order = [Goal::Money, Goal::Carbon, Goal::Moves, Goal::Placements];
        let rest = Goal::ALL.into_iter().filter(|goal| !order.contains(goal));
        let weights: Vec<String> = order
            .into_iter()
            .chain(rest)
            .filter_map(|goal| shown(&goal))
            .collect();
        let first = format!("smo.Goals({})", weights.join(", "));
        let mut levels = self.0.levels().into_iter().skip(1);
        levels.by_ref().fold(first, |text, level| {
            format!("{text}.then({})", Self(level).__repr__())
        })
    }

    fn __reduce__<'py>(slf: &Bound<'py, Self>) -> PyResult<Reduced<'py, (Vec<Vec<f64>>,)>> {
        let weights = |goals: core::Goals| {
            Goal::ALL
                .into_iter()
                .map(|goal| goals.weight(goal).points())
                .collect()
        };
        let levels = slf.get().0.levels().into_iter().map(weights).collect();
        Ok((slf.get_type().getattr("_restore")?, (levels,)))
    }

    #[staticmethod]
    fn _restore(levels: Vec<Vec<f64>>) -> PyResult<Self> {
        let mut read = levels.iter().map(|weights| {
            let pairs = Goal::ALL.into_iter().zip(weights);
            pairs
                .into_iter()
                .try_fold(core::Goals::none(), |goals, (goal, points)| {
                    PyResult::Ok(goals.with(goal, weight(goal, *points)?))
                })
        });
        let first = read.next().unwrap_or_else(|| Ok(core::Goals::none()))?;
        let rest = read.collect::<PyResult<Vec<_>>>()?;
        Ok(Self(rest.into_iter().fold(first, core::Goals::then)))
    }
}

/// Amounts by goal in the units they are shown in: EUR/h, gCO2e/h, moves, placements and so on.
#[allow(clippy::cast_precision_loss)]
pub(super) fn totals<'py>(py: Python<'py>, totals: &Totals) -> PyResult<Bound<'py, PyDict>> {
    let amounts = PyDict::new(py);
    for goal in Goal::ALL {
        amounts.set_item(
            keyword(goal),
            totals.of(goal) as f64 / goal.base_per_unit() as f64,
        )?;
    }
    Ok(amounts)
}

/// `+0.012 EUR/h, -1 move`; `no difference` where nothing differs.
pub(super) fn describe(totals: &Totals) -> String {
    let changed: BTreeMap<Goal, i64> = Goal::ALL
        .into_iter()
        .map(|goal| (goal, totals.of(goal)))
        .filter(|(_, amount)| *amount != 0)
        .collect();
    let part = |(goal, amount): (Goal, i64)| {
        let sign = if amount > 0 { "+" } else { "" };
        format!("{sign}{}", goal.describe(amount))
    };
    if changed.is_empty() {
        return "no difference".to_owned();
    }
    changed.into_iter().map(part).collect::<Vec<_>>().join(", ")
}
