//! Locking a mutex through its `Arc`, with a guard that keeps it alive (feature `arc_lock`).

use std::{marker::PhantomData, sync::Arc};

use super::{
    guard_traits::{fair_functions, guard_traits, into_arc_fair_function, into_arc_function, unlocked_function},
    held::{Held, Lock},
    mutex::Mutex,
    way::Locked,
};
use crate::{
    follow::LockRef,
    raw::{RawMutex, RawMutexFair, RawMutexTimed},
    version::MutexToken,
};

impl<R: RawMutex, T: ?Sized> Mutex<R, T> {
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
}

impl<R: RawMutexTimed, T: ?Sized> Mutex<R, T> {
    /// [`try_lock_for`](Self::try_lock_for), with a guard that shares the mutex.
    #[track_caller]
    #[inline]
    pub fn try_lock_arc_for(self: &Arc<Self>, timeout: R::Duration) -> Option<ArcMutexGuard<R, T>> {
        Held::acquire_for::<Locked>(Arc::clone(self), timeout).map(ArcMutexGuard::new)
    }

    /// [`try_lock_until`](Self::try_lock_until), with a guard that shares the mutex.
    #[track_caller]
    #[inline]
    pub fn try_lock_arc_until(self: &Arc<Self>, timeout: R::Instant) -> Option<ArcMutexGuard<R, T>> {
        Held::acquire_until::<Locked>(Arc::clone(self), timeout).map(ArcMutexGuard::new)
    }
}

impl<R: RawMutex, T: ?Sized> Lock for Arc<Mutex<R, T>> {
    type Raw = R;

    #[inline]
    fn lock_ref(&self) -> LockRef<'_> {
        Mutex::lock_ref(self)
    }

    #[inline]
    fn raw_lock(&self) -> &R {
        Mutex::raw_lock(self)
    }
}

/// Access to a mutex' data, sharing the mutex; dropping it unlocks the mutex.
#[clippy::has_significant_drop]
#[must_use = "if unused the mutex unlocks at once"]
pub struct ArcMutexGuard<R: RawMutex, T: ?Sized> {
    held: Held<Arc<Mutex<R, T>>, Locked, MutexToken<R>>,
    marker: PhantomData<T>,
}

impl<R: RawMutex, T: ?Sized> ArcMutexGuard<R, T> {
    #[inline]
    fn new(held: Held<Arc<Mutex<R, T>>, Locked, MutexToken<R>>) -> Self {
        Self { held, marker: PhantomData }
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

    into_arc_function!(Mutex<R, T>);
    unlocked_function!();
}

impl<R: RawMutexFair, T: ?Sized> ArcMutexGuard<R, T> {
    into_arc_fair_function!(Mutex<R, T>);
    fair_functions!();
}

guard_traits!([R: RawMutex, T: ?Sized] ArcMutexGuard<R, T>: Deref, DerefMut);
