//! The order of locks as the dashboard shows it: the part of the graph that can be looked at, and which pairs would have to go
//! for there to be one order.
//!
//! Made once for each state of the numbers: a program with a hundred thousand locks nests them in a million ways.

use std::collections::{BTreeSet, HashMap};

use lockscope_analyzer::{
    OrderGraph,
    finding::{Code, Finding},
};
use lockscope_trace::Definitions;

use crate::graph::{self, Graph};

/// Locks that are drawn: more than anybody scrolls through. The list of pairs has all.
const MOST_NODES: usize = 500;
/// Pairs that are drawn.
const MOST_EDGES: usize = 4_000;

/// What is shown of an order.
#[derive(Debug, Default)]
pub struct OrderPicture {
    /// The graph: locks of reported circles first, then those that are taken first.
    pub graph: Graph,
    /// Locks that are left out.
    pub n_more: usize,
    /// Edges, by their place in the order, that are against an order of all locks in which the rarest are.
    pub against: Vec<usize>,
}

impl OrderPicture {
    /// Of an order.
    pub fn new(order: &OrderGraph, findings: &[Finding], defs: &Definitions) -> OrderPicture {
        let (part, n_more) = part(order, findings);
        let graph = graph::build::order(part.as_ref().unwrap_or(order), findings, defs);
        OrderPicture { graph, n_more, against: against(order) }
    }
}

/// The part of an order that is drawn, unless that is all of it; and how many locks are left out.
fn part(order: &OrderGraph, findings: &[Finding]) -> (Option<OrderGraph>, usize) {
    if order.nodes.len() <= MOST_NODES && order.edges.len() <= MOST_EDGES {
        return (None, 0);
    }
    let is_circle = |finding: &&Finding| {
        matches!(finding.code, Code::Deadlock | Code::LockOrderInversion | Code::PredictedDeadlock)
    };
    let node_of: HashMap<_, _> = order.nodes.iter().enumerate().map(|(idx, node)| (node.lock, idx)).collect();
    let circles = findings.iter().filter(is_circle).flat_map(|finding| &finding.locks);
    let first = circles.filter_map(|lock| node_of.get(lock).copied()).take(MOST_NODES);
    let mut kept: BTreeSet<usize> = first.collect();
    kept.extend((0..order.nodes.len()).take(MOST_NODES.saturating_sub(kept.len())));
    let index: HashMap<usize, usize> = kept.iter().enumerate().map(|(new, &old)| (old, new)).collect();
    let edges = order.edges.iter().filter_map(|edge| {
        let (from, to) = (*index.get(&edge.from)?, *index.get(&edge.to)?);
        Some(lockscope_analyzer::order_graph::OrderEdge { from, to, ..edge.clone() })
    });
    let nodes = kept.iter().map(|&idx| order.nodes[idx].clone()).collect();
    (Some(OrderGraph { nodes, edges: edges.take(MOST_EDGES).collect() }), order.nodes.len() - kept.len())
}

/// Which of the pairs that contradict each other would have to go: those that were seen least.
fn against(order: &OrderGraph) -> Vec<usize> {
    // Only where there is a way back can an edge be against an order.
    let inverted: Vec<usize> = (0..order.edges.len()).filter(|&idx| order.edges[idx].inverted).collect();
    let nodes: BTreeSet<usize> =
        inverted.iter().flat_map(|&idx| [order.edges[idx].from, order.edges[idx].to]).collect();
    let index: HashMap<usize, usize> = nodes.iter().enumerate().map(|(new, &old)| (old, new)).collect();
    let edges: Vec<(usize, usize, u64)> = inverted
        .iter()
        .map(|&idx| {
            let edge = &order.edges[idx];
            // What was only asked for, and never got, is an order all the same.
            (index[&edge.from], index[&edge.to], edge.count.max(1))
        })
        .collect();
    feedback(nodes.len(), &edges).into_iter().map(|idx| inverted[idx]).collect()
}

