//! The condition variable.

use std::{
    fmt,
    mem::ManuallyDrop,
    panic::Location,
    time::{Duration, Instant},
};

use lockscope::rt::{self, Hold, LockKind, LockMeta, LockRef, Site};

use super::{
    MutexGuard,
    raw::{RawMutex, followed},
    way::Followed,
};
use crate::version;

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

/// parking_lot's raw condition variable, followed by lockscope.
pub struct RawCondvar {
    pub(crate) meta: LockMeta,
    plain: parking_lot::Condvar,
}

followed!([] RawCondvar as Condvar, named ());

impl RawCondvar {
    #[expect(clippy::declare_interior_mutable_const, reason = "each use makes a new one")]
    pub(crate) const UNUSED: Self = Self { meta: LockMeta::unplaced(), plain: parking_lot::Condvar::new() };

    #[inline]
    fn lock_ref(&self) -> LockRef<'_> {
        LockRef::new::<()>(&self.meta, LockKind::Condvar)
    }

    /// Wakes one waiting thread; returns whether there was one.
    #[inline]
    pub(crate) fn wake_one(&self, site: Site) -> bool {
        let woken = rt::notify(self.lock_ref(), false, site, || Some(self.plain.notify_one().into()));
        woken.is_some_and(|woken| woken > 0)
    }

    /// Wakes all waiting threads; returns how many there were.
    #[inline]
    pub(crate) fn wake_all(&self, site: Site) -> usize {
        let mut woken = 0;
        rt::notify(self.lock_ref(), true, site, || {
            woken = self.plain.notify_all();
            Some(u32::try_from(woken).unwrap_or(u32::MAX))
        });
        woken
    }

    /// Unlocks the mutex, waits until `deadline` if there is one, and locks the mutex again, also when it panics. Returns whether the
    /// wait ended by time.
    ///
    /// # Safety
    ///
    /// The current context holds `mutex`, which the runtime knows as `lock`, by the acquisition `hold`.
    pub(crate) unsafe fn wait(
        &self,
        mutex: &RawMutex,
        lock: LockRef<'_>,
        hold: &mut Hold,
        deadline: Option<Instant>,
        site: Site,
    ) -> bool {
        let wait = || {
            // SAFETY: locked, by this function's contract; the guard is never dropped.
            let mut guard = ManuallyDrop::new(unsafe { version::plain_guard(&mutex.mutex) });
            match deadline {
                None => {
                    self.plain.wait(&mut guard);
                    false
                }
                Some(deadline) => self.plain.wait_until(&mut guard, deadline).timed_out(),
            }
        };
        rt::cond_wait(self.lock_ref(), lock, hold, deadline.is_some(), site, wait, |&timed_out| timed_out)
    }
}

/// Lets threads that hold a mutex wait for one another: parking_lot's `Condvar`, followed by lockscope.
///
/// As in parking_lot, a wait without a time limit ends only by a notification, and threads that wait at the same
/// time must use the same mutex.
///
/// ```
#[doc = concat!("use ", env!("CARGO_CRATE_NAME"), "::{Condvar, Mutex};")]
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
    pub(crate) raw: RawCondvar,
}

impl Condvar {
    /// Makes a condition variable that nobody waits for.
    ///
    /// Reports call it by the place of this call; for a name see [`named`](crate::named).
    #[track_caller]
    #[inline]
    pub const fn new() -> Self {
        let mut raw = RawCondvar::UNUSED;
        raw.meta.set_created();
        Self { raw }
    }

    /// Wakes one waiting thread; returns whether there was one.
    #[track_caller]
    #[inline]
    pub fn notify_one(&self) -> bool {
        self.raw.wake_one(Location::caller())
    }

    /// Wakes all waiting threads; returns how many there were.
    #[track_caller]
    #[inline]
    pub fn notify_all(&self) -> usize {
        self.raw.wake_all(Location::caller())
    }

    /// Unlocks the mutex, waits for a notification, and locks the mutex again.
    ///
    /// # Panics
    ///
    /// When another thread waits with another mutex.
    #[track_caller]
    #[inline]
    pub fn wait<T: ?Sized>(&self, mutex_guard: &mut MutexGuard<'_, T>) {
        self.wait_by(mutex_guard, None, Location::caller());
    }

    /// [`wait`](Self::wait) until `timeout` at most.
    #[track_caller]
    #[inline]
    pub fn wait_until<T: ?Sized>(&self, mutex_guard: &mut MutexGuard<'_, T>, timeout: Instant) -> WaitTimeoutResult {
        self.wait_by(mutex_guard, Some(timeout), Location::caller())
    }

    /// [`wait`](Self::wait) for `timeout` at most.
    #[track_caller]
    #[inline]
    pub fn wait_for<T: ?Sized>(&self, mutex_guard: &mut MutexGuard<'_, T>, timeout: Duration) -> WaitTimeoutResult {
        // As in parking_lot, a limit beyond all time is none.
        self.wait_by(mutex_guard, Instant::now().checked_add(timeout), Location::caller())
    }

    /// Waits again and again while `condition` is true; does not wait when it is false from the start.
    #[track_caller]
    #[inline]
    pub fn wait_while<T, F>(&self, mutex_guard: &mut MutexGuard<'_, T>, condition: F)
    where
        T: ?Sized,
        F: FnMut(&mut T) -> bool,
    {
        self.wait_while_by(mutex_guard, condition, None, Location::caller());
    }

    /// [`wait_while`](Self::wait_while) until `timeout` at most.
    #[track_caller]
    #[inline]
    pub fn wait_while_until<T, F>(
        &self,
        mutex_guard: &mut MutexGuard<'_, T>,
        condition: F,
        timeout: Instant,
    ) -> WaitTimeoutResult
    where
        T: ?Sized,
        F: FnMut(&mut T) -> bool,
    {
        self.wait_while_by(mutex_guard, condition, Some(timeout), Location::caller())
    }

    /// [`wait_while`](Self::wait_while) for `timeout` at most.
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
        self.wait_while_by(mutex_guard, condition, Instant::now().checked_add(timeout), Location::caller())
    }

    fn wait_while_by<T: ?Sized>(
        &self,
        mutex_guard: &mut MutexGuard<'_, T>,
        mut condition: impl FnMut(&mut T) -> bool,
        deadline: Option<Instant>,
        site: Site,
    ) -> WaitTimeoutResult {
        let mut result = WaitTimeoutResult(false);
        while condition(&mut **mutex_guard) {
            if result.timed_out() {
                return result;
            }
            result = self.wait_by(mutex_guard, deadline, site);
            if result.timed_out() && !version::CONDITION_DECIDES {
                return result;
            }
        }
        WaitTimeoutResult(false)
    }

    fn wait_by<T: ?Sized>(
        &self,
        mutex_guard: &mut MutexGuard<'_, T>,
        deadline: Option<Instant>,
        site: Site,
    ) -> WaitTimeoutResult {
        let (lock, mutex, hold) = mutex_guard.held.parts();
        // SAFETY: the guard holds the mutex.
        WaitTimeoutResult(unsafe { self.raw.wait(mutex, lock, hold, deadline, site) })
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
