//! A raw mutex that its holder can take again.

use std::{
    cell::{Cell, UnsafeCell},
    mem::MaybeUninit,
    sync::atomic::{AtomicUsize, Ordering},
};

use super::way::{FairWay as _, Locked, TimedWay as _, Way as _};
use crate::{
    raw::{GetThreadId, RawMutex, RawMutexFair, RawMutexTimed},
    version::{self, Keeps, MutexToken},
};

/// The raw mutex `R`, made one that the thread that holds it can lock again; `G` tells threads apart.
///
/// No [`RawMutex`], since it is not exclusive.
pub struct RawReentrantMutex<R: Keeps, G> {
    /// The holder, 0 when there is none. Others may read what they like: only the holder finds itself here.
    owner: AtomicUsize,
    /// How often the holder has locked. Touched by the holder only.
    lock_count: Cell<usize>,
    /// The token of the acquisition. The holder's only, and initialised while there is one.
    token: UnsafeCell<MaybeUninit<R::Kept>>,
    mutex: R,
    get_thread_id: G,
}

// SAFETY: it owns its parts; a token is there while the mutex is held, and is then forgotten with it.
unsafe impl<R: RawMutex + Send, G: Send> Send for RawReentrantMutex<R, G> {}
// SAFETY: `lock_count` and `token` are touched by the holder of `mutex` only.
unsafe impl<R: RawMutex + Sync, G: GetThreadId + Sync> Sync for RawReentrantMutex<R, G> {}

impl<R: Keeps, G> RawReentrantMutex<R, G> {
    #[inline]
    pub(super) const fn from_parts(mutex: R, get_thread_id: G) -> Self {
        let token = UnsafeCell::new(MaybeUninit::uninit());
        Self { owner: AtomicUsize::new(0), lock_count: Cell::new(0), token, mutex, get_thread_id }
    }

    #[allow(dead_code, reason = "not every version gives the raw lock back")]
    #[inline]
    pub(super) fn into_parts(self) -> (R, G) {
        (self.mutex, self.get_thread_id)
    }

    #[inline]
    pub(super) fn mutex(&self) -> &R {
        &self.mutex
    }

    /// Whether one `unlock` unlocks. For the holder.
    #[inline]
    pub(super) fn is_last(&self) -> bool {
        self.lock_count.get() == 1
    }
}

impl<R: RawMutex, G: GetThreadId> RawReentrantMutex<R, G> {
    /// An unlocked mutex.
    #[allow(clippy::declare_interior_mutable_const)]
    pub const INIT: Self = Self::from_parts(R::INIT, G::INIT);

    /// Locks, waiting for other threads for as long as it takes.
    #[inline]
    #[track_caller]
    pub fn lock(&self) {
        self.lock_by(|mutex| Some(Locked::lock(mutex)));
    }

    /// Locks if that is possible without waiting; returns whether it was.
    #[inline]
    #[track_caller]
    pub fn try_lock(&self) -> bool {
        self.lock_by(Locked::try_lock)
    }

    #[inline]
    #[track_caller]
    fn lock_by(&self, lock: impl FnOnce(&R) -> Option<MutexToken<R>>) -> bool {
        let me = self.get_thread_id.nonzero_thread_id().get();
        if self.owner.load(Ordering::Relaxed) == me {
            let count = self.lock_count.get().checked_add(1);
            self.lock_count.set(count.expect("a reentrant mutex is locked more often than can be counted"));
            return true;
        }
        let Some(token) = lock(&self.mutex) else { return false };
        // SAFETY: this thread has just become the holder.
        unsafe { (*self.token.get()).write(version::keep::<R>(token)) };
        self.owner.store(me, Ordering::Relaxed);
        self.lock_count.set(1);
        true
    }

    /// Takes back one `lock`; the last one unlocks.
    ///
    /// # Safety
    ///
    /// The current thread holds the mutex.
    #[inline]
    pub unsafe fn unlock(&self) {
        if let Some(token) = self.count_down() {
            // SAFETY: this function's contract.
            unsafe { Locked::unlock(&self.mutex, token) };
        }
    }

    /// Counts an unlock; returns the token if it was the last one. For the holder.
    #[inline]
    fn count_down(&self) -> Option<MutexToken<R>> {
        let count = self.lock_count.get() - 1;
        self.lock_count.set(count);
        if count > 0 {
            return None;
        }
        self.owner.store(0, Ordering::Relaxed);
        // SAFETY: this thread is the holder until it unlocks, so the token is there; it is taken once, as the last `lock` is undone.
        Some(version::kept::<R>(unsafe { (*self.token.get()).assume_init_read() }))
    }

    /// Whether the mutex is locked at this instant, by whomever.
    #[inline]
    #[track_caller]
    pub fn is_locked(&self) -> bool {
        self.mutex.is_locked()
    }

    /// Whether the current thread holds the mutex.
    #[inline]
    pub fn is_owned_by_current_thread(&self) -> bool {
        self.owner.load(Ordering::Relaxed) == self.get_thread_id.nonzero_thread_id().get()
    }
}

impl<R: RawMutexFair, G: GetThreadId> RawReentrantMutex<R, G> {
    /// Takes back one `lock`; the last one unlocks, handing the mutex to a waiting thread if there is one.
    ///
    /// # Safety
    ///
    /// The current thread holds the mutex.
    #[inline]
    pub unsafe fn unlock_fair(&self) {
        if let Some(token) = self.count_down() {
            // SAFETY: this function's contract.
            unsafe { Locked::unlock_fair(&self.mutex, token) };
        }
    }

    /// Lets a waiting thread have the mutex, and locks it again. Does nothing when the current thread has locked more than
    /// once.
    ///
    /// # Safety
    ///
    /// The current thread holds the mutex.
    #[inline]
    #[track_caller]
    pub unsafe fn bump(&self) {
        if self.lock_count.get() == 1 {
            // SAFETY: this function's contract.
            unsafe { self.unlock_fair() };
            self.lock();
        }
    }
}

impl<R: RawMutexTimed, G: GetThreadId> RawReentrantMutex<R, G> {
    /// Locks, waiting for other threads until `timeout` at most; returns whether it did.
    #[inline]
    #[track_caller]
    pub fn try_lock_until(&self, timeout: R::Instant) -> bool {
        self.lock_by(|mutex| Locked::try_lock_until(mutex, timeout))
    }

    /// Locks, waiting for other threads for `timeout` at most; returns whether it did.
    #[inline]
    #[track_caller]
    pub fn try_lock_for(&self, timeout: R::Duration) -> bool {
        self.lock_by(|mutex| Locked::try_lock_for(mutex, timeout))
    }
}
