//! std's atomic truth value.

use std::{
    fmt,
    panic::Location,
    sync::atomic::{self, Ordering},
};

use super::common::{atomic_type, of_failure, updates};
use crate::rt::memory::{self, VarMeta, VarRef};

atomic_type! {
    /// A `bool` that threads share: [`std::sync::atomic::AtomicBool`], recorded by lockscope.
    ///
    /// ```
    /// use lockscope::sync::atomic::{AtomicBool, Ordering};
    ///
    /// static STOP: AtomicBool = AtomicBool::new(false);
    /// assert!(!STOP.swap(true, Ordering::Relaxed));
    /// assert!(STOP.load(Ordering::Relaxed));
    /// ```
    AtomicBool, atomic::AtomicBool, bool
}

impl AtomicBool {
    updates! {
        /// Logical `and`; returns the value before.
        fetch_and(value: bool) -> bool;
        /// Logical `not and`; returns the value before.
        fetch_nand(value: bool) -> bool;
        /// Logical `or`; returns the value before.
        fetch_or(value: bool) -> bool;
        /// Logical `xor`; returns the value before.
        fetch_xor(value: bool) -> bool;
        /// Logical `not`; returns the value before.
        fetch_not() -> bool;
    }
}

/// An [`AtomicBool`] of `false`.
#[deprecated(note = "replaced by `AtomicBool::new(false)`, as in std")]
#[expect(clippy::declare_interior_mutable_const, reason = "as in std")]
pub const ATOMIC_BOOL_INIT: AtomicBool = AtomicBool::new(false);
