//! The problems of the model's suites: each part alone, with and without replicas that split, then mixes.

use smo_core::placement::PlacementProblem;

use crate::model_support::{Part, Random, problem};

/// So many seeds for each part alone, and so many mixes, which `salt` tells from those of another suite.
pub(crate) fn problems(
    alone: u64,
    mixes: u64,
    salt: u64,
) -> impl Iterator<Item = (String, PlacementProblem)> {
    let alone = Part::ALL.into_iter().flat_map(move |part| {
        (0..alone).map(move |seed| {
            let parts = if seed % 2 == 0 {
                vec![part]
            } else {
                vec![Part::Split, part]
            };
            (seed, parts)
        })
    });
    let mixes = (0..mixes).map(move |seed| {
        let mut random = Random::new(seed ^ salt);
        let percent = random.between(10, 60);
        let parts: Vec<Part> = Part::ALL.into_iter().filter(|_| random.chance(percent)).collect();
        (seed, parts)
    });
    alone
        .chain(mixes)
        .map(|(seed, parts)| (format!("seed {seed}, {parts:?}"), problem(seed, &parts)))
}
