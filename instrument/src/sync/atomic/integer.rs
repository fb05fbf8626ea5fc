//! std's atomic numbers.

use std::{
    fmt,
    panic::Location,
    sync::atomic::{self, Ordering},
};

use super::common::{atomic_type, of_failure, updates};
use crate::rt::memory::{self, VarMeta, VarRef};

macro_rules! integers {
    ($($atomic:ident $value:ident),*) => { $(
        atomic_type! {
            #[doc = concat!("An `", stringify!($value), "` that threads share: [`std::sync::atomic::", stringify!($atomic), "`], recorded by lockscope.")]
            ///
            /// ```
            #[doc = concat!("use lockscope::sync::atomic::{", stringify!($atomic), ", Ordering};")]
            ///
            #[doc = concat!("static N: ", stringify!($atomic), " = ", stringify!($atomic), "::new(1);")]
            /// assert_eq!(N.fetch_add(2, Ordering::Relaxed), 1);
            /// assert_eq!(N.load(Ordering::Relaxed), 3);
            /// ```
            $atomic, atomic::$atomic, $value
        }

        impl $atomic {
            updates! {
                /// Adds to the value, wrapping around, and returns the one before.
                fetch_add(value: $value) -> $value;
                /// Subtracts from the value, wrapping around, and returns the one before.
                fetch_sub(value: $value) -> $value;
                /// Bitwise `and`; returns the value before.
                fetch_and(value: $value) -> $value;
                /// Bitwise `not and`; returns the value before.
                fetch_nand(value: $value) -> $value;
                /// Bitwise `or`; returns the value before.
                fetch_or(value: $value) -> $value;
                /// Bitwise `xor`; returns the value before.
                fetch_xor(value: $value) -> $value;
                /// The greater of both values; returns the one before.
                fetch_max(value: $value) -> $value;
                /// The smaller of both values; returns the one before.
                fetch_min(value: $value) -> $value;
            }
        }
    )* };
}

integers!(
    AtomicI8 i8, AtomicI16 i16, AtomicI32 i32, AtomicI64 i64, AtomicIsize isize,
    AtomicU8 u8, AtomicU16 u16, AtomicU32 u32, AtomicU64 u64, AtomicUsize usize
);

/// An [`AtomicIsize`] of 0.
#[deprecated(note = "replaced by `AtomicIsize::new(0)`, as in std")]
#[expect(clippy::declare_interior_mutable_const, reason = "as in std")]
pub const ATOMIC_ISIZE_INIT: AtomicIsize = AtomicIsize::new(0);

/// An [`AtomicUsize`] of 0.
#[deprecated(note = "replaced by `AtomicUsize::new(0)`, as in std")]
#[expect(clippy::declare_interior_mutable_const, reason = "as in std")]
pub const ATOMIC_USIZE_INIT: AtomicUsize = AtomicUsize::new(0);
