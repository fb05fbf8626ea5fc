//! From one way of holding a read-write lock to another, without releasing it.

use std::{panic::Location, time::Instant};

use super::{
    held::{AbortOnUnwind, Held, Lock, poll},
    way::{Read, Upgradable, Write},
};
use crate::{
    follow::{self, Mode},
    raw::{RawRwLock, RawRwLockDowngrade, RawRwLockUpgrade, RawRwLockUpgradeDowngrade},
};

type Site = &'static Location<'static>;

impl<L: Lock<Raw: RawRwLockDowngrade>> Held<L, Write> {
    pub(crate) fn downgrade(mut self, site: Site) -> Held<L, Read> {
        let (lock, raw, hold) = self.parts();
        follow::downgrade(lock, hold, Mode::Shared, site);
        // SAFETY: held for writing; held for reading afterwards.
        unsafe {
            raw.downgrade();
            self.changed_to()
        }
    }
}

impl<L: Lock<Raw: RawRwLockUpgradeDowngrade>> Held<L, Write> {
    pub(crate) fn downgrade_to_upgradable(mut self, site: Site) -> Held<L, Upgradable> {
        let (lock, raw, hold) = self.parts();
        follow::downgrade(lock, hold, Mode::Upgradable, site);
        // SAFETY: held for writing; held upgradable afterwards.
        unsafe {
            raw.downgrade_to_upgradable();
            self.changed_to()
        }
    }
}

impl<L: Lock<Raw: RawRwLockUpgrade>> Held<L, Upgradable> {
    pub(crate) fn upgrade(mut self, site: Site) -> Held<L, Write> {
        self.make_exclusive(site);
        // SAFETY: held for writing now.
        unsafe { self.changed_to() }
    }

    pub(crate) fn try_upgrade(mut self, site: Site) -> Result<Held<L, Write>, Self> {
        if self.try_make_exclusive(site) {
            // SAFETY: held for writing now.
            Ok(unsafe { self.changed_to() })
        } else {
            Err(self)
        }
    }

    /// Waits by `wait`.
    ///
    /// # Safety
    ///
    /// `wait` returns whether it has made the raw lock, which is held upgradable, one held for writing.
    pub(crate) unsafe fn upgrade_by(
        mut self,
        site: Site,
        wait: impl FnOnce(&L::Raw) -> bool,
    ) -> Result<Held<L, Write>, Self> {
        // SAFETY: this function's contract.
        if unsafe { self.make_exclusive_by(site, wait) } {
            // SAFETY: held for writing now.
            Ok(unsafe { self.changed_to() })
        } else {
            Err(self)
        }
    }

    fn make_exclusive(&mut self, site: Site) {
        let (lock, raw, hold) = self.parts();
        let wait = |limit| match limit {
            None => {
                // SAFETY: held upgradable until this returns.
                unsafe { raw.upgrade() };
                Some(())
            }
            Some(limit) => poll(limit, || try_now(raw)).then_some(()),
        };
        follow::upgrade(lock, hold, site, || try_now(raw).then_some(()), wait);
    }

    fn try_make_exclusive(&mut self, site: Site) -> bool {
        let (lock, raw, hold) = self.parts();
        follow::try_upgrade(lock, hold, site, None, |_| try_now(raw).then_some(())).is_some()
    }

    /// # Safety
    ///
    /// As for [`upgrade_by`](Self::upgrade_by).
    unsafe fn make_exclusive_by(&mut self, site: Site, wait: impl FnOnce(&L::Raw) -> bool) -> bool {
        let (lock, raw, hold) = self.parts();
        let mut wait = Some(wait);
        let try_until = |until: Option<Instant>| match until {
            None => try_now(raw).then_some(()),
            Some(_) => wait.take()?(raw).then_some(()),
        };
        follow::try_upgrade(lock, hold, site, Some(Instant::now()), try_until).is_some()
    }
}

impl<L: Lock<Raw: RawRwLockUpgradeDowngrade>> Held<L, Upgradable> {
    pub(crate) fn downgrade(mut self, site: Site) -> Held<L, Read> {
        let (lock, raw, hold) = self.parts();
        follow::downgrade(lock, hold, Mode::Shared, site);
        // SAFETY: held upgradable; held for reading afterwards.
        unsafe {
            raw.downgrade_upgradable();
            self.changed_to()
        }
    }

    /// Runs `f` with the lock held for writing; afterwards, also when `f` panics, it is held upgradable again.
    pub(crate) fn as_writer<T>(&mut self, site: Site, f: impl FnOnce() -> T) -> T {
        self.make_exclusive(site);
        self.exclusively(site, f)
    }

    /// [`as_writer`](Self::as_writer) if there are no readers.
    pub(crate) fn try_as_writer<T>(&mut self, site: Site, f: impl FnOnce() -> T) -> Option<T> {
        self.try_make_exclusive(site).then(|| self.exclusively(site, f))
    }

    /// [`as_writer`](Self::as_writer), waiting by `wait`.
    ///
    /// # Safety
    ///
    /// As for [`upgrade_by`](Self::upgrade_by).
    pub(crate) unsafe fn as_writer_by<T>(
        &mut self,
        site: Site,
        wait: impl FnOnce(&L::Raw) -> bool,
        f: impl FnOnce() -> T,
    ) -> Option<T> {
        // SAFETY: this function's contract.
        unsafe { self.make_exclusive_by(site, wait) }.then(|| self.exclusively(site, f))
    }

    /// The raw lock is held for writing, by one of the functions above.
    fn exclusively<T>(&mut self, site: Site, f: impl FnOnce() -> T) -> T {
        /// Stands for a lock that is held for writing, though `Held` says upgradable.
        struct Downgrade<'h, L: Lock<Raw: RawRwLockUpgradeDowngrade>>(&'h mut Held<L, Upgradable>, Site);

        impl<L: Lock<Raw: RawRwLockUpgradeDowngrade>> Drop for Downgrade<'_, L> {
            fn drop(&mut self) {
                // A guard that says upgradable of a lock that is held for writing must not reach the caller.
                let bomb = AbortOnUnwind;
                let (lock, raw, hold) = self.0.parts();
                follow::downgrade(lock, hold, Mode::Upgradable, self.1);
                // SAFETY: held for writing since it was made exclusive.
                unsafe { raw.downgrade_to_upgradable() };
                std::mem::forget(bomb);
            }
        }

        self.hold.note_write();
        let _downgrade = Downgrade(self, site);
        f()
    }
}

fn try_now<R: RawRwLock + RawRwLockUpgrade>(raw: &R) -> bool {
    // SAFETY: only called above, with a lock that is held upgradable until this returns `true`.
    unsafe { raw.try_upgrade() }
}
