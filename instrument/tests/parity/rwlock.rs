use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    sync::{LockResult, TryLockError},
};

use super::subject::sync::{RwLock, RwLockReadGuard, RwLockWriteGuard};

static STATIC: RwLock<u32> = RwLock::new(7);

/// What another thread could do now: nothing, read, or write.
fn free<T: ?Sized + Send + Sync>(lock: &RwLock<T>) -> &'static str {
    let state = || {
        let can_write = !matches!(lock.try_write(), Err(TryLockError::WouldBlock));
        let can_read = !matches!(lock.try_read(), Err(TryLockError::WouldBlock));
        match (can_write, can_read) {
            (true, _) => "write",
            (false, true) => "read",
            (false, false) => "nothing",
        }
    };
    std::thread::scope(|scope| scope.spawn(state).join().unwrap())
}

/// A reader's guard is covariant in the type of its data: what is read may be taken for something that lives shorter.
#[test]
fn guards_of_readers_are_covariant() {
    fn shorter<'a, 'b>(guard: RwLockReadGuard<'a, &'static str>, _: &'b str) -> RwLockReadGuard<'a, &'b str> {
        guard
    }

    let (lock, local) = (RwLock::new("static"), String::from("local"));
    assert_eq!(*shorter(lock.read().unwrap(), &local), "static");
}

#[test]
fn new_default_from() {
    assert_eq!(*STATIC.read().unwrap(), 7);
    assert_eq!(RwLock::<String>::default().into_inner().unwrap(), "");
    let mut lock = RwLock::from(1);
    *lock.get_mut().unwrap() += 1;
    assert_eq!(lock.into_inner().unwrap(), 2);
}

#[test]
fn read_and_write() {
    let lock = RwLock::new(1);
    let one: RwLockReadGuard<'_, i32> = lock.read().unwrap();
    let two = lock.try_read().unwrap();
    assert_eq!((*one, *two, free(&lock)), (1, 1, "read"));
    drop((one, two));
    let mut writer: RwLockWriteGuard<'_, i32> = lock.write().unwrap();
    *writer += 1;
    assert_eq!((*writer, free(&lock)), (2, "nothing"));
    drop(writer);
    drop(lock.try_write().unwrap());
    assert_eq!((free(&lock), lock.into_inner().unwrap()), ("write", 2));
}

#[test]
fn waits_for_holders() {
    let lock = RwLock::new(0);
    std::thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| (0..500).for_each(|_| *lock.write().unwrap() += 1));
            scope.spawn(|| (0..500).for_each(|_| assert!(*lock.read().unwrap() <= 1000)));
        }
    });
    assert_eq!(lock.into_inner().unwrap(), 1000);
}

#[test]
fn downgrade() {
    let lock = RwLock::new(0);
    let mut writer = lock.write().unwrap();
    *writer = 1;
    let reader: RwLockReadGuard<'_, i32> = RwLockWriteGuard::downgrade(writer);
    assert_eq!((*reader, free(&lock)), (1, "read"));
    drop(reader);
    assert_eq!(free(&lock), "write");
}

#[test]
fn unsized_data() {
    let lock: &RwLock<[i32]> = &RwLock::new([1, 2, 3]);
    lock.write().unwrap()[0] = 4;
    assert_eq!(&*lock.read().unwrap(), &[4, 2, 3]);
}

#[test]
fn formats() {
    let lock = RwLock::new(10);
    assert_eq!(format!("{lock:?}"), "RwLock { data: 10, poisoned: false, .. }");
    let reader = lock.read().unwrap();
    assert_eq!(format!("{reader:?} {reader} {reader:>4}"), "10 10   10");
    drop(reader);
    let mut writer = lock.write().unwrap();
    *writer = 10;
    // Newer versions of std quote the word, older ones do not.
    assert!(format!("{lock:?}").contains("<locked>"));
    assert_eq!(format!("{writer:?} {writer} {writer:>4}"), "10 10   10");
}

#[test]
fn only_writers_poison() {
    let mut lock = RwLock::new(1);
    let read_and_panic = AssertUnwindSafe(|| {
        let _reader = lock.read().unwrap();
        panic!("on purpose");
    });
    assert!(catch_unwind(read_and_panic).is_err());
    assert!(!lock.is_poisoned());
    let write_and_panic = AssertUnwindSafe(|| {
        let _writer = lock.write().unwrap();
        panic!("on purpose");
    });
    assert!(catch_unwind(write_and_panic).is_err());
    assert!(lock.is_poisoned());
    assert_eq!(free(&lock), "write");

    let reader: LockResult<RwLockReadGuard<'_, i32>> = lock.read();
    let reader = reader.unwrap_err().into_inner();
    assert_eq!((*reader, free(&lock)), (1, "read"));
    assert!(matches!(lock.try_read(), Err(TryLockError::Poisoned(_))));
    assert!(matches!(lock.try_write(), Err(TryLockError::WouldBlock)));
    drop(reader);
    let writer: LockResult<RwLockWriteGuard<'_, i32>> = lock.write();
    let writer = writer.unwrap_err().into_inner();
    assert_eq!(free(&lock), "nothing");
    drop(writer);
    assert!(matches!(lock.try_write(), Err(TryLockError::Poisoned(_))));
    assert_eq!(*lock.get_mut().unwrap_err().into_inner(), 1);
    lock.clear_poison();
    drop(lock.write().unwrap());
    assert!(!lock.is_poisoned());
}
