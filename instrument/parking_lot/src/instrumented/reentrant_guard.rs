//! A locked reentrant mutex.

use std::{convert::Infallible, marker::PhantomData};

use lock_api::GetThreadId;

use super::{
    guard_traits::{guard_traits, unlock_functions},
    level::{Level, Part},
    mapped::{MappedReentrantMutexGuard, SharedPart},
    reentrant::ReentrantMutex,
    way::MutexRaw,
};

/// Access to a reentrant mutex' data; dropping it undoes one of its thread's locks.
///
/// Its functions are associated functions, not methods, so that they do not hide methods of the data. What they say of
/// unlocking happens when it is the last of its thread's locks.
#[clippy::has_significant_drop]
#[must_use = "if unused the mutex unlocks at once"]
pub struct ReentrantMutexGuard<'a, R: MutexRaw, G: GetThreadId, T: ?Sized> {
    pub(crate) held: Level<&'a ReentrantMutex<R, G, T>>,
    marker: PhantomData<&'a T>,
}

impl<'a, R: MutexRaw + 'a, G: GetThreadId + 'a, T: ?Sized + 'a> ReentrantMutexGuard<'a, R, G, T> {
    #[inline]
    pub(crate) fn new(held: Level<&'a ReentrantMutex<R, G, T>>) -> Self {
        Self { held, marker: PhantomData }
    }

    #[inline]
    fn data(&self) -> *const T {
        self.held.mutex().data_ptr()
    }

    /// The mutex that this guard locks.
    pub fn remutex(s: &Self) -> &'a ReentrantMutex<R, G, T> {
        s.held.mutex()
    }

    /// Narrows the guard to a part of the data.
    ///
    /// When `f` panics, the lock is undone.
    #[inline]
    pub fn map<U: ?Sized, F>(s: Self, f: F) -> MappedReentrantMutexGuard<'a, R, G, U>
    where
        F: FnOnce(&T) -> &U,
    {
        let Ok(mapped) = Self::try_map_or_err(s, |data| Ok::<_, Infallible>(f(data)));
        mapped
    }

    /// Narrows the guard to a part of the data, or gives the guard back when `f` returns `None`.
    ///
    /// When `f` panics, the lock is undone.
    #[inline]
    pub fn try_map<U: ?Sized, F>(s: Self, f: F) -> Result<MappedReentrantMutexGuard<'a, R, G, U>, Self>
    where
        F: FnOnce(&T) -> Option<&U>,
    {
        Self::try_map_or_err(s, |data| f(data).ok_or(())).map_err(|(s, ())| s)
    }

    /// Narrows the guard to a part of the data, or gives back the guard and what `f` has to say about it.
    ///
    /// When `f` panics, the lock is undone.
    #[inline]
    pub fn try_map_or_err<U: ?Sized, F, E>(s: Self, f: F) -> Result<MappedReentrantMutexGuard<'a, R, G, U>, (Self, E)>
    where
        F: FnOnce(&T) -> Result<&U, E>,
    {
        match f(&s).map(SharedPart::from) {
            Ok(part) => Ok(MappedReentrantMutexGuard::new(s.held.map_lock(Part::of), part)),
            Err(error) => Err((s, error)),
        }
    }

    unlock_functions!();
}

guard_traits!(
    ['a, R: MutexRaw + 'a, G: GetThreadId + 'a, T: ?Sized + 'a] ReentrantMutexGuard<'a, R, G, T>:
    Deref, Debug, Display, StableDeref
);
