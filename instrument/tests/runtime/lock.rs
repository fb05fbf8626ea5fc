//! A minimal facade over parking_lot's raw lock: what the real facades do, without guards.

#![allow(dead_code, reason = "shared with the stress tests; neither program uses all of it")]

use std::{
    panic::Location,
    time::{Duration, Instant},
};

use lock_api::{
    RawRwLock as _, RawRwLockDowngrade as _, RawRwLockTimed, RawRwLockUpgrade as _, RawRwLockUpgradeDowngrade as _,
};
use lockscope::rt::{self, Hold, LockKind, LockMeta, LockRef, Mode};

/// A minimal facade over std's `Once`.
pub struct Once {
    meta: LockMeta,
    inner: std::sync::Once,
}

impl Once {
    #[track_caller]
    pub const fn new() -> Self {
        Self { meta: LockMeta::new(), inner: std::sync::Once::new() }
    }

    #[track_caller]
    pub fn call(&self, f: impl FnOnce()) {
        self.call_when(|| (), f);
    }

    /// Runs `asked` when it is known to the runtime that the call may wait.
    #[track_caller]
    pub fn call_when(&self, asked: impl FnOnce(), f: impl FnOnce()) {
        if self.inner.is_completed() {
            return;
        }
        rt::initialise(LockRef::new::<()>(&self.meta, LockKind::Once), Location::caller(), false, |turn| {
            asked();
            self.inner.call_once_force(|_| turn.run(f));
        });
    }
}

pub struct Lock {
    meta: LockMeta,
    raw: parking_lot::RawRwLock,
    kind: LockKind,
}

impl Lock {
    #[track_caller]
    pub const fn new(name: &'static str, kind: LockKind) -> Self {
        let mut meta = LockMeta::new();
        meta.set_name(name);
        Self { meta, raw: parking_lot::RawRwLock::INIT, kind }
    }

    /// A lock of which only the first use can be seen, as of one that is made from a constant.
    pub const fn unplaced(kind: LockKind) -> Self {
        Self { meta: LockMeta::unplaced(), raw: parking_lot::RawRwLock::INIT, kind }
    }

    #[track_caller]
    pub const fn mutex(name: &'static str) -> Self {
        Self::new(name, LockKind::Mutex)
    }

    #[track_caller]
    pub const fn rwlock(name: &'static str) -> Self {
        Self::new(name, LockKind::RwLock)
    }

    #[track_caller]
    pub const fn condvar(name: &'static str) -> Self {
        Self::new(name, LockKind::Condvar)
    }

    pub const fn ranked(mut self, rank: u16) -> Self {
        self.meta.set_rank(rank);
        self
    }

