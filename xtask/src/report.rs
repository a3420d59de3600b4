//! Steps, how each ended, and the summary at the end.

use std::fmt::Write as _;
use std::process::ExitCode;
use std::time::{Duration, Instant};

/// How a step ended.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Outcome {
    Passed,
    Failed(String),
    Skipped(String),
}

/// The steps of one run, in order.
#[derive(Debug)]
pub(crate) struct Report {
    began: Instant,
    steps: Vec<(&'static str, Outcome, Duration)>,
}

impl Report {
    pub(crate) fn new() -> Self {
        Self {
            began: Instant::now(),
            steps: Vec::new(),
        }
    }

    /// Runs a step and says whether it passed. A step that fails does not stop the run.
    pub(crate) fn step(&mut self, name: &'static str, action: impl FnOnce() -> Result<(), String>) -> bool {
        println!("\n==> {name}");
        let began = Instant::now();
        let outcome = match action() {
            Ok(()) => Outcome::Passed,
            Err(fault) => {
                println!("==> {name} FAILED: {fault}");
                Outcome::Failed(fault)
            }
        };
        let passed = outcome == Outcome::Passed;
        self.steps.push((name, outcome, began.elapsed()));
        passed
    }

    /// Records that a step was not run. A skipped step does not fail the run; what it waits for may have.
    pub(crate) fn skip(&mut self, name: &'static str, reason: &str) {
        println!("\n==> {name} SKIPPED: {reason}");
        self.steps
            .push((name, Outcome::Skipped(reason.to_owned()), Duration::ZERO));
    }

    /// Prints the summary; exit code 1 when a step failed.
    pub(crate) fn close(self) -> ExitCode {
        print!("\n{}", self.summary(self.began.elapsed()));
        let failed = self
            .steps
            .iter()
            .any(|(_, outcome, _)| matches!(outcome, Outcome::Failed(_)));
        if failed {
            ExitCode::FAILURE
        } else {
            ExitCode::SUCCESS
        }
    }

    fn summary(&self, total: Duration) -> String {
        let width = self
            .steps
            .iter()
            .map(|(name, ..)| name.len())
            .max()
            .unwrap_or(0)
            .max("total".len());
        let mut text = "summary\n".to_owned();
        let (mut passed, mut failed, mut skipped) = (0, 0, 0);
        for (name, outcome, time) in &self.steps {
            let (word, note, count) = match outcome {
                Outcome::Passed => ("passed", "", &mut passed),
                Outcome::Failed(fault) => ("FAILED", fault.lines().next().unwrap_or_default(), &mut failed),
                Outcome::Skipped(reason) => ("skipped", reason.as_str(), &mut skipped),
            };
            *count += 1;
            let line = format!("  {word:7}  {name:width$}  {:>7.1} s  {note}", time.as_secs_f64());
            let _ = writeln!(text, "{}", line.trim_end());
        }
        let _ = writeln!(
            text,
            "           {:width$}  {:>7.1} s",
            "total",
            total.as_secs_f64()
        );
        let skips = if skipped == 0 {
            String::new()
        } else {
            format!(", {skipped} skipped")
        };
        let _ = writeln!(text, "{passed} steps passed, {failed} failed{skips}");
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_summary_names_what_failed() {
        let mut report = Report::new();
        assert!(report.step("format", || Ok(())));
        assert!(!report.step("lint", || Err(
            "`cargo clippy` ended with exit status: 101\nmore".to_owned()
        )));
        report.skip("notebooks", "there are none");
        for step in &mut report.steps {
            step.2 = Duration::from_millis(1250);
        }
        assert_eq!(
            report.summary(Duration::from_secs(3)),
            "\
summary
  passed   format         1.2 s
  FAILED   lint           1.2 s  `cargo clippy` ended with exit status: 101
  skipped  notebooks      1.2 s  there are none
           total          3.0 s
1 steps passed, 1 failed, 1 skipped
"
        );
        assert_eq!(report.close(), ExitCode::FAILURE);
    }

    #[test]
    fn a_skipped_step_does_not_fail_the_run() {
        let mut report = Report::new();
        report.skip("notebooks", "there are none");
        assert_eq!(report.close(), ExitCode::SUCCESS);
    }
}
