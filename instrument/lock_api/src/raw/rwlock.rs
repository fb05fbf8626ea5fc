//! Raw read-write locks.

/// A read-write lock without data.
///
/// # Safety
///
/// A writer must be alone: nobody gets the lock while somebody writes, and nobody writes while others read.
pub unsafe trait RawRwLock {
    /// An unlocked lock.
    #[allow(clippy::declare_interior_mutable_const)]
    const INIT: Self;

    /// [`GuardSend`](crate::GuardSend) or [`GuardNoSend`](crate::GuardNoSend): whether guards may go to other threads.
    type GuardMarker;

    /// Locks for reading, waiting for as long as it takes.
    fn lock_shared(&self);

    /// Locks for reading if that is possible without waiting; returns whether it was.
    fn try_lock_shared(&self) -> bool;

    /// Ends a reader's hold.
    ///
    /// # Safety
    ///
    /// The current context holds the lock for reading.
    unsafe fn unlock_shared(&self);

    /// Locks for writing, waiting for as long as it takes.
    fn lock_exclusive(&self);

    /// Locks for writing if that is possible without waiting; returns whether it was.
    fn try_lock_exclusive(&self) -> bool;

    /// Ends a writer's hold.
    ///
    /// # Safety
    ///
    /// The current context holds the lock for writing.
    unsafe fn unlock_exclusive(&self);

    /// Whether the lock is held at this instant, in whatever way.
    #[inline]
    fn is_locked(&self) -> bool {
        let is_free = self.try_lock_exclusive();
        if is_free {
            // SAFETY: locked the line before.
            unsafe { self.unlock_exclusive() };
        }
        !is_free
    }

    /// Whether the lock is held by a writer at this instant.
    fn is_locked_exclusive(&self) -> bool {
        let is_readable = self.try_lock_shared();
        if is_readable {
            // SAFETY: locked the line before.
            unsafe { self.unlock_shared() };
        }
        !is_readable
    }
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
    unsafe fn unlock_shared_fair(&self);

    /// Ends a writer's hold, handing the lock to a waiting thread if there is one.
    ///
    /// # Safety
    ///
    /// As for [`RawRwLock::unlock_exclusive`].
    unsafe fn unlock_exclusive_fair(&self);

    /// Lets a waiting thread have the lock, and locks it for reading again.
    ///
    /// # Safety
    ///
    /// As for [`RawRwLock::unlock_shared`].
    unsafe fn bump_shared(&self) {
        // SAFETY: this function's contract.
        unsafe { self.unlock_shared_fair() };
        self.lock_shared();
    }

    /// Lets a waiting thread have the lock, and locks it for writing again.
    ///
    /// # Safety
    ///
    /// As for [`RawRwLock::unlock_exclusive`].
    unsafe fn bump_exclusive(&self) {
        // SAFETY: this function's contract.
        unsafe { self.unlock_exclusive_fair() };
        self.lock_exclusive();
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
    /// The current context holds the lock for writing.
    unsafe fn downgrade(&self);
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

    /// Locks for reading, waiting for `timeout` at most; returns whether it did.
    fn try_lock_shared_for(&self, timeout: Self::Duration) -> bool;

    /// Locks for reading, waiting until `timeout` at most; returns whether it did.
    fn try_lock_shared_until(&self, timeout: Self::Instant) -> bool;

    /// Locks for writing, waiting for `timeout` at most; returns whether it did.
    fn try_lock_exclusive_for(&self, timeout: Self::Duration) -> bool;

    /// Locks for writing, waiting until `timeout` at most; returns whether it did.
    fn try_lock_exclusive_until(&self, timeout: Self::Instant) -> bool;
}

/// A raw read-write lock that its readers can read again, whoever waits.
///
/// # Safety
///
/// As for [`RawRwLock`].
pub unsafe trait RawRwLockRecursive: RawRwLock {
    /// Locks for reading; does not wait when the lock is held by readers only, though a writer may wait.
    fn lock_shared_recursive(&self);

