//! Threads that another one cannot go on without: all of them have to make progress first.
//!
//! - A lock is free for a mode when *all* holders in conflicting modes have released it.
//! - Readers queue behind writers that waited before them (parking_lot and std both do so, lest writers starve), so each
//!   such writer has to have its turn, and a reader that holds the lock already makes the circle complete.
//!   A writer that came later than the reader is no obstacle: the reader may be about to be let in. Nor is any to a recursive
//!   read, which passes them all.
//! - Joining waits for that one thread; the end of a scope for each of its threads.
//! - Who waits on a condition variable and has been notified waits for the mutex that it gave up.
//!
//! Ownership is that of the acquisition: of a guard that was sent to another thread nothing is known until its release.

use std::collections::VecDeque;

use lockscope_trace::{How, LockId, Mode, Need, ThreadId};
use rustc_hash::{FxHashMap, FxHashSet};

use crate::{
    finding::Target,
    state::{State, Wait},
};

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

/// The threads that `thread` cannot go on without, all of them; see the module's documentation. None for a wait that
/// any of several threads could end.
pub fn blockers(state: &State, thread: ThreadId) -> Vec<Blocker> {
    let Some(waiting) = state.thread(thread) else { return Vec::new() };
    let Some(&Wait { target, how, .. }) = waiting.wait() else { return Vec::new() };
    match target {
        Target::Lock(lock, wanted) => at_lock(state, thread, lock, wanted, how),
        Target::Thread(_) => waiting.targets().filter_map(|target| joined(state, target)).collect(),
        Target::Object(..) | Target::Token if !waiting.more.is_empty() => Vec::new(),
        Target::Object(object, need) => at_object(state, thread, object, need).unwrap_or_default(),
        Target::Token => Vec::new(),
    }
}

/// The first thing that the thread waits for; of one that waits on a condition variable and was notified the mutex that it takes back.
pub fn target(state: &State, thread: ThreadId) -> Option<Target> {
    let waiting = state.thread(thread)?;
    match (waiting.wait()?.target, waiting.given_up) {
        (Target::Object(condvar, Need::Notify), Some(given_up)) if state.are_all_notified(condvar) => {
            Some(Target::Lock(given_up.mutex, Mode::Exclusive))
        }
        (target, _) => Some(target),
    }
}

/// Who has to do something first for a wait at an object; `None` when one of several threads can end it.
pub(super) fn at_object(state: &State, thread: ThreadId, object: LockId, need: Need) -> Option<Vec<Blocker>> {
    match need {
        Need::Notify if state.are_all_notified(object) => {
            let given_up = state.thread(thread)?.given_up?;
            Some(at_lock(state, thread, given_up.mutex, Mode::Exclusive, How::CondvarReacquire))
        }
        // Whoever runs the initialiser holds the object.
        Need::Init => Some(at_lock(state, thread, object, Mode::Exclusive, How::Lock)),
        _ => None,
    }
}

/// A thread that has ended is only waiting to be collected.
fn joined(state: &State, target: Target) -> Option<Blocker> {
    match target {
        Target::Thread(child) if !state.is_finished(child) => Some(Blocker { thread: child, why: Why::Joined }),
        _ => None,
    }
}

fn at_lock(state: &State, thread: ThreadId, lock: LockId, wanted: Mode, how: How) -> Vec<Blocker> {
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

/// The shortest circle of waits through `start`, beginning with it; `None` when it waits for nothing that waits for it.
pub fn shortest_cycle(state: &State, start: ThreadId) -> Option<Vec<ThreadId>> {
    shortest_circle(start, |thread| blockers(state, thread).into_iter().map(|blocker| blocker.thread).collect())
}

/// The shortest way from `start` back to itself, without the return.
pub(super) fn shortest_circle(
    start: ThreadId,
    mut next: impl FnMut(ThreadId) -> Vec<ThreadId>,
) -> Option<Vec<ThreadId>> {
    let mut reached_from = FxHashMap::default();
    let mut seen = FxHashSet::default();
    let mut queue = VecDeque::from([start]);
    while let Some(thread) = queue.pop_front() {
        for other in next(thread) {
            if other == start {
                let mut cycle = vec![thread];
                while let Some(&previous) = reached_from.get(cycle.last().expect("never empty")) {
                    cycle.push(previous);
                }
                cycle.reverse();
                return Some(cycle);
            }
            if seen.insert(other) {
                reached_from.insert(other, thread);
                queue.push_back(other);
            }
        }
    }
    None
}
