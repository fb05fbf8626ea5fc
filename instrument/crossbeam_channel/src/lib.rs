//! Drop-in [crossbeam-channel] 0.5 that records messages and finds deadlocks: rename the dependency and build in debug mode.
//!
//! ```toml
//! [dependencies]
//! crossbeam-channel = { package = "lockscope-crossbeam-channel", version = "0.5" }
//! ```
//!
//! With `debug_assertions` or the feature `force`, [`Sender`], [`Receiver`], [`Select`], their relatives and the macros [`select!`]
//! and [`select_biased!`] are this crate's, with crossbeam-channel's whole interface and its own error types. They wrap
//! crossbeam-channel's channels, and tell the `lockscope` runtime who has which end of a channel, which message was
//! received from which send, and what waits for what.
//!
//! Otherwise, and always under `--cfg lockscope_off`, everything here *is* crossbeam-channel's: the same types, not
//! wrappers around them.
//!
//! # Names
//!
//! Reports call a channel by the place where it was made. A name reads better; [`named`] makes channels that have one,
//! and compiles to the plain functions when lockscope is off:
//!
//! ```
//! use lockscope_crossbeam_channel::named;
//!
//! let (sender, receiver) = named("jobs").bounded(8);
//! sender.send("sweep").unwrap();
//! assert_eq!(receiver.recv(), Ok("sweep"));
//! ```
//!
//! # What is not followed
//!
//! Receivers made by `after`, `at`, `tick` and `never` have no senders. They work in every place, but lockscope has nothing to say
//! of them: a wait that one of the first three can end is one with a time limit, and a wait for `never` alone is not seen.
//!
//! # Features
//!
//! - `force`: on also without `debug_assertions`.
//! - `std`, on by default: as in crossbeam-channel, which is empty without it.
//!
//! [crossbeam-channel]: https://docs.rs/crossbeam-channel/0.5
#![cfg(feature = "std")]

mod label;

pub use label::{Label, named};

#[cfg(all(not(lockscope_off), any(debug_assertions, feature = "force")))]
mod instrumented;
#[cfg(all(not(lockscope_off), any(debug_assertions, feature = "force")))]
mod select_macro;
#[cfg(all(not(lockscope_off), any(debug_assertions, feature = "force")))]
pub use instrumented::*;

#[cfg(not(all(not(lockscope_off), any(debug_assertions, feature = "force"))))]
pub use crossbeam_channel::*;
