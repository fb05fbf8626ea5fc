//! What guards have in common, whether they borrow their lock or share it by `Arc`.
//!
//! Guards have a field `held`, a constructor `new(held)`, and a method `data(&self)` that returns a pointer to the
//! data, which is valid for the access that the guard's way of holding the lock permits.

/// Implements the listed traits for a guard: access to the data, and formatting as the data.
macro_rules! guard_traits {
    ($generics:tt $guard:ty: $($trait:ident),+) => {
        $( guard_traits!(@$trait $generics $guard); )+
    };
    (@Deref [$($generics:tt)*] $guard:ty) => {
        impl<$($generics)*> std::ops::Deref for $guard {
            type Target = T;

            #[inline]
            fn deref(&self) -> &T {
                self.held.hold.note_read();
                // SAFETY: the lock is held for as long as this guard lives.
                unsafe { &*self.data() }
            }
        }
    };
    (@DerefMut [$($generics:tt)*] $guard:ty) => {
        impl<$($generics)*> std::ops::DerefMut for $guard {
            #[inline]
            fn deref_mut(&mut self) -> &mut T {
                self.held.hold.note_write();
                // SAFETY: the lock is held exclusively for as long as this guard lives.
                unsafe { &mut *self.data() }
            }
        }
    };
    (@Debug [$($generics:tt)*] $guard:ty) => {
        impl<$($generics)*> std::fmt::Debug for $guard
        where
            T: std::fmt::Debug,
        {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                std::fmt::Debug::fmt(&**self, f)
            }
        }
    };
    (@Display [$($generics:tt)*] $guard:ty) => {
        impl<$($generics)*> std::fmt::Display for $guard
        where
            T: std::fmt::Display,
        {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                std::fmt::Display::fmt(&**self, f)
            }
        }
    };
    (@StableAddress [$($generics:tt)*] $guard:ty) => {
        // SAFETY: moving the guard does not move the data, which lives in the lock.
        #[cfg(feature = "owning_ref")]
        unsafe impl<$($generics)*> owning_ref::StableAddress for $guard {}
    };
}

/// A function of guards of the whole data: to let go of the lock for a while.
macro_rules! unlocked_function {
    () => {
        /// Releases the lock, runs `f`, and locks again, also when `f` panics.
        ///
        /// Aborts the process when locking again panics.
        #[track_caller]
        #[inline]
        pub fn unlocked<F, U>(s: &mut Self, f: F) -> U
        where
            F: FnOnce() -> U,
        {
            s.held.released(f)
        }
    };
}

/// Functions of guards of the whole data whose raw lock can be handed on.
macro_rules! fair_functions {
    () => {
        /// Releases the lock, handing it to a waiting thread if there is one.
        #[inline]
        #[track_caller]
        pub fn unlock_fair(s: Self) {
            s.held.release_fair();
        }

        /// Releases the lock, handing it to a waiting thread if there is one, runs `f`, and locks again, also when `f`
        /// panics.
        ///
        /// Aborts the process when locking again panics.
        #[track_caller]
        #[inline]
        pub fn unlocked_fair<F, U>(s: &mut Self, f: F) -> U
        where
            F: FnOnce() -> U,
        {
            s.held.released_fair(f)
        }

        /// Lets a waiting thread have the lock, and locks again.
        #[track_caller]
        #[inline]
        pub fn bump(s: &mut Self) {
            s.held.released_fair(|| ());
        }
    };
}

/// A function that gives up a guard that shares its lock and keeps the lock.
#[cfg(feature = "arc_lock")]
macro_rules! into_arc_function {
    ($lock:ty) => {
        /// Releases the lock and returns it.
        #[inline]
        #[track_caller]
        pub fn into_arc(s: Self) -> Arc<$lock> {
            s.held.release()
        }
    };
}

/// As `into_arc_function`, of a guard whose raw lock can be handed on.
#[cfg(feature = "arc_lock")]
macro_rules! into_arc_fair_function {
    ($lock:ty) => {
        /// Releases the lock, handing it to a waiting thread if there is one, and returns it.
        #[inline]
        #[track_caller]
        pub fn into_arc_fair(s: Self) -> Arc<$lock> {
            s.held.release_fair()
        }
    };
}

pub(crate) use {fair_functions, guard_traits, unlocked_function};
#[cfg(feature = "arc_lock")]
pub(crate) use {into_arc_fair_function, into_arc_function};
