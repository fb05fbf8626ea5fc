//! Threads that cannot go on whatever all others do: a greatest fixed point.
//!
//! All threads that wait without a time limit are taken to be stuck; then those are taken out that a thread outside could help,
//! until there are none. What remains is stuck: nobody in it moves before somebody in it has moved. A circle of locks is
//! the simplest case; where one of several threads could end a wait (senders, holders of permits, whoever notifies) a circle
//! is not enough and this is.
//!
//! Twice: once *certain*, where any thread is taken to be able to notify, to unpark, to come to a barrier and to have a handle
//! that may have been given away, so that a wait for such a thing is hopeless only when no thread is left outside; and once where
//! only those count that did so before or have a handle. What only the second finds is *potential*.
//!
//! Why the first is right also for a trace of which the end is missing, or is not there yet: what gives something is recorded
//! before it is done. Of all events of stuck threads that are not there the one that was made first would follow a wait that
//! something earlier had ended, which is there, and so that wait would not count as one.

use lockscope_trace::{Definitions, ThreadId};
use petgraph::{Direction, algo::kosaraju_scc, graphmap::DiGraphMap};
use rustc_hash::{FxHashMap, FxHashSet};

use super::{
    blockers::{self, Why},
    needs::{self, Help, Needs, Others},
};
use crate::{finding::Target, state::State};

/// Threads that wait for each other, and nobody else can help.
#[derive(Clone, Debug, PartialEq)]
pub struct Knot {
    /// Who, in order of id.
    pub members: Vec<ThreadId>,
    /// The shortest circle of members through the lowest one that is part of any; empty when each only waits for
    /// somebody who is not there.
    pub circle: Vec<ThreadId>,
    /// Threads that are stuck only since they wait for members.
    pub behind: Vec<ThreadId>,
    /// Nobody outside can help, as far as threads are known. Otherwise nobody is known who could.
    pub certain: bool,
    /// A member holds a lock or permits that another one wants. Without, they may only have nothing to do.
    pub holds: bool,
    /// Every thread that was alive is stuck.
    pub everybody: bool,
}

/// What is known besides the state.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Knowledge {
    /// There may be threads that the trace knows nothing of.
    pub unseen_threads: bool,
    /// Events are missing, so that nothing is certain.
    pub missing_events: bool,
    /// Nobody can help whose wait is not in the trace: the process has seen that all of its threads wait.
    pub nobody_else: bool,
}

impl Knowledge {
    /// What the definitions tell: threads that were not spawned by what lockscope follows were seen, so there may be others that
    /// were not seen yet; and so when nothing was ever spawned.
    pub fn of(definitions: &Definitions) -> Self {
        let spawned = definitions.threads.iter().filter(|thread| thread.parent.is_some()).count();
        let watching = definitions.threads.iter().filter(|thread| thread.is_own()).count();
        let unseen_threads = spawned == 0 || spawned + watching + 1 < definitions.threads.len();
        Knowledge { unseen_threads, ..Knowledge::default() }
    }
}

/// The knots of a state. O(waits + who could help at each object), times the rounds that it takes to find them.
pub fn knots(state: &State, definitions: &Definitions, knowledge: Knowledge) -> Vec<Knot> {
    let search = Search::new(state, definitions, knowledge);
    let mut found: Vec<Knot> = Vec::new();
    if search.waits.is_empty() {
        return found;
    }
    let mut known = FxHashSet::default();
    let levels = if knowledge.missing_events { &[false][..] } else { &[true, false] };
    for &certain in levels {
        let stuck = search.fixed_point(certain);
        let graph = search.graph(&stuck);
        for members in roots(&graph) {
            if !members.iter().any(|member| known.contains(member)) {
                known.extend(members.iter().copied());
                found.push(search.knot(members, &stuck, &graph, certain));
            }
        }
    }
    found.sort_by(|a, b| a.members.cmp(&b.members));
    found
}

struct Search<'a> {
    state: &'a State,
    /// What is needed; what is the same for all who wait for it at an object is in here once.
    needs: Vec<Needs>,
    /// What each waiting thread needs.
    waits: FxHashMap<ThreadId, Wanting>,
    /// Threads that live.
    n_alive: usize,
    knowledge: Knowledge,
}

#[derive(Debug)]
struct Wanting {
    /// Indices of what is needed of one thing after the other.
    needs: Vec<usize>,
    /// All have to be met, not one of them.
    all: bool,
}

type Stuck = FxHashSet<ThreadId>;

/// Who waits for whom among stuck threads.
type Graph = DiGraphMap<Node, ()>;

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
enum Node {
    Thread(ThreadId),
    /// Whoever is known to be able to give what is needed.
    Helpers(usize),
    /// Who needs something that nobody is known to give might get it from anybody who is stuck; but who waits for a thread to
    /// end is at the end of its own work.
    Anybody,
}

