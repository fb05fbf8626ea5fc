//! Locking a mutex through its `Arc`, with a guard that keeps it alive (feature `arc_lock`).

use std::{
    marker::PhantomData,
    sync::Arc,
    time::{Duration, Instant},
};

use lockscope::rt::LockRef;
use parking_lot::RawMutex;

use super::{
    guard_traits::{guard_traits, unlock_functions},
    held::{Held, Lock},
    mutex::Mutex,
    raw::Locked,
};

impl<T: ?Sized> Mutex<T> {
    /// [`lock`](Self::lock), with a guard that shares the mutex.
    #[track_caller]
    #[inline]
    pub fn lock_arc(self: &Arc<Self>) -> ArcMutexGuard<RawMutex, T> {
        ArcMutexGuard::new(Held::acquire(Arc::clone(self)))
    }

    /// [`try_lock`](Self::try_lock), with a guard that shares the mutex.
    #[track_caller]
    #[inline]
    pub fn try_lock_arc(self: &Arc<Self>) -> Option<ArcMutexGuard<RawMutex, T>> {
        Held::try_acquire(Arc::clone(self)).map(ArcMutexGuard::new)
    }

    /// [`try_lock_for`](Self::try_lock_for), with a guard that shares the mutex.
    #[track_caller]
    #[inline]
    pub fn try_lock_arc_for(self: &Arc<Self>, timeout: Duration) -> Option<ArcMutexGuard<RawMutex, T>> {
        Held::acquire_for(Arc::clone(self), timeout).map(ArcMutexGuard::new)
    }

    /// [`try_lock_until`](Self::try_lock_until), with a guard that shares the mutex.
    #[track_caller]
    #[inline]
    pub fn try_lock_arc_until(self: &Arc<Self>, timeout: Instant) -> Option<ArcMutexGuard<RawMutex, T>> {
        Held::acquire_until(Arc::clone(self), timeout).map(ArcMutexGuard::new)
    }
}

impl<T: ?Sized> Lock for Arc<Mutex<T>> {
    type Raw = RawMutex;

    #[inline]
    fn lock_ref(&self) -> LockRef<'_> {
        Mutex::lock_ref(self)
    }

    #[inline]
    fn raw(&self) -> &RawMutex {
        // SAFETY: the raw mutex is only unlocked by the acquisition that asks for it.
        unsafe { Mutex::raw(self) }
    }
}

/// Access to a mutex' data, sharing the mutex; dropping it unlocks the mutex.
///
/// `R` is always [`RawMutex`]: it is there because parking_lot's type has it.
#[clippy::has_significant_drop]
#[must_use = "if unused the mutex unlocks at once"]
pub struct ArcMutexGuard<R: lock_api::RawMutex, T: ?Sized> {
    held: Held<Arc<Mutex<T>>, Locked>,
    // `T` as in parking_lot: the guard of data that is not `Sync` is not `Sync`, though its mutex is.
    raw: PhantomData<R>,
    data: PhantomData<T>,
}

impl<T: ?Sized> ArcMutexGuard<RawMutex, T> {
    #[inline]
    fn new(held: Held<Arc<Mutex<T>>, Locked>) -> Self {
        Self { held, raw: PhantomData, data: PhantomData }
    }

    #[inline]
    fn data(&self) -> *mut T {
        self.held.lock().data_ptr()
    }

    /// The mutex that this guard locks.
    #[inline]
    pub fn mutex(s: &Self) -> &Arc<Mutex<T>> {
        s.held.lock()
    }

    /// Unlocks the mutex and returns it.
    #[inline]
    pub fn into_arc(s: Self) -> Arc<Mutex<T>> {
        s.held.release()
    }

    /// Unlocks the mutex, handing it to a waiting thread if there is one, and returns it.
    #[inline]
    pub fn into_arc_fair(s: Self) -> Arc<Mutex<T>> {
        s.held.release_fair()
    }

    unlock_functions!();
}

guard_traits!([T: ?Sized] ArcMutexGuard<RawMutex, T>: Deref, DerefMut);
