//! What 0.13 does not have: recursive reads of every read-write lock, raw locks without tokens.

use std::{
    mem::forget,
    time::{Duration, Instant},
};

use crate::{
    meanwhile,
    recording::{self, Scenario},
    subject::{
        Mutex, RwLock, RwLockReadGuard,
        lock_api::{
            RawMutex as _, RawMutexFair as _, RawRwLock as _, RawRwLockDowngrade as _, RawRwLockRecursive as _,
            RawRwLockUpgrade as _,
        },
        named,
    },
};

const LIMIT: Duration = Duration::from_millis(1);

#[test]
fn recorded() {
    recording::check("v12::recorded", "v12.rs", V12);
}

const V12: &[Scenario] = &[
    (
        "forgotten mutex guards",
        |name| {
            let mutex: Mutex<i32> = named(name).mutex(0);
            forget(mutex.lock());
            // SAFETY: the guard was forgotten.
            unsafe { mutex.force_unlock() };
            forget(mutex.lock());
            // SAFETY: the guard was forgotten.
            unsafe { mutex.force_unlock_fair() };
            forget(mutex.lock());
            // SAFETY: the guard was forgotten.
            let mut guard = unsafe { mutex.make_guard_unchecked() };
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
            unsafe { lock.force_unlock_read() };
            forget(lock.write());
            // SAFETY: the guard was forgotten.
            unsafe { lock.force_unlock_write_fair() };
            forget(lock.upgradable_read());
            // SAFETY: the guard was forgotten.
            drop(unsafe { lock.make_upgradable_guard_unchecked() });
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
                raw.lock();
                raw.bump();
                raw.unlock_fair();
                assert!(raw.try_lock());
                raw.unlock();
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
                raw.lock_shared();
                raw.lock_shared_recursive();
                raw.unlock_shared();
                raw.unlock_shared();
                raw.lock_upgradable();
                raw.upgrade();
                raw.downgrade();
                raw.unlock_shared();
            }
        },
        "shared by lock; shared by recursive; released unknown; released unknown; upgradable by lock;
         exclusive by upgrade; shared by downgrade; released unknown; destroyed",
    ),
    (
        "recursive reads",
        |name| {
            let lock = named(name).rwlock(0);
            let (one, two) = (lock.read(), lock.read_recursive());
            drop((one, two, lock.try_read_recursive()));
            let mut guard = lock.try_read_recursive_for(LIMIT).unwrap();
            // As in parking_lot, the lock is taken back by an ordinary read.
            RwLockReadGuard::bump(&mut guard);
            drop(guard);
            drop(lock.try_read_recursive_until(Instant::now()));
        },
        "shared by lock; shared by recursive; shared by try; released nothing; released nothing; released nothing;
         shared by recursivetimed; released nothing; shared by lock; released nothing; shared by recursivetimed;
         released nothing; destroyed",
    ),
    (
        "recursive reads of what is written",
        |name| {
            let lock = named(name).rwlock(0);
            meanwhile(
                || lock.write(),
                || {
                    assert!(lock.try_read_recursive().is_none());
                    assert!(lock.try_read_recursive_for(LIMIT).is_none());
                },
            );
        },
        "exclusive by lock; try-failed; wait; timed-out; released nothing; destroyed",
    ),
    (
        "waits while",
        |name| {
            let (mutex, condvar) = (named(name).mutex(true), named(name).condvar());
            let mut guard = mutex.lock();
            condvar.wait_while(&mut guard, |_| false);
            // The condition is not asked again after a time out.
            condvar.wait_while_until(&mut guard, |_| true, Instant::now());
        },
        "exclusive by lock; cond-wait; released wrote; exclusive by condvarreacquire; cond-wake timed-out;
         released nothing; destroyed; destroyed",
    ),
];
