//! What the facades of std tell the runtime, as read back from a trace.
#![cfg(all(not(lockscope_off), any(debug_assertions, feature = "force")))]

use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    sync::{Arc, Barrier, PoisonError, mpsc},
    time::Duration,
};

use lockscope::{
    named,
    sync::RwLockWriteGuard,
    thread::{self, Builder},
};

use recording::Scenario;

#[path = "support/recording.rs"]
mod recording;

#[test]
fn recorded() {
    recording::check("recorded", "recorded.rs", LOCKS);
}

/// The coarse clock changes times, nothing else. Enough is recorded that it ticks.
#[test]
fn recorded_by_the_coarse_clock() {
    let run_all = || {
        let lock = lockscope::sync::Mutex::new(());
        (0..20_000).for_each(|_| drop(lock.lock()));
        LOCKS.iter().for_each(|(name, run, _)| run(name));
    };
    let recorded = recording::record_coarsely("recorded_by_the_coarse_clock", "recorded.rs", run_all);
    if let Some(recording) = recorded {
        recording::compare(&recording, LOCKS);
    }
}

/// What is initialised once, by the runtime's own means: facades cannot tell when a thread is known to wait.
fn initialised_by_another_thread(name: &'static str) {
    use lockscope::rt::{LockKind, LockMeta, LockRef, initialise};
    let mut meta = LockMeta::new();
    meta.set_name(name);
    let (once, barrier) = (std::sync::Once::new(), Barrier::new(2));
    let object = || LockRef::new::<()>(&meta, LockKind::Once);
    let here = std::panic::Location::caller();
    std::thread::scope(|scope| {
        scope.spawn(|| {
            initialise(object(), here, false, |turn| {
                once.call_once(|| {
                    turn.run(|| {
                        barrier.wait();
                        barrier.wait();
                    });
                });
            });
        });
        barrier.wait();
        initialise(object(), here, false, |_| {
            barrier.wait();
            once.call_once(|| unreachable!("the other thread is at it"));
        });
    });
    lockscope::rt::observed(object(), here);
    lockscope::rt::observed(object(), here);
}

const LOCKS: &[Scenario] = &[
    (
        "once",
        initialised_by_another_thread,
        "exclusive by lock; wait; released nothing; shared by recursive; released nothing; observed; destroyed",
    ),
    (
        "mutex",
        |name| {
            let mutex = named(name).mutex(0);
            drop(mutex.lock().unwrap());
            assert_eq!(*mutex.lock().unwrap(), 0);
            *mutex.try_lock().unwrap() += 1;
        },
        "exclusive by lock; released nothing; exclusive by lock; released read; exclusive by try; released wrote;
         destroyed",
    ),
    (
        "mutex that is locked",
        |name| {
            let mutex = named(name).mutex(0);
            let _guard = mutex.lock().unwrap();
            assert!(mutex.try_lock().is_err());
        },
        "exclusive by lock; try-failed; released nothing; destroyed",
    ),
    (
        "poisoned",
        |name| {
            let mutex = named(name).mutex(0);
            let panic = AssertUnwindSafe(|| {
                let _guard = mutex.lock().unwrap();
                panic!("on purpose");
            });
            assert!(catch_unwind(panic).is_err());
            drop(mutex.lock().unwrap_or_else(PoisonError::into_inner));
            assert!(mutex.try_lock().is_err());
        },
        "exclusive by lock; released nothing; exclusive by lock; poisoned; released nothing;
         exclusive by try; poisoned; released nothing; destroyed",
    ),
    (
        "rwlock",
        |name| {
            let lock = named(name).rwlock(0);
            assert_eq!(*lock.read().unwrap(), 0);
            *lock.write().unwrap() += 1;
            drop(lock.try_read().unwrap());
            drop(lock.try_write().unwrap());
            drop(RwLockWriteGuard::downgrade(lock.write().unwrap()));
        },
        "shared by lock; released read; exclusive by lock; released wrote; shared by try; released nothing;
         exclusive by try; released nothing; exclusive by lock; shared by downgrade; released nothing; destroyed",
    ),
    (
        "condvar",
        |name| {
            let (mutex, condvar) = (named(name).mutex(0), named(name).condvar());
            let guard = mutex.lock().unwrap();
            let (guard, _) = condvar.wait_timeout(guard, Duration::from_millis(1)).unwrap();
            drop(condvar.wait_while(guard, |_| false).unwrap());
            condvar.notify_one();
            condvar.notify_all();
        },
        "exclusive by lock; cond-wait; released nothing; exclusive by condvarreacquire; cond-wake timed-out;
         released wrote; notify one none; notify all none; destroyed; destroyed",
    ),
];

