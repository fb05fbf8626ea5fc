//! Asking for deadlocks, with parking_lot's interface (feature `deadlock_detection`).
//!
//! The answers are lockscope's, not parking_lot's: cycles through every kind of lock that lockscope follows, of other crates too,
//! and through the ends of threads. Waits with a time limit are left out, as by parking_lot. Unlike parking_lot's, the
//! answers do nothing to the threads in question, and need not be asked for: lockscope reports a deadlock when it
//! closes, unless it is told not to (`LOCKSCOPE=deadlock=off`).
//!
//! Under `--cfg lockscope_off` nothing is followed, and nothing is found.
//!
//! ```
#![doc = concat!("use ", env!("CARGO_CRATE_NAME"), "::deadlock;")]
//! use std::{thread, time::Duration};
//!
//! // Looks for deadlocks every 10 s.
//! thread::spawn(|| {
//!     loop {
//!         thread::sleep(Duration::from_secs(10));
//!         for (index, threads) in deadlock::check_deadlock().iter().enumerate() {
//!             println!("deadlock {index}");
//!             for thread in threads {
//!                 println!("{:?}\n{:?}", thread.thread_id(), thread.backtrace());
//!             }
//!         }
//!     }
//! });
//! ```

use std::thread::ThreadId;

use lockscope::rt::{self, Stuck};

/// The deadlocks that there are and that were not returned before, each with its threads.
///
/// Cycles that have a thread in common are one deadlock. Costs some microseconds for each thread that waits, and resolves
/// the symbols of the backtraces that it returns.
pub fn check_deadlock() -> Vec<Vec<DeadlockedThread>> {
    let of_threads = |threads: Vec<Stuck>| threads.into_iter().map(DeadlockedThread).collect();
    rt::deadlocks().into_iter().map(of_threads).collect()
}

/// A thread that will never go on.
pub struct DeadlockedThread(Stuck);

impl DeadlockedThread {
    /// Which thread it is.
    pub fn thread_id(&self) -> ThreadId {
        self.0.thread
    }

    /// Where it waits; the innermost frames are lockscope's. A `Backtrace` of the crate `backtrace`, as parking_lot's.
    pub fn backtrace(&self) -> &rt::Backtrace {
        &self.0.backtrace
    }
}
