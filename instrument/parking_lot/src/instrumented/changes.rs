//! From one way of holding a read-write lock to another, without releasing it.

use std::time::{Duration, Instant};

use lockscope::rt::{self, Mode, Site};

use super::{
    held::{AbortOnUnwind, Held, Lock},
    way::{RwLockRaw, Way},
};

type Read<L> = <<L as Lock>::Raw as RwLockRaw>::Read;
type Write<L> = <<L as Lock>::Raw as RwLockRaw>::Write;
type Upgradable<L> = <<L as Lock>::Raw as RwLockRaw>::Upgradable;

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

impl<L: Lock, W: Way<Raw = L::Raw>> Held<L, W>
where
    L::Raw: RwLockRaw<Write = W>,
{
    pub(crate) fn write_to_read(mut self, site: Site) -> Held<L, Read<L>> {
        let (lock, raw, hold) = self.parts();
        rt::downgrade(lock, hold, Mode::Shared, site);
        // SAFETY: held for writing; held for reading afterwards.
        unsafe {
            raw.write_to_read();
            self.changed_to()
        }
    }

    pub(crate) fn write_to_upgradable(mut self, site: Site) -> Held<L, Upgradable<L>> {
        let (lock, raw, hold) = self.parts();
        rt::downgrade(lock, hold, Mode::Upgradable, site);
        // SAFETY: held for writing; held upgradable afterwards.
        unsafe {
            raw.write_to_upgradable();
            self.changed_to()
        }
    }
}

impl<L: Lock, W: Way<Raw = L::Raw>> Held<L, W>
where
    L::Raw: RwLockRaw<Upgradable = W>,
{
    pub(crate) fn upgradable_to_read(mut self, site: Site) -> Held<L, Read<L>> {
        let (lock, raw, hold) = self.parts();
        rt::downgrade(lock, hold, Mode::Shared, site);
        // SAFETY: held upgradable; held for reading afterwards.
        unsafe {
            raw.upgradable_to_read();
            self.changed_to()
        }
    }

    pub(crate) fn upgrade(mut self, site: Site) -> Held<L, Write<L>> {
        self.make_exclusive(site);
        // SAFETY: held for writing now.
        unsafe { self.changed_to() }
    }

    pub(crate) fn try_upgrade(mut self, limit: Limit, site: Site) -> Result<Held<L, Write<L>>, Self> {
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
        struct Downgrade<'h, L: Lock, W: Way<Raw = L::Raw>>(&'h mut Held<L, W>, Site)
        where
            L::Raw: RwLockRaw;

        impl<L: Lock, W: Way<Raw = L::Raw>> Drop for Downgrade<'_, L, W>
        where
            L::Raw: RwLockRaw,
        {
            fn drop(&mut self) {
                // A guard that says upgradable of a lock that is held for writing must not reach the caller.
                let bomb = AbortOnUnwind;
                let (lock, raw, hold) = self.0.parts();
                rt::downgrade(lock, hold, Mode::Upgradable, self.1);
                // SAFETY: held for writing since `try_make_exclusive`.
                unsafe { raw.write_to_upgradable() };
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
        // SAFETY: held upgradable until one of these returns true.
        let try_until = |until: Option<Instant>| unsafe {
            match until {
                None => raw.try_upgradable_to_write(),
                Some(until) => raw.try_upgradable_to_write_until(until),
            }
        };
        rt::try_upgrade(lock, hold, site, deadline, |until| try_until(until).then_some(())).is_some()
    }

    fn make_exclusive(&mut self, site: Site) {
        let (lock, raw, hold) = self.parts();
        // SAFETY: held upgradable until one of these returns true, or returns at all.
        let try_now = || unsafe { raw.try_upgradable_to_write() };
        // SAFETY: as above.
        let wait = |limit: Option<Duration>| unsafe {
            match limit {
                None => {
                    raw.upgradable_to_write();
                    true
                }
                Some(limit) => raw.try_upgradable_to_write_for(limit),
            }
        };
        rt::upgrade(lock, hold, site, || try_now().then_some(()), |limit| wait(limit).then_some(()));
    }
}
