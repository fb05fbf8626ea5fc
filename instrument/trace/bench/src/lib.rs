//! Makes traces of any size through the real writer: threads that take nested locks, wait for each other, and touch memory.
//!
//! The threads are simulated in one: a seeded generator says whose turn it is, so the same [`Shape`] gives the same events everywhere. Locks
//! are taken in ascending order, so the simulation cannot hang.

mod random;
mod simulation;

use std::{
    io,
    path::{Path, PathBuf},
};

use lockscope_trace::writer::{Options, TraceWriter};

pub use self::random::Random;
use self::simulation::Simulation;

/// What a trace is made of.
#[derive(Clone, Copy, Debug)]
pub struct Shape {
    /// Events at least; then every thread ends what it has begun.
    pub events: u64,
    /// Threads, besides the one that spawns them.
    pub threads: u32,
    /// Locks; every eighth is a read-write lock.
    pub locks: u32,
    /// Most locks that a thread holds at a time.
    pub depth: usize,
    /// Of a hundred acquisitions, how many ask for one of the first four locks, which others then hold as often as not.
    pub contention: u64,
    /// Plain reads and writes in each innermost critical section, of a variable that belongs to its lock.
    pub accesses: u32,
    /// Variables that belong to each lock.
    pub vars_per_lock: u32,
    /// Of a thousand accesses, how many touch a variable whose lock is not held.
    pub unprotected: u64,
    /// Seed of the generator, not 0.
    pub seed: u64,
}

impl Default for Shape {
    /// What the budgets of the reader are stated for.
    fn default() -> Self {
        Shape {
            events: 10_000_000,
            threads: 16,
            locks: 1000,
            depth: 4,
            contention: 1,
            accesses: 0,
            vars_per_lock: 1,
            unprotected: 0,
            seed: 1,
        }
    }
}

/// Writes a trace of the given shape to a file that must not exist; returns how many events it has.
///
/// # Errors
///
/// As [`TraceWriter::create`], and when the file system is full.
pub fn write(path: &Path, shape: &Shape) -> io::Result<u64> {
    let options = Options {
        size: None,
        executable: PathBuf::from("generated"),
        command: vec!["generated".to_owned()],
        run: 0,
        coarse: false,
    };
    let writer = TraceWriter::create(path, &options)?;
    let events = Simulation::new(&writer, shape).run();
    match writer.stopped() {
        Some(error) => Err(error),
        None => {
            writer.close();
            Ok(events)
        }
    }
}
