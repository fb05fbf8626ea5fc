//! Locking a mutex through its `Arc`, with a guard that keeps it alive (feature `arc_lock`).

use std::{
    marker::PhantomData,
    sync::Arc,
    time::{Duration, Instant},
};

use lockscope::rt::LockRef;

use super::{
    guard_traits::{guard_traits, unlock_functions},
    held::{Held, Lock},
    mutex::Mutex,
    way::MutexRaw,
};

impl<R: MutexRaw, T: ?Sized> Mutex<R, T> {
    /// [`lock`](Self::lock), with a guard that shares the mutex.
    #[track_caller]
    #[inline]
    pub fn lock_arc(self: &Arc<Self>) -> ArcMutexGuard<R, T> {
        ArcMutexGuard::new(Held::acquire(Arc::clone(self)))
    }

    /// [`try_lock`](Self::try_lock), with a guard that shares the mutex.
    #[track_caller]
    #[inline]
    pub fn try_lock_arc(self: &Arc<Self>) -> Option<ArcMutexGuard<R, T>> {
        Held::try_acquire(Arc::clone(self)).map(ArcMutexGuard::new)
    }

    /// [`try_lock_for`](Self::try_lock_for), with a guard that shares the mutex.
    #[track_caller]
    #[inline]
    pub fn try_lock_arc_for(self: &Arc<Self>, timeout: Duration) -> Option<ArcMutexGuard<R, T>> {
        Held::acquire_for(Arc::clone(self), timeout).map(ArcMutexGuard::new)
    }

    /// [`try_lock_until`](Self::try_lock_until), with a guard that shares the mutex.
    #[track_caller]
    #[inline]
    pub fn try_lock_arc_until(self: &Arc<Self>, timeout: Instant) -> Option<ArcMutexGuard<R, T>> {
        Held::acquire_until(Arc::clone(self), timeout).map(ArcMutexGuard::new)
    }
}

impl<R: MutexRaw, T: ?Sized> Lock for Arc<Mutex<R, T>> {
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

/// Access to a mutex' data, sharing the mutex; dropping it unlocks the mutex.
#[clippy::has_significant_drop]
#[must_use = "if unused the mutex unlocks at once"]
pub struct ArcMutexGuard<R: MutexRaw, T: ?Sized> {
    held: Held<Arc<Mutex<R, T>>, R::Locked>,
    // `T` as in parking_lot: the guard of data that is not `Sync` is not `Sync`, though its mutex is.
    data: PhantomData<T>,
}

impl<R: MutexRaw, T: ?Sized> ArcMutexGuard<R, T> {
    #[inline]
    fn new(held: Held<Arc<Mutex<R, T>>, R::Locked>) -> Self {
        Self { held, data: PhantomData }
    }

    #[inline]
    fn data(&self) -> *mut T {
        self.held.lock().data_ptr()
    }

    /// The mutex that this guard locks.
    #[inline]
    pub fn mutex(s: &Self) -> &Arc<Mutex<R, T>> {
        s.held.lock()
    }

    /// Unlocks the mutex and returns it.
    #[inline]
    pub fn into_arc(s: Self) -> Arc<Mutex<R, T>> {
        s.held.release()
    }

    /// Unlocks the mutex, handing it to a waiting thread if there is one, and returns it.
    #[inline]
    pub fn into_arc_fair(s: Self) -> Arc<Mutex<R, T>> {
        s.held.release_fair()
    }

    unlock_functions!();
}

guard_traits!([R: MutexRaw, T: ?Sized] ArcMutexGuard<R, T>: Deref, DerefMut);
