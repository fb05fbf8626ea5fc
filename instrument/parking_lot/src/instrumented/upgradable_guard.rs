//! A read-write lock, held by the one reader that may become its writer.

use std::{
    marker::PhantomData,
    panic::Location,
    time::{Duration, Instant},
};

use super::{
    changes::Limit,
    guard_traits::{guard_traits, unlock_functions, upgrade_functions},
    held::Held,
    read_guard::RwLockReadGuard,
    rwlock::RwLock,
    way::RwLockRaw,
    write_guard::RwLockWriteGuard,
};

/// An upgradable reader's access to a read-write lock's data; dropping it unlocks.
///
/// Its functions are associated functions, not methods, so that they do not hide methods of the data.
#[clippy::has_significant_drop]
#[must_use = "if unused the lock is released at once"]
pub struct RwLockUpgradableReadGuard<'a, R: RwLockRaw, T: ?Sized> {
    pub(crate) held: Held<&'a RwLock<R, T>, R::Upgradable>,
    marker: PhantomData<&'a T>,
}

impl<'a, R: RwLockRaw + 'a, T: ?Sized + 'a> RwLockUpgradableReadGuard<'a, R, T> {
    #[inline]
    pub(crate) fn new(held: Held<&'a RwLock<R, T>, R::Upgradable>) -> Self {
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

    upgrade_functions!(RwLockReadGuard<'a, R, T>, RwLockWriteGuard<'a, R, T>);

    unlock_functions!();
}

guard_traits!(['a, R: RwLockRaw + 'a, T: ?Sized + 'a] RwLockUpgradableReadGuard<'a, R, T>: Deref, Debug, Display, StableDeref);
