//! Which rows a list has, in which order, and what a filter sees of them.

use lockscope_analyzer::{
    finding::{Finding, Target},
    state::{Activity, LockState, ThreadState},
};
use lockscope_trace::{Event, LockId, ThreadId};

use crate::{
    cli::{
        report::phrase,
        show::{events::EventRow, threads},
    },
    dashboard::state::{State, View},
    filter::Row,
    graph::NodeKey,
};

/// Events beyond these are not searched for the next row that a filter keeps, so that a key never takes long.
const MAX_SEARCH: u64 = 50_000;

/// What a row stands for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Id {
    /// A thread.
    Thread(ThreadId),
    /// A lock.
    Lock(LockId),
    /// A finding, by its place in the list of all.
    Finding(usize),
}

/// The thread of a row.
pub fn thread(id: Id) -> Option<ThreadId> {
    if let Id::Thread(id) = id { Some(id) } else { None }
}

/// The lock of a row.
pub fn lock(id: Id) -> Option<LockId> {
    if let Id::Lock(id) = id { Some(id) } else { None }
}

/// Rows of a view that its filter keeps, those that matter most first.
pub fn rows(state: &State, view: View) -> Vec<Id> {
    let filter = &state.filter(view).1;
    let keeps = |row: &dyn Fn() -> Row| filter.is_empty() || filter.keeps(&row());
    match view {
        View::Threads => {
            let mut rows: Vec<(u8, ThreadId)> = Vec::new();
            for (idx, thread) in state.at.threads.iter().enumerate() {
                let id = ThreadId(idx as u32);
                let now = state.model.info.has_times.then_some(state.at.time);
                if keeps(&|| threads::row(&state.model.defs, id, thread, now)) {
                    rows.push((urgency(state, id, thread), id));
                }
            }
            rows.sort_unstable();
            rows.into_iter().map(|(_, id)| Id::Thread(id)).collect()
        }
        View::Locks => {
            let mut rows: Vec<LockId> = Vec::new();
            for (idx, lock) in state.at.locks.iter().enumerate() {
                let id = LockId(idx as u32);
                if keeps(&|| lock_row(state, id, lock)) {
                    rows.push(id);
                }
            }
            rows.sort_by_cached_key(|id| {
                let lock = &state.at.locks[id.0 as usize];
                let heat = (lock.waiters.len(), !lock.holders.is_empty(), lock.contended, lock.acquisitions);
                (std::cmp::Reverse(heat), *id)
            });
            rows.into_iter().map(Id::Lock).collect()
        }
        View::Findings => {
            let findings = state.model.findings.iter().enumerate();
            findings
                .filter(|(_, finding)| keeps(&|| finding_row(state, finding)))
                .map(|(idx, _)| Id::Finding(idx))
                .collect()
        }
        View::Overview | View::Waits | View::Events => Vec::new(),
    }
}

/// Index of the selected row; the first one where the selection is not in the list.
pub fn selected(state: &State, rows: &[Id]) -> Option<usize> {
    let is_selected = |id: &Id| match *id {
        Id::Thread(id) => state.selection.thread == Some(id),
        Id::Lock(id) => state.selection.lock == Some(id),
        Id::Finding(idx) => state.selection.finding == Some(idx),
    };
    rows.iter().position(is_selected).or((!rows.is_empty()).then_some(0))
}

/// The lock that a thread wants, or else the last one that it took.
pub fn lock_of_interest(thread: &ThreadState) -> Option<LockId> {
    match thread.wait().map(|wait| wait.target) {
        Some(Target::Lock(lock, _) | Target::Object(lock, _)) => Some(lock),
        _ => thread.held.last().map(|held| held.lock),
    }
}

/// Locks that somebody had to wait for, most waits first.
pub fn hottest(state: &State) -> Vec<Id> {
    let waits = |lock: &LockState| lock.contended + lock.waiters.len() as u64;
    let mut locks: Vec<(std::cmp::Reverse<u64>, LockId)> = Vec::new();
    for (idx, lock) in state.at.locks.iter().enumerate().filter(|(_, lock)| waits(lock) > 0) {
        locks.push((std::cmp::Reverse(waits(lock)), LockId(idx as u32)));
    }
    locks.sort_unstable();
    locks.into_iter().map(|(_, id)| Id::Lock(id)).collect()
}

/// Whether a thread is part of a cycle of the wait-for graph.
pub fn is_deadlocked(state: &State, id: ThreadId) -> bool {
    let is_hopeless = |node: &usize| state.waits.hopeless.iter().any(|threads| threads.contains(node));
    state.waits.node(NodeKey::Thread(id)).is_some_and(|node| state.waits.in_cycle(node) || is_hopeless(&node))
}

/// Position of the event that is `by` rows from the cursor, among those that the filter keeps.
pub fn event_from(state: &State, by: i64) -> u64 {
    let len = state.model.len();
    let first = u64::from(len > 0);
    if state.filter(View::Events).1.is_empty() {
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
    let filter = &state.filter(View::Events).1;
    let (defs, has_times) = (&state.model.defs, state.model.info.has_times);
    let keeps = |event: &Event| filter.is_empty() || filter.keeps(&EventRow { defs, position, event, has_times });
    state.model.timeline.event(position).is_some_and(|event| keeps(&event))
}

/// Rank in the list of threads: what is stuck comes first, what is over last.
fn urgency(state: &State, id: ThreadId, thread: &ThreadState) -> u8 {
    match thread.activity {
        Activity::Blocked(_) if is_deadlocked(state, id) => 0,
        Activity::Blocked(_) => 1,
        Activity::Running | Activity::Sleeping { .. } => 2,
        Activity::NotStarted => 3,
        Activity::Finished => 4,
    }
}

fn lock_row(state: &State, id: LockId, lock: &LockState) -> Row {
    let defs = &state.model.defs;
    let mut row = Row::default();
    row.add("lock", &phrase::lock_label(defs, id));
    row.add("kind", defs.lock(id).map_or("", |lock| lock.kind.word()));
    for (thread, ..) in &lock.holders {
        row.add("thread", &phrase::thread_label(defs, *thread));
        row.add("state", "held");
    }
    for (thread, ..) in &lock.waiters {
        row.add("thread", &phrase::thread_label(defs, *thread));
        row.add("state", "contended");
    }
    row
}

fn finding_row(state: &State, finding: &Finding) -> Row {
    let defs = &state.model.defs;
    let mut row = Row::default();
    row.add("code", finding.code.as_str());
    row.add("sev", finding.severity.as_str());
    row.add("conf", finding.confidence.as_str());
    row.add("title", &finding.title);
    finding
        .participants
        .iter()
        .for_each(|participant| row.add("thread", &phrase::thread_label(defs, participant.thread)));
    finding.locks.iter().for_each(|&lock| row.add("lock", &phrase::lock_label(defs, lock)));
    row
}
