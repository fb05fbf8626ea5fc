//! The atomics of the files whose protocols loom explores: std's here, loom's where `tests/loom` includes the same files.

pub(super) use std::{
    hint::spin_loop,
    sync::atomic::{AtomicU32, AtomicU64, Ordering, fence},
    thread::yield_now,
};

/// How often a turn is asked for: without giving up the processor, and then with.
pub(super) const SPINS: u32 = 200;
/// See [`SPINS`].
pub(super) const YIELDS: u32 = 50;
