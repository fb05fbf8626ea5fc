//! The lock order graph: an edge A → B when B was asked for while A was held.
//!
//! Kept in topological order by the algorithm of Pearce and Kelly (A Dynamic Topological Sort Algorithm for Directed Acyclic
//! Graphs, JEA 2006), as Abseil's mutex does, so that most new edges cost a comparison. Edges that close a cycle stay
//! outside of that order. A lock that is asked for first while others are held goes to the end of the order, one that is
//! held first to its beginning, so that hand-over-hand along a list costs nothing in either direction.
//!
//! A destroyed lock stays while it lies between others (A → gone → B still orders A before B) and goes when
//! nothing leads to it or from it, since it can then be part of no cycle any more.

use std::{
    collections::{HashMap, HashSet},
    sync::Arc,
};

use lockscope_trace::Mode;

use super::{
    super::{counts::Count, stack::Stack},
    LockFacts,
};
use crate::rt::Site;

/// Ways in which an edge was seen that are kept; more differ from these by threads or locks held that matter ever less.
const MAX_OCCURRENCES: usize = 8;

/// One way in which an edge was seen.
#[derive(Clone, Debug)]
pub(super) struct Occurrence {
    pub thread: u32,
    pub session: u32,
    pub thread_name: Option<Arc<str>>,
    pub held_mode: Mode,
    pub wanted_mode: Mode,
    /// What is wanted passes waiting writers.
    pub recursive: bool,
    pub held_site: Site,
    pub wanted_site: Site,
    /// All locks held meanwhile, and the key of that set. Shared by the edges of one acquisition.
    pub held: Arc<[(u32, Mode)]>,
    pub held_key: u64,
    pub stack: Option<Stack>,
    /// The one with which the held lock was taken, when a wrapper took it.
    pub held_stack: Option<Stack>,
}

impl Occurrence {
    /// Whether every cycle that is possible with `other` is possible with this one.
    fn covers(&self, other: &Occurrence) -> bool {
        (self.thread, self.session) == (other.thread, other.session)
            && (self.held_mode, self.wanted_mode) == (other.held_mode, other.wanted_mode)
            && (!self.recursive || other.recursive)
            && (self.held_key == other.held_key || self.held.iter().all(|lock| other.held.contains(lock)))
    }
}

#[derive(Debug)]
struct Node {
    facts: LockFacts,
    order: i64,
    successors: Vec<u32>,
    predecessors: Vec<u32>,
    dead: bool,
}

#[derive(Debug, Default)]
struct Edge {
    occurrences: Vec<Occurrence>,
    /// The finding that this edge made complete, and the places there.
    finding: Option<(Site, Site, &'static Count)>,
    /// Closes a cycle, and so is outside of the order.
    against_order: bool,
}

/// See the module's documentation.
#[derive(Debug, Default)]
pub(super) struct Graph {
    nodes: HashMap<u32, Node>,
    edges: HashMap<(u32, u32), Edge>,
    first: i64,
    last: i64,
    edges_against_order: usize,
    /// Read-write locks that somebody asks for exclusively, also without holding others.
    written: HashSet<u32>,
}

impl Graph {
    /// Whether the edge is known in a way that makes the occurrence nothing new.
    pub(super) fn is_covered(&self, from: u32, to: u32, occurrence: &Occurrence) -> bool {
        self.edges.get(&(from, to)).is_some_and(|edge| {
            let of_session = edge.occurrences.iter().filter(|known| known.session == occurrence.session);
            of_session.clone().count() >= MAX_OCCURRENCES || of_session.clone().any(|known| known.covers(occurrence))
        })
    }

    /// Adds an occurrence of an edge.
    pub(super) fn add(&mut self, from: LockFacts, to: LockFacts, occurrence: Occurrence) {
        let key = (from.lock, to.lock);
        self.node(from, false);
        self.node(to, true);
        if let Some(edge) = self.edges.get_mut(&key) {
            edge.occurrences.push(occurrence);
            return;
        }
        let against_order = !self.make_order(from.lock, to.lock);
        self.edges_against_order += usize::from(against_order);
        self.edges.insert(key, Edge { occurrences: vec![occurrence], finding: None, against_order });
        self.node(from, false).successors.push(to.lock);
        self.node(to, true).predecessors.push(from.lock);
    }

    fn node(&mut self, facts: LockFacts, at_end: bool) -> &mut Node {
        self.nodes.entry(facts.lock).or_insert_with(|| {
            let order = if at_end {
                self.last += 1;
                self.last
            } else {
                self.first -= 1;
                self.first
            };
            Node { facts, order, successors: Vec::new(), predecessors: Vec::new(), dead: false }
        })
    }

    /// Whether there is any cycle at all.
    pub(super) fn has_cycles(&self) -> bool {
        self.edges_against_order > 0
    }

    pub(super) fn facts(&self, lock: u32) -> Option<LockFacts> {
        self.nodes.get(&lock).map(|node| node.facts)
    }

    /// The edge has made a finding complete: what is seen of it at the same places counts.
    pub(super) fn set_finding(&mut self, key: (u32, u32), held: Site, wanted: Site, count: &'static Count) {
        if let Some(edge) = self.edges.get_mut(&key) {
            edge.finding = Some((held, wanted, count));
        }
    }

