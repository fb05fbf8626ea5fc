//! Which guards may be sent and shared, where `lock_api` 0.4 says so itself instead of leaving it to the compiler.
//!
//! It lets guards be shared whose lock may not, of data that is `Sync` and not `Send`. Nothing is unlocked by a shared guard.

use lock_api::GetThreadId;

#[cfg(feature = "arc_lock")]
use crate::instrumented::ArcMutexGuard;
use crate::instrumented::{
    mutex_guard::MutexGuard,
    read_guard::RwLockReadGuard,
    reentrant_guard::ReentrantMutexGuard,
    upgradable_guard::RwLockUpgradableReadGuard,
    way::{MutexRaw, RwLockRaw},
    write_guard::RwLockWriteGuard,
};

// SAFETY: sharing the guard gives out `&T` only.
unsafe impl<R: MutexRaw + Sync, T: ?Sized + Sync> Sync for MutexGuard<'_, R, T> {}
// SAFETY: as above.
unsafe impl<R: MutexRaw + Sync, G: GetThreadId + Sync, T: ?Sized + Sync> Sync for ReentrantMutexGuard<'_, R, G, T> {}
// SAFETY: as above.
unsafe impl<R: RwLockRaw + Sync, T: ?Sized + Sync> Sync for RwLockReadGuard<'_, R, T> {}
// SAFETY: as above.
unsafe impl<R: RwLockRaw + Sync, T: ?Sized + Sync> Sync for RwLockWriteGuard<'_, R, T> {}
// SAFETY: as above.
unsafe impl<R: RwLockRaw + Sync, T: ?Sized + Sync> Sync for RwLockUpgradableReadGuard<'_, R, T> {}
// SAFETY: as above.
#[cfg(feature = "arc_lock")]
unsafe impl<R: MutexRaw + Sync, T: ?Sized + Sync> Sync for ArcMutexGuard<R, T> {}
