use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    time::{Duration, Instant},
};

use super::subject::{RwLock, RwLockReadGuard, RwLockUpgradableReadGuard as Upgradable, RwLockWriteGuard};

const LIMIT: Duration = Duration::from_millis(5);

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
fn shares_with_readers_only() {
    let lock = RwLock::new(1);
    let guard = lock.upgradable_read();
    assert_eq!((*guard, free(&lock)), (1, "read"));
    assert!(std::ptr::eq(Upgradable::rwlock(&guard), &lock));
    assert!(lock.is_locked() && !lock.is_locked_exclusive());
    drop(guard);
    assert_eq!(free(&lock), "write");
    let _reader = lock.read();
    assert_eq!(free(&lock), "read upgradable");
}

#[test]
fn upgrade() {
    let lock = RwLock::new(1);
    let mut writer: RwLockWriteGuard<'_, i32> = Upgradable::upgrade(lock.upgradable_read());
    *writer += 1;
    assert_eq!(free(&lock), "nothing");
    drop(writer);
    drop(Upgradable::try_upgrade(lock.upgradable_read()).unwrap());
    drop(Upgradable::try_upgrade_for(lock.upgradable_read(), LIMIT).unwrap());
    drop(Upgradable::try_upgrade_for(lock.upgradable_read(), Duration::MAX).unwrap());
    drop(Upgradable::try_upgrade_until(lock.upgradable_read(), Instant::now() + LIMIT).unwrap());
    assert_eq!((free(&lock), lock.into_inner()), ("write", 2));
}

#[test]
fn failed_upgrades_give_the_guard_back() {
    let lock = RwLock::new(1);
    let reader = lock.read();
    let guard = Upgradable::try_upgrade(lock.upgradable_read()).unwrap_err();
    let guard = Upgradable::try_upgrade_for(guard, LIMIT).unwrap_err();
    let mut guard = Upgradable::try_upgrade_until(guard, Instant::now() + LIMIT).unwrap_err();
    assert_eq!(guard.try_with_upgraded(|_| ()), None);
    assert_eq!(guard.try_with_upgraded_for(LIMIT, |_| ()), None);
    assert_eq!(guard.try_with_upgraded_until(Instant::now() + LIMIT, |_| ()), None);
    assert_eq!(free(&lock), "read");
    drop(reader);
    drop(guard);
    assert_eq!(free(&lock), "write");
}

#[test]
fn with_upgraded() {
    let lock = RwLock::new(1);
    let mut guard = lock.upgradable_read();
    let inside = guard.with_upgraded(|n| {
        *n += 1;
        free(&lock)
    });
    assert_eq!((inside, free(&lock), *guard), ("nothing", "read", 2));
    assert_eq!(guard.try_with_upgraded(|n| *n + 1), Some(3));
    assert_eq!(guard.try_with_upgraded_for(LIMIT, |n| *n + 2), Some(4));
    assert_eq!(guard.try_with_upgraded_for(Duration::MAX, |n| *n + 2), Some(4));
    assert_eq!(guard.try_with_upgraded_until(Instant::now() + LIMIT, |n| *n + 3), Some(5));
    let run = AssertUnwindSafe(|| guard.with_upgraded(|_| panic!("on purpose")));
    assert!(catch_unwind(run).is_err());
    assert_eq!(free(&lock), "read");
    drop(guard);
    assert_eq!(free(&lock), "write");
}

#[test]
fn downgrades() {
    let lock = RwLock::new(1);
    let reader: RwLockReadGuard<'_, i32> = Upgradable::downgrade(lock.upgradable_read());
    assert_eq!(free(&lock), "read upgradable");
    drop(reader);
    let upgradable = RwLockWriteGuard::downgrade_to_upgradable(lock.write());
    assert_eq!(free(&lock), "read");
    drop(Upgradable::upgrade(upgradable));
    assert_eq!(free(&lock), "write");
}

#[test]
fn unlocked_lets_others_in() {
    let lock = RwLock::new(1);
    let mut guard = lock.upgradable_read();
    assert_eq!(Upgradable::unlocked(&mut guard, || free(&lock)), "write");
    assert_eq!(Upgradable::unlocked_fair(&mut guard, || free(&lock)), "write");
    Upgradable::bump(&mut guard);
    assert_eq!(free(&lock), "read");
    let run = AssertUnwindSafe(|| Upgradable::unlocked(&mut guard, || panic!("on purpose")));
    assert!(catch_unwind(run).is_err());
    assert_eq!(free(&lock), "read");
    Upgradable::unlock_fair(guard);
    assert_eq!(free(&lock), "write");
}
