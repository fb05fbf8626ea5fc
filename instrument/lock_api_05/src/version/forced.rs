//! Taking locks apart with their raw ones, and what takes the token of an acquisition: guards for acquisitions that have none, and
//! releases without guards.

#[cfg(feature = "arc_lock")]
use std::sync::Arc;

#[cfg(feature = "atomic_usize")]
use crate::types::ReentrantMutex;
#[cfg(feature = "arc_lock")]
use crate::types::{ArcRwLockReadGuard, ArcRwLockUpgradableReadGuard, ArcRwLockWriteGuard};
use crate::{
    follow::{self, Mode},
    raw::{RawMutex, RawMutexFair, RawRwLock, RawRwLockFair, RawRwLockUpgrade},
    types::{Mutex, MutexGuard, RwLock, RwLockReadGuard, RwLockUpgradableReadGuard, RwLockWriteGuard, held::Held},
};

impl<R, T> Mutex<R, T> {
    /// Takes the mutex apart and returns the raw mutex and the data.
    #[inline]
    pub fn into_inner_with_raw(self) -> (R, T) {
        self.into_parts()
    }
}

#[cfg(feature = "atomic_usize")]
impl<R: RawMutex, G, T> ReentrantMutex<R, G, T> {
    /// Takes the mutex apart and returns the raw mutex, what tells threads apart, and the data.
    #[inline]
    pub fn into_inner_with_raw(self) -> (R, G, T) {
        self.into_parts()
    }
}

impl<R, T> RwLock<R, T> {
    /// Takes the lock apart and returns the raw lock and the data.
    #[inline]
    pub fn into_inner_with_raw(self) -> (R, T) {
        self.into_parts()
    }
}

impl<R: RawMutex, T: ?Sized> Mutex<R, T> {
    /// Makes a guard for a mutex that is locked already, as after forgetting its guard.
    ///
    /// # Safety
    ///
    /// The current context holds the mutex, by the acquisition that `guard` comes from, no other guard will unlock it, and no reference into the data is used while the guard
    /// lives.
    #[inline]
    pub unsafe fn make_guard_unchecked(&self, guard: R::Guard) -> MutexGuard<'_, R, T> {
        // SAFETY: this function's contract.
        MutexGuard::new(unsafe { Held::adopt(self, guard) })
    }

    /// Unlocks without the guard.
    ///
    /// # Safety
    ///
    /// The current context holds the mutex, by the acquisition that `guard` comes from, no guard will unlock it again, and no reference into the data is used afterwards.
    #[inline]
    #[track_caller]
    pub unsafe fn force_unlock(&self, guard: R::Guard) {
        follow::release_unguarded(self.lock_ref(), Mode::Exclusive);
        // SAFETY: this function's contract.
        unsafe { self.raw_lock().unlock(guard) };
    }
}

impl<R: RawMutexFair, T: ?Sized> Mutex<R, T> {
    /// As [`force_unlock`](Self::force_unlock), handing the mutex to a waiting thread if there is one.
    ///
    /// # Safety
    ///
    /// As for [`force_unlock`](Self::force_unlock).
    #[inline]
    #[track_caller]
    pub unsafe fn force_unlock_fair(&self, guard: R::Guard) {
        follow::release_unguarded(self.lock_ref(), Mode::Exclusive);
        // SAFETY: this function's contract.
        unsafe { self.raw_lock().unlock_fair(guard) };
    }
}

impl<R: RawRwLock, T: ?Sized> RwLock<R, T> {
    /// Makes a guard for a lock that is held for reading already, as after forgetting its guard.
    ///
    /// # Safety
    ///
    /// The current context holds the lock for reading, by the acquisition that `guard` comes from, no other guard will end that hold, and no reference into the data conflicts
    /// with the guard's.
    #[inline]
    pub unsafe fn make_read_guard_unchecked(&self, guard: R::SharedGuard) -> RwLockReadGuard<'_, R, T> {
        // SAFETY: this function's contract.
        RwLockReadGuard::new(unsafe { Held::adopt(self, guard) })
    }

    /// Makes a guard for a lock that is held for writing already, as after forgetting its guard.
    ///
    /// # Safety
    ///
    /// As for [`make_read_guard_unchecked`](Self::make_read_guard_unchecked), of a lock held for writing.
    #[inline]
    pub unsafe fn make_write_guard_unchecked(&self, guard: R::ExclusiveGuard) -> RwLockWriteGuard<'_, R, T> {
        // SAFETY: this function's contract.
        RwLockWriteGuard::new(unsafe { Held::adopt(self, guard) })
    }

    /// Ends a reader's hold without its guard.
    ///
    /// # Safety
    ///
    /// The current context holds the lock for reading, by the acquisition that `guard` comes from, no guard will end that hold again, and no reference into the data is used
    /// afterwards.
    #[inline]
    #[track_caller]
    pub unsafe fn force_unlock_read(&self, guard: R::SharedGuard) {
        follow::release_unguarded(self.lock_ref(), Mode::Shared);
        // SAFETY: this function's contract.
        unsafe { self.raw_lock().unlock_shared(guard) };
    }

    /// Ends a writer's hold without its guard.
    ///
    /// # Safety
    ///
    /// As for [`force_unlock_read`](Self::force_unlock_read), of a lock held for writing.
    #[inline]
    #[track_caller]
    pub unsafe fn force_unlock_write(&self, guard: R::ExclusiveGuard) {
        follow::release_unguarded(self.lock_ref(), Mode::Exclusive);
        // SAFETY: this function's contract.
        unsafe { self.raw_lock().unlock_exclusive(guard) };
    }
}

