//! Machine reassignment of the ROADEF/EURO challenge 2012: processes of services on machines, from an original assignment.
//!
//! A model is read from `model_NAME.txt`, the original assignment from `assignment_NAME.txt` beside it. What of it is the
//! library's own kind of question, and what is not, is in `docs/decisions/0011-machine-reassignment.md`.

mod instance;
mod judge;
mod search;

use std::time::Instant;

use serde_json::json;

use super::text::Words;
use super::{Answer, Effort, Fault, Format, Input, Status};
use instance::Instance;

/// The format.
#[derive(Debug)]
pub(super) struct Roadef;

impl Format for Roadef {
    fn name(&self) -> &'static str {
        "roadef"
    }

    fn about(&self) -> &'static str {
        "machine reassignment: model_NAME.txt, with assignment_NAME.txt beside it"
    }

    fn solve(
        &self,
        input: &Input,
        effort: Effort,
        take: &mut dyn FnMut(&Answer) -> bool,
    ) -> Result<(), Fault> {
        let instance = Instance::read(input)?;
        let about = input.path.display().to_string();
        let began = Instant::now();
        let found = search::search(&instance, effort);
        let seconds = began.elapsed().as_secs_f64();
        let (value, bound) = (judge::cost(&instance, &found.answer), judge::bound(&instance));
        let mut faults = judge::faults(&instance, &found.answer);
        if bound > value {
            faults.push(format!(
                "nothing is said to be below {bound}, and it costs {value}"
            ));
        }
        if !faults.is_empty() {
            return Err(Fault::Wrong { what: about, faults });
        }
        let status = if bound == value {
            Status::Optimal
        } else {
            Status::Feasible
        };
        let original = judge::cost(&instance, &instance.original);
        let printed = Answer::new(&about, &[], status)
            .with_whole_value(whole(value), whole(bound))
            .with("seconds", json!(seconds))
            .with("work", json!({"steps": found.work}))
            .with("original", json!(whole(original)))
            .with("answer", json!(found.answer));
        take(&printed);
        Ok(())
    }
}

/// What an answer of another program costs, read from a file of one machine a process.
///
/// # Errors
/// [`Fault::Wrong`] when it breaks a rule, and those of reading.
pub(crate) fn judged(model: &Input, answer: &Input) -> Result<f64, Fault> {
    let instance = Instance::read(model)?;
    let answered = instance.read_assignment(&mut Words::of(answer))?;
    let what = answer.path.display().to_string();
    let faults = judge::faults(&instance, &answered);
    if !faults.is_empty() {
        return Err(Fault::Wrong { what, faults });
    }
    #[allow(clippy::cast_precision_loss)]
    Ok(judge::cost(&instance, &answered) as f64)
}

/// As it is printed; `None` when it does not fit.
fn whole(value: i128) -> Option<i64> {
    i64::try_from(value).ok()
}

#[cfg(test)]
mod tests;
