//! Who waits for whom at one state.
//!
//! The graph is for people: it has a node for every thread that waits or is waited for and for every lock and other object
//! between them. Whether threads are stuck is decided on two other things:
//!
//! - [`blockers`]: threads that another one cannot go on without, all of them, whatever others do. A circle of such waits is a
//!   deadlock that only a time limit can end.
//! - `stuck`: where one of several could end a wait (notify, send, give permits back) no circle says anything; the greatest set of
//!   threads that nobody outside of it can help does.
//!
//! `needs` says for each wait which of the two it is, and who could help.

mod blockers;
mod needs;
mod stuck;
#[cfg(test)]
mod tests;

use lockscope_trace::{Definitions, LockId, Mode, ThreadId};
use petgraph::{algo::kosaraju_scc, graphmap::DiGraphMap};
use rustc_hash::FxHashSet;

use crate::{
    finding::Target,
    state::{State, ThreadState},
};

pub(crate) use self::needs::{Needs, Others, of as needs_of};
pub use self::{
    blockers::{Blocker, Why, blockers, shortest_cycle, target},
    stuck::{Knot, Knowledge, knots},
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
    /// The thread is known to be able to do it: it did so before, or has a handle.
    MayHelp,
}

/// Threads, what they wait for, and who holds it.
#[derive(Clone, Debug, Default)]
pub struct WaitForGraph {
    /// Nodes in order of id; only threads that wait and what they lead to.
    pub graph: DiGraphMap<Node, Edge>,
    /// Deadlocked circles of threads: each waits for the next one, the last for the first. Of each group of threads that
    /// are stuck with each other the shortest circle, beginning with the lowest thread in it. In circles through objects, where
    /// others might help, the threads are as sure to be stuck as their knot says.
    pub cycles: Vec<Vec<ThreadId>>,
    /// Groups of threads that nobody outside can help. Those without a circle are in here alone.
    pub knots: Vec<Knot>,
}

impl WaitForGraph {
    /// The graph of a state. O(threads + holders + waiters).
    pub fn of(state: &State, definitions: &Definitions) -> Self {
        Self::with(state, definitions, knots(state, definitions, Knowledge::of(definitions)))
    }

    /// The graph of a state of which only what is held and wanted is known, and not what was done before: circles of locks and
    /// joins are what they are, but nothing is concluded from who could help.
    pub fn without_past(state: &State, definitions: &Definitions) -> Self {
        Self::with(state, definitions, Vec::new())
    }

    fn with(state: &State, definitions: &Definitions, mut knots: Vec<Knot>) -> Self {
        let mut graph = DiGraphMap::new();
        let mut waits = DiGraphMap::<ThreadId, ()>::new();
        // Objects of which is told who could help: the same for all who wait there for the same.
        let mut told = FxHashSet::default();
        for (index, thread) in state.threads.iter().enumerate() {
            let me = ThreadId(index as u32);
            for target in thread.targets() {
                add_wait(&mut graph, state, definitions, me, target, &mut told);
            }
            for blocker in blockers(state, me) {
                waits.add_edge(me, blocker.thread, ());
                if blocker.why == Why::Behind {
                    graph.add_edge(Node::Thread(me), Node::Thread(blocker.thread), Edge::Behind);
                }
            }
        }
        let mut cycles: Vec<Vec<ThreadId>> = kosaraju_scc(&waits)
            .into_iter()
            .filter(|component| component.len() > 1 || waits.contains_edge(component[0], component[0]))
            .filter_map(|component| {
                component.iter().filter_map(|&thread| shortest_cycle(state, thread)).min_by_key(|cycle| cycle.len())
            })
            .collect();
        // Who has no more than nothing to do is no deadlock.
        knots.retain(|knot| knot.certain || knot.holds);
        let is_known =
            |knot: &Knot| cycles.iter().any(|cycle| cycle.iter().any(|thread| knot.members.contains(thread)));
        let of_knots: Vec<_> = knots
            .iter()
            .filter(|knot| !knot.circle.is_empty() && !is_known(knot))
            .map(|knot| knot.circle.clone())
            .collect();
        cycles.extend(of_knots);
        for cycle in &mut cycles {
            let lowest = (0..cycle.len()).min_by_key(|&index| cycle[index]).expect("a cycle has a thread");
            cycle.rotate_left(lowest);
        }
        cycles.sort();
        WaitForGraph { graph, cycles, knots }
    }

