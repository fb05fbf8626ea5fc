//! The raw read-write locks, recursive or not, and the ways in which they are held.

use std::time::{Duration, Instant};

use lock_api::{
    RawRwLock as _, RawRwLockDowngrade as _, RawRwLockFair as _, RawRwLockTimed as _, RawRwLockUpgrade as _,
    RawRwLockUpgradeDowngrade as _, RawRwLockUpgradeFair as _, RawRwLockUpgradeTimed as _,
};
use lockscope::rt::{LockKind, LockMeta, Mode};

use crate::instrumented::{
    raw::followed,
    rwlock::rwlock_constructors,
    way::{Followed, Read, RwLockRaw, Upgradable, Way, Write},
};

/// parking_lot's `RawRwLock`, followed by lockscope.
///
/// With `RECURSIVE`, readers pass waiting writers as long as there are readers, so that who reads may read again.
pub struct RawRwLock<const RECURSIVE: bool = false> {
    pub(crate) meta: LockMeta,
    pub(super) plain: parking_lot::RawRwLock<RECURSIVE>,
}

/// The raw read-write lock that may be read recursively.
pub type RawRwLockRecursive = RawRwLock<true>;

impl<const RECURSIVE: bool> RawRwLock<RECURSIVE> {
    #[expect(clippy::declare_interior_mutable_const, reason = "each use makes a new one")]
    pub(crate) const UNLOCKED: Self =
        Self { meta: LockMeta::unplaced(), plain: <parking_lot::RawRwLock<RECURSIVE> as lock_api::RawRwLock>::INIT };
}

followed!([const RECURSIVE: bool] RawRwLock<RECURSIVE> as RwLock, named RawRwLock);
rwlock_constructors!([const RECURSIVE: bool,] RawRwLock<RECURSIVE>);

macro_rules! way {
    (
        $way:ident in $mode:ident, recursive $recursive:expr;
        $lock:ident, $try_lock:ident, $try_lock_for:ident, $try_lock_until:ident, $unlock:ident, $unlock_fair:ident
    ) => {
        impl<const RECURSIVE: bool> Way for $way<RawRwLock<RECURSIVE>> {
            type Raw = RawRwLock<RECURSIVE>;
            const MODE: Mode = Mode::$mode;
            const RECURSIVE: bool = $recursive;

            #[inline]
            fn lock(raw: &Self::Raw) {
                raw.plain.$lock();
            }

            #[inline]
            fn try_lock(raw: &Self::Raw) -> bool {
                raw.plain.$try_lock().is_some()
            }

            #[inline]
            fn try_lock_for(raw: &Self::Raw, limit: Duration) -> bool {
                raw.plain.$try_lock_for(limit).is_some()
            }

            #[inline]
            fn try_lock_until(raw: &Self::Raw, deadline: Instant) -> bool {
                raw.plain.$try_lock_until(deadline).is_some()
            }

            #[inline]
            unsafe fn unlock(raw: &Self::Raw) {
                // SAFETY: this function's contract, and tokens have no content.
                unsafe { raw.plain.$unlock(Default::default()) };
            }

            #[inline]
            unsafe fn unlock_fair(raw: &Self::Raw) {
                // SAFETY: as in `unlock`.
                unsafe { raw.plain.$unlock_fair(Default::default()) };
            }
        }
    };
}

way! {
    Read in Shared, recursive RECURSIVE;
    lock_shared, try_lock_shared, try_lock_shared_for, try_lock_shared_until, unlock_shared, unlock_shared_fair
}
way! {
    Write in Exclusive, recursive false;
    lock_exclusive, try_lock_exclusive, try_lock_exclusive_for, try_lock_exclusive_until, unlock_exclusive,
    unlock_exclusive_fair
}
// Not even in a recursive lock does an upgradable reader pass a waiting writer.
way! {
    Upgradable in Upgradable, recursive false;
    lock_upgradable, try_lock_upgradable, try_lock_upgradable_for, try_lock_upgradable_until, unlock_upgradable,
    unlock_upgradable_fair
}

impl<const RECURSIVE: bool> RwLockRaw for RawRwLock<RECURSIVE> {
    type Read = Read<Self>;
    type Write = Write<Self>;
    type Upgradable = Upgradable<Self>;

    #[inline]
    unsafe fn write_to_read(&self) {
        // SAFETY: this function's contract, and tokens have no content.
        unsafe { self.plain.downgrade(Default::default()) };
    }

    #[inline]
    unsafe fn write_to_upgradable(&self) {
        // SAFETY: as above.
        unsafe { self.plain.downgrade_to_upgradable(Default::default()) };
    }

    #[inline]
    unsafe fn upgradable_to_read(&self) {
        // SAFETY: as above.
        unsafe { self.plain.downgrade_upgradable(Default::default()) };
    }

    #[inline]
    unsafe fn upgradable_to_write(&self) {
        // SAFETY: as above.
        unsafe { self.plain.upgrade(Default::default()) };
    }

    #[inline]
    unsafe fn try_upgradable_to_write(&self) -> bool {
        // SAFETY: as above.
        unsafe { self.plain.try_upgrade(Default::default()) }.is_ok()
    }

    #[inline]
    unsafe fn try_upgradable_to_write_for(&self, limit: Duration) -> bool {
        // SAFETY: as above.
        unsafe { self.plain.try_upgrade_for(Default::default(), limit) }.is_ok()
    }

    #[inline]
    unsafe fn try_upgradable_to_write_until(&self, deadline: Instant) -> bool {
        // SAFETY: as above.
        unsafe { self.plain.try_upgrade_until(Default::default(), deadline) }.is_ok()
    }
}
