//! Raw read-write locks.

/// A read-write lock without data.
///
/// # Safety
///
/// A writer must be alone: nobody gets the lock while somebody writes, and nobody writes while others read. What panics has not
/// locked, or has released what it was to change or release.
pub unsafe trait RawRwLock {
    /// An unlocked lock.
    #[allow(clippy::declare_interior_mutable_const)]
    const INIT: Self;

    /// What a reader's acquisition leaves in its guard, which is `Send` and `Sync` as this is.
    type SharedGuard;

    /// What a writer's acquisition leaves in its guard, which is `Send` and `Sync` as this is.
    type ExclusiveGuard;

    /// Locks for reading, waiting for as long as it takes.
    fn lock_shared(&self) -> Self::SharedGuard;

    /// Locks for reading if that is possible without waiting.
    fn try_lock_shared(&self) -> Option<Self::SharedGuard>;

    /// Ends a reader's hold.
    ///
    /// # Safety
    ///
    /// The current context holds the lock for reading, by the acquisition that `guard` comes from.
    unsafe fn unlock_shared(&self, guard: Self::SharedGuard);

    /// Locks for writing, waiting for as long as it takes.
    fn lock_exclusive(&self) -> Self::ExclusiveGuard;

    /// Locks for writing if that is possible without waiting.
    fn try_lock_exclusive(&self) -> Option<Self::ExclusiveGuard>;

    /// Ends a writer's hold.
    ///
    /// # Safety
    ///
    /// The current context holds the lock for writing, by the acquisition that `guard` comes from.
    unsafe fn unlock_exclusive(&self, guard: Self::ExclusiveGuard);

    /// Whether the lock is held at this instant, in whatever way.
    fn is_locked(&self) -> bool;

    /// Whether the lock is held by a writer at this instant.
    fn is_locked_exclusive(&self) -> bool;
}

/// A raw read-write lock that can be handed to waiting threads.
///
/// # Safety
///
/// As for [`RawRwLock`].
pub unsafe trait RawRwLockFair: RawRwLock {
    /// Ends a reader's hold, handing the lock to a waiting thread if there is one.
    ///
    /// # Safety
    ///
    /// As for [`RawRwLock::unlock_shared`].
    unsafe fn unlock_shared_fair(&self, guard: Self::SharedGuard);

    /// Ends a writer's hold, handing the lock to a waiting thread if there is one.
    ///
    /// # Safety
    ///
    /// As for [`RawRwLock::unlock_exclusive`].
    unsafe fn unlock_exclusive_fair(&self, guard: Self::ExclusiveGuard);

    /// Lets a waiting thread have the lock, and locks it for reading again. Aborts when that panics.
    ///
    /// # Safety
    ///
    /// As for [`RawRwLock::unlock_shared`].
    unsafe fn bump_shared(&self, guard: &mut Self::SharedGuard) {
        // SAFETY: this function's contract.
        unsafe { super::bump(guard, |guard| self.unlock_shared_fair(guard), || self.lock_shared()) };
    }

    /// Lets a waiting thread have the lock, and locks it for writing again. Aborts when that panics.
    ///
    /// # Safety
    ///
    /// As for [`RawRwLock::unlock_exclusive`].
    unsafe fn bump_exclusive(&self, guard: &mut Self::ExclusiveGuard) {
        // SAFETY: this function's contract.
        unsafe { super::bump(guard, |guard| self.unlock_exclusive_fair(guard), || self.lock_exclusive()) };
    }
}

/// A raw read-write lock whose writer can become a reader.
///
/// # Safety
///
/// As for [`RawRwLock`].
pub unsafe trait RawRwLockDowngrade: RawRwLock {
    /// Makes a writer's hold a reader's, without letting another writer in between.
    ///
    /// # Safety
    ///
    /// The current context holds the lock for writing, by the acquisition that `guard` comes from.
    unsafe fn downgrade(&self, guard: Self::ExclusiveGuard) -> Self::SharedGuard;
}

/// A raw read-write lock that can be waited for for a limited time.
///
/// # Safety
///
/// As for [`RawRwLock`].
pub unsafe trait RawRwLockTimed: RawRwLock {
    /// A length of time.
    type Duration;

    /// A moment.
    type Instant;

    /// Locks for reading, waiting for `timeout` at most.
    fn try_lock_shared_for(&self, timeout: Self::Duration) -> Option<Self::SharedGuard>;

    /// Locks for reading, waiting until `timeout` at most.
    fn try_lock_shared_until(&self, timeout: Self::Instant) -> Option<Self::SharedGuard>;

    /// Locks for writing, waiting for `timeout` at most.
    fn try_lock_exclusive_for(&self, timeout: Self::Duration) -> Option<Self::ExclusiveGuard>;

    /// Locks for writing, waiting until `timeout` at most.
    fn try_lock_exclusive_until(&self, timeout: Self::Instant) -> Option<Self::ExclusiveGuard>;
}

