use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    sync::{LockResult, PoisonError, TryLockError, TryLockResult},
};

use super::subject::sync::{Mutex, MutexGuard};

static STATIC: Mutex<u32> = Mutex::new(7);

/// Whether another thread can lock the mutex now.
fn free<T: ?Sized + Send>(mutex: &Mutex<T>) -> bool {
    let try_lock = || !matches!(mutex.try_lock(), Err(TryLockError::WouldBlock));
    std::thread::scope(|scope| scope.spawn(try_lock).join().unwrap())
}

fn poison<T>(mutex: &Mutex<T>) {
    let panic = AssertUnwindSafe(|| {
        let _guard = mutex.lock().unwrap();
        panic!("on purpose");
    });
    assert!(catch_unwind(panic).is_err());
}

#[test]
fn new_default_from() {
    assert_eq!(*STATIC.lock().unwrap(), 7);
    assert_eq!(Mutex::<String>::default().into_inner().unwrap(), "");
    let mut mutex = Mutex::from(1);
    *mutex.get_mut().unwrap() += 1;
    assert_eq!(mutex.into_inner().unwrap(), 2);
}

#[test]
fn lock_and_drop() {
    let mutex = Mutex::new(1);
    let mut guard: MutexGuard<'_, i32> = mutex.lock().unwrap();
    *guard += 1;
    assert!(!free(&mutex));
    drop(guard);
    assert!(free(&mutex));
    let locked: TryLockResult<MutexGuard<'_, i32>> = mutex.try_lock();
    assert_eq!(*locked.unwrap(), 2);
}

#[test]
fn waits_for_the_holder() {
    let mutex = Mutex::new(0);
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| (0..500).for_each(|_| *mutex.lock().unwrap() += 1));
        }
    });
    assert_eq!(mutex.into_inner().unwrap(), 2000);
}

#[test]
fn unsized_data() {
    let mutex: &Mutex<[i32]> = &Mutex::new([1, 2, 3]);
    mutex.lock().unwrap()[0] = 4;
    assert_eq!(&*mutex.lock().unwrap(), &[4, 2, 3]);
}

#[test]
fn formats() {
    let mutex = Mutex::new(10);
    assert_eq!(format!("{mutex:?}"), "Mutex { data: 10, poisoned: false, .. }");
    let guard = mutex.lock().unwrap();
    // Newer versions of std quote the word, older ones do not.
    assert!(format!("{mutex:?}").contains("<locked>"));
    assert_eq!(format!("{guard:?} {guard} {guard:>4}"), "10 10   10");
    drop(guard);
    poison(&mutex);
    assert_eq!(format!("{mutex:?}"), "Mutex { data: 10, poisoned: true, .. }");
}

#[test]
fn a_panic_poisons() {
    let mut mutex = Mutex::new(1);
    assert!(!mutex.is_poisoned());
    poison(&mutex);
    assert!(mutex.is_poisoned() && free(&mutex));
    let result: LockResult<MutexGuard<'_, i32>> = mutex.lock();
    let mut guard = result.unwrap_err().into_inner();
    *guard += 1;
    assert!(!free(&mutex));
    assert!(matches!(mutex.try_lock(), Err(TryLockError::WouldBlock)));
    drop(guard);
    assert!(free(&mutex));
    let Err(TryLockError::Poisoned(error)) = mutex.try_lock() else { panic!("not poisoned") };
    assert_eq!(**error.get_ref(), 2);
    drop(error);
    assert_eq!(*mutex.get_mut().unwrap_err().into_inner(), 2);
    mutex.clear_poison();
    assert!(!mutex.is_poisoned());
    assert_eq!(*mutex.lock().unwrap(), 2);
    poison(&mutex);
    assert_eq!(mutex.into_inner().unwrap_err().into_inner(), 2);
}

#[test]
fn a_guard_taken_while_panicking_does_not_poison() {
    struct LockInDrop<'a>(&'a Mutex<i32>);
    impl Drop for LockInDrop<'_> {
        fn drop(&mut self) {
            *self.0.lock().unwrap_or_else(PoisonError::into_inner) += 1;
        }
    }
    let mutex = Mutex::new(0);
    let panic = AssertUnwindSafe(|| {
        let _lock_in_drop = LockInDrop(&mutex);
        panic!("on purpose");
    });
    assert!(catch_unwind(panic).is_err());
    assert!(!mutex.is_poisoned());
    assert_eq!(mutex.into_inner().unwrap(), 1);
}
