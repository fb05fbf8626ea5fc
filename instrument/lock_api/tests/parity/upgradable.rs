use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    thread,
    time::{Duration, Instant},
};

use super::subject;

type RwLock<T> = subject::RwLock<parking_lot_0_12::RawRwLock, T>;
type Upgradable<'a, T> = subject::RwLockUpgradableReadGuard<'a, parking_lot_0_12::RawRwLock, T>;
type Write<'a, T> = subject::RwLockWriteGuard<'a, parking_lot_0_12::RawRwLock, T>;

const LIMIT: Duration = Duration::from_millis(5);

/// Whether another thread can read, read upgradable, and write.
fn free<T: ?Sized + Send + Sync>(lock: &RwLock<T>) -> (bool, bool, bool) {
    let tries = || {
        let can_read = lock.try_read().is_some();
        let can_read_upgradable = lock.try_upgradable_read().is_some();
        (can_read, can_read_upgradable, lock.try_write().is_some())
    };
    thread::scope(|scope| scope.spawn(tries).join().unwrap())
}

const FREE: (bool, bool, bool) = (true, true, true);
const READ: (bool, bool, bool) = (true, true, false);
const UPGRADABLE: (bool, bool, bool) = (true, false, false);
const WRITTEN: (bool, bool, bool) = (false, false, false);

#[test]
fn upgradable_readers() {
    let lock = RwLock::new(1);
    let guard = lock.upgradable_read();
    assert!(std::ptr::eq(Upgradable::rwlock(&guard), &lock));
    assert_eq!((free(&lock), format!("{guard} {guard:?}")), (UPGRADABLE, "1 1".into()));
    assert!(lock.try_upgradable_read().is_none() && lock.try_upgradable_read_for(LIMIT).is_none());
    assert!(lock.try_upgradable_read_until(Instant::now() + LIMIT).is_none());
    drop(guard);
    assert!(lock.try_upgradable_read().is_some() && lock.try_upgradable_read_for(LIMIT).is_some());
    assert!(lock.try_upgradable_read_until(Instant::now() + LIMIT).is_some());
    assert_eq!(free(&lock), FREE);
}

#[test]
fn upgraded() {
    let lock = RwLock::new(1);
    let mut writer = Upgradable::upgrade(lock.upgradable_read());
    *writer += 1;
    assert_eq!(free(&lock), WRITTEN);
    let guard = Write::downgrade_to_upgradable(writer);
    assert_eq!((free(&lock), *guard), (UPGRADABLE, 2));
    let writer = Upgradable::try_upgrade(guard).unwrap();
    let guard = Upgradable::try_upgrade_for(Write::downgrade_to_upgradable(writer), LIMIT).unwrap();
    let guard = Write::downgrade_to_upgradable(guard);
    let writer = Upgradable::try_upgrade_until(guard, Instant::now() + LIMIT).unwrap();
    assert_eq!(free(&lock), WRITTEN);
    let reader = Upgradable::downgrade(Write::downgrade_to_upgradable(writer));
    assert_eq!(free(&lock), READ);
    drop(reader);
    assert_eq!(free(&lock), FREE);
}

#[test]
fn not_upgraded() {
    let lock = RwLock::new(1);
    let reader = lock.read();
    let guard = Upgradable::try_upgrade(lock.upgradable_read()).unwrap_err();
    let guard = Upgradable::try_upgrade_for(guard, LIMIT).unwrap_err();
    let mut guard = Upgradable::try_upgrade_until(guard, Instant::now() + LIMIT).unwrap_err();
    assert!(guard.try_with_upgraded(|_| ()).is_none() && guard.try_with_upgraded_for(LIMIT, |_| ()).is_none());
    assert!(guard.try_with_upgraded_until(Instant::now() + LIMIT, |_| ()).is_none());
    assert_eq!(free(&lock), UPGRADABLE);
    drop(reader);
    drop(guard);
    assert_eq!(free(&lock), FREE);
}

#[test]
fn upgraded_by_waiting() {
    let lock = RwLock::new(1);
    let reader = lock.read();
    thread::scope(|scope| {
        let upgrades = scope.spawn(|| *Upgradable::upgrade(lock.upgradable_read()) += 1);
        while lock.try_read().is_some() {
            thread::yield_now();
        }
        drop(reader);
        upgrades.join().unwrap();
    });
    assert_eq!(*lock.read(), 2);
}

#[test]
fn upgraded_for_a_while() {
    let lock = RwLock::new(1);
    let mut guard = lock.upgradable_read();
    guard.with_upgraded(|data| {
        *data += 1;
        assert_eq!(free(&lock), WRITTEN);
    });
    assert_eq!(
        (guard.try_with_upgraded(|data| *data), guard.try_with_upgraded_for(LIMIT, |data| *data)),
        (Some(2), Some(2))
    );
    assert_eq!(guard.try_with_upgraded_until(Instant::now() + LIMIT, |data| *data), Some(2));
    let panic = catch_unwind(AssertUnwindSafe(|| guard.with_upgraded(|_| panic!("on purpose"))));
    assert!(panic.is_err() && free(&lock) == UPGRADABLE, "upgradable again by the panic");
}

#[test]
fn unlocked_for_a_while() {
    let lock = RwLock::new(1);
    let mut guard = lock.upgradable_read();
    assert_eq!(Upgradable::unlocked(&mut guard, || free(&lock)), FREE);
    assert_eq!(Upgradable::unlocked_fair(&mut guard, || free(&lock)), FREE);
    Upgradable::bump(&mut guard);
    assert_eq!(free(&lock), UPGRADABLE);
    Upgradable::unlock_fair(guard);
    assert_eq!(free(&lock), FREE);
    std::mem::forget(lock.upgradable_read());
    // SAFETY: its guard was forgotten.
    assert_eq!(unsafe { *lock.make_upgradable_guard_unchecked() }, 1);
    assert_eq!(free(&lock), FREE);
}