    /// Locks for reading if nobody writes; returns whether it did.
    fn try_lock_shared_recursive(&self) -> bool;
}

/// A raw read-write lock whose recursive reads can have a time limit.
///
/// # Safety
///
/// As for [`RawRwLock`].
pub unsafe trait RawRwLockRecursiveTimed: RawRwLockRecursive + RawRwLockTimed {
    /// [`lock_shared_recursive`](RawRwLockRecursive::lock_shared_recursive), waiting for `timeout` at most; returns whether it
    /// did.
    fn try_lock_shared_recursive_for(&self, timeout: Self::Duration) -> bool;

    /// [`lock_shared_recursive`](RawRwLockRecursive::lock_shared_recursive), waiting until `timeout` at most; returns whether it
    /// did.
    fn try_lock_shared_recursive_until(&self, timeout: Self::Instant) -> bool;
}

/// A raw read-write lock with readers that can become the writer: one at a time, beside ordinary readers.
///
/// # Safety
///
/// As for [`RawRwLock`].
pub unsafe trait RawRwLockUpgrade: RawRwLock {
    /// Locks for upgradable reading, waiting for as long as it takes.
    fn lock_upgradable(&self);

    /// Locks for upgradable reading if that is possible without waiting; returns whether it was.
    fn try_lock_upgradable(&self) -> bool;

    /// Ends an upgradable reader's hold.
    ///
    /// # Safety
    ///
    /// The current context holds the lock upgradable.
    unsafe fn unlock_upgradable(&self);

    /// Makes an upgradable hold a writer's, waiting for readers to leave.
    ///
    /// # Safety
    ///
    /// As for [`unlock_upgradable`](Self::unlock_upgradable).
    unsafe fn upgrade(&self);

    /// Makes an upgradable hold a writer's if there are no readers; returns whether it did.
    ///
    /// # Safety
    ///
    /// As for [`unlock_upgradable`](Self::unlock_upgradable).
    unsafe fn try_upgrade(&self) -> bool;
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
    unsafe fn unlock_upgradable_fair(&self);

    /// Lets a waiting thread have the lock, and locks it for upgradable reading again.
    ///
    /// # Safety
    ///
    /// As for [`RawRwLockUpgrade::unlock_upgradable`].
    unsafe fn bump_upgradable(&self) {
        // SAFETY: this function's contract.
        unsafe { self.unlock_upgradable_fair() };
        self.lock_upgradable();
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
    unsafe fn downgrade_upgradable(&self);

    /// Makes a writer's hold an upgradable one, without letting another writer in between.
    ///
    /// # Safety
    ///
    /// The current context holds the lock for writing.
    unsafe fn downgrade_to_upgradable(&self);
}

/// A raw read-write lock whose upgradable readers can be waited for for a limited time.
///
/// # Safety
///
/// As for [`RawRwLock`].
pub unsafe trait RawRwLockUpgradeTimed: RawRwLockUpgrade + RawRwLockTimed {
    /// Locks for upgradable reading, waiting for `timeout` at most; returns whether it did.
    fn try_lock_upgradable_for(&self, timeout: Self::Duration) -> bool;

    /// Locks for upgradable reading, waiting until `timeout` at most; returns whether it did.
    fn try_lock_upgradable_until(&self, timeout: Self::Instant) -> bool;

    /// Makes an upgradable hold a writer's, waiting for `timeout` at most; returns whether it did.
    ///
    /// # Safety
    ///
    /// As for [`RawRwLockUpgrade::upgrade`].
    unsafe fn try_upgrade_for(&self, timeout: Self::Duration) -> bool;

    /// Makes an upgradable hold a writer's, waiting until `timeout` at most; returns whether it did.
    ///
    /// # Safety
    ///
    /// As for [`RawRwLockUpgrade::upgrade`].
    unsafe fn try_upgrade_until(&self, timeout: Self::Instant) -> bool;
}
