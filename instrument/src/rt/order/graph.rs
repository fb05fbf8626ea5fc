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

/// Room for so many nodes or edges is not worth giving back.
const LITTLE: usize = 1024;

/// One way in which an edge was seen. 48 bytes: programs have very many edges, most of which were seen in one way.
#[derive(Clone, Debug)]
pub(super) struct Occurrence {
    pub thread: u32,
    pub session: u32,
    pub held_mode: Mode,
    pub wanted_mode: Mode,
    /// What is wanted passes waiting writers.
    pub recursive: bool,
    pub held_site: Site,
    pub wanted_site: Site,
    /// All locks held meanwhile, where that is more than the one that the edge begins at. Shared by the edges of one acquisition.
    pub held: Option<Arc<HeldLocks>>,
    /// `None` until it is known that it is worth its cost.
    pub told: Option<Arc<Told>>,
}

/// Locks that are held at the same time, and the key of that set.
#[derive(Debug)]
pub(super) struct HeldLocks {
    pub locks: Box<[(u32, Mode)]>,
    pub key: u64,
}

/// What a report says of who took locks and how it got there. Shared by all that was seen there.
#[derive(Debug)]
pub(super) struct Told {
    pub thread_name: Arc<str>,
    pub stack: Option<Stack>,
    /// The one with which the held lock was taken, when a wrapper took it.
    pub held_stack: Option<Stack>,
}

impl Occurrence {
    /// Whether every cycle that is possible with `other`, of the same edge, is possible with this one.
    fn covers(&self, other: &Occurrence) -> bool {
        (self.thread, self.session) == (other.thread, other.session)
            && (self.held_mode, self.wanted_mode) == (other.held_mode, other.wanted_mode)
            && (!self.recursive || other.recursive)
            && match (&self.held, &other.held) {
                (None, _) => true,
                (Some(_), None) => false,
                (Some(one), Some(other)) => {
                    one.key == other.key || one.locks.iter().all(|lock| other.locks.contains(lock))
                }
            }
    }

    /// The lock that the edge begins at, and all others that were held; it may be said twice.
    pub(super) fn all_held(&self, from: u32) -> impl Iterator<Item = (u32, Mode)> {
        let others = self.held.as_ref().map_or(&[][..], |held| &held.locks);
        std::iter::once((from, self.held_mode)).chain(others.iter().copied())
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

/// 56 bytes, for the same reason.
#[derive(Debug)]
struct Edge {
    first: Occurrence,
    more: Option<Box<More>>,
}

/// What few edges have.
#[derive(Debug, Default)]
struct More {
    occurrences: Vec<Occurrence>,
    /// The finding that this edge made complete, and the places there.
    finding: Option<(Site, Site, &'static Count)>,
    /// Closes a cycle, and so is outside of the order.
    against_order: bool,
}

#[cfg(target_pointer_width = "64")]
const _: () = assert!(size_of::<Occurrence>() == 48 && size_of::<Edge>() == 56);

impl Edge {
    fn is_against_order(&self) -> bool {
        self.more.as_ref().is_some_and(|more| more.against_order)
    }

    fn occurrences(&self) -> impl DoubleEndedIterator<Item = &Occurrence> + Clone {
        std::iter::once(&self.first).chain(self.more.iter().flat_map(|more| &more.occurrences))
    }

    fn more(&mut self) -> &mut More {
        self.more.get_or_insert_default()
    }
}

/// See the module's documentation.
#[derive(Debug, Default)]
pub(super) struct Graph {
    nodes: HashMap<u32, Box<Node>>,
    edges: HashMap<(u32, u32), Box<Edge>>,
    tellings: Tellings,
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
            let of_session = edge.occurrences().filter(|known| known.session == occurrence.session);
            of_session.clone().count() >= MAX_OCCURRENCES || of_session.clone().any(|known| known.covers(occurrence))
        })
    }

