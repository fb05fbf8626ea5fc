use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use super::subject;
use parking_lot_0_12::{RawMutex, RawRwLock};

type Mutex<T> = subject::Mutex<RawMutex, T>;
type RwLock<T> = subject::RwLock<RawRwLock, T>;
type ArcMutex<T> = subject::ArcMutexGuard<RawMutex, T>;
type ArcRead<T> = subject::ArcRwLockReadGuard<RawRwLock, T>;
type ArcWrite<T> = subject::ArcRwLockWriteGuard<RawRwLock, T>;
type ArcUpgradable<T> = subject::ArcRwLockUpgradableReadGuard<RawRwLock, T>;

const LIMIT: Duration = Duration::from_millis(5);

fn until() -> Instant {
    Instant::now() + LIMIT
}

#[test]
fn mutex() {
    let mutex = Arc::new(Mutex::new(1));
    let mut guard = mutex.lock_arc();
    *guard += 1;
    assert!(Arc::ptr_eq(ArcMutex::mutex(&guard), &mutex));
    assert!(mutex.try_lock_arc().is_none() && mutex.try_lock_arc_for(LIMIT).is_none());
    assert!(mutex.try_lock_arc_until(until()).is_none());
    assert!(ArcMutex::unlocked(&mut guard, || mutex.try_lock_arc().is_some()));
    assert!(ArcMutex::unlocked_fair(&mut guard, || mutex.try_lock_arc_for(LIMIT).is_some()));
    ArcMutex::bump(&mut guard);
    assert!(mutex.is_locked());
    assert!(!ArcMutex::into_arc(guard).is_locked());
    assert!(!ArcMutex::into_arc_fair(mutex.lock_arc()).is_locked());
    ArcMutex::unlock_fair(mutex.try_lock_arc_until(until()).unwrap());
    // The guard keeps the mutex alive.
    let guard = mutex.lock_arc();
    drop(mutex);
    assert_eq!(*guard, 2);
}

#[cfg(feature = "atomic_usize")]
#[test]
fn reentrant() {
    type ReentrantMutex<T> = subject::ReentrantMutex<RawMutex, parking_lot_0_12::RawThreadId, T>;
    type ArcGuard<T> = subject::ArcReentrantMutexGuard<RawMutex, parking_lot_0_12::RawThreadId, T>;
    let mutex = Arc::new(ReentrantMutex::new(1));
    let mut guard = mutex.lock_arc();
    let others = (mutex.try_lock_arc(), mutex.try_lock_arc_for(LIMIT), mutex.try_lock_arc_until(until()));
    assert!(others.0.is_some() && others.1.is_some() && others.2.is_some());
    drop(others);
    assert!(Arc::ptr_eq(ArcGuard::remutex(&guard), &mutex));
    assert!(!ArcGuard::unlocked(&mut guard, || mutex.is_locked()));
    assert!(!ArcGuard::unlocked_fair(&mut guard, || mutex.is_locked()));
    ArcGuard::bump(&mut guard);
    assert!(!ArcGuard::into_arc(guard).is_locked());
    assert!(!ArcGuard::into_arc_fair(mutex.lock_arc()).is_locked());
    ArcGuard::unlock_fair(mutex.lock_arc());
    std::mem::forget(mutex.lock());
    // SAFETY: its guard was forgotten.
    assert_eq!(unsafe { *mutex.make_arc_guard_unchecked() }, 1);
    assert!(!mutex.is_locked());
}

#[test]
fn readers() {
    let lock = Arc::new(RwLock::new(1));
    let mut guard = lock.read_arc();
    assert!(Arc::ptr_eq(ArcRead::rwlock(&guard), &lock));
    assert_eq!(format!("{guard} {guard:?}"), "1 1");
    assert!(lock.try_write_arc().is_none() && lock.try_write_arc_for(LIMIT).is_none());
    assert!(lock.try_write_arc_until(until()).is_none());
    assert!(lock.try_read_arc().is_some() && lock.try_read_arc_for(LIMIT).is_some());
    assert!(lock.try_read_arc_until(until()).is_some());
    assert_eq!((*lock.read_arc_recursive(), *lock.try_read_recursive_arc().unwrap()), (1, 1));
    assert!(lock.try_read_arc_recursive_for(LIMIT).is_some() && lock.try_read_arc_recursive_until(until()).is_some());
    assert!(!ArcRead::unlocked(&mut guard, || lock.is_locked()));
    assert!(!ArcRead::unlocked_fair(&mut guard, || lock.is_locked()));
    ArcRead::bump(&mut guard);
    assert!(!ArcRead::into_arc(guard).is_locked());
    assert!(!ArcRead::into_arc_fair(lock.read_arc()).is_locked());
    ArcRead::unlock_fair(lock.read_arc());
    std::mem::forget(lock.read());
    // SAFETY: its guard was forgotten.
    assert_eq!(unsafe { *lock.make_arc_read_guard_unchecked() }, 1);
    assert!(!lock.is_locked());
}

