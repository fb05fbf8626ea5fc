//! The read-write lock.

use std::{
    cell::UnsafeCell,
    fmt,
    time::{Duration, Instant},
};

use lock_api::{RawRwLock as _, RawRwLockFair as _};
use lockscope::rt::{self, LockKind, LockMeta, LockRef, Mode};
use parking_lot::RawRwLock;

use super::{
    held::{Held, Lock},
    raw::Token,
    read_guard::RwLockReadGuard,
    upgradable_guard::RwLockUpgradableReadGuard,
    write_guard::RwLockWriteGuard,
};

/// Many readers or one writer: parking_lot's `RwLock`, followed by lockscope.
///
/// As in parking_lot, readers wait behind a waiting writer. So a thread that reads twice deadlocks when a writer
/// comes in between; lockscope reports that.
///
/// ```
/// use lockscope_parking_lot::RwLock;
///
/// let rates = RwLock::new(vec![1.0]);
/// {
///     let first = rates.read();
///     assert_eq!(*first, [1.0]);
/// }
/// rates.write().push(2.0);
/// assert_eq!(rates.into_inner(), [1.0, 2.0]);
/// ```
pub struct RwLock<T: ?Sized> {
    pub(crate) meta: LockMeta,
    raw: RawRwLock,
    data: UnsafeCell<T>,
}

// SAFETY: `raw` keeps writers apart from everybody, which sends `T`; readers share `T`.
unsafe impl<T: ?Sized + Send + Sync> Sync for RwLock<T> {}

impl<T> RwLock<T> {
    /// Makes an unlocked lock.
    ///
    /// Reports call it by the place of this call; for a name or a rank see [`named`](crate::named).
    #[track_caller]
    #[inline]
    pub const fn new(value: T) -> Self {
        Self::from_raw(RawRwLock::INIT, value)
    }

    /// Makes a lock from a raw one. What the raw one was used for before is not known to lockscope.
    #[track_caller]
    #[inline]
    pub const fn from_raw(raw: RawRwLock, value: T) -> Self {
        Self { meta: LockMeta::new(), raw, data: UnsafeCell::new(value) }
    }

    /// Takes the lock apart and returns the data.
    #[inline]
    pub fn into_inner(self) -> T {
        self.data.into_inner()
    }

    /// Takes the lock apart and returns the raw lock and the data.
    #[inline]
    pub fn into_inner_with_raw(self) -> (RawRwLock, T) {
        (self.raw, self.data.into_inner())
    }
}