    /// Adds an occurrence of an edge.
    pub(super) fn add(&mut self, from: LockFacts, to: LockFacts, mut occurrence: Occurrence, told: Told) {
        occurrence.told = Some(self.tellings.share(occurrence.thread, told));
        let key = (from.lock, to.lock);
        self.node(from, false);
        self.node(to, true);
        if let Some(edge) = self.edges.get_mut(&key) {
            edge.more().occurrences.push(occurrence);
            return;
        }
        let mut edge = Box::new(Edge { first: occurrence, more: None });
        if !self.make_order(from.lock, to.lock) {
            edge.more().against_order = true;
            self.edges_against_order += 1;
        }
        self.edges.insert(key, edge);
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
            Box::new(Node { facts, order, successors: Vec::new(), predecessors: Vec::new(), dead: false })
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
            edge.more().finding = Some((held, wanted, count));
        }
    }

    /// The finding that is seen again when the edge is taken at these places.
    pub(super) fn finding(&self, key: (u32, u32), held: Site, wanted: Site) -> Option<&'static Count> {
        let (known_held, known_wanted, count) = self.edges.get(&key)?.more.as_ref()?.finding?;
        (known_held == held && known_wanted == wanted).then_some(count)
    }

    /// Notes that somebody asks for a read-write lock exclusively. Whether it lies in any cycle so far, of readers as yet.
    pub(super) fn note_written(&mut self, lock: u32) -> bool {
        self.written.insert(lock) && self.has_cycles() && self.nodes.contains_key(&lock)
    }

    pub(super) fn is_written(&self, lock: u32) -> bool {
        self.written.contains(&lock)
    }

    pub(super) fn occurrences(&self, from: u32, to: u32) -> impl DoubleEndedIterator<Item = &Occurrence> {
        self.edges.get(&(from, to)).into_iter().flat_map(|edge| edge.occurrences())
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
                if self.edges.get(&edge).is_none_or(|edge| edge.is_against_order()) {
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
        self.give_back();
    }

    /// Gives memory back that is for far more than there is.
    fn give_back(&mut self) {
        if self.edges.len() < self.edges.capacity() / 8 && self.edges.capacity() > LITTLE {
            self.edges.shrink_to(self.edges.len() * 2);
        }
        if self.nodes.len() < self.nodes.capacity() / 8 && self.nodes.capacity() > LITTLE {
            self.nodes.shrink_to(self.nodes.len() * 2);
        }
    }

    /// Drops what was seen in a session, but for what these threads did, which are in none now.
    pub(super) fn forget_session(&mut self, session: u32, stay: &[u32]) {
        let mut empty = Vec::new();
        let stays = |occurrence: &mut Occurrence| {
            if occurrence.session == session && stay.contains(&occurrence.thread) {
                occurrence.session = super::session::NONE;
            }
            occurrence.session != session
        };
        for (&key, edge) in &mut self.edges {
            if let Some(more) = &mut edge.more {
                more.occurrences.retain_mut(stays);
            }
            if !stays(&mut edge.first) {
                match edge.more.as_mut().filter(|more| !more.occurrences.is_empty()) {
                    Some(more) => edge.first = more.occurrences.remove(0),
                    None => empty.push(key),
                }
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
            self.edges_against_order -= usize::from(edge.is_against_order());
        }
    }
}

/// What reports say of occurrences, each kept once: most new pairs of locks are taken at the same few places. What no edge needs any more goes when
/// as much again has come.
#[derive(Debug, Default)]
struct Tellings {
    /// By the thread and its stacks.
    told: HashMap<(u32, Option<usize>, Option<usize>), Arc<Told>>,
    /// How many make it worth to look for those that nobody needs.
    many: usize,
}

impl Tellings {
    fn share(&mut self, thread: u32, told: Told) -> Arc<Told> {
        // Stacks that are alike are the same one, which lives for ever.
        let address = |stack: Option<Stack>| stack.map(|stack| std::ptr::from_ref(stack).addr());
        let key = (thread, address(told.stack), address(told.held_stack));
        let told = self.told.entry(key).or_insert_with(|| Arc::new(told)).clone();
        if self.told.len() > self.many.max(64) {
            self.told.retain(|_, told| Arc::strong_count(told) > 1);
            self.many = self.told.len() * 2;
        }
        told
    }
}
