//! What guards have in common, whether they borrow their lock or share it by `Arc`.
//!
//! Guards have a field `held` (a `Held` or, of a reentrant mutex, a `Level`), a constructor `new(held)`, and a method `data(&self)` that returns a pointer to the
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
                self.held.note_read();
                // SAFETY: the lock is held for as long as this guard lives.
                unsafe { &*self.data() }
            }
        }
    };
    (@DerefMut [$($generics:tt)*] $guard:ty) => {
        impl<$($generics)*> std::ops::DerefMut for $guard {
            #[inline]
            fn deref_mut(&mut self) -> &mut T {
                self.held.note_write();
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
    (@StableDeref [$($generics:tt)*] $guard:ty) => {
        // SAFETY: moving the guard does not move the data, which lives in the lock.
        #[cfg(feature = "owning_ref")]
        unsafe impl<$($generics)*> stable_deref_trait::StableDeref for $guard {}
    };
}

/// Functions of every guard of the whole data: to let go of the lock in other ways than by `drop`.
macro_rules! unlock_functions {
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

        /// As [`unlocked`](Self::unlocked), handing the lock to a waiting thread if there is one.
        #[track_caller]
        #[inline]
        pub fn unlocked_fair<F, U>(s: &mut Self, f: F) -> U
        where
            F: FnOnce() -> U,
        {
            s.held.released_fair(f)
        }

        /// Releases the lock, handing it to a waiting thread if there is one.
        #[inline]
        pub fn unlock_fair(s: Self) {
            s.held.release_fair();
        }

        /// Lets a waiting thread have the lock, and locks again.
        #[track_caller]
        #[inline]
        pub fn bump(s: &mut Self) {
            s.held.bump();
        }
    };
}

/// Functions of a writer's guard: to become a reader.
macro_rules! downgrade_functions {
    ($read_guard:ty, $upgradable_guard:ty) => {
        /// Becomes a reader, without letting another writer in between.
        #[track_caller]
        pub fn downgrade(s: Self) -> $read_guard {
            <$read_guard>::new(s.held.write_to_read(Location::caller()))
        }

        /// Becomes an upgradable reader, without letting another writer in between.
        #[track_caller]
        pub fn downgrade_to_upgradable(s: Self) -> $upgradable_guard {
            <$upgradable_guard>::new(s.held.write_to_upgradable(Location::caller()))
        }
    };
}

/// Functions of an upgradable reader's guard: to become the writer, for good or for a while.
macro_rules! upgrade_functions {
    ($read_guard:ty, $write_guard:ty) => {
        /// Becomes the writer, waiting for other readers to leave.
        #[track_caller]
        pub fn upgrade(s: Self) -> $write_guard {
            <$write_guard>::new(s.held.upgrade(Location::caller()))
        }

        /// Becomes the writer if there are no other readers, else gives the guard back.
        #[track_caller]
        pub fn try_upgrade(s: Self) -> Result<$write_guard, Self> {
            s.held.try_upgrade(Limit::Now, Location::caller()).map(<$write_guard>::new).map_err(Self::new)
        }

        /// Becomes the writer, waiting for `timeout` at most for other readers to leave, else gives the guard back.
        #[track_caller]
        pub fn try_upgrade_for(s: Self, timeout: Duration) -> Result<$write_guard, Self> {
            s.held.try_upgrade(Limit::after(timeout), Location::caller()).map(<$write_guard>::new).map_err(Self::new)
        }

        /// Becomes the writer, waiting until `timeout` at most for other readers to leave, else gives the guard back.
        #[track_caller]
        pub fn try_upgrade_until(s: Self, timeout: Instant) -> Result<$write_guard, Self> {
            s.held.try_upgrade(Limit::Until(timeout), Location::caller()).map(<$write_guard>::new).map_err(Self::new)
        }

        /// Runs `f` as the writer, and is an upgradable reader again afterwards, also when `f` panics.
        #[track_caller]
        pub fn with_upgraded<Ret, F: FnOnce(&mut T) -> Ret>(&mut self, f: F) -> Ret {
            let data = self.data();
            // SAFETY: `data` points to the lock's data, and is not used otherwise meanwhile.
            let result = self.held.try_as_writer(Limit::Never, Location::caller(), || f(unsafe { &mut *data }));
            result.expect("a wait without a limit ends with the lock")
        }

        /// [`with_upgraded`](Self::with_upgraded) if there are no other readers, else `None`.
        #[track_caller]
        pub fn try_with_upgraded<Ret, F: FnOnce(&mut T) -> Ret>(&mut self, f: F) -> Option<Ret> {
            let data = self.data();
            // SAFETY: as in `with_upgraded`.
            self.held.try_as_writer(Limit::Now, Location::caller(), || f(unsafe { &mut *data }))
        }

        /// [`with_upgraded`](Self::with_upgraded), waiting for `timeout` at most for other readers to leave.
        #[track_caller]
        pub fn try_with_upgraded_for<Ret, F: FnOnce(&mut T) -> Ret>(&mut self, timeout: Duration, f: F) -> Option<Ret> {
            let data = self.data();
            // SAFETY: as in `with_upgraded`.
            self.held.try_as_writer(Limit::after(timeout), Location::caller(), || f(unsafe { &mut *data }))
        }

        /// [`with_upgraded`](Self::with_upgraded), waiting until `timeout` at most for other readers to leave.
        #[track_caller]
        pub fn try_with_upgraded_until<Ret, F: FnOnce(&mut T) -> Ret>(
            &mut self,
            timeout: Instant,
            f: F,
        ) -> Option<Ret> {
            let data = self.data();
            // SAFETY: as in `with_upgraded`.
            self.held.try_as_writer(Limit::Until(timeout), Location::caller(), || f(unsafe { &mut *data }))
        }

        /// Becomes an ordinary reader.
        #[track_caller]
        pub fn downgrade(s: Self) -> $read_guard {
            <$read_guard>::new(s.held.upgradable_to_read(Location::caller()))
        }
    };
}

pub(crate) use {downgrade_functions, guard_traits, unlock_functions, upgrade_functions};
