//! std's cell for unsafe code.

use std::{
    cell, fmt,
    mem::{ManuallyDrop, offset_of},
    ptr,
};

use crate::rt::{
    Site,
    memory::{self, VarMeta, VarRef},
};

/// Data that is changed behind shared references: [`std::cell::UnsafeCell`], of which lockscope records what is done by
/// [`CellExt`](super::CellExt).
///
/// What is done by the pointer of [`get`](Self::get) is not seen, nor what `&mut` proves to be alone. It is larger than its data, since it
/// knows where it was made; so there is no `from_mut`, and `raw_get` only for data of a known size.
///
/// ```
/// use lockscope::cell::{UnsafeCell, CellExt as _};
///
/// let cell = UnsafeCell::new(1);
/// // SAFETY: nobody else has the cell.
/// cell.with_mut(|value| unsafe { *value += 1 });
/// assert_eq!(cell.into_inner(), 2);
/// ```
pub struct UnsafeCell<T: ?Sized> {
    var: VarMeta,
    plain: cell::UnsafeCell<T>,
}

impl<T> UnsafeCell<T> {
    /// Makes a cell.
    ///
    /// Reports call it by the place of this call.
    #[track_caller]
    #[inline]
    pub const fn new(value: T) -> Self {
        Self { var: VarMeta::new(), plain: cell::UnsafeCell::new(value) }
    }

    /// Takes the cell apart and returns the data.
    #[inline]
    pub const fn into_inner(self) -> T {
        // Not by moving the field out: in a `const` function nothing may be left to be dropped, as far as the compiler can tell.
        let this = ManuallyDrop::new(self);
        // SAFETY: the data is initialised, and is neither used nor dropped in `this` any more.
        unsafe { ptr::read(Self::raw_get((&raw const this).cast())) }
    }

    /// Where the data is, given where the cell is.
    #[inline]
    pub const fn raw_get(this: *const Self) -> *mut T {
        // Without looking at `this`, which may point to nothing yet.
        this.wrapping_byte_add(offset_of!(Self, plain)).cast::<T>().cast_mut()
    }
}

impl<T: ?Sized> UnsafeCell<T> {
    /// Where the data is. What is done by the pointer is not seen.
    #[inline]
    pub const fn get(&self) -> *mut T {
        self.plain.get()
    }

    /// The data: `&mut self` proves that nobody else has it.
    #[inline]
    pub const fn get_mut(&mut self) -> &mut T {
        self.plain.get_mut()
    }

    #[inline]
    pub(super) fn note_read(&self, site: Site) {
        memory::read(self.var_ref(), site);
    }

    #[inline]
    pub(super) fn note_write(&self, site: Site) {
        memory::write(self.var_ref(), site);
    }

    #[inline]
    fn var_ref(&self) -> VarRef<'_> {
        VarRef::new::<Self>(&self.var)
    }
}

impl<T: Default> Default for UnsafeCell<T> {
    #[track_caller]
    fn default() -> Self {
        Self::new(T::default())
    }
}

impl<T> From<T> for UnsafeCell<T> {
    #[track_caller]
    fn from(value: T) -> Self {
        Self::new(value)
    }
}

impl<T: ?Sized> fmt::Debug for UnsafeCell<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.plain, f)
    }
}
