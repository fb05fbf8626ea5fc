//! The families of locks that are compared, and what all of them can do.

use std::ops::DerefMut;

use crate::cases;

/// A mutex around a number.
pub trait Mutex: Send + Sync + Sized + 'static {
    /// Its guard.
    type Guard<'a>: DerefMut<Target = u64>;
    /// A new one.
    fn new(value: u64) -> Self;
    /// Locks it.
    fn lock(&self) -> Self::Guard<'_>;
}

/// A read-write lock around a number.
pub trait RwLock: Send + Sync + Sized + 'static {
    /// A new one.
    fn new(value: u64) -> Self;
    /// Locks it for reading, reads, unlocks.
    fn read(&self) -> u64;
    /// Locks it for writing, adds one, unlocks.
    fn write(&self);
}

macro_rules! locks {
    ($($family:literal: $mutex:ty, $guard:ty, $rwlock:ty, { $($unwrap:tt)* };)*) => {
        $(
            impl Mutex for $mutex {
                type Guard<'a> = $guard;

                #[track_caller]
                #[inline]
                fn new(value: u64) -> Self {
                    <$mutex>::new(value)
                }

                #[track_caller]
                #[inline]
                fn lock(&self) -> Self::Guard<'_> {
                    <$mutex>::lock(self) $($unwrap)*
                }
            }

            impl RwLock for $rwlock {
                #[track_caller]
                #[inline]
                fn new(value: u64) -> Self {
                    <$rwlock>::new(value)
                }

                #[track_caller]
                #[inline]
                fn read(&self) -> u64 {
                    *<$rwlock>::read(self) $($unwrap)*
                }

                #[track_caller]
                #[inline]
                fn write(&self) {
                    *<$rwlock>::write(self) $($unwrap)* += 1;
                }
            }
        )*

        /// Runs a case with a family's locks in this process, and prints what it measured.
        pub fn run(family: &str, case: &str) {
            match family {
                $($family => cases::run::<$mutex, $rwlock>(case),)*
                _ => unreachable!("families are named by this macro"),
            }
        }
    };
}

locks! {
    "parking_lot": parking_lot::Mutex<u64>, parking_lot::MutexGuard<'a, u64>, parking_lot::RwLock<u64>, {};
    "parking_lot facade": lockscope_parking_lot::Mutex<u64>, lockscope_parking_lot::MutexGuard<'a, u64>,
        lockscope_parking_lot::RwLock<u64>, {};
    "std": std::sync::Mutex<u64>, std::sync::MutexGuard<'a, u64>, std::sync::RwLock<u64>, { .unwrap() };
    "std facade": lockscope::sync::Mutex<u64>, lockscope::sync::MutexGuard<'a, u64>, lockscope::sync::RwLock<u64>,
        { .unwrap() };
}
