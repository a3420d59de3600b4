//! On what and with what it was measured.

use std::process::Command;

use smo_testbed::Testbed;

use crate::measure::{RUNS, told};
use crate::page::Page;

/// How many processes wanted to run, over 1, 5 and 15 minutes.
pub(crate) fn load() -> String {
    let text = std::fs::read_to_string("/proc/loadavg").unwrap_or_default();
    let parts: Vec<&str> = text.split(' ').take(3).collect();
    parts.join(", ")
}

/// The value of the first line of a file in `/proc` that begins with `key`.
fn of_proc(file: &str, key: &str) -> String {
    let text = std::fs::read_to_string(file).unwrap_or_default();
    let line = text.lines().find(|line| line.starts_with(key));
    let value = line
        .and_then(|line| line.split_once(':'))
        .map(|(_, value)| value.trim());
    value.unwrap_or("unknown").to_owned()
}

/// The first word of what a program says that looks like a version.
fn version(program: &std::path::Path, arguments: &[&str]) -> String {
    let output = Command::new(program).args(arguments).output();
    let text = output
        .map(|output| String::from_utf8_lossy(&output.stdout).into_owned())
        .unwrap_or_default();
    let is_version = |word: &&str| {
        let digits = word.trim_start_matches('v');
        digits.starts_with(|c: char| c.is_ascii_digit()) && digits.contains('.')
    };
    let words = text.split(|c: char| c.is_whitespace() || c == '"' || c == ',');
    words.into_iter().find(is_version).unwrap_or("unknown").to_owned()
}

pub(crate) fn describe(page: &mut Page, testbed: &Testbed, load_before: &str) {
    let server = |name: &str, arguments: &[&str]| version(&testbed.servers().program(name), arguments);
    let karmada = std::env::var("SMO_REPORT_KARMADA").unwrap_or_else(|_| "unknown version".to_owned());
    let start = testbed
        .times()
        .last()
        .map(|(_, time)| told(*time))
        .unwrap_or_default();
    let cores = std::thread::available_parallelism().map_or(0, usize::from);
    let memory = of_proc("/proc/meminfo", "MemTotal");
    let memory = memory.trim_end_matches(" kB").parse::<u64>().unwrap_or(0) / 1024 / 1024;
    page.line("# On a real Karmada");
    page.line(&format!(
        "Written by `cargo xtask report karmada` on {}; do not edit. Each number is the median of {RUNS} runs where nothing \
         else is said. The same run did the same act by hand, with kubectl and Helm; kubectl also tells when an act is \
         done (it looks about every 0.1 s). Everything runs on loopback on one machine; pods are simulated by kwok, so they are \
         ready as soon as they are scheduled. [SOLVER.md](SOLVER.md) measures the solver, [SCALING.md](SCALING.md) forecasts and \
         decisions on replicas.",
        jiff::Timestamp::now().strftime("%Y-%m-%d %H:%M UTC")
    ));
    page.line(&format!(
        "Machine: {}, {cores} cores, {memory} GiB. Load average before: {load_before}. Built without optimisation of this \
         crate (profile `test`).",
        of_proc("/proc/cpuinfo", "model name")
    ));
    page.line(&format!(
        "Karmada {karmada} with default limits of its controllers and three members of three nodes, ready {start} after the \
         start; Kubernetes {}, Helm {} and {}.",
        server("kube-apiserver", &["--version"]),
        server("helm3", &["version", "--short"]),
        server("helm4", &["version", "--short"]),
    ));
}
