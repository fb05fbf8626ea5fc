//! A reentrant mutex' locks: first, further, last.
//!
//! Only the first lock of a thread and the last unlock reach the runtime: to lock again what one holds can neither
//! wait nor deadlock, and is no new hold.

use std::{
    cell::{Cell, UnsafeCell},
    marker::PhantomData,
    mem::{ManuallyDrop, MaybeUninit},
    panic::Location,
    ptr,
    sync::atomic::{AtomicUsize, Ordering},
    time::{Duration, Instant},
};

use lock_api::{GetThreadId, GuardNoSend};
use lockscope::rt::{self, Hold, LockRef, Site};

use super::{
    held::{self, AbortOnUnwind, Untyped},
    way::{MutexRaw, Way},
};

/// A reentrant mutex without its data.
pub struct Core<R, G> {
    pub(crate) raw: R,
    pub(crate) thread_id: G,
    /// The thread that has the mutex; 0 for none.
    owner: AtomicUsize,
    /// How often the owner has locked it. The owner's only.
    depth: Cell<usize>,
    /// The owner's acquisition. Initialised while there is an owner, and written by none but the owner.
    hold: UnsafeCell<MaybeUninit<Hold>>,
}

// SAFETY: `depth` is the owner's only, and `hold` is written by the owner only, while nobody else can have a guard to read it by.
unsafe impl<R: Sync, G: GetThreadId + Sync> Sync for Core<R, G> {}

impl<R, G> Core<R, G> {
    pub(crate) const fn new(raw: R, thread_id: G) -> Self {
        let hold = UnsafeCell::new(MaybeUninit::uninit());
        Self { raw, thread_id, owner: AtomicUsize::new(0), depth: Cell::new(0), hold }
    }
}

impl<R: MutexRaw, G: GetThreadId> Core<R, G> {
    #[inline]
    pub(crate) fn is_mine(&self) -> bool {
        // Another thread's id may be here or not: it is not this thread's in either case.
        self.owner.load(Ordering::Relaxed) == self.thread_id.nonzero_thread_id().get()
    }

    /// Locks once more, or for the first time by `acquire`.
    #[inline]
    fn enter(&self, acquire: impl FnOnce() -> Option<Hold>) -> bool {
        if self.is_mine() {
            self.depth.set(self.depth.get().checked_add(1).expect("ReentrantMutex lock count overflow"));
            return true;
        }
        let Some(hold) = acquire() else { return false };
        // SAFETY: the raw mutex is held by this thread, and nobody is the owner yet who could read it.
        unsafe { (*self.hold.get()).write(hold) };
        self.depth.set(1);
        self.owner.store(self.thread_id.nonzero_thread_id().get(), Ordering::Relaxed);
        true
    }

    /// Unlocks once, at last by `unlock`.
    ///
    /// # Safety
    ///
    /// This thread has locked the mutex more often than it has unlocked it; `unlock` needs nothing but a held raw mutex.
    #[inline]
    unsafe fn leave(&self, lock: LockRef<'_>, unlock: unsafe fn(&R)) {
        self.depth.set(self.depth.get() - 1);
        if self.depth.get() == 0 {
            self.owner.store(0, Ordering::Relaxed);
            // SAFETY: there was an owner, this thread, so the hold was initialised; it is read once.
            let mut hold = unsafe { (*self.hold.get()).assume_init_read() };
            rt::release(lock, &mut hold);
            // SAFETY: held, by this function's contract.
            unsafe { unlock(&self.raw) };
        }
    }
}

/// Points to a reentrant mutex.
pub(crate) trait Reentrant {
    type Raw: MutexRaw;
    type Id: GetThreadId;

    fn core(&self) -> &Core<Self::Raw, Self::Id>;
    fn lock_ref(&self) -> LockRef<'_>;
}

/// A reentrant mutex without the type of its data, as guards of a part of the data know it.
pub(crate) struct Part<'a, R, G> {
    pub(crate) lock: LockRef<'a>,
    pub(crate) core: &'a Core<R, G>,
}

impl<R: MutexRaw, G: GetThreadId> Reentrant for Part<'_, R, G> {
    type Raw = R;
    type Id = G;

    #[inline]
    fn core(&self) -> &Core<R, G> {
        self.core
    }

    #[inline]
    fn lock_ref(&self) -> LockRef<'_> {
        self.lock
    }
}

/// One of its thread's locks of the reentrant mutex that `P` points to; dropping it undoes it.
pub(crate) struct Level<P: Reentrant> {
    mutex: P,
    marker: PhantomData<GuardNoSend>,
}

impl<P: Reentrant> Level<P> {
    /// Waits for as long as it takes.
    #[inline]
    #[track_caller]
    pub(crate) fn acquire(mutex: P) -> Self {
        enter(&mutex, Location::caller());
        Self::new(mutex)
    }

    /// Does not wait.
    #[inline]
    #[track_caller]
    pub(crate) fn try_acquire(mutex: P) -> Option<Self> {
        let site = Location::caller();
        let acquire = || held::try_acquire::<_, <P::Raw as MutexRaw>::Locked>(&untyped(&mutex), site);
        mutex.core().enter(acquire).then(|| Self::new(mutex))
    }

    /// Waits until `deadline` at most.
    #[inline]
    #[track_caller]
    pub(crate) fn acquire_until(mutex: P, deadline: Instant) -> Option<Self> {
        let site = Location::caller();
        let acquire = || held::acquire_until::<_, <P::Raw as MutexRaw>::Locked>(&untyped(&mutex), deadline, site);
        mutex.core().enter(acquire).then(|| Self::new(mutex))
    }

