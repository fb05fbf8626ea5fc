//! The mutex of threads, which its holder may lock again.

use std::{
    cell::UnsafeCell,
    fmt,
    time::{Duration, Instant},
};

use lock_api::GetThreadId;
use lockscope::rt::{LockKind, LockRef};
use parking_lot::RawThreadId;

use super::{
    level::{Core, Level, Reentrant},
    raw::RawMutex,
    reentrant_guard::ReentrantMutexGuard,
    way::MutexRaw,
};

/// A mutex of threads, by way of the raw mutex `R`; `G` tells threads apart.
pub struct ReentrantMutex<R, G, T: ?Sized> {
    pub(crate) core: Core<R, G>,
    data: UnsafeCell<T>,
}

// SAFETY: `core` lets one thread at a time reach the data, so sharing the mutex only sends `T`.
unsafe impl<R: Sync, G: GetThreadId + Sync, T: ?Sized + Send> Sync for ReentrantMutex<R, G, T> {}

impl<T> ReentrantMutex<RawMutex, RawThreadId, T> {
    /// Makes an unlocked mutex.
    ///
    /// Reports call it by the place of this call; for a name or a rank see [`named`](crate::named).
    #[track_caller]
    #[inline]
    pub const fn new(value: T) -> Self {
        Self::from_raw(RawMutex::UNLOCKED, RawThreadId, value)
    }
}

impl<G, T> ReentrantMutex<RawMutex, G, T> {
    /// Makes a mutex from a raw one and a helper that tells threads apart.
    #[track_caller]
    #[inline]
    pub const fn from_raw(mut raw_mutex: RawMutex, get_thread_id: G, value: T) -> Self {
        raw_mutex.meta.set_created();
        Self { core: Core::new(raw_mutex, get_thread_id), data: UnsafeCell::new(value) }
    }
}

impl<R, G, T> ReentrantMutex<R, G, T> {
    /// Takes the mutex apart and returns the data.
    #[inline]
    pub fn into_inner(self) -> T {
        self.data.into_inner()
    }

    /// Takes the mutex apart and returns the raw mutex, the helper that tells threads apart, and the data.
    #[inline]
    pub fn into_inner_with_raw(self) -> (R, G, T) {
        (self.core.raw, self.core.thread_id, self.data.into_inner())
    }
}

impl<R: MutexRaw, G: GetThreadId, T: ?Sized> ReentrantMutex<R, G, T> {
    /// Locks the mutex, waiting for as long as it takes for other threads to unlock it.
    #[track_caller]
    #[inline]
    pub fn lock(&self) -> ReentrantMutexGuard<'_, R, G, T> {
        ReentrantMutexGuard::new(Level::acquire(self))
    }

    /// Locks the mutex if no other thread has it.
    #[track_caller]
    #[inline]
    pub fn try_lock(&self) -> Option<ReentrantMutexGuard<'_, R, G, T>> {
        Level::try_acquire(self).map(ReentrantMutexGuard::new)
    }

    /// Locks the mutex, waiting for `timeout` at most.
    #[track_caller]
    #[inline]
    pub fn try_lock_for(&self, timeout: Duration) -> Option<ReentrantMutexGuard<'_, R, G, T>> {
        Level::acquire_for(self, timeout).map(ReentrantMutexGuard::new)
    }

    /// Locks the mutex, waiting until `timeout` at most.
    #[track_caller]
    #[inline]
    pub fn try_lock_until(&self, timeout: Instant) -> Option<ReentrantMutexGuard<'_, R, G, T>> {
        Level::acquire_until(self, timeout).map(ReentrantMutexGuard::new)
    }

    /// Whether some thread has the mutex at this instant.
    #[inline]
    pub fn is_locked(&self) -> bool {
        self.core.raw.is_locked()
    }

    /// Whether this thread has the mutex.
    #[inline]
    pub fn is_owned_by_current_thread(&self) -> bool {
        self.core.is_mine()
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

    /// The raw mutex, which knows nothing of locking again. What is done to it is followed as well.
    ///
    /// # Safety
    ///
    /// The raw mutex must not be unlocked while a guard or a reference into the data relies on it.
    #[inline]
    pub unsafe fn raw(&self) -> &R {
        &self.core.raw
    }

    /// Makes a guard for a lock that this thread has already, as after forgetting its guard.
    ///
    /// # Safety
    ///
    /// This thread has locked the mutex, and no other guard will undo that lock.
    #[inline]
    pub unsafe fn make_guard_unchecked(&self) -> ReentrantMutexGuard<'_, R, G, T> {
        // SAFETY: this function's contract.
        ReentrantMutexGuard::new(unsafe { Level::adopt(self) })
    }

    /// Undoes one of this thread's locks without a guard.
    ///
    /// # Safety
    ///
    /// This thread has locked the mutex, no guard will undo that lock, and when it is the last one no reference into the data
    /// is used afterwards.
    #[inline]
    pub unsafe fn force_unlock(&self) {
        // SAFETY: this function's contract.
        drop(unsafe { Level::adopt(self) });
    }

    /// As [`force_unlock`](Self::force_unlock), handing the mutex to a waiting thread if there is one.
    ///
    /// # Safety
    ///
    /// As for [`force_unlock`](Self::force_unlock).
    #[inline]
    pub unsafe fn force_unlock_fair(&self) {
        // SAFETY: this function's contract.
        unsafe { Level::adopt(self) }.release_fair();
    }

    #[inline]
    pub(crate) fn lock_ref(&self) -> LockRef<'_> {
        LockRef::new::<T>(self.core.raw.meta(), LockKind::ReentrantMutex).staying()
    }
}

impl<R: MutexRaw, G: GetThreadId, T: ?Sized> Reentrant for &ReentrantMutex<R, G, T> {
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

impl<R: MutexRaw, G: GetThreadId, T: Default> Default for ReentrantMutex<R, G, T> {
    #[track_caller]
    #[inline]
    fn default() -> Self {
        Self::from(T::default())
    }
}

impl<R: MutexRaw, G: GetThreadId, T> From<T> for ReentrantMutex<R, G, T> {
    #[track_caller]
    #[inline]
    fn from(value: T) -> Self {
        let mut raw = R::INIT;
        raw.meta_mut().set_created();
        Self { core: Core::new(raw, G::INIT), data: UnsafeCell::new(value) }
    }
}

impl<R: MutexRaw, G: GetThreadId, T: ?Sized + fmt::Debug> fmt::Debug for ReentrantMutex<R, G, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut out = f.debug_struct("ReentrantMutex");
        match self.try_lock() {
            Some(guard) => out.field("data", &&*guard),
            None => out.field("data", &format_args!("<locked>")),
        };
        out.finish()
    }
}
