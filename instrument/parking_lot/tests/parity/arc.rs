use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use super::subject::{
    ArcMutexGuard, ArcReentrantMutexGuard, ArcRwLockReadGuard, ArcRwLockUpgradableReadGuard, ArcRwLockWriteGuard,
    Mutex, RawMutex, RawRwLock, RawThreadId, ReentrantMutex, RwLock,
};

const LIMIT: Duration = Duration::from_millis(5);

fn mutex_is_free(mutex: &Mutex<i32>) -> bool {
    std::thread::scope(|scope| scope.spawn(|| mutex.try_lock().is_some()).join().unwrap())
}

/// What another thread could do now.
fn free(lock: &RwLock<i32>) -> &'static str {
    let state = || match (lock.try_write().is_some(), lock.try_upgradable_read().is_some(), lock.try_read().is_some()) {
        (true, ..) => "write",
        (_, true, _) => "read upgradable",
        (.., true) => "read",
        _ => "nothing",
    };
    std::thread::scope(|scope| scope.spawn(state).join().unwrap())
}

#[test]
fn mutex() {
    let mutex = Arc::new(Mutex::new(1));
    let mut guard: ArcMutexGuard<RawMutex, i32> = mutex.lock_arc();
    *guard += 1;
    assert!(!mutex_is_free(&mutex) && mutex.try_lock_arc().is_none());
    assert!(mutex.try_lock_arc_for(LIMIT).is_none() && mutex.try_lock_arc_until(Instant::now()).is_none());
    assert!(Arc::ptr_eq(ArcMutexGuard::mutex(&guard), &mutex));
    assert!(ArcMutexGuard::unlocked(&mut guard, || mutex_is_free(&mutex)));
    assert!(ArcMutexGuard::unlocked_fair(&mut guard, || mutex_is_free(&mutex)));
    ArcMutexGuard::bump(&mut guard);
    assert!(!mutex_is_free(&mutex));
    assert_eq!(*ArcMutexGuard::into_arc(guard).lock(), 2);
    assert_eq!(*ArcMutexGuard::into_arc_fair(mutex.try_lock_arc().unwrap()).lock(), 2);
    ArcMutexGuard::unlock_fair(mutex.try_lock_arc_for(LIMIT).unwrap());
    drop(mutex.try_lock_arc_until(Instant::now() + LIMIT).unwrap());
    assert!(mutex_is_free(&mutex));
    // The guard keeps the mutex alive.
    let guard = mutex.lock_arc();
    drop(mutex);
    assert_eq!(Arc::strong_count(ArcMutexGuard::mutex(&guard)), 1);
    assert_eq!(*guard, 2);
}

#[test]
fn reentrant() {
    let mutex = Arc::new(ReentrantMutex::new(1));
    let is_free = || std::thread::scope(|scope| scope.spawn(|| mutex.try_lock_arc().is_some()).join().unwrap());
    let mut guard: ArcReentrantMutexGuard<RawMutex, RawThreadId, i32> = mutex.lock_arc();
    assert_eq!((*guard, is_free()), (1, false));
    assert!(Arc::ptr_eq(ArcReentrantMutexGuard::remutex(&guard), &mutex));
    assert!(ArcReentrantMutexGuard::unlocked(&mut guard, is_free));
    assert!(ArcReentrantMutexGuard::unlocked_fair(&mut guard, is_free));
    ArcReentrantMutexGuard::bump(&mut guard);
    // Each of these is one lock more.
    drop(ArcReentrantMutexGuard::into_arc(mutex.try_lock_arc().unwrap()));
    drop(ArcReentrantMutexGuard::into_arc_fair(mutex.try_lock_arc_for(LIMIT).unwrap()));
    ArcReentrantMutexGuard::unlock_fair(mutex.try_lock_arc_until(Instant::now() + LIMIT).unwrap());
    std::thread::scope(|scope| {
        scope.spawn(|| {
            assert!(mutex.try_lock_arc().is_none() && mutex.try_lock_arc_for(LIMIT).is_none());
            assert!(mutex.try_lock_arc_until(Instant::now()).is_none());
        });
    });
    std::mem::forget(guard);
    assert!(!is_free());
    // SAFETY: the guard was forgotten.
    drop(unsafe { mutex.make_arc_guard_unchecked() });
    assert!(is_free());
}

#[test]
fn readers() {
    let lock = Arc::new(RwLock::new(1));
    let mut guard: ArcRwLockReadGuard<RawRwLock, i32> = lock.read_arc();
    assert_eq!((*guard, format!("{guard:?} {guard}").as_str(), free(&lock)), (1, "1 1", "read upgradable"));
    assert!(Arc::ptr_eq(ArcRwLockReadGuard::rwlock(&guard), &lock));
    assert_eq!(ArcRwLockReadGuard::unlocked(&mut guard, || free(&lock)), "write");
    assert_eq!(ArcRwLockReadGuard::unlocked_fair(&mut guard, || free(&lock)), "write");
    ArcRwLockReadGuard::bump(&mut guard);
    drop(ArcRwLockReadGuard::into_arc(guard));
    drop(ArcRwLockReadGuard::into_arc_fair(lock.try_read_arc().unwrap()));
    ArcRwLockReadGuard::unlock_fair(lock.try_read_arc_for(LIMIT).unwrap());
    assert_eq!(free(&lock), "write");
}

