//! An acquisition of one of std's locks, poisoned or not.

use std::{
    sync::{LockResult, PoisonError, TryLockError, TryLockResult},
    thread,
    time::{Duration, Instant},
};

use crate::rt::{self, Hold, LockRef, Mode, Site};

/// What the runtime knows of an acquisition; dropping it tells the runtime that the lock is about to be released.
///
/// Guards have it as a field before std's guard: fields are dropped in order, so the runtime hears of the release
/// before it happens. Thus guards need no `Drop` of their own and can be taken apart.
pub(super) struct Held<'a> {
    pub(super) lock: LockRef<'a>,
    pub(super) hold: Hold,
}

impl Drop for Held<'_> {
    #[inline]
    fn drop(&mut self) {
        rt::release(self.lock, &self.hold);
    }
}

/// Waits for as long as it takes. `G` is std's guard.
#[inline]
pub(super) fn acquire<'a, G>(
    lock: LockRef<'a>,
    mode: Mode,
    site: Site,
    try_now: impl Fn() -> TryLockResult<G>,
    wait: impl Fn() -> LockResult<G>,
) -> LockResult<(Held<'a>, G)> {
    let wait = |limit| match limit {
        None => Some(wait()),
        Some(limit) => poll(limit, || unless_blocked(try_now())),
    };
    let (result, hold) = rt::acquire(lock, mode, site, || unless_blocked(try_now()), wait);
    finish(Held { lock, hold }, site, result)
}

/// Does not wait.
#[inline]
pub(super) fn try_acquire<'a, G>(
    lock: LockRef<'a>,
    mode: Mode,
    site: Site,
    try_now: impl Fn() -> TryLockResult<G>,
) -> TryLockResult<(Held<'a>, G)> {
    match rt::try_acquire(lock, mode, site, || unless_blocked(try_now())) {
        None => Err(TryLockError::WouldBlock),
        Some((result, hold)) => Ok(finish(Held { lock, hold }, site, result)?),
    }
}

fn finish<'a, G>(held: Held<'a>, site: Site, result: LockResult<G>) -> LockResult<(Held<'a>, G)> {
    if result.is_err() {
        rt::poisoned(held.lock, site);
    }
    map(result, |guard| (held, guard))
}

fn unless_blocked<G>(result: TryLockResult<G>) -> Option<LockResult<G>> {
    match result {
        Ok(guard) => Some(Ok(guard)),
        Err(TryLockError::Poisoned(error)) => Some(Err(error)),
        Err(TryLockError::WouldBlock) => None,
    }
}

/// Tries again and again for `limit`, with pauses that grow to a millisecond.
fn poll<G>(limit: Duration, mut try_now: impl FnMut() -> Option<G>) -> Option<G> {
    let started = Instant::now();
    let mut pause = Duration::from_micros(1);
    loop {
        if let Some(guard) = try_now() {
            return Some(guard);
        }
        let rest = limit.checked_sub(started.elapsed())?;
        thread::sleep(pause.min(rest));
        pause = (pause * 2).min(Duration::from_millis(1));
    }
}

/// The same result with another guard.
pub(super) fn map<A, B>(result: LockResult<A>, f: impl FnOnce(A) -> B) -> LockResult<B> {
    match result {
        Ok(guard) => Ok(f(guard)),
        Err(error) => Err(PoisonError::new(f(error.into_inner()))),
    }
}

/// The same result with another guard.
pub(super) fn try_map<A, B>(result: TryLockResult<A>, f: impl FnOnce(A) -> B) -> TryLockResult<B> {
    match result {
        Ok(guard) => Ok(f(guard)),
        Err(TryLockError::Poisoned(error)) => Err(PoisonError::new(f(error.into_inner())).into()),
        Err(TryLockError::WouldBlock) => Err(TryLockError::WouldBlock),
    }
}
