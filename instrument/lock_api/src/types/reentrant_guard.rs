//! A mutex that is locked by a thread that can lock it again, and guards of a part of its data.

use std::{convert::Infallible, marker::PhantomData};

use super::{
    guard_traits::{fair_functions, guard_traits, unlocked_function},
    held::{Held, Untyped},
    mapped::{SharedPart, map_functions},
    reentrant::{Again, Core, ReentrantMutex},
};
use crate::raw::{GetThreadId, GuardNoSend, RawMutex, RawMutexFair};

/// Access to a reentrant mutex' data, by `&` only since there may be other guards; dropping it takes one `lock` back.
///
/// Its functions are associated functions, not methods, so that they do not hide methods of the data.
#[clippy::has_significant_drop]
#[must_use = "if unused the mutex unlocks at once"]
pub struct ReentrantMutexGuard<'a, R: RawMutex, G: GetThreadId, T: ?Sized> {
    held: Held<&'a ReentrantMutex<R, G, T>, Again, ()>,
    marker: PhantomData<(&'a T, GuardNoSend)>,
}

impl<'a, R: RawMutex + 'a, G: GetThreadId + 'a, T: ?Sized + 'a> ReentrantMutexGuard<'a, R, G, T> {
    #[inline]
    pub(super) fn new(held: Held<&'a ReentrantMutex<R, G, T>, Again, ()>) -> Self {
        Self { held, marker: PhantomData }
    }

    #[inline]
    fn data(&self) -> *mut T {
        self.held.lock().data_ptr()
    }

    /// The mutex that this guard locks.
    pub fn remutex(s: &Self) -> &'a ReentrantMutex<R, G, T> {
        s.held.lock()
    }

    /// Narrows the guard to a part of the data.
    ///
    /// When `f` panics, the guard is dropped.
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
    /// When `f` panics, the guard is dropped.
    #[inline]
    pub fn try_map<U: ?Sized, F>(s: Self, f: F) -> Result<MappedReentrantMutexGuard<'a, R, G, U>, Self>
    where
        F: FnOnce(&T) -> Option<&U>,
    {
        Self::try_map_or_err(s, |data| f(data).ok_or(())).map_err(|(s, ())| s)
    }

    /// Narrows the guard to a part of the data, or gives back the guard and what `f` has to say about it.
    ///
    /// When `f` panics, the guard is dropped.
    #[inline]
    pub fn try_map_or_err<U: ?Sized, F, E>(s: Self, f: F) -> Result<MappedReentrantMutexGuard<'a, R, G, U>, (Self, E)>
    where
        F: FnOnce(&T) -> Result<&U, E>,
    {
        match f(&s).map(SharedPart::from) {
            Ok(part) => Ok(MappedReentrantMutexGuard::new(s.held.map_lock(untyped), part)),
            Err(error) => Err((s, error)),
        }
    }

    unlocked_function!();
}

fn untyped<R: RawMutex, G: GetThreadId, T: ?Sized>(mutex: &ReentrantMutex<R, G, T>) -> Untyped<'_, Core<R, G>> {
    Untyped { lock: mutex.lock_ref(), raw: mutex.core() }
}

impl<'a, R: RawMutexFair + 'a, G: GetThreadId + 'a, T: ?Sized + 'a> ReentrantMutexGuard<'a, R, G, T> {
    fair_functions!();
}

guard_traits!(
    ['a, R: RawMutex + 'a, G: GetThreadId + 'a, T: ?Sized + 'a] ReentrantMutexGuard<'a, R, G, T>:
    Deref, Debug, Display, StableAddress
);

/// Access to a part of a reentrant mutex' data; dropping it takes one `lock` back.
///
/// Its functions are associated functions, not methods, so that they do not hide methods of the data.
#[clippy::has_significant_drop]
#[must_use = "if unused the mutex unlocks at once"]
pub struct MappedReentrantMutexGuard<'a, R: RawMutex, G: GetThreadId, T: ?Sized> {
    held: Held<Untyped<'a, Core<R, G>>, Again, ()>,
    part: SharedPart<T>,
    marker: PhantomData<(&'a T, GuardNoSend)>,
}

impl<'a, R: RawMutex + 'a, G: GetThreadId + 'a, T: ?Sized + 'a> MappedReentrantMutexGuard<'a, R, G, T> {
    #[inline]
    fn new(held: Held<Untyped<'a, Core<R, G>>, Again, ()>, part: SharedPart<T>) -> Self {
        Self { held, part, marker: PhantomData }
    }

    map_functions!(MappedReentrantMutexGuard, [R, G], SharedPart, &);

    #[inline]
    fn data(&self) -> *const T {
        self.part.0
    }
}

impl<'a, R: RawMutexFair + 'a, G: GetThreadId + 'a, T: ?Sized + 'a> MappedReentrantMutexGuard<'a, R, G, T> {
    /// Takes one `lock` back; the last one hands the mutex to a waiting thread if there is one.
    #[inline]
    #[track_caller]
    pub fn unlock_fair(s: Self) {
        s.held.release_fair();
    }
}

guard_traits!(
    ['a, R: RawMutex + 'a, G: GetThreadId + 'a, T: ?Sized + 'a] MappedReentrantMutexGuard<'a, R, G, T>:
    Deref, Debug, Display, StableAddress
);
