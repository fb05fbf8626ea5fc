//! Locking a read-write lock through its `Arc`, with guards that keep it alive (feature `arc_lock`).

use std::{panic::Location, sync::Arc};

use super::{
    arc_upgradable::ArcRwLockUpgradableReadGuard,
    guard_traits::{fair_functions, guard_traits, into_arc_fair_function, into_arc_function, unlocked_function},
    held::{Held, Lock},
    rwlock::RwLock,
    way::{Read, Write},
};
use crate::{
    follow::LockRef,
    raw::{RawRwLock, RawRwLockDowngrade, RawRwLockFair, RawRwLockTimed, RawRwLockUpgradeDowngrade},
    version::{ExclusiveToken, SharedToken},
};

impl<R: RawRwLock, T: ?Sized> RwLock<R, T> {
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
    held: Held<Arc<RwLock<R, T>>, Read, SharedToken<R>>,
}

impl<R: RawRwLock, T: ?Sized> ArcRwLockReadGuard<R, T> {
    #[inline]
    pub(crate) fn new(held: Held<Arc<RwLock<R, T>>, Read, SharedToken<R>>) -> Self {
        Self { held }
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
    held: Held<Arc<RwLock<R, T>>, Write, ExclusiveToken<R>>,
}

impl<R: RawRwLock, T: ?Sized> ArcRwLockWriteGuard<R, T> {
    #[inline]
    pub(crate) fn new(held: Held<Arc<RwLock<R, T>>, Write, ExclusiveToken<R>>) -> Self {
        Self { held }
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
