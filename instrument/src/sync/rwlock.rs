//! std's read-write lock.

use std::{
    fmt,
    marker::PhantomData,
    ops::{Deref, DerefMut},
    panic::Location,
    sync::{self, LockResult, TryLockResult},
};

use super::held::{self, Followed, Held};
use crate::rt::{self, LockKind, LockMeta, LockRef, Mode};

/// Many readers or one writer: [`std::sync::RwLock`], followed by lockscope.
///
/// std does not say whether readers wait behind a waiting writer; on most systems they do. So a thread that reads
/// twice can deadlock when a writer comes in between; lockscope reports that.
///
/// ```
/// use lockscope::sync::RwLock;
///
/// let rates = RwLock::new(vec![1.0]);
/// assert_eq!(*rates.read().unwrap(), [1.0]);
/// rates.write().unwrap().push(2.0);
/// ```
pub struct RwLock<T: ?Sized> {
    pub(crate) meta: LockMeta,
    inner: sync::RwLock<T>,
}

impl<T> RwLock<T> {
    /// Makes an unlocked lock.
    ///
    /// Reports call it by the place of this call; for a name or a rank see [`named`](crate::named).
    #[track_caller]
    #[inline]
    pub const fn new(value: T) -> Self {
        Self { meta: LockMeta::new(), inner: sync::RwLock::new(value) }
    }

    /// Takes the lock apart and returns the data.
    ///
    /// # Errors
    ///
    /// When the lock is poisoned; the error holds the data.
    pub fn into_inner(self) -> LockResult<T> {
        self.inner.into_inner()
    }
}

impl<T: ?Sized> RwLock<T> {
    /// Locks for reading, waiting for as long as it takes.
    ///
    /// # Errors
    ///
    /// When the lock is poisoned; the error holds the guard.
    #[track_caller]
    #[inline]
    pub fn read(&self) -> LockResult<RwLockReadGuard<'_, T>> {
        let (try_now, wait) = (|| self.inner.try_read(), || self.inner.read());
        let acquired =
            held::acquire(&self.meta, Mode::Shared, Location::caller(), try_now, wait, || self.inner.is_poisoned());
        held::map(acquired, RwLockReadGuard::from_parts)
    }

    /// Locks for reading if that is possible without waiting.
    ///
    /// # Errors
    ///
    /// When the lock is held by a writer, or when it is poisoned; in that case the error holds the guard.
    #[track_caller]
    #[inline]
    pub fn try_read(&self) -> TryLockResult<RwLockReadGuard<'_, T>> {
        let try_now = || self.inner.try_read();
        held::try_map(
            held::try_acquire(&self.meta, Mode::Shared, Location::caller(), try_now),
            RwLockReadGuard::from_parts,
        )
    }

    /// Locks for writing, waiting for as long as it takes.
    ///
    /// # Errors
    ///
    /// When the lock is poisoned; the error holds the guard.
    #[track_caller]
    #[inline]
    pub fn write(&self) -> LockResult<RwLockWriteGuard<'_, T>> {
        let (try_now, wait) = (|| self.inner.try_write(), || self.inner.write());
        let acquired =
            held::acquire(&self.meta, Mode::Exclusive, Location::caller(), try_now, wait, || self.inner.is_poisoned());
        held::map(acquired, RwLockWriteGuard::from_parts)
    }

    /// Locks for writing if that is possible without waiting.
    ///
    /// # Errors
    ///
    /// When the lock is held, or when it is poisoned; in that case the error holds the guard.
    #[track_caller]
    #[inline]
    pub fn try_write(&self) -> TryLockResult<RwLockWriteGuard<'_, T>> {
        let try_now = || self.inner.try_write();
        held::try_map(
            held::try_acquire(&self.meta, Mode::Exclusive, Location::caller(), try_now),
            RwLockWriteGuard::from_parts,
        )
    }

    /// Whether a writer panicked while it held the lock.
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
    /// When the lock is poisoned; the error holds the data.
    pub fn get_mut(&mut self) -> LockResult<&mut T> {
        self.inner.get_mut()
    }
}