impl<'a> Search<'a> {
    fn new(state: &'a State, definitions: &Definitions, knowledge: Knowledge) -> Self {
        let mut needs = Vec::new();
        let mut shared = FxHashMap::default();
        let mut waits = FxHashMap::default();
        for (index, thread) in state.threads.iter().enumerate() {
            let id = ThreadId(index as u32);
            if thread.wait().is_none_or(|wait| wait.limited) {
                continue;
            }
            let mut index_of = |target: Target| {
                let mut new = || {
                    needs.push(needs::of(state, definitions, id, target));
                    needs.len() - 1
                };
                match needs::is_same_for_all(state, definitions, target) {
                    true => *shared.entry(target).or_insert_with(new),
                    false => new(),
                }
            };
            let all = thread.targets().any(|target| matches!(target, Target::Thread(_)));
            // Of threads that have to end `blockers` names all for each.
            let n_targets = if all { 1 } else { usize::MAX };
            let wanted: Vec<usize> = thread.targets().take(n_targets).map(&mut index_of).collect();
            if !wanted.iter().any(|&index| needs[index] == Needs::Nothing) {
                waits.insert(id, Wanting { needs: wanted, all });
            }
        }
        let n_known = state.threads.len().max(definitions.threads.len());
        let is_over = |id| state.is_finished(id) || definitions.is_own(id);
        let n_over = (0..n_known as u32).filter(|&index| is_over(ThreadId(index))).count();
        Search { state, needs, waits, n_alive: n_known - n_over, knowledge }
    }

    fn needs_of(&self, thread: ThreadId) -> impl Iterator<Item = &Needs> {
        self.waits[&thread].needs.iter().map(|&index| &self.needs[index])
    }

    fn fixed_point(&self, certain: bool) -> Stuck {
        let mut stuck: Stuck = self.waits.keys().copied().collect();
        if self.knowledge.nobody_else {
            return stuck;
        }
        loop {
            let met: Vec<bool> = self.needs.iter().map(|needs| self.is_met(needs, &stuck, certain)).collect();
            let is_helped = |wanting: &Wanting| {
                let mut met = wanting.needs.iter().map(|&index| met[index]);
                if wanting.all { met.all(|met| met) } else { met.any(|met| met) }
            };
            let before = stuck.len();
            stuck.retain(|thread| !is_helped(&self.waits[thread]));
            if stuck.len() == before {
                return stuck;
            }
        }
    }

    fn is_met(&self, needs: &Needs, stuck: &Stuck, certain: bool) -> bool {
        match needs {
            Needs::Nothing => true,
            Needs::All(blockers) => blockers.iter().all(|blocker| {
                let is_gone = blocker.why == Why::Holds && self.state.is_finished(blocker.thread);
                !stuck.contains(&blocker.thread) && !is_gone
            }),
            Needs::Help(help) => self.is_given(help, stuck, certain),
        }
    }

    fn is_given(&self, help: &Help, stuck: &Stuck, certain: bool) -> bool {
        let is_outside = |thread: ThreadId| !stuck.contains(&thread) && !self.state.is_finished(thread);
        let outside = help.known.iter().filter(|(thread, _)| is_outside(*thread));
        let (n_known, known) = outside.fold((0, 0u64), |(n, sum), (_, amount)| (n + 1, sum.saturating_add(*amount)));
        let others = match help.others {
            Others::No => false,
            Others::Possible => certain,
            Others::Likely => true,
        };
        if !others {
            return known >= help.amount;
        }
        let n_others = (self.n_alive - stuck.len()).saturating_sub(n_known) as u64;
        self.knowledge.unseen_threads || known.saturating_add(n_others.saturating_mul(help.others_give)) >= help.amount
    }

    fn graph(&self, stuck: &Stuck) -> Graph {
        let mut graph = Graph::new();
        let mut threads: Vec<ThreadId> = stuck.iter().copied().collect();
        // The graph is the same for the same state.
        threads.sort_unstable();
        for &thread in &threads {
            let me = Node::Thread(thread);
            graph.add_node(me);
            for &index in &self.waits[&thread].needs {
                match &self.needs[index] {
                    Needs::Nothing => {}
                    Needs::All(blockers) => {
                        let others = blockers.iter().map(|blocker| blocker.thread);
                        others.filter(|other| stuck.contains(other)).for_each(|other| {
                            graph.add_edge(me, Node::Thread(other), ());
                        });
                    }
                    Needs::Help(help) => {
                        let helpers = Node::Helpers(index);
                        if !graph.contains_node(helpers) {
                            graph.add_node(helpers);
                            let known = help.known.iter().map(|(thread, _)| *thread);
                            known.filter(|thread| stuck.contains(thread)).for_each(|thread| {
                                graph.add_edge(helpers, Node::Thread(thread), ());
                            });
                        }
                        if graph.neighbors(helpers).next().is_some() {
                            graph.add_edge(me, helpers, ());
                        }
                    }
                }
            }
            if graph.neighbors(me).next().is_none() && !self.waits_for_the_dead(thread) {
                graph.add_edge(me, Node::Anybody, ());
            }
        }
        if graph.contains_node(Node::Anybody) {
            for &thread in threads.iter().filter(|thread| !self.waits[*thread].all) {
                graph.add_edge(Node::Anybody, Node::Thread(thread), ());
            }
        }
        graph
    }