    /// The finding that is seen again when the edge is taken at these places.
    pub(super) fn finding(&self, key: (u32, u32), held: Site, wanted: Site) -> Option<&'static Count> {
        let (known_held, known_wanted, count) = self.edges.get(&key)?.finding?;
        (known_held == held && known_wanted == wanted).then_some(count)
    }

    /// Notes that somebody asks for a read-write lock exclusively. Whether it lies in any cycle so far, of readers as yet.
    pub(super) fn note_written(&mut self, lock: u32) -> bool {
        self.written.insert(lock) && self.has_cycles() && self.nodes.contains_key(&lock)
    }

    pub(super) fn is_written(&self, lock: u32) -> bool {
        self.written.contains(&lock)
    }

    pub(super) fn occurrences(&self, from: u32, to: u32) -> &[Occurrence] {
        self.edges.get(&(from, to)).map_or(&[], |edge| &edge.occurrences)
    }

    pub(super) fn successors(&self, lock: u32) -> &[u32] {
        self.nodes.get(&lock).map_or(&[], |node| &node.successors)
    }

    pub(super) fn predecessors(&self, lock: u32) -> &[u32] {
        self.nodes.get(&lock).map_or(&[], |node| &node.predecessors)
    }

    /// Moves nodes so that `from` comes before `to`; false when there is a way from `to` to `from`.
    fn make_order(&mut self, from: u32, to: u32) -> bool {
        let (upper, lower) = (self.order(from), self.order(to));
        if upper < lower {
            return true;
        }
        let Some(after) = self.reach(to, upper, true, from) else { return false };
        let before = self.reach(from, lower, false, to).unwrap_or_default();
        // All places of both sets, in order, first for what must come before.
        let mut moved: Vec<u32> = Vec::with_capacity(before.len() + after.len());
        for mut part in [before, after] {
            part.sort_by_key(|&lock| self.order(lock));
            moved.extend(part);
        }
        let mut places: Vec<i64> = moved.iter().map(|&lock| self.order(lock)).collect();
        places.sort_unstable();
        for (lock, place) in moved.into_iter().zip(places) {
            self.nodes.get_mut(&lock).expect("nodes on the way were found through edges").order = place;
        }
        true
    }

    /// Nodes that can be reached from `start` along the order's edges without passing `bound`; `None` when `goal` is among
    /// them.
    fn reach(&self, start: u32, bound: i64, forward: bool, goal: u32) -> Option<Vec<u32>> {
        let mut seen = HashSet::from([start]);
        let mut open = vec![start];
        let mut reached = Vec::new();
        while let Some(lock) = open.pop() {
            reached.push(lock);
            let next = if forward { self.successors(lock) } else { self.predecessors(lock) };
            for &other in next {
                let edge = if forward { (lock, other) } else { (other, lock) };
                if self.edges.get(&edge).is_none_or(|edge| edge.against_order) {
                    continue;
                }
                if other == goal {
                    return None;
                }
                let inside = if forward { self.order(other) <= bound } else { self.order(other) >= bound };
                if inside && seen.insert(other) {
                    open.push(other);
                }
            }
        }
        Some(reached)
    }

    fn order(&self, lock: u32) -> i64 {
        self.nodes.get(&lock).map_or(0, |node| node.order)
    }

    /// Marks a lock as destroyed and drops what can be part of no cycle any more.
    pub(super) fn kill(&mut self, lock: u32) {
        if self.nodes.get(&lock).is_none_or(|node| node.predecessors.is_empty() && node.successors.is_empty()) {
            self.written.remove(&lock);
        }
        let Some(node) = self.nodes.get_mut(&lock) else { return };
        node.dead = true;
        let mut open = vec![lock];
        while let Some(lock) = open.pop() {
            let Some(node) = self.nodes.get(&lock) else { continue };
            if !node.dead || !(node.successors.is_empty() || node.predecessors.is_empty()) {
                continue;
            }
            let node = self.nodes.remove(&lock).expect("it was found above");
            self.written.remove(&lock);
            for other in node.successors {
                self.remove_edge((lock, other));
                if let Some(next) = self.nodes.get_mut(&other) {
                    next.predecessors.retain(|&before| before != lock);
                }
                open.push(other);
            }
            for other in node.predecessors {
                self.remove_edge((other, lock));
                if let Some(previous) = self.nodes.get_mut(&other) {
                    previous.successors.retain(|&after| after != lock);
                }
                open.push(other);
            }
        }
    }

    /// Drops what was seen in a session, but for what these threads did, which are in none now.
    pub(super) fn forget_session(&mut self, session: u32, stay: &[u32]) {
        let mut empty = Vec::new();
        for (&key, edge) in &mut self.edges {
            edge.occurrences.retain_mut(|occurrence| {
                if occurrence.session == session && stay.contains(&occurrence.thread) {
                    occurrence.session = super::session::NONE;
                }
                occurrence.session != session
            });
            if edge.occurrences.is_empty() {
                empty.push(key);
            }
        }
        for (from, to) in empty {
            self.remove_edge((from, to));
            if let Some(node) = self.nodes.get_mut(&from) {
                node.successors.retain(|&after| after != to);
            }
            if let Some(node) = self.nodes.get_mut(&to) {
                node.predecessors.retain(|&before| before != from);
            }
        }
    }

    fn remove_edge(&mut self, key: (u32, u32)) {
        if let Some(edge) = self.edges.remove(&key) {
            self.edges_against_order -= usize::from(edge.against_order);
        }
    }
}
