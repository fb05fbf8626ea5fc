//! An acquisition, from acquire to release, whatever the lock and the way of holding it.

use std::{
    any::type_name,
    marker::PhantomData,
    mem::ManuallyDrop,
    panic::Location,
    ptr, thread,
    time::{Duration, Instant},
};

use super::way::{FairWay, TimedWay, Way};
use crate::{
    follow::{self, Hold, LockRef},
    raw::{GuardNoSend, GuardSend},
};

type Site = &'static Location<'static>;

/// Points to a lock that is followed.
pub trait Lock {
    type Raw;

    fn lock_ref(&self) -> LockRef<'_>;
    fn raw_lock(&self) -> &Self::Raw;
}

/// A lock without the type of its data, as guards of a part of the data know it.
pub struct Untyped<'a, R> {
    pub(crate) lock: LockRef<'a>,
    pub(crate) raw: &'a R,
}

impl<R> Lock for Untyped<'_, R> {
    type Raw = R;

    #[inline]
    fn lock_ref(&self) -> LockRef<'_> {
        self.lock
    }

    #[inline]
    fn raw_lock(&self) -> &R {
        self.raw
    }
}

/// A raw lock names one of two types to say whether guards may go to other threads. Generic code cannot ask whether a type is
/// `Send`, but these two differ in size.
const _: () = assert!(size_of::<GuardSend>() == 0 && size_of::<GuardNoSend>() == size_of::<usize>());

/// The lock of a raw lock `R` with guards that are marked by `M`. What parking_lot's guards hold is their thread's for sure when
/// they cannot leave it. Others' guards cannot either, but dashmap declares what it wraps them in to be `Send` all the same.
#[inline]
pub(crate) fn guarded_by<R, M>(lock: LockRef<'_>) -> LockRef<'_> {
    let stays = size_of::<M>() == size_of::<GuardNoSend>() && type_name::<R>().starts_with("parking_lot::raw_");
    if stays { lock.staying() } else { lock }
}

/// One acquisition of the lock that `L` points to, held in the way `W`; dropping it releases the lock.
pub struct Held<L: Lock, W: Way<L::Raw>> {
    lock: L,
    pub(crate) hold: Hold,
    way: PhantomData<fn() -> W>,
}

impl<L: Lock, W: Way<L::Raw>> Held<L, W> {
    /// Waits for as long as it takes.
    #[inline]
    #[track_caller]
    pub(crate) fn acquire(lock: L) -> Self {
        Self::acquire_by::<W>(lock)
    }

    /// Waits for as long as it takes, by a call of another name.
    #[inline]
    #[track_caller]
    pub(crate) fn acquire_by<A: Way<L::Raw>>(lock: L) -> Self {
        let hold = acquire::<L, A>(&lock, Location::caller());
        Self::new(lock, hold)
    }

    /// Does not wait.
    #[inline]
    #[track_caller]
    pub(crate) fn try_acquire(lock: L) -> Option<Self> {
        Self::try_acquire_by::<W>(lock)
    }

    /// Does not wait, by a call of another name.
    #[inline]
    #[track_caller]
    pub(crate) fn try_acquire_by<A: Way<L::Raw>>(lock: L) -> Option<Self> {
        let hold = try_acquire::<L, A>(&lock, Location::caller())?;
        Some(Self::new(lock, hold))
    }

    /// Waits for `timeout` at most.
    #[inline]
    #[track_caller]
    pub(crate) fn acquire_for<A: TimedWay<L::Raw>>(lock: L, timeout: A::Duration) -> Option<Self> {
        Self::acquire_timed::<A>(lock, Location::caller(), |raw| A::try_lock_for(raw, timeout))
    }

    /// Waits until `timeout` at most.
    #[inline]
    #[track_caller]
    pub(crate) fn acquire_until<A: TimedWay<L::Raw>>(lock: L, timeout: A::Instant) -> Option<Self> {
        Self::acquire_timed::<A>(lock, Location::caller(), |raw| A::try_lock_until(raw, timeout))
    }

    /// Waits by `wait`, which returns whether it has acquired.
    #[inline]
    fn acquire_timed<A: Way<L::Raw>>(lock: L, site: Site, wait: impl FnOnce(&L::Raw) -> bool) -> Option<Self> {
        let raw = lock.raw_lock();
        let hold = if A::is_mine(raw) {
            again::<L, A>(raw)
        } else {
            let mut wait = Some(wait);
            // The raw lock's idea of time may be another; its limit is in `wait`.
            let now = Instant::now();
            let asked = A::of(lock.lock_ref());
            let try_now = || A::try_lock(raw).then_some(());
            let ((), hold) =
                follow::acquire_timed(asked, A::MODE, site, now, try_now, |_| wait.take()?(raw).then_some(()))?;
            A::keep(raw, hold)
        };
        Some(Self::new(lock, hold))
    }

    /// The acquisition of a guard that was forgotten, or of a raw acquisition.
    ///
    /// # Safety
    ///
    /// The current context holds the lock in this way, and nothing else will release it.
    #[inline]
    pub(crate) unsafe fn adopt(lock: L) -> Self {
        let hold = W::adopt(lock.lock_ref());
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
        (self.lock.lock_ref(), self.lock.raw_lock(), &mut self.hold)
    }

    /// The acquisition taken apart; it is up to the caller to release it.
    #[inline]
    fn into_parts(self) -> (L, Hold) {
        let this = ManuallyDrop::new(self);
        // SAFETY: both are read once; `ManuallyDrop` keeps `Drop` from using them again.
        unsafe { (ptr::read(&this.lock), ptr::read(&this.hold)) }
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
    pub(crate) unsafe fn changed_to<V: Way<L::Raw>>(self) -> Held<L, V> {
        let (lock, hold) = self.into_parts();
        Held::new(lock, hold)
    }

    /// Releases; returns the pointer to the lock.
    #[cfg(feature = "arc_lock")]
    #[inline]
    pub(crate) fn release(self) -> L {
        let (lock, mut hold) = self.into_parts();
        follow::release(lock.lock_ref(), &mut hold);
        // SAFETY: it was held, and `into_parts` keeps it from being released again.
        unsafe { W::unlock(lock.raw_lock()) };
        lock
    }

    /// Releases, runs `f`, and acquires again, also when `f` panics.
    #[inline]
    #[track_caller]
    pub(crate) fn released<T>(&mut self, f: impl FnOnce() -> T) -> T {
        // SAFETY: `unlock` asks for nothing but a held lock.
        unsafe { self.released_by(W::unlock, Location::caller(), f) }
    }

    /// # Safety
    ///
    /// `unlock` releases the raw lock, which is all that it needs to be held for.
    #[inline]
    unsafe fn released_by<T>(&mut self, unlock: unsafe fn(&L::Raw), site: Site, f: impl FnOnce() -> T) -> T {
        struct Reacquire<'h, L: Lock, W: Way<L::Raw>>(&'h mut Held<L, W>, Site);

        impl<L: Lock, W: Way<L::Raw>> Drop for Reacquire<'_, L, W> {
            fn drop(&mut self) {
                // A guard without its lock must not reach the caller, so a panic in here cannot be allowed to.
                let bomb = AbortOnUnwind;
                self.0.hold = acquire::<L, W>(&self.0.lock, self.1);
                std::mem::forget(bomb);
            }
        }

        follow::release(self.lock.lock_ref(), &mut self.hold);
        let reacquire = Reacquire(self, site);
        // SAFETY: the lock is held; from here to the end of `reacquire` nobody reaches it through `self`.
        unsafe { unlock(reacquire.0.lock.raw_lock()) };
        f()
    }
}

