//! What 0.12 does not have: tokens, recursive read-write locks, raw condition variables.

use std::{
    mem::forget,
    time::{Duration, Instant},
};

use crate::{
    meanwhile,
    recording::{self, Scenario},
    subject::{
        Mutex, RawCondvar, RecursiveRwLockReadGuard, RecursiveRwLockUpgradableReadGuard as Upgradable, RwLock,
        lock_api::{
            RawCondvar as _, RawCondvarTimed as _, RawMutex as _, RawMutexFair as _, RawRwLock as _,
            RawRwLockDowngrade as _, RawRwLockUpgrade as _,
        },
        named,
    },
};

const LIMIT: Duration = Duration::from_millis(1);

#[test]
fn recorded() {
    recording::check("v13::recorded", "v13.rs", V13);
}

const V13: &[Scenario] = &[
    (
        "forgotten mutex guards",
        |name| {
            let mutex: Mutex<i32> = named(name).mutex(0);
            forget(mutex.lock());
            // SAFETY: the guard was forgotten.
            unsafe { mutex.force_unlock(Default::default()) };
            forget(mutex.lock());
            // SAFETY: the guard was forgotten.
            unsafe { mutex.force_unlock_fair(Default::default()) };
            forget(mutex.lock());
            // SAFETY: the guard was forgotten.
            let mut guard = unsafe { mutex.make_guard_unchecked(Default::default()) };
            *guard += 1;
        },
        "exclusive by lock; released unknown; exclusive by lock; released unknown; exclusive by lock; released wrote;
         destroyed",
    ),
    (
        "forgotten read-write guards",
        |name| {
            let lock: RwLock<i32> = named(name).rwlock(0);
            forget(lock.read());
            // SAFETY: the guard was forgotten.
            unsafe { lock.force_unlock_read(Default::default()) };
            forget(lock.write());
            // SAFETY: the guard was forgotten.
            unsafe { lock.force_unlock_write_fair(Default::default()) };
            forget(lock.upgradable_read());
            // SAFETY: the guard was forgotten.
            drop(unsafe { lock.make_upgradable_guard_unchecked(Default::default()) });
        },
        "shared by lock; released unknown; exclusive by lock; released unknown; upgradable by lock; released unknown;
         destroyed",
    ),
    (
        "raw mutex",
        |name| {
            let mutex: Mutex<i32> = named(name).mutex(0);
            // SAFETY: each lock is undone once, and nobody else has one.
            unsafe {
                let raw = mutex.raw();
                let mut token = raw.lock();
                raw.bump(&mut token);
                raw.unlock_fair(token);
                raw.unlock(raw.try_lock().unwrap());
            }
        },
        "exclusive by lock; released unknown; exclusive by lock; released unknown; exclusive by try; released unknown;
         destroyed",
    ),
    (
        "raw read-write lock",
        |name| {
            let lock: RwLock<i32> = named(name).rwlock(0);
            // SAFETY: as above.
            unsafe {
                let raw = lock.raw();
                raw.unlock_shared(raw.lock_shared());
                let token = raw.upgrade(raw.lock_upgradable());
                raw.unlock_shared(raw.downgrade(token));
            }
        },
        "shared by lock; released unknown; upgradable by lock; exclusive by upgrade; shared by downgrade;
         released unknown; destroyed",
    ),
    (
        "raw condition variable",
        |name| {
            let (mutex, condvar) = (named(name).mutex(0), RawCondvar::INIT);
            // SAFETY: as above.
            unsafe {
                let raw = mutex.raw();
                let mut token = raw.lock();
                assert!(condvar.wait_until(raw, &mut token, &Instant::now()));
                raw.unlock(token);
            }
            assert_eq!(condvar.notify_all(), 0);
        },
        "exclusive by lock; released unknown; exclusive by condvarreacquire; released unknown; destroyed",
    ),
    (
        "recursive read-write lock",
        |name| {
            let lock = named(name).recursive_rwlock(0);
            let (mut one, two) = (lock.read(), lock.try_read_for(LIMIT));
            RecursiveRwLockReadGuard::unlocked(&mut one, || ());
            drop((one, two, lock.try_read()));
            drop(Upgradable::upgrade(lock.upgradable_read()));
            *lock.write() += 1;
        },
        "shared by recursive; shared by recursivetimed; released nothing; shared by recursive; shared by try;
         released nothing; released nothing; released nothing; upgradable by lock; exclusive by upgrade; released nothing;
         exclusive by lock; released wrote; destroyed",
    ),
    (
        "recursive read-write lock that is written",
        |name| {
            let lock = named(name).recursive_rwlock(0);
            meanwhile(|| lock.write(), || assert!(lock.try_read_for(LIMIT).is_none()));
        },
        "exclusive by lock; wait; timed-out; released nothing; destroyed",
    ),
    (
        "waits while",
        |name| {
            let (mutex, condvar) = (named(name).mutex(true), named(name).condvar());
            let mut guard = mutex.lock();
            condvar.wait_while(&mut guard, |_| false);
            // The condition has the last word.
            condvar.wait_while_until(&mut guard, |_| true, Instant::now());
        },
        "exclusive by lock; cond-wait; released wrote; exclusive by condvarreacquire; cond-wake timed-out;
         released wrote; destroyed; destroyed",
    ),
];
