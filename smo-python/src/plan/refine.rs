//! Questions that Python refines before they are decided.

use std::error::Error;
use std::sync::{Arc, Mutex, PoisonError};

use pyo3::exceptions::PyTypeError;
use pyo3::prelude::*;
use smo_core::placement::{
    self as core, Answer, PlaceContext, PlacementError, PlacementProblem as CoreProblem,
};

use crate::placement::{Cause, PlacementProblem};

/// What Python code raised while a planner was at work.
#[derive(Debug, Clone, Default)]
pub(crate) struct Raised {
    /// The code of a placer: it becomes the cause of an error that names the placer.
    pub(crate) placer: Cause,
    /// `refine`, or rules and goals of the question that it gave: it goes on as it is. Each question has its own.
    question: Arc<Mutex<Cause>>,
}

impl Raised {
    pub(crate) fn by(placer: &Cause) -> Self {
        Self {
            placer: placer.clone(),
            question: Arc::default(),
        }
    }

    fn question(&self) -> Cause {
        self.question
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    /// A question is asked. What the last one raised is forgotten.
    fn ask(&self, question: Cause) {
        drop(question.take());
        *self.question.lock().unwrap_or_else(PoisonError::into_inner) = question;
    }

    /// What the code of the question raised.
    pub(crate) fn take(&self) -> Option<PyErr> {
        self.question().take()
    }
}

/// Calls `refine` with the question; the answer is the question to decide.
pub(super) fn refine(
    callable: &Py<PyAny>,
    problem: &mut CoreProblem,
    raised: &Raised,
) -> Result<(), Box<dyn Error + Send + Sync>> {
    raised.ask(Cause::default());
    let refined = Python::attach(|py| {
        let posed = PlacementProblem::new(std::mem::take(problem));
        let answer = callable.bind(py).call1((posed,))?;
        let Ok(refined) = answer.cast::<PlacementProblem>() else {
            let found = answer.get_type().name()?;
            let message = format!("refine returns the PlacementProblem to decide, not {found}");
            return Err(PyTypeError::new_err(message));
        };
        raised.ask(refined.get().raised().clone());
        Ok((**refined.get().core()).clone())
    });
    match refined {
        Ok(refined) => {
            *problem = refined;
            Ok(())
        }
        Err(error) => {
            let message = error.to_string();
            raised.question().keep(error);
            Err(message.into())
        }
    }
}

/// A placer whose answer counts unless rules and goals written in Python raised: those only forbid then, and what they
/// leave must not be deployed.
#[derive(Debug)]
pub(super) struct Careful {
    pub(super) placer: Box<dyn core::Placer>,
    pub(super) raised: Raised,
}

impl Careful {
    fn checked(
        &self,
        context: &PlaceContext<'_>,
        answer: Result<Answer, PlacementError>,
    ) -> Result<Answer, PlacementError> {
        let problem = context.problem;
        if let Ok(Answer::Found { placement, .. }) = &answer
            && !(problem.rules.is_empty() && problem.measures.is_empty())
        {
            // Everything is asked once more, so that what raises later than the search does so here.
            let _ = core::verify(problem, placement);
            let _ = core::evaluate(problem, placement);
        }
        let question = self.raised.question();
        let Some(error) = question.take() else {
            return answer;
        };
        let message = error.to_string();
        question.keep(error);
        Err(PlacementError::Failed {
            placer: self.placer.name().to_owned(),
            message,
        })
    }
}

impl core::Placer for Careful {
    fn name(&self) -> &str {
        self.placer.name()
    }

    fn place(&self, context: &PlaceContext<'_>) -> Result<Answer, PlacementError> {
        self.checked(context, self.placer.place(context))
    }

    fn place_watched(
        &self,
        context: &PlaceContext<'_>,
        watch: &mut core::Watch<'_>,
    ) -> Result<Answer, PlacementError> {
        self.checked(context, self.placer.place_watched(context, watch))
    }
}
