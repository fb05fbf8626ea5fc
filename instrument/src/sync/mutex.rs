//! std's mutex.

use std::{
    fmt,
    ops::{Deref, DerefMut},
    panic::Location,
    sync::{self, LockResult, TryLockResult},
};

use super::held::{self, Followed, Held};
use crate::rt::{LockKind, LockMeta, LockRef, Mode};

/// A mutual exclusion lock: [`std::sync::Mutex`], followed by lockscope.
///
/// ```
/// use lockscope::sync::Mutex;
///
/// let total = Mutex::new(0);
/// *total.lock().unwrap() += 1;
/// assert_eq!(total.into_inner().unwrap(), 1);
/// ```
pub struct Mutex<T: ?Sized> {
    pub(crate) meta: LockMeta,
    inner: sync::Mutex<T>,
}

impl<T> Mutex<T> {
    /// Makes an unlocked mutex.
    ///
    /// Reports call it by the place of this call; for a name or a rank see [`named`](crate::named).
    #[track_caller]
    #[inline]
    pub const fn new(value: T) -> Self {
        Self { meta: LockMeta::new(), inner: sync::Mutex::new(value) }
    }

    /// Takes the mutex apart and returns the data.
    ///
    /// # Errors
    ///
    /// When the mutex is poisoned; the error holds the data.
    pub fn into_inner(self) -> LockResult<T> {
        self.inner.into_inner()
    }
}

impl<T: ?Sized> Mutex<T> {
    /// Locks the mutex, waiting for as long as it takes.
    ///
    /// Locking a mutex that this thread has locked already waits for ever or panics; lockscope reports it first.
    ///
    /// # Errors
    ///
    /// When the mutex is poisoned; the error holds the guard.
    #[track_caller]
    #[inline]
    pub fn lock(&self) -> LockResult<MutexGuard<'_, T>> {
        let (try_now, wait) = (|| self.inner.try_lock(), || self.inner.lock());
        let acquired =
            held::acquire(&self.meta, Mode::Exclusive, Location::caller(), try_now, wait, || self.inner.is_poisoned());
        held::map(acquired, MutexGuard::from_parts)
    }

    /// Locks the mutex if that is possible without waiting.
    ///
    /// # Errors
    ///
    /// When the mutex is locked, or when it is poisoned; in that case the error holds the guard.
    #[track_caller]
    #[inline]
    pub fn try_lock(&self) -> TryLockResult<MutexGuard<'_, T>> {
        let try_now = || self.inner.try_lock();
        held::try_map(
            held::try_acquire(&self.meta, Mode::Exclusive, Location::caller(), try_now),
            MutexGuard::from_parts,
        )
    }

    /// Whether a thread panicked while it held the mutex.
    #[inline]
    pub fn is_poisoned(&self) -> bool {
        self.inner.is_poisoned()
    }

    /// Declares the data to be in order again.
    #[inline]
    pub fn clear_poison(&self) {
        self.inner.clear_poison();
    }

    /// The data, without locking: `&mut self` proves that nobody else has it.
    ///
    /// # Errors
    ///
    /// When the mutex is poisoned; the error holds the data.
    pub fn get_mut(&mut self) -> LockResult<&mut T> {
        self.inner.get_mut()
    }
}

impl<T: ?Sized> Followed for Mutex<T> {
    #[inline(always)]
    fn lock_ref(meta: &LockMeta) -> LockRef<'_> {
        LockRef::new::<T>(meta, LockKind::Mutex).staying()
    }
}

impl<T: Default> Default for Mutex<T> {
    #[track_caller]
    fn default() -> Self {
        Self::new(T::default())
    }
}

impl<T> From<T> for Mutex<T> {
    #[track_caller]
    fn from(value: T) -> Self {
        Self::new(value)
    }
}

impl<T: ?Sized + fmt::Debug> fmt::Debug for Mutex<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.inner, f)
    }
}

/// Access to a mutex' data; dropping it unlocks the mutex.
#[must_use = "if unused the mutex unlocks at once"]
#[clippy::has_significant_drop]
pub struct MutexGuard<'a, T: ?Sized + 'a> {
    // Before `inner`: see `Held`.
    pub(super) held: Held<'a, Mutex<T>>,
    pub(super) inner: sync::MutexGuard<'a, T>,
}

impl<'a, T: ?Sized> MutexGuard<'a, T> {
    #[inline]
    pub(super) fn from_parts((held, inner): (Held<'a, Mutex<T>>, sync::MutexGuard<'a, T>)) -> Self {
        Self { held, inner }
    }
}

impl<T: ?Sized> Deref for MutexGuard<'_, T> {
    type Target = T;

    #[inline]
    fn deref(&self) -> &T {
        self.held.hold.note_read();
        &self.inner
    }
}

impl<T: ?Sized> DerefMut for MutexGuard<'_, T> {
    #[inline]
    fn deref_mut(&mut self) -> &mut T {
        self.held.hold.note_write();
        &mut self.inner
    }
}

impl<T: ?Sized + fmt::Debug> fmt::Debug for MutexGuard<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        (**self).fmt(f)
    }
}

impl<T: ?Sized + fmt::Display> fmt::Display for MutexGuard<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        (**self).fmt(f)
    }
}
