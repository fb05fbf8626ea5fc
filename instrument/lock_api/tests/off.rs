//! Off is nothing: the facade's types are lock_api's own.
//!
//! Runs in release builds without the feature `force`, and with `RUSTFLAGS="--cfg lockscope_off"`.
#![cfg(any(lockscope_off, not(any(debug_assertions, feature = "force"))))]

use std::any::TypeId;

#[cfg(feature = "atomic_usize")]
use parking_lot_0_12::RawThreadId;
use parking_lot_0_12::{RawMutex, RawRwLock};

/// Compares types by identity.
macro_rules! same {
    ($($type:ident <$($arg:tt),+>),+ $(,)?) => { $(
        assert_eq!(
            TypeId::of::<lockscope_lock_api::$type<$($arg),+>>(),
            TypeId::of::<lock_api_0_4::$type<$($arg),+>>(),
            stringify!($type),
        );
    )+ };
}

#[test]
fn same_types() {
    same!(Mutex<RawMutex, u8>, RwLock<RawRwLock, u8>);
    same!(MutexGuard<'static, RawMutex, u8>, MappedMutexGuard<'static, RawMutex, u8>);
    same!(RwLockReadGuard<'static, RawRwLock, u8>, RwLockWriteGuard<'static, RawRwLock, u8>);
    same!(RwLockUpgradableReadGuard<'static, RawRwLock, u8>);
    same!(MappedRwLockReadGuard<'static, RawRwLock, u8>, MappedRwLockWriteGuard<'static, RawRwLock, u8>);
    assert_eq!(TypeId::of::<lockscope_lock_api::GuardSend>(), TypeId::of::<lock_api_0_4::GuardSend>());
    assert_eq!(TypeId::of::<lockscope_lock_api::GuardNoSend>(), TypeId::of::<lock_api_0_4::GuardNoSend>());
}

#[cfg(feature = "atomic_usize")]
#[test]
fn same_reentrant_types() {
    same!(ReentrantMutex<RawMutex, RawThreadId, u8>, ReentrantMutexGuard<'static, RawMutex, RawThreadId, u8>);
    same!(MappedReentrantMutexGuard<'static, RawMutex, RawThreadId, u8>, RawReentrantMutex<RawMutex, RawThreadId>);
}

#[cfg(feature = "arc_lock")]
#[test]
fn same_arc_guards() {
    same!(ArcMutexGuard<RawMutex, u8>, ArcRwLockReadGuard<RawRwLock, u8>, ArcRwLockWriteGuard<RawRwLock, u8>);
    same!(ArcRwLockUpgradableReadGuard<RawRwLock, u8>);
    #[cfg(feature = "atomic_usize")]
    same!(ArcReentrantMutexGuard<RawMutex, RawThreadId, u8>);
}
