//! Deadlocks: searched for when a wait is published, reported with the whole cycle.

use std::hash::{DefaultHasher, Hash, Hasher};

use lockscope_trace::LockKind;

use super::{
    global,
    report::{Draft, LockFacts, held_for, is_first, mode_words, thread_name},
    search::{self, Blocker, Link},
    stack,
    thread::{self, Entered},
    waiting::{Target, Waiting},
};

/// Searches for a cycle of waits through this thread, whose wait is published.
pub(super) fn search_and_report(entered: &Entered) {
    if let Some(cycle) = search::cycle(entered.info) {
        report_deadlock(entered, &cycle);
    }
}

fn report_deadlock(entered: &Entered, cycle: &[Link]) {
    // Two threads can find the same cycle at the same moment.
    let mut members: Vec<String> =
        cycle.iter().map(|link| format!("{} {}", link.info.index, link.waiting.episode)).collect();
    members.sort_unstable();
    let mut key = DefaultHasher::new();
    ("deadlock", members).hash(&mut key);
    if !is_first(key.finish()) {
        return;
    }
    let names = cycle.iter().map(|link| target_name(&link.waiting)).collect::<Vec<_>>();
    let limited = cycle.iter().any(|link| link.waiting.limited);
    let (code, title) = match cycle {
        [link] => ("self-deadlock", format!("{} waits for {} that it holds itself", thread_name(link.info), names[0])),
        _ => {
            let mut distinct = names.clone();
            distinct.sort_unstable();
            distinct.dedup();
            ("deadlock", format!("{} threads are deadlocked over {}", cycle.len(), join(&distinct)))
        }
    };
    let mut draft = Draft::new(code, "error", "actual", title);
    for (link, name) in cycle.iter().zip(&names) {
        draft.line(&format!(
            "{} waits for {name}{} at {}",
            thread_name(link.info),
            wanted_words(&link.waiting),
            link.waiting.site
        ));
    }
    for (index, link) in cycle.iter().enumerate() {
        let next = &cycle[(index + 1) % cycle.len()];
        let name = &names[index];
        draft.line(&match &link.blocker {
            Blocker::Holds(held) => format!(
                "{name} is held by {}, taken{} at {}{}",
                thread_name(next.info),
                mode_words(held.kind, held.mode),
                held.site,
                held_for(held.since)
            ),
            Blocker::WritesFirst => {
                format!("{} waits to write to {name}, and no reader may pass it", thread_name(next.info))
            }
            Blocker::Lives => format!("{name} cannot end before it"),
        });
    }
    if limited {
        draft.line("note: a wait in the cycle has a time limit, which will dissolve it");
    }
    draft.stack(&format!("stack of {}:", thread_name(entered.info)), stack::capture(), cycle[0].waiting.site);
    draft.line(if cycle.len() == 1 {
        "help: release the lock before taking it again, or pass the guard on"
    } else {
        "help: take these locks in one order everywhere, or do not wait while holding them"
    });
    draft.publish(entered, global::config().deadlock);
}

fn target_name(waiting: &Waiting) -> String {
    match &waiting.target {
        &Target::Lock { lock, kind, .. } => {
            LockFacts { lock, kind, created: waiting.created, type_name: waiting.type_name }.describe()
        }
        Target::Threads(threads) => {
            let names: Vec<String> = threads
                .iter()
                .map(|&id| thread::by_id(id).map_or_else(|| format!("thread T{id}"), thread_name))
                .collect();
            format!("the end of {}", join(&names))
        }
    }
}

fn wanted_words(waiting: &Waiting) -> &'static str {
    match waiting.target {
        Target::Lock { upgrade: true, .. } => " to upgrade it",
        Target::Lock { kind: LockKind::RwLock, mode, .. } => mode_words(LockKind::RwLock, mode),
        _ => "",
    }
}

fn join(names: &[String]) -> String {
    match names {
        [] => String::new(),
        [one] => one.clone(),
        [rest @ .., last] => format!("{} and {last}", rest.join(", ")),
    }
}
