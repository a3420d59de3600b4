//! Times and requests of an act, and their medians.

use std::time::{Duration, Instant};

use smo_testbed::{Audit, Calls, Testbed};

/// How often an act is done.
pub(crate) const RUNS: usize = 3;

/// The clients that are told apart: what they call themselves to the API server.
const SMO: &str = "";
const HELM: &str = "Helm/";
const KUBECTL: &str = "kubectl/";

/// The one in the middle.
pub(crate) fn median(times: &[Duration]) -> Duration {
    let mut times = times.to_vec();
    times.sort();
    times.get(times.len() / 2).copied().unwrap_or_default()
}

/// `2.31 s`, or milliseconds below one second.
pub(crate) fn told(time: Duration) -> String {
    if time < Duration::from_secs(1) {
        format!("{} ms", time.as_millis())
    } else {
        format!("{:.2} s", time.as_secs_f64())
    }
}

/// `12 (get 4, list 2, patch 6)`.
pub(crate) fn calls(calls: &Calls) -> String {
    let total: usize = calls.values().sum();
    let parts: Vec<String> = calls
        .iter()
        .map(|(verb, count)| format!("{verb} {count}"))
        .collect();
    if parts.is_empty() {
        "0".to_owned()
    } else {
        format!("{total} ({})", parts.join(", "))
    }
}

/// An act under way: when it began, and who asked the API server for what since.
pub(crate) struct Act {
    began: Instant,
    audit: Audit,
}

impl Act {
    pub(crate) fn begin(testbed: &Testbed) -> Self {
        let audit = testbed.audit().unwrap();
        Self {
            began: Instant::now(),
            audit,
        }
    }

    pub(crate) fn elapsed(&self) -> Duration {
        self.began.elapsed()
    }

    /// What this program asked for.
    pub(crate) fn smo(&self) -> Calls {
        self.audit.calls(SMO).unwrap()
    }

    pub(crate) fn helm(&self) -> Calls {
        self.audit.calls(HELM).unwrap()
    }

    /// What kubectl asked for. Whoever looks by kubectl whether an act is done counts before that.
    pub(crate) fn kubectl(&self) -> Calls {
        self.audit.calls(KUBECTL).unwrap()
    }
}
