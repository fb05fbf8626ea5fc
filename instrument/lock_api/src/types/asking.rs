//! Asking for a read-write lock with a time limit, as a reader that reads already, and as an upgradable reader: what only some
//! raw locks can do.

use super::{
    held::Held,
    read_guard::RwLockReadGuard,
    rwlock::RwLock,
    upgradable_guard::RwLockUpgradableReadGuard,
    way::{Read, ReadAgain, Upgradable, Write},
    write_guard::RwLockWriteGuard,
};
use crate::raw::{
    RawRwLockRecursive, RawRwLockRecursiveTimed, RawRwLockTimed, RawRwLockUpgrade, RawRwLockUpgradeTimed,
};

impl<R: RawRwLockTimed, T: ?Sized> RwLock<R, T> {
    /// Locks for reading, waiting for `timeout` at most.
    #[track_caller]
    #[inline]
    pub fn try_read_for(&self, timeout: R::Duration) -> Option<RwLockReadGuard<'_, R, T>> {
        Held::acquire_for::<Read>(self, timeout).map(RwLockReadGuard::new)
    }

    /// Locks for reading, waiting until `timeout` at most.
    #[track_caller]
    #[inline]
    pub fn try_read_until(&self, timeout: R::Instant) -> Option<RwLockReadGuard<'_, R, T>> {
        Held::acquire_until::<Read>(self, timeout).map(RwLockReadGuard::new)
    }

    /// Locks for writing, waiting for `timeout` at most.
    #[track_caller]
    #[inline]
    pub fn try_write_for(&self, timeout: R::Duration) -> Option<RwLockWriteGuard<'_, R, T>> {
        Held::acquire_for::<Write>(self, timeout).map(RwLockWriteGuard::new)
    }

    /// Locks for writing, waiting until `timeout` at most.
    #[track_caller]
    #[inline]
    pub fn try_write_until(&self, timeout: R::Instant) -> Option<RwLockWriteGuard<'_, R, T>> {
        Held::acquire_until::<Write>(self, timeout).map(RwLockWriteGuard::new)
    }
}

impl<R: RawRwLockRecursive, T: ?Sized> RwLock<R, T> {
    /// Locks for reading; does not wait while the lock is held by readers only, though a writer may wait, so that readers can read
    /// again.
    #[track_caller]
    #[inline]
    pub fn read_recursive(&self) -> RwLockReadGuard<'_, R, T> {
        RwLockReadGuard::new(Held::acquire_by::<ReadAgain>(self))
    }

    /// [`read_recursive`](Self::read_recursive) if nobody writes.
    #[track_caller]
    #[inline]
    pub fn try_read_recursive(&self) -> Option<RwLockReadGuard<'_, R, T>> {
        Held::try_acquire_by::<ReadAgain>(self).map(RwLockReadGuard::new)
    }
}

impl<R: RawRwLockRecursiveTimed, T: ?Sized> RwLock<R, T> {
    /// [`read_recursive`](Self::read_recursive), waiting for `timeout` at most.
    #[track_caller]
    #[inline]
    pub fn try_read_recursive_for(&self, timeout: R::Duration) -> Option<RwLockReadGuard<'_, R, T>> {
        Held::acquire_for::<ReadAgain>(self, timeout).map(RwLockReadGuard::new)
    }

    /// [`read_recursive`](Self::read_recursive), waiting until `timeout` at most.
    #[track_caller]
    #[inline]
    pub fn try_read_recursive_until(&self, timeout: R::Instant) -> Option<RwLockReadGuard<'_, R, T>> {
        Held::acquire_until::<ReadAgain>(self, timeout).map(RwLockReadGuard::new)
    }
}

impl<R: RawRwLockUpgrade, T: ?Sized> RwLock<R, T> {
    /// Makes a guard for a lock that is held upgradable already, as after forgetting its guard.
    ///
    /// # Safety
    ///
    /// As for [`make_read_guard_unchecked`](Self::make_read_guard_unchecked), of a lock held upgradable.
    #[inline]
    pub unsafe fn make_upgradable_guard_unchecked(&self) -> RwLockUpgradableReadGuard<'_, R, T> {
        // SAFETY: this function's contract.
        RwLockUpgradableReadGuard::new(unsafe { Held::adopt(self) })
    }

    /// Locks for reading with the right to become the writer later, waiting for as long as it takes.
    ///
    /// Ordinary readers may hold the lock at the same time, another upgradable one may not.
    #[track_caller]
    #[inline]
    pub fn upgradable_read(&self) -> RwLockUpgradableReadGuard<'_, R, T> {
        RwLockUpgradableReadGuard::new(Held::acquire(self))
    }

    /// [`upgradable_read`](Self::upgradable_read) if that is possible without waiting.
    #[track_caller]
    #[inline]
    pub fn try_upgradable_read(&self) -> Option<RwLockUpgradableReadGuard<'_, R, T>> {
        Held::try_acquire(self).map(RwLockUpgradableReadGuard::new)
    }
}

impl<R: RawRwLockUpgradeTimed, T: ?Sized> RwLock<R, T> {
    /// [`upgradable_read`](Self::upgradable_read), waiting for `timeout` at most.
    #[track_caller]
    #[inline]
    pub fn try_upgradable_read_for(&self, timeout: R::Duration) -> Option<RwLockUpgradableReadGuard<'_, R, T>> {
        Held::acquire_for::<Upgradable>(self, timeout).map(RwLockUpgradableReadGuard::new)
    }

    /// [`upgradable_read`](Self::upgradable_read), waiting until `timeout` at most.
    #[track_caller]
    #[inline]
    pub fn try_upgradable_read_until(&self, timeout: R::Instant) -> Option<RwLockUpgradableReadGuard<'_, R, T>> {
        Held::acquire_until::<Upgradable>(self, timeout).map(RwLockUpgradableReadGuard::new)
    }
}
