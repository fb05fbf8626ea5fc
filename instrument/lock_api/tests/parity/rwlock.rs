use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    thread,
    time::{Duration, Instant},
};

use super::subject::{self, RawRwLock as _};

type RwLock<T> = subject::RwLock<parking_lot_0_12::RawRwLock, T>;
type Read<'a, T> = subject::RwLockReadGuard<'a, parking_lot_0_12::RawRwLock, T>;
type Write<'a, T> = subject::RwLockWriteGuard<'a, parking_lot_0_12::RawRwLock, T>;
type MappedRead<'a, T> = subject::MappedRwLockReadGuard<'a, parking_lot_0_12::RawRwLock, T>;
type MappedWrite<'a, T> = subject::MappedRwLockWriteGuard<'a, parking_lot_0_12::RawRwLock, T>;

const LIMIT: Duration = Duration::from_millis(5);

static STATIC: RwLock<u32> = RwLock::new(7);
static FROM_RAW: RwLock<u8> = RwLock::from_raw(parking_lot_0_12::RawRwLock::INIT, 1);
static CONST_NEW: RwLock<u8> = RwLock::const_new(parking_lot_0_12::RawRwLock::INIT, 2);

/// Whether another thread can read, and write.
fn free<T: ?Sized + Send + Sync>(lock: &RwLock<T>) -> (bool, bool) {
    let tries = || {
        let can_read = lock.try_read().is_some();
        (can_read, lock.try_write().is_some())
    };
    thread::scope(|scope| scope.spawn(tries).join().unwrap())
}

const FREE: (bool, bool) = (true, true);
const READ: (bool, bool) = (true, false);
const WRITTEN: (bool, bool) = (false, false);

#[test]
fn making_and_taking_apart() {
    assert_eq!((*STATIC.read(), *FROM_RAW.read(), *CONST_NEW.read()), (7, 1, 2));
    assert_eq!(RwLock::new(3).into_inner(), 3);
    assert_eq!(RwLock::<String>::default().into_inner(), "");
    let mut lock = RwLock::from(1);
    *lock.get_mut() += 1;
    assert_eq!(format!("{lock:?}"), "RwLock { data: 2 }");
    let _writer = lock.write();
    assert_eq!(format!("{lock:?}"), "RwLock { data: <locked> }");
    let boxed: Box<RwLock<[u8]>> = Box::new(RwLock::new([1, 2, 3]));
    boxed.write()[1] = 5;
    assert_eq!(*boxed.read(), [1, 5, 3]);
}

#[test]
fn readers_and_writers() {
    let lock = RwLock::new(1);
    assert_eq!(free(&lock), FREE);
    let (one, two) = (lock.read(), lock.try_read().unwrap());
    assert!(lock.is_locked() && !lock.is_locked_exclusive() && std::ptr::eq(Read::rwlock(&one), &lock));
    assert_eq!((free(&lock), *one + *two, format!("{one} {two:?}")), (READ, 2, "1 1".into()));
    drop((one, two));
    let mut writer = lock.write();
    *writer += 1;
    assert!(lock.is_locked() && lock.is_locked_exclusive() && std::ptr::eq(Write::rwlock(&writer), &lock));
    assert_eq!((free(&lock), format!("{writer} {writer:?}")), (WRITTEN, "2 2".into()));
    assert!(lock.try_read().is_none() && lock.try_write().is_none());
    drop(writer);
    assert_eq!(free(&lock), FREE);
}

#[test]
fn with_limits() {
    let lock = RwLock::new(1);
    let until = || Instant::now() + LIMIT;
    assert!(lock.try_write_for(LIMIT).is_some() && lock.try_write_until(until()).is_some());
    let reader = lock.try_read_for(LIMIT).unwrap();
    drop(lock.try_read_until(until()).unwrap());
    assert!(lock.try_write_for(LIMIT).is_none() && lock.try_write_until(until()).is_none());
    drop(reader);
    let _writer = lock.write();
    assert!(lock.try_read_for(LIMIT).is_none() && lock.try_read_until(until()).is_none());
    assert!(lock.try_read_recursive_for(LIMIT).is_none() && lock.try_read_recursive_until(until()).is_none());
}

#[test]
fn reading_again() {
    let lock = RwLock::new(1);
    let first = lock.read();
    thread::scope(|scope| {
        scope.spawn(|| drop(lock.write()));
        // Until the writer waits, which keeps new readers out.
        while lock.try_read().is_some() {
            thread::yield_now();
        }
        assert_eq!((*lock.read_recursive(), *lock.try_read_recursive().unwrap()), (1, 1));
        assert!(lock.try_read_recursive_for(LIMIT).is_some());
        assert!(lock.try_read_recursive_until(Instant::now() + LIMIT).is_some());
        drop(first);
    });
    assert_eq!(free(&lock), FREE);
}

