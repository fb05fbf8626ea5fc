//! std's condition variable.

use std::{
    fmt,
    panic::Location,
    sync::{self, LockResult, PoisonError, WaitTimeoutResult},
    time::{Duration, Instant},
};

use super::{held, mutex::MutexGuard};
use crate::rt::{self, LockKind, LockMeta, LockRef, Site};

/// Lets threads that hold a mutex wait for one another: [`std::sync::Condvar`], followed by lockscope.
///
/// ```
/// use lockscope::sync::{Condvar, Mutex};
///
/// let (ready, changed) = (Mutex::new(false), Condvar::new());
/// std::thread::scope(|scope| {
///     scope.spawn(|| {
///         *ready.lock().unwrap() = true;
///         changed.notify_one();
///     });
///     let _ready = changed.wait_while(ready.lock().unwrap(), |ready| !*ready).unwrap();
/// });
/// ```
pub struct Condvar {
    pub(crate) meta: LockMeta,
    inner: sync::Condvar,
}

impl Condvar {
    /// Makes a condition variable that nobody waits for.
    ///
    /// Reports call it by the place of this call; for a name see [`named`](crate::named).
    #[track_caller]
    #[inline]
    pub const fn new() -> Self {
        Self { meta: LockMeta::new(), inner: sync::Condvar::new() }
    }

    /// Unlocks the mutex, waits for a notification, and locks the mutex again. May return without a notification.
    ///
    /// # Errors
    ///
    /// When the mutex is poisoned; the error holds the guard.
    #[track_caller]
    pub fn wait<'a, T>(&self, guard: MutexGuard<'a, T>) -> LockResult<MutexGuard<'a, T>> {
        let wait = |inner| held::map(self.inner.wait(inner), |inner| (inner, ()));
        held::map(self.wait_by(guard, false, Location::caller(), wait, |()| false), |(guard, ())| guard)
    }

    /// Waits again and again while `condition` is true; does not wait when it is false from the start.
    ///
    /// # Errors
    ///
    /// When the mutex is poisoned; the error holds the guard.
    #[track_caller]
    pub fn wait_while<'a, T, F>(&self, mut guard: MutexGuard<'a, T>, mut condition: F) -> LockResult<MutexGuard<'a, T>>
    where
        F: FnMut(&mut T) -> bool,
    {
        while condition(&mut *guard) {
            guard = self.wait(guard)?;
        }
        Ok(guard)
    }

    /// [`wait`](Self::wait) for `dur` at most.
    ///
    /// # Errors
    ///
    /// When the mutex is poisoned; the error holds the guard and whether the wait ended by time.
    #[track_caller]
    pub fn wait_timeout<'a, T>(
        &self,
        guard: MutexGuard<'a, T>,
        dur: Duration,
    ) -> LockResult<(MutexGuard<'a, T>, WaitTimeoutResult)> {
        self.wait_by(
            guard,
            true,
            Location::caller(),
            |inner| self.inner.wait_timeout(inner, dur),
            |result| result.timed_out(),
        )
    }

    /// [`wait`](Self::wait) for `ms` milliseconds at most; returns `false` when the wait ended by time.
    ///
    /// # Errors
    ///
    /// When the mutex is poisoned; the error holds the guard and whether the wait did not end by time.
    #[track_caller]
    #[deprecated(note = "replaced by `wait_timeout`, as in std")]
    pub fn wait_timeout_ms<'a, T>(&self, guard: MutexGuard<'a, T>, ms: u32) -> LockResult<(MutexGuard<'a, T>, bool)> {
        held::map(self.wait_timeout(guard, Duration::from_millis(ms.into())), |(guard, result)| {
            (guard, !result.timed_out())
        })
    }

    /// [`wait_while`](Self::wait_while) for `dur` at most; timed out when `condition` is still true then.
    ///
    /// # Errors
    ///
    /// When the mutex is poisoned; the error holds the guard and whether the wait ended by time.
    #[track_caller]
    pub fn wait_timeout_while<'a, T, F>(
        &self,
        mut guard: MutexGuard<'a, T>,
        dur: Duration,
        mut condition: F,
    ) -> LockResult<(MutexGuard<'a, T>, WaitTimeoutResult)>
    where
        F: FnMut(&mut T) -> bool,
    {
        let started = Instant::now();
        loop {
            if !condition(&mut *guard) {
                return Ok((guard, timeout_result(false)));
            }
            let Some(rest) = dur.checked_sub(started.elapsed()) else {
                return Ok((guard, timeout_result(true)));
            };
            guard = self.wait_timeout(guard, rest)?.0;
        }
    }

    /// Wakes one waiting thread, if there is one.
    #[track_caller]
    pub fn notify_one(&self) {
        rt::notify(self.lock_ref(), false, Location::caller(), || {
            self.inner.notify_one();
            None
        });
    }

    /// Wakes all waiting threads.
    #[track_caller]
    pub fn notify_all(&self) {
        rt::notify(self.lock_ref(), true, Location::caller(), || {
            self.inner.notify_all();
            None
        });
    }

    /// Waits by `wait`; `timed_out` tells from its result whether the wait ended by time.
    fn wait_by<'a, T, R>(
        &self,
        guard: MutexGuard<'a, T>,
        limited: bool,
        site: Site,
        wait: impl FnOnce(sync::MutexGuard<'a, T>) -> LockResult<(sync::MutexGuard<'a, T>, R)>,
        timed_out: impl FnOnce(&R) -> bool,
    ) -> LockResult<(MutexGuard<'a, T>, R)> {
        let MutexGuard { held, inner } = guard;
        // Should the runtime panic, the runtime hears of the release before it happens: `held` is dropped first.
        let mut inner = Some(inner);
        let mut held = held;
        let mutex = held.lock_ref();
        let (result, is_poisoned) = rt::cond_wait(
            self.lock_ref(),
            mutex,
            &mut held.hold,
            limited,
            site,
            || {
                let (is_poisoned, (woken, result)) = match wait(inner.take().expect("a guard has std's guard")) {
                    Ok(woken) => (false, woken),
                    Err(error) => (true, error.into_inner()),
                };
                inner = Some(woken);
                (result, is_poisoned)
            },
            |(result, _)| timed_out(result),
        );
        let inner = inner.expect("a wait returns std's guard");
        let woken = (MutexGuard { held, inner }, result);
        if is_poisoned {
            rt::poisoned(mutex, site);
            return Err(PoisonError::new(woken));
        }
        Ok(woken)
    }

    #[inline]
    fn lock_ref(&self) -> LockRef<'_> {
        LockRef::new::<()>(&self.meta, LockKind::Condvar)
    }
}

impl Default for Condvar {
    #[track_caller]
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for Condvar {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.inner, f)
    }
}

/// std's result, which only std can make: by a wait that ends at once.
fn timeout_result(timed_out: bool) -> WaitTimeoutResult {
    let (mutex, condvar) = (sync::Mutex::new(()), sync::Condvar::new());
    let guard = mutex.lock().unwrap_or_else(PoisonError::into_inner);
    let (_guard, result) =
        condvar.wait_timeout_while(guard, Duration::ZERO, |()| timed_out).unwrap_or_else(PoisonError::into_inner);
    result
}
