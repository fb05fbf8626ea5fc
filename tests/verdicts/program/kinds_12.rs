//! The programs with parking_lot 0.12's locks.

mod locks {
    pub use lockscope_parking_lot_012::{
        FairMutex, Once, RawMutex, ReentrantMutex, RwLock, RwLock as RecursiveLock, RwLockReadGuard,
        RwLockUpgradableReadGuard as Upgradable, lock_api,
    };

    #[track_caller]
    pub fn read_again<T>(lock: &RecursiveLock<T>) -> RwLockReadGuard<'_, T> {
        lock.read_recursive()
    }

    /// An ordinary reader does not pass a waiting writer; nobody else writes.
    pub fn writer_waits<T>(lock: &RecursiveLock<T>) -> bool {
        lock.try_read().is_none()
    }
}

#[path = "kinds.rs"]
pub mod kinds;
