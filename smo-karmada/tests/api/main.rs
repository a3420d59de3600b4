//! The fleet against a real API server with Karmada's kinds of objects and none of Karmada's programs: what is accepted,
//! what is refused and how that is told. `cargo xtask live` runs it; without servers each test prints one line and passes.
//!
//! [`karmada`] is the exception: what a whole Karmada does otherwise than the rest of the suite can show.
//!
//! The CRDs are those of a Karmada release where its files are at hand, and made from this crate's types otherwise.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stderr,
    clippy::await_holding_lock,
    reason = "tests fail and report, and run one after another"
)]

mod bad_input;
mod bindings;
mod clusters;
mod conflicts;
mod crds;
mod karmada;
mod objects;
mod refusals;
mod server;
mod watches;
