use std::mem::forget;

use super::super::subject::{
    Mutex, MutexGuard, RwLock,
    lock_api::{RawMutex as _, RawMutexFair as _, RawRwLock as _},
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
fn unchecked_and_forced() {
    let mutex = Mutex::new(1);
    // SAFETY: in each step the lock is held and no guard is left to unlock it.
    unsafe {
        forget(mutex.lock());
        let guard: MutexGuard<'_, i32> = mutex.make_guard_unchecked();
        assert_eq!((*guard, *mutex.data_ptr()), (1, 1));
        drop(guard);
        assert!(free(&mutex));

        forget(mutex.lock());
        mutex.force_unlock();
        assert!(free(&mutex));

        forget(mutex.lock());
        mutex.force_unlock_fair();
        assert!(free(&mutex));

        mutex.raw().lock();
        assert!(!free(&mutex));
        drop(mutex.make_guard_unchecked());
        assert!(free(&mutex));

        assert!(mutex.raw().try_lock());
        mutex.raw().unlock_fair();
        assert!(free(&mutex));
    }
}

#[test]
fn unchecked_and_forced_rwlock() {
    let lock = RwLock::new(1);
    // SAFETY: in each step the lock is held in the right way and no guard is left to unlock it.
    unsafe {
        forget(lock.read());
        drop(lock.make_read_guard_unchecked());
        forget(lock.read());
        lock.force_unlock_read();
        forget(lock.read());
        lock.force_unlock_read_fair();
        assert_eq!(rwlock_free(&lock), "write");
        forget(lock.write());
        drop(lock.make_write_guard_unchecked());
        forget(lock.write());
        lock.force_unlock_write();
        forget(lock.write());
        lock.force_unlock_write_fair();
        assert_eq!(rwlock_free(&lock), "write");
        forget(lock.upgradable_read());
        drop(lock.make_upgradable_guard_unchecked());
        assert_eq!(rwlock_free(&lock), "write");
        lock.raw().lock_exclusive();
        assert_eq!(rwlock_free(&lock), "nothing");
        drop(lock.make_write_guard_unchecked());
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
    drop(unsafe { lock.make_arc_read_guard_unchecked() });
    forget(lock.write_arc());
    // SAFETY: as above.
    drop(unsafe { lock.make_arc_write_guard_unchecked() });
    forget(lock.upgradable_read_arc());
    // SAFETY: as above.
    drop(unsafe { lock.make_upgradable_arc_guard_unchecked() });
    assert_eq!(rwlock_free(&lock), "write");
}
