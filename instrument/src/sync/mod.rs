//! `std::sync`, with locks that lockscope follows: write `use lockscope::sync::Mutex` for `use std::sync::Mutex`.
//!
//! [`Mutex`], [`RwLock`], [`Condvar`], [`Once`], [`OnceLock`], [`LazyLock`], [`Barrier`] and the channels of [`mpsc`] have
//! std's stable interface, wrap std's, and poison as they do, with std's own error types. [`Arc`], [`Weak`] and all
//! else are std's own. When lockscope is off, everything in here is: the same types. Only [`Semaphore`] is not in std; it is
//! there in both cases.
//!
//! Reports call a lock by the place where it was made; [`named`](crate::named) and [`ranked`](crate::ranked) give it
//! a name or a rank.
//!
//! std's locks cannot wait for a limited time. With a configured time limit (`timeout=`), a wait polls until the
//! limit has passed; without one it is std's own wait.

pub mod atomic;
#[cfg(all(not(lockscope_off), any(debug_assertions, feature = "force")))]
mod barrier;
#[cfg(all(not(lockscope_off), any(debug_assertions, feature = "force")))]
mod condvar;
#[cfg(all(not(lockscope_off), any(debug_assertions, feature = "force")))]
mod held;
#[cfg(all(not(lockscope_off), any(debug_assertions, feature = "force")))]
mod lazy_lock;
#[cfg(all(not(lockscope_off), any(debug_assertions, feature = "force")))]
pub mod mpsc;
#[cfg(all(not(lockscope_off), any(debug_assertions, feature = "force")))]
mod mutex;
#[cfg(all(not(lockscope_off), any(debug_assertions, feature = "force")))]
mod once;
#[cfg(all(not(lockscope_off), any(debug_assertions, feature = "force")))]
mod once_lock;
#[cfg(all(not(lockscope_off), any(debug_assertions, feature = "force")))]
mod rwlock;
mod semaphore;

// Names below win over the glob's.
pub use std::sync::*;

pub use self::semaphore::{OwnedSemaphorePermit, Semaphore, SemaphorePermit};

#[cfg(all(not(lockscope_off), any(debug_assertions, feature = "force")))]
#[expect(deprecated, reason = "std has it too")]
pub use self::once::ONCE_INIT;
#[cfg(all(not(lockscope_off), any(debug_assertions, feature = "force")))]
pub use self::{
    barrier::Barrier,
    condvar::Condvar,
    lazy_lock::LazyLock,
    mutex::{Mutex, MutexGuard},
    once::Once,
    once_lock::OnceLock,
    rwlock::{RwLock, RwLockReadGuard, RwLockWriteGuard},
};
