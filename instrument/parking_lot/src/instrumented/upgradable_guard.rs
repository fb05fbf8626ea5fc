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
    raw::Upgradable,
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

    upgrade_functions!(RwLockReadGuard<'a, T>, RwLockWriteGuard<'a, T>);

    unlock_functions!();
}

guard_traits!(['a, T: ?Sized + 'a] RwLockUpgradableReadGuard<'a, T>: Deref, Debug, Display, StableDeref);