impl<T: ?Sized> RwLock<T> {
    /// Locks for reading, waiting for as long as it takes.
    #[track_caller]
    #[inline]
    pub fn read(&self) -> RwLockReadGuard<'_, T> {
        RwLockReadGuard::new(Held::acquire(self))
    }

    /// Locks for reading if that is possible without waiting.
    #[track_caller]
    #[inline]
    pub fn try_read(&self) -> Option<RwLockReadGuard<'_, T>> {
        Held::try_acquire(self).map(RwLockReadGuard::new)
    }

    /// Locks for reading, waiting for `timeout` at most.
    #[track_caller]
    #[inline]
    pub fn try_read_for(&self, timeout: Duration) -> Option<RwLockReadGuard<'_, T>> {
        Held::acquire_for(self, timeout).map(RwLockReadGuard::new)
    }

    /// Locks for reading, waiting until `timeout` at most.
    #[track_caller]
    #[inline]
    pub fn try_read_until(&self, timeout: Instant) -> Option<RwLockReadGuard<'_, T>> {
        Held::acquire_until(self, timeout).map(RwLockReadGuard::new)
    }

    /// Locks for writing, waiting for as long as it takes.
    #[track_caller]
    #[inline]
    pub fn write(&self) -> RwLockWriteGuard<'_, T> {
        RwLockWriteGuard::new(Held::acquire(self))
    }

    /// Locks for writing if that is possible without waiting.
    #[track_caller]
    #[inline]
    pub fn try_write(&self) -> Option<RwLockWriteGuard<'_, T>> {
        Held::try_acquire(self).map(RwLockWriteGuard::new)
    }

    /// Locks for writing, waiting for `timeout` at most.
    #[track_caller]
    #[inline]
    pub fn try_write_for(&self, timeout: Duration) -> Option<RwLockWriteGuard<'_, T>> {
        Held::acquire_for(self, timeout).map(RwLockWriteGuard::new)
    }

    /// Locks for writing, waiting until `timeout` at most.
    #[track_caller]
    #[inline]
    pub fn try_write_until(&self, timeout: Instant) -> Option<RwLockWriteGuard<'_, T>> {
        Held::acquire_until(self, timeout).map(RwLockWriteGuard::new)
    }

    /// Locks for reading with the right to become the writer later, waiting for as long as it takes.
    ///
    /// Ordinary readers may hold the lock at the same time, another upgradable one may not.
    #[track_caller]
    #[inline]
    pub fn upgradable_read(&self) -> RwLockUpgradableReadGuard<'_, T> {
        RwLockUpgradableReadGuard::new(Held::acquire(self))
    }

    /// [`upgradable_read`](Self::upgradable_read) if that is possible without waiting.
    #[track_caller]
    #[inline]
    pub fn try_upgradable_read(&self) -> Option<RwLockUpgradableReadGuard<'_, T>> {
        Held::try_acquire(self).map(RwLockUpgradableReadGuard::new)
    }

    /// [`upgradable_read`](Self::upgradable_read), waiting for `timeout` at most.
    #[track_caller]
    #[inline]
    pub fn try_upgradable_read_for(&self, timeout: Duration) -> Option<RwLockUpgradableReadGuard<'_, T>> {
        Held::acquire_for(self, timeout).map(RwLockUpgradableReadGuard::new)
    }

    /// [`upgradable_read`](Self::upgradable_read), waiting until `timeout` at most.
    #[track_caller]
    #[inline]
    pub fn try_upgradable_read_until(&self, timeout: Instant) -> Option<RwLockUpgradableReadGuard<'_, T>> {
        Held::acquire_until(self, timeout).map(RwLockUpgradableReadGuard::new)
    }

    /// Whether the lock is held at this instant, in whatever way.
    #[inline]
    pub fn is_locked(&self) -> bool {
        self.raw.is_locked()
    }

    /// Whether the lock is held by a writer at this instant.
    #[inline]
    pub fn is_locked_exclusive(&self) -> bool {
        self.raw.is_locked_exclusive()
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

    /// The raw lock. What is done to it is not seen by lockscope.
    ///
    /// # Safety
    ///
    /// The raw lock must not be unlocked while a guard or a reference into the data relies on it.
    #[inline]
    pub unsafe fn raw(&self) -> &RawRwLock {
        &self.raw
    }

    /// Makes a guard for a lock that is held for reading already, as after forgetting its guard.
    ///
    /// # Safety
    ///
    /// The current context holds the lock for reading, by the acquisition that `guard` comes from; no other guard
    /// will unlock that, and no reference into the data conflicts with the new guard's.
    #[inline]
    pub unsafe fn make_read_guard_unchecked(&self, _guard: Token) -> RwLockReadGuard<'_, T> {
        // SAFETY: this function's contract.
        RwLockReadGuard::new(unsafe { Held::adopt(self) })
    }

    /// Makes a guard for a lock that is held for writing already, as after forgetting its guard.
    ///
    /// # Safety
    ///
    /// As for [`make_read_guard_unchecked`](Self::make_read_guard_unchecked), of a lock held for writing.
    #[inline]
    pub unsafe fn make_write_guard_unchecked(&self, _guard: Token) -> RwLockWriteGuard<'_, T> {
        // SAFETY: this function's contract.
        RwLockWriteGuard::new(unsafe { Held::adopt(self) })
    }

    /// Makes a guard for a lock that is held upgradable already, as after forgetting its guard.
    ///
    /// # Safety
    ///
    /// As for [`make_read_guard_unchecked`](Self::make_read_guard_unchecked), of a lock held upgradable.
    #[inline]
    pub unsafe fn make_upgradable_guard_unchecked(&self, _guard: Token) -> RwLockUpgradableReadGuard<'_, T> {
        // SAFETY: this function's contract.
        RwLockUpgradableReadGuard::new(unsafe { Held::adopt(self) })
    }

    /// Ends a reader's hold without its guard.
    ///
    /// # Safety
    ///
    /// The current context holds the lock for reading, by the acquisition that `guard` comes from; no guard will
    /// unlock that again, and no reference into the data is used afterwards.
    #[inline]
    pub unsafe fn force_unlock_read(&self, guard: Token) {
        rt::release_unguarded(self.lock_ref(), Mode::Shared);
        // SAFETY: this function's contract.
        unsafe { self.raw.unlock_shared(guard) };
    }

    /// As [`force_unlock_read`](Self::force_unlock_read), handing the lock to a waiting thread if there is one.
    ///
    /// # Safety
    ///
    /// As for [`force_unlock_read`](Self::force_unlock_read).
    #[inline]
    pub unsafe fn force_unlock_read_fair(&self, guard: Token) {
        rt::release_unguarded(self.lock_ref(), Mode::Shared);
        // SAFETY: this function's contract.
        unsafe { self.raw.unlock_shared_fair(guard) };
    }

    /// Ends a writer's hold without its guard.
    ///
    /// # Safety
    ///
    /// As for [`force_unlock_read`](Self::force_unlock_read), of a lock held for writing.
    #[inline]
    pub unsafe fn force_unlock_write(&self, guard: Token) {
        rt::release_unguarded(self.lock_ref(), Mode::Exclusive);
        // SAFETY: this function's contract.
        unsafe { self.raw.unlock_exclusive(guard) };
    }

    /// As [`force_unlock_write`](Self::force_unlock_write), handing the lock to a waiting thread if there is one.
    ///
    /// # Safety
    ///
    /// As for [`force_unlock_write`](Self::force_unlock_write).
    #[inline]
    pub unsafe fn force_unlock_write_fair(&self, guard: Token) {
        rt::release_unguarded(self.lock_ref(), Mode::Exclusive);
        // SAFETY: this function's contract.
        unsafe { self.raw.unlock_exclusive_fair(guard) };
    }

    #[inline]
    pub(crate) fn lock_ref(&self) -> LockRef<'_> {
        LockRef::new::<T>(&self.meta, LockKind::RwLock)
    }
}

impl<T: ?Sized> Lock for &RwLock<T> {
    type Raw = RawRwLock;

    #[inline]
    fn lock_ref(&self) -> LockRef<'_> {
        RwLock::lock_ref(self)
    }

    #[inline]
    fn raw(&self) -> &RawRwLock {
        &self.raw
    }
}

impl<T: Default> Default for RwLock<T> {
    #[track_caller]
    #[inline]
    fn default() -> Self {
        Self::new(T::default())
    }
}

impl<T> From<T> for RwLock<T> {
    #[track_caller]
    #[inline]
    fn from(value: T) -> Self {
        Self::new(value)
    }
}

impl<T: ?Sized + fmt::Debug> fmt::Debug for RwLock<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut out = f.debug_struct("RwLock");
        match self.try_read() {
            Some(guard) => out.field("data", &&*guard),
            None => out.field("data", &format_args!("<locked>")),
        };
        out.finish()
    }
}
