//! Graphs of threads and locks: one model, one deterministic layout, several ways to write them.
//!
//! [`build`] makes the model from an analysis; [`layout`] places it on a [`canvas`], which the dashboard colours and
//! `lockscope graph --format text` prints; [`dot`] and [`mermaid`] write it for other tools; [`picture`] is a drawing with free places, for files and pages.
//! The same state gives the same picture: replay must not flicker and pictures must be comparable.

pub mod build;
pub mod canvas;
pub mod dot;
mod forest;
pub mod layout;
mod levels;
pub mod mermaid;
pub mod picture;
mod ring;

use std::collections::{HashMap, HashSet, hash_map::Entry};

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
    /// A reader queues behind a writer that waited before it.
    Behind,
    /// A thread is known to be able to end waits for an object: it has a handle, or did so before.
    MayHelp,
    /// A lock was taken while another was held.
    Order,
}

impl EdgeKind {
    /// The word on the edge.
    pub fn word(self) -> &'static str {
        match self {
            EdgeKind::Wants => "wants",
            EdgeKind::HeldBy => "held by",
            EdgeKind::Behind => "behind",
            EdgeKind::MayHelp => "up to",
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
    /// Nodes, in a stable order. Only [`add_node`](Graph::add_node) adds to them.
    pub nodes: Vec<Node>,
    /// Edges, in a stable order. Only [`add_edge`](Graph::add_edge) adds to them.
    pub edges: Vec<Edge>,
    /// Cycles as node indices, each starting with its smallest thread (or lock). Only [`add_cycle`](Graph::add_cycle)
    /// adds to them.
    pub cycles: Vec<Vec<usize>>,
    /// Threads that nobody is left to help, and that are in no cycle, by index.
    pub hopeless: Vec<Vec<usize>>,
    /// All threads that cannot go on any more: those of cycles, and those that only together with them could be helped.
    pub stuck: Vec<ThreadId>,
    node_of: HashMap<NodeKey, usize>,
    edge_of: HashMap<(usize, usize), usize>,
    cyclic: HashSet<usize>,
}

impl Graph {
    /// Adds a node, and returns its index; one of the same key is kept as it is.
    pub fn add_node(&mut self, key: NodeKey, make: impl FnOnce() -> Node) -> usize {
        *self.node_of.entry(key).or_insert_with(|| {
            self.nodes.push(make());
            self.nodes.len() - 1
        })
    }

    /// Adds an edge; of several between the same nodes the first one counts.
    pub fn add_edge(&mut self, edge: Edge) {
        if let Entry::Vacant(vacant) = self.edge_of.entry((edge.from, edge.to)) {
            vacant.insert(self.edges.len());
            self.edges.push(edge);
        }
    }

    /// Adds a cycle and marks its edges.
    pub fn add_cycle(&mut self, cycle: Vec<usize>) {
        for (idx, &from) in cycle.iter().enumerate() {
            let to = cycle[(idx + 1) % cycle.len()];
            if let Some(&edge) = self.edge_of.get(&(from, to)) {
                self.edges[edge].in_cycle = true;
            }
            self.cyclic.insert(from);
        }
        self.cycles.push(cycle);
    }

    /// The node of a thread or lock.
    pub fn node(&self, key: NodeKey) -> Option<usize> {
        self.node_of.get(&key).copied()
    }

    /// The edge between two nodes.
    pub fn edge(&self, from: usize, to: usize) -> Option<&Edge> {
        self.edge_of.get(&(from, to)).map(|&edge| &self.edges[edge])
    }

    /// Whether a node is part of a cycle.
    pub fn in_cycle(&self, node: usize) -> bool {
        self.cyclic.contains(&node)
    }
}

/// A graph for the tests of this module's parts: `T1 wants L2 held by T2 wants L1 held by T1`.
#[cfg(test)]
pub mod fixture {
    use super::*;

    /// A node without details.
    pub fn node(graph: &mut Graph, key: NodeKey, label: &str, detail: &str) -> usize {
        graph.add_node(key, || Node { key, label: label.to_owned(), detail: detail.to_owned(), level: 0 })
    }

    /// An edge with the place it names.
    pub fn edge(graph: &mut Graph, from: usize, to: usize, kind: EdgeKind, detail: &str) {
        graph.add_edge(Edge { from, to, kind, detail: detail.to_owned(), in_cycle: false });
    }

    /// A deadlock of `n` threads over `n` locks.
    pub fn ring(n: u32) -> Graph {
        let mut graph = Graph::default();
        for id in 1..=n {
            let lock = id % n + 1;
            node(&mut graph, NodeKey::Thread(ThreadId(id)), &format!("T{id} teller-{id}"), "18.6 s");
            node(&mut graph, NodeKey::Lock(LockId(lock)), &format!("L{lock} account"), "mutex");
        }
        let len = graph.nodes.len();
        for from in 0..len {
            let kind = if from % 2 == 0 { EdgeKind::Wants } else { EdgeKind::HeldBy };
            edge(&mut graph, from, (from + 1) % len, kind, &format!("bank.rs:{}", 40 + from));
        }
        graph.add_cycle((0..len).collect());
        graph
    }

    /// The same, with two more threads that wait behind it, and one for another's end.
    pub fn crowded() -> Graph {
        let mut graph = ring(2);
        for id in [5, 6] {
            let worker = node(&mut graph, NodeKey::Thread(ThreadId(id)), &format!("T{id} worker"), "12.0 ms");
            edge(&mut graph, worker, 1, EdgeKind::Wants, "pool.rs:7");
        }
        let main = node(&mut graph, NodeKey::Thread(ThreadId(0)), "T0 main", "18.9 s");
        edge(&mut graph, main, 0, EdgeKind::Wants, "main.rs:9");
        graph
    }
}
