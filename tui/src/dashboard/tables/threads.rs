//! The list of threads.

use lockscope_analyzer::{
    finding::Target,
    state::{Activity, ThreadState},
};
use lockscope_trace::{Nanos, ThreadId};

use super::{Cell, Column, Grouping, Row, number, text};
use crate::{
    cli::{
        report::phrase,
        show::{self, threads::state_word},
    },
    dashboard::{
        draw::theme::{Mark, Tone},
        lists,
        state::State,
    },
    filter::{Fields, Quantity},
    source::file_and_line,
};

pub(super) const COLUMNS: &[Column] = &[
    text("thread", 20, 0, "the thread, by its number in the trace and its name"),
    text("state", 12, 0, "what it does at this moment"),
    number("for", 8, 0, "since when it does that"),
    text("wants", 0, 0, "what it waits for"),
    text("holds", 0, 0, "locks and permits that it holds, in the order in which it took them"),
    number("behind", 6, 100, "how many threads have to go on before it can"),
    text("at", 18, 110, "place of its last event"),
    number("blocked", 8, 130, "time that it was blocked so far"),
    number("events", 9, 140, "events of it so far"),
    text("parent", 16, u16::MAX, "the thread that started it"),
];

pub(super) const GROUPINGS: &[Grouping] = &[
    ("name pattern", |state, row| match row {
        Row::Thread(id) => pattern(&state.model.defs.thread_name(id)),
        _ => String::new(),
    }),
    ("state", |state, row| match row {
        Row::Thread(id) => state.at.thread(id).map_or("", |thread| activity(state, id, thread).1).to_owned(),
        _ => String::new(),
    }),
    ("parent", |state, row| match row {
        Row::Thread(id) => parent(state, id),
        _ => String::new(),
    }),
    ("place", |state, row| match row {
        Row::Thread(id) => place(state, id),
        _ => String::new(),
    }),
];

/// A name with its numbers left out: threads of one pool have one pattern.
fn pattern(name: &str) -> String {
    let mut pattern = String::new();
    for c in name.chars() {
        match c {
            c if !c.is_ascii_digit() => pattern.push(c),
            _ if pattern.ends_with('*') => {}
            _ => pattern.push('*'),
        }
    }
    pattern
}

/// What is stuck comes first, what is over last.
pub(super) fn rows(state: &State) -> Vec<Row> {
    let mut rows: Vec<(u8, ThreadId)> = Vec::with_capacity(state.at.threads.len());
    for (idx, thread) in state.at.threads.iter().enumerate() {
        let id = ThreadId(idx as u32);
        if !state.model.defs.is_own(id) {
            rows.push((urgency(state, id, thread), id));
        }
    }
    rows.sort_unstable();
    rows.into_iter().map(|(_, id)| Row::Thread(id)).collect()
}

fn urgency(state: &State, id: ThreadId, thread: &ThreadState) -> u8 {
    match thread.activity {
        Activity::Blocked(_) if lists::is_deadlocked(state, id) => 0,
        Activity::Blocked(_) => 1,
        Activity::Running | Activity::Sleeping { .. } => 2,
        Activity::NotStarted => 3,
        Activity::Finished => 4,
    }
}

/// The mark and the word for what a thread does.
pub fn activity(state: &State, id: ThreadId, thread: &ThreadState) -> (Mark, &'static str) {
    match thread.activity {
        Activity::Blocked(_) if lists::is_deadlocked(state, id) => (Mark::Bad, "deadlocked"),
        Activity::Blocked(_) => (Mark::Warn, "blocked"),
        Activity::Sleeping { .. } => (Mark::Quiet, "sleeping"),
        Activity::Running => (Mark::Good, "running"),
        Activity::NotStarted | Activity::Finished => (Mark::Quiet, state_word(&thread.activity)),
    }
}

fn parent(state: &State, id: ThreadId) -> String {
    let parent = state.model.defs.thread(id).and_then(|def| def.parent);
    parent.map_or(String::new(), |parent| phrase::thread_label(&state.model.defs, parent))
}

