//! lock_api 0.5 as lockscope's stand-in for it: the same interface, every lock followed.
//!
//! This is the root of a package that takes lock_api's place in a dependency tree; see `lib.rs`. It must not depend on lock_api.

mod raw;
mod types;
mod version;

#[cfg(all(not(lockscope_off), any(debug_assertions, feature = "force")))]
mod follow;
#[cfg(not(all(not(lockscope_off), any(debug_assertions, feature = "force"))))]
#[path = "off.rs"]
mod follow;

pub use self::{
    raw::*,
    types::*,
    version::{Condvar, WaitTimeoutResult},
};
