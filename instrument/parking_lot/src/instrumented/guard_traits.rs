//! What all guards have in common: access to the data, and formatting as the data.

/// Implements `Deref`, `Debug` and `Display` for a guard, and `DerefMut` too for a `mut` one.
///
/// The guard has a field `held` and a method `data(&self)` that returns a pointer to the data, which is valid for
/// the access that the guard's way of holding the lock permits.
macro_rules! guard_traits {
    (mut $guard:ident) => {
        guard_traits!($guard);

        impl<'a, T: ?Sized + 'a> std::ops::DerefMut for $guard<'a, T> {
            #[inline]
            fn deref_mut(&mut self) -> &mut T {
                self.held.hold.note_write();
                // SAFETY: the lock is held exclusively for as long as this guard lives.
                unsafe { &mut *self.data() }
            }
        }
    };
    ($guard:ident) => {
        impl<'a, T: ?Sized + 'a> std::ops::Deref for $guard<'a, T> {
            type Target = T;

            #[inline]
            fn deref(&self) -> &T {
                self.held.hold.note_read();
                // SAFETY: the lock is held for as long as this guard lives.
                unsafe { &*self.data() }
            }
        }

        impl<'a, T: std::fmt::Debug + ?Sized + 'a> std::fmt::Debug for $guard<'a, T> {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                std::fmt::Debug::fmt(&**self, f)
            }
        }

        impl<'a, T: std::fmt::Display + ?Sized + 'a> std::fmt::Display for $guard<'a, T> {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                std::fmt::Display::fmt(&**self, f)
            }
        }

        // SAFETY: moving the guard does not move the data, which lives in the lock.
        #[cfg(feature = "owning_ref")]
        unsafe impl<'a, T: ?Sized + 'a> stable_deref_trait::StableDeref for $guard<'a, T> {}
    };
}

pub(crate) use guard_traits;
