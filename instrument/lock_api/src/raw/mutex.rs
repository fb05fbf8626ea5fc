//! Raw mutexes.

/// A mutex without data.
///
/// # Safety
///
/// The mutex must be exclusive: nobody gets it while it is locked, its holder included.
pub unsafe trait RawMutex {
    /// An unlocked mutex.
    #[allow(clippy::declare_interior_mutable_const)]
    const INIT: Self;

    /// [`GuardSend`](crate::GuardSend) or [`GuardNoSend`](crate::GuardNoSend): whether guards may go to other threads.
    type GuardMarker;

    /// Locks, waiting for as long as it takes.
    fn lock(&self);

    /// Locks if that is possible without waiting; returns whether it was.
    fn try_lock(&self) -> bool;

    /// Unlocks.
    ///
    /// # Safety
    ///
    /// The current context holds the mutex.
    unsafe fn unlock(&self);

    /// Whether the mutex is locked at this instant.
    #[inline]
    fn is_locked(&self) -> bool {
        let is_free = self.try_lock();
        if is_free {
            // SAFETY: locked the line before.
            unsafe { self.unlock() };
        }
        !is_free
    }
}

/// A raw mutex that can be handed to a waiting thread.
///
/// # Safety
///
/// As for [`RawMutex`].
pub unsafe trait RawMutexFair: RawMutex {
    /// Unlocks, handing the mutex to a waiting thread if there is one.
    ///
    /// # Safety
    ///
    /// As for [`RawMutex::unlock`].
    unsafe fn unlock_fair(&self);

    /// Lets a waiting thread have the mutex, and locks it again.
    ///
    /// # Safety
    ///
    /// As for [`RawMutex::unlock`].
    unsafe fn bump(&self) {
        // SAFETY: this function's contract.
        unsafe { self.unlock_fair() };
        self.lock();
    }
}

/// A raw mutex that can be waited for for a limited time.
///
/// # Safety
///
/// As for [`RawMutex`].
pub unsafe trait RawMutexTimed: RawMutex {
    /// A length of time.
    type Duration;

    /// A moment.
    type Instant;

    /// Locks, waiting for `timeout` at most; returns whether it did.
    fn try_lock_for(&self, timeout: Self::Duration) -> bool;

    /// Locks, waiting until `timeout` at most; returns whether it did.
    fn try_lock_until(&self, timeout: Self::Instant) -> bool;
}
