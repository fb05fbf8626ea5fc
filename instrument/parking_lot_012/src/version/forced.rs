//! Operations on a lock whose guard is gone.

#[cfg(feature = "arc_lock")]
use std::sync::Arc;

#[cfg(feature = "arc_lock")]
use crate::instrumented::{ArcRwLockReadGuard, ArcRwLockUpgradableReadGuard, ArcRwLockWriteGuard};
use crate::instrumented::{
    held::Held, mutex::Mutex, mutex_guard::MutexGuard, read_guard::RwLockReadGuard, rwlock::RwLock,
    upgradable_guard::RwLockUpgradableReadGuard, way::MutexRaw, way::RwLockRaw, write_guard::RwLockWriteGuard,
};

impl<R: MutexRaw, T: ?Sized> Mutex<R, T> {
    /// Makes a guard for a mutex that is locked already, as after forgetting its guard.
    ///
    /// # Safety
    ///
    /// The current context holds the lock; no other guard will unlock
    /// it, and no reference into the data conflicts with the new guard's.
    #[inline]
    pub unsafe fn make_guard_unchecked(&self) -> MutexGuard<'_, R, T> {
        // SAFETY: this function's contract.
        MutexGuard::new(unsafe { Held::adopt(self) })
    }

    /// Unlocks the mutex without a guard.
    ///
    /// # Safety
    ///
    /// The current context holds the lock; no guard will unlock it
    /// again, and no reference into the data is used afterwards.
    #[inline]
    pub unsafe fn force_unlock(&self) {
        // SAFETY: this function's contract.
        drop(unsafe { self.make_guard_unchecked() });
    }

    /// Unlocks the mutex without a guard, handing it to a waiting thread if there is one.
    ///
    /// # Safety
    ///
    /// As for [`force_unlock`](Self::force_unlock).
    #[inline]
    pub unsafe fn force_unlock_fair(&self) {
        // SAFETY: this function's contract.
        MutexGuard::unlock_fair(unsafe { self.make_guard_unchecked() });
    }
}

impl<R: RwLockRaw, T: ?Sized> RwLock<R, T> {
    /// Makes a guard for a lock that is held for reading already, as after forgetting its guard.
    ///
    /// # Safety
    ///
    /// The current context holds the lock for reading; no other guard
    /// will unlock that, and no reference into the data conflicts with the new guard's.
    #[inline]
    pub unsafe fn make_read_guard_unchecked(&self) -> RwLockReadGuard<'_, R, T> {
        // SAFETY: this function's contract.
        RwLockReadGuard::new(unsafe { Held::adopt(self) })
    }

    /// Makes a guard for a lock that is held for writing already, as after forgetting its guard.
    ///
    /// # Safety
    ///
    /// As for [`make_read_guard_unchecked`](Self::make_read_guard_unchecked), of a lock held for writing.
    #[inline]
    pub unsafe fn make_write_guard_unchecked(&self) -> RwLockWriteGuard<'_, R, T> {
        // SAFETY: this function's contract.
        RwLockWriteGuard::new(unsafe { Held::adopt(self) })
    }

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

    /// Ends a reader's hold without its guard.
    ///
    /// # Safety
    ///
    /// The current context holds the lock for reading; no guard will
    /// unlock that again, and no reference into the data is used afterwards.
    #[inline]
    pub unsafe fn force_unlock_read(&self) {
        // SAFETY: this function's contract.
        drop(unsafe { self.make_read_guard_unchecked() });
    }

    /// As [`force_unlock_read`](Self::force_unlock_read), handing the lock to a waiting thread if there is one.
    ///
    /// # Safety
    ///
    /// As for [`force_unlock_read`](Self::force_unlock_read).
    #[inline]
    pub unsafe fn force_unlock_read_fair(&self) {
        // SAFETY: this function's contract.
        RwLockReadGuard::unlock_fair(unsafe { self.make_read_guard_unchecked() });
    }

    /// Ends a writer's hold without its guard.
    ///
    /// # Safety
    ///
    /// As for [`force_unlock_read`](Self::force_unlock_read), of a lock held for writing.
    #[inline]
    pub unsafe fn force_unlock_write(&self) {
        // SAFETY: this function's contract.
        drop(unsafe { self.make_write_guard_unchecked() });
    }

    /// As [`force_unlock_write`](Self::force_unlock_write), handing the lock to a waiting thread if there is one.
    ///
    /// # Safety
    ///
    /// As for [`force_unlock_write`](Self::force_unlock_write).
    #[inline]
    pub unsafe fn force_unlock_write_fair(&self) {
        // SAFETY: this function's contract.
        RwLockWriteGuard::unlock_fair(unsafe { self.make_write_guard_unchecked() });
    }
}

#[cfg(feature = "arc_lock")]
impl<R: RwLockRaw, T: ?Sized> RwLock<R, T> {
    /// [`make_read_guard_unchecked`](Self::make_read_guard_unchecked), with a guard that shares the lock.
    ///
    /// # Safety
    ///
    /// As for [`make_read_guard_unchecked`](Self::make_read_guard_unchecked).
    #[inline]
    pub unsafe fn make_arc_read_guard_unchecked(self: &Arc<Self>) -> ArcRwLockReadGuard<R, T> {
        // SAFETY: this function's contract.
        ArcRwLockReadGuard::new(unsafe { Held::adopt(Arc::clone(self)) })
    }

    /// [`make_write_guard_unchecked`](Self::make_write_guard_unchecked), with a guard that shares the lock.
    ///
    /// # Safety
    ///
    /// As for [`make_write_guard_unchecked`](Self::make_write_guard_unchecked).
    #[inline]
    pub unsafe fn make_arc_write_guard_unchecked(self: &Arc<Self>) -> ArcRwLockWriteGuard<R, T> {
        // SAFETY: this function's contract.
        ArcRwLockWriteGuard::new(unsafe { Held::adopt(Arc::clone(self)) })
    }

    /// [`make_upgradable_guard_unchecked`](Self::make_upgradable_guard_unchecked), with a guard that shares the lock.
    ///
    /// # Safety
    ///
    /// As for [`make_upgradable_guard_unchecked`](Self::make_upgradable_guard_unchecked).
    #[inline]
    pub unsafe fn make_upgradable_arc_guard_unchecked(self: &Arc<Self>) -> ArcRwLockUpgradableReadGuard<R, T> {
        // SAFETY: this function's contract.
        ArcRwLockUpgradableReadGuard::new(unsafe { Held::adopt(Arc::clone(self)) })
    }
}
