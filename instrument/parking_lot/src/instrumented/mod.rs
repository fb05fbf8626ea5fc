//! parking_lot's locks, reporting to the lockscope runtime.
//!
//! One source for every version of parking_lot that lockscope has a facade for; what differs between versions (the traits of
//! raw locks, who returns a token and who does not) is in each crate's `version`.
//!
//! From the inside out:
//! - `way`: raw locks and the ways in which they are held, as traits; `raw`: the raw mutexes;
//! - `held`: an acquisition, from acquire to release, whatever the way; `changes`: from one way to another; `level`: one lock of a
//!   reentrant mutex;
//! - `bare`: raw locks used by themselves, through the traits of `lock_api`;
//! - `mutex`, `rwlock`, `reentrant`, `condvar`, `once`: the locks;
//! - `mutex_guard`, `read_guard`, `write_guard`, `upgradable_guard`, `reentrant_guard`: an acquisition with access to the whole data;
//! - `mapped`: an acquisition with access to a part of the data;
//! - `arc_mutex`, `arc_rwlock`, `arc_reentrant`: acquisitions that keep the lock alive.
//!
//! As in `lock_api`, types have a parameter for the raw lock, and parking_lot's names are aliases; see [`generic`]. Most guards have no `Drop` of their
//! own: `held::Held` releases. So `map` and `downgrade` just move it along.

#[cfg(feature = "arc_lock")]
mod arc_mutex;
#[cfg(feature = "arc_lock")]
mod arc_reentrant;
#[cfg(feature = "arc_lock")]
mod arc_rwlock;
pub(crate) mod bare;
pub(crate) mod changes;
pub(crate) mod condvar;
pub(crate) mod guard_traits;
pub(crate) mod held;
pub(crate) mod level;
pub(crate) mod mapped;
pub(crate) mod mutex;
pub(crate) mod mutex_guard;
pub(crate) mod once;
pub(crate) mod raw;
pub(crate) mod read_guard;
pub(crate) mod reentrant;
pub(crate) mod reentrant_guard;
pub(crate) mod rwlock;
#[cfg(feature = "serde")]
mod serde;
pub(crate) mod upgradable_guard;
pub(crate) mod way;
pub(crate) mod write_guard;

pub use parking_lot::{OnceState, RawThreadId};

/// The types behind parking_lot's names, by way of any raw lock of this crate.
///
/// They are public for their documentation. Programs say `Mutex<T>` and so on: with lockscope switched off this module does not
/// exist, and the names are parking_lot's own.
pub mod generic {
    pub use super::{
        mapped::{MappedMutexGuard, MappedReentrantMutexGuard, MappedRwLockReadGuard, MappedRwLockWriteGuard},
        mutex::Mutex,
        mutex_guard::MutexGuard,
        read_guard::RwLockReadGuard,
        reentrant::ReentrantMutex,
        reentrant_guard::ReentrantMutexGuard,
        rwlock::RwLock,
        upgradable_guard::RwLockUpgradableReadGuard,
        write_guard::RwLockWriteGuard,
    };
}

#[cfg(feature = "arc_lock")]
pub use self::{
    arc_mutex::ArcMutexGuard,
    arc_reentrant::ArcReentrantMutexGuard,
    arc_rwlock::{ArcRwLockReadGuard, ArcRwLockUpgradableReadGuard, ArcRwLockWriteGuard},
};
pub use self::{
    condvar::{Condvar, WaitTimeoutResult},
    once::Once,
    raw::{RawFairMutex, RawMutex},
};
use crate::version::RawRwLock;

/// A mutual exclusion lock: parking_lot's `Mutex`, followed by lockscope.
///
/// ```
#[doc = concat!("use ", env!("CARGO_CRATE_NAME"), "::Mutex;")]
///
/// let total = Mutex::new(0);
/// std::thread::scope(|scope| {
///     for n in 1..=4 {
///         let total = &total;
///         scope.spawn(move || *total.lock() += n);
///     }
/// });
/// assert_eq!(total.into_inner(), 10);
/// ```
pub type Mutex<T> = mutex::Mutex<RawMutex, T>;

