//! A read-write lock, held by the one reader that may become its writer.

use std::{marker::PhantomData, panic::Location};

use super::{
    guard_traits::{fair_functions, guard_traits, unlocked_function},
    held::Held,
    read_guard::RwLockReadGuard,
    rwlock::RwLock,
    way::Upgradable,
    write_guard::RwLockWriteGuard,
};
use crate::{
    raw::{RawRwLockUpgrade, RawRwLockUpgradeDowngrade, RawRwLockUpgradeFair, RawRwLockUpgradeTimed},
    version::{UpgradableToken, perhaps_changed},
};

/// An upgradable reader's access to a read-write lock's data; dropping it unlocks.
///
/// Its functions are associated functions, not methods, so that they do not hide methods of the data.
#[clippy::has_significant_drop]
#[must_use = "if unused the lock is released at once"]
pub struct RwLockUpgradableReadGuard<'a, R: RawRwLockUpgrade, T: ?Sized> {
    held: Held<&'a RwLock<R, T>, Upgradable, UpgradableToken<R>>,
    marker: PhantomData<&'a T>,
}

/// Functions by which an upgradable reader's guard becomes the writer's.
macro_rules! upgrade_functions {
    ($write_guard:ty) => {
        /// Becomes the writer, waiting for other readers to leave.
        #[track_caller]
        pub fn upgrade(s: Self) -> $write_guard {
            <$write_guard>::new(s.held.upgrade(Location::caller()))
        }

        /// Becomes the writer if there are no other readers, else gives the guard back.
        #[track_caller]
        pub fn try_upgrade(s: Self) -> Result<$write_guard, Self> {
            s.held.try_upgrade(Location::caller()).map(<$write_guard>::new).map_err(Self::new)
        }
    };
}

/// As `upgrade_functions`, with a time limit.
macro_rules! timed_upgrade_functions {
    ($write_guard:ty) => {
        /// Becomes the writer, waiting for `timeout` at most for other readers to leave, else gives the guard back.
        #[track_caller]
        pub fn try_upgrade_for(s: Self, timeout: R::Duration) -> Result<$write_guard, Self> {
            // SAFETY: called with the guard's lock, which is held upgradable.
            let wait = |raw: &R, token| unsafe { perhaps_changed!(raw.try_upgrade_for(token, timeout)) };
            // SAFETY: that upgrades the lock or says that it has not.
            let upgraded = unsafe { s.held.upgrade_by(Location::caller(), wait) };
            upgraded.map(<$write_guard>::new).map_err(Self::new)
        }

        /// Becomes the writer, waiting until `timeout` at most for other readers to leave, else gives the guard back.
        #[track_caller]
        pub fn try_upgrade_until(s: Self, timeout: R::Instant) -> Result<$write_guard, Self> {
            // SAFETY: called with the guard's lock, which is held upgradable.
            let wait = |raw: &R, token| unsafe { perhaps_changed!(raw.try_upgrade_until(token, timeout)) };
            // SAFETY: that upgrades the lock or says that it has not.
            let upgraded = unsafe { s.held.upgrade_by(Location::caller(), wait) };
            upgraded.map(<$write_guard>::new).map_err(Self::new)
        }
    };
}

/// Functions by which an upgradable reader's guard becomes another one, or is the writer's for a while.
macro_rules! downgrade_functions {
    ($read_guard:ty) => {
        /// Becomes an ordinary reader.
        #[track_caller]
        pub fn downgrade(s: Self) -> $read_guard {
            <$read_guard>::new(s.held.downgrade(Location::caller()))
        }

        /// Runs `f` as the writer, and is an upgradable reader again afterwards, also when `f` panics.
        #[track_caller]
        pub fn with_upgraded<Ret, F: FnOnce(&mut T) -> Ret>(&mut self, f: F) -> Ret {
            let data = self.data();
            // SAFETY: `data` points to the lock's data, and is not used otherwise meanwhile.
            self.held.as_writer(Location::caller(), || f(unsafe { &mut *data }))
        }

        /// [`with_upgraded`](Self::with_upgraded) if there are no other readers, else `None`.
        #[track_caller]
        pub fn try_with_upgraded<Ret, F: FnOnce(&mut T) -> Ret>(&mut self, f: F) -> Option<Ret> {
            let data = self.data();
            // SAFETY: as in `with_upgraded`.
            self.held.try_as_writer(Location::caller(), || f(unsafe { &mut *data }))
        }
    };
}

