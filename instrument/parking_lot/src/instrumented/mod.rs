//! parking_lot's mutex, read-write lock and condition variable, reporting to the lockscope runtime.
//!
//! From the inside out:
//! - `raw`: the four ways in which parking_lot's raw locks are held, as one trait;
//! - `held`: an acquisition, from acquire to release, for all four; `changes`: from one way to another;
//! - `mutex`, `rwlock`, `condvar`: the locks;
//! - `mutex_guard`, `read_guard`, `write_guard`, `upgradable_guard`: an acquisition with access to the whole data;
//! - `mapped`: an acquisition with access to a part of the data;
//! - `arc_mutex`, `arc_rwlock`: acquisitions that keep the lock alive.
//!
//! Guards have no `Drop` of their own: `held::Held` releases. So `map` and `downgrade` just move it along.

#[cfg(feature = "arc_lock")]
mod arc_mutex;
#[cfg(feature = "arc_lock")]
mod arc_rwlock;
mod changes;
mod condvar;
mod guard_traits;
mod held;
mod mapped;
mod mutex;
mod mutex_guard;
mod raw;
mod read_guard;
mod rwlock;
#[cfg(feature = "serde")]
mod serde;
mod upgradable_guard;
mod write_guard;

#[cfg(feature = "arc_lock")]
pub use self::{
    arc_mutex::ArcMutexGuard,
    arc_rwlock::{ArcRwLockReadGuard, ArcRwLockUpgradableReadGuard, ArcRwLockWriteGuard},
};
pub use self::{
    condvar::{Condvar, WaitTimeoutResult},
    mapped::{MappedMutexGuard, MappedRwLockReadGuard, MappedRwLockWriteGuard},
    mutex::Mutex,
    mutex_guard::MutexGuard,
    read_guard::RwLockReadGuard,
    rwlock::RwLock,
    upgradable_guard::RwLockUpgradableReadGuard,
    write_guard::RwLockWriteGuard,
};

// Not followed: parking_lot's own.
#[cfg(feature = "arc_lock")]
pub use parking_lot::ArcReentrantMutexGuard;
#[cfg(feature = "deadlock_detection")]
pub use parking_lot::deadlock;
pub use parking_lot::{
    FairMutex, FairMutexGuard, MappedFairMutexGuard, MappedRecursiveRwLockReadGuard, MappedRecursiveRwLockWriteGuard,
    MappedReentrantMutexGuard, Once, OnceState, RawCondvar, RawFairMutex, RawMutex, RawRwLock, RawRwLockRecursive,
    RawThreadId, RecursiveRwLock, RecursiveRwLockReadGuard, RecursiveRwLockUpgradableReadGuard,
    RecursiveRwLockWriteGuard, ReentrantMutex, ReentrantMutexGuard, lock_api,
};
