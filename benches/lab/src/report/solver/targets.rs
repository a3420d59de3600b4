//! What was promised, what was measured, and what limits it where that is not enough.

/// A promise with its measurement.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Target {
    /// What was promised, in words.
    pub(super) promise: String,
    /// What was measured, in the unit of the promise; `None` where it was not.
    pub(super) measured: Option<f64>,
    /// At most so much.
    pub(super) at_most: f64,
    /// The unit.
    pub(super) unit: &'static str,
    /// What limits it.
    pub(super) limit: &'static str,
}

impl Target {
    pub(super) fn is_met(&self) -> bool {
        self.measured.is_some_and(|measured| measured <= self.at_most)
    }

    /// A row of the table.
    pub(super) fn row(&self) -> String {
        let Self {
            promise,
            at_most,
            unit,
            ..
        } = self;
        let shown = self.measured.map_or("not measured".to_owned(), |measured| {
            format!("{} {unit}", short(measured))
        });
        let verdict = match self.measured {
            None => "not measured".to_owned(),
            Some(_) if self.is_met() => "met".to_owned(),
            Some(measured) => format!(
                "**missed** by {} {unit}: {}",
                short(measured - at_most),
                self.limit
            ),
        };
        format!(
            "| {promise} | {} {unit} | {shown} | {verdict} |\n",
            short(*at_most)
        )
    }
}

/// Three digits that matter.
pub(super) fn short(number: f64) -> String {
    match number.abs() {
        0.0 => "0".to_owned(),
        large if large >= 100.0 => format!("{number:.0}"),
        large if large >= 10.0 => format!("{number:.1}"),
        large if large >= 0.1 => format!("{number:.2}"),
        large if large >= 0.01 => format!("{number:.3}"),
        _ => format!("{number:.2e}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_missed_says_by_how_much_and_why() {
        let target = Target {
            promise: "type D".to_owned(),
            measured: Some(0.25),
            at_most: 0.1,
            unit: "%",
            limit: "the bound",
        };
        assert_eq!(
            target.row(),
            "| type D | 0.10 % | 0.25 % | **missed** by 0.15 %: the bound |\n"
        );
        let met = Target {
            measured: Some(0.1),
            ..target.clone()
        };
        assert!(met.is_met() && met.row().ends_with("| met |\n"));
        let none = Target {
            measured: None,
            ..target
        };
        assert!(none.row().ends_with("| not measured | not measured |\n"));
    }
}
