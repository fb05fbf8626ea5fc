//! The facade against the original: every method of lock_api's types, over parking_lot's raw locks.
//!
//! The tests are those of parking_lot's facade, by links: parking_lot's types are lock_api's by other names (`aliases`), so what must
//! hold for the ones must for the others. They are run against the original there. With `RUSTFLAGS="--cfg lockscope_off"` the same
//! tests run against the facade when it is off. The stand-in, which is made of the same sources, is tested by what is built on it.
#![cfg(feature = "atomic_usize")]
#![allow(clippy::duplicate_mod, reason = "that is the idea")]
#![allow(unexpected_cfgs, reason = "parking_lot's facade has a feature more")]

mod aliases;

use aliases as facade_crate;
use parking_lot as original_crate;

/// There are none.
#[cfg_attr(not(feature = "arc_lock"), expect(dead_code, reason = "only guards of that feature are listed"))]
const UNSOUND: &[(&str, &str)] = &[];

#[path = "parity/auto_traits.rs"]
mod auto_traits;

#[path = "parity/v13/auto_traits.rs"]
mod auto_traits_v13;

#[path = "parity"]
mod facade {
    use crate::aliases as subject;

    #[cfg(feature = "arc_lock")]
    mod arc;
    mod condvar;
    mod mutex;
    mod queue;
    mod reentrant;
    mod rwlock;
    #[cfg(feature = "serde")]
    mod serde;
    mod upgradable;
    mod v13;

    /// Fair mutexes do all that mutexes do.
    #[path = "."]
    mod fair {
        mod subject {
            pub use crate::aliases::{
                FairMutex as Mutex, FairMutexGuard as MutexGuard, MappedFairMutexGuard as MappedMutexGuard,
                RawFairMutex as RawMutex, RawThreadId, lock_api,
            };
        }

        mod mutex;
    }

    /// Recursive read-write locks do all that read-write locks do.
    #[path = "."]
    mod recursive {
        mod subject {
            pub use crate::aliases::{
                MappedRecursiveRwLockReadGuard as MappedRwLockReadGuard,
                MappedRecursiveRwLockWriteGuard as MappedRwLockWriteGuard, RawRwLockRecursive as RawRwLock,
                RecursiveRwLock as RwLock, RecursiveRwLockReadGuard as RwLockReadGuard,
                RecursiveRwLockUpgradableReadGuard as RwLockUpgradableReadGuard,
                RecursiveRwLockWriteGuard as RwLockWriteGuard, lock_api,
            };
        }

        mod rwlock;
        mod upgradable;
    }
}
