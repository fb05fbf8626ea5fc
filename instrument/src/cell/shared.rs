//! A cell that threads share as if nothing ordered what they do with it. The same when lockscope is off, unrecorded.

use std::{
    fmt, mem,
    panic::Location,
    sync::{
        Mutex, MutexGuard, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
};

#[cfg(all(not(lockscope_off), any(debug_assertions, feature = "force")))]
use crate::rt::memory::{self, VarMeta, VarRef};

type Site = &'static Location<'static>;

/// Data that threads share as if nothing ordered their accesses, in safe code.
///
/// Each access is by itself in order, through a lock inside; to the analysis it is a plain read or write, and two of them race
/// unless the program orders them by other means. To be used where a program is to show such a fault, or is tried out before
/// it gets its locks.
///
/// ```
/// use lockscope::cell::Shared;
///
/// let hits = Shared::new(0);
/// std::thread::scope(|scope| {
///     for _ in 0..2 {
///         // Reads, then writes: what the other thread writes in between is lost.
///         scope.spawn(|| hits.update(|n| n + 1));
///     }
/// });
/// assert!([1, 2].contains(&hits.get()));
/// ```
pub struct Shared<T> {
    #[cfg(all(not(lockscope_off), any(debug_assertions, feature = "force")))]
    var: VarMeta,
    value: Mutex<T>,
    /// The thread that is in [`with`](Self::with), 0 for none.
    user: AtomicUsize,
}

impl<T> Shared<T> {
    /// Makes a cell.
    ///
    /// Reports call it by the place of this call.
    #[track_caller]
    #[inline]
    pub const fn new(value: T) -> Self {
        Self {
            #[cfg(all(not(lockscope_off), any(debug_assertions, feature = "force")))]
            var: VarMeta::new(),
            value: Mutex::new(value),
            user: AtomicUsize::new(0),
        }
    }

    /// Reads the value.
    #[track_caller]
    #[inline]
    pub fn get(&self) -> T
    where
        T: Copy,
    {
        *self.read(Location::caller())
    }

    /// Writes the value.
    #[track_caller]
    #[inline]
    pub fn set(&self, value: T) {
        drop(self.replace(value));
    }

    /// Reads the value, and writes what `f` makes of it: two accesses, between which other threads can write.
    #[track_caller]
    #[inline]
    pub fn update(&self, f: impl FnOnce(T) -> T)
    where
        T: Copy,
    {
        self.set(f(self.get()));
    }

    /// Writes the value and returns the one before: one access.
    #[track_caller]
    #[inline]
    pub fn replace(&self, value: T) -> T {
        mem::replace(&mut *self.write(Location::caller()), value)
    }

    /// Writes the default value and returns the one before: one access.
    #[track_caller]
    #[inline]
    pub fn take(&self) -> T
    where
        T: Default,
    {
        self.replace(T::default())
    }

    /// Reads by `f`: one access, during which other threads wait. So `f` should be short and wait for nobody.
    ///
    /// # Panics
    ///
    /// When called within [`with`](Self::with) or [`with_mut`](Self::with_mut) of the same cell.
    #[track_caller]
    #[inline]
    pub fn with<R>(&self, f: impl FnOnce(&T) -> R) -> R {
        f(&self.read(Location::caller()))
    }

    /// Writes by `f`, perhaps after reading: one access, during which other threads wait. So `f` should be short and wait for nobody.
    ///
    /// # Panics
    ///
    /// As [`with`](Self::with).
    #[track_caller]
    #[inline]
    pub fn with_mut<R>(&self, f: impl FnOnce(&mut T) -> R) -> R {
        f(&mut self.write(Location::caller()))
    }

    /// The data: `&mut self` proves that nobody else has it.
    #[inline]
    pub fn get_mut(&mut self) -> &mut T {
        self.value.get_mut().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes the cell apart and returns the data.
    #[inline]
    pub fn into_inner(self) -> T {
        self.value.into_inner().unwrap_or_else(PoisonError::into_inner)
    }

    #[track_caller]
    fn read(&self, _site: Site) -> Access<'_, T> {
        let access = self.access();
        #[cfg(all(not(lockscope_off), any(debug_assertions, feature = "force")))]
        memory::read(VarRef::new::<Self>(&self.var), _site);
        access
    }

    #[track_caller]
    fn write(&self, _site: Site) -> Access<'_, T> {
        let access = self.access();
        #[cfg(all(not(lockscope_off), any(debug_assertions, feature = "force")))]
        memory::write(VarRef::new::<Self>(&self.var), _site);
        access
    }

    #[track_caller]
    fn access(&self) -> Access<'_, T> {
        thread_local!(static HERE: u8 = const { 0 });
        let me = HERE.with(|here| std::ptr::from_ref(here).addr());
        assert!(self.user.load(Ordering::Relaxed) != me, "a `Shared` is accessed within an access to it");
        let value = self.value.lock().unwrap_or_else(PoisonError::into_inner);
        self.user.store(me, Ordering::Relaxed);
        Access { user: &self.user, value }
    }
}

/// An access that goes on.
struct Access<'a, T> {
    user: &'a AtomicUsize,
    value: MutexGuard<'a, T>,
}

impl<T> Drop for Access<'_, T> {
    fn drop(&mut self) {
        // The lock is given back after it.
        self.user.store(0, Ordering::Relaxed);
    }
}

impl<T> std::ops::Deref for Access<'_, T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.value
    }
}

impl<T> std::ops::DerefMut for Access<'_, T> {
    fn deref_mut(&mut self) -> &mut T {
        &mut self.value
    }
}

impl<T: Default> Default for Shared<T> {
    #[track_caller]
    fn default() -> Self {
        Self::new(T::default())
    }
}

impl<T> From<T> for Shared<T> {
    #[track_caller]
    fn from(value: T) -> Self {
        Self::new(value)
    }
}

/// Shows the value as it is now, unrecorded; `..` where an access goes on.
impl<T: fmt::Debug> fmt::Debug for Shared<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.value.try_lock() {
            Ok(value) => f.debug_tuple("Shared").field(&*value).finish(),
            Err(_) => f.write_str("Shared(..)"),
        }
    }
}