#[test]
fn writers() {
    let lock = Arc::new(RwLock::new(1));
    let mut guard: ArcRwLockWriteGuard<RawRwLock, i32> = lock.write_arc();
    *guard += 1;
    assert_eq!((*guard, format!("{guard:?} {guard}").as_str(), free(&lock)), (2, "2 2", "nothing"));
    assert!(lock.try_read_arc().is_none() && lock.try_read_arc_for(LIMIT).is_none());
    assert!(lock.try_read_arc_until(Instant::now()).is_none() && lock.try_upgradable_read_arc().is_none());
    assert!(lock.try_write_arc().is_none() && lock.try_write_arc_for(LIMIT).is_none());
    assert!(lock.try_write_arc_until(Instant::now()).is_none());
    assert!(Arc::ptr_eq(ArcRwLockWriteGuard::rwlock(&guard), &lock));
    assert_eq!(ArcRwLockWriteGuard::unlocked(&mut guard, || free(&lock)), "write");
    assert_eq!(ArcRwLockWriteGuard::unlocked_fair(&mut guard, || free(&lock)), "write");
    ArcRwLockWriteGuard::bump(&mut guard);
    drop(ArcRwLockWriteGuard::into_arc(guard));
    drop(ArcRwLockWriteGuard::into_arc_fair(lock.try_write_arc().unwrap()));
    ArcRwLockWriteGuard::unlock_fair(lock.try_write_arc_for(LIMIT).unwrap());
    let reader: ArcRwLockReadGuard<RawRwLock, i32> = ArcRwLockWriteGuard::downgrade(lock.write_arc());
    assert_eq!(free(&lock), "read upgradable");
    drop(reader);
    let upgradable = ArcRwLockWriteGuard::downgrade_to_upgradable(lock.write_arc());
    assert_eq!(free(&lock), "read");
    drop(upgradable);
    assert_eq!(free(&lock), "write");
}

#[test]
fn upgradable_readers() {
    let lock = Arc::new(RwLock::new(1));
    let mut guard: ArcRwLockUpgradableReadGuard<RawRwLock, i32> = lock.upgradable_read_arc();
    assert_eq!((*guard, format!("{guard:?} {guard}").as_str(), free(&lock)), (1, "1 1", "read"));
    assert!(lock.try_upgradable_read_arc_for(LIMIT).is_none());
    assert!(lock.try_upgradable_read_arc_until(Instant::now()).is_none());
    assert!(Arc::ptr_eq(ArcRwLockUpgradableReadGuard::rwlock(&guard), &lock));
    assert_eq!(ArcRwLockUpgradableReadGuard::unlocked(&mut guard, || free(&lock)), "write");
    assert_eq!(ArcRwLockUpgradableReadGuard::unlocked_fair(&mut guard, || free(&lock)), "write");
    ArcRwLockUpgradableReadGuard::bump(&mut guard);
    assert_eq!(guard.with_upgraded(|_| free(&lock)), "nothing");
    assert_eq!(guard.try_with_upgraded(|n| *n), Some(1));
    assert_eq!(guard.try_with_upgraded_for(LIMIT, |n| *n), Some(1));
    assert_eq!(guard.try_with_upgraded_until(Instant::now() + LIMIT, |n| *n), Some(1));
    let reader = lock.read_arc();
    let guard = ArcRwLockUpgradableReadGuard::try_upgrade(guard).unwrap_err();
    let guard = ArcRwLockUpgradableReadGuard::try_upgrade_for(guard, LIMIT).unwrap_err();
    let guard = ArcRwLockUpgradableReadGuard::try_upgrade_until(guard, Instant::now()).unwrap_err();
    drop(reader);
    let writer: ArcRwLockWriteGuard<RawRwLock, i32> = ArcRwLockUpgradableReadGuard::upgrade(guard);
    assert_eq!(free(&lock), "nothing");
    drop(writer);
    drop(ArcRwLockUpgradableReadGuard::into_arc(lock.upgradable_read_arc()));
    drop(ArcRwLockUpgradableReadGuard::into_arc_fair(lock.try_upgradable_read_arc().unwrap()));
    ArcRwLockUpgradableReadGuard::unlock_fair(lock.try_upgradable_read_arc_for(LIMIT).unwrap());
    drop(ArcRwLockUpgradableReadGuard::downgrade(lock.try_upgradable_read_arc_until(Instant::now() + LIMIT).unwrap()));
    assert_eq!(free(&lock), "write");
}
