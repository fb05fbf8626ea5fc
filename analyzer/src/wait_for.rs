//! Who waits for whom at one state.
//!
//! The graph is for people: it has a node for every thread that waits or is waited for and for every lock between
//! them. Whether threads are stuck is decided on [`blockers`] alone, where every edge is an AND edge: the thread cannot
//! go on before that other thread has made progress, whatever all others do. A cycle of AND edges is a deadlock that
//! only a time limit can end.
//!
//! - A lock is free for a mode when *all* holders in conflicting modes have released it, so each of them is an AND edge.
//! - Readers queue behind writers that waited before them (parking_lot and std both do so, lest writers starve), so each
//!   such writer is an AND edge of the reader, and a reader that holds the lock already makes the circle complete.
//!   A writer that came later than the reader is none: the reader may be about to be let in. Nor is any of a recursive
//!   read, which passes them all.
//! - Joining waits for that one thread: an AND edge.
//! - A wait on a condition variable can be ended by any thread that can reach it, seen or not. Nothing is known of
//!   that, so it has no outgoing edge, and no cycle is claimed through it.
//!
//! Ownership is that of the acquisition: of a guard that was sent to another thread nothing is known until its release.

use std::collections::VecDeque;

use lockscope_trace::{LockId, Mode, ThreadId};
use petgraph::{algo::tarjan_scc, graphmap::DiGraphMap};
use rustc_hash::{FxHashMap, FxHashSet};

use crate::{
    finding::Target,
    state::{Activity, State},
};

/// A thread or a thing that is waited for.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Node {
    /// A thread.
    Thread(ThreadId),
    /// A lock.
    Lock(LockId),
    /// A condition variable, a channel or the like.
    Object(LockId),
}

/// How one node waits for another.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Edge {
    /// The thread waits for the lock.
    Wants(Mode),
    /// The lock is held by the thread.
    HeldBy(Mode),
    /// The thread, a reader, waits until the other one has had its turn as a writer.
    Behind,
    /// The thread waits for the other one to end.
    Joins,
    /// The thread waits until something is done to the object: a notification, a message.
    Awaits,
}

/// Threads, what they wait for, and who holds it.
#[derive(Clone, Debug, Default)]
pub struct WaitForGraph {
    /// Nodes in order of id; only threads that wait and what they lead to.
    pub graph: DiGraphMap<Node, Edge>,
    /// Deadlocked circles of threads: each waits for the next one, the last for the first. Of each group of threads that
    /// are stuck with each other the shortest circle, beginning with the lowest thread in it.
    pub cycles: Vec<Vec<ThreadId>>,
}

impl WaitForGraph {
    /// The graph of a state. O(threads + holders + waiters).
    pub fn of(state: &State) -> Self {
        let mut graph = DiGraphMap::new();
        let mut waits = DiGraphMap::<ThreadId, ()>::new();
        for (index, thread) in state.threads.iter().enumerate() {
            let me = ThreadId(index as u32);
            let Activity::Blocked { target, .. } = thread.activity else { continue };
            match target {
                Target::Lock(lock, mode) => {
                    graph.add_edge(Node::Thread(me), Node::Lock(lock), Edge::Wants(mode));
                    let holders = state.lock(lock).map_or(&[][..], |lock| &lock.holders);
                    for &(holder, mode, _) in holders {
                        graph.add_edge(Node::Lock(lock), Node::Thread(holder), Edge::HeldBy(mode));
                    }
                }
                Target::Thread(child) => {
                    graph.add_edge(Node::Thread(me), Node::Thread(child), Edge::Joins);
                }
                Target::Object(object, _) => {
                    graph.add_edge(Node::Thread(me), Node::Object(object), Edge::Awaits);
                }
                Target::Token => {}
            }
            for blocker in blockers(state, me) {
                waits.add_edge(me, blocker.thread, ());
                if blocker.why == Why::Behind {
                    graph.add_edge(Node::Thread(me), Node::Thread(blocker.thread), Edge::Behind);
                }
            }
        }
        let mut cycles: Vec<Vec<ThreadId>> = tarjan_scc(&waits)
            .into_iter()
            .filter(|component| component.len() > 1 || waits.contains_edge(component[0], component[0]))
            .filter_map(|component| {
                component.iter().filter_map(|&thread| shortest_cycle(state, thread)).min_by_key(|cycle| cycle.len())
            })
            .map(|mut cycle| {
                let lowest = (0..cycle.len()).min_by_key(|&index| cycle[index]).expect("a cycle has a thread");
                cycle.rotate_left(lowest);
                cycle
            })
            .collect();
        cycles.sort();
        WaitForGraph { graph, cycles }
    }

    /// Whether the node is part of one of [`cycles`](Self::cycles): its threads and the locks between them.
    pub fn is_deadlocked(&self, node: Node) -> bool {
        let next = |cycle: &[ThreadId], thread: ThreadId| {
            cycle.iter().position(|&t| t == thread).map(|index| cycle[(index + 1) % cycle.len()])
        };
        self.cycles.iter().any(|cycle| match node {
            Node::Thread(thread) => cycle.contains(&thread),
            Node::Object(_) => false,
            Node::Lock(_) => cycle.iter().any(|&thread| {
                self.graph.contains_edge(Node::Thread(thread), node)
                    && next(cycle, thread).is_some_and(|holder| self.graph.contains_edge(node, Node::Thread(holder)))
            }),
        })
    }
}

/// Why a thread has to wait for another.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Why {
    /// It holds the lock in a mode that conflicts.
    Holds,
    /// It waits for the lock as a writer, and came first.
    Behind,
    /// It has to end.
    Joined,
}

