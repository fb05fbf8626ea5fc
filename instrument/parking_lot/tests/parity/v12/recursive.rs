use std::{
    sync::mpsc,
    time::{Duration, Instant},
};

use super::super::subject::{
    MappedRwLockReadGuard, RawRwLock, RwLock, RwLockReadGuard,
    lock_api::{self, RawRwLockRecursive as _, RawRwLockRecursiveTimed as _},
};

const LIMIT: Duration = Duration::from_millis(5);

#[test]
fn reads_again() {
    let lock = RwLock::new(1);
    let guards: [RwLockReadGuard<'_, i32>; 4] = [
        lock.read_recursive(),
        lock.try_read_recursive().unwrap(),
        lock.try_read_recursive_for(LIMIT).unwrap(),
        lock.try_read_recursive_until(Instant::now() + LIMIT).unwrap(),
    ];
    assert_eq!(guards.iter().map(|guard| **guard).sum::<i32>(), 4);
    drop(guards);
    let _writer = lock.write();
    std::thread::scope(|scope| {
        scope.spawn(|| {
            assert!(lock.try_read_recursive().is_none() && lock.try_read_recursive_for(LIMIT).is_none());
            assert!(lock.try_read_recursive_until(Instant::now() + LIMIT).is_none());
        });
    });
}

#[test]
fn passes_waiting_writers() {
    let lock = RwLock::new(0);
    let first = lock.read();
    let (writes, may_write) = mpsc::channel::<()>();
    std::thread::scope(|scope| {
        let lock = &lock;
        scope.spawn(move || {
            may_write.recv().unwrap();
            *lock.write() = 1;
        });
        writes.send(()).unwrap();
        // Until the writer waits.
        while lock.try_read().is_some() {
            std::thread::yield_now();
        }
        let second = lock.read_recursive();
        assert_eq!((*first, *second, lock.try_read_recursive().is_some()), (0, 0, true));
        drop((first, second));
    });
    assert_eq!(lock.into_inner(), 1);
}

#[test]
fn generic_over_the_raw_lock() {
    let lock = lock_api::RwLock::<RawRwLock, _>::new(1);
    let (one, two) = (lock.read_recursive(), lock.try_read_recursive_for(LIMIT).unwrap());
    assert_eq!(*one + *two, 2);
    // SAFETY: each hold ends once.
    unsafe {
        let raw = lock.raw();
        raw.lock_shared_recursive();
        assert!(raw.try_lock_shared_recursive_until(Instant::now()) && raw.try_lock_shared_recursive());
        (0..3).for_each(|_| lock.force_unlock_read());
    }
    drop((one, two));
    assert!(!lock.is_locked());
}

#[cfg(feature = "arc_lock")]
#[test]
fn shared() {
    use super::super::subject::ArcRwLockReadGuard;
    let lock = std::sync::Arc::new(RwLock::new(1));
    let guards: [ArcRwLockReadGuard<RawRwLock, i32>; 4] = [
        lock.read_arc_recursive(),
        lock.try_read_recursive_arc().unwrap(),
        lock.try_read_arc_recursive_for(LIMIT).unwrap(),
        lock.try_read_arc_recursive_until(Instant::now() + LIMIT).unwrap(),
    ];
    assert_eq!(guards.iter().map(|guard| **guard).sum::<i32>(), 4);
    drop(guards);
    assert!(!lock.is_locked());
}

#[test]
fn mapped_readers_say_why() {
    let lock = RwLock::new(vec![2, 3]);
    let list = RwLockReadGuard::map(lock.read(), |list| list);
    let (list, error) = MappedRwLockReadGuard::try_map_or_else(list, |_| Err::<&i32, _>("no")).unwrap_err();
    assert_eq!(error, "no");
    let second = MappedRwLockReadGuard::try_map_or_else(list, |list| list.get(1).ok_or(())).unwrap();
    assert_eq!((*second, lock.try_write().is_some()), (3, false));
}
