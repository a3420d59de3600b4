//! Tries the deciders of smo on public problems and loads.
//!
//! [`solve`] reads problems in several formats, solves them, and checks every answer with code of its own. The program
//! `smo-lab` is the front of it; `cargo xtask` calls that.

pub mod solve;
