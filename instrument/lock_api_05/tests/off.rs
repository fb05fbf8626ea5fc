//! Off is nothing: the facade's types are lock_api's own.
//!
//! Runs in release builds without the feature `force`, and with `RUSTFLAGS="--cfg lockscope_off"`.
#![cfg(all(feature = "atomic_usize", any(lockscope_off, not(any(debug_assertions, feature = "force")))))]

mod aliases;

use std::any::TypeId;

/// Compares types by identity: those that parking_lot makes of lock_api's are what the facade's are by the same name.
macro_rules! same {
    ($($type:ident $(<$($arg:tt),+>)?),+ $(,)?) => { $(
        assert_eq!(
            TypeId::of::<aliases::$type $(<$($arg),+>)?>(),
            TypeId::of::<parking_lot::$type $(<$($arg),+>)?>(),
            stringify!($type),
        );
    )+ };
}

#[test]
fn same_types() {
    same!(Mutex<u8>, FairMutex<u8>, ReentrantMutex<u8>, RwLock<u8>, RecursiveRwLock<u8>, Condvar, WaitTimeoutResult);
    same!(MutexGuard<'static, u8>, MappedMutexGuard<'static, u8>, FairMutexGuard<'static, u8>);
    same!(MappedFairMutexGuard<'static, u8>, ReentrantMutexGuard<'static, u8>, MappedReentrantMutexGuard<'static, u8>);
    same!(RwLockReadGuard<'static, u8>, RwLockWriteGuard<'static, u8>, RwLockUpgradableReadGuard<'static, u8>);
    same!(MappedRwLockReadGuard<'static, u8>, MappedRwLockWriteGuard<'static, u8>);
    same!(RecursiveRwLockReadGuard<'static, u8>, RecursiveRwLockUpgradableReadGuard<'static, u8>);
    same!(RecursiveRwLockWriteGuard<'static, u8>, MappedRecursiveRwLockReadGuard<'static, u8>);
    same!(MappedRecursiveRwLockWriteGuard<'static, u8>);
    assert_eq!(TypeId::of::<aliases::lock_api::GuardSend>(), TypeId::of::<parking_lot::lock_api::GuardSend>());
    assert_eq!(TypeId::of::<aliases::lock_api::GuardNoSend>(), TypeId::of::<parking_lot::lock_api::GuardNoSend>());
}

#[cfg(feature = "arc_lock")]
#[test]
fn same_arc_guards() {
    use aliases::{RawMutex, RawRwLock, RawThreadId};

    same!(ArcMutexGuard<RawMutex, u8>, ArcRwLockReadGuard<RawRwLock, u8>, ArcRwLockWriteGuard<RawRwLock, u8>);
    same!(ArcRwLockUpgradableReadGuard<RawRwLock, u8>, ArcReentrantMutexGuard<RawMutex, RawThreadId, u8>);
}
