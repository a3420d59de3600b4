//! What a strategy written in Python returns: a placement, and what it claims of it.

use pyo3::prelude::*;
use pyo3::types::PyTuple;
use smo_core::placement::{
    Answer, Placement, PlacementError, PlacementProblem, Proof, Value, Work, evaluate, verify,
};

use super::{Names, read_placement};

/// What it says that nobody has checked.
enum Claim {
    Nothing,
    /// No placement is worth less, in points.
    Bound(f64),
    Optimal,
    Infeasible,
}

/// An answer that is read and not believed.
pub(super) struct Claimed {
    placement: Option<Placement>,
    claim: Claim,
}

/// A bound may be above the value by this share of it: both went through floating point.
const ROUNDING: f64 = 1e-9;

impl Claimed {
    /// The answer as the core takes it, what is claimed being said by the strategy.
    pub(super) fn answer(self, problem: &PlacementProblem, name: &str) -> Result<Answer, PlacementError> {
        let work = Work::default();
        let Some(placement) = self.placement else {
            let proved = matches!(self.claim, Claim::Infeasible);
            return Ok(Answer::NotFound { proved, work });
        };
        let bound = match self.claim {
            // A placement that breaks rules is refused for that, whatever it is worth.
            Claim::Bound(_) | Claim::Optimal if verify(problem, &placement).is_empty() => {
                let (_, value) = evaluate(problem, &placement)?;
                Some(self.claim.bound(value))
            }
            _ => None,
        };
        let says = || Proof::Solver {
            solver: name.to_owned(),
        };
        Ok(Answer::Found {
            proof: bound.map_or(Proof::None, |_| says()),
            placement,
            bound,
            work,
        })
    }
}

impl Claim {
    fn bound(&self, value: Value) -> Value {
        let Self::Bound(points) = self else {
            return value;
        };
        let bound = Value::from_points(*points);
        let above = bound.minus(value).points();
        if above > 0.0 && above <= value.points().abs() * ROUNDING {
            value
        } else {
            bound
        }
    }
}

/// Reads a placement or `None`, alone or with a claim; everything that is wrong with it otherwise.
pub(super) fn read_answer(
    answer: &Bound<'_, PyAny>,
    names: &Names,
) -> PyResult<Result<Claimed, Vec<String>>> {
    let (placement, claim) = match answer.cast::<PyTuple>() {
        Ok(pair) if pair.len() == 2 => (pair.get_item(0)?, Some(pair.get_item(1)?)),
        _ => (answer.clone(), None),
    };
    let placement = if placement.is_none() {
        None
    } else {
        match read_placement(&placement, names)? {
            Ok(placement) => Some(placement),
            Err(faults) => return Ok(Err(faults)),
        }
    };
    let read = claim.map_or(Ok(Claim::Nothing), |claim| {
        read_claim(&claim, placement.is_some())
    });
    Ok(read
        .map(|claim| Claimed { placement, claim })
        .map_err(|fault| vec![fault]))
}

fn read_claim(claim: &Bound<'_, PyAny>, placed: bool) -> Result<Claim, String> {
    if claim.is_none() {
        return Ok(Claim::Nothing);
    }
    let text = claim.extract::<String>().ok();
    match (text.as_deref(), claim.extract::<f64>()) {
        (Some("optimal"), _) if placed => Ok(Claim::Optimal),
        (Some("infeasible"), _) if !placed => Ok(Claim::Infeasible),
        (None, Ok(points)) if placed && points.is_finite() => Ok(Claim::Bound(points)),
        _ => {
            let said = claim
                .repr()
                .map_or_else(|_| "something".to_owned(), |said| said.to_string());
            let instead = if placed {
                "a number of points or 'optimal'"
            } else {
                "'infeasible'"
            };
            Err(format!(
                "beside {} it says {said}, not {instead}",
                if placed { "a placement" } else { "none" }
            ))
        }
    }
}
