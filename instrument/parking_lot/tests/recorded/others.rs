//! Fair and reentrant mutexes, and what runs once.

use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    time::{Duration, Instant},
};

use crate::{
    meanwhile,
    recording::{self, Scenario},
    subject::{FairMutexGuard, ReentrantMutexGuard, named},
};

const LIMIT: Duration = Duration::from_millis(1);

#[test]
fn recorded() {
    recording::check("others::recorded", "others.rs", OTHERS);
}

const OTHERS: &[Scenario] = &[
    (
        "fair mutex",
        |name| {
            let mutex = named(name).fair_mutex(0);
            *mutex.lock() += 1;
            drop(FairMutexGuard::map(mutex.try_lock().unwrap(), |n| n));
            let mut guard = mutex.try_lock_for(LIMIT).unwrap();
            FairMutexGuard::bump(&mut guard);
            FairMutexGuard::unlock_fair(guard);
        },
        "exclusive by lock; released wrote; exclusive by try; released wrote; exclusive by timed; released nothing;
         exclusive by lock; released nothing; destroyed",
    ),
    (
        "reentrant mutex, locked again",
        |name| {
            let mutex = named(name).reentrant_mutex(0);
            let (one, two) = (mutex.lock(), mutex.try_lock().unwrap());
            drop(one);
            let mut three = mutex.try_lock_for(LIMIT).unwrap();
            ReentrantMutexGuard::unlocked(&mut three, || ());
            ReentrantMutexGuard::bump(&mut three);
            drop(three);
            assert_eq!(*ReentrantMutexGuard::map(two, |n| n), 0);
        },
        "exclusive by lock; released read; destroyed",
    ),
    (
        "reentrant mutex, unlocked",
        |name| {
            let mutex = named(name).reentrant_mutex(0);
            let mut guard = mutex.try_lock().unwrap();
            ReentrantMutexGuard::unlocked(&mut guard, || ());
            ReentrantMutexGuard::bump(&mut guard);
            std::mem::forget(guard);
            // SAFETY: the guard was forgotten.
            unsafe { mutex.force_unlock() };
        },
        "exclusive by try; released nothing; exclusive by lock; released nothing; exclusive by lock; released nothing;
         destroyed",
    ),
    (
        "reentrant mutex of another thread",
        |name| {
            let mutex = named(name).reentrant_mutex(0);
            meanwhile(
                || mutex.lock(),
                || {
                    assert!(mutex.try_lock().is_none());
                    assert!(mutex.try_lock_until(Instant::now() + LIMIT).is_none());
                },
            );
        },
        "exclusive by lock; try-failed; wait; timed-out; released nothing; destroyed",
    ),
    (
        "once",
        |name| {
            let once = named(name).once();
            std::thread::scope(|scope| _ = scope.spawn(|| once.call_once(|| ())));
            once.call_once(|| unreachable!("it has run"));
        },
        "exclusive by lock; released nothing; observed; destroyed",
    ),
    (
        "once, after a panic",
        |name| {
            let once = named(name).once();
            let panic = AssertUnwindSafe(|| once.call_once(|| panic!("on purpose")));
            assert!(catch_unwind(panic).is_err());
            once.call_once_force(|_| ());
        },
        "exclusive by lock; released nothing; exclusive by lock; released nothing; destroyed",
    ),
];
