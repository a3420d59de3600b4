//! What a placement is judged by.

use std::collections::BTreeMap;

use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3::types::PyDict;
use smo_core::placement::{self as core, Goal, Totals, Weight};

use crate::convert::Reduced;

/// What to minimise: points for one unit of each goal. A placement is worth the sum; less is better.
///
/// `money` counts for 1 EUR/h, `carbon` for 1 gCO2e/h, `moves` for a service that leaves its cluster, `placements` for a
/// service that is placed. A weight is 0 to a million, in steps of a millionth; anything else is a `ValueError`.
///
/// >>> import smo
/// >>> smo.Goals(carbon=0.0002)
/// smo.Goals(money=1.0, carbon=0.0002, moves=0.01, placements=0.0)
#[pyclass(module = "smo", frozen, eq)]
#[derive(PartialEq)]
pub(crate) struct Goals(pub(crate) core::Goals);

fn weight(goal: Goal, points: f64) -> PyResult<Weight> {
    let message = || {
        format!(
            "the weight of {} is {points}, not a number from 0 to 1000000",
            goal.name()
        )
    };
    Weight::from_points(points).ok_or_else(|| PyValueError::new_err(message()))
}

#[pymethods]
impl Goals {
    #[new]
    #[pyo3(signature = (money = 1.0, carbon = 0.0001, moves = 0.01, placements = 0.0))]
    fn new(money: f64, carbon: f64, moves: f64, placements: f64) -> PyResult<Self> {
        Ok(Self(core::Goals {
            money: weight(Goal::Money, money)?,
            carbon: weight(Goal::Carbon, carbon)?,
            moves: weight(Goal::Moves, moves)?,
            placements: weight(Goal::Placements, placements)?,
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

    fn __repr__(&self) -> String {
        format!(
            "smo.Goals(money={:?}, carbon={:?}, moves={:?}, placements={:?})",
            self.money(),
            self.carbon(),
            self.moves(),
            self.placements()
        )
    }

    fn __reduce__<'py>(slf: &Bound<'py, Self>) -> Reduced<'py, (f64, f64, f64, f64)> {
        let this = slf.get();
        let weights = (this.money(), this.carbon(), this.moves(), this.placements());
        (slf.get_type().into_any(), weights)
    }
}

/// Amounts by goal in the units they are shown in: EUR/h, gCO2e/h, moves, placements.
#[allow(clippy::cast_precision_loss)]
pub(super) fn totals<'py>(py: Python<'py>, totals: &Totals) -> PyResult<Bound<'py, PyDict>> {
    let amounts = PyDict::new(py);
    for goal in Goal::ALL {
        amounts.set_item(goal.name(), totals.of(goal) as f64 / goal.base_per_unit() as f64)?;
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
