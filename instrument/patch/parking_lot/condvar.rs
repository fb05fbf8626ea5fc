//! The condition variable.

use std::{
    fmt,
    panic::Location,
    time::{Duration, Instant},
};

use lock_api::stand_in;
use lockscope::rt::{self, LockKind, LockMeta, LockRef};
use real::MutexGuard;

/// Whether a wait with a time limit ended by time.
#[derive(Debug, PartialEq, Eq, Copy, Clone)]
pub struct WaitTimeoutResult(bool);

impl WaitTimeoutResult {
    /// Whether the wait ended by time, not by a notification.
    #[inline]
    pub fn timed_out(self) -> bool {
        self.0
    }
}

/// Lets threads that hold a mutex wait for one another: parking_lot's `Condvar`, followed by lockscope.
pub struct Condvar {
    meta: LockMeta,
    condvar: real::Condvar,
}

impl Condvar {
    /// Makes a condition variable that nobody waits for. Reports call it by the place of this call.
    #[track_caller]
    #[inline]
    pub const fn new() -> Condvar {
        Self { meta: LockMeta::new(), condvar: real::Condvar::new() }
    }

    /// Wakes one waiting thread; returns whether there was one.
    #[track_caller]
    #[inline]
    pub fn notify_one(&self) -> bool {
        let notify = || Some(self.condvar.notify_one().into());
        rt::notify(self.lock_ref(), false, Location::caller(), notify).is_some_and(|woken| woken > 0)
    }

    /// Wakes all waiting threads; returns how many there were.
    #[track_caller]
    #[inline]
    pub fn notify_all(&self) -> usize {
        let mut woken = 0;
        rt::notify(self.lock_ref(), true, Location::caller(), || {
            woken = self.condvar.notify_all();
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
        let wait = |guard: &mut MutexGuard<'_, T>| self.condvar.wait(guard);
        stand_in::cond_wait(self.lock_ref(), mutex_guard, false, Location::caller(), wait, |()| false);
    }

    /// [`wait`](Self::wait) until `timeout` at most.
    #[track_caller]
    #[inline]
    pub fn wait_until<T: ?Sized>(&self, mutex_guard: &mut MutexGuard<'_, T>, timeout: Instant) -> WaitTimeoutResult {
        let wait = |guard: &mut MutexGuard<'_, T>| self.condvar.wait_until(guard, timeout).timed_out();
        let (lock, site) = (self.lock_ref(), Location::caller());
        WaitTimeoutResult(stand_in::cond_wait(lock, mutex_guard, true, site, wait, |&timed_out| timed_out))
    }

    /// [`wait`](Self::wait) for `timeout` at most.
    #[track_caller]
    #[inline]
    pub fn wait_for<T: ?Sized>(&self, mutex_guard: &mut MutexGuard<'_, T>, timeout: Duration) -> WaitTimeoutResult {
        let wait = |guard: &mut MutexGuard<'_, T>| self.condvar.wait_for(guard, timeout).timed_out();
        let (lock, site) = (self.lock_ref(), Location::caller());
        WaitTimeoutResult(stand_in::cond_wait(lock, mutex_guard, true, site, wait, |&timed_out| timed_out))
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
        while !result.timed_out() && condition(&mut **mutex_guard) {
            result = self.wait_until(mutex_guard, timeout);
        }
        result
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

    #[inline]
    fn lock_ref(&self) -> LockRef<'_> {
        LockRef::new::<()>(&self.meta, LockKind::Condvar)
    }
}

impl Default for Condvar {
    #[track_caller]
    #[inline]
    fn default() -> Condvar {
        Condvar::new()
    }
}

impl fmt::Debug for Condvar {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad("Condvar { .. }")
    }
}
