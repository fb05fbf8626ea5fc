//! Names and ranks for locks, in builds with lockscope and without.
//!
//! A method on the lock itself could not be: when lockscope is off, `Mutex` is parking_lot's, and another crate's
//! type can have extension methods but no `const` ones, so `static` locks would not compile. So the label comes
//! first and makes the lock.

use crate::{Condvar, FairMutex, Mutex, Once, ReentrantMutex, RwLock};

/// The new lock, labelled, by the `LockMeta` at its end.
#[cfg(all(not(lockscope_off), any(debug_assertions, feature = "force")))]
macro_rules! label {
    ($label:expr, $lock:expr, $($meta:ident).+) => {{
        let mut lock = $lock;
        if let Some(name) = $label.name {
            lock.$($meta).+.set_name(name);
        }
        if let Some(rank) = $label.rank {
            lock.$($meta).+.set_rank(rank);
        }
        lock
    }};
}

/// The new lock, which is parking_lot's and has no place for a label.
#[cfg(not(all(not(lockscope_off), any(debug_assertions, feature = "force"))))]
macro_rules! label {
    ($label:expr, $lock:expr, $($meta:ident).+) => {
        $lock
    };
}

#[allow(unused_imports, reason = "0.12 has no kinds of locks of its own")]
pub(crate) use label;

/// Starts a lock that reports call by this name.
///
/// ```
#[doc = concat!("use ", env!("CARGO_CRATE_NAME"), "::{Mutex, named};")]
///
/// static ACCOUNTS: Mutex<u64> = named("accounts").mutex(0);
/// # ACCOUNTS.lock();
/// ```
pub const fn named(name: &'static str) -> Label {
    Label { name: Some(name), rank: None }
}

/// Starts a lock with a rank: while it is held, only locks of a higher rank may be taken.
///
/// # Panics
///
/// When `rank` is `u16::MAX`, at compile time in a `const` or `static`.
///
/// ```
#[doc = concat!("use ", env!("CARGO_CRATE_NAME"), "::ranked;")]
///
/// let directory = ranked(1).rwlock(());
/// let file = ranked(2).mutex(());
/// let _directory = directory.read();
/// let _file = file.lock();
/// ```
pub const fn ranked(rank: u16) -> Label {
    Label { name: None, rank: None }.ranked(rank)
}

/// Name and rank of a lock to be made; see [`named`] and [`ranked`].
///
/// The lock's place of creation is the call of [`mutex`](Self::mutex), [`rwlock`](Self::rwlock) and so on.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[must_use = "a label alone makes no lock: call `mutex`, `rwlock` or the like"]
pub struct Label {
    pub(crate) name: Option<&'static str>,
    pub(crate) rank: Option<u16>,
}

impl Label {
    /// Sets the name.
    pub const fn named(self, name: &'static str) -> Self {
        Self { name: Some(name), ..self }
    }

    /// Sets the rank.
    ///
    /// # Panics
    ///
    /// When `rank` is `u16::MAX`, at compile time in a `const` or `static`.
    pub const fn ranked(self, rank: u16) -> Self {
        assert!(rank < u16::MAX, "ranks go from 0 to 65534");
        Self { rank: Some(rank), ..self }
    }

    /// Makes a mutex; `Mutex::new` with this label.
    #[track_caller]
    #[inline]
    pub const fn mutex<T>(self, value: T) -> Mutex<T> {
        label!(self, Mutex::new(value), raw.meta)
    }

    /// Makes a fair mutex; `FairMutex::new` with this label.
    #[track_caller]
    #[inline]
    pub const fn fair_mutex<T>(self, value: T) -> FairMutex<T> {
        label!(self, FairMutex::new(value), raw.meta)
    }

    /// Makes a reentrant mutex; `ReentrantMutex::new` with this label.
    #[track_caller]
    #[inline]
    pub const fn reentrant_mutex<T>(self, value: T) -> ReentrantMutex<T> {
        label!(self, ReentrantMutex::new(value), core.raw.meta)
    }

    /// Makes a read-write lock; `RwLock::new` with this label.
    #[track_caller]
    #[inline]
    pub const fn rwlock<T>(self, value: T) -> RwLock<T> {
        label!(self, RwLock::new(value), raw.meta)
    }

    /// Makes a condition variable; `Condvar::new` with this label. Ranks mean nothing to condition variables.
    #[track_caller]
    #[inline]
    pub const fn condvar(self) -> Condvar {
        label!(self, Condvar::new(), raw.meta)
    }

    /// Makes something that runs once; `Once::new` with this label. While it runs it is held, so it has a rank like a
    /// mutex.
    #[track_caller]
    #[inline]
    pub const fn once(self) -> Once {
        label!(self, Once::new(), meta)
    }
}
