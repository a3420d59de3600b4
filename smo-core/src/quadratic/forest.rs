//! The links as trees: a spanning forest of the tasks, and the links that close circles.

use std::collections::BTreeSet;

use petgraph::unionfind::UnionFind;

use super::problem::{Link, QuadraticProblem};
use super::star::Star;

/// One task of a tree, after its parent.
#[derive(Debug, Clone, Copy)]
pub(super) struct Node {
    pub(super) task: usize,
    /// The place of the parent in the tree, and the link there; `None` at the root.
    pub(super) parent: Option<(usize, usize)>,
}

/// Trees of tasks, each root first.
#[derive(Debug)]
pub(super) struct Forest {
    nodes: Vec<Node>,
    starts: Vec<usize>,
    /// The tree of each task.
    pub(super) tree_of: Vec<usize>,
    /// The place of each task in its tree.
    pub(super) place_of: Vec<usize>,
    /// Links in no tree: they close circles.
    pub(super) rest: Vec<usize>,
}

impl Forest {
    /// Links that may not be everywhere go into trees first, then heavier ones.
    /// The links of stars go into none.
    pub(super) fn new(problem: &QuadraticProblem, stars: &[Star]) -> Self {
        let links = problem.links();
        let mut order: Vec<usize> = (0..links.len()).collect();
        order.sort_by_key(|link| (std::cmp::Reverse(weight(problem, &links[*link])), *link));
        let mut sets = UnionFind::new(problem.tasks());
        let mut beside = vec![Vec::new(); problem.tasks()];
        let mut rest: Vec<usize> = stars.iter().flat_map(|star| star.links.iter().copied()).collect();
        let inside: BTreeSet<usize> = rest.iter().copied().collect();
        for link in order.into_iter().filter(|link| !inside.contains(link)) {
            let Link { from, to, .. } = links[link];
            if !sets.union(from, to) {
                rest.push(link);
                continue;
            }
            beside[from].push((to, link));
            beside[to].push((from, link));
        }
        rest.sort_unstable();
        Self::of_neighbours(&beside, rest)
    }

    fn of_neighbours(beside: &[Vec<(usize, usize)>], rest: Vec<usize>) -> Self {
        let mut nodes: Vec<Node> = Vec::with_capacity(beside.len());
        let mut starts = vec![0];
        let mut tree_of = vec![usize::MAX; beside.len()];
        let mut place_of = vec![0; beside.len()];
        for task in 0..beside.len() {
            if tree_of[task] != usize::MAX {
                continue;
            }
            let start = nodes.len();
            let tree = starts.len() - 1;
            nodes.push(Node { task, parent: None });
            tree_of[task] = tree;
            let mut at = start;
            while at < nodes.len() {
                for (other, link) in &beside[nodes[at].task] {
                    if tree_of[*other] == usize::MAX {
                        tree_of[*other] = tree;
                        place_of[*other] = nodes.len() - start;
                        nodes.push(Node {
                            task: *other,
                            parent: Some((at - start, *link)),
                        });
                    }
                }
                at += 1;
            }
            starts.push(nodes.len());
        }
        Self {
            nodes,
            starts,
            tree_of,
            place_of,
            rest,
        }
    }

    pub(super) const fn trees(&self) -> usize {
        self.starts.len() - 1
    }

    pub(super) fn tree(&self, tree: usize) -> &[Node] {
        &self.nodes[self.starts[tree]..self.starts[tree + 1]]
    }

    pub(super) fn largest(&self) -> usize {
        (0..self.trees())
            .map(|tree| self.tree(tree).len())
            .max()
            .unwrap_or(0)
    }
}

fn weight(problem: &QuadraticProblem, link: &Link) -> (bool, i64) {
    let distance = &problem.distances()[link.distance];
    (distance.forbids(), (link.weight as f64 * distance.mean()) as i64)
}
