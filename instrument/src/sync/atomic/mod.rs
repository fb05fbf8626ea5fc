//! `std::sync::atomic`, with atomics whose operations are recorded: write `use lockscope::sync::atomic::AtomicU64` for
//! `use std::sync::atomic::AtomicU64`.
//!
//! The atomics have std's stable interface, wrap std's, and do each operation with the ordering that was asked for. While something
//! is recorded, each operation is recorded with that ordering and with the store that was read from, so that the analysis knows
//! what is ordered by what, and sees updates that were lost. Else an operation costs a load more than std's. When
//! lockscope is off, everything in here is std's: the same types.
//!
//! What differs while lockscope is on:
//! - Atomics are larger than what is in them, since each knows where it was made. So there is no `from_ptr`, and memory that is
//!   something else cannot be taken for an atomic. `as_ptr` is there; what is done by the pointer is not seen.
//! - While something is recorded, operations on one atomic come one after the other, which hides what weakly ordered machines might do
//!   beyond. Use [loom](https://docs.rs/loom) or [miri](https://github.com/rust-lang/miri) for that.
//! - An operation may allocate, the first time at each place. Global allocators and signal handlers should keep to std's.

#[cfg(all(not(lockscope_off), any(debug_assertions, feature = "force")))]
mod boolean;
#[cfg(all(not(lockscope_off), any(debug_assertions, feature = "force")))]
mod common;
#[cfg(all(not(lockscope_off), any(debug_assertions, feature = "force")))]
mod integer;
#[cfg(all(not(lockscope_off), any(debug_assertions, feature = "force")))]
mod pointer;

// Names below win over the glob's.
pub use std::sync::atomic::*;

#[cfg(all(not(lockscope_off), any(debug_assertions, feature = "force")))]
#[expect(deprecated, reason = "std has them too")]
pub use self::{
    boolean::ATOMIC_BOOL_INIT,
    integer::{ATOMIC_ISIZE_INIT, ATOMIC_USIZE_INIT},
};
#[cfg(all(not(lockscope_off), any(debug_assertions, feature = "force")))]
pub use self::{
    boolean::AtomicBool,
    common::fence,
    integer::{
        AtomicI8, AtomicI16, AtomicI32, AtomicI64, AtomicIsize, AtomicU8, AtomicU16, AtomicU32, AtomicU64, AtomicUsize,
    },
    pointer::AtomicPtr,
};