    /// Whether the node is part of one of [`cycles`](Self::cycles) or [`knots`](Self::knots): its threads and the locks and
    /// objects between them.
    pub fn is_deadlocked(&self, node: Node) -> bool {
        let next = |cycle: &[ThreadId], thread: ThreadId| {
            cycle.iter().position(|&t| t == thread).map(|index| cycle[(index + 1) % cycle.len()])
        };
        match node {
            Node::Thread(thread) => {
                self.cycles.iter().any(|cycle| cycle.contains(&thread))
                    || self.knots.iter().any(|knot| knot.members.contains(&thread))
            }
            Node::Lock(_) | Node::Object(_) => self.cycles.iter().any(|cycle| {
                cycle.iter().any(|&thread| {
                    self.graph.contains_edge(Node::Thread(thread), node)
                        && next(cycle, thread)
                            .is_some_and(|holder| self.graph.contains_edge(node, Node::Thread(holder)))
                })
            }),
        }
    }
}

/// Threads that are known to be able to end this wait of the thread's: they hold what it needs, have a handle, or did before what it
/// waits for. Empty for locks and joins, where it is the [`blockers`] that count.
pub fn helpers(state: &State, definitions: &Definitions, thread: ThreadId, target: Target) -> Vec<ThreadId> {
    match needs_of(state, definitions, thread, target) {
        Needs::Help(help) => {
            let known = help.known.into_iter().map(|(thread, _)| thread);
            known.filter(|thread| !state.is_finished(*thread)).collect()
        }
        Needs::All(_) | Needs::Nothing => Vec::new(),
    }
}

fn add_wait(
    graph: &mut DiGraphMap<Node, Edge>,
    state: &State,
    definitions: &Definitions,
    me: ThreadId,
    target: Target,
    told: &mut FxHashSet<Target>,
) {
    let holders = |lock: LockId| state.lock(lock).map_or(&[][..], |lock| &lock.holders);
    match target {
        Target::Lock(lock, mode) => {
            graph.add_edge(Node::Thread(me), Node::Lock(lock), Edge::Wants(mode));
            for &(holder, mode, _) in holders(lock) {
                graph.add_edge(Node::Lock(lock), Node::Thread(holder), Edge::HeldBy(mode));
            }
        }
        Target::Thread(child) => {
            graph.add_edge(Node::Thread(me), Node::Thread(child), Edge::Joins);
        }
        Target::Object(object, _) => {
            graph.add_edge(Node::Thread(me), Node::Object(object), Edge::Awaits);
            if needs::is_same_for_all(state, definitions, target) && !told.insert(target) {
                return;
            }
            match needs_of(state, definitions, me, target) {
                Needs::Nothing => {}
                Needs::All(blockers) => {
                    let given_up = state.thread(me).and_then(|thread| thread.given_up);
                    let through = given_up.map_or(Node::Object(object), |given_up| {
                        // It was notified: what it waits for is the mutex.
                        graph.add_edge(Node::Thread(me), Node::Lock(given_up.mutex), Edge::Wants(Mode::Exclusive));
                        Node::Lock(given_up.mutex)
                    });
                    for blocker in blockers {
                        graph.add_edge(through, Node::Thread(blocker.thread), Edge::HeldBy(Mode::Exclusive));
                    }
                }
                Needs::Help(help) => {
                    let edge = if help.is_held { Edge::HeldBy(Mode::Shared) } else { Edge::MayHelp };
                    for thread in helpers(state, definitions, me, target) {
                        graph.add_edge(Node::Object(object), Node::Thread(thread), edge);
                    }
                }
            }
        }
        Target::Token => {
            let unparked = state.thread(me).into_iter().flat_map(ThreadState::unparked);
            for deed in unparked.filter(|deed| !state.is_finished(deed.thread)) {
                graph.add_edge(Node::Thread(me), Node::Thread(deed.thread), Edge::MayHelp);
            }
        }
    }
}
