//! The condition variable.

use std::{
    fmt,
    panic::Location,
    time::{Duration, Instant},
};

use lock_api::{RawCondvar as _, RawCondvarTimed as _};
use lockscope::rt::{self, LockKind, LockMeta, LockRef, Site};
use parking_lot::{RawCondvar, RawMutex};

use super::{mutex_guard::MutexGuard, raw::Token};

/// Whether a wait with a time limit ended by time.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct WaitTimeoutResult(bool);

impl WaitTimeoutResult {
    /// Whether the wait ended by time, not by a notification.
    #[inline]
    pub const fn timed_out(self) -> bool {
        self.0
    }
}

/// Lets threads that hold a mutex wait for one another: parking_lot's `Condvar`, followed by lockscope.
///
/// As in parking_lot, a wait without a time limit ends only by a notification, and threads that wait at the same
/// time must use the same mutex.
///
/// ```
/// use lockscope_parking_lot::{Condvar, Mutex};
///
/// let (ready, changed) = (Mutex::new(false), Condvar::new());
/// std::thread::scope(|scope| {
///     scope.spawn(|| {
///         *ready.lock() = true;
///         changed.notify_one();
///     });
///     changed.wait_while(&mut ready.lock(), |ready| !*ready);
/// });
/// ```
pub struct Condvar {
    pub(crate) meta: LockMeta,
    raw: RawCondvar,
}

impl Condvar {
    /// Makes a condition variable that nobody waits for.
    ///
    /// Reports call it by the place of this call; for a name see [`named`](crate::named).
    #[track_caller]
    #[inline]
    pub const fn new() -> Self {
        Self { meta: LockMeta::new(), raw: RawCondvar::INIT }
    }

    /// The raw condition variable. What is done to it is not seen by lockscope.
    #[inline]
    pub fn raw(&self) -> &RawCondvar {
        &self.raw
    }

    /// Wakes one waiting thread; returns whether there was one.
    #[track_caller]
    #[inline]
    pub fn notify_one(&self) -> bool {
        let woken = rt::notify(self.lock_ref(), false, Location::caller(), || Some(self.raw.notify_one().into()));
        woken.is_some_and(|woken| woken > 0)
    }

    /// Wakes all waiting threads; returns how many there were.
    #[track_caller]
    #[inline]
    pub fn notify_all(&self) -> usize {
        let mut woken = 0;
        rt::notify(self.lock_ref(), true, Location::caller(), || {
            woken = self.raw.notify_all();
            Some(u32::try_from(woken).unwrap_or(u32::MAX))
        });
        woken
    }

    /// Unlocks the mutex, waits for a notification, and locks the mutex again.
    ///
    /// # Panics
    ///
    /// When another thread waits with another mutex.
    #[track_caller]
    #[inline]
    pub fn wait<T: ?Sized>(&self, mutex_guard: &mut MutexGuard<'_, T>) {
        self.wait_by(mutex_guard, false, Location::caller(), |raw, mutex, token| {
            // SAFETY: `wait_by` hands over a locked mutex.
            unsafe { raw.wait(mutex, token) };
            false
        });
    }

    /// [`wait`](Self::wait) until `timeout` at most.
    #[track_caller]
    #[inline]
    pub fn wait_until<T: ?Sized>(&self, mutex_guard: &mut MutexGuard<'_, T>, timeout: Instant) -> WaitTimeoutResult {
        self.wait_by(mutex_guard, true, Location::caller(), |raw, mutex, token| {
            // SAFETY: `wait_by` hands over a locked mutex.
            unsafe { raw.wait_until(mutex, token, &timeout) }
        })
    }

    /// [`wait`](Self::wait) for `timeout` at most.
    #[track_caller]
    #[inline]
    pub fn wait_for<T: ?Sized>(&self, mutex_guard: &mut MutexGuard<'_, T>, timeout: Duration) -> WaitTimeoutResult {
        self.wait_by(mutex_guard, true, Location::caller(), |raw, mutex, token| {
            // SAFETY: `wait_by` hands over a locked mutex.
            unsafe { raw.wait_for(mutex, token, &timeout) }
        })
    }

    /// Waits again and again while `condition` is true; does not wait when it is false from the start.
    #[track_caller]
    #[inline]
    pub fn wait_while<T, F>(&self, mutex_guard: &mut MutexGuard<'_, T>, mut condition: F)
    where
        T: ?Sized,
        F: FnMut(&mut T) -> bool,
    {
        while condition(&mut **mutex_guard) {
            self.wait(mutex_guard);
        }
    }

    /// [`wait_while`](Self::wait_while) until `timeout` at most; timed out when `condition` is still true then.
    #[track_caller]
    #[inline]
    pub fn wait_while_until<T, F>(
        &self,
        mutex_guard: &mut MutexGuard<'_, T>,
        mut condition: F,
        timeout: Instant,
    ) -> WaitTimeoutResult
    where
        T: ?Sized,
        F: FnMut(&mut T) -> bool,
    {
        let mut result = WaitTimeoutResult(false);
        while condition(&mut **mutex_guard) {
            if result.timed_out() {
                return result;
            }
            result = self.wait_until(mutex_guard, timeout);
        }
        WaitTimeoutResult(false)
    }

    /// [`wait_while`](Self::wait_while) for `timeout` at most; timed out when `condition` is still true then.
    #[track_caller]
    #[inline]
    pub fn wait_while_for<T: ?Sized, F>(
        &self,
        mutex_guard: &mut MutexGuard<'_, T>,
        condition: F,
        timeout: Duration,
    ) -> WaitTimeoutResult
    where
        F: FnMut(&mut T) -> bool,
    {
        match Instant::now().checked_add(timeout) {
            Some(deadline) => self.wait_while_until(mutex_guard, condition, deadline),
            None => {
                // As in parking_lot, a limit beyond all time is none.
                self.wait_while(mutex_guard, condition);
                WaitTimeoutResult(false)
            }
        }
    }

    /// Waits by `wait`, which returns whether it ended by time and has the mutex locked when it returns or panics.
    fn wait_by<T: ?Sized>(
        &self,
        mutex_guard: &mut MutexGuard<'_, T>,
        limited: bool,
        site: Site,
        wait: impl FnOnce(&RawCondvar, &RawMutex, &mut Token) -> bool,
    ) -> WaitTimeoutResult {
        let (mutex, raw_mutex, hold) = mutex_guard.held.parts();
        let wait = || wait(&self.raw, raw_mutex, &mut Token::default());
        WaitTimeoutResult(rt::cond_wait(self.lock_ref(), mutex, hold, limited, site, wait, |&timed_out| timed_out))
    }

    #[inline]
    fn lock_ref(&self) -> LockRef<'_> {
        LockRef::new::<()>(&self.meta, LockKind::Condvar)
    }
}

impl Default for Condvar {
    #[track_caller]
    #[inline]
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for Condvar {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad("Condvar { .. }")
    }
}
