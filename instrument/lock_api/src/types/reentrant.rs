//! The mutex that its holder can take again.

use std::{cell::UnsafeCell, fmt, mem::MaybeUninit, panic::Location};

use super::{
    held::{Held, Lock},
    raw_reentrant::RawReentrantMutex,
    reentrant_guard::ReentrantMutexGuard,
    way::{FairWay, TimedWay, Way},
};
use crate::{
    follow::{self, Hold, LockKind, LockMeta, LockRef, Mode},
    raw::{GetThreadId, RawMutex, RawMutexFair, RawMutexTimed},
    version::{self, Keeps},
};

/// Mutual exclusion of threads by the raw mutex `R`, over data of type `T`, followed by lockscope; the thread that holds it can
/// lock it again. `G` tells threads apart.
///
/// Only the first `lock` and the last unlock are told to the runtime: what is between neither waits nor is a new hold.
pub struct ReentrantMutex<R: Keeps, G, T: ?Sized> {
    core: Core<R, G>,
    data: UnsafeCell<T>,
}

// SAFETY: the mutex owns its data.
unsafe impl<R: RawMutex + Send, G: GetThreadId + Send, T: ?Sized + Send> Send for ReentrantMutex<R, G, T> {}
// SAFETY: `core` lets one thread at a time reach the data, which sends it from thread to thread.
unsafe impl<R: RawMutex + Sync, G: GetThreadId + Sync, T: ?Sized + Send> Sync for ReentrantMutex<R, G, T> {}

/// A reentrant mutex without its data.
pub struct Core<R: Keeps, G> {
    meta: LockMeta,
    raw: RawReentrantMutex<R, G>,
    /// The acquisition. The holder's only, and initialised while there is one.
    hold: UnsafeCell<MaybeUninit<Hold>>,
}

// SAFETY: `hold` is touched by the holder of `raw` only.
unsafe impl<R: RawMutex + Sync, G: GetThreadId + Sync> Sync for Core<R, G> {}

impl<R: RawMutex, G: GetThreadId> Core<R, G> {
    /// Tells the runtime of an unlock that is about to be made, if it is the last.
    #[inline]
    fn before_unlock(&self) {
        if self.raw.is_last() {
            // SAFETY: this thread is the holder, so the hold is initialised; it is read once, as the last `lock` is undone.
            let mut hold = unsafe { (*self.hold.get()).assume_init_read() };
            // The type of the data is known to the runtime since the acquisition.
            follow::release(LockRef::new::<()>(&self.meta, LockKind::ReentrantMutex), &mut hold);
        }
    }
}

/// A mutex, held by a thread that can take it again.
pub enum Again {}

impl<R: RawMutex, G: GetThreadId> Way<Core<R, G>> for Again {
    const MODE: Mode = Mode::Exclusive;

    /// The raw mutex keeps it.
    type Token = ();

    #[inline]
    #[track_caller]
    fn lock(core: &Core<R, G>) {
        core.raw.lock();
    }

    #[inline]
    #[track_caller]
    fn try_lock(core: &Core<R, G>) -> Option<()> {
        core.raw.try_lock().then_some(())
    }

    #[inline]
    unsafe fn unlock(core: &Core<R, G>, (): ()) {
        core.before_unlock();
        // SAFETY: this function's contract.
        unsafe { core.raw.unlock() }
    }

    #[inline]
    fn is_mine(core: &Core<R, G>) -> bool {
        core.raw.is_owned_by_current_thread()
    }

    #[inline]
    fn keep(core: &Core<R, G>, hold: Hold) -> Hold {
        // SAFETY: this thread has just become the holder.
        unsafe { (*core.hold.get()).write(hold) };
        Hold::untracked(Mode::Exclusive)
    }

    #[inline]
    fn adopt(_: LockRef<'_>) -> Hold {
        // The lock has it, and no guard.
        Hold::untracked(Mode::Exclusive)
    }
}

