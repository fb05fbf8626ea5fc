//! The lock order as data, for tables and drawings.

use std::collections::BTreeMap;

use lockscope_trace::{ClassId, Definitions, LockId, Mode, SiteId, ThreadId};
use petgraph::{
    algo::kosaraju_scc,
    graph::{DiGraph, NodeIndex},
    graphmap::DiGraphMap,
};
use rustc_hash::FxHashMap;

use crate::detect::lock_order::Group;

/// What a node of the lock order stands for.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Grouping {
    /// One lock.
    #[default]
    Locks,
    /// All locks of a class.
    Classes,
}

/// Which locks were taken while which were held. Tries are in it as held, not as taken; see
/// [`Request`](crate::detect::request::Request).
#[derive(Clone, Debug, Default)]
pub struct OrderGraph {
    /// Locks (or classes) that were nested with others, by level, then by id.
    pub nodes: Vec<OrderNode>,
    /// Pairs of nodes, by [`OrderEdge::from`], then [`OrderEdge::to`].
    pub edges: Vec<OrderEdge>,
}

/// A lock or class in the lock order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OrderNode {
    /// The lock, or the first lock of the class that was nested.
    pub lock: LockId,
    /// Its class.
    pub class: ClassId,
    /// How many nested locks it stands for.
    pub locks: u32,
    /// Length of the longest path that leads here; nodes of a circle share their level.
    pub level: u32,
}

/// An order between two nodes: `to` was taken while `from` was held.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OrderEdge {
    /// Index of the node that was held.
    pub from: usize,
    /// Index of the node that was taken. Equal to `from` when two locks of one class are nested.
    pub to: usize,
    /// How often.
    pub count: u64,
    /// Who did it first.
    pub thread: ThreadId,
    /// How `from` was held then.
    pub held_mode: Mode,
    /// Where `from` had been taken then.
    pub held_site: Option<SiteId>,
    /// How `to` was taken then.
    pub mode: Mode,
    /// Where `to` was taken then.
    pub site: Option<SiteId>,
    /// Number of the event that asked for `to` then.
    pub event: u64,
    /// Whether there is also a way back from `to` to `from`: no order of nodes agrees with all edges. For a class nested
    /// in itself, whether its locks are. Says nothing of
    /// whether threads can get stuck, which also depends on gate locks, threads, forks and joins; findings do.
    pub inverted: bool,
}

type Key = (ClassId, Option<LockId>);

impl OrderGraph {
    /// The graph of distinct requests.
    pub(crate) fn new(groups: &[Group], definitions: &Definitions, grouping: Grouping) -> Self {
        // Nodes by class and, when they stand for one lock, by that lock.
        let key = |lock: LockId| {
            let class = definitions.lock(lock)?.class;
            Some((class, (grouping == Grouping::Locks).then_some(lock)))
        };
        let circular = circular_locks(groups);
        let mut locks = BTreeMap::<LockId, Key>::new();
        let mut edges = BTreeMap::<(Key, Key), OrderEdge>::new();
        for group in groups {
            for &(held, held_mode) in group.held.iter().filter(|(held, _)| *held != group.lock) {
                let (Some(from), Some(to)) = (key(held), key(group.lock)) else { continue };
                let pair = (from, to);
                locks.insert(held, pair.0);
                locks.insert(group.lock, pair.1);
                let first = &group.first;
                let edge = OrderEdge {
                    from: 0,
                    to: 0,
                    count: group.count,
                    thread: first.thread(),
                    held_mode,
                    held_site: first.held.iter().find(|hold| hold.lock == held).and_then(|hold| hold.site),
                    mode: group.mode,
                    site: first.wanted.site,
                    event: first.wanted.event,
                    // Locks of one class may be nested in an order of their own.
                    inverted: from == to
                        && circular.get(&held).is_some_and(|home| circular.get(&group.lock) == Some(home)),
                };
                edges
                    .entry(pair)
                    .and_modify(|known| {
                        let (count, inverted) = (known.count + edge.count, known.inverted | edge.inverted);
                        if edge.event < known.event {
                            *known = edge.clone();
                        }
                        (known.count, known.inverted) = (count, inverted);
                    })
                    .or_insert(edge);
            }
        }
        let mut graph = DiGraph::<OrderNode, ()>::new();
        let mut node_of = FxHashMap::<Key, NodeIndex>::default();
        for (&lock, &key) in &locks {
            let node = *node_of
                .entry(key)
                .or_insert_with(|| graph.add_node(OrderNode { lock, class: key.0, locks: 0, level: 0 }));
            graph[node].locks += 1;
        }
        for (from, to) in edges.keys() {
            graph.update_edge(node_of[from], node_of[to], ());
        }
        let component = set_levels(&mut graph);
        for ((from, to), edge) in &mut edges {
            edge.inverted |= from != to && component[&node_of[from]] == component[&node_of[to]];
        }
        // Nodes in order of level, and the edges' ends renumbered to match.
        let mut order: Vec<NodeIndex> = graph.node_indices().collect();
        order.sort_by_key(|&node| (graph[node].level, graph[node].lock));
        let index: FxHashMap<NodeIndex, usize> = order.iter().enumerate().map(|(index, &node)| (node, index)).collect();
        let mut edges: Vec<OrderEdge> = edges
            .into_iter()
            .map(|((from, to), edge)| OrderEdge { from: index[&node_of[&from]], to: index[&node_of[&to]], ..edge })
            .collect();
        edges.sort_by_key(|edge| (edge.from, edge.to));
        OrderGraph { nodes: order.into_iter().map(|node| graph[node].clone()).collect(), edges }
    }
}

