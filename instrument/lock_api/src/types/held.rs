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
    version,
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

/// The lock of a raw lock `R` with guards that are marked by `M`. What parking_lot's guards hold is their thread's for sure when
/// they cannot leave it. Others' guards cannot either, but dashmap declares what it wraps them in to be `Send` all the same.
#[inline]
pub(crate) fn guarded_by<R, M>(lock: LockRef<'_>) -> LockRef<'_> {
    let stays = version::keeps_guards_here::<M>() && type_name::<R>().starts_with("parking_lot::raw_");
    if stays { lock.staying() } else { lock }
}

/// One acquisition of the lock that `L` points to, held in the way `W`; dropping it releases the lock.
///
/// `K` is the way's token. It is named by itself since a type that is found by way of `L` would make guards invariant in the
/// lifetime of their lock.
pub struct Held<L: Lock, W: Way<L::Raw, Token = K>, K> {
    lock: L,
    pub(crate) hold: Hold,
    /// Given back when the lock is released, and never dropped.
    token: ManuallyDrop<K>,
    way: PhantomData<fn() -> W>,
}

impl<L: Lock, W: Way<L::Raw, Token = K>, K> Held<L, W, K> {
    /// Waits for as long as it takes.
    #[inline]
    #[track_caller]
    pub(crate) fn acquire(lock: L) -> Self {
        Self::acquire_by::<W>(lock)
    }

    /// Waits for as long as it takes, by a call of another name.
    #[inline]
    #[track_caller]
    pub(crate) fn acquire_by<A: Way<L::Raw, Token = K>>(lock: L) -> Self {
        let (token, hold) = acquire::<L, A>(&lock, Location::caller());
        Self::new(lock, hold, token)
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
    pub(crate) fn try_acquire_by<A: Way<L::Raw, Token = K>>(lock: L) -> Option<Self> {
        let (token, hold) = try_acquire::<L, A>(&lock, Location::caller())?;
        Some(Self::new(lock, hold, token))
    }

    /// Waits for `timeout` at most.
    #[inline]
    #[track_caller]
    pub(crate) fn acquire_for<A: TimedWay<L::Raw, Token = K>>(lock: L, timeout: A::Duration) -> Option<Self> {
        Self::acquire_timed::<A>(lock, Location::caller(), |raw| A::try_lock_for(raw, timeout))
    }

    /// Waits until `timeout` at most.
    #[inline]
    #[track_caller]
    pub(crate) fn acquire_until<A: TimedWay<L::Raw, Token = K>>(lock: L, timeout: A::Instant) -> Option<Self> {
        Self::acquire_timed::<A>(lock, Location::caller(), |raw| A::try_lock_until(raw, timeout))
    }

    /// Waits by `wait`.
    #[inline]
    fn acquire_timed<A: Way<L::Raw, Token = K>>(
        lock: L,
        site: Site,
        wait: impl FnOnce(&L::Raw) -> Option<K>,
    ) -> Option<Self> {
        let raw = lock.raw_lock();
        let (token, hold) = if A::is_mine(raw) {
            again::<L, A>(raw)
        } else {
            let mut wait = Some(wait);
            // The raw lock's idea of time may be another; its limit is in `wait`.
            let now = Instant::now();
            let asked = A::of(lock.lock_ref());
            let (token, hold) =
                follow::acquire_timed(asked, A::MODE, site, now, || A::try_lock(raw), |_| wait.take()?(raw))?;
            (token, A::keep(raw, hold))
        };
        Some(Self::new(lock, hold, token))
    }

    /// The acquisition of a guard that was forgotten, or of a raw acquisition.
    ///
    /// # Safety
    ///
    /// The current context holds the lock in this way, by the acquisition that `token` comes from, and nothing else will release
    /// it.
    #[inline]
    pub(crate) unsafe fn adopt(lock: L, token: K) -> Self {
        let hold = W::adopt(lock.lock_ref());
        Self::new(lock, hold, token)
    }

    /// Invariant: the lock is held in this way, by the acquisition that `token` comes from, and nothing else will release it.
    #[inline]
    pub(super) fn new(lock: L, hold: Hold, token: K) -> Self {
        Self { lock, hold, token: ManuallyDrop::new(token), way: PhantomData }
    }

    /// The pointer to the lock.
    #[inline]
    pub(crate) fn lock(&self) -> &L {
        &self.lock
    }

    /// The lock as the runtime sees it, the raw lock, what the runtime knows of this acquisition, and its token. Whoever takes the
    /// token out puts another one in before this is used otherwise.
    #[inline]
    pub(crate) fn parts(&mut self) -> (LockRef<'_>, &L::Raw, &mut Hold, &mut ManuallyDrop<K>) {
        (self.lock.lock_ref(), self.lock.raw_lock(), &mut self.hold, &mut self.token)
    }

    /// The acquisition taken apart; it is up to the caller to release it.
    #[inline]
    pub(super) fn into_parts(self) -> (L, Hold, K) {
        let mut this = ManuallyDrop::new(self);
        // SAFETY: each is taken once; `ManuallyDrop` keeps `Drop` from using them again.
        unsafe { (ptr::read(&this.lock), ptr::read(&this.hold), ManuallyDrop::take(&mut this.token)) }
    }

    /// The same acquisition under another pointer to the same lock.
    #[inline]
    pub(crate) fn map_lock<M: Lock<Raw = L::Raw>>(self, to: impl FnOnce(L) -> M) -> Held<M, W, K> {
        let (lock, hold, token) = self.into_parts();
        Held::new(to(lock), hold, token)
    }

    /// Releases; returns the pointer to the lock.
    #[cfg(feature = "arc_lock")]
    #[inline]
    pub(crate) fn release(self) -> L {
        let (lock, mut hold, token) = self.into_parts();
        follow::release(lock.lock_ref(), &mut hold);
        // SAFETY: it was held, and `into_parts` keeps it from being released again.
        unsafe { W::unlock(lock.raw_lock(), token) };
        lock
    }

    /// Releases, runs `f`, and acquires again, also when `f` panics.
    #[inline]
    #[track_caller]
    pub(crate) fn released<T>(&mut self, f: impl FnOnce() -> T) -> T {
        // SAFETY: `unlock` asks for nothing but a held lock and its token.
        unsafe { self.released_by(W::unlock, Location::caller(), f) }
    }

    /// # Safety
    ///
    /// `unlock` releases the raw lock, which is all that it needs to be held for.
    #[inline]
    unsafe fn released_by<T>(&mut self, unlock: unsafe fn(&L::Raw, K), site: Site, f: impl FnOnce() -> T) -> T {
        struct Reacquire<'h, L: Lock, W: Way<L::Raw, Token = K>, K>(&'h mut Held<L, W, K>, Site);

        impl<L: Lock, W: Way<L::Raw, Token = K>, K> Drop for Reacquire<'_, L, W, K> {
            fn drop(&mut self) {
                // A guard without its lock must not reach the caller, so a panic in here cannot be allowed to.
                let bomb = AbortOnUnwind;
                let (token, hold) = acquire::<L, W>(&self.0.lock, self.1);
                (self.0.token, self.0.hold) = (ManuallyDrop::new(token), hold);
                std::mem::forget(bomb);
            }
        }

        follow::release(self.lock.lock_ref(), &mut self.hold);
        let reacquire = Reacquire(self, site);
        // SAFETY: the lock is held; from here to the end of `reacquire`, which puts in another token, nobody reaches it through
        // `self`.
        unsafe {
            let token = ManuallyDrop::take(&mut reacquire.0.token);
            unlock(reacquire.0.lock.raw_lock(), token);
        }
        f()
    }
}

