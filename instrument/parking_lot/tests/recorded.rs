//! What the facade tells the runtime: every way to take, keep and let go of a lock, as read back from a trace.
#![cfg(all(not(lockscope_off), any(debug_assertions, feature = "force")))]

use std::{
    mem::forget,
    panic::{AssertUnwindSafe, catch_unwind},
    time::{Duration, Instant},
};

use lockscope_parking_lot::{
    MappedMutexGuard, Mutex, MutexGuard, RwLock, RwLockReadGuard, RwLockUpgradableReadGuard as Upgradable,
    RwLockWriteGuard, named,
};

use recording::Scenario;

#[path = "../../tests/support/recording.rs"]
mod recording;

const LIMIT: Duration = Duration::from_millis(1);

#[test]
fn recorded() {
    recording::check("recorded", "recorded.rs", MUTEX);
}

#[test]
fn recorded_rwlock() {
    recording::check("recorded_rwlock", "recorded.rs", RWLOCK);
}

#[test]
fn recorded_condvar() {
    recording::check("recorded_condvar", "recorded.rs", CONDVAR);
}

/// Runs `f` where `mutex` is locked by somebody of whom the runtime knows nothing.
fn with_locked<T: Send>(mutex: &Mutex<T>, f: impl FnOnce()) {
    use lock_api::RawMutex as _;
    // SAFETY: locked and unlocked here.
    let raw = unsafe { mutex.raw() };
    let token = raw.lock();
    f();
    // SAFETY: locked above, and `f` cannot unlock it.
    unsafe { raw.unlock(token) };
}

/// Runs `f` while somebody reads of whom the runtime knows nothing.
fn with_reader<T: Send + Sync>(lock: &RwLock<T>, f: impl FnOnce()) {
    use lock_api::RawRwLock as _;
    // SAFETY: locked and unlocked here.
    let raw = unsafe { lock.raw() };
    let token = raw.lock_shared();
    f();
    // SAFETY: locked above, and `f` cannot unlock it.
    unsafe { raw.unlock_shared(token) };
}

const MUTEX: &[Scenario] = &[
    ("lock", |name| drop(named(name).mutex(0).lock()), "exclusive by lock; released nothing; destroyed"),
    (
        "lock and read",
        |name| assert_eq!(*named(name).mutex(0).lock(), 0),
        "exclusive by lock; released read; destroyed",
    ),
    (
        "lock and write",
        |name| {
            let mutex = named(name).mutex(0);
            let mut guard = mutex.lock();
            *guard += *guard;
        },
        "exclusive by lock; released wrote; destroyed",
    ),
    (
        "tries that succeed",
        |name| {
            let mutex = named(name).mutex(0);
            drop(mutex.try_lock());
            drop(mutex.try_lock_for(LIMIT));
            drop(mutex.try_lock_until(Instant::now()));
            drop(mutex.try_lock_for(Duration::MAX));
        },
        "exclusive by try; released nothing; exclusive by timed; released nothing; exclusive by timed; released nothing;
         exclusive by lock; released nothing; destroyed",
    ),
    (
        "tries that fail",
        |name| {
            let mutex = named(name).mutex(0);
            with_locked(&mutex, || {
                assert!(mutex.try_lock().is_none());
                assert!(mutex.try_lock_for(LIMIT).is_none());
                assert!(mutex.try_lock_until(Instant::now() + LIMIT).is_none());
            });
        },
        "try-failed; wait; timed-out; wait; timed-out; destroyed",
    ),
    (
        "map",
        |name| {
            let mutex = named(name).mutex((1, 2));
            drop(MutexGuard::map(mutex.lock(), |pair| &mut pair.0));
            MappedMutexGuard::unlock_fair(MutexGuard::map(mutex.lock(), |pair| &mut pair.1));
            drop(MutexGuard::try_map(mutex.lock(), |_| None::<&mut i32>));
        },
        "exclusive by lock; released wrote; exclusive by lock; released wrote; exclusive by lock; released wrote;
         destroyed",
    ),
    (
        "unlocked",
        |name| {
            let mutex = named(name).mutex(0);
            let mut guard = mutex.lock();
            MutexGuard::unlocked(&mut guard, || ());
            MutexGuard::unlocked_fair(&mut guard, || ());
            let panic = AssertUnwindSafe(|| MutexGuard::unlocked(&mut guard, || panic!("on purpose")));
            assert!(catch_unwind(panic).is_err());
            MutexGuard::bump(&mut guard);
            *guard += 1;
            MutexGuard::unlock_fair(guard);
        },
        "exclusive by lock; released nothing; exclusive by lock; released nothing; exclusive by lock; released nothing;
         exclusive by lock; released nothing; exclusive by lock; released wrote; destroyed",
    ),
    (
        "forgotten",
        |name| {
            let mutex = named(name).mutex(0);
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
        "leaked",
        |name| {
            let mutex = named(name).mutex(0);
            *MutexGuard::leak(mutex.lock()) += 1;
        },
        "exclusive by lock; released unknown; destroyed",
    ),
    ("panic", |name| {
        let mutex = named(name).mutex(0);
        let panic = AssertUnwindSafe(|| {
            let _guard = mutex.lock();
            panic!("on purpose");
        });
        assert!(catch_unwind(panic).is_err());
    }, "exclusive by lock; released nothing; destroyed"),
    #[cfg(feature = "arc_lock")]
    (
        "arc",
        |name| {
            let mutex = std::sync::Arc::new(named(name).mutex(0));
            let guard = mutex.lock_arc();
            drop(mutex);
            assert_eq!(*guard, 0);
        },
        "exclusive by lock; released read; destroyed",
    ),
];

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
            with_reader(&lock, || {
                assert!(Upgradable::try_upgrade(lock.upgradable_read()).is_err());
                assert!(Upgradable::try_upgrade_for(lock.upgradable_read(), LIMIT).is_err());
                assert!(lock.upgradable_read().try_with_upgraded(|_| ()).is_none());
            });
        },
        "upgradable by lock; try-failed; released nothing; upgradable by lock; wait; timed-out; released nothing;
         upgradable by lock; try-failed; released nothing; destroyed",
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
    (
        "forgotten",
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
        "shared by lock; released unknown; exclusive by lock; released unknown; upgradable by lock; released nothing;
         destroyed",
    ),
];

const CONDVAR: &[Scenario] = &[
    (
        "waits",
        |name| {
            let (mutex, condvar) = (named(name).mutex(true), named(name).condvar());
            let mut guard = mutex.lock();
            condvar.wait_for(&mut guard, LIMIT);
            condvar.wait_until(&mut guard, Instant::now());
        },
        "exclusive by lock; cond-wait; released nothing; exclusive by condvarreacquire; cond-wake timed-out;
         cond-wait; released nothing; exclusive by condvarreacquire; cond-wake timed-out; released nothing;
         destroyed; destroyed",
    ),
    (
        "waits while",
        |name| {
            let (mutex, condvar) = (named(name).mutex(true), named(name).condvar());
            let mut guard = mutex.lock();
            condvar.wait_while(&mut guard, |_| false);
            condvar.wait_while_until(&mut guard, |_| true, Instant::now());
        },
        "exclusive by lock; cond-wait; released wrote; exclusive by condvarreacquire; cond-wake timed-out;
         released wrote; destroyed; destroyed",
    ),
    (
        "notifications",
        |name| {
            let condvar = named(name).condvar();
            condvar.notify_one();
            condvar.notify_all();
        },
        "notify one some(0); notify all some(0); destroyed",
    ),
];
