//! Misuse that a thread commits by itself: spinning on a try, a wake-up that checks nothing, a poisoned lock.
//!
//! What takes several threads (lost wake-ups, leaked permits and guards that others wait for) is found where waits are searched.

use std::hash::{DefaultHasher, Hash, Hasher};

use lockscope_trace::{LockKind, clock};

use super::{
    LockRef, Mode, Site, global,
    report::{Draft, elapsed, is_first, thread_name},
    stack,
    thread::Entered,
};
use crate::config::Policy;

/// Failed tries in a row that make a busy wait.
const SPINS: u32 = 1000;
/// Longer between two tries means that something was done in between, in nanoseconds. A failed try takes less than one
/// microsecond, also in debug builds.
const PAUSE: u64 = 5_000;
/// One pause in so many may be longer: the thread was interrupted, or yielded.
const LONG_PAUSES: u32 = 8;

/// A thread's latest run of failed tries of one lock at one place.
#[derive(Debug, Default)]
pub(super) struct Tries {
    lock: u32,
    site: usize,
    failed: u32,
    long_pauses: u32,
    first: u64,
    last: u64,
}

impl Tries {
    /// Notes a failed try; true when it is the one that makes the run a busy wait.
    fn failed(&mut self, lock: u32, site: usize, now: u64) -> bool {
        self.long_pauses += u32::from(elapsed(self.last).0 > PAUSE);
        let goes_on = (self.lock, self.site) == (lock, site) && self.long_pauses <= 1 + self.failed / LONG_PAUSES;
        if !goes_on {
            *self = Self { lock, site, failed: 0, long_pauses: 0, first: now, last: now };
        }
        self.last = now;
        self.failed = self.failed.saturating_add(1);
        self.failed == SPINS
    }
}

/// Notes a try that did not get the lock. `SPINS` of them in a row, without pauses, are a busy wait.
///
/// # Panics
///
/// When that is found and its policy is to panic.
pub(super) fn failed_try(entered: &Entered, lock: LockRef<'_>, id: u32, mode: Mode, site: Site) {
    let policy = global::config().misuse;
    let address = std::ptr::from_ref(site) as usize;
    if policy == Policy::Off || !entered.local().tries.failed(id, address, clock::ticks()) {
        return;
    }
    if !is_new("busy-wait", site, policy) {
        return;
    }
    let facts = lock.facts(id);
    let (name, thread) = (facts.describe(), thread_name(entered.info));
    let since = elapsed(entered.local().tries.first);
    let mut draft =
        Draft::new("busy-wait", "warning", "actual", format!("{thread} spins on {name} by trying again and again"));
    draft.about_lock(id).line(&format!("{SPINS} tries in a row failed within {since}, at {site}"));
    if let Some(holder) = super::thread::all()
        .find_map(|info| Some((info, info.held.find(id, mode).or_else(|| info.held.find(id, Mode::Exclusive))?)))
    {
        draft.line(&format!("{} holds it meanwhile", thread_name(holder.0)));
    }
    draft
        .stack("stack of the try:", stack::capture(), site)
        .line("help: wait for the lock with `lock`, or with a time limit, instead of using up the processor");
    draft.publish(entered, policy);
}

/// Reports that the mutex of a condition variable is released after a wake-up, its data never looked at: any thread may have changed
/// it before this one ran, and condition variables wake up without a reason at times.
///
/// # Panics
///
/// As [`failed_try`].
pub(super) fn unchecked_wakeup(entered: &Entered, mutex: LockRef<'_>, id: u32, site: Site) {
    let policy = global::config().misuse;
    // A mutex around nothing guards something that lies elsewhere, and may have been checked.
    if policy == Policy::Off || (mutex.type_name)() == "()" || !is_new("unchecked-wakeup", site, policy) {
        return;
    }
    let name = mutex.facts(id).describe();
    let title = format!("{} goes on after a wake-up without checking what it waited for", thread_name(entered.info));
    let mut draft = Draft::new("unchecked-wakeup", "warning", "potential", title);
    draft
        .about_lock(id)
        .line(&format!("it waited at {site} and released {name} without reading the data in it"))
        .stack("stack of the release:", stack::capture(), site)
        .line("help: wait in a loop (`while !ready { wait }`) or with `wait_while`: wake-ups may be spurious or come too late");
    draft.publish(entered, policy);
}

/// Reports that a lock was found poisoned, once for each lock.
///
/// # Panics
///
/// As [`failed_try`].
pub(super) fn poisoned(entered: &Entered, lock: LockRef<'_>, id: u32, site: Site) {
    let policy = global::config().misuse;
    let mut key = DefaultHasher::new();
    ("poisoned", id).hash(&mut key);
    if policy == Policy::Off || !is_first(key.finish()) {
        return;
    }
    let title = format!("{} finds {} poisoned", thread_name(entered.info), lock.facts(id).describe());
    let mut draft = Draft::new("poisoned", "warning", "actual", title);
    draft.about_lock(id);
    if let LockKind::Once | LockKind::LazyLock = lock.kind() {
        draft
            .line(&format!("its initialiser panicked; found at {site}"))
            .line("help: find out why it panicked; `call_once_force` and `OnceLock` can be tried again");
    } else {
        draft
            .line(&format!("a thread panicked while it held the lock for writing; found at {site}"))
            .line("help: find out why it panicked; recover with `into_inner` and `clear_poison` only if the data is known to be good");
    }
    draft.publish(entered, policy);
}

/// Whether there is something to say that was not said before of this place.
fn is_new(code: &str, site: Site, policy: Policy) -> bool {
    let mut key = DefaultHasher::new();
    (code, site.file(), site.line(), site.column()).hash(&mut key);
    policy != Policy::Report || is_first(key.finish())
}
