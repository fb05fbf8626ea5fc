//! `std::thread`, with threads whose spawn and join lockscope follows.
//!
//! [`spawn`], [`Builder`], [`scope`] and their handles have std's stable interface and wrap std's. What a thread does
//! before it spawns another one comes before what that one does, and what that one did comes before the end of its
//! join: lockscope needs to know that, to tell orders of locks that can meet from those that cannot, and to see
//! deadlocks over joins. Threads made otherwise are followed too, without that knowledge.
//!
//! Everything else in here is std's. When lockscope is off, everything is.

#[cfg(all(not(lockscope_off), any(debug_assertions, feature = "force")))]
mod scoped;
#[cfg(all(not(lockscope_off), any(debug_assertions, feature = "force")))]
mod spawn;

// Names below win over the glob's.
pub use std::thread::*;

#[cfg(all(not(lockscope_off), any(debug_assertions, feature = "force")))]
pub use self::{
    scoped::{Scope, ScopedJoinHandle, scope},
    spawn::{Builder, JoinHandle, spawn},
};
