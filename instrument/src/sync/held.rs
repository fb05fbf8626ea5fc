//! An acquisition of one of std's locks, poisoned or not.

use std::{
    marker::PhantomData,
    sync::{LockResult, PoisonError, TryLockError, TryLockResult},
    thread,
    time::{Duration, Instant},
};

use crate::rt::{self, Hold, LockMeta, LockRef, Mode, Site};

/// A type of lock.
pub(super) trait Followed {
    /// One of them as the runtime sees it.
    fn lock_ref(meta: &LockMeta) -> LockRef<'_>;
}

/// What the runtime knows of an acquisition of an `L`; dropping it tells the runtime that the lock is about to be released.
///
/// Guards have it as a field before std's guard: fields are dropped in order, so the runtime hears of the release
/// before it happens. Thus guards need no `Drop` of their own and can be taken apart. Two words, so that it stays in registers.
pub(super) struct Held<'a, L: Followed + ?Sized> {
    meta: &'a LockMeta,
    pub(super) hold: Hold,
    // Covariant in `L`, and neither more nor less `Send` for it.
    lock: PhantomData<fn() -> *const L>,
}

impl<'a, L: Followed + ?Sized> Held<'a, L> {
    #[inline(always)]
    fn new(meta: &'a LockMeta, hold: Hold) -> Self {
        Self { meta, hold, lock: PhantomData }
    }

    #[inline]
    pub(super) fn lock_ref(&self) -> LockRef<'a> {
        L::lock_ref(self.meta)
    }
}

impl<L: Followed + ?Sized> Drop for Held<'_, L> {
    #[inline]
    fn drop(&mut self) {
        rt::release(L::lock_ref(self.meta), &mut self.hold);
    }
}

/// Waits for as long as it takes. `G` is std's guard; whether the lock is poisoned is asked while it is held, since a guard alone goes through
/// the runtime in registers, and a result would not.
#[inline(always)]
pub(super) fn acquire<'a, L: Followed + ?Sized, G>(
    meta: &'a LockMeta,
    mode: Mode,
    site: Site,
    try_now: impl Fn() -> TryLockResult<G>,
    wait: impl Fn() -> LockResult<G>,
    is_poisoned: impl Fn() -> bool,
) -> LockResult<(Held<'a, L>, G)> {
    let guard_now = || match try_now() {
        Ok(guard) => Some(guard),
        Err(TryLockError::Poisoned(error)) => Some(error.into_inner()),
        Err(TryLockError::WouldBlock) => None,
    };
    let wait = |limit| match limit {
        None => Some(wait().unwrap_or_else(PoisonError::into_inner)),
        Some(limit) => poll(limit, guard_now),
    };
    let (guard, hold) = rt::acquire(L::lock_ref(meta), mode, site, guard_now, wait);
    let held = Held::new(meta, hold);
    if is_poisoned() { Err(finish_poisoned(held, site, PoisonError::new(guard))) } else { Ok((held, guard)) }
}

/// Does not wait.
#[inline]
pub(super) fn try_acquire<'a, L: Followed + ?Sized, G>(
    meta: &'a LockMeta,
    mode: Mode,
    site: Site,
    try_now: impl Fn() -> TryLockResult<G>,
) -> TryLockResult<(Held<'a, L>, G)> {
    match rt::try_acquire(L::lock_ref(meta), mode, site, || unless_blocked(try_now())) {
        None => Err(TryLockError::WouldBlock),
        Some((result, hold)) => Ok(finish(Held::new(meta, hold), site, result)?),
    }
}

#[inline(always)]
fn finish<'a, L: Followed + ?Sized, G>(
    held: Held<'a, L>,
    site: Site,
    result: LockResult<G>,
) -> LockResult<(Held<'a, L>, G)> {
    match result {
        Ok(guard) => Ok((held, guard)),
        Err(error) => Err(finish_poisoned(held, site, error)),
    }
}

#[cold]
fn finish_poisoned<'a, L: Followed + ?Sized, G>(
    held: Held<'a, L>,
    site: Site,
    error: PoisonError<G>,
) -> PoisonError<(Held<'a, L>, G)> {
    rt::poisoned(held.lock_ref(), site);
    PoisonError::new((held, error.into_inner()))
}

#[inline(always)]
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
#[inline(always)]
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
