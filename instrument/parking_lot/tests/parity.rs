//! The facade against the original: every method of parking_lot's types.
//!
//! The files in `parity/` are compiled twice, once with `subject` being parking_lot and once with `subject` being
//! this crate. A method that the facade lacks, or has with another signature, does not compile; one that behaves
//! differently fails for one of the two. With `RUSTFLAGS="--cfg lockscope_off"` the same tests run against the facade
//! when it is off. They are shared with the facade of 0.12, but for those in `parity/v13`.
#![allow(clippy::duplicate_mod, reason = "that is the idea")]

use lockscope_parking_lot as facade_crate;
use parking_lot as original_crate;

/// Guards, and what they guard, that the original lets be shared although that is unsound. The facade does not.
#[cfg_attr(not(feature = "arc_lock"), expect(dead_code, reason = "only guards of that feature are listed"))]
const UNSOUND: &[(&str, &str)] = &[];

#[path = "parity/auto_traits.rs"]
mod auto_traits;

#[cfg(all(feature = "deadlock_detection", not(lockscope_off)))]
#[path = "parity/deadlock.rs"]
mod deadlock;

#[path = "parity/labels.rs"]
mod labels;

#[path = "parity/v13/auto_traits.rs"]
mod auto_traits_v13;

#[path = "parity"]
mod original {
    use parking_lot as subject;

    #[cfg(feature = "arc_lock")]
    mod arc;
    mod condvar;
    mod mutex;
    mod once;
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
            pub use parking_lot::{
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
            pub use parking_lot::{
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

#[path = "parity"]
mod facade {
    use lockscope_parking_lot as subject;

    #[cfg(feature = "arc_lock")]
    mod arc;
    mod condvar;
    mod mutex;
    mod once;
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
            pub use lockscope_parking_lot::{
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
            pub use lockscope_parking_lot::{
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
