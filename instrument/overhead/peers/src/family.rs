//! Other tools' locks, and lockscope's beside them.

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
    ($($family:literal: $mutex:ty, $guard:ty, $rwlock:ty, { $($unwrap:tt)* }, $start:expr;)*) => {
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

        /// Runs a case with a family's locks in this process, and prints what it measured. `settings` are the tool's own.
        pub fn run(family: &str, settings: &str, case: &str) {
            match family {
                $($family => {
                    let start: fn(&str) = $start;
                    start(settings);
                    cases::run::<$mutex, $rwlock>(case);
                })*
                _ => unreachable!("families are named by this macro"),
            }
        }
    };
}

locks! {
    "parking_lot": parking_lot::Mutex<u64>, parking_lot::MutexGuard<'a, u64>, parking_lot::RwLock<u64>, {}, |_| ();
    "lockscope": lockscope_parking_lot::Mutex<u64>, lockscope_parking_lot::MutexGuard<'a, u64>,
        lockscope_parking_lot::RwLock<u64>, {}, |_| ();
    "parking_lot 0.12": parking_lot_0_12::Mutex<u64>, parking_lot_0_12::MutexGuard<'a, u64>,
        parking_lot_0_12::RwLock<u64>, {}, |_| ();
    "std": std::sync::Mutex<u64>, std::sync::MutexGuard<'a, u64>, std::sync::RwLock<u64>, { .unwrap() }, |_| ();
    "tracing-mutex": tracing_mutex::stdsync::tracing::Mutex<u64>, tracing_mutex::stdsync::tracing::MutexGuard<'a, u64>,
        tracing_mutex::stdsync::tracing::RwLock<u64>, { .unwrap() }, |_| ();
    "no_deadlocks": no_deadlocks::Mutex<u64>, no_deadlocks::MutexGuard<'a, u64>, no_deadlocks::RwLock<u64>,
        { .unwrap() }, |_| ();
    "deloxide": deloxide::Mutex<u64>, deloxide::MutexGuard<'a, u64>, deloxide::RwLock<u64>, {}, start_deloxide;
}

fn start_deloxide(settings: &str) {
    let deloxide = deloxide::Deloxide::new();
    let deloxide = match settings {
        "order" => deloxide.with_lock_order_checking().no_logging(),
        "log" => {
            let path = std::env::temp_dir().join(format!("deloxide-{}.log", std::process::id()));
            deloxide.no_lock_order_checking().with_log(path)
        }
        _ => deloxide.no_lock_order_checking().no_logging(),
    };
    deloxide.callback(|_| ()).start().expect("it is started once");
}
