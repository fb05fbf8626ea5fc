//! Locks from raw ones by another name, guards for acquisitions that have none, and releases without guards.

#[cfg(feature = "arc_lock")]
use std::sync::Arc;

use super::Token;
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
    /// [`from_raw`](Self::from_raw) by another name.
    #[track_caller]
    #[inline]
    pub const fn const_new(raw_mutex: R, val: T) -> Mutex<R, T> {
        Self::from_raw(raw_mutex, val)
    }
}

#[cfg(feature = "atomic_usize")]
impl<R, G, T> ReentrantMutex<R, G, T> {
    /// [`from_raw`](Self::from_raw) by another name.
    #[track_caller]
    #[inline]
    pub const fn const_new(raw_mutex: R, get_thread_id: G, val: T) -> ReentrantMutex<R, G, T> {
        Self::from_raw(raw_mutex, get_thread_id, val)
    }
}

impl<R, T> RwLock<R, T> {
    /// [`from_raw`](Self::from_raw) by another name.
    #[track_caller]
    #[inline]
    pub const fn const_new(raw_rwlock: R, val: T) -> RwLock<R, T> {
        Self::from_raw(raw_rwlock, val)
    }
}

impl<R: RawMutex, T: ?Sized> Mutex<R, T> {
    /// Makes a guard for a mutex that is locked already, as after forgetting its guard.
    ///
    /// # Safety
    ///
    /// The current context holds the mutex, no other guard will unlock it, and no reference into the data is used while the guard
    /// lives.
    #[inline]
    pub unsafe fn make_guard_unchecked(&self) -> MutexGuard<'_, R, T> {
        // SAFETY: this function's contract.
        MutexGuard::new(unsafe { Held::adopt(self, Token::new()) })
    }

    /// Unlocks without the guard.
    ///
    /// # Safety
    ///
    /// The current context holds the mutex by a guard that was forgotten, and no reference into the data is used afterwards.
    #[inline]
    #[track_caller]
    pub unsafe fn force_unlock(&self) {
        follow::release_unguarded(self.lock_ref(), Mode::Exclusive);
        // SAFETY: this function's contract.
        unsafe { self.raw_lock().unlock() };
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
    pub unsafe fn force_unlock_fair(&self) {
        follow::release_unguarded(self.lock_ref(), Mode::Exclusive);
        // SAFETY: this function's contract.
        unsafe { self.raw_lock().unlock_fair() };
    }
}

impl<R: RawRwLock, T: ?Sized> RwLock<R, T> {
    /// Makes a guard for a lock that is held for reading already, as after forgetting its guard.
    ///
    /// # Safety
    ///
    /// The current context holds the lock for reading, no other guard will end that hold, and no reference into the data conflicts
    /// with the guard's.
    #[inline]
    pub unsafe fn make_read_guard_unchecked(&self) -> RwLockReadGuard<'_, R, T> {
        // SAFETY: this function's contract.
        RwLockReadGuard::new(unsafe { Held::adopt(self, Token::new()) })
    }

    /// Makes a guard for a lock that is held for writing already, as after forgetting its guard.
    ///
    /// # Safety
    ///
    /// As for [`make_read_guard_unchecked`](Self::make_read_guard_unchecked), of a lock held for writing.
    #[inline]
    pub unsafe fn make_write_guard_unchecked(&self) -> RwLockWriteGuard<'_, R, T> {
        // SAFETY: this function's contract.
        RwLockWriteGuard::new(unsafe { Held::adopt(self, Token::new()) })
    }

    /// Ends a reader's hold without its guard.
    ///
    /// # Safety
    ///
    /// The current context holds the lock for reading by a guard that was forgotten, and no reference into the data is used
    /// afterwards.
    #[inline]
    #[track_caller]
    pub unsafe fn force_unlock_read(&self) {
        follow::release_unguarded(self.lock_ref(), Mode::Shared);
        // SAFETY: this function's contract.
        unsafe { self.raw_lock().unlock_shared() };
    }

    /// Ends a writer's hold without its guard.
    ///
    /// # Safety
    ///
    /// As for [`force_unlock_read`](Self::force_unlock_read), of a lock held for writing.
    #[inline]
    #[track_caller]
    pub unsafe fn force_unlock_write(&self) {
        follow::release_unguarded(self.lock_ref(), Mode::Exclusive);
        // SAFETY: this function's contract.
        unsafe { self.raw_lock().unlock_exclusive() };
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
    pub unsafe fn force_unlock_read_fair(&self) {
        follow::release_unguarded(self.lock_ref(), Mode::Shared);
        // SAFETY: this function's contract.
        unsafe { self.raw_lock().unlock_shared_fair() };
    }

    /// As [`force_unlock_write`](Self::force_unlock_write), handing the lock to a waiting thread if there is one.
    ///
    /// # Safety
    ///
    /// As for [`force_unlock_write`](Self::force_unlock_write).
    #[inline]
    #[track_caller]
    pub unsafe fn force_unlock_write_fair(&self) {
        follow::release_unguarded(self.lock_ref(), Mode::Exclusive);
        // SAFETY: this function's contract.
        unsafe { self.raw_lock().unlock_exclusive_fair() };
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
        RwLockUpgradableReadGuard::new(unsafe { Held::adopt(self, Token::new()) })
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
    pub unsafe fn make_arc_read_guard_unchecked(self: &Arc<Self>) -> ArcRwLockReadGuard<R, T> {
        // SAFETY: this function's contract.
        ArcRwLockReadGuard::new(unsafe { Held::adopt(Arc::clone(self), Token::new()) })
    }

    /// [`make_write_guard_unchecked`](Self::make_write_guard_unchecked), with a guard that shares the lock.
    ///
    /// # Safety
    ///
    /// As for [`make_write_guard_unchecked`](Self::make_write_guard_unchecked).
    #[inline]
    pub unsafe fn make_arc_write_guard_unchecked(self: &Arc<Self>) -> ArcRwLockWriteGuard<R, T> {
        // SAFETY: this function's contract.
        ArcRwLockWriteGuard::new(unsafe { Held::adopt(Arc::clone(self), Token::new()) })
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
    pub unsafe fn make_upgradable_arc_guard_unchecked(self: &Arc<Self>) -> ArcRwLockUpgradableReadGuard<R, T> {
        // SAFETY: this function's contract.
        ArcRwLockUpgradableReadGuard::new(unsafe { Held::adopt(Arc::clone(self), Token::new()) })
    }
}
