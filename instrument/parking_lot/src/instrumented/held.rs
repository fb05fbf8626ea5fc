//! An acquisition, from acquire to release, whatever the lock and the way of holding it.

use std::{
    marker::PhantomData,
    mem::ManuallyDrop,
    panic::Location,
    ptr,
    time::{Duration, Instant},
};

use lockscope::rt::{self, Hold, LockKind, LockMeta, LockRef, Site};

use super::way::{Followed, Way};
use crate::version::Marker;

/// Points to a lock that the runtime follows.
pub(crate) trait Lock {
    type Raw: Followed;

    fn lock_ref(&self) -> LockRef<'_>;
    fn raw(&self) -> &Self::Raw;
}

/// What the runtime knows of a lock that protects a `T`. Guards stay with their threads unless the feature lets them be sent.
#[inline]
pub(crate) fn lock_ref<T: ?Sized>(meta: &LockMeta, kind: LockKind) -> LockRef<'_> {
    let lock = LockRef::new::<T>(meta, kind);
    if cfg!(feature = "send_guard") { lock } else { lock.staying() }
}

/// A lock without the type of its data, as guards of a part of the data know it.
pub(crate) struct Untyped<'a, R> {
    pub(crate) lock: LockRef<'a>,
    pub(crate) raw: &'a R,
}

impl<R: Followed> Lock for Untyped<'_, R> {
    type Raw = R;

    #[inline]
    fn lock_ref(&self) -> LockRef<'_> {
        self.lock
    }

    #[inline]
    fn raw(&self) -> &R {
        self.raw
    }
}

/// One acquisition of the lock that `L` points to, held in the way `W`; dropping it releases the lock.
pub(crate) struct Held<L: Lock, W: Way<Raw = L::Raw>> {
    lock: L,
    pub(crate) hold: Hold,
    // The marker decides whether guards are `Send`.
    way: PhantomData<(fn() -> W, Marker)>,
}

impl<L: Lock, W: Way<Raw = L::Raw>> Held<L, W> {
    /// Waits for as long as it takes.
    #[inline]
    #[track_caller]
    pub(crate) fn acquire(lock: L) -> Self {
        let hold = acquire::<L, W>(&lock, Location::caller());
        Self::new(lock, hold)
    }

    /// Notes that the guard is about to be leaked on purpose.
    pub(crate) fn note_leaked(&self) {
        rt::leaked(self.lock.lock_ref(), &self.hold);
    }

    /// Does not wait.
    #[inline]
    #[track_caller]
    pub(crate) fn try_acquire(lock: L) -> Option<Self> {
        let hold = try_acquire::<L, W>(&lock, Location::caller())?;
        Some(Self::new(lock, hold))
    }

    /// Waits until `deadline` at most.
    #[inline]
    #[track_caller]
    pub(crate) fn acquire_until(lock: L, deadline: Instant) -> Option<Self> {
        let hold = acquire_until::<L, W>(&lock, deadline, Location::caller())?;
        Some(Self::new(lock, hold))
    }

    /// Waits for `limit` at most.
    #[inline]
    #[track_caller]
    pub(crate) fn acquire_for(lock: L, limit: Duration) -> Option<Self> {
        let hold = acquire_for::<L, W>(&lock, limit, Location::caller())?;
        Some(Self::new(lock, hold))
    }

    /// The acquisition of a guard that was forgotten, or of a raw acquisition.
    ///
    /// # Safety
    ///
    /// The current context holds the lock in this way, and nothing else will release it.
    #[inline]
    pub(crate) unsafe fn adopt(lock: L) -> Self {
        let hold = rt::adopt(lock.lock_ref(), W::MODE);
        Self::new(lock, hold)
    }

    /// Invariant: the lock is held in this way, and nothing else will release it.
    #[inline]
    fn new(lock: L, hold: Hold) -> Self {
        Self { lock, hold, way: PhantomData }
    }

    /// The pointer to the lock.
    #[inline]
    pub(crate) fn lock(&self) -> &L {
        &self.lock
    }

    /// The lock as the runtime sees it, and what it knows of this acquisition.
    #[inline]
    pub(crate) fn parts(&mut self) -> (LockRef<'_>, &L::Raw, &mut Hold) {
        (self.lock.lock_ref(), self.lock.raw(), &mut self.hold)
    }

    /// Notes that the data was read.
    #[inline]
    pub(crate) fn note_read(&self) {
        self.hold.note_read();
    }

    /// Notes that the data was borrowed mutably.
    #[inline]
    pub(crate) fn note_write(&mut self) {
        self.hold.note_write();
    }

    /// The acquisition taken apart; it is up to the caller to release it.
    #[inline]
    fn into_parts(self) -> (L, Hold) {
        let this = ManuallyDrop::new(self);
        // SAFETY: both are read once; `ManuallyDrop` keeps `Drop` from using them again.
        unsafe { (ptr::read(&this.lock), ptr::read(&this.hold)) }
    }

    /// Leaves the lock held: whoever releases it finds the acquisition by [`adopt`](Self::adopt).
    #[inline]
    pub(crate) fn leave(self) {
        self.into_parts();
    }

    /// The same acquisition under another pointer to the same lock.
    #[inline]
    pub(crate) fn map_lock<M: Lock<Raw = L::Raw>>(self, to: impl FnOnce(L) -> M) -> Held<M, W> {
        let (lock, hold) = self.into_parts();
        Held::new(to(lock), hold)
    }

    /// The same acquisition after it was made one of another way.
    ///
    /// # Safety
    ///
    /// The raw lock is now held in the way `V`.
    #[inline]
    pub(crate) unsafe fn changed_to<V: Way<Raw = L::Raw>>(self) -> Held<L, V> {
        let (lock, hold) = self.into_parts();
        Held::new(lock, hold)
    }