/// Edges that are against an order of all nodes in which the rarest are: Eades, Lin and Smyth, 1993, with weights. In the
/// order of the edges; deterministic.
/// O(nodes squared), so nothing is said of more nodes than people put in order by hand.
fn feedback(n_nodes: usize, edges: &[(usize, usize, u64)]) -> Vec<usize> {
    if n_nodes > MOST_NODES {
        return Vec::new();
    }
    let mut left: Vec<usize> = (0..n_nodes).collect();
    let (mut front, mut back) = (Vec::new(), Vec::new());
    let weight = |node: usize, left: &[usize], is_out: bool| -> u64 {
        let is_of = |&&(from, to, _): &&(usize, usize, u64)| {
            from != to && if is_out { from == node && left.contains(&to) } else { to == node && left.contains(&from) }
        };
        edges.iter().filter(is_of).map(|(.., count)| *count).sum()
    };
    while !left.is_empty() {
        if let Some(at) = left.iter().position(|&node| weight(node, &left, true) == 0) {
            back.push(left.remove(at));
        } else if let Some(at) = left.iter().position(|&node| weight(node, &left, false) == 0) {
            front.push(left.remove(at));
        } else {
            let best = (0..left.len())
                .max_by_key(|&at| {
                    let node = left[at];
                    let gain = i128::from(weight(node, &left, true)) - i128::from(weight(node, &left, false));
                    (gain, std::cmp::Reverse(node))
                })
                .expect("there is one left");
            front.push(left.remove(best));
        }
    }
    front.extend(back.into_iter().rev());
    let mut rank = vec![0; n_nodes];
    front.iter().enumerate().for_each(|(at, &node)| rank[node] = at);
    let is_against = |(_, (from, to, _)): &(usize, &(usize, usize, u64))| rank[*from] > rank[*to];
    edges.iter().enumerate().filter(is_against).map(|(idx, _)| idx).collect()
}

#[cfg(test)]
mod tests {
    use lockscope_analyzer::order_graph::{OrderEdge, OrderNode};
    use lockscope_trace::{ClassId, LockId, Mode, ThreadId};

    use super::*;

    fn order(n_nodes: usize, edges: &[(usize, usize, bool)]) -> OrderGraph {
        let node = |idx: usize| OrderNode { lock: LockId(idx as u32), class: ClassId(0), locks: 1, level: 0 };
        let edge = |&(from, to, inverted): &(usize, usize, bool)| OrderEdge {
            from,
            to,
            count: 0,
            thread: ThreadId(0),
            held_mode: Mode::Exclusive,
            held_site: None,
            mode: Mode::Exclusive,
            site: None,
            event: 0,
            inverted,
        };
        OrderGraph { nodes: (0..n_nodes).map(node).collect(), edges: edges.iter().map(edge).collect() }
    }

    #[test]
    fn of_a_large_order_the_circles_are_drawn_and_the_beginning() {
        let edges: Vec<_> =
            (0..9_998).map(|idx| (idx, idx + 1, false)).chain([(9_998, 9_999, true), (9_999, 9_998, true)]).collect();
        let order = order(10_000, &edges);
        let mut finding = crate::fixture::findings().remove(1);
        finding.locks = vec![LockId(9_998), LockId(9_999)];
        let picture = OrderPicture::new(&order, &[finding], &Definitions::default());
        assert_eq!((picture.graph.nodes.len(), picture.n_more), (MOST_NODES, 9_500));
        assert_eq!(picture.graph.cycles.len(), 1);
        assert_eq!(picture.against.len(), 1);
        assert!(picture.against[0] >= 9_998, "{:?}", picture.against);
    }

    #[test]
    fn the_rarest_way_around_is_against_the_order() {
        assert_eq!(feedback(2, &[(0, 1, 10), (1, 0, 1)]), [1]);
        assert_eq!(feedback(2, &[(0, 1, 1), (1, 0, 10)]), [0]);
        assert_eq!(feedback(3, &[(0, 1, 5), (1, 2, 5), (2, 0, 1)]), [2]);
        assert!(feedback(3, &[(0, 1, 5), (0, 2, 5), (1, 2, 5), (1, 1, 3)]).is_empty());
        assert!(feedback(0, &[]).is_empty());
        // What was seen least of two circles that share a lock.
        assert_eq!(feedback(3, &[(0, 1, 9), (1, 0, 1), (0, 2, 1), (2, 0, 9)]), [1, 2]);
    }
}
