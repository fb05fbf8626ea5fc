//! Locking a reentrant mutex through its `Arc`, with a guard that keeps it alive (feature `arc_lock`).

use std::{marker::PhantomData, sync::Arc};

use super::{
    guard_traits::{fair_functions, guard_traits, into_arc_fair_function, into_arc_function, unlocked_function},
    held::{Held, Lock},
    reentrant::{Again, Core, ReentrantMutex},
};
use crate::{
    follow::LockRef,
    raw::{GetThreadId, RawMutex, RawMutexFair, RawMutexTimed},
    version::ArcReentrantMarker,
};

impl<R: RawMutex, G: GetThreadId, T: ?Sized> ReentrantMutex<R, G, T> {
    /// [`make_guard_unchecked`](Self::make_guard_unchecked), with a guard that shares the mutex.
    ///
    /// # Safety
    ///
    /// As for [`make_guard_unchecked`](Self::make_guard_unchecked).
    #[inline]
    pub unsafe fn make_arc_guard_unchecked(self: &Arc<Self>) -> ArcReentrantMutexGuard<R, G, T> {
        // SAFETY: this function's contract.
        ArcReentrantMutexGuard::new(unsafe { Held::adopt(Arc::clone(self), ()) })
    }

    /// [`lock`](Self::lock), with a guard that shares the mutex.
    #[track_caller]
    #[inline]
    pub fn lock_arc(self: &Arc<Self>) -> ArcReentrantMutexGuard<R, G, T> {
        ArcReentrantMutexGuard::new(Held::acquire(Arc::clone(self)))
    }

    /// [`try_lock`](Self::try_lock), with a guard that shares the mutex.
    #[track_caller]
    #[inline]
    pub fn try_lock_arc(self: &Arc<Self>) -> Option<ArcReentrantMutexGuard<R, G, T>> {
        Held::try_acquire(Arc::clone(self)).map(ArcReentrantMutexGuard::new)
    }
}

impl<R: RawMutexTimed, G: GetThreadId, T: ?Sized> ReentrantMutex<R, G, T> {
    /// [`try_lock_for`](Self::try_lock_for), with a guard that shares the mutex.
    #[track_caller]
    #[inline]
    pub fn try_lock_arc_for(self: &Arc<Self>, timeout: R::Duration) -> Option<ArcReentrantMutexGuard<R, G, T>> {
        Held::acquire_for::<Again>(Arc::clone(self), timeout).map(ArcReentrantMutexGuard::new)
    }

    /// [`try_lock_until`](Self::try_lock_until), with a guard that shares the mutex.
    #[track_caller]
    #[inline]
    pub fn try_lock_arc_until(self: &Arc<Self>, timeout: R::Instant) -> Option<ArcReentrantMutexGuard<R, G, T>> {
        Held::acquire_until::<Again>(Arc::clone(self), timeout).map(ArcReentrantMutexGuard::new)
    }
}

impl<R: RawMutex, G: GetThreadId, T: ?Sized> Lock for Arc<ReentrantMutex<R, G, T>> {
    type Raw = Core<R, G>;

    #[inline]
    fn lock_ref(&self) -> LockRef<'_> {
        ReentrantMutex::lock_ref(self)
    }

    #[inline]
    fn raw_lock(&self) -> &Core<R, G> {
        ReentrantMutex::core(self)
    }
}

/// Access to a reentrant mutex' data, sharing the mutex; dropping it takes one `lock` back.
#[clippy::has_significant_drop]
#[must_use = "if unused the mutex unlocks at once"]
pub struct ArcReentrantMutexGuard<R: RawMutex, G: GetThreadId, T: ?Sized> {
    held: Held<Arc<ReentrantMutex<R, G, T>>, Again, ()>,
    marker: ArcReentrantMarker<T>,
}

impl<R: RawMutex, G: GetThreadId, T: ?Sized> ArcReentrantMutexGuard<R, G, T> {
    #[inline]
    fn new(held: Held<Arc<ReentrantMutex<R, G, T>>, Again, ()>) -> Self {
        Self { held, marker: PhantomData }
    }

    #[inline]
    fn data(&self) -> *mut T {
        self.held.lock().data_ptr()
    }

    /// The mutex that this guard locks.
    pub fn remutex(s: &Self) -> &Arc<ReentrantMutex<R, G, T>> {
        s.held.lock()
    }

    into_arc_function!(ReentrantMutex<R, G, T>);
    unlocked_function!();
}

impl<R: RawMutexFair, G: GetThreadId, T: ?Sized> ArcReentrantMutexGuard<R, G, T> {
    into_arc_fair_function!(ReentrantMutex<R, G, T>);
    fair_functions!();
}

guard_traits!([R: RawMutex, G: GetThreadId, T: ?Sized] ArcReentrantMutexGuard<R, G, T>: Deref);
