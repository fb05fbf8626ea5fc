//! `std::sync`, with locks that lockscope follows: write `use lockscope::sync::Mutex` for `use std::sync::Mutex`.
//!
//! [`Mutex`], [`RwLock`], [`Condvar`] and their guards have std's stable interface, wrap std's locks, and poison as
//! they do, with std's own error types. So do the channels of [`mpsc`]. Everything else in here is std's and not
//! followed. When lockscope is off, everything in here is std's: the same types.
//!
//! Reports call a lock by the place where it was made; [`named`](crate::named) and [`ranked`](crate::ranked) give it
//! a name or a rank.
//!
//! std's locks cannot wait for a limited time. With a configured time limit (`timeout=`), a wait polls until the
//! limit has passed; without one it is std's own wait.

#[cfg(all(not(lockscope_off), any(debug_assertions, feature = "force")))]
mod condvar;
#[cfg(all(not(lockscope_off), any(debug_assertions, feature = "force")))]
mod held;
#[cfg(all(not(lockscope_off), any(debug_assertions, feature = "force")))]
pub mod mpsc;
#[cfg(all(not(lockscope_off), any(debug_assertions, feature = "force")))]
mod mutex;
#[cfg(all(not(lockscope_off), any(debug_assertions, feature = "force")))]
mod rwlock;

// Names below win over the glob's.
pub use std::sync::*;

#[cfg(all(not(lockscope_off), any(debug_assertions, feature = "force")))]
pub use self::{
    condvar::Condvar,
    mutex::{Mutex, MutexGuard},
    rwlock::{RwLock, RwLockReadGuard, RwLockWriteGuard},
};
