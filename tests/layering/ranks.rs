//! The ranks of smo-core's modules, and what breaks them.

use std::collections::{BTreeMap, BTreeSet};

use crate::source::{PathUse, Source, paths};

/// Modules of this rank may use one another, as long as there is no cycle: a unit is decoded, a diagnostic has an id.
const VOCABULARY: u32 = 0;

/// Module name to rank, from the table in the documentation of `lib.rs`.
pub(crate) fn ranks(lib: &str) -> BTreeMap<String, u32> {
    let mut ranks = BTreeMap::new();
    for row in lib.lines().filter_map(|line| line.strip_prefix("//! | ")) {
        let Some((rank, modules)) = row.split_once(" | ") else {
            continue;
        };
        let Some(rank) = rank.split(' ').next().and_then(|number| number.parse().ok()) else {
            continue;
        };
        for name in modules
            .split("[`")
            .skip(1)
            .filter_map(|rest| rest.split_once("`]"))
        {
            ranks.insert(name.0.to_owned(), rank);
        }
    }
    ranks
}

/// The top-level module that `used` reaches from a file at module path `from`, if it reaches one by name.
fn reached(used: &PathUse, from: &[String], ranks: &BTreeMap<String, u32>) -> Option<String> {
    let supers = used.parts.iter().take_while(|part| *part == "super").count();
    let from_root = used.parts.first().is_some_and(|part| part == "crate");
    // As many `super` as the file is deep lead to the crate root; only names of modules count there, since an inline
    // module's `super` is the file itself.
    let name = used.parts.get(if from_root { 1 } else { supers })?;
    let is_module = ranks.contains_key(name);
    (from_root || (supers > 0 && supers == from.len() && is_module)).then(|| name.clone())
}

/// What `files` do against the ranks, one line each.
pub(crate) fn layering_faults(files: &[Source], ranks: &BTreeMap<String, u32>) -> Vec<String> {
    let mut faults = Vec::new();
    let mut peers: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for file in files {
        let module = file.module();
        let Some(own) = module.first() else { continue };
        let Some(own_rank) = ranks.get(own) else {
            faults.push(format!(
                "{}: module `{own}` has no rank; add it to the table in smo-core/src/lib.rs",
                file.path.display()
            ));
            continue;
        };
        for used in paths(&file.code) {
            let Some(target) = reached(&used, &module, ranks).filter(|target| target != own) else {
                continue;
            };
            let place = format!("{}:{}", file.path.display(), used.line);
            match ranks.get(&target) {
                None => faults.push(format!(
                    "{place}: `crate::{target}` is no module with a rank; name the module that defines it, so that the layer shows"
                )),
                Some(rank) if rank > own_rank => faults.push(format!(
                    "{place}: `{own}` (rank {own_rank}) uses `{target}` (rank {rank}); move what is shared down, or pass it as a value or behind a trait"
                )),
                Some(rank) if rank == own_rank && *rank != VOCABULARY => faults.push(format!(
                    "{place}: `{own}` and `{target}` are both of rank {rank}; move what is shared to a lower rank"
                )),
                Some(rank) if rank == own_rank => {
                    peers.entry(own.clone()).or_default().insert(target);
                }
                Some(_) => {}
            }
        }
    }
    faults.dedup(); // one `use` of three names of a module is one fault
    faults.extend(cycle(&peers).map(|names| {
        format!(
            "the vocabulary has a cycle: {}; move what is shared into one of them",
            names.join(" -> ")
        )
    }));
    faults
}

/// A cycle in `uses`, first name repeated at the end, if there is one.
fn cycle(uses: &BTreeMap<String, BTreeSet<String>>) -> Option<Vec<String>> {
    fn walk(at: &str, uses: &BTreeMap<String, BTreeSet<String>>, trail: &mut Vec<String>) -> bool {
        let seen = trail.iter().position(|name| name == at);
        trail.push(at.to_owned());
        if let Some(start) = seen {
            trail.drain(..start);
            return true;
        }
        if uses
            .get(at)
            .is_some_and(|next| next.iter().any(|name| walk(name, uses, trail)))
        {
            return true;
        }
        trail.pop();
        false
    }
    uses.keys().find_map(|start| {
        let mut trail = Vec::new();
        walk(start, uses, &mut trail).then_some(trail)
    })
}