#[test]
fn recorded_threads() {
    let recording = recording::record("recorded_threads", "recorded.rs", || {
        let parent = Builder::new().name("parent".into()).spawn(|| {
            Builder::new().name("child".into()).spawn(|| ()).unwrap().join().unwrap();
            let panics = Builder::new().name("panics".into()).spawn(|| panic!("on purpose")).unwrap();
            assert!(panics.join().is_err());
        });
        parent.unwrap().join().unwrap();
    });
    let Some(recording) = recording else { return };
    let of = |name: &str| recording.threads.get(name).map(String::as_str);
    assert_eq!(
        of("parent"),
        Some("start; spawn child; join-wait child; joined child; spawn panics; join-wait panics; joined panics; exit")
    );
    assert_eq!((of("child"), of("panics")), (Some("start; exit"), Some("start; exit")));
}

#[test]
fn recorded_parking() {
    let recording = recording::record("recorded_parking", "recorded.rs", || {
        let parent = Builder::new().name("parent".into()).spawn(|| {
            // Not a channel of std's: that parks by itself at times, and takes the token.
            let go = Arc::new(Barrier::new(2));
            let wait = Arc::clone(&go);
            let child = Builder::new().name("child".into()).spawn(move || {
                wait.wait();
                thread::park();
                thread::park_timeout(Duration::from_millis(1));
                thread::sleep(Duration::from_millis(1));
            });
            let child = child.unwrap();
            child.thread().unpark();
            go.wait();
            child.join().unwrap();
            // A thread that it knows by another way.
            let (tell, told) = mpsc::channel();
            let other = std::thread::Builder::new().name("other".into()).spawn(move || {
                tell.send(thread::current()).unwrap();
                thread::park();
            });
            told.recv().unwrap().unpark();
            other.unwrap().join().unwrap();
        });
        parent.unwrap().join().unwrap();
    });
    let Some(recording) = recording else { return };
    let of = |name: &str| recording.threads.get(name).map(String::as_str);
    assert_eq!(
        of("parent"),
        Some("start; spawn child; unpark child; join-wait child; joined child; unpark other; exit")
    );
    assert_eq!(of("child"), Some("start; park; unparked; park limited; unparked; sleep; awake; exit"));
    assert_eq!(of("other"), Some("start; park; unparked; exit"));
}

#[test]
fn recorded_scopes() {
    let recording = recording::record("recorded_scopes", "recorded.rs", || {
        let parent = Builder::new().name("parent".into()).spawn(|| {
            let both_run = Barrier::new(2);
            thread::scope(|scope| {
                Builder::new().name("joined".into()).spawn_scoped(scope, || ()).unwrap().join().unwrap();
                Builder::new().name("left".into()).spawn_scoped(scope, || both_run.wait()).unwrap();
                both_run.wait();
            });
        });
        parent.unwrap().join().unwrap();
    });
    let Some(recording) = recording else { return };
    let of = |name: &str| recording.threads.get(name).map(String::as_str);
    assert_eq!(
        of("parent"),
        Some("start; spawn joined; join-wait joined; joined joined; spawn left; join-wait left; joined left; exit")
    );
    assert_eq!((of("joined"), of("left")), (Some("start; exit"), Some("start; exit")));
}
