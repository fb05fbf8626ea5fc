//! What is lock_api 0.5's own: an acquisition of a raw lock leaves a value behind that its release wants back, and there is a condition
//! variable over raw ones.

mod condvar;
mod forced;

use std::{any::type_name, marker::PhantomData};

pub use self::condvar::{Condvar, WaitTimeoutResult};
#[cfg(all(feature = "arc_lock", feature = "atomic_usize"))]
use crate::raw::GuardNoSend;
use crate::raw::{RawMutex, RawRwLock, RawRwLockUpgrade};

/// Says whether guards of a mutex may leave their threads.
pub(crate) type MutexMarker<R> = <R as RawMutex>::Guard;
/// Says whether guards of a read-write lock may leave their threads.
pub(crate) type RwLockMarker<R> = <R as RawRwLock>::ExclusiveGuard;

/// Of a mutex.
pub type MutexToken<R> = <R as RawMutex>::Guard;
/// Of a reader.
pub type SharedToken<R> = <R as RawRwLock>::SharedGuard;
/// Of a writer.
pub type ExclusiveToken<R> = <R as RawRwLock>::ExclusiveGuard;
/// Of an upgradable reader.
pub type UpgradableToken<R> = <R as RawRwLockUpgrade>::UpgradableGuard;

/// What a raw lock's `lock` returns is the token.
#[inline]
pub(crate) fn locked<K>(token: K) -> K {
    token
}

/// What a raw lock's `try_lock` returns is the token.
#[inline]
pub(crate) fn tried<K>(token: Option<K>) -> Option<K> {
    token
}

/// Calls what releases a raw lock.
macro_rules! released {
    ($raw:ident.$unlock:ident($token:ident)) => {
        $raw.$unlock($token)
    };
}

/// Calls what changes the way in which a raw lock is held, and is the new token.
macro_rules! changed {
    ($raw:ident.$change:ident($token:ident)) => {
        $raw.$change($token)
    };
}

/// As `changed`, of what may not succeed: is the new token or the old one.
macro_rules! perhaps_changed {
    ($raw:ident.$change:ident($token:ident $(, $limit:ident)?)) => {
        $raw.$change($token $(, $limit)?)
    };
}

pub(crate) use {changed, perhaps_changed, released};

/// What is left of an acquisition when the raw lock panics while it changes it.
pub trait AfterPanic: Sized {
    /// The token of what is still held.
    fn left() -> Option<Self>;
}

impl<K> AfterPanic for K {
    /// A raw lock that panics has released it.
    fn left() -> Option<Self> {
        None
    }
}

/// What a reentrant mutex over this raw mutex keeps of its acquisition: the token.
#[cfg(feature = "atomic_usize")]
pub trait Keeps {
    /// It.
    type Kept;
}

#[cfg(feature = "atomic_usize")]
impl<R: RawMutex> Keeps for R {
    type Kept = R::Guard;
}

#[cfg(feature = "atomic_usize")]
#[inline]
pub(crate) fn keep<R: RawMutex>(token: MutexToken<R>) -> R::Guard {
    token
}

#[cfg(feature = "atomic_usize")]
#[inline]
pub(crate) fn kept<R: RawMutex>(token: R::Guard) -> MutexToken<R> {
    token
}

/// Beside the lock, in a guard that shares a reentrant mutex.
#[cfg(all(feature = "arc_lock", feature = "atomic_usize"))]
pub(crate) type ArcReentrantMarker<T> = PhantomData<(GuardNoSend, T)>;

/// Beside the pointer, in a guard of a part of the data that nobody else reaches.
pub(crate) type ExclusiveMarker<'a, T> = PhantomData<(&'a (), fn(&T))>;

/// Whether guards with this token stay with their threads. Generic code cannot ask whether a type is `Send`, nor compare it with another
/// but by its name.
#[inline]
pub(crate) fn keeps_guards_here<K>() -> bool {
    type_name::<K>().ends_with("::GuardNoSend")
}

/// The raw read-write lock whose readers wait behind writers that wait.
pub(crate) const WRITERS_FIRST: &str = "parking_lot::raw_rwlock::RawRwLock";

/// Whether a raw lock that is handed out is told to the runtime all the same: condition variables need not ask for it.
#[inline]
pub(crate) fn is_known<R>(_: &R) -> bool {
    false
}

#[cfg(all(test, not(lockscope_off), any(debug_assertions, feature = "force")))]
mod tests {
    use super::*;
    use crate::types::way::readers_queue_behind_writers;

    #[test]
    fn parking_lots_raw_locks_are_known_by_their_names() {
        let names = [
            type_name::<parking_lot::RawMutex>(),
            type_name::<parking_lot::RawFairMutex>(),
            type_name::<parking_lot::RawRwLock>(),
            type_name::<parking_lot::RawRwLockRecursive>(),
        ];
        assert!(names.iter().all(|name| name.starts_with("parking_lot::raw_")), "{names:?}");
        assert!(keeps_guards_here::<MutexToken<parking_lot::RawMutex>>());
        assert!(!keeps_guards_here::<crate::GuardSend>());
    }

    #[test]
    fn parking_lots_readers_queue_behind_writers() {
        assert!(readers_queue_behind_writers::<parking_lot::RawRwLock>());
        assert!(!readers_queue_behind_writers::<parking_lot::RawRwLockRecursive>());
        assert!(!readers_queue_behind_writers::<parking_lot::RawMutex>());
    }
}
