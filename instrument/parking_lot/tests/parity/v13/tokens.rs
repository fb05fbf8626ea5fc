use std::mem::forget;

use super::super::subject::{
    FairMutex, Mutex, MutexGuard, RawFairMutex, RawMutex, RawRwLock, RawRwLockRecursive, RecursiveRwLock,
    ReentrantMutex, RwLock,
    lock_api::{self, GuardNoSend, GuardSend, RawMutex as _, RawMutexFair as _, RawRwLock as _},
};

/// Whether another thread can lock the mutex now.
fn free<T: ?Sized + Send>(mutex: &Mutex<T>) -> bool {
    std::thread::scope(|scope| scope.spawn(|| mutex.try_lock().is_some()).join().unwrap())
}

/// What another thread could do now: nothing, read, or write.
fn rwlock_free<T: ?Sized + Send + Sync>(lock: &RwLock<T>) -> &'static str {
    let state = || match (lock.try_write().is_some(), lock.try_read().is_some()) {
        (true, _) => "write",
        (false, true) => "read",
        (false, false) => "nothing",
    };
    std::thread::scope(|scope| scope.spawn(state).join().unwrap())
}

#[test]
fn into_inner_with_raw() {
    let (raw, value) = Mutex::new(3).into_inner_with_raw();
    assert_eq!((raw.is_locked(), value), (false, 3));
    let (raw, value) = FairMutex::new(3).into_inner_with_raw();
    assert_eq!((raw.is_locked(), value), (false, 3));
    let (raw, value) = RwLock::new(3).into_inner_with_raw();
    assert_eq!((raw.is_locked(), value), (false, 3));
    let (raw, value) = RecursiveRwLock::new(3).into_inner_with_raw();
    assert_eq!((raw.is_locked(), value), (false, 3));
    let (raw, _, value) = ReentrantMutex::new(3).into_inner_with_raw();
    assert_eq!((raw.is_locked(), value), (false, 3));
}

#[test]
fn tokens_are_markers() {
    use std::any::TypeId;
    let expected = if cfg!(feature = "send_guard") { TypeId::of::<GuardSend>() } else { TypeId::of::<GuardNoSend>() };
    let guards = [
        TypeId::of::<<RawMutex as lock_api::RawMutex>::Guard>(),
        TypeId::of::<<RawFairMutex as lock_api::RawMutex>::Guard>(),
        TypeId::of::<<RawRwLock as lock_api::RawRwLock>::SharedGuard>(),
        TypeId::of::<<RawRwLockRecursive as lock_api::RawRwLock>::ExclusiveGuard>(),
        TypeId::of::<<RawRwLock as lock_api::RawRwLockUpgrade>::UpgradableGuard>(),
    ];
    assert_eq!(guards, [expected; 5]);
}

#[test]
fn unchecked_and_forced() {
    let mutex = Mutex::new(1);
    // SAFETY: in each step the lock is held and no guard is left to unlock it.
    unsafe {
        forget(mutex.lock());
        let guard: MutexGuard<'_, i32> = mutex.make_guard_unchecked(Default::default());
        assert_eq!((*guard, *mutex.data_ptr()), (1, 1));
        drop(guard);
        assert!(free(&mutex));

        forget(mutex.lock());
        mutex.force_unlock(Default::default());
        assert!(free(&mutex));

        forget(mutex.lock());
        mutex.force_unlock_fair(Default::default());
        assert!(free(&mutex));

        let token = mutex.raw().lock();
        assert!(!free(&mutex));
        drop(mutex.make_guard_unchecked(token));
        assert!(free(&mutex));

        let token = mutex.raw().try_lock().unwrap();
        mutex.raw().unlock_fair(token);
        assert!(free(&mutex));
    }
}

#[test]
fn unchecked_and_forced_rwlock() {
    let lock = RwLock::new(1);
    // SAFETY: in each step the lock is held in the right way and no guard is left to unlock it.
    unsafe {
        forget(lock.read());
        drop(lock.make_read_guard_unchecked(Default::default()));
        forget(lock.read());
        lock.force_unlock_read(Default::default());
        forget(lock.read());
        lock.force_unlock_read_fair(Default::default());
        assert_eq!(rwlock_free(&lock), "write");
        forget(lock.write());
        drop(lock.make_write_guard_unchecked(Default::default()));
        forget(lock.write());
        lock.force_unlock_write(Default::default());
        forget(lock.write());
        lock.force_unlock_write_fair(Default::default());
        assert_eq!(rwlock_free(&lock), "write");
        forget(lock.upgradable_read());
        drop(lock.make_upgradable_guard_unchecked(Default::default()));
        assert_eq!(rwlock_free(&lock), "write");
        let token = lock.raw().lock_exclusive();
        assert_eq!(rwlock_free(&lock), "nothing");
        drop(lock.make_write_guard_unchecked(token));
        assert_eq!((rwlock_free(&lock), *lock.data_ptr()), ("write", 1));
    }
}

#[cfg(feature = "arc_lock")]
#[test]
fn unchecked_shared() {
    use std::sync::Arc;
    let lock = Arc::new(RwLock::new(1));
    forget(lock.read());
    // SAFETY: here and below the guard was forgotten.
    drop(unsafe { lock.make_arc_read_guard_unchecked(Default::default()) });
    forget(lock.write_arc());
    // SAFETY: as above.
    drop(unsafe { lock.make_arc_write_guard_unchecked(Default::default()) });
    forget(lock.upgradable_read_arc());
    // SAFETY: as above.
    drop(unsafe { lock.make_upgradable_arc_guard_unchecked(Default::default()) });
    assert_eq!(rwlock_free(&lock), "write");
}

#[test]
fn mapped_readers_say_why() {
    use super::super::subject::{MappedRwLockReadGuard, RwLockReadGuard};
    let lock = RwLock::new(vec![2, 3]);
    let list = RwLockReadGuard::map(lock.read(), |list| list);
    let (list, error) = MappedRwLockReadGuard::try_map_or_err(list, |_| Err::<&i32, _>("no")).unwrap_err();
    assert_eq!(error, "no");
    let second = MappedRwLockReadGuard::try_map_or_err(list, |list| list.get(1).ok_or(())).unwrap();
    assert_eq!((*second, rwlock_free(&lock)), (3, "read"));
}