    /// Whether the thread waits for a lock whose holder has ended.
    fn waits_for_the_dead(&self, thread: ThreadId) -> bool {
        let is_gone = |thread: ThreadId| self.state.is_finished(thread);
        self.needs_of(thread).any(|needs| match needs {
            Needs::All(blockers) => blockers.iter().any(|blocker| blocker.why == Why::Holds && is_gone(blocker.thread)),
            Needs::Help(help) => help.is_held && help.known.iter().any(|(thread, _)| is_gone(*thread)),
            Needs::Nothing => false,
        })
    }

    fn knot(&self, members: Vec<ThreadId>, stuck: &Stuck, graph: &Graph, certain: bool) -> Knot {
        let is_member = |thread: &ThreadId| members.binary_search(thread).is_ok();
        let next = |thread: ThreadId| {
            waited_for(graph, thread).filter(|next| members.binary_search(next).is_ok()).collect::<Vec<_>>()
        };
        let first = members.iter().take(MOST_STARTS);
        let circle = first.copied().find_map(|thread| blockers::shortest_circle(thread, next)).unwrap_or_default();
        let holds_for = |thread: &ThreadId| {
            self.needs_of(*thread).any(|needs| match needs {
                Needs::All(blockers) => {
                    blockers.iter().any(|blocker| blocker.why == Why::Holds && is_member(&blocker.thread))
                }
                Needs::Help(help) => help.is_held && help.known.iter().any(|(thread, _)| is_member(thread)),
                Needs::Nothing => false,
            })
        };
        let holds = members.iter().any(holds_for);
        let behind = behind(graph, &members);
        Knot { circle, behind, certain, holds, everybody: stuck.len() == self.n_alive, members }
    }
}

/// Members of a knot from which a circle is searched for.
const MOST_STARTS: usize = 64;

/// Stuck threads that the thread waits for, or that are known to be able to help it.
fn waited_for(graph: &Graph, thread: ThreadId) -> impl Iterator<Item = ThreadId> {
    let next = graph.neighbors(Node::Thread(thread));
    next.flat_map(|node| match node {
        Node::Helpers(_) => graph.neighbors(node).collect(),
        node => vec![node],
    })
    .filter_map(|node| match node {
        Node::Thread(thread) => Some(thread),
        _ => None,
    })
}

/// Groups of stuck threads that wait for nobody outside of the group: the others are stuck on their account.
fn roots(graph: &Graph) -> Vec<Vec<ThreadId>> {
    let groups = kosaraju_scc(graph);
    let group_of: FxHashMap<Node, usize> =
        groups.iter().enumerate().flat_map(|(index, group)| group.iter().map(move |&node| (node, index))).collect();
    let leaves = |(index, group): &(usize, &Vec<Node>)| {
        group.iter().flat_map(|&node| graph.neighbors(node)).any(|next| group_of[&next] != *index)
    };
    let mut roots: Vec<Vec<ThreadId>> = groups
        .iter()
        .enumerate()
        .filter(|group| !leaves(group))
        .map(|(_, group)| {
            let threads = group.iter().filter_map(|node| match node {
                Node::Thread(thread) => Some(*thread),
                _ => None,
            });
            let mut threads: Vec<ThreadId> = threads.collect();
            threads.sort_unstable();
            threads
        })
        .filter(|threads| !threads.is_empty())
        .collect();
    roots.sort();
    roots
}

/// Who is stuck on account of the members without being one of them.
fn behind(graph: &Graph, members: &[ThreadId]) -> Vec<ThreadId> {
    let mut seen: FxHashSet<Node> = members.iter().map(|&thread| Node::Thread(thread)).collect();
    let mut open: Vec<Node> = seen.iter().copied().collect();
    let mut behind = Vec::new();
    while let Some(node) = open.pop() {
        for waiting in graph.neighbors_directed(node, Direction::Incoming) {
            if waiting != Node::Anybody && seen.insert(waiting) {
                open.push(waiting);
                behind.extend(match waiting {
                    Node::Thread(thread) => Some(thread),
                    _ => None,
                });
            }
        }
    }
    behind.sort_unstable();
    behind
}
