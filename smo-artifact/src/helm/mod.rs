//! Charts installed by the `helm` program, version 3 or 4.
//!
//! | file | what |
//! | --- | --- |
//! | `config` | where the program and the control plane are |
//! | `arguments`, `output`, `failure` | what is said to Helm, and what its answers mean; pure |
//! | `process` | running it |
//! | `charts` | charts from registries as files |
//! | `driver`, `mend` | [`HelmDriver`], and what it does about operations that failed or were cut off |
//!
//! Helm never waits here (`--wait`, `--atomic`): on a control plane that only hands objects on, such as Karmada, readiness
//! is nothing Helm can see. What `--atomic` is for is done by hand, see [`HelmDriver`].

mod arguments;
mod charts;
mod config;
mod driver;
mod failure;
mod mend;
mod output;
mod process;

pub use config::HelmConfig;
pub use driver::HelmDriver;
