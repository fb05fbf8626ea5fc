//! Cycles of orders that can deadlock.
//!
//! A cycle counts when it can be made of occurrences of different threads that hold no lock in common that would keep them
//! apart (a gate lock), and in which each wanted mode conflicts with the mode held: Havelund's Goodlock with the
//! generalisation to any length by Bensalem and Havelund, and read locks. Two shared modes conflict only
//! when somebody writes, since fair read-write locks let no reader pass a waiting writer; a recursive read passes.

use std::collections::HashSet;

use lockscope_trace::Mode;

use super::{
    super::session,
    Cycle, Side,
    graph::{Graph, Occurrence},
};

/// Longest cycle that is searched for.
const MAX_LENGTH: usize = 12;
/// Steps of one search; a graph that needs more is left to the offline analysis.
const MAX_STEPS: usize = 50_000;

/// The shortest cycle through the newest occurrence of an edge that was not reported before; `repeat` tells.
pub(super) fn through(graph: &Graph, from: u32, to: u32, repeat: impl FnMut(&[Step<'_>]) -> bool) -> Option<Cycle> {
    if !graph.has_cycles() {
        return None;
    }
    through_occurrence(graph, from, to, graph.occurrences(from, to).next_back()?, repeat)
}

/// A cycle through a lock that is now known to be written, which makes readers wait for each other.
pub(super) fn of_readers(graph: &Graph, lock: u32, mut repeat: impl FnMut(&[Step<'_>]) -> bool) -> Option<Cycle> {
    graph.predecessors(lock).iter().find_map(|&from| {
        let mut occurrences = graph.occurrences(from, lock);
        occurrences.find_map(|occurrence| through_occurrence(graph, from, lock, occurrence, &mut repeat))
    })
}

fn through_occurrence(
    graph: &Graph,
    from: u32,
    to: u32,
    newest: &Occurrence,
    mut repeat: impl FnMut(&[Step<'_>]) -> bool,
) -> Option<Cycle> {
    let useful = between(graph, to, from)?;
    let mut steps = MAX_STEPS;
    (2..=MAX_LENGTH.min(useful.len())).find_map(|length| {
        let mut search = Search { graph, useful: &useful, goal: from, length, steps: &mut steps, repeat: &mut repeat };
        search.extend(&mut vec![(from, to, newest)])
    })
}

/// Nodes on ways from `start` to `goal`, both included; `None` when there is no way.
fn between(graph: &Graph, start: u32, goal: u32) -> Option<HashSet<u32>> {
    let closure = |first: u32, next: fn(&Graph, u32) -> &[u32]| {
        let mut seen = HashSet::from([first]);
        let mut open = vec![first];
        while let Some(lock) = open.pop() {
            open.extend(next(graph, lock).iter().filter(|&&other| seen.insert(other)));
        }
        seen
    };
    let after = closure(start, Graph::successors);
    if !after.contains(&goal) {
        return None;
    }
    Some(&after & &closure(goal, Graph::predecessors))
}

/// A lock that is held, the one that is wanted, and how that was.
pub(super) type Step<'a> = (u32, u32, &'a Occurrence);

struct Search<'a, 's> {
    graph: &'a Graph,
    useful: &'s HashSet<u32>,
    goal: u32,
    length: usize,
    steps: &'s mut usize,
    repeat: &'s mut dyn FnMut(&[Step<'_>]) -> bool,
}

impl<'a> Search<'a, '_> {
    /// Depth first; the depth is at most `MAX_LENGTH`.
    fn extend(&mut self, path: &mut Vec<Step<'a>>) -> Option<Cycle> {
        let &(_, lock, previous) = path.last()?;
        for &next in self.graph.successors(lock) {
            let closes = next == self.goal;
            let fits = closes == (path.len() + 1 == self.length);
            let is_new = closes || path.iter().all(|&(from, _, _)| from != next);
            if !fits || !is_new || !self.useful.contains(&next) {
                continue;
            }
            for occurrence in self.graph.occurrences(lock, next) {
                *self.steps = self.steps.checked_sub(1)?;
                if !self.conflict(lock, previous, occurrence) || !is_compatible(path, lock, occurrence) {
                    continue;
                }
                path.push((lock, next, occurrence));
                let found = if closes { self.close(path) } else { self.extend(path) };
                if found.is_some() {
                    return found;
                }
                path.pop();
            }
        }
        None
    }

    fn close(&mut self, path: &[Step<'a>]) -> Option<Cycle> {
        let (last, first) = (path.last()?, path.first()?);
        if !self.conflict(self.goal, last.2, first.2) || (self.repeat)(path) {
            return None;
        }
        // The newest side last: reports end with what happens now.
        let (now, others) = path.split_first()?;
        let sides = others.iter().chain([now]).map(|&(from, to, occurrence)| {
            Some(Side { held: self.graph.facts(from)?, wanted: self.graph.facts(to)?, occurrence: occurrence.clone() })
        });
        sides.collect::<Option<Vec<_>>>().map(|sides| Cycle { sides, writer: None })
    }

    /// Whether one who asks for the lock can have to wait for one who holds it.
    fn conflict(&self, lock: u32, asks: &Occurrence, holds: &Occurrence) -> bool {
        !holds.held_mode.compatible(asks.wanted_mode) || !asks.recursive && self.graph.is_written(lock)
    }
}

/// Whether threads of these sessions belong to one run of the program: those of two tests do not.
fn can_meet(one: u32, other: u32) -> bool {
    one == other || one == session::NONE || other == session::NONE
}

/// Whether another thread's occurrence, of an edge that begins at `from`, can happen while all of the path's do.
fn is_compatible(path: &[Step<'_>], from: u32, occurrence: &Occurrence) -> bool {
    path.iter().all(|&(other_from, _, other)| {
        let keeps_apart = |(lock, mode): (u32, Mode)| {
            other
                .all_held(other_from)
                .any(|(other_lock, other_mode)| lock == other_lock && !mode.compatible(other_mode))
        };
        other.thread != occurrence.thread
            && can_meet(other.session, occurrence.session)
            && !occurrence.all_held(from).any(keeps_apart)
    })
}
