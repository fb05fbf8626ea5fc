//! Which guards may be sent and shared, where lock_api 0.4 says so itself instead of leaving it to the compiler.
//!
//! It lets guards be shared whose lock may not, of data that is `Sync` and not `Send`. Nothing is unlocked by a shared guard.

#[cfg(feature = "atomic_usize")]
use crate::raw::GetThreadId;
#[cfg(feature = "arc_lock")]
use crate::types::ArcMutexGuard;
#[cfg(feature = "atomic_usize")]
use crate::types::{MappedReentrantMutexGuard, ReentrantMutexGuard};
use crate::{
    raw::{RawMutex, RawRwLock, RawRwLockUpgrade},
    types::{
        MappedMutexGuard, MappedRwLockReadGuard, MappedRwLockWriteGuard, MutexGuard, RwLockReadGuard,
        RwLockUpgradableReadGuard, RwLockWriteGuard,
    },
};

// SAFETY: `&Self` gives out `&T` and the mutex only.
unsafe impl<'a, R: RawMutex + Sync + 'a, T: ?Sized + Sync + 'a> Sync for MutexGuard<'a, R, T> {}

// SAFETY: `&Self` gives out `&T` and the lock only.
unsafe impl<R: RawRwLock + Sync, T: Sync + ?Sized> Sync for RwLockReadGuard<'_, R, T> {}
// SAFETY: as above.
unsafe impl<R: RawRwLock + Sync, T: Sync + ?Sized> Sync for RwLockWriteGuard<'_, R, T> {}
// SAFETY: as above.
unsafe impl<'a, R: RawRwLockUpgrade + 'a, T: ?Sized + Sync + 'a> Sync for RwLockUpgradableReadGuard<'a, R, T> {}

// SAFETY: `&Self` gives out `&T` only.
unsafe impl<'a, R: RawMutex + Sync + 'a, T: ?Sized + Sync + 'a> Sync for MappedMutexGuard<'a, R, T> {}
// SAFETY: sending it sends access to the `T`, and the raw mutex permits to unlock it elsewhere.
unsafe impl<'a, R: RawMutex + 'a, T: ?Sized + Send + 'a> Send for MappedMutexGuard<'a, R, T> where R::GuardMarker: Send {}
// SAFETY: `&Self` gives out `&T` only.
unsafe impl<'a, R: RawRwLock + 'a, T: ?Sized + Sync + 'a> Sync for MappedRwLockReadGuard<'a, R, T> {}
// SAFETY: it gives out `&T` only, and the raw lock permits to unlock it elsewhere.
unsafe impl<'a, R: RawRwLock + 'a, T: ?Sized + Sync + 'a> Send for MappedRwLockReadGuard<'a, R, T> where
    R::GuardMarker: Send
{
}
// SAFETY: `&Self` gives out `&T` only.
unsafe impl<'a, R: RawRwLock + 'a, T: ?Sized + Sync + 'a> Sync for MappedRwLockWriteGuard<'a, R, T> {}
// SAFETY: sending it sends access to the `T`, and the raw lock permits to unlock it elsewhere.
unsafe impl<'a, R: RawRwLock + 'a, T: ?Sized + Send + 'a> Send for MappedRwLockWriteGuard<'a, R, T> where
    R::GuardMarker: Send
{
}

// SAFETY: `&Self` gives out `&T` and the mutex only.
#[cfg(feature = "atomic_usize")]
unsafe impl<'a, R: RawMutex + Sync + 'a, G: GetThreadId + Sync + 'a, T: ?Sized + Sync + 'a> Sync
    for ReentrantMutexGuard<'a, R, G, T>
{
}
// SAFETY: `&Self` gives out `&T` only.
#[cfg(feature = "atomic_usize")]
unsafe impl<'a, R: RawMutex + Sync + 'a, G: GetThreadId + Sync + 'a, T: ?Sized + Sync + 'a> Sync
    for MappedReentrantMutexGuard<'a, R, G, T>
{
}

// SAFETY: sending it sends access to the `T` and shares the mutex, and the raw mutex permits to unlock it elsewhere.
#[cfg(feature = "arc_lock")]
unsafe impl<R: RawMutex + Send + Sync, T: Send + ?Sized> Send for ArcMutexGuard<R, T> where R::GuardMarker: Send {}
// SAFETY: `&Self` gives out `&T` and the mutex only.
#[cfg(feature = "arc_lock")]
unsafe impl<R: RawMutex + Sync, T: Sync + ?Sized> Sync for ArcMutexGuard<R, T> where R::GuardMarker: Sync {}
