use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    time::{Duration, Instant},
};

use crate::{
    meanwhile,
    recording::{self, Scenario},
    subject::{RwLockReadGuard, RwLockUpgradableReadGuard as Upgradable, RwLockWriteGuard, named},
};

const LIMIT: Duration = Duration::from_millis(1);

#[test]
fn recorded() {
    recording::check("rwlock::recorded", "rwlock.rs", RWLOCK);
}

const RWLOCK: &[Scenario] = &[
    (
        "read and write",
        |name| {
            let lock = named(name).rwlock(0);
            assert_eq!(*lock.read(), 0);
            *lock.write() += 1;
            assert_eq!(*lock.upgradable_read(), 1);
        },
        "shared by lock; released read; exclusive by lock; released wrote; upgradable by lock; released read; destroyed",
    ),
    (
        "tries that succeed",
        |name| {
            let lock = named(name).rwlock(0);
            drop((lock.try_read(), lock.try_read_for(LIMIT), lock.try_read_until(Instant::now())));
            drop(lock.try_write());
            drop(lock.try_write_for(LIMIT));
            drop(lock.try_write_until(Instant::now()));
            drop(lock.try_upgradable_read());
            drop(lock.try_upgradable_read_for(LIMIT));
            drop(lock.try_upgradable_read_until(Instant::now()));
        },
        "shared by try; shared by timed; shared by timed; released nothing; released nothing; released nothing;
         exclusive by try; released nothing; exclusive by timed; released nothing; exclusive by timed; released nothing;
         upgradable by try; released nothing; upgradable by timed; released nothing; upgradable by timed;
         released nothing; destroyed",
    ),
    (
        "tries that fail",
        |name| {
            let lock = named(name).rwlock(0);
            let reader = lock.read();
            assert!(lock.try_write().is_none());
            drop(reader);
            let _writer = lock.write();
            assert!(lock.try_read().is_none());
            assert!(lock.try_upgradable_read().is_none());
        },
        "shared by lock; try-failed; released nothing; exclusive by lock; try-failed; try-failed; released nothing;
         destroyed",
    ),
    (
        "upgrades",
        |name| {
            let lock = named(name).rwlock(0);
            drop(Upgradable::upgrade(lock.upgradable_read()));
            drop(Upgradable::try_upgrade(lock.upgradable_read()));
            drop(Upgradable::try_upgrade_for(lock.upgradable_read(), LIMIT));
            drop(Upgradable::try_upgrade_until(lock.upgradable_read(), Instant::now()));
        },
        "upgradable by lock; exclusive by upgrade; released nothing;
         upgradable by lock; exclusive by upgrade; released nothing;
         upgradable by lock; exclusive by upgrade; released nothing;
         upgradable by lock; exclusive by upgrade; released nothing; destroyed",
    ),
    (
        "upgrades that fail",
        |name| {
            let lock = named(name).rwlock(0);
            meanwhile(
                || lock.read(),
                || {
                    assert!(Upgradable::try_upgrade(lock.upgradable_read()).is_err());
                    assert!(Upgradable::try_upgrade_for(lock.upgradable_read(), LIMIT).is_err());
                    assert!(lock.upgradable_read().try_with_upgraded(|_| ()).is_none());
                },
            );
        },
        "shared by lock; upgradable by lock; try-failed; released nothing; upgradable by lock; wait; timed-out;
         released nothing; upgradable by lock; try-failed; released nothing; released nothing; destroyed",
    ),
    (
        "upgraded for a while",
        |name| {
            let lock = named(name).rwlock(0);
            let mut guard = lock.upgradable_read();
            guard.with_upgraded(|n| *n += 1);
            guard.try_with_upgraded(|n| *n += 1);
            let panic = AssertUnwindSafe(|| guard.with_upgraded(|_| panic!("on purpose")));
            assert!(catch_unwind(panic).is_err());
        },
        "upgradable by lock; exclusive by upgrade; upgradable by downgrade; exclusive by upgrade;
         upgradable by downgrade; exclusive by upgrade; upgradable by downgrade; released wrote; destroyed",
    ),
    (
        "downgrades",
        |name| {
            let lock = named(name).rwlock(0);
            drop(RwLockWriteGuard::downgrade(lock.write()));
            drop(RwLockWriteGuard::downgrade_to_upgradable(lock.write()));
            drop(Upgradable::downgrade(lock.upgradable_read()));
        },
        "exclusive by lock; shared by downgrade; released nothing;
         exclusive by lock; upgradable by downgrade; released nothing;
         upgradable by lock; shared by downgrade; released nothing; destroyed",
    ),
    (
        "map",
        |name| {
            let lock = named(name).rwlock((1, 2));
            drop(RwLockReadGuard::map(lock.read(), |pair| &pair.0));
            drop(RwLockWriteGuard::map(lock.write(), |pair| &mut pair.0));
        },
        "shared by lock; released read; exclusive by lock; released wrote; destroyed",
    ),
    (
        "unlocked",
        |name| {
            let lock = named(name).rwlock(0);
            let mut reader = lock.read();
            RwLockReadGuard::unlocked(&mut reader, || ());
            RwLockReadGuard::bump(&mut reader);
            RwLockReadGuard::unlock_fair(reader);
            let mut writer = lock.write();
            RwLockWriteGuard::unlocked_fair(&mut writer, || ());
            drop(writer);
            let mut upgradable = lock.upgradable_read();
            Upgradable::bump(&mut upgradable);
        },
        "shared by lock; released nothing; shared by lock; released nothing; shared by lock; released nothing;
         exclusive by lock; released nothing; exclusive by lock; released nothing;
         upgradable by lock; released nothing; upgradable by lock; released nothing; destroyed",
    ),
];
