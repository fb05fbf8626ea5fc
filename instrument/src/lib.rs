//! Locks that find deadlocks: std-shaped locks and threads that check lock order, watch for deadlocks and record
//! traces in debug builds, and are std's own types in release builds.

#[doc(hidden)]
pub mod rt;
