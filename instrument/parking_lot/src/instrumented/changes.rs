//! From one way of holding a read-write lock to another, without releasing it.

use std::time::{Duration, Instant};

use lock_api::{
    RawRwLockDowngrade as _, RawRwLockUpgrade as _, RawRwLockUpgradeDowngrade as _, RawRwLockUpgradeTimed as _,
};
use lockscope::rt::{self, Mode, Site};
use parking_lot::RawRwLock;

use super::{
    held::{AbortOnUnwind, Held, Lock},
    raw::{Read, Token, Upgradable, Write},
};

/// How long to wait for other readers to leave.
#[derive(Clone, Copy)]
pub(crate) enum Limit {
    /// Not at all.
    Now,
    Until(Instant),
    /// For as long as it takes.
    Never,
}

impl Limit {
    /// As in parking_lot, a limit beyond all time is none.
    pub(crate) fn after(timeout: Duration) -> Self {
        Instant::now().checked_add(timeout).map_or(Limit::Never, Limit::Until)
    }
}

impl<L: Lock<Raw = RawRwLock>> Held<L, Write> {
    pub(crate) fn downgrade(mut self, site: Site) -> Held<L, Read> {
        let (lock, raw, hold) = self.parts();
        rt::downgrade(lock, hold, Mode::Shared, site);
        // SAFETY: held for writing; held for reading afterwards.
        unsafe {
            raw.downgrade(Token::default());
            self.changed_to()
        }
    }

    pub(crate) fn downgrade_to_upgradable(mut self, site: Site) -> Held<L, Upgradable> {
        let (lock, raw, hold) = self.parts();
        rt::downgrade(lock, hold, Mode::Upgradable, site);
        // SAFETY: held for writing; held upgradable afterwards.
        unsafe {
            raw.downgrade_to_upgradable(Token::default());
            self.changed_to()
        }
    }
}

impl<L: Lock<Raw = RawRwLock>> Held<L, Upgradable> {
    pub(crate) fn downgrade(mut self, site: Site) -> Held<L, Read> {
        let (lock, raw, hold) = self.parts();
        rt::downgrade(lock, hold, Mode::Shared, site);
        // SAFETY: held upgradable; held for reading afterwards.
        unsafe {
            raw.downgrade_upgradable(Token::default());
            self.changed_to()
        }
    }

    pub(crate) fn upgrade(mut self, site: Site) -> Held<L, Write> {
        self.make_exclusive(site);
        // SAFETY: held for writing now.
        unsafe { self.changed_to() }
    }

    pub(crate) fn try_upgrade(mut self, limit: Limit, site: Site) -> Result<Held<L, Write>, Self> {
        if self.try_make_exclusive(limit, site) {
            // SAFETY: held for writing now.
            Ok(unsafe { self.changed_to() })
        } else {
            Err(self)
        }
    }

    /// Runs `f` with the lock held for writing; afterwards, also when `f` panics, it is held upgradable again.
    pub(crate) fn try_as_writer<R>(&mut self, limit: Limit, site: Site, f: impl FnOnce() -> R) -> Option<R> {
        /// Stands for a lock that is held for writing, though `Held` says upgradable.
        struct Downgrade<'h, L: Lock<Raw = RawRwLock>>(&'h mut Held<L, Upgradable>, Site);

        impl<L: Lock<Raw = RawRwLock>> Drop for Downgrade<'_, L> {
            fn drop(&mut self) {
                // A guard that says upgradable of a lock that is held for writing must not reach the caller.
                let bomb = AbortOnUnwind;
                let (lock, raw, hold) = self.0.parts();
                rt::downgrade(lock, hold, Mode::Upgradable, self.1);
                // SAFETY: held for writing since `try_make_exclusive`.
                unsafe { raw.downgrade_to_upgradable(Token::default()) };
                std::mem::forget(bomb);
            }
        }

        if !self.try_make_exclusive(limit, site) {
            return None;
        }
        self.hold.note_write();
        let _downgrade = Downgrade(self, site);
        Some(f())
    }

    /// Makes the raw lock one held for writing; returns whether it succeeded. When the runtime panics, the lock is
    /// still held upgradable.
    fn try_make_exclusive(&mut self, limit: Limit, site: Site) -> bool {
        let deadline = match limit {
            Limit::Never => {
                self.make_exclusive(site);
                return true;
            }
            Limit::Now => None,
            Limit::Until(deadline) => Some(deadline),
        };
        let (lock, raw, hold) = self.parts();
        let try_until = |until: Option<Instant>| match until {
            None => try_now(raw),
            // SAFETY: held upgradable until this returns `Ok`.
            Some(until) => unsafe { raw.try_upgrade_until(Token::default(), until) }.ok().map(drop),
        };
        rt::try_upgrade(lock, hold, site, deadline, try_until).is_some()
    }

    fn make_exclusive(&mut self, site: Site) {
        let (lock, raw, hold) = self.parts();
        let wait = |limit: Option<Duration>| match limit {
            None => {
                // SAFETY: held upgradable until this returns.
                unsafe { raw.upgrade(Token::default()) };
                Some(())
            }
            // SAFETY: held upgradable until this returns `Ok`.
            Some(limit) => unsafe { raw.try_upgrade_for(Token::default(), limit) }.ok().map(drop),
        };
        rt::upgrade(lock, hold, site, || try_now(raw), wait);
    }
}

fn try_now(raw: &RawRwLock) -> Option<()> {
    // SAFETY: only called above, with a lock that is held upgradable until this returns `Ok`.
    unsafe { raw.try_upgrade(Token::default()) }.ok().map(drop)
}
