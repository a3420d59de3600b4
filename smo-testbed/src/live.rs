//! What a live test begins with.
//!
//! Live tests are ordinary tests in `tests/live.rs` of a crate. `cargo xtask live` starts the servers once and names them in
//! the environment; without that they print one line and pass, so that `cargo test` needs no servers:
//!
//! ```no_run
//! #[test]
//! fn policies_are_accepted() {
//!     let Some(testbed) = smo_testbed::live::api() else { return };
//!     let policies = testbed.kubectl().get(&["propagationpolicies", "--all-namespaces"]);
//!     assert!(policies.is_ok());
//! }
//! ```
//!
//! | variable | means |
//! | --- | --- |
//! | `SMO_SERVERS_BIN` | the once-per-machine programs; set: live tests run |
//! | `SMO_LIVE` | `apart`: live tests have a run of their own and do nothing in this one |
//! | `SMO_LIVE_KUBECONFIG` | the API suite's server; unset: the test process starts its own |
//! | `SMO_KARMADA_KUBECONFIG` | a running Karmada; unset: the test process starts its own where `KARMADA_BIN` has the programs |

use std::path::PathBuf;
use std::sync::OnceLock;
use std::time::{Duration, Instant};

use crate::error::TestbedError;
use crate::programs::workspace_root;
use crate::registry::Registry;
use crate::setup::Setup;
use crate::testbed::Testbed;

/// The API suite's servers, shared by the tests of a process.
///
/// `None`, after one line on the standard error, where live tests were not asked for.
///
/// # Panics
///
/// When they were asked for and cannot be had: the test fails with the reason.
pub fn api() -> Option<&'static Testbed> {
    static SHARED: OnceLock<Testbed> = OnceLock::new();
    asked("API")?;
    Some(SHARED.get_or_init(|| had("API", named_or_started("SMO_LIVE_KUBECONFIG", Setup::api()))))
}

/// A whole Karmada, shared by the tests of a process.
///
/// `None`, after one line on the standard error, where live tests were not asked for, or where Karmada's own programs are
/// absent.
///
/// # Panics
///
/// As [`api`].
pub fn karmada() -> Option<&'static Testbed> {
    static SHARED: OnceLock<Option<Testbed>> = OnceLock::new();
    asked("Karmada")?;
    let start = || match named_or_started("SMO_KARMADA_KUBECONFIG", Setup::karmada()) {
        Err(missing @ TestbedError::MissingKarmada { .. }) => {
            say(&format!("not run: {missing}"));
            None
        }
        outcome => Some(had("Karmada", outcome)),
    };
    SHARED.get_or_init(start).as_ref()
}

/// An empty OCI registry of one's own; with `protected` it wants [`Registry::USER`] and [`Registry::PASSWORD`].
///
/// `None`, after one line on the standard error, where live tests were not asked for.
///
/// # Panics
///
/// As [`api`].
pub fn registry(protected: bool) -> Option<Registry> {
    asked("registry")?;
    let started = if protected {
        Registry::protected()
    } else {
        Registry::open()
    };
    Some(had("registry", started))
}

/// Tries until there is an answer, and says how long that took.
///
/// # Panics
///
/// When there is none after `limit`: the test fails, naming what it waited for.
#[allow(clippy::panic, reason = "the caller is a test")]
pub fn eventually<T>(what: &str, limit: Duration, mut attempt: impl FnMut() -> Option<T>) -> (T, Duration) {
    let began = Instant::now();
    loop {
        if let Some(answer) = attempt() {
            return (answer, began.elapsed());
        }
        if began.elapsed() > limit {
            panic!("{what}: not within {limit:.0?}");
        }
        std::thread::sleep(Duration::from_millis(50));
    }
}

fn asked(suite: &str) -> Option<()> {
    let apart = std::env::var_os("SMO_LIVE").is_some_and(|value| value == "apart");
    let asked = set("SMO_SERVERS_BIN").filter(|_| !apart).map(drop);
    if asked.is_none() {
        say(&format!("{suite} suite not run: `cargo xtask live` runs it"));
    }
    asked
}

fn set(variable: &str) -> Option<PathBuf> {
    std::env::var_os(variable)
        .filter(|value| !value.is_empty())
        // Tests run in the folder of their package; people think of the workspace.
        .map(|value| workspace_root().join(value))
}

fn named_or_started(variable: &str, setup: Setup) -> Result<Testbed, TestbedError> {
    match set(variable) {
        Some(kubeconfig) => Testbed::attach(&kubeconfig),
        None => setup.start(),
    }
}

#[allow(clippy::panic, reason = "the caller is a test")]
fn had<T>(suite: &str, outcome: Result<T, TestbedError>) -> T {
    outcome.unwrap_or_else(|error| panic!("the {suite} suite's servers cannot be used: {error}"))
}

#[allow(clippy::print_stderr, reason = "the caller is a test")]
fn say(line: &str) {
    eprintln!("live: {line}");
}
