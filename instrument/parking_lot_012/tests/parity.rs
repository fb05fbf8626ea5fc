//! The facade against the original: every method of parking_lot's types.
//!
//! The files in `parity/` are compiled twice, once with `subject` being parking_lot and once with `subject` being
//! this crate. A method that the facade lacks, or has with another signature, does not compile; one that behaves
//! differently fails for one of the two. With `RUSTFLAGS="--cfg lockscope_off"` the same tests run against the facade
//! when it is off. They are shared with the facade of 0.13, but for those in `parity/v12`.
#![allow(clippy::duplicate_mod, reason = "that is the idea")]

use lockscope_parking_lot_012 as facade_crate;
use parking_lot_0_12 as original_crate;

/// Guards, and what they guard, that the original lets be shared although that is unsound. The facade does not,
/// unless it is off.
#[cfg_attr(not(feature = "arc_lock"), expect(dead_code, reason = "only guards of that feature are listed"))]
const UNSOUND: &[(&str, &str)] = if cfg!(all(not(lockscope_off), any(debug_assertions, feature = "force"))) {
    &[("ArcReentrantMutexGuard", "SendOnly")]
} else {
    &[]
};

#[path = "parity/auto_traits.rs"]
mod auto_traits;

#[cfg(all(feature = "deadlock_detection", not(lockscope_off)))]
#[path = "parity/deadlock.rs"]
mod deadlock;

#[path = "parity/labels.rs"]
mod labels;

#[path = "parity"]
mod original {
    use parking_lot_0_12 as subject;

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
    mod v12;

    /// Fair mutexes do all that mutexes do.
    #[path = "."]
    mod fair {
        mod subject {
            pub use parking_lot_0_12::{
                FairMutex as Mutex, FairMutexGuard as MutexGuard, MappedFairMutexGuard as MappedMutexGuard,
                RawFairMutex as RawMutex, RawThreadId, lock_api,
            };
        }

        mod mutex;
    }
}

#[path = "parity"]
mod facade {
    use lockscope_parking_lot_012 as subject;

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
    mod v12;

    /// Fair mutexes do all that mutexes do.
    #[path = "."]
    mod fair {
        mod subject {
            pub use lockscope_parking_lot_012::{
                FairMutex as Mutex, FairMutexGuard as MutexGuard, MappedFairMutexGuard as MappedMutexGuard,
                RawFairMutex as RawMutex, RawThreadId, lock_api,
            };
        }

        mod mutex;
    }
}
