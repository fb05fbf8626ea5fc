use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    time::{Duration, Instant},
};

use super::subject::{
    MappedRwLockReadGuard, MappedRwLockWriteGuard, RawRwLock, RwLock, RwLockReadGuard, RwLockUpgradableReadGuard,
    RwLockWriteGuard,
    lock_api::{self, RawRwLock as _},
};

const LIMIT: Duration = Duration::from_millis(5);

static STATIC: RwLock<u32> = RwLock::new(7);
static FROM_RAW: RwLock<[u8; 2]> = RwLock::from_raw(RawRwLock::INIT, [1, 2]);

/// What another thread could do now: nothing, read, or write.
fn free<T: ?Sized + Send + Sync>(lock: &RwLock<T>) -> &'static str {
    let state = || match (lock.try_write().is_some(), lock.try_read().is_some()) {
        (true, _) => "write",
        (false, true) => "read",
        (false, false) => "nothing",
    };
    std::thread::scope(|scope| scope.spawn(state).join().unwrap())
}

#[test]
fn new_from_raw_into_inner() {
    assert_eq!(*STATIC.read(), 7);
    assert_eq!(*FROM_RAW.read(), [1, 2]);
    assert_eq!(RwLock::new(3).into_inner(), 3);
}

#[test]
fn default_from_get_mut() {
    assert_eq!(RwLock::<String>::default().into_inner(), "");
    let mut lock = RwLock::from(1);
    *lock.get_mut() += 1;
    assert_eq!(lock.into_inner(), 2);
}

#[test]
fn read_and_write() {
    let lock = RwLock::new(1);
    assert!(!lock.is_locked() && !lock.is_locked_exclusive());
    let one = lock.read();
    let two = lock.try_read().unwrap();
    assert_eq!((*one, *two), (1, 1));
    assert!(lock.is_locked() && !lock.is_locked_exclusive());
    assert_eq!(free(&lock), "read");
    assert!(std::ptr::eq(RwLockReadGuard::rwlock(&one), &lock));
    drop((one, two));
    let mut writer = lock.write();
    *writer += 1;
    assert!(lock.is_locked() && lock.is_locked_exclusive());
    assert_eq!(free(&lock), "nothing");
    assert!(std::ptr::eq(RwLockWriteGuard::rwlock(&writer), &lock));
    drop(writer);
    assert_eq!(free(&lock), "write");
    assert_eq!(lock.into_inner(), 2);
}

#[test]
fn tries_that_succeed() {
    let lock = RwLock::new(());
    drop(lock.try_read().unwrap());
    drop(lock.try_read_for(LIMIT).unwrap());
    drop(lock.try_read_for(Duration::MAX).unwrap());
    drop(lock.try_read_until(Instant::now() + LIMIT).unwrap());
    drop(lock.try_write().unwrap());
    drop(lock.try_write_for(LIMIT).unwrap());
    drop(lock.try_write_for(Duration::MAX).unwrap());
    drop(lock.try_write_until(Instant::now() + LIMIT).unwrap());
    drop(lock.try_upgradable_read().unwrap());
    drop(lock.try_upgradable_read_for(LIMIT).unwrap());
    drop(lock.try_upgradable_read_for(Duration::MAX).unwrap());
    drop(lock.try_upgradable_read_until(Instant::now() + LIMIT).unwrap());
    assert_eq!(free(&lock), "write");
}

#[test]
fn tries_that_fail() {
    let lock = RwLock::new(());
    let in_time = |f: &dyn Fn() -> bool| {
        let started = Instant::now();
        assert!(f());
        assert!(started.elapsed() >= LIMIT);
    };
    let reader = lock.read();
    std::thread::scope(|scope| {
        scope.spawn(|| {
            assert!(lock.try_write().is_none());
            in_time(&|| lock.try_write_for(LIMIT).is_none());
            in_time(&|| lock.try_write_until(Instant::now() + LIMIT).is_none());
        });
    });
    drop(reader);
    let writer = lock.write();
    std::thread::scope(|scope| {
        scope.spawn(|| {
            assert!(lock.try_read().is_none());
            in_time(&|| lock.try_read_for(LIMIT).is_none());
            in_time(&|| lock.try_read_until(Instant::now() + LIMIT).is_none());
            assert!(lock.try_upgradable_read().is_none());
            in_time(&|| lock.try_upgradable_read_for(LIMIT).is_none());
            in_time(&|| lock.try_upgradable_read_until(Instant::now() + LIMIT).is_none());
        });
    });
    drop(writer);
}

