//! The raw read-write locks behind `lock_api` 0.4's traits; see `raw_mutex`.

use std::time::{Duration, Instant};

use super::{Marker, RawRwLock, ReadAgain};
use crate::instrumented::{
    bare,
    changes::Limit,
    way::{Read, Upgradable, Write},
};

// SAFETY: the wrapped lock keeps apart what must be, and each acquisition is released once.
unsafe impl lock_api::RawRwLock for RawRwLock {
    const INIT: Self = Self::UNLOCKED;

    type GuardMarker = Marker;

    #[track_caller]
    #[inline]
    fn lock_shared(&self) {
        bare::lock::<Read<Self>>(self);
    }

    #[track_caller]
    #[inline]
    fn try_lock_shared(&self) -> bool {
        bare::try_lock::<Read<Self>>(self)
    }

    #[track_caller]
    #[inline]
    unsafe fn unlock_shared(&self) {
        // SAFETY: this function's contract.
        unsafe { bare::unlock::<Read<Self>>(self) };
    }

    #[track_caller]
    #[inline]
    fn lock_exclusive(&self) {
        bare::lock::<Write<Self>>(self);
    }

    #[track_caller]
    #[inline]
    fn try_lock_exclusive(&self) -> bool {
        bare::try_lock::<Write<Self>>(self)
    }

    #[track_caller]
    #[inline]
    unsafe fn unlock_exclusive(&self) {
        // SAFETY: this function's contract.
        unsafe { bare::unlock::<Write<Self>>(self) };
    }

    #[inline]
    fn is_locked(&self) -> bool {
        self.plain.is_locked()
    }

    #[inline]
    fn is_locked_exclusive(&self) -> bool {
        self.plain.is_locked_exclusive()
    }
}

// SAFETY: as above.
unsafe impl lock_api::RawRwLockFair for RawRwLock {
    #[track_caller]
    #[inline]
    unsafe fn unlock_shared_fair(&self) {
        // SAFETY: this function's contract.
        unsafe { bare::unlock_fair::<Read<Self>>(self) };
    }

    #[track_caller]
    #[inline]
    unsafe fn bump_shared(&self) {
        // SAFETY: this function's contract.
        unsafe { bare::bump::<Read<Self>>(self) };
    }

    #[track_caller]
    #[inline]
    unsafe fn unlock_exclusive_fair(&self) {
        // SAFETY: this function's contract.
        unsafe { bare::unlock_fair::<Write<Self>>(self) };
    }

    #[track_caller]
    #[inline]
    unsafe fn bump_exclusive(&self) {
        // SAFETY: this function's contract.
        unsafe { bare::bump::<Write<Self>>(self) };
    }
}

// SAFETY: as above.
unsafe impl lock_api::RawRwLockTimed for RawRwLock {
    type Duration = Duration;
    type Instant = Instant;

    #[track_caller]
    #[inline]
    fn try_lock_shared_for(&self, timeout: Duration) -> bool {
        bare::try_lock_for::<Read<Self>>(self, timeout)
    }

    #[track_caller]
    #[inline]
    fn try_lock_shared_until(&self, timeout: Instant) -> bool {
        bare::try_lock_until::<Read<Self>>(self, timeout)
    }

    #[track_caller]
    #[inline]
    fn try_lock_exclusive_for(&self, timeout: Duration) -> bool {
        bare::try_lock_for::<Write<Self>>(self, timeout)
    }

    #[track_caller]
    #[inline]
    fn try_lock_exclusive_until(&self, timeout: Instant) -> bool {
        bare::try_lock_until::<Write<Self>>(self, timeout)
    }
}

// SAFETY: as above.
unsafe impl lock_api::RawRwLockDowngrade for RawRwLock {
    #[track_caller]
    #[inline]
    unsafe fn downgrade(&self) {
        // SAFETY: this function's contract.
        unsafe { bare::downgrade(self) };
    }
}

