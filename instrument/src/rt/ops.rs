//! The operations that facades call.

use std::time::{Duration, Instant};

use super::{Hold, LockRef, Mode, Site};

/// Acquires a lock, waiting for as long as it takes.
///
/// `try_now` tries without waiting. `wait` waits: at most the given time, then returns `None`; without a limit it
/// must return `Some`. Locks that cannot wait for a limited time ignore the limit only if they poll themselves.
#[inline]
pub fn acquire<G>(
    lock: LockRef<'_>,
    mode: Mode,
    site: Site,
    mut try_now: impl FnMut() -> Option<G>,
    mut wait: impl FnMut(Option<Duration>) -> Option<G>,
) -> (G, Hold) {
    let _ = (lock, site);
    let guard = try_now().unwrap_or_else(|| wait(None).expect("a wait without a limit ends with the lock"));
    (guard, Hold::untracked(mode))
}

/// Acquires a lock, waiting until `deadline` at most.
///
/// `wait_until` waits until the given time at most, which is never after `deadline`.
#[inline]
pub fn acquire_timed<G>(
    lock: LockRef<'_>,
    mode: Mode,
    site: Site,
    deadline: Instant,
    mut try_now: impl FnMut() -> Option<G>,
    mut wait_until: impl FnMut(Instant) -> Option<G>,
) -> Option<(G, Hold)> {
    let _ = (lock, site);
    let guard = try_now().or_else(|| wait_until(deadline))?;
    Some((guard, Hold::untracked(mode)))
}

/// Tries to acquire a lock without waiting.
#[inline]
pub fn try_acquire<G>(
    lock: LockRef<'_>,
    mode: Mode,
    site: Site,
    try_now: impl FnOnce() -> Option<G>,
) -> Option<(G, Hold)> {
    let _ = (lock, site);
    Some((try_now()?, Hold::untracked(mode)))
}

/// Notes that a lock is about to be released. Call it before the wrapped unlock.
#[inline]
pub fn release(lock: LockRef<'_>, hold: &Hold) {
    let _ = (lock, hold);
}

/// Notes a release without a guard (`force_unlock`): the acquisition is searched for.
pub fn release_unguarded(lock: LockRef<'_>, mode: Mode) {
    let _ = (lock, mode);
}

/// The acquisition behind a guard that is made out of nothing (`make_guard_unchecked`).
///
/// Finds the acquisition of a forgotten guard when this thread has one, else a new untracked one.
pub fn adopt(lock: LockRef<'_>, mode: Mode) -> Hold {
    let _ = lock;
    Hold::untracked(mode)
}

/// Makes an upgradable hold exclusive, waiting for readers to leave. `try_now` and `wait` as for [`acquire`].
///
/// On unwind or `None` the hold is unchanged.
#[inline]
pub fn upgrade<G>(
    lock: LockRef<'_>,
    hold: &mut Hold,
    site: Site,
    mut try_now: impl FnMut() -> Option<G>,
    mut wait: impl FnMut(Option<Duration>) -> Option<G>,
) -> G {
    let _ = (lock, site);
    let guard = try_now().unwrap_or_else(|| wait(None).expect("a wait without a limit ends with the lock"));
    hold.mode = Mode::Exclusive;
    guard
}

/// Tries to make an upgradable hold exclusive: at once, or until `deadline`.
///
/// `try_until(None)` tries without waiting.
#[inline]
pub fn try_upgrade<G>(
    lock: LockRef<'_>,
    hold: &mut Hold,
    site: Site,
    deadline: Option<Instant>,
    mut try_until: impl FnMut(Option<Instant>) -> Option<G>,
) -> Option<G> {
    let _ = (lock, site);
    let guard = try_until(deadline)?;
    hold.mode = Mode::Exclusive;
    Some(guard)
}

/// Notes that a hold becomes a weaker one. Call it before the wrapped downgrade.
#[inline]
pub fn downgrade(lock: LockRef<'_>, hold: &mut Hold, to: Mode, site: Site) {
    let _ = (lock, site);
    hold.mode = to;
}

/// Waits on a condition variable: `wait` releases the mutex, waits, and takes the mutex again.
///
/// `timed_out` tells from its result whether the wait ended by time. `hold` is the mutex' acquisition and is
/// renewed.
pub fn cond_wait<R>(
    condvar: LockRef<'_>,
    mutex: LockRef<'_>,
    hold: &mut Hold,
    site: Site,
    wait: impl FnOnce() -> R,
    timed_out: impl FnOnce(&R) -> bool,
) -> R {
    let _ = (condvar, mutex, hold, site, timed_out);
    wait()
}

/// Notifies a condition variable. `notify` returns how many threads it woke, when the condition variable tells.
pub fn notify(condvar: LockRef<'_>, all: bool, site: Site, notify: impl FnOnce() -> Option<u32>) -> Option<u32> {
    let _ = (condvar, all, site);
    notify()
}

/// Notes that a lock was found poisoned.
pub fn poisoned(lock: LockRef<'_>, site: Site) {
    let _ = (lock, site);
}
