//! Recursive reads: they pass waiting writers, so that who reads may read again.

#[cfg(feature = "arc_lock")]
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::{RawRwLock, ReadAgain};
#[cfg(feature = "arc_lock")]
use crate::instrumented::ArcRwLockReadGuard;
use crate::instrumented::{
    held::{Held, Lock},
    read_guard::RwLockReadGuard,
    rwlock::RwLock,
    way::Read,
};

/// An acquisition by a recursive read is one like any other once it is made.
fn read<L: Lock<Raw = RawRwLock>>(again: Held<L, ReadAgain>) -> Held<L, Read<RawRwLock>> {
    // SAFETY: the lock is held for reading.
    unsafe { again.changed_to() }
}

impl<T: ?Sized> RwLock<RawRwLock, T> {
    /// Locks for reading, waiting for as long as a writer has the lock. Waiting writers are passed, so a thread that reads
    /// already may read again.
    #[track_caller]
    #[inline]
    pub fn read_recursive(&self) -> RwLockReadGuard<'_, RawRwLock, T> {
        RwLockReadGuard::new(read(Held::acquire(self)))
    }

    /// [`read_recursive`](Self::read_recursive) if that is possible without waiting.
    #[track_caller]
    #[inline]
    pub fn try_read_recursive(&self) -> Option<RwLockReadGuard<'_, RawRwLock, T>> {
        Held::try_acquire(self).map(read).map(RwLockReadGuard::new)
    }

    /// [`read_recursive`](Self::read_recursive), waiting for `timeout` at most.
    #[track_caller]
    #[inline]
    pub fn try_read_recursive_for(&self, timeout: Duration) -> Option<RwLockReadGuard<'_, RawRwLock, T>> {
        Held::acquire_for(self, timeout).map(read).map(RwLockReadGuard::new)
    }

    /// [`read_recursive`](Self::read_recursive), waiting until `timeout` at most.
    #[track_caller]
    #[inline]
    pub fn try_read_recursive_until(&self, timeout: Instant) -> Option<RwLockReadGuard<'_, RawRwLock, T>> {
        Held::acquire_until(self, timeout).map(read).map(RwLockReadGuard::new)
    }
}

#[cfg(feature = "arc_lock")]
impl<T: ?Sized> RwLock<RawRwLock, T> {
    /// [`read_recursive`](Self::read_recursive), with a guard that shares the lock.
    #[track_caller]
    #[inline]
    pub fn read_arc_recursive(self: &Arc<Self>) -> ArcRwLockReadGuard<RawRwLock, T> {
        ArcRwLockReadGuard::new(read(Held::acquire(Arc::clone(self))))
    }

    /// [`try_read_recursive`](Self::try_read_recursive), with a guard that shares the lock.
    #[track_caller]
    #[inline]
    pub fn try_read_recursive_arc(self: &Arc<Self>) -> Option<ArcRwLockReadGuard<RawRwLock, T>> {
        Held::try_acquire(Arc::clone(self)).map(read).map(ArcRwLockReadGuard::new)
    }

    /// [`try_read_recursive_for`](Self::try_read_recursive_for), with a guard that shares the lock.
    #[track_caller]
    #[inline]
    pub fn try_read_arc_recursive_for(self: &Arc<Self>, timeout: Duration) -> Option<ArcRwLockReadGuard<RawRwLock, T>> {
        Held::acquire_for(Arc::clone(self), timeout).map(read).map(ArcRwLockReadGuard::new)
    }

    /// [`try_read_recursive_until`](Self::try_read_recursive_until), with a guard that shares the lock.
    #[track_caller]
    #[inline]
    pub fn try_read_arc_recursive_until(
        self: &Arc<Self>,
        timeout: Instant,
    ) -> Option<ArcRwLockReadGuard<RawRwLock, T>> {
        Held::acquire_until(Arc::clone(self), timeout).map(read).map(ArcRwLockReadGuard::new)
    }
}
