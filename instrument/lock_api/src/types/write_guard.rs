//! A read-write lock, held by its writer.

use std::{convert::Infallible, marker::PhantomData, panic::Location};

use super::{
    guard_traits::{fair_functions, guard_traits, unlocked_function},
    held::{Held, Untyped},
    mapped::{ExclusivePart, MappedRwLockWriteGuard},
    read_guard::RwLockReadGuard,
    rwlock::RwLock,
    upgradable_guard::RwLockUpgradableReadGuard,
    way::Write,
};
use crate::{
    raw::{RawRwLock, RawRwLockDowngrade, RawRwLockFair, RawRwLockUpgradeDowngrade},
    version::ExclusiveToken,
};

/// A writer's access to a read-write lock's data; dropping it unlocks.
///
/// Its functions are associated functions, not methods, so that they do not hide methods of the data.
#[clippy::has_significant_drop]
#[must_use = "if unused the lock is released at once"]
pub struct RwLockWriteGuard<'a, R: RawRwLock, T: ?Sized> {
    held: Held<&'a RwLock<R, T>, Write, ExclusiveToken<R>>,
    marker: PhantomData<&'a mut T>,
}

impl<'a, R: RawRwLock + 'a, T: ?Sized + 'a> RwLockWriteGuard<'a, R, T> {
    #[inline]
    pub(crate) fn new(held: Held<&'a RwLock<R, T>, Write, ExclusiveToken<R>>) -> Self {
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

    /// Narrows the guard to a part of the data.
    ///
    /// When `f` panics, the lock is released.
    #[inline]
    pub fn map<U: ?Sized, F>(s: Self, f: F) -> MappedRwLockWriteGuard<'a, R, U>
    where
        F: FnOnce(&mut T) -> &mut U,
    {
        let Ok(mapped) = Self::try_map_or_err(s, |data| Ok::<_, Infallible>(f(data)));
        mapped
    }

    /// Narrows the guard to a part of the data, or gives the guard back when `f` returns `None`.
    ///
    /// When `f` panics, the lock is released.
    #[inline]
    pub fn try_map<U: ?Sized, F>(s: Self, f: F) -> Result<MappedRwLockWriteGuard<'a, R, U>, Self>
    where
        F: FnOnce(&mut T) -> Option<&mut U>,
    {
        Self::try_map_or_err(s, |data| f(data).ok_or(())).map_err(|(s, ())| s)
    }

    /// Narrows the guard to a part of the data, or gives back the guard and what `f` has to say about it.
    ///
    /// When `f` panics, the lock is released.
    #[inline]
    pub fn try_map_or_err<U: ?Sized, F, E>(mut s: Self, f: F) -> Result<MappedRwLockWriteGuard<'a, R, U>, (Self, E)>
    where
        F: FnOnce(&mut T) -> Result<&mut U, E>,
    {
        match f(&mut s).map(ExclusivePart::from) {
            Ok(part) => Ok(MappedRwLockWriteGuard::new(s.held.map_lock(Untyped::of_rwlock), part)),
            Err(error) => Err((s, error)),
        }
    }

    unlocked_function!();
}

impl<'a, R: RawRwLockDowngrade + 'a, T: ?Sized + 'a> RwLockWriteGuard<'a, R, T> {
    /// Becomes a reader, without letting another writer in between.
    #[track_caller]
    pub fn downgrade(s: Self) -> RwLockReadGuard<'a, R, T> {
        RwLockReadGuard::new(s.held.downgrade(Location::caller()))
    }
}

impl<'a, R: RawRwLockUpgradeDowngrade + 'a, T: ?Sized + 'a> RwLockWriteGuard<'a, R, T> {
    /// Becomes an upgradable reader, without letting another writer in between.
    #[track_caller]
    pub fn downgrade_to_upgradable(s: Self) -> RwLockUpgradableReadGuard<'a, R, T> {
        RwLockUpgradableReadGuard::new(s.held.downgrade_to_upgradable(Location::caller()))
    }
}

impl<'a, R: RawRwLockFair + 'a, T: ?Sized + 'a> RwLockWriteGuard<'a, R, T> {
    fair_functions!();
}

guard_traits!(
    ['a, R: RawRwLock + 'a, T: ?Sized + 'a] RwLockWriteGuard<'a, R, T>: Deref, DerefMut, Debug, Display, StableAddress
);
