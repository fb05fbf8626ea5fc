//! Drop-in [parking_lot] 0.12 that finds deadlocks: rename the dependency and build in debug mode.
//!
//! ```toml
//! [dependencies]
//! parking_lot = { package = "lockscope-parking_lot_012", version = "0.12" }
//! ```
//!
//! With `debug_assertions` or the feature `force`, every lock here is a type of this crate with parking_lot's whole
//! interface. They wrap parking_lot's own raw locks, so waiting, fairness and time limits are parking_lot's, and report every
//! acquisition to the `lockscope` runtime: lock-order inversions, deadlocks, rank violations and time limits are found
//! while the program runs, and the run can be recorded.
//!
//! Otherwise, and always under `--cfg lockscope_off`, everything here *is* parking_lot's: the same types, not
//! wrappers around them.
//!
//! For 0.13 there is `lockscope-parking_lot`, of the same source. Locks of both can be in one program.
//!
//! # Names and ranks
//!
//! Reports call a lock by the place where it was made. A name reads better, and a rank declares the order in which
//! locks may be taken. [`named`] and [`ranked`] make locks that have one, also in a `static`, and compile to plain
//! `new` when lockscope is off:
//!
//! ```
//! use lockscope_parking_lot_012::{Mutex, RwLock, named, ranked};
//!
//! static ACCOUNTS: Mutex<Vec<u64>> = named("accounts").ranked(1).mutex(Vec::new());
//! static RATES: RwLock<f64> = named("rates").rwlock(1.0);
//!
//! let journal = ranked(2).mutex(String::new());
//! # drop((ACCOUNTS.lock(), RATES.read(), journal.lock()));
//! ```
//!
//! # Raw locks
//!
//! [`RawMutex`] and its like are followed too, so code that is generic over `lock_api::RawMutex` is. A raw lock is made from
//! a constant, so reports call it by the place of its first use. `lock_api` 0.4 says nothing of who acquired when a lock is released,
//! so of several readers whose guards were sent to other threads the wrong one may be noted to have left.
//!
//! Code that spells parking_lot's types as `lock_api::Mutex<parking_lot::RawMutex, T>` where it has a `parking_lot::Mutex<T>`
//! does not compile with lockscope on, because `Mutex` is then a type of this crate. By `lockscope run --deps` it does: there
//! parking_lot's own sources are built on a stand-in for lock_api.
//!
//! # Features
//!
//! - `force`: on also without `debug_assertions`.
//! - `arc_lock`, `send_guard`, `serde`, `owning_ref`: as in parking_lot, for the types of this crate too.
//! - `deadlock_detection`: the module `deadlock` with parking_lot's interface and lockscope's answers. Implies `force`, so that it
//!   works in release builds as well. Unlike in parking_lot it can be used together with `send_guard`.
//! - `nightly`, `hardware-lock-elision`: handed to parking_lot.
//!
//! [parking_lot]: https://docs.rs/parking_lot/0.12

pub extern crate lock_api_0_4 as lock_api;
extern crate parking_lot_0_12 as parking_lot;
#[cfg(all(feature = "serde", not(lockscope_off), any(debug_assertions, feature = "force")))]
extern crate serde_lean as serde;

#[cfg(feature = "deadlock_detection")]
pub mod deadlock;
mod label;

pub use label::{Label, named, ranked};

#[cfg(all(not(lockscope_off), any(debug_assertions, feature = "force")))]
mod instrumented;
#[cfg(all(not(lockscope_off), any(debug_assertions, feature = "force")))]
mod version;
#[cfg(all(not(lockscope_off), any(debug_assertions, feature = "force")))]
pub use self::{
    instrumented::*,
    version::{RawRwLock, const_fair_mutex, const_mutex, const_reentrant_mutex, const_rwlock},
};

#[cfg(not(all(not(lockscope_off), any(debug_assertions, feature = "force"))))]
pub use parking_lot::*;
