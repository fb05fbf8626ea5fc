//! A locked mutex.

use std::{convert::Infallible, marker::PhantomData};

use super::{
    guard_traits::{fair_functions, guard_traits, unlocked_function},
    held::{Held, Untyped},
    mapped::{ExclusivePart, MappedMutexGuard},
    mutex::Mutex,
    way::Locked,
};
use crate::{
    raw::{RawMutex, RawMutexFair},
    version::MutexToken,
};

/// Access to a mutex' data; dropping it unlocks the mutex.
///
/// Its functions are associated functions, not methods, so that they do not hide methods of the data.
#[clippy::has_significant_drop]
#[must_use = "if unused the mutex unlocks at once"]
pub struct MutexGuard<'a, R: RawMutex, T: ?Sized> {
    pub(crate) held: Held<&'a Mutex<R, T>, Locked, MutexToken<R>>,
    marker: PhantomData<&'a mut T>,
}

impl<'a, R: RawMutex + 'a, T: ?Sized + 'a> MutexGuard<'a, R, T> {
    #[inline]
    pub(crate) fn new(held: Held<&'a Mutex<R, T>, Locked, MutexToken<R>>) -> Self {
        Self { held, marker: PhantomData }
    }

    #[inline]
    fn data(&self) -> *mut T {
        self.held.lock().data_ptr()
    }

    /// The mutex that this guard locks.
    pub fn mutex(s: &Self) -> &'a Mutex<R, T> {
        s.held.lock()
    }

    /// Narrows the guard to a part of the data.
    ///
    /// When `f` panics, the mutex is unlocked.
    #[inline]
    pub fn map<U: ?Sized, F>(s: Self, f: F) -> MappedMutexGuard<'a, R, U>
    where
        F: FnOnce(&mut T) -> &mut U,
    {
        let Ok(mapped) = Self::try_map_or_err(s, |data| Ok::<_, Infallible>(f(data)));
        mapped
    }

    /// Narrows the guard to a part of the data, or gives the guard back when `f` returns `None`.
    ///
    /// When `f` panics, the mutex is unlocked.
    #[inline]
    pub fn try_map<U: ?Sized, F>(s: Self, f: F) -> Result<MappedMutexGuard<'a, R, U>, Self>
    where
        F: FnOnce(&mut T) -> Option<&mut U>,
    {
        Self::try_map_or_err(s, |data| f(data).ok_or(())).map_err(|(s, ())| s)
    }

    /// Narrows the guard to a part of the data, or gives back the guard and what `f` has to say about it.
    ///
    /// When `f` panics, the mutex is unlocked.
    #[inline]
    pub fn try_map_or_err<U: ?Sized, F, E>(mut s: Self, f: F) -> Result<MappedMutexGuard<'a, R, U>, (Self, E)>
    where
        F: FnOnce(&mut T) -> Result<&mut U, E>,
    {
        match f(&mut s).map(ExclusivePart::from) {
            Ok(part) => Ok(MappedMutexGuard::new(s.held.map_lock(Untyped::of_mutex), part)),
            Err(error) => Err((s, error)),
        }
    }

    unlocked_function!();

    /// Keeps the mutex locked for ever and returns the data.
    #[inline]
    pub fn leak(mut s: Self) -> &'a mut T {
        s.held.hold.note_write();
        let data = s.data();
        std::mem::forget(s);
        // SAFETY: the mutex stays locked, so nobody else reaches the data for the rest of the lock's borrow.
        unsafe { &mut *data }
    }
}

impl<'a, R: RawMutexFair + 'a, T: ?Sized + 'a> MutexGuard<'a, R, T> {
    fair_functions!();
}

guard_traits!(['a, R: RawMutex + 'a, T: ?Sized + 'a] MutexGuard<'a, R, T>: Deref, DerefMut, Debug, Display, StableAddress);
