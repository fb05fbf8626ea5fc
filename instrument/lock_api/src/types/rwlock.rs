//! The read-write lock. `asking` has the further ways to ask for it.

use std::{cell::UnsafeCell, fmt, panic::Location};

use super::{
    held::{Held, Lock, guarded_by},
    read_guard::RwLockReadGuard,
    stand_in,
    write_guard::RwLockWriteGuard,
};
use crate::{
    follow::{self, LockKind, LockMeta, LockRef, Mode},
    raw::{RawRwLock, RawRwLockFair},
};

/// Many readers or one writer by the raw lock `R`, over data of type `T`, followed by lockscope.
pub struct RwLock<R, T: ?Sized> {
    meta: LockMeta,
    raw: R,
    data: UnsafeCell<T>,
}

// SAFETY: the lock owns its data.
unsafe impl<R: RawRwLock + Send, T: ?Sized + Send> Send for RwLock<R, T> {}
// SAFETY: `raw` keeps writers apart from everybody, which sends `T`; readers share `T`.
unsafe impl<R: RawRwLock + Sync, T: ?Sized + Send + Sync> Sync for RwLock<R, T> {}

impl<R: RawRwLock, T> RwLock<R, T> {
    /// Makes an unlocked lock. Reports call it by the place of this call.
    #[track_caller]
    #[inline]
    pub const fn new(val: T) -> RwLock<R, T> {
        Self::from_raw(R::INIT, val)
    }

    /// Takes the lock apart and returns the data.
    #[inline]
    pub fn into_inner(self) -> T {
        self.data.into_inner()
    }
}

impl<R, T> RwLock<R, T> {
    /// Makes a lock of a raw one. What the raw one was used for before is not known to lockscope.
    #[track_caller]
    #[inline]
    pub const fn from_raw(raw_rwlock: R, val: T) -> RwLock<R, T> {
        Self { meta: LockMeta::new(), raw: raw_rwlock, data: UnsafeCell::new(val) }
    }

    /// [`from_raw`](Self::from_raw) by another name.
    #[track_caller]
    #[inline]
    pub const fn const_new(raw_rwlock: R, val: T) -> RwLock<R, T> {
        Self::from_raw(raw_rwlock, val)
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

    /// Locks for reading, waiting for as long as it takes.
    #[track_caller]
    #[inline]
    pub fn read(&self) -> RwLockReadGuard<'_, R, T> {
        RwLockReadGuard::new(Held::acquire(self))
    }

    /// Locks for reading if that is possible without waiting.
    #[track_caller]
    #[inline]
    pub fn try_read(&self) -> Option<RwLockReadGuard<'_, R, T>> {
        Held::try_acquire(self).map(RwLockReadGuard::new)
    }

    /// Locks for writing, waiting for as long as it takes.
    #[track_caller]
    #[inline]
    pub fn write(&self) -> RwLockWriteGuard<'_, R, T> {
        RwLockWriteGuard::new(Held::acquire(self))
    }

    /// Locks for writing if that is possible without waiting.
    #[track_caller]
    #[inline]
    pub fn try_write(&self) -> Option<RwLockWriteGuard<'_, R, T>> {
        Held::try_acquire(self).map(RwLockWriteGuard::new)
    }

    /// The data, without locking: `&mut self` proves that nobody else has it.
    #[inline]
    pub fn get_mut(&mut self) -> &mut T {
        self.data.get_mut()
    }

    /// Whether the lock is held at this instant, in whatever way.
    #[inline]
    #[track_caller]
    pub fn is_locked(&self) -> bool {
        self.raw.is_locked()
    }

    /// Whether the lock is held by a writer at this instant.
    #[inline]
    #[track_caller]
    pub fn is_locked_exclusive(&self) -> bool {
        self.raw.is_locked_exclusive()
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
        unsafe { self.raw.unlock_shared() };
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
        unsafe { self.raw.unlock_exclusive() };
    }

    /// The raw lock. lockscope does not follow this lock from now on, since it can be unlocked unseen.
    ///
    /// # Safety
    ///
    /// The raw lock must not be unlocked while a guard or a reference into the data relies on it.
    #[inline]
    #[track_caller]
    pub unsafe fn raw(&self) -> &R {
        if !stand_in::is_known(&self.raw) {
            follow::unfollow(self.lock_ref(), Location::caller());
        }
        &self.raw
    }

    /// A pointer to the data. Accesses through it must be ordered by the lock, and are not seen by lockscope.
    #[inline]
    pub fn data_ptr(&self) -> *mut T {
        self.data.get()
    }

    #[inline]
    pub(super) fn lock_ref(&self) -> LockRef<'_> {
        guarded_by::<R, R::GuardMarker>(LockRef::new::<T>(&self.meta, LockKind::RwLock))
    }

    #[inline]
    pub(super) fn raw_lock(&self) -> &R {
        &self.raw
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
        unsafe { self.raw.unlock_shared_fair() };
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
        unsafe { self.raw.unlock_exclusive_fair() };
    }
}

impl<R: RawRwLock, T: ?Sized> Lock for &RwLock<R, T> {
    type Raw = R;

    #[inline]
    fn lock_ref(&self) -> LockRef<'_> {
        RwLock::lock_ref(self)
    }

    #[inline]
    fn raw_lock(&self) -> &R {
        &self.raw
    }
}

impl<R: RawRwLock, T: Default> Default for RwLock<R, T> {
    #[track_caller]
    #[inline]
    fn default() -> RwLock<R, T> {
        RwLock::new(Default::default())
    }
}

impl<R: RawRwLock, T> From<T> for RwLock<R, T> {
    #[track_caller]
    #[inline]
    fn from(t: T) -> RwLock<R, T> {
        RwLock::new(t)
    }
}

impl<R: RawRwLock, T: ?Sized + fmt::Debug> fmt::Debug for RwLock<R, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut out = f.debug_struct("RwLock");
        match self.try_read() {
            Some(guard) => out.field("data", &&*guard),
            None => out.field("data", &format_args!("<locked>")),
        };
        out.finish()
    }
}
