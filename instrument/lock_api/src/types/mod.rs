//! lock_api's locks and guards over any raw lock, reporting to the lockscope runtime.
//!
//! From the inside out:
//! - `way`: the ways in which raw locks are held, as one trait;
//! - `held`: an acquisition, from acquire to release, for all of them; `changes`: from one way to another;
//! - `mutex`, `raw_reentrant`, `reentrant`, `rwlock`, `asking`: the locks;
//! - `mutex_guard`, `reentrant_guard`, `read_guard`, `write_guard`, `upgradable_guard`: acquisitions with access to the whole data;
//! - `mapped`: an acquisition with access to a part of the data;
//! - `arc_mutex`, `arc_reentrant`, `arc_rwlock`, `arc_upgradable`: acquisitions that keep the lock alive.
//!
//! What depends on lock_api's version is in `version`; everything here is for all of them.
//!
//! Guards have no `Drop` of their own: `held::Held` releases. So `map` and `downgrade` just move it along.

#[cfg(feature = "arc_lock")]
mod arc_mutex;
#[cfg(all(feature = "arc_lock", feature = "atomic_usize"))]
mod arc_reentrant;
#[cfg(feature = "arc_lock")]
mod arc_rwlock;
#[cfg(feature = "arc_lock")]
mod arc_upgradable;
mod asking;
mod changes;
mod guard_traits;
pub(crate) mod held;
mod mapped;
mod mutex;
mod mutex_guard;
#[cfg(feature = "atomic_usize")]
mod raw_reentrant;
mod read_guard;
#[cfg(feature = "atomic_usize")]
mod reentrant;
#[cfg(feature = "atomic_usize")]
mod reentrant_guard;
mod rwlock;
#[cfg(feature = "serde")]
mod serde;
mod upgradable_guard;
pub(crate) mod way;
mod write_guard;

#[cfg(all(feature = "arc_lock", feature = "atomic_usize"))]
pub use self::arc_reentrant::ArcReentrantMutexGuard;
#[cfg(feature = "arc_lock")]
pub use self::{
    arc_mutex::ArcMutexGuard,
    arc_rwlock::{ArcRwLockReadGuard, ArcRwLockWriteGuard},
    arc_upgradable::ArcRwLockUpgradableReadGuard,
};
pub use self::{
    mapped::{MappedMutexGuard, MappedRwLockReadGuard, MappedRwLockWriteGuard},
    mutex::Mutex,
    mutex_guard::MutexGuard,
    read_guard::RwLockReadGuard,
    rwlock::RwLock,
    upgradable_guard::RwLockUpgradableReadGuard,
    write_guard::RwLockWriteGuard,
};
#[cfg(feature = "atomic_usize")]
pub use self::{
    raw_reentrant::RawReentrantMutex,
    reentrant::ReentrantMutex,
    reentrant_guard::{MappedReentrantMutexGuard, ReentrantMutexGuard},
};
