//! Raw condition variables.

use super::{RawMutex, RawMutexTimed};

/// A condition variable for a raw mutex.
///
/// # Safety
///
/// A wait unlocks the mutex and begins to wait in one step, as far as notifications can tell, and locks the mutex again before it
/// returns or panics, with its token in the other's place.
pub unsafe trait RawCondvar {
    /// One that nobody waits for.
    #[allow(clippy::declare_interior_mutable_const)]
    const INIT: Self;

    /// The mutex that threads hold when they wait.
    type RawMutex: RawMutex;

    /// Unlocks the mutex, waits for a notification, and locks the mutex again.
    ///
    /// # Safety
    ///
    /// The current context holds the mutex, by the acquisition that `guard` comes from, and nobody reaches the data through it meanwhile.
    unsafe fn wait(&self, mutex: &Self::RawMutex, guard: &mut <Self::RawMutex as RawMutex>::Guard);

    /// Wakes one waiting thread; returns whether there was one, or always `false`.
    fn notify_one(&self) -> bool;

    /// Wakes all waiting threads; returns how many there were, or always 0.
    fn notify_all(&self) -> usize;
}

/// A raw condition variable on which threads can wait for a limited time.
///
/// # Safety
///
/// As for [`RawCondvar`].
pub unsafe trait RawCondvarTimed: RawCondvar
where
    Self::RawMutex: RawMutexTimed,
{
    /// The moment that is so far from now; `None` when there is no such.
    fn checked_duration_to_instant(
        timeout: &<Self::RawMutex as RawMutexTimed>::Duration,
    ) -> Option<<Self::RawMutex as RawMutexTimed>::Instant>;

    /// [`wait`](RawCondvar::wait) until `timeout` at most; returns whether the wait is known to have ended by time.
    ///
    /// # Safety
    ///
    /// As for [`RawCondvar::wait`].
    unsafe fn wait_until(
        &self,
        mutex: &Self::RawMutex,
        guard: &mut <Self::RawMutex as RawMutex>::Guard,
        timeout: &<Self::RawMutex as RawMutexTimed>::Instant,
    ) -> bool;

    /// [`wait`](RawCondvar::wait) for `timeout` at most; returns whether the wait is known to have ended by time.
    ///
    /// # Safety
    ///
    /// As for [`RawCondvar::wait`].
    unsafe fn wait_for(
        &self,
        mutex: &Self::RawMutex,
        guard: &mut <Self::RawMutex as RawMutex>::Guard,
        timeout: &<Self::RawMutex as RawMutexTimed>::Duration,
    ) -> bool {
        match Self::checked_duration_to_instant(timeout) {
            // SAFETY: this function's contract.
            Some(timeout) => unsafe { self.wait_until(mutex, guard, &timeout) },
            None => {
                // SAFETY: this function's contract.
                unsafe { RawCondvar::wait(self, mutex, guard) };
                false
            }
        }
    }
}