#[test]
fn writers() {
    let lock = Arc::new(RwLock::new(1));
    let mut guard = lock.write_arc();
    *guard += 1;
    assert!(Arc::ptr_eq(ArcWrite::rwlock(&guard), &lock));
    assert_eq!(format!("{guard} {guard:?}"), "2 2");
    assert!(lock.try_read_arc().is_none() && lock.try_read_arc_for(LIMIT).is_none());
    assert!(lock.try_read_arc_until(until()).is_none());
    assert!(!ArcWrite::unlocked(&mut guard, || lock.is_locked()));
    assert!(!ArcWrite::unlocked_fair(&mut guard, || lock.is_locked()));
    ArcWrite::bump(&mut guard);
    let reader: ArcRead<u8> = ArcWrite::downgrade(guard);
    assert!(!lock.is_locked_exclusive());
    drop(reader);
    assert!(!ArcWrite::into_arc(lock.write_arc()).is_locked());
    assert!(!ArcWrite::into_arc_fair(lock.try_write_arc().unwrap()).is_locked());
    ArcWrite::unlock_fair(lock.try_write_arc_for(LIMIT).unwrap());
    drop(lock.try_write_arc_until(until()).unwrap());
    std::mem::forget(lock.write());
    // SAFETY: its guard was forgotten.
    unsafe { *lock.make_arc_write_guard_unchecked() += 1 };
    assert_eq!((lock.is_locked(), *lock.read()), (false, 3));
}

#[test]
fn upgradable_readers() {
    let lock = Arc::new(RwLock::new(1));
    let mut guard = lock.upgradable_read_arc();
    assert!(Arc::ptr_eq(ArcUpgradable::rwlock(&guard), &lock));
    assert_eq!(format!("{guard} {guard:?}"), "1 1");
    assert!(lock.try_upgradable_read_arc().is_none() && lock.try_upgradable_read_arc_for(LIMIT).is_none());
    assert!(lock.try_upgradable_read_arc_until(until()).is_none());
    assert!(!ArcUpgradable::unlocked(&mut guard, || lock.is_locked()));
    assert!(!ArcUpgradable::unlocked_fair(&mut guard, || lock.is_locked()));
    ArcUpgradable::bump(&mut guard);
    guard.with_upgraded(|data| *data += 1);
    assert_eq!(
        (guard.try_with_upgraded(|data| *data), guard.try_with_upgraded_for(LIMIT, |data| *data)),
        (Some(2), Some(2))
    );
    assert_eq!(guard.try_with_upgraded_until(until(), |data| *data), Some(2));
    let reader = lock.read();
    let guard = ArcUpgradable::try_upgrade(guard).unwrap_err();
    let guard = ArcUpgradable::try_upgrade_for(guard, LIMIT).unwrap_err();
    let guard = ArcUpgradable::try_upgrade_until(guard, until()).unwrap_err();
    drop(reader);
    let guard = ArcWrite::downgrade_to_upgradable(ArcUpgradable::upgrade(guard));
    let guard = ArcWrite::downgrade_to_upgradable(ArcUpgradable::try_upgrade(guard).unwrap());
    let guard = ArcWrite::downgrade_to_upgradable(ArcUpgradable::try_upgrade_for(guard, LIMIT).unwrap());
    let guard = ArcWrite::downgrade_to_upgradable(ArcUpgradable::try_upgrade_until(guard, until()).unwrap());
    let reader: ArcRead<u8> = ArcUpgradable::downgrade(guard);
    assert!(lock.try_upgradable_read_arc().is_some());
    drop(reader);
    assert!(!ArcUpgradable::into_arc(lock.upgradable_read_arc()).is_locked());
    assert!(!ArcUpgradable::into_arc_fair(lock.upgradable_read_arc()).is_locked());
    ArcUpgradable::unlock_fair(lock.upgradable_read_arc());
    std::mem::forget(lock.upgradable_read());
    // SAFETY: its guard was forgotten.
    assert_eq!(unsafe { *lock.make_upgradable_arc_guard_unchecked() }, 2);
    assert!(!lock.is_locked());
}
