//! parking_lot 0.13 as lockscope's stand-in for it: the same interface, every lock followed.
//!
//! `parking_lot` is a renamed copy of the version that it stands in for. Its locks are lock_api's, for which there is a stand-in too,
//! so they are followed without anything done to them here, and are the types that they are elsewhere. What lock_api does not
//! have is wrapped. When lockscope is off, everything here is the copy's, but for `deadlock`, which then knows of none.

pub use parking_lot::*;

#[cfg(feature = "deadlock_detection")]
pub mod deadlock;

#[cfg(all(not(lockscope_off), any(debug_assertions, feature = "force")))]
mod once;
#[cfg(all(not(lockscope_off), any(debug_assertions, feature = "force")))]
mod once_013;

#[cfg(all(not(lockscope_off), any(debug_assertions, feature = "force")))]
pub use self::once::Once;
