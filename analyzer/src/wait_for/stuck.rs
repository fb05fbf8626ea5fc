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

use lockscope_trace::{Definitions, ThreadDef, ThreadId};
use petgraph::{algo::kosaraju_scc, graphmap::DiGraphMap};
use rustc_hash::{FxHashMap, FxHashSet};

use super::{
    blockers::{self, Why},
    needs::{self, Help, Needs, Others},
};
use crate::state::State;

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
        let watching = definitions.threads.iter().filter(|thread| is_watch(thread)).count();
        let unseen_threads = spawned == 0 || spawned + watching + 1 < definitions.threads.len();
        Knowledge { unseen_threads, ..Knowledge::default() }
    }
}

/// Whether the thread is lockscope's own, which watches the others from inside of the process.
fn is_watch(thread: &ThreadDef) -> bool {
    thread.parent.is_none() && thread.name.as_deref() == Some("lockscope-watch")
}

/// The knots of a state. O(waiting threads and who could help them), times the rounds that it takes to find them.
pub fn knots(state: &State, definitions: &Definitions, knowledge: Knowledge) -> Vec<Knot> {
    let search = Search::new(state, definitions, knowledge);
    let mut found = Vec::new();
    if search.waits.is_empty() {
        return found;
    }
    let certain = if knowledge.missing_events { FxHashMap::default() } else { search.fixed_point(true) };
    let potential = search.fixed_point(false);
    for (stuck, is_certain) in [(&certain, true), (&potential, false)] {
        for members in search.roots(stuck) {
            let is_known = |knot: &Knot| members.iter().any(|member| knot.members.contains(member));
            if !found.iter().any(is_known) {
                found.push(search.knot(members, stuck, is_certain));
            }
        }
    }
    found.sort_by(|a, b| a.members.cmp(&b.members));
    found
}

/// Stuck threads, each with those among them that it waits for.
type Stuck = FxHashMap<ThreadId, Vec<ThreadId>>;

struct Search<'a> {
    state: &'a State,
    /// What each waiting thread needs: of one thing after the other.
    waits: FxHashMap<ThreadId, Wanting>,
    /// Threads that live.
    n_alive: usize,
    knowledge: Knowledge,
}

#[derive(Debug)]
struct Wanting {
    needs: Vec<Needs>,
    /// All have to be met, not one of them.
    all: bool,
}

impl<'a> Search<'a> {
    fn new(state: &'a State, definitions: &Definitions, knowledge: Knowledge) -> Self {
        let mut waits = FxHashMap::default();
        for (index, thread) in state.threads.iter().enumerate() {
            let id = ThreadId(index as u32);
            if thread.wait().is_none_or(|wait| wait.limited) {
                continue;
            }
            let mut needs: Vec<Needs> =
                thread.targets().map(|target| needs::of(state, definitions, id, target)).collect();
            let all = thread.targets().any(|target| matches!(target, crate::finding::Target::Thread(_)));
            if all {
                // `blockers` has named all of them for each.
                needs.truncate(1);
            }
            if !needs.contains(&Needs::Nothing) {
                waits.insert(id, Wanting { needs, all });
            }
        }
        let n_known = state.threads.len().max(definitions.threads.len());
        let is_over = |id| state.is_finished(id) || definitions.thread(id).is_some_and(is_watch);
        let n_over = (0..n_known as u32).filter(|&index| is_over(ThreadId(index))).count();
        Search { state, waits, n_alive: n_known - n_over, knowledge }
    }

    fn fixed_point(&self, certain: bool) -> Stuck {
        let mut stuck: FxHashMap<ThreadId, ()> = self.waits.keys().map(|&thread| (thread, ())).collect();
        loop {
            let before = stuck.len();
            let helped: Vec<ThreadId> = stuck
                .keys()
                .copied()
                .filter(|thread| self.can_be_helped(&self.waits[thread], &stuck, certain))
                .collect();
            helped.iter().for_each(|thread| {
                stuck.remove(thread);
            });
            if stuck.len() == before {
                break;
            }
        }
        stuck.keys().map(|thread| (*thread, self.waited_for(&self.waits[thread], &stuck))).collect()
    }

    fn can_be_helped(&self, wanting: &Wanting, stuck: &FxHashMap<ThreadId, ()>, certain: bool) -> bool {
        if self.knowledge.nobody_else {
            return false;
        }
        let is_met = |needs: &Needs| match needs {
            Needs::Nothing => true,
            Needs::All(blockers) => blockers.iter().all(|blocker| {
                let is_gone = blocker.why == Why::Holds && self.state.is_finished(blocker.thread);
                !stuck.contains_key(&blocker.thread) && !is_gone
            }),
            Needs::Help(help) => self.is_given(help, stuck, certain),
        };
        if wanting.all { wanting.needs.iter().all(is_met) } else { wanting.needs.iter().any(is_met) }
    }