// SAFETY: as above.
unsafe impl lock_api::RawRwLockUpgrade for RawRwLock {
    #[track_caller]
    #[inline]
    fn lock_upgradable(&self) {
        bare::lock::<Upgradable<Self>>(self);
    }

    #[track_caller]
    #[inline]
    fn try_lock_upgradable(&self) -> bool {
        bare::try_lock::<Upgradable<Self>>(self)
    }

    #[track_caller]
    #[inline]
    unsafe fn unlock_upgradable(&self) {
        // SAFETY: this function's contract.
        unsafe { bare::unlock::<Upgradable<Self>>(self) };
    }

    #[track_caller]
    #[inline]
    unsafe fn upgrade(&self) {
        // SAFETY: this function's contract.
        unsafe { bare::upgrade(self) };
    }

    #[track_caller]
    #[inline]
    unsafe fn try_upgrade(&self) -> bool {
        // SAFETY: this function's contract.
        unsafe { bare::try_upgrade(self, Limit::Now) }
    }
}

// SAFETY: as above.
unsafe impl lock_api::RawRwLockUpgradeFair for RawRwLock {
    #[track_caller]
    #[inline]
    unsafe fn unlock_upgradable_fair(&self) {
        // SAFETY: this function's contract.
        unsafe { bare::unlock_fair::<Upgradable<Self>>(self) };
    }

    #[track_caller]
    #[inline]
    unsafe fn bump_upgradable(&self) {
        // SAFETY: this function's contract.
        unsafe { bare::bump::<Upgradable<Self>>(self) };
    }
}

// SAFETY: as above.
unsafe impl lock_api::RawRwLockUpgradeDowngrade for RawRwLock {
    #[track_caller]
    #[inline]
    unsafe fn downgrade_upgradable(&self) {
        // SAFETY: this function's contract.
        unsafe { bare::downgrade_upgradable(self) };
    }

    #[track_caller]
    #[inline]
    unsafe fn downgrade_to_upgradable(&self) {
        // SAFETY: this function's contract.
        unsafe { bare::downgrade_to_upgradable(self) };
    }
}

// SAFETY: as above.
unsafe impl lock_api::RawRwLockUpgradeTimed for RawRwLock {
    #[track_caller]
    #[inline]
    fn try_lock_upgradable_for(&self, timeout: Duration) -> bool {
        bare::try_lock_for::<Upgradable<Self>>(self, timeout)
    }

    #[track_caller]
    #[inline]
    fn try_lock_upgradable_until(&self, timeout: Instant) -> bool {
        bare::try_lock_until::<Upgradable<Self>>(self, timeout)
    }

    #[track_caller]
    #[inline]
    unsafe fn try_upgrade_for(&self, timeout: Duration) -> bool {
        // SAFETY: this function's contract.
        unsafe { bare::try_upgrade(self, Limit::after(timeout)) }
    }

    #[track_caller]
    #[inline]
    unsafe fn try_upgrade_until(&self, timeout: Instant) -> bool {
        // SAFETY: this function's contract.
        unsafe { bare::try_upgrade(self, Limit::Until(timeout)) }
    }
}

// SAFETY: as above.
unsafe impl lock_api::RawRwLockRecursive for RawRwLock {
    #[track_caller]
    #[inline]
    fn lock_shared_recursive(&self) {
        bare::lock::<ReadAgain>(self);
    }

    #[track_caller]
    #[inline]
    fn try_lock_shared_recursive(&self) -> bool {
        bare::try_lock::<ReadAgain>(self)
    }
}

// SAFETY: as above.
unsafe impl lock_api::RawRwLockRecursiveTimed for RawRwLock {
    #[track_caller]
    #[inline]
    fn try_lock_shared_recursive_for(&self, timeout: Duration) -> bool {
        bare::try_lock_for::<ReadAgain>(self, timeout)
    }

    #[track_caller]
    #[inline]
    fn try_lock_shared_recursive_until(&self, timeout: Instant) -> bool {
        bare::try_lock_until::<ReadAgain>(self, timeout)
    }
}
