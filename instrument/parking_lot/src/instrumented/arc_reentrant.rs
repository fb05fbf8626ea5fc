//! Locking a reentrant mutex through its `Arc`, with a guard that keeps it alive (feature `arc_lock`).

use std::{
    marker::PhantomData,
    sync::Arc,
    time::{Duration, Instant},
};

use lock_api::GetThreadId;
use lockscope::rt::LockRef;

use super::{
    guard_traits::{guard_traits, unlock_functions},
    level::{Core, Level, Reentrant},
    reentrant::ReentrantMutex,
    way::MutexRaw,
};

impl<R: MutexRaw, G: GetThreadId, T: ?Sized> ReentrantMutex<R, G, T> {
    /// [`lock`](Self::lock), with a guard that shares the mutex.
    #[track_caller]
    #[inline]
    pub fn lock_arc(self: &Arc<Self>) -> ArcReentrantMutexGuard<R, G, T> {
        ArcReentrantMutexGuard::new(Level::acquire(Arc::clone(self)))
    }

    /// [`try_lock`](Self::try_lock), with a guard that shares the mutex.
    #[track_caller]
    #[inline]
    pub fn try_lock_arc(self: &Arc<Self>) -> Option<ArcReentrantMutexGuard<R, G, T>> {
        Level::try_acquire(Arc::clone(self)).map(ArcReentrantMutexGuard::new)
    }

    /// [`try_lock_for`](Self::try_lock_for), with a guard that shares the mutex.
    #[track_caller]
    #[inline]
    pub fn try_lock_arc_for(self: &Arc<Self>, timeout: Duration) -> Option<ArcReentrantMutexGuard<R, G, T>> {
        Level::acquire_for(Arc::clone(self), timeout).map(ArcReentrantMutexGuard::new)
    }

    /// [`try_lock_until`](Self::try_lock_until), with a guard that shares the mutex.
    #[track_caller]
    #[inline]
    pub fn try_lock_arc_until(self: &Arc<Self>, timeout: Instant) -> Option<ArcReentrantMutexGuard<R, G, T>> {
        Level::acquire_until(Arc::clone(self), timeout).map(ArcReentrantMutexGuard::new)
    }

    /// [`make_guard_unchecked`](Self::make_guard_unchecked), with a guard that shares the mutex.
    ///
    /// # Safety
    ///
    /// As for [`make_guard_unchecked`](Self::make_guard_unchecked).
    #[inline]
    pub unsafe fn make_arc_guard_unchecked(self: &Arc<Self>) -> ArcReentrantMutexGuard<R, G, T> {
        // SAFETY: this function's contract.
        ArcReentrantMutexGuard::new(unsafe { Level::adopt(Arc::clone(self)) })
    }
}

impl<R: MutexRaw, G: GetThreadId, T: ?Sized> Reentrant for Arc<ReentrantMutex<R, G, T>> {
    type Raw = R;
    type Id = G;

    #[inline]
    fn core(&self) -> &Core<R, G> {
        &self.core
    }

    #[inline]
    fn lock_ref(&self) -> LockRef<'_> {
        ReentrantMutex::lock_ref(self)
    }
}

/// Access to a reentrant mutex' data, sharing the mutex; dropping it undoes one of its thread's locks.
#[clippy::has_significant_drop]
#[must_use = "if unused the mutex unlocks at once"]
pub struct ArcReentrantMutexGuard<R: MutexRaw, G: GetThreadId, T: ?Sized> {
    held: Level<Arc<ReentrantMutex<R, G, T>>>,
    // `T` as in parking_lot: the guard of data that is not `Sync` is not `Sync`, though its mutex is.
    data: PhantomData<T>,
}

impl<R: MutexRaw, G: GetThreadId, T: ?Sized> ArcReentrantMutexGuard<R, G, T> {
    #[inline]
    fn new(held: Level<Arc<ReentrantMutex<R, G, T>>>) -> Self {
        Self { held, data: PhantomData }
    }

    #[inline]
    fn data(&self) -> *const T {
        self.held.mutex().data_ptr()
    }

    /// The mutex that this guard locks.
    #[inline]
    pub fn remutex(s: &Self) -> &Arc<ReentrantMutex<R, G, T>> {
        s.held.mutex()
    }

    /// Undoes the lock and returns the mutex.
    #[inline]
    pub fn into_arc(s: Self) -> Arc<ReentrantMutex<R, G, T>> {
        s.held.release()
    }

    /// Undoes the lock, handing the mutex to a waiting thread if it was the last, and returns the mutex.
    #[inline]
    pub fn into_arc_fair(s: Self) -> Arc<ReentrantMutex<R, G, T>> {
        s.held.release_fair()
    }

    unlock_functions!();
}

guard_traits!([R: MutexRaw, G: GetThreadId, T: ?Sized] ArcReentrantMutexGuard<R, G, T>: Deref);
