//! Asking for a read-write lock with a time limit, and as an upgradable reader: what only some raw locks can do.

use super::{
    held::Held,
    read_guard::RwLockReadGuard,
    rwlock::RwLock,
    upgradable_guard::RwLockUpgradableReadGuard,
    way::{Read, Upgradable, Write},
    write_guard::RwLockWriteGuard,
};
use crate::raw::{RawRwLockTimed, RawRwLockUpgrade, RawRwLockUpgradeTimed};

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

impl<R: RawRwLockUpgrade, T: ?Sized> RwLock<R, T> {
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
