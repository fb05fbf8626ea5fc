//! Drop-in [lock_api] 0.4 that finds deadlocks: every lock that is made of a raw lock, whatever it is, is followed.
//!
//! ```toml
//! [dependencies]
//! lock_api = { package = "lockscope-lock_api", version = "0.4.14" }
//! ```
//!
//! With `debug_assertions` or the feature `force`, [`Mutex`], [`ReentrantMutex`], [`RwLock`] and their guards are types of this
//! crate with lock_api's whole interface. They use raw locks through lock_api's own traits, so every raw lock fits, and
//! report every acquisition to the `lockscope` runtime. Otherwise, and always under `--cfg lockscope_off`, everything here
//! *is* lock_api's.
//!
//! # In the place of lock_api
//!
//! The same sources have a second root, `stand_in.rs`, for a package that takes lock_api's place in a dependency tree
//! (`[patch.crates-io]`), so that parking_lot, dashmap, spin and everything else that is built on lock_api 0.4 is followed without being
//! touched. Cargo lets nothing depend on what it replaces, so there the traits are declared anew, and when lockscope is off the
//! types remain, without anything of lockscope in them. `lockscope run --deps` makes such a package.
//!
//! # What is not followed
//!
//! Acquisitions of the raw lock itself. And where `raw()` hands it out, a hold can end unseen, so from then on the lock is not
//! followed any more: no finding is better than one that is made up.
//!
//! Locks that wait need not be fair: readers are taken to queue behind waiting writers where the raw lock is parking_lot's, and to
//! pass them elsewhere.
//!
//! # Features
//!
//! - `force`: on also without `debug_assertions`.
//! - `arc_lock`, `atomic_usize` (default), `owning_ref`, `serde`, `nightly`: as in lock_api.
//!
//! [lock_api]: https://docs.rs/lock_api/0.4

#[cfg(all(not(lockscope_off), any(debug_assertions, feature = "force")))]
mod follow;
#[cfg(all(not(lockscope_off), any(debug_assertions, feature = "force")))]
mod types;
#[cfg(all(not(lockscope_off), any(debug_assertions, feature = "force")))]
mod version;
/// lock_api's own traits.
#[cfg(all(not(lockscope_off), any(debug_assertions, feature = "force")))]
mod raw {
    #[cfg(feature = "atomic_usize")]
    pub use lock_api_0_4::GetThreadId;
    pub use lock_api_0_4::{
        GuardNoSend, GuardSend, RawMutex, RawMutexFair, RawMutexTimed, RawRwLock, RawRwLockDowngrade, RawRwLockFair,
        RawRwLockRecursive, RawRwLockRecursiveTimed, RawRwLockTimed, RawRwLockUpgrade, RawRwLockUpgradeDowngrade,
        RawRwLockUpgradeFair, RawRwLockUpgradeTimed,
    };
}
#[doc(hidden)]
#[cfg(all(not(lockscope_off), any(debug_assertions, feature = "force")))]
pub use self::version::stand_in;
#[cfg(all(not(lockscope_off), any(debug_assertions, feature = "force")))]
pub use self::{raw::*, types::*};

#[cfg(not(all(not(lockscope_off), any(debug_assertions, feature = "force"))))]
pub use lock_api_0_4::*;