    /// Releases, handing the lock to a waiting thread if there is one; returns the pointer to the lock.
    #[inline]
    pub(crate) fn release_fair(self) -> L {
        let (lock, mut hold) = self.into_parts();
        rt::release(lock.lock_ref(), &mut hold);
        // SAFETY: it was held, and `into_parts` keeps it from being released again.
        unsafe { W::unlock_fair(lock.raw()) };
        lock
    }

    /// Releases; returns the pointer to the lock.
    #[cfg(feature = "arc_lock")]
    #[inline]
    pub(crate) fn release(self) -> L {
        let (lock, mut hold) = self.into_parts();
        rt::release(lock.lock_ref(), &mut hold);
        // SAFETY: as in `release_fair`.
        unsafe { W::unlock(lock.raw()) };
        lock
    }

    /// Releases, runs `f`, and acquires again, also when `f` panics.
    #[inline]
    #[track_caller]
    pub(crate) fn released<R>(&mut self, f: impl FnOnce() -> R) -> R {
        // SAFETY: `unlock` asks for nothing but a held lock.
        unsafe { self.released_by(W::unlock, Location::caller(), f) }
    }

    /// As [`released`](Self::released); hands the lock to a waiting thread if there is one.
    #[inline]
    #[track_caller]
    pub(crate) fn released_fair<R>(&mut self, f: impl FnOnce() -> R) -> R {
        // SAFETY: as in `released`.
        unsafe { self.released_by(W::unlock_fair, Location::caller(), f) }
    }

    /// Lets a waiting thread have the lock, and acquires again.
    #[inline]
    #[track_caller]
    pub(crate) fn bump(&mut self) {
        self.released_fair(|| ());
    }

    /// # Safety
    ///
    /// `unlock` releases the raw lock, which is all that it needs to be held for.
    #[inline]
    unsafe fn released_by<R>(&mut self, unlock: unsafe fn(&L::Raw), site: Site, f: impl FnOnce() -> R) -> R {
        struct Reacquire<'h, L: Lock, W: Way<Raw = L::Raw>>(&'h mut Held<L, W>, Site);

        impl<L: Lock, W: Way<Raw = L::Raw>> Drop for Reacquire<'_, L, W> {
            fn drop(&mut self) {
                // A guard without its lock must not reach the caller, so a panic in here cannot be allowed to.
                let bomb = AbortOnUnwind;
                self.0.hold = acquire::<L, W>(&self.0.lock, self.1);
                std::mem::forget(bomb);
            }
        }

        rt::release(self.lock.lock_ref(), &mut self.hold);
        let reacquire = Reacquire(self, site);
        // SAFETY: the lock is held; from here to the end of `reacquire` nobody reaches it through `self`.
        unsafe { unlock(reacquire.0.lock.raw()) };
        f()
    }
}

impl<L: Lock, W: Way<Raw = L::Raw>> Drop for Held<L, W> {
    #[inline]
    fn drop(&mut self) {
        rt::release(self.lock.lock_ref(), &mut self.hold);
        // SAFETY: held, and nothing else releases it: `Held`'s invariant.
        unsafe { W::unlock(self.lock.raw()) };
    }
}

/// The lock as the runtime is to see it when it is asked for in the way `W`.
#[inline]
fn asked<L: Lock, W: Way<Raw = L::Raw>>(lock: &L) -> LockRef<'_> {
    if W::RECURSIVE { lock.lock_ref().recursively() } else { lock.lock_ref() }
}

/// Waits for as long as it takes.
#[inline]
pub(crate) fn acquire<L: Lock, W: Way<Raw = L::Raw>>(lock: &L, site: Site) -> Hold {
    let raw = lock.raw();
    let ((), hold) = rt::acquire(
        asked::<L, W>(lock),
        W::MODE,
        site,
        || W::try_lock(raw).then_some(()),
        |limit| match limit {
            None => {
                W::lock(raw);
                Some(())
            }
            Some(limit) => W::try_lock_for(raw, limit).then_some(()),
        },
    );
    hold
}

/// Does not wait.
#[inline]
pub(crate) fn try_acquire<L: Lock, W: Way<Raw = L::Raw>>(lock: &L, site: Site) -> Option<Hold> {
    let raw = lock.raw();
    let ((), hold) = rt::try_acquire(asked::<L, W>(lock), W::MODE, site, || W::try_lock(raw).then_some(()))?;
    Some(hold)
}

/// Waits until `deadline` at most.
#[inline]
pub(crate) fn acquire_until<L: Lock, W: Way<Raw = L::Raw>>(lock: &L, deadline: Instant, site: Site) -> Option<Hold> {
    let raw = lock.raw();
    let ((), hold) = rt::acquire_timed(
        asked::<L, W>(lock),
        W::MODE,
        site,
        deadline,
        || W::try_lock(raw).then_some(()),
        |until| W::try_lock_until(raw, until).then_some(()),
    )?;
    Some(hold)
}

/// Waits for `limit` at most.
#[inline]
pub(crate) fn acquire_for<L: Lock, W: Way<Raw = L::Raw>>(lock: &L, limit: Duration, site: Site) -> Option<Hold> {
    match Instant::now().checked_add(limit) {
        Some(deadline) => acquire_until::<L, W>(lock, deadline, site),
        // As in parking_lot, a limit beyond all time is none.
        None => Some(acquire::<L, W>(lock, site)),
    }
}

/// Ends the process when it is dropped by a panic.
pub(crate) struct AbortOnUnwind;

impl Drop for AbortOnUnwind {
    fn drop(&mut self) {
        // The panic's own message has been printed by now.
        eprintln!("lockscope: a guard could not take back its lock; aborting");
        std::process::abort();
    }
}