impl<R: RawMutexFair, G: GetThreadId> FairWay<Core<R, G>> for Again {
    #[inline]
    unsafe fn unlock_fair(core: &Core<R, G>, (): ()) {
        core.before_unlock();
        // SAFETY: this function's contract.
        unsafe { core.raw.unlock_fair() }
    }
}

impl<R: RawMutexTimed, G: GetThreadId> TimedWay<Core<R, G>> for Again {
    type Duration = R::Duration;
    type Instant = R::Instant;

    #[inline]
    #[track_caller]
    fn try_lock_for(core: &Core<R, G>, timeout: R::Duration) -> Option<()> {
        core.raw.try_lock_for(timeout).then_some(())
    }

    #[inline]
    #[track_caller]
    fn try_lock_until(core: &Core<R, G>, timeout: R::Instant) -> Option<()> {
        core.raw.try_lock_until(timeout).then_some(())
    }
}

impl<R: RawMutex, G: GetThreadId, T> ReentrantMutex<R, G, T> {
    /// Makes an unlocked mutex. Reports call it by the place of this call.
    #[track_caller]
    #[inline]
    pub const fn new(val: T) -> ReentrantMutex<R, G, T> {
        Self::from_raw(R::INIT, G::INIT, val)
    }

    /// Takes the mutex apart and returns the data.
    #[inline]
    pub fn into_inner(self) -> T {
        self.data.into_inner()
    }
}

impl<R: Keeps, G, T> ReentrantMutex<R, G, T> {
    /// Makes a mutex of a raw one, and of what tells threads apart. What the raw one was used for before is not known to
    /// lockscope.
    #[track_caller]
    #[inline]
    pub const fn from_raw(raw_mutex: R, get_thread_id: G, val: T) -> ReentrantMutex<R, G, T> {
        let core = Core {
            meta: LockMeta::new(),
            raw: RawReentrantMutex::from_parts(raw_mutex, get_thread_id),
            hold: UnsafeCell::new(MaybeUninit::uninit()),
        };
        Self { core, data: UnsafeCell::new(val) }
    }

    /// The raw mutex, what tells threads apart, and the data.
    #[allow(dead_code, reason = "not every version gives the raw lock back")]
    #[inline]
    pub(crate) fn into_parts(self) -> (R, G, T) {
        let (raw, get_thread_id) = self.core.raw.into_parts();
        (raw, get_thread_id, self.data.into_inner())
    }
}

impl<R: RawMutex, G: GetThreadId, T: ?Sized> ReentrantMutex<R, G, T> {
    /// Makes a guard for a mutex that is locked already, as after forgetting its guard.
    ///
    /// # Safety
    ///
    /// The current thread holds the mutex by one `lock` more than it has guards.
    #[inline]
    pub unsafe fn make_guard_unchecked(&self) -> ReentrantMutexGuard<'_, R, G, T> {
        // SAFETY: this function's contract.
        ReentrantMutexGuard::new(unsafe { Held::adopt(self, ()) })
    }

    /// Locks, waiting for other threads for as long as it takes.
    #[track_caller]
    #[inline]
    pub fn lock(&self) -> ReentrantMutexGuard<'_, R, G, T> {
        ReentrantMutexGuard::new(Held::acquire(self))
    }

    /// Locks if that is possible without waiting.
    #[track_caller]
    #[inline]
    pub fn try_lock(&self) -> Option<ReentrantMutexGuard<'_, R, G, T>> {
        Held::try_acquire(self).map(ReentrantMutexGuard::new)
    }

    /// The data, without locking: `&mut self` proves that nobody else has it.
    #[inline]
    pub const fn get_mut(&mut self) -> &mut T {
        self.data.get_mut()
    }

    /// Whether the mutex is locked at this instant, by whomever.
    #[inline]
    #[track_caller]
    pub fn is_locked(&self) -> bool {
        self.core.raw.is_locked()
    }

    /// Whether the current thread holds the mutex.
    #[inline]
    #[track_caller]
    pub fn is_owned_by_current_thread(&self) -> bool {
        self.core.raw.is_owned_by_current_thread()
    }

    /// Takes back one `lock` without the guard; the last one unlocks.
    ///
    /// # Safety
    ///
    /// The current thread holds the mutex by a guard that was forgotten.
    #[inline]
    #[track_caller]
    pub unsafe fn force_unlock(&self) {
        // SAFETY: this function's contract.
        unsafe { Again::unlock(&self.core, ()) };
    }

    /// The raw mutex. lockscope does not follow this mutex from now on, since it can be unlocked unseen.
    ///
    /// # Safety
    ///
    /// The raw mutex must not be unlocked while a guard or a reference into the data relies on it.
    #[inline]
    #[track_caller]
    pub unsafe fn raw(&self) -> &R {
        if !version::is_known(self.core.raw.mutex()) {
            follow::unfollow(self.lock_ref(), Location::caller());
        }
        self.core.raw.mutex()
    }

    /// A pointer to the data. Accesses through it must be ordered by the mutex, and are not seen by lockscope.
    #[inline]
    pub const fn data_ptr(&self) -> *mut T {
        self.data.get()
    }

    #[inline]
    pub(super) fn lock_ref(&self) -> LockRef<'_> {
        LockRef::new::<T>(&self.core.meta, LockKind::ReentrantMutex).staying()
    }

    #[inline]
    pub(super) fn core(&self) -> &Core<R, G> {
        &self.core
    }
}

