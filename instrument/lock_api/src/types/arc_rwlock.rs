//! Locking a read-write lock through its `Arc`, with guards that keep it alive (feature `arc_lock`).

use std::{marker::PhantomData, panic::Location, sync::Arc};

use super::{
    arc_upgradable::ArcRwLockUpgradableReadGuard,
    guard_traits::{fair_functions, guard_traits, into_arc_fair_function, into_arc_function, unlocked_function},
    held::{Held, Lock},
    rwlock::RwLock,
    way::{Read, ReadAgain, Write},
};
use crate::{
    follow::LockRef,
    raw::{
        RawRwLock, RawRwLockDowngrade, RawRwLockFair, RawRwLockRecursive, RawRwLockRecursiveTimed, RawRwLockTimed,
        RawRwLockUpgradeDowngrade,
    },
};

impl<R: RawRwLock, T: ?Sized> RwLock<R, T> {
    /// [`make_read_guard_unchecked`](Self::make_read_guard_unchecked), with a guard that shares the lock.
    ///
    /// # Safety
    ///
    /// As for [`make_read_guard_unchecked`](Self::make_read_guard_unchecked).
    #[inline]
    pub unsafe fn make_arc_read_guard_unchecked(self: &Arc<Self>) -> ArcRwLockReadGuard<R, T> {
        // SAFETY: this function's contract.
        ArcRwLockReadGuard::new(unsafe { Held::adopt(Arc::clone(self)) })
    }

    /// [`make_write_guard_unchecked`](Self::make_write_guard_unchecked), with a guard that shares the lock.
    ///
    /// # Safety
    ///
    /// As for [`make_write_guard_unchecked`](Self::make_write_guard_unchecked).
    #[inline]
    pub unsafe fn make_arc_write_guard_unchecked(self: &Arc<Self>) -> ArcRwLockWriteGuard<R, T> {
        // SAFETY: this function's contract.
        ArcRwLockWriteGuard::new(unsafe { Held::adopt(Arc::clone(self)) })
    }

    /// [`read`](Self::read), with a guard that shares the lock.
    #[track_caller]
    #[inline]
    pub fn read_arc(self: &Arc<Self>) -> ArcRwLockReadGuard<R, T> {
        ArcRwLockReadGuard::new(Held::acquire(Arc::clone(self)))
    }

    /// [`try_read`](Self::try_read), with a guard that shares the lock.
    #[track_caller]
    #[inline]
    pub fn try_read_arc(self: &Arc<Self>) -> Option<ArcRwLockReadGuard<R, T>> {
        Held::try_acquire(Arc::clone(self)).map(ArcRwLockReadGuard::new)
    }

    /// [`write`](Self::write), with a guard that shares the lock.
    #[track_caller]
    #[inline]
    pub fn write_arc(self: &Arc<Self>) -> ArcRwLockWriteGuard<R, T> {
        ArcRwLockWriteGuard::new(Held::acquire(Arc::clone(self)))
    }

    /// [`try_write`](Self::try_write), with a guard that shares the lock.
    #[track_caller]
    #[inline]
    pub fn try_write_arc(self: &Arc<Self>) -> Option<ArcRwLockWriteGuard<R, T>> {
        Held::try_acquire(Arc::clone(self)).map(ArcRwLockWriteGuard::new)
    }
}

impl<R: RawRwLockTimed, T: ?Sized> RwLock<R, T> {
    /// [`try_read_for`](Self::try_read_for), with a guard that shares the lock.
    #[track_caller]
    #[inline]
    pub fn try_read_arc_for(self: &Arc<Self>, timeout: R::Duration) -> Option<ArcRwLockReadGuard<R, T>> {
        Held::acquire_for::<Read>(Arc::clone(self), timeout).map(ArcRwLockReadGuard::new)
    }

    /// [`try_read_until`](Self::try_read_until), with a guard that shares the lock.
    #[track_caller]
    #[inline]
    pub fn try_read_arc_until(self: &Arc<Self>, timeout: R::Instant) -> Option<ArcRwLockReadGuard<R, T>> {
        Held::acquire_until::<Read>(Arc::clone(self), timeout).map(ArcRwLockReadGuard::new)
    }

    /// [`try_write_for`](Self::try_write_for), with a guard that shares the lock.
    #[track_caller]
    #[inline]
    pub fn try_write_arc_for(self: &Arc<Self>, timeout: R::Duration) -> Option<ArcRwLockWriteGuard<R, T>> {
        Held::acquire_for::<Write>(Arc::clone(self), timeout).map(ArcRwLockWriteGuard::new)
    }

    /// [`try_write_until`](Self::try_write_until), with a guard that shares the lock.
    #[track_caller]
    #[inline]
    pub fn try_write_arc_until(self: &Arc<Self>, timeout: R::Instant) -> Option<ArcRwLockWriteGuard<R, T>> {
        Held::acquire_until::<Write>(Arc::clone(self), timeout).map(ArcRwLockWriteGuard::new)
    }
}

impl<R: RawRwLockRecursive, T: ?Sized> RwLock<R, T> {
    /// [`read_recursive`](Self::read_recursive), with a guard that shares the lock.
    #[track_caller]
    #[inline]
    pub fn read_arc_recursive(self: &Arc<Self>) -> ArcRwLockReadGuard<R, T> {
        ArcRwLockReadGuard::new(Held::acquire_by::<ReadAgain>(Arc::clone(self)))
    }

