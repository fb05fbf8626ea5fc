use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    sync::mpsc,
    time::{Duration, Instant},
};

use super::subject::sync::{Condvar, Mutex, MutexGuard, WaitTimeoutResult};

const LIMIT: Duration = Duration::from_millis(5);

static STATIC: Condvar = Condvar::new();

#[test]
fn nobody_waits() {
    STATIC.notify_one();
    STATIC.notify_all();
    assert_eq!(format!("{:?}", Condvar::default()), "Condvar { .. }");
}

#[test]
fn waits_end_by_notification() {
    type Wait = for<'a> fn(&Condvar, MutexGuard<'a, bool>) -> (MutexGuard<'a, bool>, bool);
    let waits: [Wait; 4] = [
        |changed, mut guard| {
            while !*guard {
                guard = changed.wait(guard).unwrap();
            }
            (guard, false)
        },
        |changed, guard| (changed.wait_while(guard, |set| !*set).unwrap(), false),
        |changed, mut guard| {
            let mut timed_out = false;
            while !*guard && !timed_out {
                let result;
                (guard, result) = changed.wait_timeout(guard, Duration::from_secs(600)).unwrap();
                timed_out = result.timed_out();
            }
            (guard, timed_out)
        },
        |changed, guard| {
            let (guard, result) = changed.wait_timeout_while(guard, Duration::from_secs(600), |set| !*set).unwrap();
            (guard, result.timed_out())
        },
    ];
    for wait in waits {
        for notify in [Condvar::notify_one, Condvar::notify_all] {
            let (set, changed) = (Mutex::new(false), Condvar::new());
            std::thread::scope(|scope| {
                let guard = set.lock().unwrap();
                scope.spawn(|| {
                    *set.lock().unwrap() = true;
                    notify(&changed);
                });
                let (guard, timed_out) = wait(&changed, guard);
                assert!(*guard && !timed_out);
                assert!(set.try_lock().is_err());
            });
            assert!(set.try_lock().is_ok());
        }
    }
}

#[test]
fn waits_end_by_time() {
    let (mutex, never) = (Mutex::new(1), Condvar::new());
    let mut guard = mutex.lock().unwrap();
    let mut result: WaitTimeoutResult;
    let started = Instant::now();
    // A wait may end early for no reason, so it is repeated until it says that it ended by time.
    loop {
        (guard, result) = never.wait_timeout(guard, LIMIT).unwrap();
        if result.timed_out() {
            break;
        }
    }
    assert!(started.elapsed() >= LIMIT);
    loop {
        #[expect(deprecated)]
        let (again, woken) = never.wait_timeout_ms(guard, 1).unwrap();
        guard = again;
        if !woken {
            break;
        }
    }
    let started = Instant::now();
    (guard, result) = never.wait_timeout_while(guard, LIMIT, |n| *n == 1).unwrap();
    assert!(result.timed_out() && started.elapsed() >= LIMIT);
    assert!(mutex.try_lock().is_err());
    drop(guard);
    assert!(mutex.try_lock().is_ok());
}

#[test]
fn conditions_that_do_not_hold_end_the_wait() {
    let (mutex, never) = (Mutex::new(1), Condvar::new());
    let guard = never.wait_while(mutex.lock().unwrap(), |n| *n != 1).unwrap();
    let (guard, result) = never.wait_timeout_while(guard, LIMIT, |n| *n != 1).unwrap();
    assert!(!result.timed_out());
    let (_guard, result) = never.wait_timeout_while(guard, Duration::ZERO, |n| *n != 1).unwrap();
    assert_eq!(result, result);
    assert_eq!(format!("{result:?}"), "WaitTimeoutResult(false)");
}

#[test]
fn waits_find_the_mutex_poisoned() {
    let (mutex, changed) = (Mutex::new(false), Condvar::new());
    let (waits, waiting) = mpsc::channel();
    std::thread::scope(|scope| {
        let (mutex, changed) = (&mutex, &changed);
        scope.spawn(move || {
            let mut guard = mutex.lock().unwrap();
            waits.send(()).unwrap();
            let error = loop {
                match changed.wait(guard) {
                    Ok(again) => guard = again,
                    Err(error) => break error,
                }
            };
            let guard = error.into_inner();
            assert!(*guard);
            assert!(changed.wait_while(guard, |set| !*set).is_ok());
            let guard = mutex.lock().unwrap_err().into_inner();
            assert!(changed.wait_timeout(guard, LIMIT).is_err());
            let guard = mutex.lock().unwrap_err().into_inner();
            assert!(changed.wait_timeout_while(guard, LIMIT, |set| *set).is_err());
        });
        waiting.recv().unwrap();
        let panic = AssertUnwindSafe(|| {
            *mutex.lock().unwrap() = true;
            let _guard = mutex.lock().unwrap();
            panic!("on purpose");
        });
        assert!(catch_unwind(panic).is_err());
        changed.notify_all();
    });
    assert!(mutex.is_poisoned());
}
