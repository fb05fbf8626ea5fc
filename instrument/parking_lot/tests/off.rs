//! Off is nothing: the facade's types are parking_lot's own.
//!
//! Runs in release builds without the feature `force`, and with `RUSTFLAGS="--cfg lockscope_off"`.
#![cfg(any(lockscope_off, not(any(debug_assertions, feature = "force"))))]

use std::any::{TypeId, type_name};

#[path = "../../tests/support/same_code.rs"]
mod same_code;

same_code::same_code! {
    mutexes: plain_mutex as "plain_mutex", off_mutex as "off_mutex";
    lock => { let mut data = lock.lock(); *data = data.wrapping_add(1); };
    parking_lot::Mutex<u64>, lockscope_parking_lot::Mutex<u64>
}

same_code::same_code! {
    rwlocks: plain_rwlock as "plain_rwlock", off_rwlock as "off_rwlock";
    lock => { std::hint::black_box(*lock.read()); };
    parking_lot::RwLock<u64>, lockscope_parking_lot::RwLock<u64>
}

#[test]
#[cfg(all(target_os = "linux", target_arch = "x86_64"))]
fn same_code() {
    mutexes();
    rwlocks();
}

/// Compares types by identity. The list is every type that parking_lot exports without features.
macro_rules! same {
    ($($type:ident $(<$($arg:ty),+>)?),+ $(,)?) => { $(
        assert_eq!(
            TypeId::of::<lockscope_parking_lot::$type $(<$($arg),+>)?>(),
            TypeId::of::<parking_lot::$type $(<$($arg),+>)?>(),
            "{}", type_name::<lockscope_parking_lot::$type $(<$($arg),+>)?>(),
        );
    )+ };
}

#[test]
fn same_types() {
    same!(Mutex<u8>, RwLock<u8>, Condvar, FairMutex<u8>, ReentrantMutex<u8>, RecursiveRwLock<u8>, Once, OnceState);
    same!(RawMutex, RawRwLock, RawRwLockRecursive, RawCondvar, RawFairMutex, RawThreadId, WaitTimeoutResult);
}

#[test]
fn same_guards() {
    // Lifetimes come first in guards; `'static` gives them an identity.
    macro_rules! same_guards {
        ($($guard:ident),+ $(,)?) => { $(
            assert_eq!(
                TypeId::of::<lockscope_parking_lot::$guard<'static, u8>>(),
                TypeId::of::<parking_lot::$guard<'static, u8>>(),
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
        RecursiveRwLockReadGuard,
        RecursiveRwLockWriteGuard,
        RecursiveRwLockUpgradableReadGuard,
        MappedRecursiveRwLockReadGuard,
        MappedRecursiveRwLockWriteGuard,
    );
}

#[cfg(feature = "arc_lock")]
#[test]
fn same_arc_guards() {
    use parking_lot::{RawFairMutex, RawMutex, RawRwLock, RawRwLockRecursive, RawThreadId};
    same!(ArcMutexGuard<RawMutex, u8>, ArcMutexGuard<RawFairMutex, u8>);
    same!(ArcReentrantMutexGuard<RawMutex, RawThreadId, u8>);
    same!(ArcRwLockReadGuard<RawRwLock, u8>, ArcRwLockReadGuard<RawRwLockRecursive, u8>);
    same!(ArcRwLockWriteGuard<RawRwLock, u8>, ArcRwLockUpgradableReadGuard<RawRwLock, u8>);
}

#[test]
fn same_lock_api() {
    assert_eq!(
        TypeId::of::<lockscope_parking_lot::lock_api::Mutex<lockscope_parking_lot::RawMutex, u8>>(),
        TypeId::of::<parking_lot::Mutex<u8>>(),
    );
}

#[test]
fn labelled_locks_are_plain_locks() {
    let label = lockscope_parking_lot::named("accounts").ranked(1);
    let mutex: parking_lot::Mutex<u8> = label.mutex(1);
    assert_eq!((size_of_val(&mutex), mutex.into_inner()), (2, 1));
    let _: parking_lot::FairMutex<u8> = label.fair_mutex(1);
    let _: parking_lot::ReentrantMutex<u8> = label.reentrant_mutex(1);
    let _: parking_lot::RwLock<u8> = label.rwlock(1);
    let _: parking_lot::RecursiveRwLock<u8> = label.recursive_rwlock(1);
    let _: parking_lot::Condvar = label.condvar();
    let _: parking_lot::Once = label.once();
}
