//! Guards of a part of a lock's data.
//!
//! They cannot unlock for a while and lock again, since the part may be gone by then.

use std::{convert::Infallible, marker::PhantomData};

use lock_api::GetThreadId;

use super::{
    guard_traits::guard_traits,
    held::{Held, Untyped, lock_ref},
    level::{Level, Part},
    mutex::Mutex,
    reentrant::ReentrantMutex,
    rwlock::RwLock,
    way::{Followed, MutexRaw, RwLockRaw},
};
use crate::version;

impl<'a, R: Followed> Untyped<'a, R> {
    #[inline]
    pub(crate) fn of_mutex<T: ?Sized>(mutex: &'a Mutex<R, T>) -> Self {
        Self { lock: lock_ref::<T>(mutex.raw.meta(), R::KIND), raw: &mutex.raw }
    }

    #[inline]
    pub(crate) fn of_rwlock<T: ?Sized>(rwlock: &'a RwLock<R, T>) -> Self {
        Self { lock: lock_ref::<T>(rwlock.raw.meta(), R::KIND), raw: &rwlock.raw }
    }
}

impl<'a, R: MutexRaw, G: GetThreadId> Part<'a, R, G> {
    #[inline]
    pub(crate) fn of<T: ?Sized>(mutex: &'a ReentrantMutex<R, G, T>) -> Self {
        Self { lock: mutex.lock_ref(), core: &mutex.core }
    }
}

/// Points to data that others may read too. Covariant in `T`, as `&T` is.
pub(crate) struct SharedPart<'a, T: ?Sized>(*const T, PhantomData<&'a T>);

// SAFETY: gives out `&T` only.
unsafe impl<T: ?Sized + Sync> Send for SharedPart<'_, T> {}
// SAFETY: gives out `&T` only.
unsafe impl<T: ?Sized + Sync> Sync for SharedPart<'_, T> {}

impl<T: ?Sized> From<&T> for SharedPart<'_, T> {
    #[inline]
    fn from(part: &T) -> Self {
        Self(part, PhantomData)
    }
}

/// Points to data that nobody else reaches. Invariant in `T`, as `&mut T` is.
pub(crate) struct ExclusivePart<'a, T: ?Sized>(*mut T, version::ExclusiveMarker<'a, T>);

// SAFETY: sending it sends access to the `T`.
unsafe impl<T: ?Sized + Send> Send for ExclusivePart<'_, T> {}
// SAFETY: sharing it gives out `&T` only.
unsafe impl<T: ?Sized + Sync> Sync for ExclusivePart<'_, T> {}

impl<T: ?Sized> From<&mut T> for ExclusivePart<'_, T> {
    #[inline]
    fn from(part: &mut T) -> Self {
        Self(part, PhantomData)
    }
}

/// Defines a guard of a part, with access by `&` or `&mut`.
macro_rules! mapped_guard {
    (
        $(#[$doc:meta])*
        $guard:ident [$($param:ident: $bound:ident),+] holds $held:ty, $part:ident, $data:ty, & $($mut:ident)?: $($trait:ident),+
    ) => {
        $(#[$doc])*
        ///
        /// Its functions are associated functions, not methods, so that they do not hide methods of the data.
        #[clippy::has_significant_drop]
        #[must_use = "if unused the lock is released at once"]
        pub struct $guard<'a, $($param: $bound,)+ T: ?Sized + 'a> {
            held: $held,
            part: $part<'a, T>,
        }

        impl<'a, $($param: $bound + 'a,)+ T: ?Sized + 'a> $guard<'a, $($param,)+ T> {
            #[inline]
            pub(crate) fn new(held: $held, part: $part<'a, T>) -> Self {
                Self { held, part }
            }

            /// Narrows the guard further.
            ///
            /// When `f` panics, the lock is released.
            #[inline]
            pub fn map<U: ?Sized, F>(s: Self, f: F) -> $guard<'a, $($param,)+ U>
            where
                F: FnOnce(& $($mut)? T) -> & $($mut)? U,
            {
                let Ok(mapped) = Self::try_map_or_err(s, |data| Ok::<_, Infallible>(f(data)));
                mapped
            }

            /// Narrows the guard further, or gives it back when `f` returns `None`.
            ///
            /// When `f` panics, the lock is released.
            #[inline]
            pub fn try_map<U: ?Sized, F>(s: Self, f: F) -> Result<$guard<'a, $($param,)+ U>, Self>
            where
                F: FnOnce(& $($mut)? T) -> Option<& $($mut)? U>,
            {
                Self::try_map_or_err(s, |data| f(data).ok_or(())).map_err(|(s, ())| s)
            }

            /// Narrows the guard further, or gives back the guard and what `f` has to say about it.
            ///
            /// When `f` panics, the lock is released.
            #[inline]
            pub fn try_map_or_err<U: ?Sized, F, E>(
                $($mut)? s: Self,
                f: F,
            ) -> Result<$guard<'a, $($param,)+ U>, (Self, E)>
            where
                F: FnOnce(& $($mut)? T) -> Result<& $($mut)? U, E>,
            {
                match f(& $($mut)? s).map($part::from) {
                    Ok(part) => Ok($guard::new(s.held, part)),
                    Err(error) => Err((s, error)),
                }
            }

            /// Releases the lock, handing it to a waiting thread if there is one.
            #[inline]
            pub fn unlock_fair(s: Self) {
                s.held.release_fair();
            }

            #[inline]
            fn data(&self) -> $data {
                self.part.0
            }
        }

        guard_traits!(['a, $($param: $bound + 'a,)+ T: ?Sized + 'a] $guard<'a, $($param,)+ T>: $($trait),+);
    };
}

mapped_guard! {
    /// Access to a part of a mutex' data; dropping it unlocks the mutex.
    MappedMutexGuard [R: MutexRaw] holds Held<Untyped<'a, R>, R::Locked>, ExclusivePart, *mut T, &mut:
    Deref, DerefMut, Debug, Display, StableDeref
}

mapped_guard! {
    /// Access to a part of a reentrant mutex' data; dropping it undoes one of its thread's locks.
    MappedReentrantMutexGuard [R: MutexRaw, G: GetThreadId] holds Level<Part<'a, R, G>>, SharedPart, *const T, &:
    Deref, Debug, Display, StableDeref
}

mapped_guard! {
    /// A reader's access to a part of a read-write lock's data; dropping it unlocks.
    MappedRwLockReadGuard [R: RwLockRaw] holds Held<Untyped<'a, R>, R::Read>, SharedPart, *const T, &:
    Deref, Debug, Display, StableDeref
}

mapped_guard! {
    /// A writer's access to a part of a read-write lock's data; dropping it unlocks.
    MappedRwLockWriteGuard [R: RwLockRaw] holds Held<Untyped<'a, R>, R::Write>, ExclusivePart, *mut T, &mut:
    Deref, DerefMut, Debug, Display, StableDeref
}
