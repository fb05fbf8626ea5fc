//! Guards that are gone while what they hold stays held: forgotten, or leaked on purpose.
//!
//! Nobody sees a guard being forgotten. It shows when the thread ends that acquired it: if guards of that type cannot go to other threads,
//! nobody has it. If they can, it may be elsewhere.

use std::{
    collections::HashSet,
    hash::{DefaultHasher, Hash, Hasher},
    panic::{AssertUnwindSafe, catch_unwind},
    sync::atomic::{AtomicU32, Ordering},
};

use lockscope_trace::LockKind;

use super::{
    Hold, LockRef,
    global::{self, flag, flags},
    held::{Fate, HeldLock},
    knot,
    report::{Draft, LockFacts, elapsed, held_for, is_first, mode_words, thread_name},
    stack,
    thread::{self, Entered, ThreadInfo},
    waiting::{Target, Waiting},
};
use crate::config::Policy;

/// How many holds are known to have no guard. While there are none, nobody looks for them.
static LEAKS: AtomicU32 = AtomicU32::new(0);

/// Notes that a guard was leaked on purpose, so that nothing will release what it holds.
pub fn leaked(lock: LockRef<'_>, hold: &Hold) {
    if flags() & flag::TRACK == 0 || hold.slot().is_none() {
        return;
    }
    let _entered = thread::enter_or_nested();
    if let (Some(id), Some(owner)) = (lock.id(), hold.owner().and_then(thread::by_index)) {
        owner.held.mark_leaked(id, hold.mode(), hold.slot());
        LEAKS.fetch_add(1, Ordering::Relaxed);
    }
}

/// The thread ends, and its record says that it holds locks still: reports each, and who waits for it. Does not panic.
pub(super) fn thread_ends(entered: &Entered) {
    let me = entered.info;
    let mut seen = HashSet::new();
    for held in me.held.iter().filter(|held| held.kind != LockKind::Semaphore && seen.insert(held.lock)) {
        LEAKS.fetch_add(1, Ordering::Relaxed);
        let waiters: Vec<_> = thread::living().filter_map(|info| waits_for(info, &held)).collect();
        // What was leaked on purpose is no matter until somebody wants it, which is reported then.
        if held.fate == Fate::Leaked {
            continue;
        }
        let mut key = DefaultHasher::new();
        ("guard-leak", held.site.to_string()).hash(&mut key);
        if global::config().misuse == Policy::Off || (waiters.is_empty() && !is_first(key.finish())) {
            continue;
        }
        let severity = if waiters.is_empty() { "warning" } else { "error" };
        let confidence = if held.fate == Fate::Moves { "potential" } else { "actual" };
        let (me, name) = (thread_name(me), facts(&held).describe());
        let mut draft = Draft::new("guard-leak", severity, confidence, format!("{me} ends while it holds {name}"));
        draft.line(&taken(&me, &held));
        for (waiter, waiting) in &waiters {
            let since = elapsed(waiting.since);
            draft.line(&format!("{} waits for it at {}, for {since}", thread_name(waiter), waiting.site));
        }
        draft.line(match held.fate {
            Fate::Moves => "note: the guard may have been given to another thread, which can release it yet",
            Fate::Stays | Fate::Leaked => "guards of this lock cannot be in other threads, so nothing will release it",
        });
        draft.line(HELP);
        for (waiter, _) in &waiters {
            draft.about_thread(waiter);
        }
        let policy = match held.fate {
            _ if waiters.is_empty() => global::config().misuse,
            Fate::Stays if draft.is_in_session(entered) => draft.deadlock_policy(entered, false),
            _ => global::config().deadlock,
        };
        // Nobody catches a panic here.
        let policy = if policy == Policy::Panic { Policy::Report } else { policy };
        if held.fate == Fate::Moves || waiters.is_empty() || knot::mark_reported(&waits(&waiters)) {
            let _ = catch_unwind(AssertUnwindSafe(|| draft.publish(entered, policy)));
        }
    }
}

/// Looks whether the lock that this thread waits for, without a limit, will never be released.
///
/// # Panics
///
/// When that is certain and the policy is to panic.
pub(super) fn wait_begins(entered: &Entered, can_panic: bool) {
    if LEAKS.load(Ordering::Relaxed) == 0 {
        return;
    }
    let Some((holder, held, waiting)) = thread::all().find_map(|holder| {
        let mut leaked = holder.held.iter().filter(|held| {
            held.fate == Fate::Leaked || held.fate == Fate::Stays && holder.ended.load(Ordering::Acquire)
        });
        leaked.find_map(|held| Some((holder, held, waits_for(entered.info, &held)?.1)))
    }) else {
        return;
    };
    if !knot::mark_reported(&waits(&[(entered.info, waiting.clone())])) {
        return;
    }
    let (me, name) = (thread_name(entered.info), facts(&held).describe());
    let is_certain = held.fate == Fate::Stays;
    let (severity, confidence) = if is_certain { ("error", "actual") } else { ("warning", "potential") };
    let mut draft =
        Draft::new("guard-leak", severity, confidence, format!("{me} waits for {name}, which was never released"));
    let holder = thread_name(holder);
    draft.line(&format!("{me} waits for {name}{} at {}", mode_words(held.kind, mode(&waiting)), waiting.site));
    draft.line(&taken(&holder, &held));
    draft.line(&if is_certain {
        format!("{holder} has ended, and guards of this lock cannot be in other threads")
    } else {
        "its guard was leaked on purpose: only unsafe code can release it".to_owned()
    });
    draft.stack(&format!("stack of {me}:"), stack::capture(), waiting.site);
    draft.line(HELP);
    let policy = if is_certain { draft.deadlock_policy(entered, can_panic) } else { Policy::Report };
    draft.publish(entered, policy);
}

const HELP: &str = "help: let guards go out of scope; do not forget or leak those of locks that others use";

fn taken(thread: &str, held: &HeldLock) -> String {
    format!("{thread} took it{} at {}{}", mode_words(held.kind, held.mode), held.site, held_for(held.since))
}

fn facts(held: &HeldLock) -> LockFacts {
    LockFacts { lock: held.lock, kind: held.kind, created: held.created, type_name: held.type_name }
}

fn mode(waiting: &Waiting) -> lockscope_trace::Mode {
    match waiting.target {
        Target::Lock { mode, .. } => mode,
        _ => lockscope_trace::Mode::Exclusive,
    }
}

/// The thread and its wait, if that is for the lock and without a limit, and the hold is in its way.
fn waits_for(info: &'static ThreadInfo, held: &HeldLock) -> Option<(&'static ThreadInfo, Waiting)> {
    let waiting = info.wait.endless()?;
    let Target::Lock { lock, mode, .. } = waiting.target else { return None };
    (lock == held.lock && !held.mode.compatible(mode)).then_some((info, waiting))
}

fn waits(waiters: &[(&ThreadInfo, Waiting)]) -> Vec<(u32, u64)> {
    waiters.iter().map(|(info, waiting)| (info.index, waiting.episode)).collect()
}
