//! The atomics of the files whose protocols loom explores: std's here, loom's where `tests/loom` includes the same files.

pub(super) use std::sync::atomic::{AtomicU32, AtomicU64, Ordering, fence};
