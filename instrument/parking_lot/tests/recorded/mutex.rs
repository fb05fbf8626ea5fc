use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    time::{Duration, Instant},
};

use crate::{
    meanwhile,
    recording::{self, Scenario},
    subject::{MappedMutexGuard, MutexGuard, named},
};

const LIMIT: Duration = Duration::from_millis(1);

#[test]
fn recorded() {
    recording::check("mutex::recorded", "mutex.rs", MUTEX);
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
            *guard = 1;
            assert_eq!(*guard, 1);
        },
        "exclusive by lock; released wrote; destroyed",
    ),
    (
        "lock, read and write",
        |name| {
            let mutex = named(name).mutex(0);
            let mut guard = mutex.lock();
            if *guard == 0 {
                *guard = 1;
            }
        },
        "exclusive by lock; released readthenwrote; destroyed",
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
            meanwhile(|| mutex.lock(), || {
                assert!(mutex.try_lock().is_none());
                assert!(mutex.try_lock_for(LIMIT).is_none());
                assert!(mutex.try_lock_until(Instant::now() + LIMIT).is_none());
            });
        },
        "exclusive by lock; try-failed; wait; timed-out; wait; timed-out; released nothing; destroyed",
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
        "leaked",
        |name| {
            let mutex = named(name).mutex(0);
            *MutexGuard::leak(mutex.lock()) += 1;
        },
        "exclusive by lock; destroyed",
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
