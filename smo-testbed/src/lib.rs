//! Real servers on loopback for the live tests: etcd, Kubernetes API servers, Karmada, member clusters whose nodes and
//! pods are simulated by kwok, and an OCI registry.
//!
//! They are child processes of whoever starts them and end with it, whatever ends it. They listen on free ports of
//! 127.0.0.1 and write below `target/live`: one folder a testbed, with kubeconfigs, certificates and a log for each server.
//!
//! ```no_run
//! use smo_testbed::Setup;
//!
//! let testbed = Setup::karmada().start()?;
//! testbed.kubectl().run(&["get", "clusters"])?;
//! testbed.stop_member("m1")?; // a crash; Karmada notices after about 6 s
//! testbed.start_member("m1")?;
//! # Ok::<(), smo_testbed::TestbedError>(())
//! ```
//!
//! | module | what |
//! | --- | --- |
//! | [`live`] | what a live test begins with |
//! | `setup` | from nothing to a running testbed |
//! | `testbed`, `remote` | a running one, in this process or held by another |
//! | `rig`, `member`, `control_plane` | flags and objects: etcd and API servers; a member; Karmada's own programs |
//! | `registry` | an OCI registry |
//! | `audit` | who asked Karmada's API server for what |
//! | `process`, `ports`, `folder`, `pki`, `kubeconfig`, `kubectl`, `programs` | one means each |
//!
//! The programs come from `cargo xtask servers`; Karmada's own from a release ([`live`] has the variables).

mod audit;
mod control_plane;
mod error;
mod folder;
mod kubeconfig;
mod kubectl;
pub mod live;
mod member;
mod pki;
mod ports;
mod process;
mod programs;
mod registry;
mod remote;
mod rig;
mod setup;
mod testbed;

pub use audit::{Audit, Calls};
pub use error::TestbedError;
pub use kubectl::Kubectl;
pub use member::Member;
pub use process::group_runs;
pub use programs::Servers;
pub use registry::Registry;
pub use remote::hold;
pub use rig::condition;
pub use setup::{Limits, Progress, Setup};
pub use testbed::Testbed;
