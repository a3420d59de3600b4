//! Questions about decisions: stories that are read, and claims compared with trying everything.

#![allow(clippy::unwrap_used, clippy::panic)]

mod binding;
mod explanation;
mod losses;
mod order;
mod relaxed;
mod repairs;
mod rules;
mod split;
mod support;
mod trade_offs;
mod watched;
mod what_if;
