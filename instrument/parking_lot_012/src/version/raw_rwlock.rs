//! The raw read-write lock, and the ways in which it is held.

use std::time::{Duration, Instant};

use lock_api::{
    RawRwLock as _, RawRwLockDowngrade as _, RawRwLockFair as _, RawRwLockRecursive as _, RawRwLockRecursiveTimed as _,
    RawRwLockTimed as _, RawRwLockUpgrade as _, RawRwLockUpgradeDowngrade as _, RawRwLockUpgradeFair as _,
    RawRwLockUpgradeTimed as _,
};
use lockscope::rt::{LockKind, LockMeta, Mode};

use crate::instrumented::{
    raw::followed,
    rwlock::rwlock_constructors,
    way::{Followed, Read, RwLockRaw, Upgradable, Way, Write},
};

/// parking_lot's `RawRwLock`, followed by lockscope.
pub struct RawRwLock {
    pub(crate) meta: LockMeta,
    pub(super) plain: parking_lot::RawRwLock,
}

impl RawRwLock {
    #[expect(clippy::declare_interior_mutable_const, reason = "each use makes a new one")]
    pub(crate) const UNLOCKED: Self =
        Self { meta: LockMeta::unplaced(), plain: <parking_lot::RawRwLock as lock_api::RawRwLock>::INIT };
}

followed!([] RawRwLock as RwLock, named RawRwLock);
rwlock_constructors!([] RawRwLock);

/// A read-write lock, held by a reader that passed waiting writers.
#[derive(Debug)]
pub(crate) struct ReadAgain;

macro_rules! way {
    (
        $way:ty, in $mode:ident, recursive $recursive:expr;
        $lock:ident, $try_lock:ident, $try_lock_for:ident, $try_lock_until:ident, $unlock:ident, $unlock_fair:ident
    ) => {
        impl Way for $way {
            type Raw = RawRwLock;
            const MODE: Mode = Mode::$mode;
            const RECURSIVE: bool = $recursive;

            #[inline]
            fn lock(raw: &Self::Raw) {
                raw.plain.$lock()
            }

            #[inline]
            fn try_lock(raw: &Self::Raw) -> bool {
                raw.plain.$try_lock()
            }

            #[inline]
            fn try_lock_for(raw: &Self::Raw, limit: Duration) -> bool {
                raw.plain.$try_lock_for(limit)
            }

            #[inline]
            fn try_lock_until(raw: &Self::Raw, deadline: Instant) -> bool {
                raw.plain.$try_lock_until(deadline)
            }

            #[inline]
            unsafe fn unlock(raw: &Self::Raw) {
                // SAFETY: this function's contract.
                unsafe { raw.plain.$unlock() };
            }

            #[inline]
            unsafe fn unlock_fair(raw: &Self::Raw) {
                // SAFETY: as in `unlock`.
                unsafe { raw.plain.$unlock_fair() };
            }
        }
    };
}

way! {
    Read<RawRwLock>, in Shared, recursive false;
    lock_shared, try_lock_shared, try_lock_shared_for, try_lock_shared_until, unlock_shared, unlock_shared_fair
}
way! {
    ReadAgain, in Shared, recursive true;
    lock_shared_recursive, try_lock_shared_recursive, try_lock_shared_recursive_for, try_lock_shared_recursive_until,
    unlock_shared, unlock_shared_fair
}
way! {
    Write<RawRwLock>, in Exclusive, recursive false;
    lock_exclusive, try_lock_exclusive, try_lock_exclusive_for, try_lock_exclusive_until, unlock_exclusive,
    unlock_exclusive_fair
}
way! {
    Upgradable<RawRwLock>, in Upgradable, recursive false;
    lock_upgradable, try_lock_upgradable, try_lock_upgradable_for, try_lock_upgradable_until, unlock_upgradable,
    unlock_upgradable_fair
}

impl RwLockRaw for RawRwLock {
    type Read = Read<Self>;
    type Write = Write<Self>;
    type Upgradable = Upgradable<Self>;

    #[inline]
    unsafe fn write_to_read(&self) {
        // SAFETY: this function's contract.
        unsafe { self.plain.downgrade() };
    }

    #[inline]
    unsafe fn write_to_upgradable(&self) {
        // SAFETY: as above.
        unsafe { self.plain.downgrade_to_upgradable() };
    }

    #[inline]
    unsafe fn upgradable_to_read(&self) {
        // SAFETY: as above.
        unsafe { self.plain.downgrade_upgradable() };
    }

    #[inline]
    unsafe fn upgradable_to_write(&self) {
        // SAFETY: as above.
        unsafe { self.plain.upgrade() };
    }

    #[inline]
    unsafe fn try_upgradable_to_write(&self) -> bool {
        // SAFETY: as above.
        unsafe { self.plain.try_upgrade() }
    }

    #[inline]
    unsafe fn try_upgradable_to_write_for(&self, limit: Duration) -> bool {
        // SAFETY: as above.
        unsafe { self.plain.try_upgrade_for(limit) }
    }

    #[inline]
    unsafe fn try_upgradable_to_write_until(&self, deadline: Instant) -> bool {
        // SAFETY: as above.
        unsafe { self.plain.try_upgrade_until(deadline) }
    }
}