impl<L: Lock, W: FairWay<L::Raw>> Held<L, W> {
    /// Releases, handing the lock to a waiting thread if there is one; returns the pointer to the lock.
    #[inline]
    pub(crate) fn release_fair(self) -> L {
        let (lock, mut hold) = self.into_parts();
        follow::release(lock.lock_ref(), &mut hold);
        // SAFETY: as in `release`.
        unsafe { W::unlock_fair(lock.raw_lock()) };
        lock
    }

    /// As [`released`](Self::released); hands the lock to a waiting thread if there is one.
    #[inline]
    #[track_caller]
    pub(crate) fn released_fair<T>(&mut self, f: impl FnOnce() -> T) -> T {
        // SAFETY: as in `released`.
        unsafe { self.released_by(W::unlock_fair, Location::caller(), f) }
    }
}

impl<L: Lock, W: Way<L::Raw>> Drop for Held<L, W> {
    #[inline]
    fn drop(&mut self) {
        follow::release(self.lock.lock_ref(), &mut self.hold);
        // SAFETY: held, and nothing else releases it: `Held`'s invariant.
        unsafe { W::unlock(self.lock.raw_lock()) };
    }
}

#[inline]
fn acquire<L: Lock, A: Way<L::Raw>>(lock: &L, site: Site) -> Hold {
    let raw = lock.raw_lock();
    if A::is_mine(raw) {
        return again::<L, A>(raw);
    }
    let wait = |limit| match limit {
        None => {
            A::lock(raw);
            Some(())
        }
        Some(limit) => poll(limit, || A::try_lock(raw)).then_some(()),
    };
    let ((), hold) = follow::acquire(A::of(lock.lock_ref()), A::MODE, site, || A::try_lock(raw).then_some(()), wait);
    A::keep(raw, hold)
}

#[inline]
fn try_acquire<L: Lock, A: Way<L::Raw>>(lock: &L, site: Site) -> Option<Hold> {
    let raw = lock.raw_lock();
    if A::is_mine(raw) {
        return Some(again::<L, A>(raw));
    }
    let ((), hold) = follow::try_acquire(A::of(lock.lock_ref()), A::MODE, site, || A::try_lock(raw).then_some(()))?;
    Some(A::keep(raw, hold))
}

/// Takes the lock once more.
#[inline]
fn again<L: Lock, A: Way<L::Raw>>(raw: &L::Raw) -> Hold {
    A::lock(raw);
    Hold::untracked(A::MODE)
}

/// Tries again and again for `limit`, with pauses that grow to a millisecond: not every raw lock can wait for a limited time.
/// Happens only where a limit is set by which long waits are reported.
pub(crate) fn poll(limit: Duration, mut try_now: impl FnMut() -> bool) -> bool {
    let started = Instant::now();
    let mut pause = Duration::from_micros(1);
    while !try_now() {
        let Some(rest) = limit.checked_sub(started.elapsed()) else { return false };
        thread::sleep(pause.min(rest));
        pause = (pause * 2).min(Duration::from_millis(1));
    }
    true
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

#[cfg(all(test, not(lockscope_off), any(debug_assertions, feature = "force")))]
mod tests {
    use super::*;

    #[test]
    fn parking_lots_raw_locks_are_known_by_their_names() {
        let names = [
            type_name::<parking_lot_0_12::RawMutex>(),
            type_name::<parking_lot_0_12::RawFairMutex>(),
            type_name::<parking_lot_0_12::RawRwLock>(),
        ];
        assert!(names.iter().all(|name| name.starts_with("parking_lot::raw_")), "{names:?}");
    }
}
