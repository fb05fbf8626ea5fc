//! What all atomics have in common, and fences.

use std::{
    panic::Location,
    sync::atomic::{self, Ordering},
};

use crate::rt::memory;

/// Orders what comes before and after it: [`std::sync::atomic::fence`].
///
/// # Panics
///
/// When `order` is [`Ordering::Relaxed`].
#[track_caller]
#[inline]
pub fn fence(order: Ordering) {
    atomic::fence(order);
    memory::fence(order, Location::caller());
}

/// The strongest ordering that a comparison may have that fails.
pub(super) fn of_failure(order: Ordering) -> Ordering {
    match order {
        Ordering::Release | Ordering::Relaxed => Ordering::Relaxed,
        Ordering::Acquire | Ordering::AcqRel => Ordering::Acquire,
        _ => Ordering::SeqCst,
    }
}

/// An atomic type with what all of them can do. `$plain` is std's, `$value` what is in it.
macro_rules! atomic_type {
    ($(#[$about:meta])* $atomic:ident $(<$param:ident>)?, $plain:ty, $value:ty) => {
        $(#[$about])*
        pub struct $atomic $(<$param>)? {
            var: VarMeta,
            plain: $plain,
        }

        impl $(<$param>)? $atomic $(<$param>)? {
            /// Makes one with this value.
            ///
            /// Reports call it by the place of this call.
            #[track_caller]
            #[inline]
            #[must_use]
            pub const fn new(value: $value) -> Self {
                Self { var: VarMeta::new(), plain: <$plain>::new(value) }
            }

            /// The value: `&mut self` proves that nobody else has it.
            #[inline]
            pub fn get_mut(&mut self) -> &mut $value {
                self.plain.get_mut()
            }

            /// Takes it apart and returns the value.
            #[inline]
            pub const fn into_inner(self) -> $value {
                self.plain.into_inner()
            }

            /// Where the value is. What is done by the pointer is not seen.
            #[inline]
            pub const fn as_ptr(&self) -> *mut $value {
                self.plain.as_ptr()
            }

            /// Loads the value.
            ///
            /// # Panics
            ///
            /// When `order` is that of a store.
            #[track_caller]
            #[inline]
            pub fn load(&self, order: Ordering) -> $value {
                memory::load(self.var_ref(), order, Location::caller(), || self.plain.load(order))
            }

            /// Stores a value.
            ///
            /// # Panics
            ///
            /// When `order` is that of a load.
            #[track_caller]
            #[inline]
            pub fn store(&self, value: $value, order: Ordering) {
                memory::store(self.var_ref(), order, Location::caller(), || self.plain.store(value, order));
            }

            /// Stores a value and returns the one before.
            #[track_caller]
            #[inline]
            pub fn swap(&self, value: $value, order: Ordering) -> $value {
                memory::update(self.var_ref(), order, Location::caller(), || self.plain.swap(value, order))
            }

            /// Stores a value if the one before is `current`, which is returned in any case.
            #[track_caller]
            #[inline]
            #[deprecated(note = "replaced by `compare_exchange`, as in std")]
            pub fn compare_and_swap(&self, current: $value, new: $value, order: Ordering) -> $value {
                match self.compare_exchange(current, new, order, of_failure(order)) {
                    Ok(before) | Err(before) => before,
                }
            }

            /// Stores a value if the one before is `current`.
            ///
            /// # Errors
            ///
            /// When it is not; the error is the value.
            ///
            /// # Panics
            ///
            /// When `failure` is an ordering of a store.
            #[track_caller]
            #[inline]
            pub fn compare_exchange(
                &self,
                current: $value,
                new: $value,
                success: Ordering,
                failure: Ordering,
            ) -> Result<$value, $value> {
                memory::exchange(self.var_ref(), (success, failure), Location::caller(), || {
                    self.plain.compare_exchange(current, new, success, failure)
                })
            }

            /// [`compare_exchange`](Self::compare_exchange) that may fail for no reason.
            ///
            /// # Errors
            ///
            /// When the value is not `current`, or for no reason; the error is the value.
            ///
            /// # Panics
            ///
            /// When `failure` is an ordering of a store.
            #[track_caller]
            #[inline]
            pub fn compare_exchange_weak(
                &self,
                current: $value,
                new: $value,
                success: Ordering,
                failure: Ordering,
            ) -> Result<$value, $value> {
                memory::exchange(self.var_ref(), (success, failure), Location::caller(), || {
                    self.plain.compare_exchange_weak(current, new, success, failure)
                })
            }

            /// Loads the value, and stores what `f` makes of it if it is still the same then, else tries again. Returns the
            /// value before.
            ///
            /// # Errors
            ///
            /// When `f` returns `None`; the error is the value.
            #[track_caller]
            #[inline]
            pub fn fetch_update<F>(&self, set_order: Ordering, fetch_order: Ordering, f: F) -> Result<$value, $value>
            where
                F: FnMut($value) -> Option<$value>,
            {
                self.try_update(set_order, fetch_order, f)
            }

            /// The same as [`fetch_update`](Self::fetch_update).
            ///
            /// # Errors
            ///
            /// When `f` returns `None`; the error is the value.
            #[track_caller]
            #[inline]
            pub fn try_update(
                &self,
                set_order: Ordering,
                fetch_order: Ordering,
                mut f: impl FnMut($value) -> Option<$value>,
            ) -> Result<$value, $value> {
                let mut before = self.load(fetch_order);
                while let Some(new) = f(before) {
                    match self.compare_exchange_weak(before, new, set_order, fetch_order) {
                        Ok(before) => return Ok(before),
                        Err(other) => before = other,
                    }
                }
                Err(before)
            }

            /// [`try_update`](Self::try_update) by an `f` that always has a new value.
            #[track_caller]
            #[inline]
            pub fn update(
                &self,
                set_order: Ordering,
                fetch_order: Ordering,
                mut f: impl FnMut($value) -> $value,
            ) -> $value {
                let mut before = self.load(fetch_order);
                loop {
                    match self.compare_exchange_weak(before, f(before), set_order, fetch_order) {
                        Ok(before) => return before,
                        Err(other) => before = other,
                    }
                }
            }

            #[inline]
            fn var_ref(&self) -> VarRef<'_> {
                VarRef::new::<Self>(&self.var)
            }
        }

        impl $(<$param>)? Default for $atomic $(<$param>)? {
            #[track_caller]
            #[inline]
            fn default() -> Self {
                Self::new(<$plain>::default().into_inner())
            }
        }

        impl $(<$param>)? From<$value> for $atomic $(<$param>)? {
            #[track_caller]
            #[inline]
            fn from(value: $value) -> Self {
                Self::new(value)
            }
        }

        impl $(<$param>)? fmt::Debug for $atomic $(<$param>)? {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Debug::fmt(&self.plain, f)
            }
        }
    };
}

/// Operations that read and store in one step.
macro_rules! updates {
    ($($(#[$about:meta])* $name:ident($($operand:ident: $type:ty)?) -> $value:ty;)*) => { $(
        $(#[$about])*
        #[track_caller]
        #[inline]
        pub fn $name(&self, $($operand: $type,)? order: Ordering) -> $value {
            memory::update(self.var_ref(), order, Location::caller(), || self.plain.$name($($operand,)? order))
        }
    )* };
}

pub(super) use {atomic_type, updates};