#[test]
fn unsized_data() {
    let lock: &RwLock<[i32]> = &RwLock::new([1, 2, 3]);
    lock.write()[0] = 4;
    assert_eq!(&*lock.read(), &[4, 2, 3]);
}

#[test]
fn formats() {
    let lock = RwLock::new(10);
    assert_eq!(format!("{lock:?}"), "RwLock { data: 10 }");
    let reader = lock.read();
    assert_eq!(format!("{lock:?}"), "RwLock { data: 10 }");
    assert_eq!(format!("{reader:?} {reader} {reader:>4}"), "10 10   10");
    let mapped = RwLockReadGuard::map(reader, |n| n);
    assert_eq!(format!("{mapped:?} {mapped} {mapped:>4}"), "10 10   10");
    drop(mapped);
    let upgradable = lock.upgradable_read();
    assert_eq!(format!("{upgradable:?} {upgradable} {upgradable:>4}"), "10 10   10");
    let writer = RwLockUpgradableReadGuard::upgrade(upgradable);
    assert_eq!(format!("{lock:?}"), "RwLock { data: <locked> }");
    assert_eq!(format!("{writer:?} {writer} {writer:>4}"), "10 10   10");
    let mapped = RwLockWriteGuard::map(writer, |n| n);
    assert_eq!(format!("{mapped:?} {mapped} {mapped:>4}"), "10 10   10");
}

#[test]
fn map_readers() {
    let lock = RwLock::new((1, vec![2, 3]));
    let list = RwLockReadGuard::map(lock.read(), |data| &data.1);
    let list = MappedRwLockReadGuard::try_map(list, |list| list.get(9)).unwrap_err();
    let slice: MappedRwLockReadGuard<'_, [i32]> = MappedRwLockReadGuard::map(list, |list| list.as_slice());
    assert_eq!(free(&lock), "read");
    let second = MappedRwLockReadGuard::try_map(slice, |slice| slice.get(1)).unwrap();
    assert_eq!(*second, 3);
    MappedRwLockReadGuard::unlock_fair(second);
    assert_eq!(free(&lock), "write");
    let guard = RwLockReadGuard::try_map(lock.read(), |_| None::<&i32>).unwrap_err();
    let (guard, error) = RwLockReadGuard::try_map_or_err(guard, |_| Err::<&i32, _>(5)).unwrap_err();
    assert_eq!(error, 5);
    let guard = RwLockReadGuard::try_map_or_err(guard, |data| Ok::<_, ()>(&data.1)).unwrap();
    drop(MappedRwLockReadGuard::try_map(guard, |list| list.first()).unwrap());
    drop(RwLockReadGuard::try_map(lock.read(), |data| Some(&data.0)).unwrap());
    assert_eq!(free(&lock), "write");
}

#[test]
fn map_writers() {
    let lock = RwLock::new((1, vec![2, 3]));
    let list = RwLockWriteGuard::map(lock.write(), |data| &mut data.1);
    let list = MappedRwLockWriteGuard::try_map(list, |list| list.get_mut(9)).unwrap_err();
    let (list, error) = MappedRwLockWriteGuard::try_map_or_err(list, |_| Err::<&mut i32, _>("no")).unwrap_err();
    assert_eq!(error, "no");
    let slice: MappedRwLockWriteGuard<'_, [i32]> = MappedRwLockWriteGuard::map(list, |list| list.as_mut_slice());
    assert_eq!(free(&lock), "nothing");
    let mut second = MappedRwLockWriteGuard::try_map_or_err(slice, |slice| slice.get_mut(1).ok_or(())).unwrap();
    *second = 30;
    MappedRwLockWriteGuard::unlock_fair(second);
    assert_eq!(free(&lock), "write");
    let guard = RwLockWriteGuard::try_map(lock.write(), |_| None::<&mut i32>).unwrap_err();
    let (guard, error) = RwLockWriteGuard::try_map_or_err(guard, |_| Err::<&mut i32, _>(5)).unwrap_err();
    assert_eq!(error, 5);
    let guard = RwLockWriteGuard::try_map_or_err(guard, |data| Ok::<_, ()>(&mut data.1)).unwrap();
    drop(MappedRwLockWriteGuard::try_map(guard, |list| list.first_mut()).unwrap());
    drop(RwLockWriteGuard::try_map(lock.write(), |data| Some(&mut data.0)).unwrap());
    assert_eq!(free(&lock), "write");
    assert_eq!(lock.into_inner(), (1, vec![2, 30]));
}