    /// [`try_read_recursive`](Self::try_read_recursive), with a guard that shares the lock.
    #[track_caller]
    #[inline]
    pub fn try_read_recursive_arc(self: &Arc<Self>) -> Option<ArcRwLockReadGuard<R, T>> {
        Held::try_acquire_by::<ReadAgain>(Arc::clone(self)).map(ArcRwLockReadGuard::new)
    }
}

impl<R: RawRwLockRecursiveTimed, T: ?Sized> RwLock<R, T> {
    /// [`try_read_recursive_for`](Self::try_read_recursive_for), with a guard that shares the lock.
    #[track_caller]
    #[inline]
    pub fn try_read_arc_recursive_for(self: &Arc<Self>, timeout: R::Duration) -> Option<ArcRwLockReadGuard<R, T>> {
        Held::acquire_for::<ReadAgain>(Arc::clone(self), timeout).map(ArcRwLockReadGuard::new)
    }

    /// [`try_read_recursive_until`](Self::try_read_recursive_until), with a guard that shares the lock.
    #[track_caller]
    #[inline]
    pub fn try_read_arc_recursive_until(self: &Arc<Self>, timeout: R::Instant) -> Option<ArcRwLockReadGuard<R, T>> {
        Held::acquire_until::<ReadAgain>(Arc::clone(self), timeout).map(ArcRwLockReadGuard::new)
    }
}

impl<R: RawRwLock, T: ?Sized> Lock for Arc<RwLock<R, T>> {
    type Raw = R;

    #[inline]
    fn lock_ref(&self) -> LockRef<'_> {
        RwLock::lock_ref(self)
    }

    #[inline]
    fn raw_lock(&self) -> &R {
        RwLock::raw_lock(self)
    }
}

/// A reader's access to a read-write lock's data, sharing the lock; dropping it unlocks.
#[clippy::has_significant_drop]
#[must_use = "if unused the lock is released at once"]
pub struct ArcRwLockReadGuard<R: RawRwLock, T: ?Sized> {
    held: Held<Arc<RwLock<R, T>>, Read>,
    marker: PhantomData<R::GuardMarker>,
}

impl<R: RawRwLock, T: ?Sized> ArcRwLockReadGuard<R, T> {
    #[inline]
    pub(super) fn new(held: Held<Arc<RwLock<R, T>>, Read>) -> Self {
        Self { held, marker: PhantomData }
    }

    #[inline]
    fn data(&self) -> *const T {
        self.held.lock().data_ptr()
    }

    /// The lock that this guard holds.
    pub fn rwlock(s: &Self) -> &Arc<RwLock<R, T>> {
        s.held.lock()
    }

    into_arc_function!(RwLock<R, T>);
    unlocked_function!();
}

impl<R: RawRwLockFair, T: ?Sized> ArcRwLockReadGuard<R, T> {
    into_arc_fair_function!(RwLock<R, T>);
    fair_functions!();
}

guard_traits!([R: RawRwLock, T: ?Sized] ArcRwLockReadGuard<R, T>: Deref, Debug, Display);

/// A writer's access to a read-write lock's data, sharing the lock; dropping it unlocks.
#[clippy::has_significant_drop]
#[must_use = "if unused the lock is released at once"]
pub struct ArcRwLockWriteGuard<R: RawRwLock, T: ?Sized> {
    held: Held<Arc<RwLock<R, T>>, Write>,
    marker: PhantomData<R::GuardMarker>,
}

impl<R: RawRwLock, T: ?Sized> ArcRwLockWriteGuard<R, T> {
    #[inline]
    pub(super) fn new(held: Held<Arc<RwLock<R, T>>, Write>) -> Self {
        Self { held, marker: PhantomData }
    }

    #[inline]
    fn data(&self) -> *mut T {
        self.held.lock().data_ptr()
    }

    /// The lock that this guard holds.
    pub fn rwlock(s: &Self) -> &Arc<RwLock<R, T>> {
        s.held.lock()
    }

    into_arc_function!(RwLock<R, T>);
    unlocked_function!();
}

impl<R: RawRwLockDowngrade, T: ?Sized> ArcRwLockWriteGuard<R, T> {
    /// Becomes a reader, without letting another writer in between.
    #[track_caller]
    pub fn downgrade(s: Self) -> ArcRwLockReadGuard<R, T> {
        ArcRwLockReadGuard::new(s.held.downgrade(Location::caller()))
    }
}

impl<R: RawRwLockUpgradeDowngrade, T: ?Sized> ArcRwLockWriteGuard<R, T> {
    /// Becomes an upgradable reader, without letting another writer in between.
    #[track_caller]
    pub fn downgrade_to_upgradable(s: Self) -> ArcRwLockUpgradableReadGuard<R, T> {
        ArcRwLockUpgradableReadGuard::new(s.held.downgrade_to_upgradable(Location::caller()))
    }
}

impl<R: RawRwLockFair, T: ?Sized> ArcRwLockWriteGuard<R, T> {
    into_arc_fair_function!(RwLock<R, T>);
    fair_functions!();
}

guard_traits!([R: RawRwLock, T: ?Sized] ArcRwLockWriteGuard<R, T>: Deref, DerefMut, Debug, Display);
