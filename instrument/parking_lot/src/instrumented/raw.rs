//! The four ways in which parking_lot's raw locks are held.

use std::time::{Duration, Instant};

use lock_api::{
    RawMutex as _, RawMutexFair as _, RawMutexTimed as _, RawRwLock as _, RawRwLockFair as _, RawRwLockTimed as _,
    RawRwLockUpgrade as _, RawRwLockUpgradeFair as _, RawRwLockUpgradeTimed as _,
};
use lockscope::rt::Mode;
use parking_lot::{RawMutex, RawRwLock};

/// What parking_lot's raw locks return when acquired and want back when released.
///
/// A token without content, made anew where one is needed; whether guards are `Send` depends on its type, which
/// parking_lot's feature `send_guard` decides.
pub(crate) type Token = <RawMutex as lock_api::RawMutex>::Guard;

const _: () = assert!(size_of::<Token>() == 0, "parking_lot keeps state in guards: tokens cannot be made anew");

/// A way in which a raw lock is held.
pub(crate) trait Way {
    type Raw;
    const MODE: Mode;

    fn lock(raw: &Self::Raw) -> Token;
    fn try_lock(raw: &Self::Raw) -> Option<Token>;
    fn try_lock_for(raw: &Self::Raw, limit: Duration) -> Option<Token>;
    fn try_lock_until(raw: &Self::Raw, deadline: Instant) -> Option<Token>;

    /// # Safety
    ///
    /// The caller holds `raw` in this way, and holds it no longer afterwards.
    unsafe fn unlock(raw: &Self::Raw);

    /// # Safety
    ///
    /// As [`unlock`](Self::unlock).
    unsafe fn unlock_fair(raw: &Self::Raw);
}

/// Defines a `Way` by the names of the raw lock's methods.
macro_rules! way {
    (
        $(#[$doc:meta])* $way:ident of $raw:ident in $mode:expr;
        $lock:ident, $try_lock:ident, $try_lock_for:ident, $try_lock_until:ident, $unlock:ident, $unlock_fair:ident
    ) => {
        $(#[$doc])*
        pub(crate) enum $way {}

        impl Way for $way {
            type Raw = $raw;
            const MODE: Mode = $mode;

            #[inline]
            fn lock(raw: &$raw) -> Token {
                raw.$lock()
            }

            #[inline]
            fn try_lock(raw: &$raw) -> Option<Token> {
                raw.$try_lock()
            }

            #[inline]
            fn try_lock_for(raw: &$raw, limit: Duration) -> Option<Token> {
                raw.$try_lock_for(limit)
            }

            #[inline]
            fn try_lock_until(raw: &$raw, deadline: Instant) -> Option<Token> {
                raw.$try_lock_until(deadline)
            }

            #[inline]
            unsafe fn unlock(raw: &$raw) {
                // SAFETY: this function's contract, and tokens have no content.
                unsafe { raw.$unlock(Token::default()) }
            }

            #[inline]
            unsafe fn unlock_fair(raw: &$raw) {
                // SAFETY: as in `unlock`.
                unsafe { raw.$unlock_fair(Token::default()) }
            }
        }
    };
}

way! {
    /// A locked mutex.
    Locked of RawMutex in Mode::Exclusive;
    lock, try_lock, try_lock_for, try_lock_until, unlock, unlock_fair
}

way! {
    /// A read-write lock, held by a reader.
    Read of RawRwLock in Mode::Shared;
    lock_shared, try_lock_shared, try_lock_shared_for, try_lock_shared_until, unlock_shared, unlock_shared_fair
}

way! {
    /// A read-write lock, held by its writer.
    Write of RawRwLock in Mode::Exclusive;
    lock_exclusive, try_lock_exclusive, try_lock_exclusive_for, try_lock_exclusive_until, unlock_exclusive,
    unlock_exclusive_fair
}

way! {
    /// A read-write lock, held by the one reader that may become its writer.
    Upgradable of RawRwLock in Mode::Upgradable;
    lock_upgradable, try_lock_upgradable, try_lock_upgradable_for, try_lock_upgradable_until, unlock_upgradable,
    unlock_upgradable_fair
}
