//! Guards of a part of a lock's data.
//!
//! They cannot unlock for a while and lock again, since the part may be gone by then.

use std::{convert::Infallible, marker::PhantomData};

use super::{
    guard_traits::guard_traits,
    held::{Held, Untyped},
    mutex::Mutex,
    rwlock::RwLock,
    way::{Locked, Read, Write},
};
use crate::{
    raw::{RawMutex, RawMutexFair, RawRwLock, RawRwLockFair},
    version::{ExclusiveMarker, ExclusiveToken, MutexToken, SharedToken},
};

impl<'a, R: RawMutex> Untyped<'a, R> {
    #[inline]
    pub(super) fn of_mutex<T: ?Sized>(mutex: &'a Mutex<R, T>) -> Self {
        Self { lock: mutex.lock_ref(), raw: mutex.raw_lock() }
    }
}

impl<'a, R: RawRwLock> Untyped<'a, R> {
    #[inline]
    pub(super) fn of_rwlock<T: ?Sized>(rwlock: &'a RwLock<R, T>) -> Self {
        Self { lock: rwlock.lock_ref(), raw: rwlock.raw_lock() }
    }
}

/// Points to data that others may read too. Covariant in `T`, as `&T` is.
pub struct SharedPart<T: ?Sized>(pub(super) *const T);

impl<T: ?Sized> From<&T> for SharedPart<T> {
    #[inline]
    fn from(part: &T) -> Self {
        Self(part)
    }
}

// SAFETY: it gives out `&T` only.
unsafe impl<T: ?Sized + Sync> Send for SharedPart<T> {}
// SAFETY: as above.
unsafe impl<T: ?Sized + Sync> Sync for SharedPart<T> {}

/// Points to data that nobody else reaches. Invariant in `T`, as `&mut T` is.
pub struct ExclusivePart<T: ?Sized>(*mut T);

// SAFETY: it gives out what `&mut T` does.
unsafe impl<T: ?Sized + Send> Send for ExclusivePart<T> {}
// SAFETY: as above.
unsafe impl<T: ?Sized + Sync> Sync for ExclusivePart<T> {}

impl<T: ?Sized> From<&mut T> for ExclusivePart<T> {
    #[inline]
    fn from(part: &mut T) -> Self {
        Self(part)
    }
}

/// Functions of guards of a part: to narrow them further.
macro_rules! map_functions {
    ($guard:ident, [$($parameters:ty),+], $part:ident, & $($mut:ident)?) => {
        /// Narrows the guard further.
        ///
        /// When `f` panics, the lock is released.
        #[inline]
        pub fn map<U: ?Sized, F>(s: Self, f: F) -> $guard<'a, $($parameters,)+ U>
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
        pub fn try_map<U: ?Sized, F>(s: Self, f: F) -> Result<$guard<'a, $($parameters,)+ U>, Self>
        where
            F: FnOnce(& $($mut)? T) -> Option<& $($mut)? U>,
        {
            Self::try_map_or_err(s, |data| f(data).ok_or(())).map_err(|(s, ())| s)
        }

        /// Narrows the guard further, or gives back the guard and what `f` has to say about it.
        ///
        /// When `f` panics, the lock is released.
        #[inline]
        pub fn try_map_or_err<U: ?Sized, F, E>($($mut)? s: Self, f: F) -> Result<$guard<'a, $($parameters,)+ U>, (Self, E)>
        where
            F: FnOnce(& $($mut)? T) -> Result<& $($mut)? U, E>,
        {
            match f(& $($mut)? s).map($part::from) {
                Ok(part) => Ok($guard::new(s.held, part)),
                Err(error) => Err((s, error)),
            }
        }
    };
}

/// Defines a guard of a part of a mutex' or a read-write lock's data, with access by `&` or `&mut`.
macro_rules! mapped_guard {
    (
        $(#[$doc:meta])* $guard:ident of $raw:ident, $fair:ident as $way:ident by $token:ident, $part:ident, $data:ty, $marker:ty,
        & $($mut:ident)?: $($trait:ident),+
    ) => {
        $(#[$doc])*
        ///
        /// Its functions are associated functions, not methods, so that they do not hide methods of the data.
        #[clippy::has_significant_drop]
        #[must_use = "if unused the lock is released at once"]
        pub struct $guard<'a, R: $raw, T: ?Sized + 'a> {
            held: Held<Untyped<'a, R>, $way, $token<R>>,
            part: $part<T>,
            marker: $marker,
        }

        impl<'a, R: $raw + 'a, T: ?Sized + 'a> $guard<'a, R, T> {
            #[inline]
            pub(super) fn new(held: Held<Untyped<'a, R>, $way, $token<R>>, part: $part<T>) -> Self {
                Self { held, part, marker: PhantomData }
            }

            map_functions!($guard, [R], $part, & $($mut)?);

            #[inline]
            fn data(&self) -> $data {
                self.part.0
            }
        }

        impl<'a, R: $fair + 'a, T: ?Sized + 'a> $guard<'a, R, T> {
            /// Releases the lock, handing it to a waiting thread if there is one.
            #[inline]
            #[track_caller]
            pub fn unlock_fair(s: Self) {
                s.held.release_fair();
            }
        }

        guard_traits!(['a, R: $raw + 'a, T: ?Sized + 'a] $guard<'a, R, T>: $($trait),+);
    };
}

mapped_guard! {
    /// Access to a part of a mutex' data; dropping it unlocks the mutex.
    MappedMutexGuard of RawMutex, RawMutexFair as Locked by MutexToken, ExclusivePart, *mut T, ExclusiveMarker<'a, T>,
    &mut: Deref, DerefMut, Debug, Display, StableAddress
}

mapped_guard! {
    /// A reader's access to a part of a read-write lock's data; dropping it unlocks.
    MappedRwLockReadGuard of RawRwLock, RawRwLockFair as Read by SharedToken, SharedPart, *const T, PhantomData<&'a T>,
    &: Deref, Debug, Display, StableAddress
}

mapped_guard! {
    /// A writer's access to a part of a read-write lock's data; dropping it unlocks.
    MappedRwLockWriteGuard of RawRwLock, RawRwLockFair as Write by ExclusiveToken, ExclusivePart, *mut T, ExclusiveMarker<'a, T>,
    &mut: Deref, DerefMut, Debug, Display, StableAddress
}

#[cfg(feature = "atomic_usize")]
pub(super) use map_functions;