    /// Waits for `limit` at most.
    #[inline]
    #[track_caller]
    pub(crate) fn acquire_for(mutex: P, limit: Duration) -> Option<Self> {
        let site = Location::caller();
        let acquire = || held::acquire_for::<_, <P::Raw as MutexRaw>::Locked>(&untyped(&mutex), limit, site);
        mutex.core().enter(acquire).then(|| Self::new(mutex))
    }

    /// The lock of a guard that was forgotten.
    ///
    /// # Safety
    ///
    /// This thread has locked the mutex, and nothing else will undo that lock.
    #[inline]
    pub(crate) unsafe fn adopt(mutex: P) -> Self {
        Self::new(mutex)
    }

    /// Invariant: this thread has locked the mutex, and nothing else will undo that lock.
    #[inline]
    fn new(mutex: P) -> Self {
        Self { mutex, marker: PhantomData }
    }

    /// The pointer to the mutex.
    #[inline]
    pub(crate) fn mutex(&self) -> &P {
        &self.mutex
    }

    /// Notes that the data was read.
    #[inline]
    pub(crate) fn note_read(&self) {
        // SAFETY: the mutex has an owner, so the hold is initialised, and nobody writes it while a guard lives.
        unsafe { (*self.mutex.core().hold.get()).assume_init_ref() }.note_read();
    }

    /// The pointer; it is up to the caller to undo the lock.
    #[inline]
    fn into_mutex(self) -> P {
        let this = ManuallyDrop::new(self);
        // SAFETY: read once; `ManuallyDrop` keeps `Drop` from using it again.
        unsafe { ptr::read(&this.mutex) }
    }

    /// The same lock under another pointer to the same mutex.
    #[inline]
    pub(crate) fn map_lock<Q: Reentrant<Raw = P::Raw, Id = P::Id>>(self, to: impl FnOnce(P) -> Q) -> Level<Q> {
        Level::new(to(self.into_mutex()))
    }

    /// Undoes the lock, handing the mutex to a waiting thread if it was the last; returns the pointer to the mutex.
    #[inline]
    pub(crate) fn release_fair(self) -> P {
        let mutex = self.into_mutex();
        // SAFETY: locked, and `into_mutex` keeps it from being undone again.
        unsafe { mutex.core().leave(mutex.lock_ref(), <P::Raw as MutexRaw>::Locked::unlock_fair) };
        mutex
    }

    /// Undoes the lock; returns the pointer to the mutex.
    #[cfg(feature = "arc_lock")]
    #[inline]
    pub(crate) fn release(self) -> P {
        let mutex = self.into_mutex();
        // SAFETY: as in `release_fair`.
        unsafe { mutex.core().leave(mutex.lock_ref(), <P::Raw as MutexRaw>::Locked::unlock) };
        mutex
    }

    /// Undoes the lock, runs `f`, and locks again, also when `f` panics.
    #[inline]
    #[track_caller]
    pub(crate) fn released<T>(&mut self, f: impl FnOnce() -> T) -> T {
        self.released_by(<P::Raw as MutexRaw>::Locked::unlock, Location::caller(), f)
    }

    /// As [`released`](Self::released); hands the mutex to a waiting thread if there is one.
    #[inline]
    #[track_caller]
    pub(crate) fn released_fair<T>(&mut self, f: impl FnOnce() -> T) -> T {
        self.released_by(<P::Raw as MutexRaw>::Locked::unlock_fair, Location::caller(), f)
    }

    /// Lets a waiting thread have the mutex, and locks again. Does nothing when this thread has further locks of it.
    #[inline]
    #[track_caller]
    pub(crate) fn bump(&mut self) {
        if self.mutex.core().depth.get() == 1 {
            self.released_fair(|| ());
        }
    }

    #[inline]
    fn released_by<T>(&mut self, unlock: unsafe fn(&P::Raw), site: Site, f: impl FnOnce() -> T) -> T {
        struct Relock<'m, P: Reentrant>(&'m P, Site);

        impl<P: Reentrant> Drop for Relock<'_, P> {
            fn drop(&mut self) {
                // A guard without its lock must not reach the caller, so a panic in here cannot be allowed to.
                let bomb = AbortOnUnwind;
                enter(self.0, self.1);
                std::mem::forget(bomb);
            }
        }

        let relock = Relock(&self.mutex, site);
        // SAFETY: locked; from here to the end of `relock` nobody relies on it.
        unsafe { relock.0.core().leave(relock.0.lock_ref(), unlock) };
        f()
    }
}

impl<P: Reentrant> Drop for Level<P> {
    #[inline]
    fn drop(&mut self) {
        // SAFETY: locked, and nothing else undoes it: `Level`'s invariant.
        unsafe { self.mutex.core().leave(self.mutex.lock_ref(), <P::Raw as MutexRaw>::Locked::unlock) };
    }
}

#[inline]
fn untyped<P: Reentrant>(mutex: &P) -> Untyped<'_, P::Raw> {
    Untyped { lock: mutex.lock_ref(), raw: &mutex.core().raw }
}

/// Locks, waiting for as long as it takes.
#[inline]
fn enter<P: Reentrant>(mutex: &P, site: Site) {
    mutex.core().enter(|| Some(held::acquire::<_, <P::Raw as MutexRaw>::Locked>(&untyped(mutex), site)));
}
