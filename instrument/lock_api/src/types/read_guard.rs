//! A read-write lock, held by a reader.

use std::{convert::Infallible, marker::PhantomData};

use super::{
    guard_traits::{fair_functions, guard_traits, unlocked_function},
    held::{Held, Untyped},
    mapped::{MappedRwLockReadGuard, SharedPart},
    rwlock::RwLock,
    way::Read,
};
use crate::{
    raw::{RawRwLock, RawRwLockFair},
    version::SharedToken,
};

/// A reader's access to a read-write lock's data; dropping it unlocks.
///
/// Its functions are associated functions, not methods, so that they do not hide methods of the data.
#[clippy::has_significant_drop]
#[must_use = "if unused the lock is released at once"]
pub struct RwLockReadGuard<'a, R: RawRwLock, T: ?Sized> {
    held: Held<&'a RwLock<R, T>, Read, SharedToken<R>>,
    marker: PhantomData<&'a T>,
}

impl<'a, R: RawRwLock + 'a, T: ?Sized + 'a> RwLockReadGuard<'a, R, T> {
    #[inline]
    pub(crate) fn new(held: Held<&'a RwLock<R, T>, Read, SharedToken<R>>) -> Self {
        Self { held, marker: PhantomData }
    }

    #[inline]
    fn data(&self) -> *const T {
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
    pub fn map<U: ?Sized, F>(s: Self, f: F) -> MappedRwLockReadGuard<'a, R, U>
    where
        F: FnOnce(&T) -> &U,
    {
        let Ok(mapped) = Self::try_map_or_err(s, |data| Ok::<_, Infallible>(f(data)));
        mapped
    }

    /// Narrows the guard to a part of the data, or gives the guard back when `f` returns `None`.
    ///
    /// When `f` panics, the lock is released.
    #[inline]
    pub fn try_map<U: ?Sized, F>(s: Self, f: F) -> Result<MappedRwLockReadGuard<'a, R, U>, Self>
    where
        F: FnOnce(&T) -> Option<&U>,
    {
        Self::try_map_or_err(s, |data| f(data).ok_or(())).map_err(|(s, ())| s)
    }

    /// Narrows the guard to a part of the data, or gives back the guard and what `f` has to say about it.
    ///
    /// When `f` panics, the lock is released.
    #[inline]
    pub fn try_map_or_err<U: ?Sized, F, E>(s: Self, f: F) -> Result<MappedRwLockReadGuard<'a, R, U>, (Self, E)>
    where
        F: FnOnce(&T) -> Result<&U, E>,
    {
        match f(&s).map(SharedPart::from) {
            Ok(part) => Ok(MappedRwLockReadGuard::new(s.held.map_lock(Untyped::of_rwlock), part)),
            Err(error) => Err((s, error)),
        }
    }

    unlocked_function!();
}

impl<'a, R: RawRwLockFair + 'a, T: ?Sized + 'a> RwLockReadGuard<'a, R, T> {
    fair_functions!();
}

guard_traits!(['a, R: RawRwLock + 'a, T: ?Sized + 'a] RwLockReadGuard<'a, R, T>: Deref, Debug, Display, StableAddress);
