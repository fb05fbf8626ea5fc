//! Drop-in [lock_api] 0.5 that finds deadlocks: every lock that is made of a raw lock, whatever it is, is followed.
//!
//! ```toml
//! [dependencies]
//! lock_api = { package = "lockscope-lock_api_05", version = "0.5" }
//! ```
//!
//! With `debug_assertions` or the feature `force`, [`Mutex`], [`ReentrantMutex`], [`RwLock`], [`Condvar`] and the guards are types of
//! this crate with lock_api's whole interface. They use raw locks through lock_api's own traits, so every raw lock fits, and
//! report every acquisition to the `lockscope` runtime. Otherwise, and always under `--cfg lockscope_off`, everything here
//! *is* lock_api's.
//!
//! All but `version` is shared with the facade of 0.4, `lockscope-lock_api`, which also says what is not followed.
//!
//! # In the place of lock_api
//!
//! The same sources have a second root, `stand_in.rs`, for a package that takes lock_api's place in a dependency tree
//! (`[patch.crates-io]`). parking_lot 0.13's own sources are built on it there, so that its types are what they are elsewhere:
//! `parking_lot::Mutex<T>` is `lock_api::Mutex<parking_lot::RawMutex, T>`. `lockscope run --deps` makes such packages.
//!
//! # Features
//!
//! - `force`: on also without `debug_assertions`.
//! - `arc_lock`, `atomic_usize` (default), `owning_ref`, `serde`: as in lock_api.
//!
//! [lock_api]: https://docs.rs/lock_api/0.5

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
    pub use lock_api::GetThreadId;
    pub use lock_api::{
        GuardNoSend, GuardSend, RawCondvar, RawCondvarTimed, RawMutex, RawMutexFair, RawMutexTimed, RawRwLock,
        RawRwLockDowngrade, RawRwLockFair, RawRwLockTimed, RawRwLockUpgrade, RawRwLockUpgradeDowngrade,
        RawRwLockUpgradeFair, RawRwLockUpgradeTimed,
    };
}
#[cfg(all(not(lockscope_off), any(debug_assertions, feature = "force")))]
pub use self::{
    raw::*,
    types::*,
    version::{Condvar, WaitTimeoutResult},
};

#[cfg(not(all(not(lockscope_off), any(debug_assertions, feature = "force"))))]
pub use lock_api::*;