#[test]
fn unlocked_for_a_while() {
    let lock = RwLock::new(1);
    let mut reader = lock.read();
    assert_eq!(Read::unlocked(&mut reader, || free(&lock)), FREE);
    assert_eq!(Read::unlocked_fair(&mut reader, || free(&lock)), FREE);
    Read::bump(&mut reader);
    assert_eq!(free(&lock), READ);
    Read::unlock_fair(reader);
    let mut writer = lock.write();
    assert_eq!(Write::unlocked(&mut writer, || free(&lock)), FREE);
    assert_eq!(Write::unlocked_fair(&mut writer, || free(&lock)), FREE);
    Write::bump(&mut writer);
    let panic = catch_unwind(AssertUnwindSafe(|| Write::unlocked(&mut writer, || panic!("on purpose"))));
    assert!(panic.is_err() && free(&lock) == WRITTEN, "locked again by the panic");
    Write::unlock_fair(writer);
    assert_eq!(free(&lock), FREE);
}

#[test]
fn downgraded() {
    let lock = RwLock::new(1);
    let mut writer = lock.write();
    *writer = 2;
    let reader = Write::downgrade(writer);
    assert_eq!((*reader, free(&lock)), (2, READ));
}

#[test]
fn mapped_readers() {
    let lock = RwLock::new((1, [2, 3]));
    let mapped = Read::map(lock.read(), |data| &data.1);
    let mapped: MappedRead<'_, u8> = MappedRead::map(mapped, |part| &part[1]);
    assert_eq!((format!("{mapped} {mapped:?}"), free(&lock)), ("3 3".into(), READ));
    MappedRead::unlock_fair(mapped);
    let reader = Read::try_map(lock.read(), |_| None::<&u8>).unwrap_err();
    let (reader, error) = Read::try_map_or_err(reader, |_| Err::<&u8, _>("no")).unwrap_err();
    let mapped = Read::try_map(reader, |data| Some(&data.1)).unwrap();
    let mapped = MappedRead::try_map(mapped, |_| None::<&u8>).unwrap_err();
    let (mapped, other) = MappedRead::try_map_or_else(mapped, |_| Err::<&u8, _>("nor")).unwrap_err();
    assert_eq!((error, other, *mapped, free(&lock)), ("no", "nor", [2, 3], READ));
    drop(mapped);
    assert_eq!(free(&lock), FREE);
}

#[test]
fn mapped_writers() {
    let lock = RwLock::new((1, [2, 3]));
    let mapped = Write::map(lock.write(), |data| &mut data.1);
    let mut mapped: MappedWrite<'_, u8> = MappedWrite::map(mapped, |part| &mut part[1]);
    *mapped += 1;
    assert_eq!((format!("{mapped} {mapped:?}"), free(&lock)), ("4 4".into(), WRITTEN));
    MappedWrite::unlock_fair(mapped);
    let writer = Write::try_map(lock.write(), |_| None::<&mut u8>).unwrap_err();
    let (writer, error) = Write::try_map_or_err(writer, |_| Err::<&mut u8, _>("no")).unwrap_err();
    let mapped = Write::try_map(writer, |data| Some(&mut data.1)).unwrap();
    let mapped = MappedWrite::try_map(mapped, |_| None::<&mut u8>).unwrap_err();
    let (mapped, other) = MappedWrite::try_map_or_err(mapped, |_| Err::<&mut u8, _>("nor")).unwrap_err();
    assert_eq!((error, other, *mapped, free(&lock)), ("no", "nor", [2, 4], WRITTEN));
    drop(mapped);
    assert_eq!(free(&lock), FREE);
}

#[test]
fn without_guards() {
    let lock = RwLock::new(1);
    // SAFETY: a guard is forgotten before, each time.
    unsafe {
        std::mem::forget((lock.read(), lock.read()));
        lock.force_unlock_read();
        lock.force_unlock_read_fair();
        assert_eq!(free(&lock), FREE);
        std::mem::forget(lock.write());
        lock.force_unlock_write();
        std::mem::forget(lock.write());
        lock.force_unlock_write_fair();
        assert_eq!(free(&lock), FREE);
        std::mem::forget(lock.read());
        assert_eq!(*lock.make_read_guard_unchecked(), *lock.data_ptr());
        std::mem::forget(lock.write());
        *lock.make_write_guard_unchecked() += 1;
        assert_eq!(free(&lock), FREE);
        std::mem::forget((lock.read(), lock.read()));
        lock.raw().unlock_shared();
        lock.raw().unlock_shared();
        assert_eq!((free(&lock), *lock.read()), (FREE, 2));
        lock.raw().lock_exclusive();
        drop(lock.make_write_guard_unchecked());
        assert_eq!(free(&lock), FREE);
    }
}
