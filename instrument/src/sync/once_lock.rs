//! std's cell that is written once.

use std::{fmt, panic::Location, sync};

use crate::rt::{self, LockKind, LockMeta, LockRef};

/// A cell that is written once: [`std::sync::OnceLock`], followed by lockscope.
///
/// Whoever initialises it holds it like a mutex, and others wait for that thread. Initialised it is no lock any more, and
/// costs a load more than std's.
///
/// ```
/// use lockscope::sync::OnceLock;
///
/// static GREETING: OnceLock<String> = OnceLock::new();
///
/// assert_eq!(GREETING.get_or_init(|| "hello".to_owned()), "hello");
/// assert_eq!(GREETING.set("bye".to_owned()), Err("bye".to_owned()));
/// ```
pub struct OnceLock<T> {
    pub(crate) meta: LockMeta,
    inner: sync::OnceLock<T>,
}

impl<T> OnceLock<T> {
    /// Makes an empty cell.
    ///
    /// Reports call it by the place of this call; for a name or a rank see [`named`](crate::named).
    #[track_caller]
    #[inline]
    #[must_use]
    pub const fn new() -> Self {
        Self { meta: LockMeta::new(), inner: sync::OnceLock::new() }
    }

    /// The value; `None` when there is none yet, also while one is being made.
    #[track_caller]
    #[inline]
    pub fn get(&self) -> Option<&T> {
        let value = self.inner.get()?;
        rt::observed(self.lock_ref(), Location::caller());
        Some(value)
    }

    /// The value; `None` when there is none.
    #[inline]
    pub fn get_mut(&mut self) -> Option<&mut T> {
        self.inner.get_mut()
    }

    /// Waits until there is a value.
    #[track_caller]
    #[inline]
    pub fn wait(&self) -> &T {
        if let Some(value) = self.get() {
            return value;
        }
        let (lock, site) = (self.lock_ref(), Location::caller());
        let value = rt::wait_initialised(lock, site, || self.inner.wait());
        rt::observed(lock, site);
        value
    }

    /// Sets the value; waits when one is being made just now.
    ///
    /// # Errors
    ///
    /// When there is a value; the error is the one that was to be set.
    #[track_caller]
    #[inline]
    pub fn set(&self, value: T) -> Result<(), T> {
        let mut value = Some(value);
        self.get_or_init(|| value.take().expect("asked for once"));
        value.map_or(Ok(()), Err)
    }

    /// The value, which `f` makes if there is none; waits when one is being made just now.
    ///
    /// Asking from within `f` waits for ever; lockscope reports it first.
    #[track_caller]
    #[inline]
    pub fn get_or_init<F>(&self, f: F) -> &T
    where
        F: FnOnce() -> T,
    {
        let site = Location::caller();
        match self.get() {
            Some(value) => value,
            None => rt::initialise(self.lock_ref(), site, false, |turn| self.inner.get_or_init(|| turn.run(f))),
        }
    }

    /// Takes the cell apart and returns the value.
    #[inline]
    pub fn into_inner(self) -> Option<T> {
        self.inner.into_inner()
    }

    /// Takes the value out; the cell can be written again.
    #[inline]
    pub fn take(&mut self) -> Option<T> {
        self.inner.take()
    }

    #[inline]
    fn lock_ref(&self) -> LockRef<'_> {
        LockRef::new::<T>(&self.meta, LockKind::OnceLock)
    }
}

impl<T> Default for OnceLock<T> {
    #[track_caller]
    fn default() -> Self {
        Self::new()
    }
}

impl<T: fmt::Debug> fmt::Debug for OnceLock<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.inner, f)
    }
}

impl<T: Clone> Clone for OnceLock<T> {
    #[track_caller]
    fn clone(&self) -> Self {
        // Nobody else knows the new cell, so nobody can wait for it.
        Self { meta: LockMeta::new(), inner: self.get().cloned().map_or_else(sync::OnceLock::new, Into::into) }
    }
}

impl<T> From<T> for OnceLock<T> {
    #[track_caller]
    fn from(value: T) -> Self {
        Self { meta: LockMeta::new(), inner: value.into() }
    }
}

impl<T: PartialEq> PartialEq for OnceLock<T> {
    #[track_caller]
    fn eq(&self, other: &Self) -> bool {
        self.get() == other.get()
    }
}

impl<T: Eq> Eq for OnceLock<T> {}