impl<R: RawMutexFair, G: GetThreadId, T: ?Sized> ReentrantMutex<R, G, T> {
    /// As [`force_unlock`](Self::force_unlock), handing the mutex to a waiting thread if there is one.
    ///
    /// # Safety
    ///
    /// As for [`force_unlock`](Self::force_unlock).
    #[inline]
    #[track_caller]
    pub unsafe fn force_unlock_fair(&self) {
        // SAFETY: this function's contract.
        unsafe { Again::unlock_fair(&self.core, ()) };
    }
}

impl<R: RawMutexTimed, G: GetThreadId, T: ?Sized> ReentrantMutex<R, G, T> {
    /// Locks, waiting for other threads for `timeout` at most.
    #[track_caller]
    #[inline]
    pub fn try_lock_for(&self, timeout: R::Duration) -> Option<ReentrantMutexGuard<'_, R, G, T>> {
        Held::acquire_for::<Again>(self, timeout).map(ReentrantMutexGuard::new)
    }

    /// Locks, waiting for other threads until `timeout` at most.
    #[track_caller]
    #[inline]
    pub fn try_lock_until(&self, timeout: R::Instant) -> Option<ReentrantMutexGuard<'_, R, G, T>> {
        Held::acquire_until::<Again>(self, timeout).map(ReentrantMutexGuard::new)
    }
}

impl<R: RawMutex, G: GetThreadId, T: ?Sized> Lock for &ReentrantMutex<R, G, T> {
    type Raw = Core<R, G>;

    #[inline]
    fn lock_ref(&self) -> LockRef<'_> {
        ReentrantMutex::lock_ref(self)
    }

    #[inline]
    fn raw_lock(&self) -> &Core<R, G> {
        &self.core
    }
}

impl<R: RawMutex, G: GetThreadId, T: Default> Default for ReentrantMutex<R, G, T> {
    #[track_caller]
    #[inline]
    fn default() -> ReentrantMutex<R, G, T> {
        ReentrantMutex::new(Default::default())
    }
}

impl<R: RawMutex, G: GetThreadId, T> From<T> for ReentrantMutex<R, G, T> {
    #[track_caller]
    #[inline]
    fn from(t: T) -> ReentrantMutex<R, G, T> {
        ReentrantMutex::new(t)
    }
}

impl<R: RawMutex, G: GetThreadId, T: ?Sized + fmt::Debug> fmt::Debug for ReentrantMutex<R, G, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut out = f.debug_struct("ReentrantMutex");
        match self.try_lock() {
            Some(guard) => out.field("data", &&*guard),
            None => out.field("data", &format_args!("<locked>")),
        };
        out.finish()
    }
}