/// Functions by which an upgradable reader's guard is the writer's for a while, with a time limit for becoming it.
macro_rules! timed_downgrade_functions {
    () => {
        /// [`with_upgraded`](Self::with_upgraded), waiting for `timeout` at most for other readers to leave.
        #[track_caller]
        pub fn try_with_upgraded_for<Ret, F: FnOnce(&mut T) -> Ret>(
            &mut self,
            timeout: R::Duration,
            f: F,
        ) -> Option<Ret> {
            let data = self.data();
            // SAFETY: called with the guard's lock, which is held upgradable.
            let wait = |raw: &R, token| unsafe { perhaps_changed!(raw.try_upgrade_for(token, timeout)) };
            // SAFETY: that upgrades the lock or says that it has not; for `data` as in `with_upgraded`.
            unsafe { self.held.as_writer_by(Location::caller(), wait, || f(&mut *data)) }
        }

        /// [`with_upgraded`](Self::with_upgraded), waiting until `timeout` at most for other readers to leave.
        #[track_caller]
        pub fn try_with_upgraded_until<Ret, F: FnOnce(&mut T) -> Ret>(
            &mut self,
            timeout: R::Instant,
            f: F,
        ) -> Option<Ret> {
            let data = self.data();
            // SAFETY: called with the guard's lock, which is held upgradable.
            let wait = |raw: &R, token| unsafe { perhaps_changed!(raw.try_upgrade_until(token, timeout)) };
            // SAFETY: that upgrades the lock or says that it has not; for `data` as in `with_upgraded`.
            unsafe { self.held.as_writer_by(Location::caller(), wait, || f(&mut *data)) }
        }
    };
}

impl<'a, R: RawRwLockUpgrade + 'a, T: ?Sized + 'a> RwLockUpgradableReadGuard<'a, R, T> {
    #[inline]
    pub(crate) fn new(held: Held<&'a RwLock<R, T>, Upgradable, UpgradableToken<R>>) -> Self {
        Self { held, marker: PhantomData }
    }

    #[inline]
    fn data(&self) -> *mut T {
        self.held.lock().data_ptr()
    }

    /// The lock that this guard holds.
    pub fn rwlock(s: &Self) -> &'a RwLock<R, T> {
        s.held.lock()
    }

    unlocked_function!();
    upgrade_functions!(RwLockWriteGuard<'a, R, T>);
}

impl<'a, R: RawRwLockUpgradeFair + 'a, T: ?Sized + 'a> RwLockUpgradableReadGuard<'a, R, T> {
    fair_functions!();
}

impl<'a, R: RawRwLockUpgradeDowngrade + 'a, T: ?Sized + 'a> RwLockUpgradableReadGuard<'a, R, T> {
    downgrade_functions!(RwLockReadGuard<'a, R, T>);
}

impl<'a, R: RawRwLockUpgradeTimed + 'a, T: ?Sized + 'a> RwLockUpgradableReadGuard<'a, R, T> {
    timed_upgrade_functions!(RwLockWriteGuard<'a, R, T>);
}

impl<'a, R: RawRwLockUpgradeTimed + RawRwLockUpgradeDowngrade + 'a, T: ?Sized + 'a>
    RwLockUpgradableReadGuard<'a, R, T>
{
    timed_downgrade_functions!();
}

guard_traits!(
    ['a, R: RawRwLockUpgrade + 'a, T: ?Sized + 'a] RwLockUpgradableReadGuard<'a, R, T>:
    Deref, Debug, Display, StableAddress
);

#[cfg(feature = "arc_lock")]
pub(super) use {downgrade_functions, timed_downgrade_functions, timed_upgrade_functions, upgrade_functions};
