//! The mutex.

use std::{cell::UnsafeCell, fmt, panic::Location};

use super::{
    held::{Held, Lock, guarded_by},
    mutex_guard::MutexGuard,
    way::Locked,
};
use crate::{
    follow::{self, LockKind, LockMeta, LockRef},
    raw::{RawMutex, RawMutexTimed},
    version::{self, MutexMarker},
};

/// Mutual exclusion by the raw mutex `R`, over data of type `T`, followed by lockscope.
pub struct Mutex<R, T: ?Sized> {
    meta: LockMeta,
    raw: R,
    data: UnsafeCell<T>,
}

// SAFETY: the mutex owns its data.
unsafe impl<R: RawMutex + Send, T: ?Sized + Send> Send for Mutex<R, T> {}
// SAFETY: `raw` lets one thread at a time reach the data, which sends it from thread to thread.
unsafe impl<R: RawMutex + Sync, T: ?Sized + Send> Sync for Mutex<R, T> {}

impl<R: RawMutex, T> Mutex<R, T> {
    /// Makes an unlocked mutex. Reports call it by the place of this call.
    #[track_caller]
    #[inline]
    pub const fn new(val: T) -> Mutex<R, T> {
        Self::from_raw(R::INIT, val)
    }

    /// Takes the mutex apart and returns the data.
    #[inline]
    pub fn into_inner(self) -> T {
        self.data.into_inner()
    }
}

impl<R, T> Mutex<R, T> {
    /// Makes a mutex of a raw one. What the raw one was used for before is not known to lockscope.
    #[track_caller]
    #[inline]
    pub const fn from_raw(raw_mutex: R, val: T) -> Mutex<R, T> {
        Self { meta: LockMeta::new(), raw: raw_mutex, data: UnsafeCell::new(val) }
    }

    /// The raw lock and the data.
    #[allow(dead_code, reason = "not every version gives the raw lock back")]
    #[inline]
    pub(crate) fn into_parts(self) -> (R, T) {
        (self.raw, self.data.into_inner())
    }
}

impl<R: RawMutex, T: ?Sized> Mutex<R, T> {
    /// Locks, waiting for as long as it takes.
    #[track_caller]
    #[inline]
    pub fn lock(&self) -> MutexGuard<'_, R, T> {
        MutexGuard::new(Held::acquire(self))
    }

    /// Locks if that is possible without waiting.
    #[track_caller]
    #[inline]
    pub fn try_lock(&self) -> Option<MutexGuard<'_, R, T>> {
        Held::try_acquire(self).map(MutexGuard::new)
    }

    /// The data, without locking: `&mut self` proves that nobody else has it.
    #[inline]
    pub const fn get_mut(&mut self) -> &mut T {
        self.data.get_mut()
    }

    /// Whether the mutex is locked at this instant.
    #[inline]
    #[track_caller]
    pub fn is_locked(&self) -> bool {
        self.raw.is_locked()
    }

    /// The raw mutex. lockscope does not follow this mutex from now on, since it can be unlocked unseen.
    ///
    /// # Safety
    ///
    /// The raw mutex must not be unlocked while a guard or a reference into the data relies on it.
    #[inline]
    #[track_caller]
    pub unsafe fn raw(&self) -> &R {
        if !version::is_known(&self.raw) {
            follow::unfollow(self.lock_ref(), Location::caller());
        }
        &self.raw
    }

    /// A pointer to the data. Accesses through it must be ordered by the mutex, and are not seen by lockscope.
    #[inline]
    pub const fn data_ptr(&self) -> *mut T {
        self.data.get()
    }

    #[inline]
    pub(crate) fn lock_ref(&self) -> LockRef<'_> {
        guarded_by::<R, MutexMarker<R>>(LockRef::new::<T>(&self.meta, LockKind::Mutex))
    }

    #[inline]
    pub(crate) fn raw_lock(&self) -> &R {
        &self.raw
    }
}

impl<R: RawMutexTimed, T: ?Sized> Mutex<R, T> {
    /// Locks, waiting for `timeout` at most.
    #[track_caller]
    #[inline]
    pub fn try_lock_for(&self, timeout: R::Duration) -> Option<MutexGuard<'_, R, T>> {
        Held::acquire_for::<Locked>(self, timeout).map(MutexGuard::new)
    }

    /// Locks, waiting until `timeout` at most.
    #[track_caller]
    #[inline]
    pub fn try_lock_until(&self, timeout: R::Instant) -> Option<MutexGuard<'_, R, T>> {
        Held::acquire_until::<Locked>(self, timeout).map(MutexGuard::new)
    }
}

impl<R: RawMutex, T: ?Sized> Lock for &Mutex<R, T> {
    type Raw = R;

    #[inline]
    fn lock_ref(&self) -> LockRef<'_> {
        Mutex::lock_ref(self)
    }

    #[inline]
    fn raw_lock(&self) -> &R {
        &self.raw
    }
}

impl<R: RawMutex, T: Default> Default for Mutex<R, T> {
    #[track_caller]
    #[inline]
    fn default() -> Mutex<R, T> {
        Mutex::new(Default::default())
    }
}

impl<R: RawMutex, T> From<T> for Mutex<R, T> {
    #[track_caller]
    #[inline]
    fn from(t: T) -> Mutex<R, T> {
        Mutex::new(t)
    }
}

impl<R: RawMutex, T: ?Sized + fmt::Debug> fmt::Debug for Mutex<R, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut out = f.debug_struct("Mutex");
        match self.try_lock() {
            Some(guard) => out.field("data", &&*guard),
            None => out.field("data", &format_args!("<locked>")),
        };
        out.finish()
    }
}
