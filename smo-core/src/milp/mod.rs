//! A small MILP model.
