//! Abstract deadlock patterns: circles of abstract acquisitions, each of which asks for a lock that the next one holds.
//!
//! Definition 4 of Tunç, Mathur, Pavlogiannis and Viswanathan (PLDI 2023), with modes: distinct threads, distinct locks, held sets
//! that can be held at the same time. All circles lie within strongly connected components, first of the graph of locks, then of
//! the graph of acquisitions, and nothing is searched outside of them.

use lockscope_trace::LockId;
use petgraph::{
    algo::tarjan_scc,
    graph::{DiGraph, NodeIndex},
};
use rustc_hash::{FxHashMap, FxHashSet};

use super::nodes::{Node, Nodes};
use crate::{engine::closure::sets::can_overlap, lock_pairs::Components};

/// Circles that were found.
#[derive(Debug, Default)]
pub(super) struct Patterns {
    /// Indices of nodes; each asks for a lock that the next one holds, the last one for one that the first one holds.
    pub all: Vec<Vec<u32>>,
    /// Circles of this length and longer ones may be missing.
    pub cut_at: Option<usize>,
}

/// Most circles that are looked at.
const MOST_PATTERNS: usize = 20_000;
/// Most edges between acquisitions for which their components are computed. With more the components of locks have to do.
const MOST_EDGES: usize = 4_000_000;

impl Patterns {
    /// Takes at most so many steps.
    pub(super) fn search(nodes: &Nodes, budget: u64) -> Patterns {
        let mut search = Search { nodes, next: FxHashMap::default(), budget, found: Patterns::default() };
        let components = search.components(&nodes.inside);
        for component in &components {
            search.search_component(component);
        }
        search.found
    }
}

struct Search<'a> {
    nodes: &'a Nodes,
    /// For each node within a circle, the ones that hold what it asks for, ascending.
    next: FxHashMap<u32, Vec<u32>>,
    budget: u64,
    found: Patterns,
}

impl Search<'_> {
    fn node(&self, node: u32) -> &Node {
        &self.nodes.all[node as usize]
    }

    /// Whether `next` holds what `node` asks for and both can be.
    fn follows(&self, node: u32, next: u32) -> bool {
        let (node, next) = (self.node(node), self.node(next));
        let held = self.nodes.held(next);
        node.thread != next.thread
            && held.iter().any(|&(lock, mode)| lock == node.lock && !mode.compatible(node.mode))
            && can_overlap(self.nodes.held(node), held)
    }

    /// The strongly connected components of the graph of acquisitions that have more than one, each ascending.
    fn components(&mut self, inside: &Components) -> Vec<Vec<u32>> {
        // By a lock that they hold and that leads back to it.
        let mut holding = FxHashMap::<LockId, Vec<u32>>::default();
        let mut members = Vec::new();
        for (index, node) in self.nodes.all.iter().enumerate() {
            let Some(home) = inside.get(&node.lock) else { continue };
            let mut is_in = false;
            for (held, _) in self.nodes.held(node).iter().filter(|(held, _)| inside.get(held) == Some(home)) {
                holding.entry(*held).or_default().push(index as u32);
                is_in = true;
            }
            if is_in {
                members.push(index as u32);
            }
        }
        let mut graph = DiGraph::<u32, ()>::new();
        let index_of: FxHashMap<u32, NodeIndex> = members.iter().map(|&node| (node, graph.add_node(node))).collect();
        for &node in &members {
            let mut next = holding.get(&self.node(node).lock).cloned().unwrap_or_default();
            next.retain(|&next| self.follows(node, next));
            next.dedup();
            for other in &next {
                graph.add_edge(index_of[&node], index_of[other], ());
            }
            self.next.insert(node, next);
            if graph.edge_count() > MOST_EDGES {
                // Too many to be told apart; their circles are cut off by the budget.
                self.found.cut_at = Some(2);
                return Vec::new();
            }
        }
        let mut components: Vec<Vec<u32>> = tarjan_scc(&graph)
            .into_iter()
            .filter(|component| component.len() > 1)
            .map(|component| {
                let mut component: Vec<u32> = component.into_iter().map(|index| graph[index]).collect();
                component.sort_unstable();
                component
            })
            .collect();
        components.sort_unstable();
        components
    }

    /// Shorter circles first, so that the budget cuts off the least likely.
    fn search_component(&mut self, component: &[u32]) {
        let members: FxHashSet<u32> = component.iter().copied().collect();
        for node in component {
            if let Some(next) = self.next.get_mut(node) {
                next.retain(|next| members.contains(next));
            }
        }
        let count =
            |of: fn(&Node) -> u32| component.iter().map(|&node| of(self.node(node))).collect::<FxHashSet<_>>().len();
        let longest = count(|node| node.thread).min(count(|node| node.lock.0).max(2));
        for length in 2..=longest {
            for &start in component {
                let mut path = vec![start];
                self.extend(&mut path, length);
            }
            if self.found.cut_at.is_some() {
                return;
            }
        }
    }

    fn extend(&mut self, path: &mut Vec<u32>, length: usize) {
        let (start, last) = (path[0], path[path.len() - 1]);
        if path.len() == length {
            if self.follows(last, start) {
                self.found.all.push(path.clone());
            }
            return;
        }
        let n_next = self.next.get(&last).map_or(0, Vec::len);
        // Each circle is found from its lowest member only.
        let first = self.next.get(&last).map_or(0, |next| next.partition_point(|&next| next <= start));
        for index in first..n_next {
            if self.budget == 0 || self.found.all.len() == MOST_PATTERNS {
                self.found.cut_at = Some(length);
                return;
            }
            self.budget -= 1;
            let next = self.next[&last][index];
            let candidate = self.node(next);
            let fits = |&member: &u32| {
                let node = self.node(member);
                node.thread != candidate.thread
                    // Two threads that upgrade one lock ask for the same one.
                    && (node.lock != candidate.lock || length == 2)
                    && can_overlap(self.nodes.held(node), self.nodes.held(candidate))
            };
            if path.iter().all(fits) {
                path.push(next);
                self.extend(path, length);
                path.pop();
            }
        }
    }
}
