//! A read-write lock, held by its writer.

use std::{convert::Infallible, marker::PhantomData, panic::Location};

use lock_api::{RawRwLockDowngrade as _, RawRwLockUpgradeDowngrade as _};
use lockscope::rt::{self, Mode};

use super::{
    guard_traits::guard_traits,
    held::{Held, Untyped},
    mapped::{ExclusivePart, MappedRwLockWriteGuard},
    raw::{Token, Write},
    read_guard::RwLockReadGuard,
    rwlock::RwLock,
    upgradable_guard::RwLockUpgradableReadGuard,
};

/// A writer's access to a read-write lock's data; dropping it unlocks.
///
/// Its functions are associated functions, not methods, so that they do not hide methods of the data.
#[clippy::has_significant_drop]
#[must_use = "if unused the lock is released at once"]
pub struct RwLockWriteGuard<'a, T: ?Sized> {
    pub(crate) held: Held<&'a RwLock<T>, Write>,
    marker: PhantomData<&'a mut T>,
}

impl<'a, T: ?Sized + 'a> RwLockWriteGuard<'a, T> {
    #[inline]
    pub(crate) fn new(held: Held<&'a RwLock<T>, Write>) -> Self {
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

    /// Narrows the guard to a part of the data.
    ///
    /// When `f` panics, the lock is released.
    #[inline]
    pub fn map<U: ?Sized, F>(s: Self, f: F) -> MappedRwLockWriteGuard<'a, U>
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
    pub fn try_map<U: ?Sized, F>(s: Self, f: F) -> Result<MappedRwLockWriteGuard<'a, U>, Self>
    where
        F: FnOnce(&mut T) -> Option<&mut U>,
    {
        Self::try_map_or_err(s, |data| f(data).ok_or(())).map_err(|(s, ())| s)
    }

    /// Narrows the guard to a part of the data, or gives back the guard and what `f` has to say about it.
    ///
    /// When `f` panics, the lock is released.
    #[inline]
    pub fn try_map_or_err<U: ?Sized, F, E>(mut s: Self, f: F) -> Result<MappedRwLockWriteGuard<'a, U>, (Self, E)>
    where
        F: FnOnce(&mut T) -> Result<&mut U, E>,
    {
        match f(&mut s).map(ExclusivePart::from) {
            Ok(part) => Ok(MappedRwLockWriteGuard::new(s.held.map_lock(Untyped::of_rwlock), part)),
            Err(error) => Err((s, error)),
        }
    }

    /// Becomes a reader, without letting another writer in between.
    #[track_caller]
    pub fn downgrade(mut s: Self) -> RwLockReadGuard<'a, T> {
        let (lock, raw, hold) = s.held.parts();
        rt::downgrade(lock, hold, Mode::Shared, Location::caller());
        // SAFETY: held for writing.
        unsafe { raw.downgrade(Token::default()) };
        // SAFETY: held for reading now.
        RwLockReadGuard::new(unsafe { s.held.changed_to() })
    }

    /// Becomes an upgradable reader, without letting another writer in between.
    #[track_caller]
    pub fn downgrade_to_upgradable(mut s: Self) -> RwLockUpgradableReadGuard<'a, T> {
        let (lock, raw, hold) = s.held.parts();
        rt::downgrade(lock, hold, Mode::Upgradable, Location::caller());
        // SAFETY: held for writing.
        unsafe { raw.downgrade_to_upgradable(Token::default()) };
        // SAFETY: held upgradable now.
        RwLockUpgradableReadGuard::new(unsafe { s.held.changed_to() })
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
}

guard_traits!(mut RwLockWriteGuard);
