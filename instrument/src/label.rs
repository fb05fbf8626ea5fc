//! Names and ranks for the locks of [`sync`](crate::sync), in builds with lockscope and without.
//!
//! A method on the lock itself could not be: when lockscope is off, `Mutex` is std's, and another crate's type can
//! have extension methods but no `const` ones, so `static` locks would not compile. So the label comes first and
//! makes the lock.

use crate::sync::{
    Barrier, Condvar, LazyLock, Mutex, Once, OnceLock, RwLock, Semaphore,
    mpsc::{Receiver, Sender, SyncSender},
};

/// The new lock, labelled.
#[cfg(all(not(lockscope_off), any(debug_assertions, feature = "force")))]
macro_rules! label {
    ($label:expr, $lock:expr) => {{
        let mut lock = $lock;
        if let Some(name) = $label.name {
            lock.meta.set_name(name);
        }
        if let Some(rank) = $label.rank {
            lock.meta.set_rank(rank);
        }
        lock
    }};
}

/// The new lock, which is std's and has no place for a label.
#[cfg(not(all(not(lockscope_off), any(debug_assertions, feature = "force"))))]
macro_rules! label {
    ($label:expr, $lock:expr) => {
        $lock
    };
}

/// Starts a lock that reports call by this name.
///
/// ```
/// use lockscope::{named, sync::Mutex};
///
/// static ACCOUNTS: Mutex<u64> = named("accounts").mutex(0);
/// # ACCOUNTS.lock().unwrap();
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
/// use lockscope::ranked;
///
/// let directory = ranked(1).rwlock(());
/// let file = ranked(2).mutex(());
/// let _directory = directory.read().unwrap();
/// let _file = file.lock().unwrap();
/// ```
pub const fn ranked(rank: u16) -> Label {
    Label { name: None, rank: None }.ranked(rank)
}

/// Name and rank of a lock to be made; see [`named`] and [`ranked`].
///
/// The lock's place of creation is the call of the method that makes it, such as [`mutex`](Self::mutex).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[must_use = "a label alone makes no lock: call `mutex`, `rwlock` or `condvar`"]
pub struct Label {
    name: Option<&'static str>,
    rank: Option<u16>,
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

    /// Makes a mutex; [`Mutex::new`] with this label.
    #[track_caller]
    #[inline]
    pub const fn mutex<T>(self, value: T) -> Mutex<T> {
        label!(self, Mutex::new(value))
    }

    /// Makes a read-write lock; [`RwLock::new`] with this label.
    #[track_caller]
    #[inline]
    pub const fn rwlock<T>(self, value: T) -> RwLock<T> {
        label!(self, RwLock::new(value))
    }

    /// Makes a condition variable; [`Condvar::new`] with this label. Ranks mean nothing to condition variables.
    #[track_caller]
    #[inline]
    pub const fn condvar(self) -> Condvar {
        label!(self, Condvar::new())
    }

    /// Makes what runs once; [`Once::new`] with this label.
    #[track_caller]
    #[inline]
    pub const fn once(self) -> Once {
        label!(self, Once::new())
    }

    /// Makes a cell that is written once; [`OnceLock::new`] with this label.
    #[track_caller]
    #[inline]
    pub const fn once_lock<T>(self) -> OnceLock<T> {
        label!(self, OnceLock::new())
    }

    /// Makes a value that `f` makes when it is first needed; [`LazyLock::new`] with this label.
    #[track_caller]
    #[inline]
    pub const fn lazy_lock<T, F: FnOnce() -> T>(self, f: F) -> LazyLock<T, F> {
        label!(self, LazyLock::new(f))
    }

    /// Makes a barrier for `n` threads; [`Barrier::new`] with this label. Ranks mean nothing to barriers.
    #[track_caller]
    #[inline]
    pub const fn barrier(self, n: usize) -> Barrier {
        label!(self, Barrier::new(n))
    }

    /// Makes a semaphore; [`Semaphore::new`] with this name. Ranks mean nothing to semaphores.
    #[track_caller]
    #[inline]
    pub const fn semaphore(self, permits: usize) -> Semaphore {
        #[allow(unused_mut, reason = "where there is a place for the name")]
        let mut semaphore = Semaphore::new(permits);
        #[cfg(all(not(lockscope_off), any(debug_assertions, feature = "force")))]
        if let Some(name) = self.name {
            semaphore.set_name(name);
        }
        semaphore
    }

    /// Makes a channel; [`mpsc::channel`](crate::sync::mpsc::channel) with this name. Ranks mean nothing to channels.
    #[track_caller]
    pub fn channel<T>(self) -> (Sender<T>, Receiver<T>) {
        #[cfg(all(not(lockscope_off), any(debug_assertions, feature = "force")))]
        return crate::sync::mpsc::named_channel(self.name);
        #[cfg(not(all(not(lockscope_off), any(debug_assertions, feature = "force"))))]
        return crate::sync::mpsc::channel();
    }

    /// Makes a channel with a bound; [`mpsc::sync_channel`](crate::sync::mpsc::sync_channel) with this name.
    #[track_caller]
    pub fn sync_channel<T>(self, bound: usize) -> (SyncSender<T>, Receiver<T>) {
        #[cfg(all(not(lockscope_off), any(debug_assertions, feature = "force")))]
        return crate::sync::mpsc::named_sync_channel(self.name, bound);
        #[cfg(not(all(not(lockscope_off), any(debug_assertions, feature = "force"))))]
        return crate::sync::mpsc::sync_channel(bound);
    }
}
