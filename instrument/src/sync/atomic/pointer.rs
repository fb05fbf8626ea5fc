//! std's atomic pointer.

use std::{
    fmt,
    panic::Location,
    sync::atomic::{self, Ordering},
};

use super::common::{atomic_type, of_failure, updates};
use crate::rt::memory::{self, VarMeta, VarRef};

atomic_type! {
    /// A raw pointer that threads share: [`std::sync::atomic::AtomicPtr`], recorded by lockscope.
    ///
    /// ```
    /// use lockscope::sync::atomic::{AtomicPtr, Ordering};
    ///
    /// let mut value = 5;
    /// let pointer = AtomicPtr::new(&mut value);
    /// assert!(!pointer.swap(std::ptr::null_mut(), Ordering::Relaxed).is_null());
    /// ```
    AtomicPtr<T>, atomic::AtomicPtr<T>, *mut T
}

impl<T> AtomicPtr<T> {
    updates! {
        /// Moves the pointer on by so many `T`s, wrapping around, and returns the one before.
        fetch_ptr_add(n: usize) -> *mut T;
        /// Moves the pointer back by so many `T`s, wrapping around, and returns the one before.
        fetch_ptr_sub(n: usize) -> *mut T;
        /// Moves the pointer on by so many bytes, wrapping around, and returns the one before.
        fetch_byte_add(n: usize) -> *mut T;
        /// Moves the pointer back by so many bytes, wrapping around, and returns the one before.
        fetch_byte_sub(n: usize) -> *mut T;
        /// Bitwise `or` of the address; returns the pointer before.
        fetch_or(value: usize) -> *mut T;
        /// Bitwise `and` of the address; returns the pointer before.
        fetch_and(value: usize) -> *mut T;
        /// Bitwise `xor` of the address; returns the pointer before.
        fetch_xor(value: usize) -> *mut T;
    }
}

impl<T> fmt::Pointer for AtomicPtr<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Pointer::fmt(&self.plain, f)
    }
}