    fn is_given(&self, help: &Help, stuck: &FxHashMap<ThreadId, ()>, certain: bool) -> bool {
        let is_outside = |thread: ThreadId| !stuck.contains_key(&thread) && !self.state.is_finished(thread);
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

    fn waited_for(&self, wanting: &Wanting, stuck: &FxHashMap<ThreadId, ()>) -> Vec<ThreadId> {
        let named = |needs: &Needs| match needs {
            Needs::Nothing => Vec::new(),
            Needs::All(blockers) => blockers.iter().map(|blocker| blocker.thread).collect(),
            Needs::Help(help) => help.known.iter().map(|(thread, _)| *thread).collect(),
        };
        let mut threads: Vec<ThreadId> = wanting.needs.iter().flat_map(named).collect();
        threads.retain(|thread| stuck.contains_key(thread));
        threads.sort_unstable();
        threads.dedup();
        threads
    }

    /// Groups of stuck threads that wait for nobody outside of the group: the others are stuck on their account.
    fn roots(&self, stuck: &Stuck) -> Vec<Vec<ThreadId>> {
        // Who needs something that nobody is known to give might get it from anybody who is stuck; but who waits for a thread to
        // end is at the end of its own work.
        const ANYBODY: ThreadId = ThreadId(u32::MAX);
        let mut graph = DiGraphMap::<ThreadId, ()>::new();
        let mut threads: Vec<ThreadId> = stuck.keys().copied().collect();
        threads.sort_unstable();
        for &thread in &threads {
            graph.add_node(thread);
            for &other in &stuck[&thread] {
                graph.add_edge(thread, other, ());
            }
            if stuck[&thread].is_empty() && !self.waits_for_the_dead(thread) {
                graph.add_edge(thread, ANYBODY, ());
            }
        }
        if graph.contains_node(ANYBODY) {
            for &thread in threads.iter().filter(|thread| !self.waits[*thread].all) {
                graph.add_edge(ANYBODY, thread, ());
            }
        }
        let mut roots: Vec<Vec<ThreadId>> = kosaraju_scc(&graph)
            .into_iter()
            .filter(|group| {
                let leaves = |thread: &ThreadId| graph.neighbors(*thread).any(|next| !group.contains(&next));
                !group.iter().any(leaves)
            })
            .map(|mut group| {
                group.retain(|thread| *thread != ANYBODY);
                group.sort_unstable();
                group
            })
            .collect();
        roots.sort();
        roots
    }

    /// Whether the thread waits for a lock whose holder has ended.
    fn waits_for_the_dead(&self, thread: ThreadId) -> bool {
        let is_gone = |thread: ThreadId| self.state.is_finished(thread);
        self.waits[&thread].needs.iter().any(|needs| match needs {
            Needs::All(blockers) => blockers.iter().any(|blocker| blocker.why == Why::Holds && is_gone(blocker.thread)),
            Needs::Help(help) => help.is_held && help.known.iter().any(|(thread, _)| is_gone(*thread)),
            Needs::Nothing => false,
        })
    }

    fn knot(&self, members: Vec<ThreadId>, stuck: &Stuck, certain: bool) -> Knot {
        let is_member = |thread: &ThreadId| members.binary_search(thread).is_ok();
        let circle = members
            .iter()
            .find_map(|&thread| {
                blockers::shortest_circle(thread, |thread| {
                    stuck[&thread].iter().copied().filter(|thread| is_member(thread)).collect()
                })
            })
            .unwrap_or_default();
        let holds_for = |thread: &ThreadId| {
            self.waits[thread].needs.iter().any(|needs| match needs {
                Needs::All(blockers) => {
                    blockers.iter().any(|blocker| blocker.why == Why::Holds && is_member(&blocker.thread))
                }
                Needs::Help(help) => help.is_held && help.known.iter().any(|(thread, _)| is_member(thread)),
                Needs::Nothing => false,
            })
        };
        let holds = members.iter().any(holds_for);
        let behind = self.behind(&members, stuck);
        Knot { circle, behind, certain, holds, everybody: stuck.len() == self.n_alive, members }
    }

    /// Who is stuck on account of the members without being one of them.
    fn behind(&self, members: &[ThreadId], stuck: &Stuck) -> Vec<ThreadId> {
        let mut waiting_for = FxHashMap::<ThreadId, Vec<ThreadId>>::default();
        for (&thread, waited_for) in stuck {
            waited_for.iter().for_each(|&other| waiting_for.entry(other).or_default().push(thread));
        }
        let mut seen: FxHashSet<ThreadId> = members.iter().copied().collect();
        let mut open = members.to_vec();
        let mut behind = Vec::new();
        while let Some(thread) = open.pop() {
            for &waiting in waiting_for.get(&thread).into_iter().flatten() {
                if seen.insert(waiting) {
                    behind.push(waiting);
                    open.push(waiting);
                }
            }
        }
        behind.sort_unstable();
        behind
    }
}