    fn lock_ref(&self) -> LockRef<'_> {
        LockRef::new::<()>(&self.meta, self.kind)
    }

    #[track_caller]
    pub fn lock(&self) -> Hold {
        let wait = |limit: Option<Duration>| match limit {
            None => Some(self.raw.lock_exclusive()),
            Some(limit) => self.raw.try_lock_exclusive_for(limit),
        };
        rt::acquire(self.lock_ref(), Mode::Exclusive, Location::caller(), || self.raw.try_lock_exclusive(), wait).1
    }

    #[track_caller]
    pub fn read(&self) -> Hold {
        let wait = |_: Option<Duration>| Some(self.raw.lock_shared());
        rt::acquire(self.lock_ref(), Mode::Shared, Location::caller(), || self.raw.try_lock_shared(), wait).1
    }

    #[track_caller]
    pub fn upgradable(&self) -> Hold {
        let wait = |_: Option<Duration>| Some(self.raw.lock_upgradable());
        rt::acquire(self.lock_ref(), Mode::Upgradable, Location::caller(), || self.raw.try_lock_upgradable(), wait).1
    }

    #[track_caller]
    pub fn upgrade(&self, hold: &mut Hold) {
        // SAFETY: the hold is upgradable.
        let wait = |_: Option<Duration>| Some(unsafe { self.raw.upgrade(Default::default()) });
        rt::upgrade(self.lock_ref(), hold, Location::caller(), || None, wait);
    }

    /// Makes an exclusive or upgradable hold shared.
    #[track_caller]
    pub fn downgrade(&self, hold: &mut Hold) {
        let from = hold.mode();
        rt::downgrade(self.lock_ref(), hold, Mode::Shared, Location::caller());
        // SAFETY: the hold said how the raw lock is held.
        unsafe {
            match from {
                Mode::Exclusive => drop(self.raw.downgrade(Default::default())),
                Mode::Upgradable => drop(self.raw.downgrade_upgradable(Default::default())),
                Mode::Shared => {}
            }
        }
    }

    /// Waits on a condition variable that wakes it at once.
    #[track_caller]
    pub fn spurious_wait(&self, condvar: &Lock, hold: &mut Hold) {
        let wait = || {
            // SAFETY: the hold is exclusive, and afterwards it is so again.
            unsafe { self.raw.unlock_exclusive(Default::default()) };
            std::thread::yield_now();
            self.raw.lock_exclusive();
        };
        rt::cond_wait(condvar.lock_ref(), self.lock_ref(), hold, false, Location::caller(), wait, |()| false);
    }

    #[track_caller]
    pub fn try_lock(&self) -> Option<Hold> {
        let acquired =
            rt::try_acquire(self.lock_ref(), Mode::Exclusive, Location::caller(), || self.raw.try_lock_exclusive());
        acquired.map(|(_, hold)| hold)
    }

    #[track_caller]
    pub fn try_read(&self) -> Option<Hold> {
        let acquired =
            rt::try_acquire(self.lock_ref(), Mode::Shared, Location::caller(), || self.raw.try_lock_shared());
        acquired.map(|(_, hold)| hold)
    }

    #[track_caller]
    pub fn try_lock_for(&self, limit: Duration) -> Option<Hold> {
        let deadline = Instant::now() + limit;
        let try_now = || self.raw.try_lock_exclusive();
        let wait = |until| self.raw.try_lock_exclusive_until(until);
        let acquired = rt::acquire_timed(self.lock_ref(), Mode::Exclusive, Location::caller(), deadline, try_now, wait);
        acquired.map(|(_, hold)| hold)
    }

    /// A wait on a condition variable that panics after it has taken the lock again, as parking_lot's does when it is used with two
    /// mutexes.
    #[track_caller]
    pub fn wait_and_panic(&self, condvar: &Lock, hold: &mut Hold) {
        let site = Location::caller();
        rt::cond_wait(condvar.lock_ref(), self.lock_ref(), hold, false, site, || panic!("as expected"), |_: &()| false);
    }

    /// Hands out the raw lock.
    #[track_caller]
    pub fn raw(&self) -> &parking_lot::RawRwLock {
        rt::unfollow(self.lock_ref(), Location::caller());
        &self.raw
    }

    /// Releases what a forgotten hold acquired.
    pub fn unlock_forgotten(&self, mode: Mode) {
        rt::release_unguarded(self.lock_ref(), mode);
        // SAFETY: the scenario forgot a hold of this mode.
        unsafe {
            match mode {
                Mode::Exclusive => self.raw.unlock_exclusive(Default::default()),
                Mode::Shared => self.raw.unlock_shared(Default::default()),
                Mode::Upgradable => self.raw.unlock_upgradable(Default::default()),
            }
        }
    }

    /// Keeps the lock held for ever.
    pub fn leak(&self, hold: Hold) {
        rt::leaked(self.lock_ref(), &hold);
    }

    pub fn unlock(&self, mut hold: Hold) {
        rt::release(self.lock_ref(), &mut hold);
        // SAFETY: the hold says how the raw lock is held.
        unsafe {
            match hold.mode() {
                Mode::Exclusive => self.raw.unlock_exclusive(Default::default()),
                Mode::Shared => self.raw.unlock_shared(Default::default()),
                Mode::Upgradable => self.raw.unlock_upgradable(Default::default()),
            }
        }
    }
}