#[test]
fn unlocked_lets_others_in() {
    let lock = RwLock::new(0);
    let mut reader = lock.read();
    assert_eq!(RwLockReadGuard::unlocked(&mut reader, || free(&lock)), "write");
    assert_eq!(RwLockReadGuard::unlocked_fair(&mut reader, || free(&lock)), "write");
    RwLockReadGuard::bump(&mut reader);
    assert_eq!(free(&lock), "read");
    RwLockReadGuard::unlock_fair(reader);
    assert_eq!(free(&lock), "write");
    let mut writer = lock.write();
    assert_eq!(RwLockWriteGuard::unlocked(&mut writer, || free(&lock)), "write");
    assert_eq!(RwLockWriteGuard::unlocked_fair(&mut writer, || free(&lock)), "write");
    RwLockWriteGuard::bump(&mut writer);
    assert_eq!(free(&lock), "nothing");
    RwLockWriteGuard::unlock_fair(writer);
    assert_eq!(free(&lock), "write");
}

#[test]
fn unlocked_locks_again_after_a_panic() {
    let lock = RwLock::new(0);
    let mut reader = lock.read();
    let run = AssertUnwindSafe(|| RwLockReadGuard::unlocked(&mut reader, || panic!("on purpose")));
    assert!(catch_unwind(run).is_err());
    assert_eq!(free(&lock), "read");
    drop(reader);
    let mut writer = lock.write();
    let run = AssertUnwindSafe(|| RwLockWriteGuard::unlocked(&mut writer, || panic!("on purpose")));
    assert!(catch_unwind(run).is_err());
    assert_eq!(free(&lock), "nothing");
    drop(writer);
    assert_eq!(free(&lock), "write");
}

/// Code that is generic over raw read-write locks.
fn generic<R>()
where
    R: lock_api::RawRwLockFair
        + lock_api::RawRwLockUpgradeFair
        + lock_api::RawRwLockUpgradeDowngrade
        + lock_api::RawRwLockUpgradeTimed
        + lock_api::RawRwLockTimed<Duration = Duration>,
{
    let lock = lock_api::RwLock::<R, _>::new(1);
    let (mut one, two) = (lock.try_read_for(LIMIT).unwrap(), lock.read());
    assert!(lock.is_locked() && !lock.is_locked_exclusive() && lock.try_write().is_none());
    drop(two);
    lock_api::RwLockReadGuard::bump(&mut one);
    lock_api::RwLockReadGuard::unlock_fair(one);
    let mut writer = lock.write();
    *writer += 1;
    assert!(lock.is_locked_exclusive() && lock.try_read().is_none() && lock.try_upgradable_read().is_none());
    lock_api::RwLockWriteGuard::bump(&mut writer);
    let upgradable = lock_api::RwLockWriteGuard::downgrade_to_upgradable(writer);
    assert!(lock.try_upgradable_read().is_none());
    let mut upgradable = lock_api::RwLockUpgradableReadGuard::downgrade(upgradable);
    assert!(lock.try_upgradable_read().is_some());
    lock_api::RwLockReadGuard::bump(&mut upgradable);
    drop(upgradable);
    let mut upgradable = lock.upgradable_read();
    assert_eq!(upgradable.with_upgraded(|value| *value), 2);
    lock_api::RwLockUpgradableReadGuard::bump(&mut upgradable);
    let reader = lock.read();
    let upgradable = lock_api::RwLockUpgradableReadGuard::try_upgrade(upgradable).unwrap_err();
    let upgradable = lock_api::RwLockUpgradableReadGuard::try_upgrade_for(upgradable, LIMIT).unwrap_err();
    drop(reader);
    let writer = lock_api::RwLockUpgradableReadGuard::upgrade(upgradable);
    drop(lock_api::RwLockWriteGuard::downgrade(writer));
    assert!(!lock.is_locked());
}

#[test]
fn generic_over_the_raw_lock() {
    generic::<RawRwLock>();
}

#[test]
fn downgrade() {
    let lock = RwLock::new(0);
    let mut writer = lock.write();
    *writer = 1;
    let reader: RwLockReadGuard<'_, i32> = RwLockWriteGuard::downgrade(writer);
    assert_eq!((free(&lock), *reader), ("read", 1));
    drop(reader);
    assert_eq!(free(&lock), "write");
}

#[test]
fn mapped_readers_are_covariant() {
    fn shorten<'a>(
        guard: MappedRwLockReadGuard<'a, &'static str>,
        _text: &'a str,
    ) -> MappedRwLockReadGuard<'a, &'a str> {
        guard
    }
    let lock = RwLock::new("text");
    assert_eq!(shorten(RwLockReadGuard::map(lock.read(), |t| t), "").len(), 4);
}
