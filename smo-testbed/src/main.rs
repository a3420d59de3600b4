//! `testbed api karmada registry`: starts servers, says where they are, and holds them until its input ends or it is interrupted.
//!
//! On its standard output, for programs: `NAME=value` lines, then `ready`; `group` is the process group of the servers
//! named before it. On its standard error, for people: what it did.

#![allow(clippy::print_stdout, clippy::print_stderr, reason = "a program")]

use std::io::{Read as _, Write as _};
use std::process::ExitCode;
use std::sync::Arc;

use smo_testbed::{Limits, Registry, Setup, Testbed, TestbedError};

const USAGE: &str = "\
usage: testbed [api] [karmada] [registry]

Starts real servers on loopback and holds them until the end of its input (ctrl-d) or ctrl-c.
  api        Karmada's API server with its CRDs, and one member
  karmada    a whole Karmada with three members, the second with GPUs, and raised limits of its requests
  registry   an empty OCI registry without TLS
";

/// What runs while this is there.
#[allow(dead_code, reason = "servers end when their holder is dropped")]
enum Held {
    Testbed(Arc<Testbed>),
    Registry(Registry),
}

fn main() -> ExitCode {
    let wanted: Vec<String> = std::env::args().skip(1).collect();
    let known = |name: &String| ["api", "karmada", "registry"].contains(&name.as_str());
    if wanted.is_empty() || !wanted.iter().all(known) {
        eprint!("{USAGE}");
        return ExitCode::from(2);
    }
    let mut held = Vec::new();
    for name in &wanted {
        match start(name) {
            Ok(servers) => held.push(servers),
            Err(error) => {
                eprintln!("error: {error}");
                return ExitCode::FAILURE;
            }
        }
    }
    println!("ready");
    // Whoever waits for the line may have gone.
    let _ = std::io::stdout().flush();
    let _ = std::io::stdin().read_to_end(&mut Vec::new());
    // Returns when every server is gone.
    drop(held);
    ExitCode::SUCCESS
}

fn start(name: &str) -> Result<Held, TestbedError> {
    if name == "registry" {
        let registry = Registry::open()?;
        println!("group={}", registry.process_group());
        println!("SMO_LIVE_REGISTRY={}", registry.address());
        return Ok(Held::Registry(registry));
    }
    let (setup, variable) = match name {
        "api" => (Setup::api(), "SMO_LIVE_KUBECONFIG"),
        // Suites test what happens, and not how long it waits for its turn.
        _ => (
            Setup::karmada().with_limits(Limits::Raised),
            "SMO_KARMADA_KUBECONFIG",
        ),
    };
    let setup = setup.with_progress(|name, step, time| {
        eprintln!("{name}: {:5.1} s  {step}", time.as_secs_f64());
    });
    let testbed = Arc::new(setup.start()?);
    smo_testbed::hold(&testbed)?;
    if let Some(group) = testbed.process_group() {
        println!("group={group}");
    }
    println!("{variable}={}", testbed.kubeconfig().display());
    Ok(Held::Testbed(testbed))
}