impl<L: Lock, W: FairWay<L::Raw, Token = K>, K> Held<L, W, K> {
    /// Releases, handing the lock to a waiting thread if there is one; returns the pointer to the lock.
    #[inline]
    pub(crate) fn release_fair(self) -> L {
        let (lock, mut hold, token) = self.into_parts();
        follow::release(lock.lock_ref(), &mut hold);
        // SAFETY: as in `release`.
        unsafe { W::unlock_fair(lock.raw_lock(), token) };
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

impl<L: Lock, W: Way<L::Raw, Token = K>, K> Drop for Held<L, W, K> {
    #[inline]
    fn drop(&mut self) {
        follow::release(self.lock.lock_ref(), &mut self.hold);
        // SAFETY: held, and nothing else releases it: `Held`'s invariant.
        unsafe {
            let token = ManuallyDrop::take(&mut self.token);
            W::unlock(self.lock.raw_lock(), token);
        }
    }
}

#[inline]
fn acquire<L: Lock, A: Way<L::Raw>>(lock: &L, site: Site) -> (A::Token, Hold) {
    let raw = lock.raw_lock();
    if A::is_mine(raw) {
        return again::<L, A>(raw);
    }
    let wait = |limit| match limit {
        None => Some(A::lock(raw)),
        Some(limit) => poll(limit, || A::try_lock(raw)),
    };
    let (token, hold) = follow::acquire(A::of(lock.lock_ref()), A::MODE, site, || A::try_lock(raw), wait);
    (token, A::keep(raw, hold))
}

#[inline]
fn try_acquire<L: Lock, A: Way<L::Raw>>(lock: &L, site: Site) -> Option<(A::Token, Hold)> {
    let raw = lock.raw_lock();
    if A::is_mine(raw) {
        return Some(again::<L, A>(raw));
    }
    let (token, hold) = follow::try_acquire(A::of(lock.lock_ref()), A::MODE, site, || A::try_lock(raw))?;
    Some((token, A::keep(raw, hold)))
}

/// Takes the lock once more.
#[inline]
fn again<L: Lock, A: Way<L::Raw>>(raw: &L::Raw) -> (A::Token, Hold) {
    (A::lock(raw), Hold::untracked(A::MODE))
}

/// Tries again and again for `limit`, with pauses that grow to a millisecond: not every raw lock can wait for a limited time.
/// Happens only where a limit is set by which long waits are reported.
pub(crate) fn poll<K>(limit: Duration, mut try_now: impl FnMut() -> Option<K>) -> Option<K> {
    let started = Instant::now();
    let mut pause = Duration::from_micros(1);
    loop {
        if let Some(token) = try_now() {
            return Some(token);
        }
        let rest = limit.checked_sub(started.elapsed())?;
        thread::sleep(pause.min(rest));
        pause = (pause * 2).min(Duration::from_millis(1));
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
