//! Tries the deciders of smo on public problems and loads.
//!
//! [`solve`] reads problems in several formats, solves them, and checks every answer with code of its own. [`load`], [`backtest`],
//! [`replay`] and [`profile`] do what their commands say with samples of files; [`report`] writes
//! `benches/SCALING.md` and `benches/SOLVER.md`. The program
//! `smo-lab` is the front of all; `cargo xtask` calls that.

pub mod backtest;
pub mod load;
pub mod profile;
pub mod replay;
pub mod report;
pub mod solve;
