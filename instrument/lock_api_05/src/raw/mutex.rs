//! Raw mutexes.

/// A mutex without data.
///
/// # Safety
///
/// The mutex must be exclusive: nobody gets it while it is locked, its holder included. A lock that panics has not locked, and an
/// unlock that panics has unlocked.
pub unsafe trait RawMutex {
    /// An unlocked mutex.
    #[allow(clippy::declare_interior_mutable_const)]
    const INIT: Self;

    /// What an acquisition leaves in its guard, which is `Send` and `Sync` as this is.
    type Guard;

    /// Locks, waiting for as long as it takes.
    fn lock(&self) -> Self::Guard;

    /// Locks if that is possible without waiting.
    fn try_lock(&self) -> Option<Self::Guard>;

    /// Unlocks.
    ///
    /// # Safety
    ///
    /// The current context holds the mutex, by the acquisition that `guard` comes from.
    unsafe fn unlock(&self, guard: Self::Guard);

    /// Whether the mutex is locked at this instant.
    fn is_locked(&self) -> bool;
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
    unsafe fn unlock_fair(&self, guard: Self::Guard);

    /// Lets a waiting thread have the mutex, and locks it again. Aborts when that panics.
    ///
    /// # Safety
    ///
    /// As for [`RawMutex::unlock`].
    unsafe fn bump(&self, guard: &mut Self::Guard) {
        // SAFETY: this function's contract.
        unsafe { super::bump(guard, |guard| self.unlock_fair(guard), || self.lock()) };
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

    /// Locks, waiting for `timeout` at most.
    fn try_lock_for(&self, timeout: Self::Duration) -> Option<Self::Guard>;

    /// Locks, waiting until `timeout` at most.
    fn try_lock_until(&self, timeout: Self::Instant) -> Option<Self::Guard>;
}
