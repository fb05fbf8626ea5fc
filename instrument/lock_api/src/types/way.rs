//! The ways in which raw locks are held, and the calls that lead to them.

use crate::{
    follow::{self, Hold, LockRef, Mode},
    raw::{
        RawMutex, RawMutexFair, RawMutexTimed, RawRwLock, RawRwLockFair, RawRwLockTimed, RawRwLockUpgrade,
        RawRwLockUpgradeFair, RawRwLockUpgradeTimed,
    },
    version::{self, ExclusiveToken, MutexToken, SharedToken, UpgradableToken, released},
};

/// A way in which a raw lock `R` is held, or a further call that leads to one.
pub trait Way<R> {
    const MODE: Mode;

    /// What an acquisition leaves behind and its release wants back; see `version`.
    type Token;

    fn lock(raw: &R) -> Self::Token;
    fn try_lock(raw: &R) -> Option<Self::Token>;

    /// # Safety
    ///
    /// The caller holds `raw` in this way, by the acquisition that `token` comes from, and holds it no longer afterwards.
    unsafe fn unlock(raw: &R, token: Self::Token);

    /// The lock as this way asks for it.
    #[inline]
    fn of(lock: LockRef<'_>) -> LockRef<'_> {
        lock
    }

    /// Whether this thread holds the lock and can take it again: that waits for nobody, and is no new hold.
    #[inline]
    fn is_mine(_: &R) -> bool {
        false
    }

    /// The acquisition of a guard that was forgotten.
    #[inline]
    fn adopt(lock: LockRef<'_>) -> Hold {
        follow::adopt(lock, Self::MODE)
    }

    /// Keeps what the runtime knows of an acquisition, or returns it for the guard to keep.
    #[inline]
    fn keep(_: &R, hold: Hold) -> Hold {
        hold
    }
}

/// A way that can hand the lock to a waiting thread.
pub trait FairWay<R>: Way<R> {
    /// # Safety
    ///
    /// As [`Way::unlock`].
    unsafe fn unlock_fair(raw: &R, token: Self::Token);
}

/// A call that can have a time limit.
pub trait TimedWay<R>: Way<R> {
    type Duration;
    type Instant;

    fn try_lock_for(raw: &R, timeout: Self::Duration) -> Option<Self::Token>;
    fn try_lock_until(raw: &R, timeout: Self::Instant) -> Option<Self::Token>;
}

/// Implements the traits for a way by the names of the raw lock's methods.
macro_rules! way {
    (
        $(#[$doc:meta])* $way:ident: $mode:expr, $token:ident;
        $raw:ident: $lock:ident, $try_lock:ident, $unlock:ident;
        $(fair $fair:ident: $unlock_fair:ident;)?
        timed $timed:ident: $try_lock_for:ident, $try_lock_until:ident;
        $(of $of:path)?
    ) => {
        $(#[$doc])*
        pub enum $way {}

        impl<R: $raw> Way<R> for $way {
            const MODE: Mode = $mode;

            type Token = $token<R>;

            #[inline]
            #[track_caller]
            fn lock(raw: &R) -> $token<R> {
                version::locked(raw.$lock())
            }

            #[inline]
            #[track_caller]
            fn try_lock(raw: &R) -> Option<$token<R>> {
                version::tried(raw.$try_lock())
            }

            #[inline]
            unsafe fn unlock(raw: &R, token: $token<R>) {
                // SAFETY: this function's contract.
                unsafe { released!(raw.$unlock(token)) }
            }

            $(
                #[inline]
                fn of(lock: LockRef<'_>) -> LockRef<'_> {
                    $of(lock)
                }
            )?
        }

        $(
            impl<R: $fair> FairWay<R> for $way {
                #[inline]
                unsafe fn unlock_fair(raw: &R, token: $token<R>) {
                    // SAFETY: this function's contract.
                    unsafe { released!(raw.$unlock_fair(token)) }
                }
            }
        )?

        impl<R: $timed> TimedWay<R> for $way {
            type Duration = R::Duration;
            type Instant = R::Instant;

            #[inline]
            #[track_caller]
            fn try_lock_for(raw: &R, timeout: R::Duration) -> Option<$token<R>> {
                version::tried(raw.$try_lock_for(timeout))
            }

            #[inline]
            #[track_caller]
            fn try_lock_until(raw: &R, timeout: R::Instant) -> Option<$token<R>> {
                version::tried(raw.$try_lock_until(timeout))
            }
        }
    };
}

way! {
    /// A locked mutex.
    Locked: Mode::Exclusive, MutexToken;
    RawMutex: lock, try_lock, unlock;
    fair RawMutexFair: unlock_fair;
    timed RawMutexTimed: try_lock_for, try_lock_until;
}

way! {
    /// A read-write lock, held by a reader.
    Read: Mode::Shared, SharedToken;
    RawRwLock: lock_shared, try_lock_shared, unlock_shared;
    fair RawRwLockFair: unlock_shared_fair;
    timed RawRwLockTimed: try_lock_shared_for, try_lock_shared_until;
    of unless_writers_come_first::<R>
}

way! {
    /// A read-write lock, held by its writer.
    Write: Mode::Exclusive, ExclusiveToken;
    RawRwLock: lock_exclusive, try_lock_exclusive, unlock_exclusive;
    fair RawRwLockFair: unlock_exclusive_fair;
    timed RawRwLockTimed: try_lock_exclusive_for, try_lock_exclusive_until;
}

way! {
    /// A read-write lock, held by the one reader that may become its writer.
    Upgradable: Mode::Upgradable, UpgradableToken;
    RawRwLockUpgrade: lock_upgradable, try_lock_upgradable, unlock_upgradable;
    fair RawRwLockUpgradeFair: unlock_upgradable_fair;
    timed RawRwLockUpgradeTimed: try_lock_upgradable_for, try_lock_upgradable_until;
}

#[inline]
fn unless_writers_come_first<R>(lock: LockRef<'_>) -> LockRef<'_> {
    if readers_queue_behind_writers::<R>() { lock } else { lock.recursively() }
}

/// Whether readers of this raw lock are known to wait behind a writer that waits.
///
/// That makes a thread that reads twice a deadlock as soon as a writer comes in between, so it must be certain, and the
/// interface of raw locks does not tell. parking_lot's do; dashmap's and spin's do not. A generic type cannot be compared with
/// another but by its name.
#[inline]
pub(crate) fn readers_queue_behind_writers<R>() -> bool {
    std::any::type_name::<R>() == version::WRITERS_FIRST
}

// For what only one version has.
#[allow(unused_imports)]
pub(crate) use way;
