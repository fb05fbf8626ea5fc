//! Events in, findings out.
//!
//! Reading order: [`input`] opens a trace of any known format; [`state`] replays events into the state of every
//! thread and lock; [`finding`] is what comes out. No terminal, no arguments, no clock.

pub mod finding;
pub mod state;
