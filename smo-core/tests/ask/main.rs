//! Questions about decisions: stories that are read, and claims compared with trying everything.

#![allow(clippy::unwrap_used, clippy::panic)]

mod binding;
mod every_part;
mod explanation;
mod losses;
#[path = "../model_support/mod.rs"]
mod model_support;
mod order;
mod relaxed;
mod repairs;
mod rules;
mod split;
mod support;
mod trade_offs;
mod watched;
mod what_if;
