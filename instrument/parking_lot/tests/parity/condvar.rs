use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    sync::mpsc,
    time::{Duration, Instant},
};

use super::subject::{Condvar, Mutex, MutexGuard, WaitTimeoutResult};

const LIMIT: Duration = Duration::from_millis(5);

static STATIC: Condvar = Condvar::new();

#[test]
fn nobody_waits() {
    assert!(!STATIC.notify_one());
    assert_eq!(STATIC.notify_all(), 0);
    assert_eq!(Condvar::default().notify_all(), 0);
    assert_eq!(format!("{:?} {STATIC:>15?}", Condvar::new()), "Condvar { .. }  Condvar { .. }");
}

#[test]
fn notify_one_wakes_one() {
    let (turn, changed) = (Mutex::new(0), Condvar::new());
    std::thread::scope(|scope| {
        scope.spawn(|| {
            let mut guard = turn.lock();
            while *guard != 1 {
                changed.wait(&mut guard);
            }
            *guard = 2;
        });
        let mut guard = turn.lock();
        *guard = 1;
        // Each round lets the other thread in; it is woken as soon as it waits, or need not wait at all.
        while *guard != 2 {
            changed.notify_one();
            MutexGuard::bump(&mut guard);
        }
    });
}

#[test]
fn notifications_are_counted() {
    let (waiting, changed) = (Mutex::new(0), Condvar::new());
    let (all_wait, go) = mpsc::channel();
    std::thread::scope(|scope| {
        for _ in 0..3 {
            let (waiting, changed, all_wait) = (&waiting, &changed, all_wait.clone());
            scope.spawn(move || {
                let mut guard = waiting.lock();
                *guard += 1;
                if *guard == 3 {
                    all_wait.send(()).unwrap();
                }
                changed.wait(&mut guard);
                assert_eq!(*guard, 10);
            });
        }
        go.recv().unwrap();
        // The third thread holds the mutex until it waits, so here all three do.
        *waiting.lock() = 10;
        assert!(changed.notify_one());
        assert_eq!(changed.notify_all(), 2);
        assert!(!changed.notify_one());
    });
}

#[test]
fn waits_end_by_time() {
    let (mutex, never) = (Mutex::new(1), Condvar::new());
    let mut guard = mutex.lock();
    let in_time = |f: &mut dyn FnMut() -> WaitTimeoutResult| {
        let started = Instant::now();
        assert!(f().timed_out());
        assert!(started.elapsed() >= LIMIT);
    };
    in_time(&mut || never.wait_for(&mut guard, LIMIT));
    in_time(&mut || never.wait_until(&mut guard, Instant::now() + LIMIT));
    in_time(&mut || never.wait_while_for(&mut guard, |n| *n == 1, LIMIT));
    in_time(&mut || never.wait_while_until(&mut guard, |n| *n == 1, Instant::now() + LIMIT));
    assert!(mutex.try_lock().is_none());
}

#[test]
fn conditions_that_do_not_hold_end_the_wait() {
    let (mutex, never) = (Mutex::new(1), Condvar::new());
    let mut guard = mutex.lock();
    never.wait_while(&mut guard, |n| *n != 1);
    assert!(!never.wait_while_for(&mut guard, |n| *n != 1, LIMIT).timed_out());
    assert!(!never.wait_while_for(&mut guard, |n| *n != 1, Duration::MAX).timed_out());
    assert!(!never.wait_while_until(&mut guard, |n| *n != 1, Instant::now()).timed_out());
    let result = never.wait_while_until(&mut guard, |n| *n != 1, Instant::now());
    assert_eq!(result, result.clone());
    assert_eq!(format!("{result:?}"), "WaitTimeoutResult(false)");
}

#[test]
fn waits_end_by_notification() {
    type Wait = fn(&Condvar, &mut MutexGuard<'_, bool>) -> bool;
    let waits: [Wait; 6] = [
        |changed, guard| {
            while !**guard {
                changed.wait(guard);
            }
            false
        },
        |changed, guard| {
            changed.wait_while(guard, |set| !*set);
            false
        },
        |changed, guard| !**guard && changed.wait_for(guard, Duration::MAX).timed_out(),
        |changed, guard| !**guard && changed.wait_until(guard, Instant::now() + Duration::from_secs(600)).timed_out(),
        |changed, guard| changed.wait_while_for(guard, |set| !*set, Duration::MAX).timed_out(),
        |changed, guard| {
            changed.wait_while_until(guard, |set| !*set, Instant::now() + Duration::from_secs(600)).timed_out()
        },
    ];
    for wait in waits {
        let (set, changed) = (Mutex::new(false), Condvar::new());
        std::thread::scope(|scope| {
            let mut guard = set.lock();
            scope.spawn(|| {
                *set.lock() = true;
                changed.notify_all();
            });
            assert!(!wait(&changed, &mut guard));
            assert!(*guard);
            assert!(set.try_lock().is_none());
        });
    }
}

#[test]
fn two_mutexes_panic() {
    let (first, second, changed) = (Mutex::new(false), Mutex::new(()), Condvar::new());
    let (sender, waits) = mpsc::channel();
    std::thread::scope(|scope| {
        let (first, changed) = (&first, &changed);
        scope.spawn(move || {
            let mut guard = first.lock();
            sender.send(()).unwrap();
            changed.wait_while(&mut guard, |done| !*done);
        });
        waits.recv().unwrap();
        drop(first.lock());
        let mut guard = second.lock();
        assert!(catch_unwind(AssertUnwindSafe(|| changed.wait(&mut guard))).is_err());
        assert!(second.try_lock().is_none());
        drop(guard);
        assert!(second.try_lock().is_some());
        *first.lock() = true;
        changed.notify_all();
    });
}

#[test]
fn unsized_data() {
    let (mutex, never) = (Mutex::new([1, 2]), Condvar::new());
    let mutex: &Mutex<[i32]> = &mutex;
    let mut guard = mutex.lock();
    assert!(never.wait_while_for(&mut guard, |data| data.len() == 2, LIMIT).timed_out());
}
