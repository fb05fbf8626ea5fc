//! Upgradable reading through a read-write lock's `Arc`, with a guard that keeps it alive (feature `arc_lock`).

use std::{panic::Location, sync::Arc};

use super::{
    arc_rwlock::{ArcRwLockReadGuard, ArcRwLockWriteGuard},
    guard_traits::{fair_functions, guard_traits, into_arc_fair_function, into_arc_function, unlocked_function},
    held::Held,
    rwlock::RwLock,
    upgradable_guard::{downgrade_functions, timed_downgrade_functions, timed_upgrade_functions, upgrade_functions},
    way::Upgradable,
};
use crate::{
    raw::{RawRwLockUpgrade, RawRwLockUpgradeDowngrade, RawRwLockUpgradeFair, RawRwLockUpgradeTimed},
    version::{UpgradableToken, perhaps_changed},
};

impl<R: RawRwLockUpgrade, T: ?Sized> RwLock<R, T> {
    /// [`upgradable_read`](Self::upgradable_read), with a guard that shares the lock.
    #[track_caller]
    #[inline]
    pub fn upgradable_read_arc(self: &Arc<Self>) -> ArcRwLockUpgradableReadGuard<R, T> {
        ArcRwLockUpgradableReadGuard::new(Held::acquire(Arc::clone(self)))
    }

    /// [`try_upgradable_read`](Self::try_upgradable_read), with a guard that shares the lock.
    #[track_caller]
    #[inline]
    pub fn try_upgradable_read_arc(self: &Arc<Self>) -> Option<ArcRwLockUpgradableReadGuard<R, T>> {
        Held::try_acquire(Arc::clone(self)).map(ArcRwLockUpgradableReadGuard::new)
    }
}

impl<R: RawRwLockUpgradeTimed, T: ?Sized> RwLock<R, T> {
    /// [`try_upgradable_read_for`](Self::try_upgradable_read_for), with a guard that shares the lock.
    #[track_caller]
    #[inline]
    pub fn try_upgradable_read_arc_for(
        self: &Arc<Self>,
        timeout: R::Duration,
    ) -> Option<ArcRwLockUpgradableReadGuard<R, T>> {
        Held::acquire_for::<Upgradable>(Arc::clone(self), timeout).map(ArcRwLockUpgradableReadGuard::new)
    }

    /// [`try_upgradable_read_until`](Self::try_upgradable_read_until), with a guard that shares the lock.
    #[track_caller]
    #[inline]
    pub fn try_upgradable_read_arc_until(
        self: &Arc<Self>,
        timeout: R::Instant,
    ) -> Option<ArcRwLockUpgradableReadGuard<R, T>> {
        Held::acquire_until::<Upgradable>(Arc::clone(self), timeout).map(ArcRwLockUpgradableReadGuard::new)
    }
}

/// An upgradable reader's access to a read-write lock's data, sharing the lock; dropping it unlocks.
#[clippy::has_significant_drop]
#[must_use = "if unused the lock is released at once"]
pub struct ArcRwLockUpgradableReadGuard<R: RawRwLockUpgrade, T: ?Sized> {
    held: Held<Arc<RwLock<R, T>>, Upgradable, UpgradableToken<R>>,
}

impl<R: RawRwLockUpgrade, T: ?Sized> ArcRwLockUpgradableReadGuard<R, T> {
    #[inline]
    pub(crate) fn new(held: Held<Arc<RwLock<R, T>>, Upgradable, UpgradableToken<R>>) -> Self {
        Self { held }
    }

    #[inline]
    fn data(&self) -> *mut T {
        self.held.lock().data_ptr()
    }

    /// The lock that this guard holds.
    pub fn rwlock(s: &Self) -> &Arc<RwLock<R, T>> {
        s.held.lock()
    }

    into_arc_function!(RwLock<R, T>);
    unlocked_function!();
    upgrade_functions!(ArcRwLockWriteGuard<R, T>);
}

impl<R: RawRwLockUpgradeFair, T: ?Sized> ArcRwLockUpgradableReadGuard<R, T> {
    into_arc_fair_function!(RwLock<R, T>);
    fair_functions!();
}

impl<R: RawRwLockUpgradeDowngrade, T: ?Sized> ArcRwLockUpgradableReadGuard<R, T> {
    downgrade_functions!(ArcRwLockReadGuard<R, T>);
}

impl<R: RawRwLockUpgradeTimed, T: ?Sized> ArcRwLockUpgradableReadGuard<R, T> {
    timed_upgrade_functions!(ArcRwLockWriteGuard<R, T>);
}

impl<R: RawRwLockUpgradeTimed + RawRwLockUpgradeDowngrade, T: ?Sized> ArcRwLockUpgradableReadGuard<R, T> {
    timed_downgrade_functions!();
}

guard_traits!([R: RawRwLockUpgrade, T: ?Sized] ArcRwLockUpgradableReadGuard<R, T>: Deref, Debug, Display);
