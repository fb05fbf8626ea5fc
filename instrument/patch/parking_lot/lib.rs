//! parking_lot 0.11 and 0.12 as lockscope's stand-in for them: the same interface, every lock followed.
//!
//! `real` is a renamed copy of the version that it stands in for. Its locks are lock_api's, for which there is a stand-in too, so
//! they are followed without anything done to them here; what lock_api does not have is wrapped. When lockscope is off,
//! everything here is the copy's, but for `deadlock`, which then knows of none.

pub use real::*;

#[cfg(feature = "deadlock_detection")]
pub mod deadlock;

#[cfg(all(not(lockscope_off), any(debug_assertions, feature = "force")))]
mod condvar;
#[cfg(all(not(lockscope_off), any(debug_assertions, feature = "force")))]
mod constants;
#[cfg(all(not(lockscope_off), any(debug_assertions, feature = "force")))]
mod once;

#[cfg(all(not(lockscope_off), any(debug_assertions, feature = "force")))]
pub use self::{
    condvar::{Condvar, WaitTimeoutResult},
    constants::{const_fair_mutex, const_mutex, const_reentrant_mutex, const_rwlock},
    once::Once,
};
