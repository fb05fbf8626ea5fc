//! Deadlocks: searched for when a wait is published, reported with the whole cycle.

use std::hash::{DefaultHasher, Hash, Hasher};

use super::{
    global, knot,
    report::{Draft, held_for, is_first, mode_words, number, thread_name},
    search::{self, Blocker, Link},
    thread::Entered,
    waiting::Target,
    words::{join, target_name, wanted_words},
    wrapper,
};

/// Threads of which stacks are printed.
const STACKS: usize = 8;

/// Searches for a deadlock through this thread, whose wait is published: a cycle, else what is not as simple. `can_panic`: whether that would
/// end the wait.
///
/// # Panics
///
/// When there is one and the policy is to panic.
pub(super) fn search_and_report(entered: &Entered, can_panic: bool) {
    match search::cycle(entered.info) {
        Some(cycle) => report_deadlock(entered, &cycle, can_panic),
        None => knot::wait_begins(entered, can_panic),
    }
}

fn report_deadlock(entered: &Entered, cycle: &[Link], can_panic: bool) {
    // Two threads can find the same cycle at the same moment.
    let mut members: Vec<String> =
        cycle.iter().map(|link| format!("{} {}", link.info.index, link.waiting.episode)).collect();
    members.sort_unstable();
    let mut key = DefaultHasher::new();
    ("deadlock", members).hash(&mut key);
    if !is_first(key.finish()) {
        return;
    }
    let waits: Vec<(u32, u64)> = cycle.iter().map(|link| (link.info.index, link.waiting.episode)).collect();
    knot::mark_reported(&waits);
    // What is called the same and is no lock is the same.
    let id = |link: &Link| if let Target::Lock { lock, .. } = link.waiting.target { lock } else { u32::MAX };
    let names = number(
        &cycle.iter().map(id).collect::<Vec<_>>(),
        cycle.iter().map(|link| target_name(&link.waiting)).collect(),
    );
    // However a wait on a condition variable ends, its mutex has to be taken again.
    let is_limited = |link: &Link| link.waiting.limited && !matches!(link.blocker, Blocker::HoldsMutex(_));
    let limited = cycle.iter().any(is_limited);
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
            Blocker::HoldsMutex(held) => format!(
                "its mutex, which {} has to take again, is held by {}, taken at {}{}",
                thread_name(link.info),
                thread_name(next.info),
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
    for (index, link) in cycle.iter().enumerate().take(STACKS) {
        // What wrappers do for others says little without who called them.
        let before = (index + cycle.len() - 1) % cycle.len();
        if let Blocker::Holds(held) | Blocker::HoldsMutex(held) = &cycle[before].blocker {
            let heading = format!("stack of {} when it took {}:", thread_name(link.info), names[before]);
            draft.stack(&heading, wrapper::held_from(held), held.site);
        }
        draft.stack(&format!("stack of {}:", thread_name(link.info)), link.waiting.stack, link.waiting.site);
    }
    draft.line(if cycle.len() == 1 {
        "help: release the lock before taking it again, or pass the guard on"
    } else {
        "help: take these locks in one order everywhere, or do not wait while holding them"
    });
    for link in cycle {
        draft.about_thread(link.info);
        if let Target::Lock { lock, .. } = link.waiting.target {
            draft.about_lock(lock);
        }
    }
    // A time limit ends it, and the session tells.
    let policy = if limited { global::config().deadlock } else { draft.deadlock_policy(entered, can_panic) };
    draft.publish(entered, policy);
}
