//! The condition variable over a raw one.

use std::{fmt, panic::Location};

use crate::{
    follow::{self, LockKind, LockMeta, LockRef},
    raw::{RawCondvar, RawCondvarTimed, RawMutex, RawMutexTimed},
    types::MutexGuard,
};

type Site = &'static Location<'static>;

/// Whether a wait with a time limit ended by time.
#[derive(Debug, PartialEq, Eq, Copy, Clone)]
pub struct WaitTimeoutResult(bool);

impl WaitTimeoutResult {
    /// Whether the wait is known to have ended by time.
    #[inline]
    pub const fn timed_out(self) -> bool {
        self.0
    }
}

/// Lets threads that hold a mutex wait for one another, by the raw condition variable `C`, followed by lockscope.
pub struct Condvar<C> {
    meta: LockMeta,
    raw: C,
}

impl<C: RawCondvar> Condvar<C> {
    /// Makes a condition variable that nobody waits for. Reports call it by the place of this call.
    #[track_caller]
    #[inline]
    pub const fn new() -> Condvar<C> {
        Self { meta: LockMeta::new(), raw: C::INIT }
    }

    /// The raw condition variable. What is done to it is not seen by lockscope.
    #[inline]
    pub fn raw(&self) -> &C {
        &self.raw
    }

    /// Wakes one waiting thread; returns whether there was one, if the raw condition variable tells, and else `false`.
    #[track_caller]
    #[inline]
    pub fn notify_one(&self) -> bool {
        let mut woken = false;
        follow::notify(self.lock_ref(), false, Location::caller(), || {
            woken = self.raw.notify_one();
            tells::<C>().then(|| woken.into())
        });
        woken
    }

    /// Wakes all waiting threads; returns how many there were, if the raw condition variable tells, and else 0.
    #[track_caller]
    #[inline]
    pub fn notify_all(&self) -> usize {
        let mut woken = 0;
        follow::notify(self.lock_ref(), true, Location::caller(), || {
            woken = self.raw.notify_all();
            tells::<C>().then(|| u32::try_from(woken).unwrap_or(u32::MAX))
        });
        woken
    }

    /// Unlocks the mutex, waits for a notification, and locks the mutex again.
    ///
    /// # Panics
    ///
    /// As the raw condition variable does, perhaps when another thread waits with another mutex.
    #[track_caller]
    #[inline]
    pub fn wait<T: ?Sized>(&self, mutex_guard: &mut MutexGuard<'_, C::RawMutex, T>) {
        self.wait_by(mutex_guard, false, Location::caller(), |mutex, token| {
            // SAFETY: the guard holds the mutex, and nobody reaches the data through it meanwhile.
            unsafe { self.raw.wait(mutex, token) };
            false
        });
    }

    /// Waits again and again while `condition` is true; does not wait when it is false from the start.
    ///
    /// # Panics
    ///
    /// As [`wait`](Self::wait).
    #[track_caller]
    #[inline]
    pub fn wait_while<T, F>(&self, mutex_guard: &mut MutexGuard<'_, C::RawMutex, T>, mut condition: F)
    where
        T: ?Sized,
        F: FnMut(&mut T) -> bool,
    {
        while condition(&mut **mutex_guard) {
            self.wait(mutex_guard);
        }
    }

    /// Waits by `wait`, which returns whether it ended by time; `limited` says that it can.
    #[inline]
    fn wait_by<T: ?Sized>(
        &self,
        mutex_guard: &mut MutexGuard<'_, C::RawMutex, T>,
        limited: bool,
        site: Site,
        wait: impl FnOnce(&C::RawMutex, &mut <C::RawMutex as RawMutex>::Guard) -> bool,
    ) -> WaitTimeoutResult {
        let (lock, mutex, hold, token) = mutex_guard.held.parts();
        let wait = || wait(mutex, token);
        let timed_out = follow::cond_wait(self.lock_ref(), lock, hold, limited, site, wait, |&timed_out| timed_out);
        WaitTimeoutResult(timed_out)
    }

    #[inline]
    fn lock_ref(&self) -> LockRef<'_> {
        LockRef::new::<()>(&self.meta, LockKind::Condvar)
    }
}

