//! Searches the earliest sync-preserving instance of a pattern.

use lockscope_trace::{LockId, SiteId, ThreadId};

use super::nodes::{Instance, Nodes};
use crate::engine::closure::{Cut, History, history::Point};

/// A deadlock that a reordering of the trace runs into.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Deadlock {
    /// Who asks for what, with the number of the event that is the acquisition in the trace. Each asks for what the next
    /// one holds.
    pub requests: Vec<Request>,
    /// How many of its events each thread does before.
    pub prefixes: Vec<(ThreadId, u64)>,
}

/// One thread's part.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Request {
    pub thread: ThreadId,
    pub lock: LockId,
    pub event: u64,
    pub site: Option<SiteId>,
}

/// For each pattern that has one, its earliest sync-preserving instance.
pub(super) fn search(history: &History, nodes: &Nodes, patterns: &[Vec<u32>]) -> Vec<Deadlock> {
    let mut cut = Cut::default();
    let mut found = Vec::new();
    for pattern in patterns {
        cut.reset(history.n_threads());
        let lists: Vec<&[Instance]> = pattern.iter().map(|&node| &*nodes.all[node as usize].instances).collect();
        let Some(chosen) = earliest(history, &lists, &mut cut) else { continue };
        let request = |(&node, instance): (&u32, &Instance)| {
            let node = &nodes.all[node as usize];
            Request { thread: ThreadId(node.thread), lock: node.lock, event: instance.event(), site: instance.site }
        };
        found.push(Deadlock { requests: pattern.iter().zip(&chosen).map(request).collect(), prefixes: cut.prefixes() });
    }
    found
}

/// One instance of each list that the closure of what leads to them does not contain. The closure only grows while the search
/// goes on, so an instance that is in it once never comes back: each is looked at once.
fn earliest(history: &History, lists: &[&[Instance]], cut: &mut Cut) -> Option<Vec<Instance>> {
    let mut next = vec![0; lists.len()];
    loop {
        for (list, &next) in lists.iter().zip(&next) {
            // All that comes before the request in its thread; the thread's start at least.
            let Point { thread, at } = history.begin(list.get(next)?.section);
            cut.raise(Point { thread, at: at - 1 });
        }
        if !history.close(cut) {
            return None;
        }
        let mut is_outside = true;
        for (index, list) in lists.iter().enumerate() {
            let before = next[index];
            next[index] += list[before..].partition_point(|instance| cut.contains(history.begin(instance.section)));
            is_outside &= next[index] == before;
        }
        if is_outside {
            let chosen: Vec<Instance> = lists.iter().zip(&next).map(|(list, &next)| list[next]).collect();
            match (0..lists.len()).find(|&index| gives_away(history, &chosen, index)) {
                Some(index) => next[index] += 1,
                None => return Some(chosen),
            }
        }
    }
}

/// Whether the lock that the instance before asks for is released by another thread than this one, which may do so while
/// this one waits.
fn gives_away(history: &History, chosen: &[Instance], index: usize) -> bool {
    let before = chosen[(index + chosen.len() - 1) % chosen.len()];
    let lock = history.section(before.section).lock;
    let mut moved = false;
    history.held_around(chosen[index].section, |held| {
        let section = history.section(held);
        moved |= section.lock == lock && section.moved;
    });
    moved
}
