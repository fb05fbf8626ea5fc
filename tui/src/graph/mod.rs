//! Graphs of threads and locks: one model, one deterministic layout, several ways to write them.
//!
//! [`build`] makes the model from an analysis; [`layout`] places it on a [`canvas`], which the dashboard colours and
//! `lockscope graph --format text` prints; [`dot`] and [`mermaid`] write it for other tools.
//! The same state gives the same picture: replay must not flicker and pictures must be comparable.

pub mod build;
pub mod canvas;
pub mod dot;
mod forest;
pub mod layout;
mod levels;
pub mod mermaid;
mod ring;

use lockscope_trace::{LockId, ThreadId};

/// What a node stands for.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
pub enum NodeKey {
    /// A thread.
    Thread(ThreadId),
    /// A lock, or the representative of a class.
    Lock(LockId),
}

/// A node.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Node {
    /// What it stands for.
    pub key: NodeKey,
    /// `T3 teller-1`, `L7 audit`.
    pub label: String,
    /// A further line: what the thread does, the lock's kind. May be empty.
    pub detail: String,
    /// Level in a lock order: the longest way here from a lock that is taken first.
    pub level: u32,
}

/// What an edge says.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum EdgeKind {
    /// A thread wants a lock, or the end of another thread.
    Wants,
    /// A lock is held by a thread.
    HeldBy,
    /// A lock was taken while another was held.
    Order,
}

impl EdgeKind {
    /// The word on the edge.
    pub fn word(self) -> &'static str {
        match self {
            EdgeKind::Wants => "wants",
            EdgeKind::HeldBy => "held by",
            EdgeKind::Order => "then",
        }
    }
}

/// An edge between two nodes, by index.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Edge {
    /// From this node.
    pub from: usize,
    /// To this one.
    pub to: usize,
    /// What it says.
    pub kind: EdgeKind,
    /// `bank.rs:41`, `12x bank.rs:41`. May be empty.
    pub detail: String,
    /// It is part of a cycle.
    pub in_cycle: bool,
}

/// A graph with what is known about its cycles.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Graph {
    /// Nodes, in a stable order.
    pub nodes: Vec<Node>,
    /// Edges, in a stable order.
    pub edges: Vec<Edge>,
    /// Cycles as node indices, each starting with its smallest thread (or lock).
    pub cycles: Vec<Vec<usize>>,
}

impl Graph {
    /// The first edge between two nodes.
    pub fn edge(&self, from: usize, to: usize) -> Option<&Edge> {
        self.edges.iter().find(|edge| edge.from == from && edge.to == to)
    }

    /// Whether a node is part of a cycle.
    pub fn in_cycle(&self, node: usize) -> bool {
        self.cycles.iter().any(|cycle| cycle.contains(&node))
    }

    /// Adds a cycle and marks its edges.
    pub fn add_cycle(&mut self, cycle: Vec<usize>) {
        for (idx, &from) in cycle.iter().enumerate() {
            let to = cycle[(idx + 1) % cycle.len()];
            for edge in &mut self.edges {
                edge.in_cycle |= edge.from == from && edge.to == to;
            }
        }
        self.cycles.push(cycle);
    }
}

/// A graph for the tests of this module's parts: `T1 wants L2 held by T2 wants L1 held by T1`.
#[cfg(test)]
pub mod fixture {
    use super::*;

    /// A deadlock of `n` threads over `n` locks.
    pub fn ring(n: u32) -> Graph {
        let mut graph = Graph::default();
        for id in 1..=n {
            let (thread, lock) = (NodeKey::Thread(ThreadId(id)), NodeKey::Lock(LockId(id % n + 1)));
            let detail = "18.6 s".to_owned();
            graph.nodes.push(Node { key: thread, label: format!("T{id} teller-{id}"), detail, level: 0 });
            graph.nodes.push(Node {
                key: lock,
                label: format!("L{} account", id % n + 1),
                detail: "mutex".to_owned(),
                level: 0,
            });
        }
        let len = graph.nodes.len();
        for from in 0..len {
            let kind = if from % 2 == 0 { EdgeKind::Wants } else { EdgeKind::HeldBy };
            let detail = format!("bank.rs:{}", 40 + from);
            graph.edges.push(Edge { from, to: (from + 1) % len, kind, detail, in_cycle: false });
        }
        graph.add_cycle((0..len).collect());
        graph
    }

    /// The same, with two more threads that wait behind it, and one for another's end.
    pub fn crowded() -> Graph {
        let mut graph = ring(2);
        for id in [5, 6] {
            let node = graph.nodes.len();
            let detail = "12.0 ms".to_owned();
            graph.nodes.push(Node {
                key: NodeKey::Thread(ThreadId(id)),
                label: format!("T{id} worker"),
                detail,
                level: 0,
            });
            let edge =
                Edge { from: node, to: 1, kind: EdgeKind::Wants, detail: "pool.rs:7".to_owned(), in_cycle: false };
            graph.edges.push(edge);
        }
        let main = graph.nodes.len();
        graph.nodes.push(Node {
            key: NodeKey::Thread(ThreadId(0)),
            label: "T0 main".into(),
            detail: "18.9 s".into(),
            level: 0,
        });
        graph.edges.push(Edge {
            from: main,
            to: 0,
            kind: EdgeKind::Wants,
            detail: "main.rs:9".into(),
            in_cycle: false,
        });
        graph
    }
}
