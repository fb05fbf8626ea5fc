//! `std::thread`, with threads whose spawn and join lockscope follows.
//!
//! [`spawn`], [`Builder`], [`scope`] and their handles have std's stable interface and wrap std's. What a thread does
//! before it spawns another one comes before what that one does, and what that one did comes before the end of its
//! join: lockscope needs to know that, to tell orders of locks that can meet from those that cannot, and to see
//! deadlocks over joins. Threads made otherwise are followed too, without that knowledge.
//!
//! [`park`], [`sleep`] and their like say what a thread does while it does nothing, and [`Thread::unpark`] who wakes it.
//!
//! Everything else in here is std's. When lockscope is off, everything is.

#[cfg(all(not(lockscope_off), any(debug_assertions, feature = "force")))]
mod parking;
#[cfg(all(not(lockscope_off), any(debug_assertions, feature = "force")))]
mod scoped;
#[cfg(all(not(lockscope_off), any(debug_assertions, feature = "force")))]
mod spawn;

// Names below win over the glob's.
pub use std::thread::*;

#[cfg(all(not(lockscope_off), any(debug_assertions, feature = "force")))]
#[expect(deprecated, reason = "std has them too")]
pub use self::parking::{park_timeout_ms, sleep_ms};
#[cfg(all(not(lockscope_off), any(debug_assertions, feature = "force")))]
pub use self::{
    parking::{Thread, current, park, park_timeout, sleep},
    scoped::{Scope, ScopedJoinHandle, scope},
    spawn::{Builder, JoinHandle, spawn},
};
