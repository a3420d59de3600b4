//! One solver on one file, as a program of its own: its seconds on a clock, its CPU seconds, what it says.

use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Instant;

use serde_json::Value as Json;
use smo_core::placement::Value;

/// What a solver said of a file, and what that took.
#[derive(Debug, Clone, PartialEq, Default)]
pub(super) struct Run {
    /// What was printed.
    pub(super) said: Json,
    /// On a clock.
    pub(super) seconds: f64,
    /// Of a processor, without what the system did; `None` where the system does not tell.
    pub(super) user: Option<f64>,
}

impl Run {
    pub(super) fn number(&self, key: &str) -> Option<f64> {
        self.said[key].as_f64()
    }

    pub(super) fn value(&self) -> Option<f64> {
        self.number("value")
    }

    pub(super) fn bound(&self) -> Option<f64> {
        self.number("bound")
    }

    /// The gap, in percent.
    pub(super) fn gap(&self) -> Option<f64> {
        let (value, bound) = self.value().zip(self.bound())?;
        let gap = Value::from_points(value).gap(Value::from_points(bound));
        gap.map(|gap| gap * 100.0)
    }

    pub(super) fn is_proved(&self) -> bool {
        self.said["status"] == "optimal"
    }
}

/// By how many percent `value` is above `base`.
pub(super) fn percent(value: f64, base: f64) -> Option<f64> {
    let share = (value - base) / base.abs() * 100.0;
    share.is_finite().then_some(share)
}

/// Solves a file by this program itself.
pub(super) fn solve(format: &str, file: &Path, seconds: f64) -> Result<Run, String> {
    let program = std::env::current_exe().map_err(|error| error.to_string())?;
    let mut command = Command::new(program);
    command
        .args(["solve", format])
        .arg(file)
        .args(["--json", "--seconds", &seconds.to_string()]);
    run(&mut command)
}

/// Runs a program whose last line is one JSON object.
pub(super) fn run(command: &mut Command) -> Result<Run, String> {
    let (began, before) = (Instant::now(), children_ticks());
    let output = command
        .stderr(Stdio::piped())
        .output()
        .map_err(|error| format!("{}: {error}", command.get_program().display()))?;
    let seconds = began.elapsed().as_secs_f64();
    if !output.status.success() {
        let said = String::from_utf8_lossy(&output.stderr);
        let last = said.lines().rfind(|line| !line.trim().is_empty());
        return Err(last.unwrap_or("it failed and says nothing").to_owned());
    }
    #[allow(clippy::cast_precision_loss)]
    let user = children_ticks().zip(before).map(|(now, before)| {
        let ticks = now.saturating_sub(before);
        ticks as f64 / TICKS_PER_SECOND
    });
    // Some solvers say who they are first, whatever they are asked.
    let printed = String::from_utf8_lossy(&output.stdout);
    let last = printed.lines().last().unwrap_or_default();
    let said = serde_json::from_str(last).map_err(|error| error.to_string())?;
    Ok(Run { said, seconds, user })
}

/// What Linux counts processor time in, on every architecture that it shows to programs.
const TICKS_PER_SECOND: f64 = 100.0;

/// Processor time of programs that were started and have ended: the 16th field of `/proc/self/stat`
/// ([proc_pid_stat(5)](https://man7.org/linux/man-pages/man5/proc_pid_stat.5.html)).
fn children_ticks() -> Option<u64> {
    let stat = std::fs::read_to_string("/proc/self/stat").ok()?;
    let (_, fields) = stat.rsplit_once(") ")?;
    fields.split(' ').nth(13)?.parse().ok()
}

/// The machine, and how busy it is: numbers are only worth what the machine was free for.
pub(super) fn machine() -> String {
    let read = |path: &str| std::fs::read_to_string(path).unwrap_or_default();
    let cpus = read("/proc/cpuinfo");
    let model = cpus.lines().find_map(|line| line.strip_prefix("model name"));
    let model = model
        .and_then(|line| line.split(':').nth(1))
        .map_or("unknown processor", str::trim);
    let cores = cpus.lines().filter(|line| line.starts_with("processor")).count();
    let load: Vec<String> = read("/proc/loadavg")
        .split(' ')
        .take(3)
        .map(str::to_owned)
        .collect();
    format!("{model}, {cores} cores; load average {}", load.join(", "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn gaps_are_in_percent_of_the_bound() {
        let run = Run {
            said: serde_json::json!({"status": "feasible", "value": 102, "bound": 100}),
            ..Run::default()
        };
        assert_eq!(run.gap(), Some(2.0));
        assert!(!run.is_proved());
        assert_eq!(percent(1.0, 0.0), None);
    }
}