fn place(state: &State, id: ThreadId) -> String {
    let site = state.at.thread(id).and_then(|thread| thread.last_site);
    site.and_then(|site| state.model.defs.site(site)).map(file_and_line).unwrap_or_default()
}

pub(super) fn cell(state: &State, id: ThreadId, column: &str) -> Option<Cell> {
    let defs = &state.model.defs;
    let thread = state.at.thread(id)?;
    let (mark, word) = activity(state, id, thread);
    Some(match column {
        "thread" => {
            let label = format!("{} {}", state.theme.glyph(mark), phrase::thread_label(defs, id));
            Cell::ranked(u64::from(id.0), label, Tone::Mark(mark))
        }
        "state" => Cell::ranked(u64::from(urgency(state, id, thread)), word, Tone::Mark(mark)),
        "for" => {
            let since = match thread.activity {
                Activity::Blocked(wait) => Some(wait.since),
                Activity::Sleeping { since, .. } => Some(since),
                _ => None,
            };
            let since = since.filter(|_| state.model.info.has_times);
            Cell::time(since.map(|since| Nanos(state.time().since(since).0.max(1))))
        }
        "wants" if thread.wait().is_some() => Cell::new(phrase::waited_for_short(defs, thread), Tone::Lock),
        "holds" => {
            let mut held: Vec<String> = Vec::new();
            for hold in &thread.held {
                held.push(phrase::target_short(defs, Target::Lock(hold.lock, hold.mode)));
            }
            for permits in &thread.permits {
                held.push(format!("{} of {}", permits.permits, phrase::lock_short(defs, permits.semaphore)));
            }
            Cell::new(held.join(", "), Tone::Lock)
        }
        "behind" => Cell::count(lists::depth(state, id) as u64, Tone::Plain),
        "at" => Cell::new(place(state, id), Tone::Dim),
        "blocked" => Cell::time(state.model.info.has_times.then_some(thread.blocked_total)),
        "events" => Cell::count(thread.events, Tone::Plain),
        "parent" => Cell::new(parent(state, id), Tone::Thread),
        _ => return None,
    })
}

pub(super) fn any_text(state: &State, id: ThreadId, key: Option<&str>, visit: &mut dyn FnMut(&str) -> bool) -> bool {
    let defs = &state.model.defs;
    let Some(thread) = state.at.thread(id) else { return false };
    let is_asked = |name| key.is_none_or(|key| key == name);
    if is_asked("thread") && visit(&phrase::thread_label(defs, id)) {
        return true;
    }
    if is_asked("state") {
        let (_, word) = activity(state, id, thread);
        // Who is deadlocked is blocked, too.
        if visit(word) || (word == "deadlocked" && visit("blocked")) {
            return true;
        }
    }
    // The rest is what there is to say of what it holds and wants.
    let has_more = thread.wait().is_some() || !thread.held.is_empty() || !thread.permits.is_empty();
    has_more && !matches!(key, Some("thread" | "state")) && {
        let row = show::threads::row(defs, id, thread, None);
        match key {
            Some(key) => row.any_text(Some(key), visit),
            None => ["holds", "wants", "site", "mode"].into_iter().any(|key| row.any_text(Some(key), visit)),
        }
    }
}

pub(super) fn quantity(state: &State, id: ThreadId, key: &str) -> Option<Quantity> {
    let thread = state.at.thread(id)?;
    match key {
        "held" => Some(Quantity::Count(thread.held.len() as u64)),
        "wait" if state.model.info.has_times => {
            thread.wait().map(|wait| Quantity::Time(state.time().since(wait.since)))
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn threads_of_a_pool_have_one_pattern() {
        for (name, expected) in [("worker-17", "worker-*"), ("a1b22c", "a*b*c"), ("main", "main"), ("", "")] {
            assert_eq!(pattern(name), expected);
        }
    }
}
