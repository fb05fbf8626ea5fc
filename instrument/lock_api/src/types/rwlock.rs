//! The read-write lock. `asking` has the further ways to ask for it.

use std::{cell::UnsafeCell, fmt, panic::Location};

use super::{
    held::{Held, Lock, guarded_by},
    read_guard::RwLockReadGuard,
    write_guard::RwLockWriteGuard,
};
use crate::{
    follow::{self, LockKind, LockMeta, LockRef},
    raw::RawRwLock,
    version::{self, RwLockMarker},
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

    /// The raw lock and the data.
    #[allow(dead_code, reason = "not every version gives the raw lock back")]
    #[inline]
    pub(crate) fn into_parts(self) -> (R, T) {
        (self.raw, self.data.into_inner())
    }
}

impl<R: RawRwLock, T: ?Sized> RwLock<R, T> {
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
    pub const fn get_mut(&mut self) -> &mut T {
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

    /// The raw lock. lockscope does not follow this lock from now on, since it can be unlocked unseen.
    ///
    /// # Safety
    ///
    /// The raw lock must not be unlocked while a guard or a reference into the data relies on it.
    #[inline]
    #[track_caller]
    pub unsafe fn raw(&self) -> &R {
        if !version::is_known(&self.raw) {
            follow::unfollow(self.lock_ref(), Location::caller());
        }
        &self.raw
    }

    /// A pointer to the data. Accesses through it must be ordered by the lock, and are not seen by lockscope.
    #[inline]
    pub const fn data_ptr(&self) -> *mut T {
        self.data.get()
    }

    #[inline]
    pub(crate) fn lock_ref(&self) -> LockRef<'_> {
        guarded_by::<R, RwLockMarker<R>>(LockRef::new::<T>(&self.meta, LockKind::RwLock))
    }

    #[inline]
    pub(crate) fn raw_lock(&self) -> &R {
        &self.raw
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
