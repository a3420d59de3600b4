//! What a kernel found where an answer is an agent for each item: checked, and printed.

use serde_json::{Value as Json, json};

use super::{Answer, Fault, Status};

/// What a kernel says.
pub(super) struct Solution {
    /// One agent an item, and what that costs.
    pub(super) best: Option<(Vec<usize>, i64)>,
    /// Nothing costs less.
    pub(super) bound: i64,
    /// True when the search came to its end.
    pub(super) complete: bool,
    /// How long it took.
    pub(super) seconds: f64,
}

impl Solution {
    /// What may be said about it.
    pub(super) fn status(&self) -> Status {
        match &self.best {
            Some((_, value)) if self.bound >= *value => Status::Optimal,
            Some(_) => Status::Feasible,
            None if self.complete => Status::Infeasible,
            None => Status::Unknown,
        }
    }

    /// What is printed of it, with `more` before the answer; refused where the checks of its format found `faults`, or its
    /// bound is above its value.
    pub(super) fn printed(
        self,
        about: String,
        mut faults: Vec<String>,
        more: &[(&str, Json)],
    ) -> Result<Answer, Fault> {
        let status = self.status();
        let bound = self.bound;
        let (answer, value) = self.best.unzip();
        if let Some(value) = value.filter(|value| bound > *value) {
            faults.push(format!(
                "nothing is said to be below {bound}, and it costs {value}"
            ));
        }
        if !faults.is_empty() {
            return Err(Fault::Wrong { what: about, faults });
        }
        let known = bound > i64::MIN && status != Status::Infeasible;
        let mut printed = Answer::new(&about, &[], status)
            .with_whole_value(value, known.then_some(bound))
            .with("seconds", json!(self.seconds));
        for (key, value) in more {
            printed = printed.with(key, value.clone());
        }
        Ok(printed.with("answer", json!(answer)))
    }
}
