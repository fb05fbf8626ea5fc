//! The mutex.

use std::{
    cell::UnsafeCell,
    fmt,
    time::{Duration, Instant},
};

use lock_api::{RawMutex as _, RawMutexFair as _};
use lockscope::rt::{self, LockKind, LockMeta, LockRef, Mode};
use parking_lot::RawMutex;

use super::{
    held::{Held, Lock},
    mutex_guard::MutexGuard,
    raw::Token,
};

/// A mutual exclusion lock: parking_lot's `Mutex`, followed by lockscope.
///
/// ```
/// use lockscope_parking_lot::Mutex;
///
/// let total = Mutex::new(0);
/// std::thread::scope(|scope| {
///     for n in 1..=4 {
///         let total = &total;
///         scope.spawn(move || *total.lock() += n);
///     }
/// });
/// assert_eq!(total.into_inner(), 10);
/// ```
pub struct Mutex<T: ?Sized> {
    pub(crate) meta: LockMeta,
    raw: RawMutex,
    data: UnsafeCell<T>,
}

// SAFETY: `raw` lets one thread at a time reach the data, so sharing the mutex only sends `T`.
unsafe impl<T: ?Sized + Send> Sync for Mutex<T> {}

impl<T> Mutex<T> {
    /// Makes an unlocked mutex.
    ///
    /// Reports call it by the place of this call; for a name or a rank see [`named`](crate::named).
    #[track_caller]
    #[inline]
    pub const fn new(value: T) -> Self {
        Self::from_raw(RawMutex::INIT, value)
    }

    /// Makes a mutex from a raw one. What the raw one was used for before is not known to lockscope.
    #[track_caller]
    #[inline]
    pub const fn from_raw(raw: RawMutex, value: T) -> Self {
        Self { meta: LockMeta::new(), raw, data: UnsafeCell::new(value) }
    }

    /// Takes the mutex apart and returns the data.
    #[inline]
    pub fn into_inner(self) -> T {
        self.data.into_inner()
    }

    /// Takes the mutex apart and returns the raw mutex and the data.
    #[inline]
    pub fn into_inner_with_raw(self) -> (RawMutex, T) {
        (self.raw, self.data.into_inner())
    }
}

impl<T: ?Sized> Mutex<T> {
    /// Locks the mutex, waiting for as long as it takes.
    ///
    /// Locking a mutex that this thread has locked already waits for ever; lockscope reports it first.
    #[track_caller]
    #[inline]
    pub fn lock(&self) -> MutexGuard<'_, T> {
        MutexGuard::new(Held::acquire(self))
    }

    /// Locks the mutex if that is possible without waiting.
    #[track_caller]
    #[inline]
    pub fn try_lock(&self) -> Option<MutexGuard<'_, T>> {
        Held::try_acquire(self).map(MutexGuard::new)
    }

    /// Locks the mutex, waiting for `timeout` at most.
    #[track_caller]
    #[inline]
    pub fn try_lock_for(&self, timeout: Duration) -> Option<MutexGuard<'_, T>> {
        Held::acquire_for(self, timeout).map(MutexGuard::new)
    }

    /// Locks the mutex, waiting until `timeout` at most.
    #[track_caller]
    #[inline]
    pub fn try_lock_until(&self, timeout: Instant) -> Option<MutexGuard<'_, T>> {
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

    /// The raw mutex. What is done to it is not seen by lockscope.
    ///
    /// # Safety
    ///
    /// The raw mutex must not be unlocked while a guard or a reference into the data relies on it.
    #[inline]
    pub unsafe fn raw(&self) -> &RawMutex {
        &self.raw
    }

    /// Makes a guard for a mutex that is locked already, as after forgetting its guard.
    ///
    /// # Safety
    ///
    /// The current context holds the lock, by the acquisition that `guard` comes from; no other guard will unlock
    /// it, and no reference into the data conflicts with the new guard's.
    #[inline]
    pub unsafe fn make_guard_unchecked(&self, _guard: Token) -> MutexGuard<'_, T> {
        // SAFETY: this function's contract.
        MutexGuard::new(unsafe { Held::adopt(self) })
    }

    /// Unlocks the mutex without a guard.
    ///
    /// # Safety
    ///
    /// The current context holds the lock, by the acquisition that `guard` comes from; no guard will unlock it
    /// again, and no reference into the data is used afterwards.
    #[inline]
    pub unsafe fn force_unlock(&self, guard: Token) {
        rt::release_unguarded(self.lock_ref(), Mode::Exclusive);
        // SAFETY: this function's contract.
        unsafe { self.raw.unlock(guard) };
    }

    /// Unlocks the mutex without a guard, handing it to a waiting thread if there is one.
    ///
    /// # Safety
    ///
    /// As for [`force_unlock`](Self::force_unlock).
    #[inline]
    pub unsafe fn force_unlock_fair(&self, guard: Token) {
        rt::release_unguarded(self.lock_ref(), Mode::Exclusive);
        // SAFETY: this function's contract.
        unsafe { self.raw.unlock_fair(guard) };
    }

    #[inline]
    pub(crate) fn lock_ref(&self) -> LockRef<'_> {
        LockRef::new::<T>(&self.meta, LockKind::Mutex)
    }
}

impl<T: ?Sized> Lock for &Mutex<T> {
    type Raw = RawMutex;

    #[inline]
    fn lock_ref(&self) -> LockRef<'_> {
        Mutex::lock_ref(self)
    }

    #[inline]
    fn raw(&self) -> &RawMutex {
        &self.raw
    }
}

impl<T: Default> Default for Mutex<T> {
    #[track_caller]
    #[inline]
    fn default() -> Self {
        Self::new(T::default())
    }
}

impl<T> From<T> for Mutex<T> {
    #[track_caller]
    #[inline]
    fn from(value: T) -> Self {
        Self::new(value)
    }
}

impl<T: ?Sized + fmt::Debug> fmt::Debug for Mutex<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut out = f.debug_struct("Mutex");
        match self.try_lock() {
            Some(guard) => out.field("data", &&*guard),
            None => out.field("data", &format_args!("<locked>")),
        };
        out.finish()
    }
}
