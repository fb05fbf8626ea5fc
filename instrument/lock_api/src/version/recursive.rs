//! Reading again: what read-write locks can have in 0.4, and what is a lock of its own in 0.5.

#[cfg(feature = "arc_lock")]
use std::sync::Arc;

#[cfg(feature = "arc_lock")]
use crate::types::ArcRwLockReadGuard;
use crate::{
    follow::{LockRef, Mode},
    raw::{RawRwLockRecursive, RawRwLockRecursiveTimed},
    types::{
        RwLock, RwLockReadGuard,
        held::Held,
        way::{TimedWay, Way, way},
    },
    version::{self, SharedToken, released},
};

way! {
    /// Reading again, whoever waits; held as by any reader.
    ReadAgain: Mode::Shared, SharedToken;
    RawRwLockRecursive: lock_shared_recursive, try_lock_shared_recursive, unlock_shared;
    timed RawRwLockRecursiveTimed: try_lock_shared_recursive_for, try_lock_shared_recursive_until;
    of LockRef::recursively
}

impl<R: RawRwLockRecursive, T: ?Sized> RwLock<R, T> {
    /// Locks for reading; does not wait while the lock is held by readers only, though a writer may wait, so that readers can read
    /// again.
    #[track_caller]
    #[inline]
    pub fn read_recursive(&self) -> RwLockReadGuard<'_, R, T> {
        RwLockReadGuard::new(Held::acquire_by::<ReadAgain>(self))
    }

    /// [`read_recursive`](Self::read_recursive) if nobody writes.
    #[track_caller]
    #[inline]
    pub fn try_read_recursive(&self) -> Option<RwLockReadGuard<'_, R, T>> {
        Held::try_acquire_by::<ReadAgain>(self).map(RwLockReadGuard::new)
    }
}

impl<R: RawRwLockRecursiveTimed, T: ?Sized> RwLock<R, T> {
    /// [`read_recursive`](Self::read_recursive), waiting for `timeout` at most.
    #[track_caller]
    #[inline]
    pub fn try_read_recursive_for(&self, timeout: R::Duration) -> Option<RwLockReadGuard<'_, R, T>> {
        Held::acquire_for::<ReadAgain>(self, timeout).map(RwLockReadGuard::new)
    }

    /// [`read_recursive`](Self::read_recursive), waiting until `timeout` at most.
    #[track_caller]
    #[inline]
    pub fn try_read_recursive_until(&self, timeout: R::Instant) -> Option<RwLockReadGuard<'_, R, T>> {
        Held::acquire_until::<ReadAgain>(self, timeout).map(RwLockReadGuard::new)
    }
}

#[cfg(feature = "arc_lock")]
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

#[cfg(feature = "arc_lock")]
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
