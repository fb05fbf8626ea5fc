//! A read-write lock, held by the one reader that may become its writer.

use std::{
    marker::PhantomData,
    panic::Location,
    time::{Duration, Instant},
};

use lock_api::{RawRwLockUpgrade as _, RawRwLockUpgradeDowngrade as _, RawRwLockUpgradeTimed as _};
use lockscope::rt::{self, Mode, Site};
use parking_lot::RawRwLock;

use super::{
    guard_traits::guard_traits,
    held::{AbortOnUnwind, Held},
    raw::{Token, Upgradable},
    read_guard::RwLockReadGuard,
    rwlock::RwLock,
    write_guard::RwLockWriteGuard,
};

/// An upgradable reader's access to a read-write lock's data; dropping it unlocks.
///
/// Its functions are associated functions, not methods, so that they do not hide methods of the data.
#[clippy::has_significant_drop]
#[must_use = "if unused the lock is released at once"]
pub struct RwLockUpgradableReadGuard<'a, T: ?Sized> {
    pub(crate) held: Held<&'a RwLock<T>, Upgradable>,
    marker: PhantomData<&'a T>,
}

impl<'a, T: ?Sized + 'a> RwLockUpgradableReadGuard<'a, T> {
    #[inline]
    pub(crate) fn new(held: Held<&'a RwLock<T>, Upgradable>) -> Self {
        Self { held, marker: PhantomData }
    }

    #[inline]
    fn data(&self) -> *mut T {
        self.held.lock().data_ptr()
    }

    /// The lock that this guard holds.
    pub fn rwlock(s: &Self) -> &'a RwLock<T> {
        s.held.lock()
    }

    /// Becomes the writer, waiting for other readers to leave.
    #[track_caller]
    pub fn upgrade(mut s: Self) -> RwLockWriteGuard<'a, T> {
        s.make_exclusive(Location::caller());
        // SAFETY: held for writing now.
        RwLockWriteGuard::new(unsafe { s.held.changed_to() })
    }

    /// Becomes the writer if there are no other readers, else gives the guard back.
    #[track_caller]
    pub fn try_upgrade(s: Self) -> Result<RwLockWriteGuard<'a, T>, Self> {
        s.upgrade_until(None, Location::caller())
    }

    /// Becomes the writer, waiting for `timeout` at most for other readers to leave, else gives the guard back.
    #[track_caller]
    pub fn try_upgrade_for(s: Self, timeout: Duration) -> Result<RwLockWriteGuard<'a, T>, Self> {
        match Instant::now().checked_add(timeout) {
            Some(deadline) => Self::try_upgrade_until(s, deadline),
            // As in parking_lot, a limit beyond all time is none.
            None => Ok(Self::upgrade(s)),
        }
    }

    /// Becomes the writer, waiting until `timeout` at most for other readers to leave, else gives the guard back.
    #[track_caller]
    pub fn try_upgrade_until(s: Self, timeout: Instant) -> Result<RwLockWriteGuard<'a, T>, Self> {
        s.upgrade_until(Some(timeout), Location::caller())
    }

    /// Runs `f` as the writer, and is an upgradable reader again afterwards, also when `f` panics.
    #[track_caller]
    pub fn with_upgraded<Ret, F: FnOnce(&mut T) -> Ret>(&mut self, f: F) -> Ret {
        let site = Location::caller();
        self.make_exclusive(site);
        // SAFETY: held for writing now.
        unsafe { self.write_and_downgrade(site, f) }
    }

    /// [`with_upgraded`](Self::with_upgraded) if there are no other readers, else `None`.
    #[track_caller]
    pub fn try_with_upgraded<Ret, F: FnOnce(&mut T) -> Ret>(&mut self, f: F) -> Option<Ret> {
        let site = Location::caller();
        // SAFETY: held for writing when `try_make_exclusive` returns `true`.
        self.try_make_exclusive(None, site).then(|| unsafe { self.write_and_downgrade(site, f) })
    }

    /// [`with_upgraded`](Self::with_upgraded), waiting for `timeout` at most for other readers to leave.
    #[track_caller]
    pub fn try_with_upgraded_for<Ret, F: FnOnce(&mut T) -> Ret>(&mut self, timeout: Duration, f: F) -> Option<Ret> {
        match Instant::now().checked_add(timeout) {
            Some(deadline) => self.try_with_upgraded_until(deadline, f),
            None => Some(self.with_upgraded(f)),
        }
    }

    /// [`with_upgraded`](Self::with_upgraded), waiting until `timeout` at most for other readers to leave.
    #[track_caller]
    pub fn try_with_upgraded_until<Ret, F: FnOnce(&mut T) -> Ret>(&mut self, timeout: Instant, f: F) -> Option<Ret> {
        let site = Location::caller();
        // SAFETY: held for writing when `try_make_exclusive` returns `true`.
        self.try_make_exclusive(Some(timeout), site).then(|| unsafe { self.write_and_downgrade(site, f) })
    }

    /// Becomes an ordinary reader.
    #[track_caller]
    pub fn downgrade(mut s: Self) -> RwLockReadGuard<'a, T> {
        let (lock, raw, hold) = s.held.parts();
        rt::downgrade(lock, hold, Mode::Shared, Location::caller());
        // SAFETY: held upgradable.
        unsafe { raw.downgrade_upgradable(Token::default()) };
        // SAFETY: held for reading now.
        RwLockReadGuard::new(unsafe { s.held.changed_to() })
    }

    /// Releases the lock, runs `f`, and locks again, also when `f` panics.
    ///
    /// Aborts the process when locking again panics.
    #[track_caller]
    #[inline]
    pub fn unlocked<F, U>(s: &mut Self, f: F) -> U
    where
        F: FnOnce() -> U,
    {
        s.held.released(f)
    }

    /// As [`unlocked`](Self::unlocked), handing the lock to a waiting thread if there is one.
    #[track_caller]
    #[inline]
    pub fn unlocked_fair<F, U>(s: &mut Self, f: F) -> U
    where
        F: FnOnce() -> U,
    {
        s.held.released_fair(f)
    }

    /// Releases the lock, handing it to a waiting thread if there is one.
    #[inline]
    pub fn unlock_fair(s: Self) {
        s.held.release_fair();
    }

    /// Lets a waiting thread have the lock, and locks again.
    #[track_caller]
    #[inline]
    pub fn bump(s: &mut Self) {
        s.held.released_fair(|| ());
    }

    fn upgrade_until(mut self, deadline: Option<Instant>, site: Site) -> Result<RwLockWriteGuard<'a, T>, Self> {
        if self.try_make_exclusive(deadline, site) {
            // SAFETY: held for writing now.
            Ok(RwLockWriteGuard::new(unsafe { self.held.changed_to() }))
        } else {
            Err(self)
        }
    }

    /// Makes the raw lock one held for writing. When the runtime panics, it is still held upgradable.
    fn make_exclusive(&mut self, site: Site) {
        let (lock, raw, hold) = self.held.parts();
        let wait = |limit: Option<Duration>| match limit {
            None => {
                // SAFETY: held upgradable until this returns.
                unsafe { raw.upgrade(Token::default()) };
                Some(())
            }
            // SAFETY: held upgradable until this returns `Ok`.
            Some(limit) => unsafe { raw.try_upgrade_for(Token::default(), limit) }.ok().map(drop),
        };
        rt::upgrade(lock, hold, site, || try_upgrade(raw), wait);
    }

    /// As [`make_exclusive`](Self::make_exclusive); returns whether it succeeded.
    fn try_make_exclusive(&mut self, deadline: Option<Instant>, site: Site) -> bool {
        let (lock, raw, hold) = self.held.parts();
        let try_until = |until: Option<Instant>| match until {
            None => try_upgrade(raw),
            // SAFETY: held upgradable until this returns `Ok`.
            Some(until) => unsafe { raw.try_upgrade_until(Token::default(), until) }.ok().map(drop),
        };
        rt::try_upgrade(lock, hold, site, deadline, try_until).is_some()
    }

    /// # Safety
    ///
    /// The raw lock is held for writing.
    unsafe fn write_and_downgrade<R>(&mut self, site: Site, f: impl FnOnce(&mut T) -> R) -> R {
        struct Downgrade<'g, 'a, T: ?Sized>(&'g mut RwLockUpgradableReadGuard<'a, T>, Site);

        impl<T: ?Sized> Drop for Downgrade<'_, '_, T> {
            fn drop(&mut self) {
                // A guard that says "upgradable" of a lock held for writing must not reach the caller.
                let bomb = AbortOnUnwind;
                let (lock, raw, hold) = self.0.held.parts();
                rt::downgrade(lock, hold, Mode::Upgradable, self.1);
                // SAFETY: held for writing: the contract of `write_and_downgrade`.
                unsafe { raw.downgrade_to_upgradable(Token::default()) };
                std::mem::forget(bomb);
            }
        }

        self.held.hold.note_write();
        let data = self.data();
        let _downgrade = Downgrade(self, site);
        // SAFETY: held for writing until `_downgrade` is dropped.
        f(unsafe { &mut *data })
    }
}

fn try_upgrade(raw: &RawRwLock) -> Option<()> {
    // SAFETY: only called by an upgradable guard, which holds the lock upgradable until this returns `Ok`.
    unsafe { raw.try_upgrade(Token::default()) }.ok().map(drop)
}

guard_traits!(RwLockUpgradableReadGuard);