impl<R: RawRwLockFair, T: ?Sized> RwLock<R, T> {
    /// As [`force_unlock_read`](Self::force_unlock_read), handing the lock to a waiting thread if there is one.
    ///
    /// # Safety
    ///
    /// As for [`force_unlock_read`](Self::force_unlock_read).
    #[inline]
    #[track_caller]
    pub unsafe fn force_unlock_read_fair(&self, guard: R::SharedGuard) {
        follow::release_unguarded(self.lock_ref(), Mode::Shared);
        // SAFETY: this function's contract.
        unsafe { self.raw_lock().unlock_shared_fair(guard) };
    }

    /// As [`force_unlock_write`](Self::force_unlock_write), handing the lock to a waiting thread if there is one.
    ///
    /// # Safety
    ///
    /// As for [`force_unlock_write`](Self::force_unlock_write).
    #[inline]
    #[track_caller]
    pub unsafe fn force_unlock_write_fair(&self, guard: R::ExclusiveGuard) {
        follow::release_unguarded(self.lock_ref(), Mode::Exclusive);
        // SAFETY: this function's contract.
        unsafe { self.raw_lock().unlock_exclusive_fair(guard) };
    }
}

impl<R: RawRwLockUpgrade, T: ?Sized> RwLock<R, T> {
    /// Makes a guard for a lock that is held upgradable already, as after forgetting its guard.
    ///
    /// # Safety
    ///
    /// As for [`make_read_guard_unchecked`](Self::make_read_guard_unchecked), of a lock held upgradable.
    #[inline]
    pub unsafe fn make_upgradable_guard_unchecked(
        &self,
        guard: R::UpgradableGuard,
    ) -> RwLockUpgradableReadGuard<'_, R, T> {
        // SAFETY: this function's contract.
        RwLockUpgradableReadGuard::new(unsafe { Held::adopt(self, guard) })
    }
}

#[cfg(feature = "arc_lock")]
impl<R: RawRwLock, T: ?Sized> RwLock<R, T> {
    /// [`make_read_guard_unchecked`](Self::make_read_guard_unchecked), with a guard that shares the lock.
    ///
    /// # Safety
    ///
    /// As for [`make_read_guard_unchecked`](Self::make_read_guard_unchecked).
    #[inline]
    pub unsafe fn make_arc_read_guard_unchecked(self: &Arc<Self>, guard: R::SharedGuard) -> ArcRwLockReadGuard<R, T> {
        // SAFETY: this function's contract.
        ArcRwLockReadGuard::new(unsafe { Held::adopt(Arc::clone(self), guard) })
    }

    /// [`make_write_guard_unchecked`](Self::make_write_guard_unchecked), with a guard that shares the lock.
    ///
    /// # Safety
    ///
    /// As for [`make_write_guard_unchecked`](Self::make_write_guard_unchecked).
    #[inline]
    pub unsafe fn make_arc_write_guard_unchecked(
        self: &Arc<Self>,
        guard: R::ExclusiveGuard,
    ) -> ArcRwLockWriteGuard<R, T> {
        // SAFETY: this function's contract.
        ArcRwLockWriteGuard::new(unsafe { Held::adopt(Arc::clone(self), guard) })
    }
}

#[cfg(feature = "arc_lock")]
impl<R: RawRwLockUpgrade, T: ?Sized> RwLock<R, T> {
    /// [`make_upgradable_guard_unchecked`](Self::make_upgradable_guard_unchecked), with a guard that shares the lock.
    ///
    /// # Safety
    ///
    /// As for [`make_upgradable_guard_unchecked`](Self::make_upgradable_guard_unchecked).
    #[inline]
    pub unsafe fn make_upgradable_arc_guard_unchecked(
        self: &Arc<Self>,
        guard: R::UpgradableGuard,
    ) -> ArcRwLockUpgradableReadGuard<R, T> {
        // SAFETY: this function's contract.
        ArcRwLockUpgradableReadGuard::new(unsafe { Held::adopt(Arc::clone(self), guard) })
    }
}