impl<R: RawMutexTimed, C: RawCondvarTimed<RawMutex = R>> Condvar<C> {
    /// [`wait`](Self::wait) until `timeout` at most.
    #[track_caller]
    #[inline]
    pub fn wait_until<T: ?Sized>(
        &self,
        mutex_guard: &mut MutexGuard<'_, C::RawMutex, T>,
        timeout: <C::RawMutex as RawMutexTimed>::Instant,
    ) -> WaitTimeoutResult {
        self.wait_until_by(mutex_guard, &timeout, Location::caller())
    }

    /// [`wait`](Self::wait) for `timeout` at most.
    #[track_caller]
    #[inline]
    pub fn wait_for<T: ?Sized>(
        &self,
        mutex_guard: &mut MutexGuard<'_, C::RawMutex, T>,
        timeout: <C::RawMutex as RawMutexTimed>::Duration,
    ) -> WaitTimeoutResult {
        self.wait_by(mutex_guard, true, Location::caller(), |mutex, token| {
            // SAFETY: as in `wait`.
            unsafe { self.raw.wait_for(mutex, token, &timeout) }
        })
    }

    /// [`wait_while`](Self::wait_while) until `timeout` at most; timed out when `condition` is still true then.
    #[track_caller]
    #[inline]
    pub fn wait_while_until<T, F>(
        &self,
        mutex_guard: &mut MutexGuard<'_, C::RawMutex, T>,
        mut condition: F,
        timeout: <C::RawMutex as RawMutexTimed>::Instant,
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
            result = self.wait_until_by(mutex_guard, &timeout, Location::caller());
        }
        WaitTimeoutResult(false)
    }

    /// [`wait_while`](Self::wait_while) for `timeout` at most; timed out when `condition` is still true then.
    #[track_caller]
    #[inline]
    pub fn wait_while_for<T: ?Sized, F>(
        &self,
        mutex_guard: &mut MutexGuard<'_, C::RawMutex, T>,
        condition: F,
        timeout: <C::RawMutex as RawMutexTimed>::Duration,
    ) -> WaitTimeoutResult
    where
        F: FnMut(&mut T) -> bool,
    {
        match C::checked_duration_to_instant(&timeout) {
            Some(timeout) => self.wait_while_until(mutex_guard, condition, timeout),
            None => {
                // As in lock_api, a limit beyond all time is none.
                self.wait_while(mutex_guard, condition);
                WaitTimeoutResult(false)
            }
        }
    }

    #[inline]
    fn wait_until_by<T: ?Sized>(
        &self,
        mutex_guard: &mut MutexGuard<'_, C::RawMutex, T>,
        timeout: &<C::RawMutex as RawMutexTimed>::Instant,
        site: Site,
    ) -> WaitTimeoutResult {
        self.wait_by(mutex_guard, true, site, |mutex, token| {
            // SAFETY: as in `wait`.
            unsafe { self.raw.wait_until(mutex, token, timeout) }
        })
    }
}

impl<C: RawCondvar> Default for Condvar<C> {
    #[track_caller]
    #[inline]
    fn default() -> Condvar<C> {
        Condvar::new()
    }
}

impl<C> fmt::Debug for Condvar<C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad("Condvar { .. }")
    }
}

/// Whether this raw condition variable is known to tell how many threads it woke. Others may always say that there were none, and
/// there is nothing else to know them by than the name.
#[inline]
fn tells<C>() -> bool {
    std::any::type_name::<C>() == "parking_lot::raw_condvar::RawCondvar"
}

#[cfg(all(test, not(lockscope_off), any(debug_assertions, feature = "force")))]
mod tests {
    #[test]
    fn parking_lots_condition_variable_tells_how_many_it_woke() {
        assert!(super::tells::<parking_lot::RawCondvar>());
    }
}