/// A raw read-write lock with readers that can become the writer: one at a time, beside ordinary readers.
///
/// # Safety
///
/// As for [`RawRwLock`].
pub unsafe trait RawRwLockUpgrade: RawRwLock {
    /// What an upgradable reader's acquisition leaves in its guard, which is `Send` and `Sync` as this is.
    type UpgradableGuard;

    /// Locks for upgradable reading, waiting for as long as it takes.
    fn lock_upgradable(&self) -> Self::UpgradableGuard;

    /// Locks for upgradable reading if that is possible without waiting.
    fn try_lock_upgradable(&self) -> Option<Self::UpgradableGuard>;

    /// Ends an upgradable reader's hold.
    ///
    /// # Safety
    ///
    /// The current context holds the lock upgradable, by the acquisition that `guard` comes from.
    unsafe fn unlock_upgradable(&self, guard: Self::UpgradableGuard);

    /// Makes an upgradable hold a writer's, waiting for readers to leave.
    ///
    /// # Safety
    ///
    /// As for [`unlock_upgradable`](Self::unlock_upgradable).
    unsafe fn upgrade(&self, guard: Self::UpgradableGuard) -> Self::ExclusiveGuard;

    /// Makes an upgradable hold a writer's if there are no readers.
    ///
    /// # Safety
    ///
    /// As for [`unlock_upgradable`](Self::unlock_upgradable).
    unsafe fn try_upgrade(&self, guard: Self::UpgradableGuard) -> Result<Self::ExclusiveGuard, Self::UpgradableGuard>;
}

/// A raw read-write lock that can be handed to waiting threads, with upgradable readers.
///
/// # Safety
///
/// As for [`RawRwLock`].
pub unsafe trait RawRwLockUpgradeFair: RawRwLockUpgrade + RawRwLockFair {
    /// Ends an upgradable reader's hold, handing the lock to a waiting thread if there is one.
    ///
    /// # Safety
    ///
    /// As for [`RawRwLockUpgrade::unlock_upgradable`].
    unsafe fn unlock_upgradable_fair(&self, guard: Self::UpgradableGuard);

    /// Lets a waiting thread have the lock, and locks it for upgradable reading again. Aborts when that panics.
    ///
    /// # Safety
    ///
    /// As for [`RawRwLockUpgrade::unlock_upgradable`].
    unsafe fn bump_upgradable(&self, guard: &mut Self::UpgradableGuard) {
        // SAFETY: this function's contract.
        unsafe { super::bump(guard, |guard| self.unlock_upgradable_fair(guard), || self.lock_upgradable()) };
    }
}

/// A raw read-write lock with all changes from a stronger hold to a weaker one.
///
/// # Safety
///
/// As for [`RawRwLock`].
pub unsafe trait RawRwLockUpgradeDowngrade: RawRwLockUpgrade + RawRwLockDowngrade {
    /// Makes an upgradable hold a reader's.
    ///
    /// # Safety
    ///
    /// As for [`RawRwLockUpgrade::unlock_upgradable`].
    unsafe fn downgrade_upgradable(&self, guard: Self::UpgradableGuard) -> Self::SharedGuard;

    /// Makes a writer's hold an upgradable one, without letting another writer in between.
    ///
    /// # Safety
    ///
    /// The current context holds the lock for writing, by the acquisition that `guard` comes from.
    unsafe fn downgrade_to_upgradable(&self, guard: Self::ExclusiveGuard) -> Self::UpgradableGuard;
}

/// A raw read-write lock whose upgradable readers can be waited for for a limited time.
///
/// # Safety
///
/// As for [`RawRwLock`].
pub unsafe trait RawRwLockUpgradeTimed: RawRwLockUpgrade + RawRwLockTimed {
    /// Locks for upgradable reading, waiting for `timeout` at most.
    fn try_lock_upgradable_for(&self, timeout: Self::Duration) -> Option<Self::UpgradableGuard>;

    /// Locks for upgradable reading, waiting until `timeout` at most.
    fn try_lock_upgradable_until(&self, timeout: Self::Instant) -> Option<Self::UpgradableGuard>;

    /// Makes an upgradable hold a writer's, waiting for `timeout` at most.
    ///
    /// # Safety
    ///
    /// As for [`RawRwLockUpgrade::upgrade`].
    unsafe fn try_upgrade_for(
        &self,
        guard: Self::UpgradableGuard,
        timeout: Self::Duration,
    ) -> Result<Self::ExclusiveGuard, Self::UpgradableGuard>;

    /// Makes an upgradable hold a writer's, waiting until `timeout` at most.
    ///
    /// # Safety
    ///
    /// As for [`RawRwLockUpgrade::upgrade`].
    unsafe fn try_upgrade_until(
        &self,
        guard: Self::UpgradableGuard,
        timeout: Self::Instant,
    ) -> Result<Self::ExclusiveGuard, Self::UpgradableGuard>;
}
