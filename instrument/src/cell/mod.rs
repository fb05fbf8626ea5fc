//! `std::cell`, with cells whose accesses are recorded; and one for demonstrations.
//!
//! [`UnsafeCell`] has std's interface. Accesses by [`with`](CellExt::with) and [`with_mut`](CellExt::with_mut) are
//! recorded as reads and writes, so that the analysis finds those that nothing orders. Everything else in here is std's; when
//! lockscope is off, `UnsafeCell` is too, and these two methods come from the trait.
//!
//! [`Shared`] is a cell that threads share without synchronising, as safe code cannot otherwise: to show what lockscope finds, and
//! to try out what would go wrong.

mod shared;
#[cfg(all(not(lockscope_off), any(debug_assertions, feature = "force")))]
mod unsafe_cell;

// Names below win over the glob's.
pub use std::cell::*;

pub use self::shared::Shared;
#[cfg(all(not(lockscope_off), any(debug_assertions, feature = "force")))]
pub use self::unsafe_cell::UnsafeCell;

/// Accesses to an [`UnsafeCell`] that are recorded, as loom's has them. There is no other type to implement it for.
pub trait CellExt<T: ?Sized> {
    /// Reads by `f`. The pointer must not be used afterwards.
    #[track_caller]
    fn with<R>(&self, f: impl FnOnce(*const T) -> R) -> R;

    /// Writes by `f`, perhaps after reading. The pointer must not be used afterwards.
    #[track_caller]
    fn with_mut<R>(&self, f: impl FnOnce(*mut T) -> R) -> R;
}

impl<T: ?Sized> CellExt<T> for UnsafeCell<T> {
    #[track_caller]
    #[inline]
    fn with<R>(&self, f: impl FnOnce(*const T) -> R) -> R {
        #[cfg(all(not(lockscope_off), any(debug_assertions, feature = "force")))]
        self.note_read(std::panic::Location::caller());
        f(self.get())
    }

    #[track_caller]
    #[inline]
    fn with_mut<R>(&self, f: impl FnOnce(*mut T) -> R) -> R {
        #[cfg(all(not(lockscope_off), any(debug_assertions, feature = "force")))]
        self.note_write(std::panic::Location::caller());
        f(self.get())
    }
}
