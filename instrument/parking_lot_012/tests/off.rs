//! Off is nothing: the facade's types are parking_lot's own.
//!
//! Runs in release builds without the feature `force`, and with `RUSTFLAGS="--cfg lockscope_off"`.
#![cfg(any(lockscope_off, not(any(debug_assertions, feature = "force"))))]

use std::any::{TypeId, type_name};

/// Compares types by identity. The list is every type that parking_lot exports without features.
macro_rules! same {
    ($($type:ident $(<$($arg:ty),+>)?),+ $(,)?) => { $(
        assert_eq!(
            TypeId::of::<lockscope_parking_lot_012::$type $(<$($arg),+>)?>(),
            TypeId::of::<parking_lot_0_12::$type $(<$($arg),+>)?>(),
            "{}", type_name::<lockscope_parking_lot_012::$type $(<$($arg),+>)?>(),
        );
    )+ };
}

#[test]
fn same_types() {
    same!(Mutex<u8>, RwLock<u8>, Condvar, FairMutex<u8>, ReentrantMutex<u8>, Once, OnceState);
    same!(RawMutex, RawRwLock, RawFairMutex, RawThreadId, WaitTimeoutResult);
}

#[test]
fn same_guards() {
    // Lifetimes come first in guards; `'static` gives them an identity.
    macro_rules! same_guards {
        ($($guard:ident),+ $(,)?) => { $(
            assert_eq!(
                TypeId::of::<lockscope_parking_lot_012::$guard<'static, u8>>(),
                TypeId::of::<parking_lot_0_12::$guard<'static, u8>>(),
                stringify!($guard),
            );
        )+ };
    }
    same_guards!(
        MutexGuard,
        MappedMutexGuard,
        FairMutexGuard,
        MappedFairMutexGuard,
        ReentrantMutexGuard,
        MappedReentrantMutexGuard,
        RwLockReadGuard,
        RwLockWriteGuard,
        RwLockUpgradableReadGuard,
        MappedRwLockReadGuard,
        MappedRwLockWriteGuard,
    );
}

#[cfg(feature = "arc_lock")]
#[test]
fn same_arc_guards() {
    use parking_lot_0_12::{RawFairMutex, RawMutex, RawRwLock, RawThreadId};
    same!(ArcMutexGuard<RawMutex, u8>, ArcMutexGuard<RawFairMutex, u8>);
    same!(ArcReentrantMutexGuard<RawMutex, RawThreadId, u8>);
    same!(ArcRwLockReadGuard<RawRwLock, u8>);
    same!(ArcRwLockWriteGuard<RawRwLock, u8>, ArcRwLockUpgradableReadGuard<RawRwLock, u8>);
}

#[test]
fn same_lock_api() {
    assert_eq!(
        TypeId::of::<lockscope_parking_lot_012::lock_api::Mutex<lockscope_parking_lot_012::RawMutex, u8>>(),
        TypeId::of::<parking_lot_0_12::Mutex<u8>>(),
    );
}

#[test]
fn labelled_locks_are_plain_locks() {
    let label = lockscope_parking_lot_012::named("accounts").ranked(1);
    let mutex: parking_lot_0_12::Mutex<u8> = label.mutex(1);
    assert_eq!((size_of_val(&mutex), mutex.into_inner()), (2, 1));
    let _: parking_lot_0_12::FairMutex<u8> = label.fair_mutex(1);
    let _: parking_lot_0_12::ReentrantMutex<u8> = label.reentrant_mutex(1);
    let _: parking_lot_0_12::RwLock<u8> = label.rwlock(1);
    let _: parking_lot_0_12::Condvar = label.condvar();
    let _: parking_lot_0_12::Once = label.once();
}
