//! Labels for what 0.12 does not have.

use crate::{Label, RecursiveRwLock, label::label};

impl Label {
    /// Makes a read-write lock that may be read recursively; `RecursiveRwLock::new` with this label.
    #[track_caller]
    #[inline]
    pub const fn recursive_rwlock<T>(self, value: T) -> RecursiveRwLock<T> {
        label!(self, RecursiveRwLock::new(value), raw.meta)
    }
}
