//! The programs with parking_lot 0.13's locks.

mod locks {
    pub use lockscope_parking_lot::{
        FairMutex, Once, RawMutex, RecursiveRwLock as RecursiveLock, RecursiveRwLockReadGuard, ReentrantMutex, RwLock,
        RwLockUpgradableReadGuard as Upgradable, lock_api,
    };

    #[track_caller]
    pub fn read_again<T>(lock: &RecursiveLock<T>) -> RecursiveRwLockReadGuard<'_, T> {
        lock.read()
    }

    /// Not even an upgradable reader passes a waiting writer; there is no other such reader.
    pub fn writer_waits<T>(lock: &RecursiveLock<T>) -> bool {
        lock.try_upgradable_read().is_none()
    }
}

#[path = "kinds.rs"]
pub mod kinds;
