//! What there is to say of threads and locks besides their own state, and which events a list of events has.

use lockscope_analyzer::{
    finding::Target,
    state::{LockState, ThreadState},
};
use lockscope_trace::{Event, LockId, ThreadId};

use crate::{cli::show::events::EventRow, dashboard::state::State};

/// Events beyond these are not searched for the next row that a filter keeps, so that a key never takes long.
const MAX_SEARCH: u64 = 50_000;

/// The lock that a thread wants, or else the last one that it took.
pub fn lock_of_interest(thread: &ThreadState) -> Option<LockId> {
    match thread.wait().map(|wait| wait.target) {
        Some(Target::Lock(lock, _) | Target::Object(lock, _)) => Some(lock),
        _ => thread.held.last().map(|held| held.lock),
    }
}

/// Locks that somebody had to wait for, most waits first; at most `most`.
pub fn hottest(state: &State, most: usize) -> Vec<LockId> {
    let waits = |lock: &LockState| lock.contended + lock.waiters.len() as u64;
    let mut locks: Vec<(std::cmp::Reverse<u64>, LockId)> = Vec::new();
    for (idx, lock) in state.at.locks.iter().enumerate().filter(|(_, lock)| waits(lock) > 0) {
        locks.push((std::cmp::Reverse(waits(lock)), LockId(idx as u32)));
    }
    if locks.len() > most && most > 0 {
        // Of a hundred thousand only those that are shown need an order.
        locks.select_nth_unstable(most - 1);
    }
    locks.truncate(most);
    locks.sort_unstable();
    locks.into_iter().map(|(_, id)| id).collect()
}

/// Whether a thread cannot go on any more: it is part of a cycle of the wait-for graph, or nobody is left to help it.
pub fn is_deadlocked(state: &State, id: ThreadId) -> bool {
    state.stuck.contains(&id)
}

/// How many threads have to go on, one after the other, before this one can: the chain of holders in front of it.
pub fn depth(state: &State, id: ThreadId) -> usize {
    let mut seen = vec![id];
    let mut current = id;
    while let Some(Target::Lock(lock, _)) = state.at.thread(current).and_then(ThreadState::wait).map(|wait| wait.target)
    {
        let Some(&(holder, ..)) = state.at.lock(lock).and_then(|lock| lock.holders.first()) else { break };
        if seen.contains(&holder) || seen.len() > MAX_DEPTH {
            return seen.len();
        }
        seen.push(holder);
        current = holder;
    }
    seen.len() - 1
}

/// Chains longer than this are not followed.
const MAX_DEPTH: usize = 64;

/// Position of the event that is `by` rows from the cursor, among those that the filter keeps.
pub fn event_from(state: &State, by: i64) -> u64 {
    let len = state.model.len();
    let first = u64::from(len > 0);
    if state.events.filter.is_empty() {
        return state.position.saturating_add_signed(by).clamp(first, len);
    }
    let mut left = by.unsigned_abs();
    let mut found = state.position;
    let mut position = state.position;
    for _ in 0..MAX_SEARCH {
        position = position.saturating_add_signed(by.signum());
        if left == 0 || position < first || position > len {
            break;
        }
        if keeps_event(state, position) {
            found = position;
            left -= 1;
        }
    }
    found.clamp(first, len)
}

/// Positions of events around the cursor that the filter keeps, at most `height`, with the cursor's own among them.
pub fn events_around(state: &State, height: usize) -> Vec<u64> {
    let len = state.model.len();
    let cursor = state.position.clamp(u64::from(len > 0), len);
    let collect = |positions: &mut dyn Iterator<Item = u64>, n: usize| -> Vec<u64> {
        positions.take(MAX_SEARCH as usize).filter(|&position| keeps_event(state, position)).take(n).collect()
    };
    let mut before = collect(&mut (1..=cursor).rev(), height);
    let after = collect(&mut (cursor + 1..=len), height);
    // The cursor stays in the middle, except near the ends.
    let n_before = before.len().min(height / 2 + 1 + (height - height / 2 - 1).saturating_sub(after.len()));
    before.truncate(n_before);
    before.reverse();
    before.extend(after.into_iter().take(height - n_before));
    before
}

fn keeps_event(state: &State, position: u64) -> bool {
    let filter = &state.events.filter;
    let (defs, has_times) = (&state.model.defs, state.model.info.has_times);
    let keeps = |event: &Event| filter.is_empty() || filter.keeps(&EventRow { defs, position, event, has_times });
    state.model.timeline.event(position).is_some_and(|event| keeps(&event))
}