/// Stands for an `RwLock<T>` in guards, which are covariant in `T` where std's are: the lock itself is not.
struct Guarded<T: ?Sized>(PhantomData<T>);

impl<T: ?Sized> Followed for Guarded<T> {
    #[inline(always)]
    fn lock_ref(meta: &LockMeta) -> LockRef<'_> {
        LockRef::new::<T>(meta, LockKind::RwLock).staying()
    }
}

impl<T: Default> Default for RwLock<T> {
    #[track_caller]
    fn default() -> Self {
        Self::new(T::default())
    }
}

impl<T> From<T> for RwLock<T> {
    #[track_caller]
    fn from(value: T) -> Self {
        Self::new(value)
    }
}

impl<T: ?Sized + fmt::Debug> fmt::Debug for RwLock<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.inner, f)
    }
}

/// A reader's access to a read-write lock's data; dropping it unlocks.
#[must_use = "if unused the lock is released at once"]
#[clippy::has_significant_drop]
pub struct RwLockReadGuard<'a, T: ?Sized + 'a> {
    // Before `inner`: see `Held`.
    held: Held<'a, Guarded<T>>,
    inner: sync::RwLockReadGuard<'a, T>,
}

impl<'a, T: ?Sized> RwLockReadGuard<'a, T> {
    #[inline]
    fn from_parts((held, inner): (Held<'a, Guarded<T>>, sync::RwLockReadGuard<'a, T>)) -> Self {
        Self { held, inner }
    }
}

/// A writer's access to a read-write lock's data; dropping it unlocks.
#[must_use = "if unused the lock is released at once"]
#[clippy::has_significant_drop]
pub struct RwLockWriteGuard<'a, T: ?Sized + 'a> {
    // Before `inner`: see `Held`.
    held: Held<'a, Guarded<T>>,
    inner: sync::RwLockWriteGuard<'a, T>,
}

impl<'a, T: ?Sized> RwLockWriteGuard<'a, T> {
    #[inline]
    fn from_parts((held, inner): (Held<'a, Guarded<T>>, sync::RwLockWriteGuard<'a, T>)) -> Self {
        Self { held, inner }
    }

    /// Becomes a reader, without letting another writer in between.
    #[track_caller]
    pub fn downgrade(s: Self) -> RwLockReadGuard<'a, T> {
        let Self { mut held, inner } = s;
        rt::downgrade(held.lock_ref(), &mut held.hold, Mode::Shared, Location::caller());
        RwLockReadGuard { held, inner: sync::RwLockWriteGuard::downgrade(inner) }
    }
}

impl<T: ?Sized> Deref for RwLockReadGuard<'_, T> {
    type Target = T;

    #[inline]
    fn deref(&self) -> &T {
        self.held.hold.note_read();
        &self.inner
    }
}

impl<T: ?Sized> Deref for RwLockWriteGuard<'_, T> {
    type Target = T;

    #[inline]
    fn deref(&self) -> &T {
        self.held.hold.note_read();
        &self.inner
    }
}

impl<T: ?Sized> DerefMut for RwLockWriteGuard<'_, T> {
    #[inline]
    fn deref_mut(&mut self) -> &mut T {
        self.held.hold.note_write();
        &mut self.inner
    }
}

impl<T: ?Sized + fmt::Debug> fmt::Debug for RwLockReadGuard<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        (**self).fmt(f)
    }
}

impl<T: ?Sized + fmt::Display> fmt::Display for RwLockReadGuard<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        (**self).fmt(f)
    }
}

impl<T: ?Sized + fmt::Debug> fmt::Debug for RwLockWriteGuard<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        (**self).fmt(f)
    }
}

impl<T: ?Sized + fmt::Display> fmt::Display for RwLockWriteGuard<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        (**self).fmt(f)
    }
}
