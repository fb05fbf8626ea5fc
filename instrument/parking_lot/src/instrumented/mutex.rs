//! The mutex, fair or not.

use std::{
    cell::UnsafeCell,
    fmt,
    time::{Duration, Instant},
};

use lockscope::rt::LockRef;

use super::{
    held::{Held, Lock, lock_ref},
    mutex_guard::MutexGuard,
    raw::{RawFairMutex, RawMutex},
    way::MutexRaw,
};

/// A mutual exclusion lock, by way of the raw mutex `R`.
pub struct Mutex<R, T: ?Sized> {
    pub(crate) raw: R,
    data: UnsafeCell<T>,
}

// SAFETY: `raw` lets one thread at a time reach the data, so sharing the mutex only sends `T`.
unsafe impl<R: Sync, T: ?Sized + Send> Sync for Mutex<R, T> {}

macro_rules! constructors {
    ($raw:ident) => {
        impl<T> Mutex<$raw, T> {
            /// Makes an unlocked mutex.
            ///
            /// Reports call it by the place of this call; for a name or a rank see [`named`](crate::named).
            #[track_caller]
            #[inline]
            pub const fn new(value: T) -> Self {
                Self::from_raw($raw::UNLOCKED, value)
            }

            /// Makes a mutex from a raw one.
            #[track_caller]
            #[inline]
            pub const fn from_raw(mut raw_mutex: $raw, value: T) -> Self {
                raw_mutex.meta.set_created();
                Self { raw: raw_mutex, data: UnsafeCell::new(value) }
            }
        }
    };
}

constructors!(RawMutex);
constructors!(RawFairMutex);

impl<R, T> Mutex<R, T> {
    /// Takes the mutex apart and returns the data.
    #[inline]
    pub fn into_inner(self) -> T {
        self.data.into_inner()
    }

    /// Takes the mutex apart and returns the raw mutex and the data.
    #[inline]
    pub fn into_inner_with_raw(self) -> (R, T) {
        (self.raw, self.data.into_inner())
    }
}

impl<R: MutexRaw, T: ?Sized> Mutex<R, T> {
    /// Locks the mutex, waiting for as long as it takes.
    ///
    /// Locking a mutex that this thread has locked already waits for ever; lockscope reports it first.
    #[track_caller]
    #[inline]
    pub fn lock(&self) -> MutexGuard<'_, R, T> {
        MutexGuard::new(Held::acquire(self))
    }

    /// Locks the mutex if that is possible without waiting.
    #[track_caller]
    #[inline]
    pub fn try_lock(&self) -> Option<MutexGuard<'_, R, T>> {
        Held::try_acquire(self).map(MutexGuard::new)
    }

    /// Locks the mutex, waiting for `timeout` at most.
    #[track_caller]
    #[inline]
    pub fn try_lock_for(&self, timeout: Duration) -> Option<MutexGuard<'_, R, T>> {
        Held::acquire_for(self, timeout).map(MutexGuard::new)
    }

    /// Locks the mutex, waiting until `timeout` at most.
    #[track_caller]
    #[inline]
    pub fn try_lock_until(&self, timeout: Instant) -> Option<MutexGuard<'_, R, T>> {
        Held::acquire_until(self, timeout).map(MutexGuard::new)
    }

    /// Whether the mutex is locked at this instant.
    #[inline]
    pub fn is_locked(&self) -> bool {
        self.raw.is_locked()
    }

    /// The data, without locking: `&mut self` proves that nobody else has it.
    #[inline]
    pub const fn get_mut(&mut self) -> &mut T {
        self.data.get_mut()
    }

    /// A pointer to the data. Accesses through it must be ordered by the lock, and are not seen by lockscope.
    #[inline]
    pub const fn data_ptr(&self) -> *mut T {
        self.data.get()
    }

    /// The raw mutex. What is done to it is followed as well.
    ///
    /// # Safety
    ///
    /// The raw mutex must not be unlocked while a guard or a reference into the data relies on it.
    #[inline]
    pub unsafe fn raw(&self) -> &R {
        &self.raw
    }

    #[inline]
    pub(crate) fn lock_ref(&self) -> LockRef<'_> {
        lock_ref::<T>(self.raw.meta(), R::KIND)
    }
}

impl<R: MutexRaw, T: ?Sized> Lock for &Mutex<R, T> {
    type Raw = R;

    #[inline]
    fn lock_ref(&self) -> LockRef<'_> {
        Mutex::lock_ref(self)
    }

    #[inline]
    fn raw(&self) -> &R {
        &self.raw
    }
}

impl<R: MutexRaw, T: Default> Default for Mutex<R, T> {
    #[track_caller]
    #[inline]
    fn default() -> Self {
        Self::from(T::default())
    }
}

impl<R: MutexRaw, T> From<T> for Mutex<R, T> {
    #[track_caller]
    #[inline]
    fn from(value: T) -> Self {
        let mut raw = R::INIT;
        raw.meta_mut().set_created();
        Self { raw, data: UnsafeCell::new(value) }
    }
}

impl<R: MutexRaw, T: ?Sized + fmt::Debug> fmt::Debug for Mutex<R, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut out = f.debug_struct("Mutex");
        match self.try_lock() {
            Some(guard) => out.field("data", &&*guard),
            None => out.field("data", &format_args!("<locked>")),
        };
        out.finish()
    }
}