/// Access to a mutex' data; dropping it unlocks the mutex.
pub type MutexGuard<'a, T> = mutex_guard::MutexGuard<'a, RawMutex, T>;

/// Access to a part of a mutex' data; dropping it unlocks the mutex.
pub type MappedMutexGuard<'a, T> = mapped::MappedMutexGuard<'a, RawMutex, T>;

/// A mutual exclusion lock that its threads get in order of arrival: parking_lot's `FairMutex`, followed by lockscope.
///
/// ```
#[doc = concat!("use ", env!("CARGO_CRATE_NAME"), "::FairMutex;")]
///
/// let queue = FairMutex::new(vec![1]);
/// queue.lock().push(2);
/// assert_eq!(queue.into_inner(), [1, 2]);
/// ```
pub type FairMutex<T> = mutex::Mutex<RawFairMutex, T>;

/// Access to a fair mutex' data; dropping it unlocks the mutex.
pub type FairMutexGuard<'a, T> = mutex_guard::MutexGuard<'a, RawFairMutex, T>;

/// Access to a part of a fair mutex' data; dropping it unlocks the mutex.
pub type MappedFairMutexGuard<'a, T> = mapped::MappedMutexGuard<'a, RawFairMutex, T>;

/// A mutual exclusion lock of threads, which its holder may lock again: parking_lot's `ReentrantMutex`, followed by
/// lockscope.
///
/// ```
#[doc = concat!("use ", env!("CARGO_CRATE_NAME"), "::ReentrantMutex;")]
/// use std::cell::Cell;
///
/// let depth = ReentrantMutex::new(Cell::new(0));
/// let outer = depth.lock();
/// let inner = depth.lock();
/// inner.set(outer.get() + 1);
/// assert_eq!(outer.get(), 1);
/// ```
pub type ReentrantMutex<T> = reentrant::ReentrantMutex<RawMutex, RawThreadId, T>;

/// Access to a reentrant mutex' data; dropping it undoes one of its thread's locks.
pub type ReentrantMutexGuard<'a, T> = reentrant_guard::ReentrantMutexGuard<'a, RawMutex, RawThreadId, T>;

/// Access to a part of a reentrant mutex' data; dropping it undoes one of its thread's locks.
pub type MappedReentrantMutexGuard<'a, T> = mapped::MappedReentrantMutexGuard<'a, RawMutex, RawThreadId, T>;

/// Many readers or one writer: parking_lot's `RwLock`, followed by lockscope.
///
/// As in parking_lot, readers wait behind a waiting writer. So a thread that reads twice deadlocks when a writer
/// comes in between; lockscope reports that.
///
/// ```
#[doc = concat!("use ", env!("CARGO_CRATE_NAME"), "::RwLock;")]
///
/// let rates = RwLock::new(vec![1.0]);
/// {
///     let first = rates.read();
///     assert_eq!(*first, [1.0]);
/// }
/// rates.write().push(2.0);
/// assert_eq!(rates.into_inner(), [1.0, 2.0]);
/// ```
pub type RwLock<T> = rwlock::RwLock<RawRwLock, T>;

/// A reader's access to a read-write lock's data; dropping it unlocks.
pub type RwLockReadGuard<'a, T> = read_guard::RwLockReadGuard<'a, RawRwLock, T>;

/// A writer's access to a read-write lock's data; dropping it unlocks.
pub type RwLockWriteGuard<'a, T> = write_guard::RwLockWriteGuard<'a, RawRwLock, T>;

/// An upgradable reader's access to a read-write lock's data; dropping it unlocks.
pub type RwLockUpgradableReadGuard<'a, T> = upgradable_guard::RwLockUpgradableReadGuard<'a, RawRwLock, T>;

/// A reader's access to a part of a read-write lock's data; dropping it unlocks.
pub type MappedRwLockReadGuard<'a, T> = mapped::MappedRwLockReadGuard<'a, RawRwLock, T>;

/// A writer's access to a part of a read-write lock's data; dropping it unlocks.
pub type MappedRwLockWriteGuard<'a, T> = mapped::MappedRwLockWriteGuard<'a, RawRwLock, T>;
