//! What the facades of std's objects that are not locks tell the runtime, as read back from a trace.
#![cfg(all(not(lockscope_off), any(debug_assertions, feature = "force")))]

use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    sync::Arc,
    thread::{Builder, scope},
    time::Duration,
};

use lockscope::{named, sync::LazyLock};

use recording::Scenario;

#[path = "support/recording.rs"]
mod recording;

/// Runs `f` in another thread, and waits for that unseen.
fn elsewhere(f: impl Fn() + Send) {
    scope(|scope| {
        scope.spawn(f);
    });
}

#[test]
fn recorded() {
    recording::check("recorded", "recorded_objects.rs", SCENARIOS);
}

const SCENARIOS: &[Scenario] = &[
    (
        "once",
        |name| {
            let once = named(name).once();
            once.call_once(|| ());
            once.call_once(|| ());
            elsewhere(|| {
                assert!(once.is_completed());
                once.call_once_force(|_| ());
                once.wait();
            });
        },
        "exclusive by lock; released nothing; observed; destroyed",
    ),
    (
        "once that panics",
        |name| {
            let once = named(name).once();
            let call = |f: fn()| catch_unwind(AssertUnwindSafe(|| once.call_once(f))).unwrap_err();
            call(|| panic!("on purpose"));
            call(|| ());
            elsewhere(|| once.call_once_force(|_| ()));
            once.call_once(|| ());
        },
        "exclusive by lock; released nothing; poisoned; exclusive by lock; released nothing; observed; destroyed",
    ),
    (
        "cell",
        |name| {
            let mut cell = named(name).once_lock();
            assert_eq!(cell.get(), None);
            assert_eq!(cell.set(1), Ok(()));
            assert_eq!(cell.set(2), Err(2));
            elsewhere(|| assert_eq!((cell.get(), cell.get_or_init(|| 3)), (Some(&1), &1)));
            // After it was written again it is to be observed again.
            assert_eq!(cell.take(), Some(1));
            elsewhere(|| assert_eq!(cell.get_or_init(|| 4), &4));
            assert_eq!((cell.wait(), cell.get()), (&4, Some(&4)));
        },
        "exclusive by lock; released nothing; observed; exclusive by lock; released nothing; observed; destroyed",
    ),
    (
        "lazy",
        |name| {
            let lazy: LazyLock<u8> = named(name).lazy_lock(|| 1);
            assert_eq!(LazyLock::get(&lazy), None);
            elsewhere(|| assert_eq!((*lazy, *lazy), (1, 1)));
            assert_eq!((*lazy, LazyLock::get(&lazy)), (1, Some(&1)));
        },
        "exclusive by lock; released nothing; observed; destroyed",
    ),
    (
        "barrier of one",
        |name| {
            let barrier = named(name).barrier(1);
            barrier.wait();
            barrier.wait();
        },
        "barrier-arrived; barrier-left leader; barrier-arrived; barrier-left leader; destroyed",
    ),
    (
        "semaphore",
        |name| {
            let semaphore = named(name).semaphore(3);
            drop(semaphore.acquire());
            let many = semaphore.try_acquire_many(2).unwrap();
            assert!(semaphore.try_acquire_many(2).is_none());
            assert!(semaphore.acquire_many_timeout(2, Duration::from_millis(1)).is_none());
            many.forget();
            semaphore.add_permits(4);
            assert_eq!(semaphore.forget_permits(9), 5);
            drop(semaphore.acquire_many(0));
        },
        "1 acquired; 1 released; 2 acquired; block for permits limited; unblock timed-out; 2 forgotten; 4 added;
         5 acquired; 5 forgotten; destroyed",
    ),
    (
        "semaphore whose permits are split and merged",
        |name| {
            let semaphore = named(name).semaphore(4);
            let mut left = semaphore.acquire_many(3);
            let right = left.split(1).unwrap();
            drop(left);
            let mut all = semaphore.acquire();
            all.merge(right);
        },
        "3 acquired; 2 released; 1 acquired; 2 released; destroyed",
    ),
    (
        "semaphore whose permits are sent",
        |name| {
            let semaphore = Arc::new(named(name).semaphore(2));
            let mut sent = semaphore.acquire_many_owned(2);
            let back = Builder::new().name("other".into()).spawn(move || {
                drop(sent.split(1));
                sent
            });
            drop(back.unwrap().join().unwrap());
        },
        "2 acquired; 2 released for recorded; 2 acquired; 1 released; 1 released for other; destroyed",
    ),
];

#[test]
fn recorded_waits() {
    let recording = recording::record("recorded_waits", "recorded_objects.rs", || {
        let barrier = named("barrier").barrier(2);
        let once = named("once").once();
        scope(|scope| {
            scope.spawn(|| {
                barrier.wait();
                once.wait();
            });
            barrier.wait();
            once.call_once(|| ());
        });
    });
    let Some(recording) = recording else { return };
    let sorted = |name: &str| {
        let mut words: Vec<&str> = recording.locks[name].split("; ").collect();
        words.sort_unstable();
        words.join("; ")
    };
    // The first of the two waits, whichever that is.
    assert_eq!(
        sorted("barrier"),
        "barrier-arrived; barrier-arrived; barrier-left; barrier-left leader; block for party; destroyed; unblock"
    );
    // The thread may come too late to have to wait.
    let (late, waits) = ("destroyed; exclusive by lock; observed; released nothing", "block for initialisation; ");
    let once = sorted("once");
    assert!(once == late || once == format!("{waits}{late}; unblock"), "{once}");
}