/// Locks that can be reached from themselves, each with a number of its circle.
fn circular_locks(groups: &[Group]) -> FxHashMap<LockId, usize> {
    let mut graph = DiGraphMap::<LockId, ()>::new();
    for group in groups {
        for &(held, _) in &group.held {
            graph.add_edge(held, group.lock, ());
        }
    }
    let circles = kosaraju_scc(&graph).into_iter().filter(|locks| locks.len() > 1).enumerate();
    circles.flat_map(|(index, locks)| locks.into_iter().map(move |lock| (lock, index))).collect()
}

/// Sets the levels, longest path first, and returns the strongly connected component of each node.
fn set_levels(graph: &mut DiGraph<OrderNode, ()>) -> FxHashMap<NodeIndex, usize> {
    // Kosaraju's algorithm yields components with those that they lead to first.
    let components = kosaraju_scc(&*graph);
    let component: FxHashMap<NodeIndex, usize> =
        components.iter().enumerate().flat_map(|(index, nodes)| nodes.iter().map(move |&node| (node, index))).collect();
    let mut levels = vec![0; components.len()];
    for (index, nodes) in components.iter().enumerate().rev() {
        let level = levels[index];
        for &node in nodes {
            graph[node].level = level;
            for next in graph.neighbors(node).map(|next| component[&next]).filter(|&next| next != index) {
                levels[next] = levels[next].max(level + 1);
            }
        }
    }
    component
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::run;

    /// Nodes as `name level`, edges as `from to count`, inverted ones with a mark.
    fn graph(trace: &str, grouping: Grouping) -> (Vec<String>, Vec<String>) {
        let (analysis, definitions) = run(trace);
        let graph = analysis.order_graph(&definitions, grouping);
        let name = |node: &OrderNode| match grouping {
            Grouping::Locks => definitions.lock_name(node.lock),
            Grouping::Classes => format!("{} of {}", node.locks, definitions.class_name(node.lock)),
        };
        let nodes = graph.nodes.iter().map(|node| format!("{} {}", name(node), node.level)).collect();
        let edge = |edge: &OrderEdge| {
            let (from, to) = (name(&graph.nodes[edge.from]), name(&graph.nodes[edge.to]));
            format!("{from} {to} {}{}", edge.count, if edge.inverted { " !" } else { "" })
        };
        (nodes, graph.edges.iter().map(edge).collect())
    }

    #[test]
    fn levels_are_longest_paths() {
        let (nodes, edges) = graph(
            "A: lock a, lock b, lock c, unlock c, unlock b, lock c, unlock c, unlock a, lock x; B: lock d, lock c",
            Grouping::Locks,
        );
        assert_eq!(nodes, ["a 0", "d 0", "b 1", "c 2"]);
        assert_eq!(edges, ["a b 1", "a c 2", "d c 1", "b c 1"]);
    }

    #[test]
    fn inverted_edges_share_a_level() {
        let (nodes, edges) =
            graph("A: lock g, lock a, lock b, unlock b, unlock a, unlock g, lock b, lock a, lock z", Grouping::Locks);
        assert_eq!(nodes, ["g 0", "a 1", "b 1", "z 2"]);
        assert_eq!(edges, ["g a 1", "g b 1", "a b 1 !", "a z 1", "b a 1 !", "b z 1"]);
    }

    #[test]
    fn classes() {
        let (nodes, edges) = graph("A: lock a, lock acc.1, lock acc.2, unlock acc.2, lock acc.3", Grouping::Classes);
        assert_eq!(nodes, ["1 of a 0", "3 of Mutex<u8> (acc:1) 1"]);
        assert_eq!(edges, ["1 of a 3 of Mutex<u8> (acc:1) 3", "3 of Mutex<u8> (acc:1) 3 of Mutex<u8> (acc:1) 2"]);
        let both = "A: lock acc.1, lock acc.2, unlock acc.2, unlock acc.1, lock acc.2, lock acc.1";
        assert_eq!(graph(both, Grouping::Classes).1, ["2 of Mutex<u8> (acc:1) 2 of Mutex<u8> (acc:1) 2 !"]);
    }

    #[test]
    fn the_first_sighting_is_kept() {
        let (analysis, definitions) = run("B: lock a #1, lock b #2, unlock b, unlock a; A: lock a #3, lock b #4");
        let graph = analysis.order_graph(&definitions, Grouping::Locks);
        let edge = &graph.edges[0];
        let line = |site: Option<SiteId>| site.and_then(|site| definitions.site(site)).map(|site| site.line);
        assert_eq!((line(edge.held_site), line(edge.site)), (Some(1), Some(2)));
        assert_eq!((edge.thread, edge.event, edge.count), (ThreadId(0), 2, 2));
    }
}
