//! lock_api 0.4 as lockscope's stand-in for it: the same interface, every lock followed.
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

pub use self::{raw::*, types::*};

/// For the stand-ins of crates over lock_api. Not a public interface.
#[doc(hidden)]
pub mod stand_in {
    pub use crate::version::stand_in::*;
}
