//! Locks that find deadlocks: std-shaped locks and threads that check lock order, watch for deadlocks and record
//! traces in debug builds, and are std's own types in release builds.
//!
//! | instead of | write | has in addition |
//! | --- | --- | --- |
//! | `std::sync` | [`lockscope::sync`](sync) | [`Semaphore`](sync::Semaphore) |
//! | `std::sync::atomic` | [`lockscope::sync::atomic`](sync::atomic) | |
//! | `std::thread` | [`lockscope::thread`](thread) | |
//! | `std::cell` | [`lockscope::cell`](cell) | [`Shared`](cell::Shared), [`CellExt`](cell::CellExt) |

pub mod cell;
mod config;
mod finding;
mod label;
mod region;
#[doc(hidden)]
pub mod rt;
mod session;
pub mod sync;
#[cfg(feature = "test")]
#[doc(hidden)]
pub mod testing;
pub mod thread;

pub use config::{Builder, Clock, Policy, Record, ReportTo, Stacks, builder};
pub use finding::Report;
pub use label::{Label, named, ranked};
#[cfg(feature = "test")]
pub use lockscope_macros::test;
pub use region::{Region, atomic_region, mark};
pub use session::{Outcome, session};

/// Whether this build of lockscope instruments: with `debug_assertions` or the feature `force`, and not `--cfg lockscope_off`.
pub const IS_ON: bool = cfg!(all(any(debug_assertions, feature = "force"), not(lockscope_off)));

/// Parsers that nothing outside may call, for who feeds them with nonsense.
#[cfg(fuzzing)]
#[doc(hidden)]
pub mod fuzzing {
    /// Complaints about the text of `LOCKSCOPE`.
    pub fn settings(text: &str) -> Vec<String> {
        crate::config::apply_environment(text, &mut crate::config::Config::default())
    }

    /// Reads a hierarchy; the complaint is a line and a sentence.
    ///
    /// # Errors
    ///
    /// When it is none.
    pub fn hierarchy(text: &str) -> Result<(), (usize, String)> {
        crate::rt::check_hierarchy(text)
    }
}