/// A rule that finds nothing anywhere proves nothing: here it is on small made-up sources.
mod tests {
    use super::*;
    use crate::source::sample as source;

    fn two_ranks() -> BTreeMap<String, u32> {
        ranks(
            "//! | rank | modules |\n//! | --- | --- |\n//! | 0 words | [`id`], [`units`] |\n//! | 1 facts | [`graph`], [`fleet`] |\n",
        )
    }

    #[test]
    fn the_table_is_read() {
        let expected =
            [("fleet", 1), ("graph", 1), ("id", 0), ("units", 0)].map(|(name, rank)| (name.to_owned(), rank));
        assert_eq!(two_ranks(), BTreeMap::from(expected));
    }

    #[test]
    fn an_upward_use_is_found_however_it_is_written() {
        for text in [
            "use crate::graph::Graph;",
            "use crate::{graph::{self, Link}, units};",
            "fn f() -> crate::graph::Graph { todo() }",
            "use super::graph::Graph;",
            "mod inner { use crate::graph as g; }",
        ] {
            let faults = layering_faults(&[source("smo-core/src/id.rs", text)], &two_ranks());
            assert_eq!(faults.len(), 1, "{text}: {faults:?}");
            assert!(
                faults[0].starts_with("smo-core/src/id.rs:1: `id` (rank 0) uses `graph` (rank 1)"),
                "{faults:?}"
            );
        }
        let deep = source(
            "smo-core/src/graph/link.rs",
            "\nuse super::super::fleet::Cluster;",
        );
        assert!(
            layering_faults(&[deep], &two_ranks())[0]
                .starts_with("smo-core/src/graph/link.rs:2: `graph` and `fleet`")
        );
    }

    #[test]
    fn comments_strings_tests_and_neighbours_do_not_count() {
        let text = "//! [`crate::graph`]\n/* crate::graph /* nested */ */\nconst A: &str = \"crate::graph\";\nconst B: &str = r#\"use crate::graph;\"#;\n\
                    const C: char = '\"'; fn f<'a>(x: &'a str) -> &'a str { x }\n#[cfg(test)]\nmod tests {\n  use crate::graph::Graph; fn g() {}\n}\n\
                    #[cfg(test)]\nuse crate::graph;\nuse crate::units::Cpu;\n";
        assert_eq!(
            layering_faults(&[source("smo-core/src/id.rs", text)], &two_ranks()),
            Vec::<String>::new()
        );
        let neighbour = source(
            "smo-core/src/graph/link.rs",
            "use super::fleet;\nuse crate::graph::Graph;",
        );
        assert_eq!(layering_faults(&[neighbour], &two_ranks()), Vec::<String>::new());
    }

    #[test]
    fn a_cycle_in_the_vocabulary_is_found() {
        let files = [
            source("smo-core/src/id.rs", "use crate::units;"),
            source("smo-core/src/units.rs", "use crate::id;"),
        ];
        assert_eq!(layering_faults(&files[..1], &two_ranks()), Vec::<String>::new());
        assert_eq!(
            layering_faults(&files, &two_ranks()),
            ["the vocabulary has a cycle: id -> units -> id; move what is shared into one of them"]
        );
    }

    #[test]
    fn unranked_names_are_found() {
        let faults = layering_faults(&[source("smo-core/src/id.rs", "use crate::Graph;")], &two_ranks());
        assert!(
            faults[0].contains("`crate::Graph` is no module with a rank"),
            "{faults:?}"
        );
        let faults = layering_faults(&[source("smo-core/src/odd.rs", "")], &two_ranks());
        assert!(faults[0].contains("module `odd` has no rank"), "{faults:?}");
    }
}
