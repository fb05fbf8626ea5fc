//! What is 0.13's own: raw locks return a token when acquired and want it back when released, there is a read-write lock
//! that may be read recursively, and a raw condition variable.

mod condvar;
mod once;
mod raw_mutex;
mod raw_rwlock;
mod raw_rwlock_traits;
mod tokens;

use std::marker::PhantomData;

use crate::instrumented::{mapped, read_guard, rwlock, upgradable_guard, write_guard};

pub use self::raw_rwlock::{RawRwLock, RawRwLockRecursive};
pub use crate::instrumented::condvar::RawCondvar;

/// Decides whether guards are `Send`.
pub(crate) type Marker = Token;

/// What raw locks return when acquired and want back when released, as in parking_lot: it says nothing, and whoever releases finds
/// the acquisition by its thread.
#[cfg(feature = "send_guard")]
pub type Token = lock_api::GuardSend;
/// What raw locks return when acquired and want back when released, as in parking_lot: it says nothing, and whoever releases finds
/// the acquisition by its thread.
#[cfg(not(feature = "send_guard"))]
pub type Token = lock_api::GuardNoSend;

const _: () = assert!(
    size_of::<<parking_lot::RawMutex as lock_api::RawMutex>::Guard>() == 0,
    "parking_lot keeps state in guards: tokens cannot be made anew"
);

/// A wait for a condition timed out only if the condition still holds.
pub(crate) const CONDITION_DECIDES: bool = true;

/// What a guard of a part of the data that nobody else reaches has, beside the pointer.
pub(crate) type ExclusiveMarker<'a, T> = PhantomData<(&'a (), fn(&T))>;

/// A guard of parking_lot's.
///
/// # Safety
///
/// The current context holds the mutex, and nothing else will unlock it.
pub(crate) unsafe fn plain_guard(mutex: &parking_lot::Mutex<()>) -> parking_lot::MutexGuard<'_, ()> {
    // SAFETY: this function's contract, and tokens have no content.
    unsafe { mutex.make_guard_unchecked(Default::default()) }
}

/// Many readers or one writer; who reads may read again. parking_lot's `RecursiveRwLock`, followed by lockscope.
///
/// Readers pass waiting writers as long as there are readers, so writers may starve.
///
/// ```
/// use lockscope_parking_lot::RecursiveRwLock;
///
/// let rates = RecursiveRwLock::new(1.0);
/// let first = rates.read();
/// assert_eq!(*first, *rates.read());
/// ```
pub type RecursiveRwLock<T> = rwlock::RwLock<RawRwLockRecursive, T>;

/// A reader's access to a recursive read-write lock's data; dropping it unlocks.
pub type RecursiveRwLockReadGuard<'a, T> = read_guard::RwLockReadGuard<'a, RawRwLockRecursive, T>;

/// A writer's access to a recursive read-write lock's data; dropping it unlocks.
pub type RecursiveRwLockWriteGuard<'a, T> = write_guard::RwLockWriteGuard<'a, RawRwLockRecursive, T>;

/// An upgradable reader's access to a recursive read-write lock's data; dropping it unlocks.
pub type RecursiveRwLockUpgradableReadGuard<'a, T> =
    upgradable_guard::RwLockUpgradableReadGuard<'a, RawRwLockRecursive, T>;

/// A reader's access to a part of a recursive read-write lock's data; dropping it unlocks.
pub type MappedRecursiveRwLockReadGuard<'a, T> = mapped::MappedRwLockReadGuard<'a, RawRwLockRecursive, T>;

/// A writer's access to a part of a recursive read-write lock's data; dropping it unlocks.
pub type MappedRecursiveRwLockWriteGuard<'a, T> = mapped::MappedRwLockWriteGuard<'a, RawRwLockRecursive, T>;