/// A thread that must make progress before another one can.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Blocker {
    /// Who.
    pub thread: ThreadId,
    /// Why.
    pub why: Why,
}

/// The threads that `thread` cannot go on without, all of them; see the module's documentation.
pub fn blockers(state: &State, thread: ThreadId) -> Vec<Blocker> {
    let Some(Activity::Blocked { target, how, .. }) = state.thread(thread).map(|thread| thread.activity) else {
        return Vec::new();
    };
    match target {
        Target::Object(..) | Target::Token => Vec::new(),
        Target::Thread(child) => {
            // A thread that has ended is only waiting to be collected.
            let ended = state.thread(child).is_some_and(|child| child.activity == Activity::Finished);
            if ended { Vec::new() } else { vec![Blocker { thread: child, why: Why::Joined }] }
        }
        Target::Lock(lock, wanted) => {
            let Some(lock) = state.lock(lock) else { return Vec::new() };
            let upgrades = wanted == Mode::Exclusive
                && lock.holders.iter().any(|&(holder, mode, _)| holder == thread && mode == Mode::Upgradable);
            let mut found: Vec<Blocker> = lock
                .holders
                .iter()
                .filter(|&&(holder, held, _)| !(held.compatible(wanted) || upgrades && holder == thread))
                .map(|&(thread, ..)| Blocker { thread, why: Why::Holds })
                .collect();
            if wanted != Mode::Exclusive && !how.is_recursive() {
                // A hold of its own does not help a reader past a waiting writer.
                let before = lock.waiters.iter().take_while(|&&(waiter, ..)| waiter != thread);
                found.extend(
                    before
                        .filter(|&&(_, mode, _)| mode == Mode::Exclusive)
                        .map(|&(thread, ..)| Blocker { thread, why: Why::Behind }),
                );
            }
            found
        }
    }
}

/// The shortest circle of waits through `start`, beginning with it; `None` when it waits for nothing that waits for it.
pub fn shortest_cycle(state: &State, start: ThreadId) -> Option<Vec<ThreadId>> {
    let mut reached_from = FxHashMap::default();
    let mut seen = FxHashSet::default();
    let mut queue = VecDeque::from([start]);
    while let Some(thread) = queue.pop_front() {
        for blocker in blockers(state, thread) {
            if blocker.thread == start {
                let mut cycle = vec![thread];
                while let Some(&previous) = reached_from.get(cycle.last().expect("never empty")) {
                    cycle.push(previous);
                }
                cycle.reverse();
                return Some(cycle);
            }
            if seen.insert(blocker.thread) {
                reached_from.insert(blocker.thread, thread);
                queue.push_back(blocker.thread);
            }
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::run;

    fn graph(trace: &str) -> WaitForGraph {
        WaitForGraph::of(run(trace).0.state())
    }

    #[test]
    fn edges_say_how() {
        let [t0, t1, t2] = [0, 1, 2].map(|id| Node::Thread(ThreadId(id)));
        let l0 = Node::Lock(LockId(0));
        let edges = |trace: &str| graph(trace).graph.all_edges().map(|(a, b, &edge)| (a, b, edge)).collect::<Vec<_>>();
        assert_eq!(
            edges("A: lock a; B: wait a"),
            [(t1, l0, Edge::Wants(Mode::Exclusive)), (l0, t0, Edge::HeldBy(Mode::Exclusive))]
        );
        assert_eq!(edges("A: joinwait B"), [(t0, t1, Edge::Joins)]);
        // Defined before its mutex.
        assert_eq!(edges("A: condwait c m"), [(t0, Node::Object(LockId(0)), Edge::Awaits)]);
        assert!(edges("A: read a; B: wait a; C: waitread a").contains(&(t2, t1, Edge::Behind)));
        assert!(!edges("A: read a; B: wait a; C: waitreadagain a").iter().any(|(_, _, edge)| *edge == Edge::Behind));
        assert!(!edges("A: read a; C: waitread a; B: wait a").iter().any(|(_, _, edge)| *edge == Edge::Behind));
        assert_eq!(edges("A: lock a; B: lock b"), []);
    }

    #[test]
    fn each_group_of_stuck_threads_has_one_circle() {
        let found =
            graph("A: lock a; B: lock b; A: wait b; B: wait a; C: lock c; D: lock d; D: wait c; C: wait d; E: wait a");
        let threads = |ids: [u32; 2]| ids.map(ThreadId).to_vec();
        assert_eq!(found.cycles, [threads([0, 1]), threads([2, 3])]);
        let is_deadlocked = |index| found.is_deadlocked(Node::Thread(ThreadId(index)));
        assert_eq!([0, 1, 2, 3, 4].map(is_deadlocked), [true, true, true, true, false]);
        assert!(found.is_deadlocked(Node::Lock(LockId(0))));
        assert_eq!(graph("A: lock a; B: lock b; A: wait b").cycles, Vec::<Vec<ThreadId>>::new());
    }

    #[test]
    fn the_shortest_circle_is_shown() {
        // Both readers hold up the writer B; the way through C alone is the shorter one.
        let found =
            graph("A: read a; C: read a, lock x; D: lock d; B: lock b; A: wait d; D: wait b; C: wait b; B: wait a");
        assert_eq!(found.cycles.len(), 1);
        assert_eq!(found.cycles[0].len(), 2);
    }

    #[test]
    fn a_thread_that_has_ended_blocks_no_join() {
        let state = run("A: spawn B; B: exit; A: joinwait B").0;
        assert_eq!(blockers(state.state(), ThreadId(0)), []);
    }
}
