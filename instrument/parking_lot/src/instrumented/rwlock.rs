//! The read-write lock, recursive or not.

use std::{
    cell::UnsafeCell,
    fmt,
    time::{Duration, Instant},
};

use lockscope::rt::LockRef;

use super::{
    held::{Held, Lock, lock_ref},
    read_guard::RwLockReadGuard,
    upgradable_guard::RwLockUpgradableReadGuard,
    way::RwLockRaw,
    write_guard::RwLockWriteGuard,
};

/// Many readers or one writer, by way of the raw lock `R`.
pub struct RwLock<R, T: ?Sized> {
    pub(crate) raw: R,
    data: UnsafeCell<T>,
}

// SAFETY: `raw` keeps writers apart from everybody, which sends `T`; readers share `T`.
unsafe impl<R: Sync, T: ?Sized + Send + Sync> Sync for RwLock<R, T> {}

/// The constructors, which cannot be generic over the raw lock and `const` at the same time.
macro_rules! rwlock_constructors {
    ([$($generics:tt)*] $raw:ty) => {
        impl<$($generics)* T> crate::instrumented::rwlock::RwLock<$raw, T> {
            /// Makes an unlocked lock.
            ///
            /// Reports call it by the place of this call; for a name or a rank see [`named`](crate::named).
            #[track_caller]
            #[inline]
            pub const fn new(value: T) -> Self {
                Self::from_raw(<$raw>::UNLOCKED, value)
            }

            /// Makes a lock from a raw one.
            #[track_caller]
            #[inline]
            pub const fn from_raw(mut raw_rwlock: $raw, value: T) -> Self {
                raw_rwlock.meta.set_created();
                Self::of(raw_rwlock, value)
            }
        }
    };
}

pub(crate) use rwlock_constructors;

impl<R, T> RwLock<R, T> {
    #[inline]
    pub(crate) const fn of(raw: R, value: T) -> Self {
        Self { raw, data: UnsafeCell::new(value) }
    }

    /// Takes the lock apart and returns the data.
    #[inline]
    pub fn into_inner(self) -> T {
        self.data.into_inner()
    }

    /// Takes the lock apart and returns the raw lock and the data.
    #[inline]
    pub fn into_inner_with_raw(self) -> (R, T) {
        (self.raw, self.data.into_inner())
    }
}

impl<R: RwLockRaw, T: ?Sized> RwLock<R, T> {
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

    /// Locks for reading, waiting for `timeout` at most.
    #[track_caller]
    #[inline]
    pub fn try_read_for(&self, timeout: Duration) -> Option<RwLockReadGuard<'_, R, T>> {
        Held::acquire_for(self, timeout).map(RwLockReadGuard::new)
    }

    /// Locks for reading, waiting until `timeout` at most.
    #[track_caller]
    #[inline]
    pub fn try_read_until(&self, timeout: Instant) -> Option<RwLockReadGuard<'_, R, T>> {
        Held::acquire_until(self, timeout).map(RwLockReadGuard::new)
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

    /// Locks for writing, waiting for `timeout` at most.
    #[track_caller]
    #[inline]
    pub fn try_write_for(&self, timeout: Duration) -> Option<RwLockWriteGuard<'_, R, T>> {
        Held::acquire_for(self, timeout).map(RwLockWriteGuard::new)
    }

    /// Locks for writing, waiting until `timeout` at most.
    #[track_caller]
    #[inline]
    pub fn try_write_until(&self, timeout: Instant) -> Option<RwLockWriteGuard<'_, R, T>> {
        Held::acquire_until(self, timeout).map(RwLockWriteGuard::new)
    }

    /// Locks for reading with the right to become the writer later, waiting for as long as it takes.
    ///
    /// Ordinary readers may hold the lock at the same time, another upgradable one may not.
    #[track_caller]
    #[inline]
    pub fn upgradable_read(&self) -> RwLockUpgradableReadGuard<'_, R, T> {
        RwLockUpgradableReadGuard::new(Held::acquire(self))
    }

    /// [`upgradable_read`](Self::upgradable_read) if that is possible without waiting.
    #[track_caller]
    #[inline]
    pub fn try_upgradable_read(&self) -> Option<RwLockUpgradableReadGuard<'_, R, T>> {
        Held::try_acquire(self).map(RwLockUpgradableReadGuard::new)
    }

    /// [`upgradable_read`](Self::upgradable_read), waiting for `timeout` at most.
    #[track_caller]
    #[inline]
    pub fn try_upgradable_read_for(&self, timeout: Duration) -> Option<RwLockUpgradableReadGuard<'_, R, T>> {
        Held::acquire_for(self, timeout).map(RwLockUpgradableReadGuard::new)
    }

    /// [`upgradable_read`](Self::upgradable_read), waiting until `timeout` at most.
    #[track_caller]
    #[inline]
    pub fn try_upgradable_read_until(&self, timeout: Instant) -> Option<RwLockUpgradableReadGuard<'_, R, T>> {
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

    /// The raw lock. What is done to it is followed as well.
    ///
    /// # Safety
    ///
    /// The raw lock must not be unlocked while a guard or a reference into the data relies on it.
    #[inline]
    pub unsafe fn raw(&self) -> &R {
        &self.raw
    }

    #[inline]
    pub(crate) fn lock_ref(&self) -> LockRef<'_> {
        lock_ref::<T>(self.raw.meta(), R::KIND)
    }
}

impl<R: RwLockRaw, T: ?Sized> Lock for &RwLock<R, T> {
    type Raw = R;

    #[inline]
    fn lock_ref(&self) -> LockRef<'_> {
        RwLock::lock_ref(self)
    }

    #[inline]
    fn raw(&self) -> &R {
        &self.raw
    }
}

impl<R: RwLockRaw, T: Default> Default for RwLock<R, T> {
    #[track_caller]
    #[inline]
    fn default() -> Self {
        Self::from(T::default())
    }
}

impl<R: RwLockRaw, T> From<T> for RwLock<R, T> {
    #[track_caller]
    #[inline]
    fn from(value: T) -> Self {
        let mut raw = R::INIT;
        raw.meta_mut().set_created();
        Self::of(raw, value)
    }
}

impl<R: RwLockRaw, T: ?Sized + fmt::Debug> fmt::Debug for RwLock<R, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut out = f.debug_struct("RwLock");
        match self.try_read() {
            Some(guard) => out.field("data", &&*guard),
            None => out.field("data", &format_args!("<locked>")),
        };
        out.finish()
    }
}
