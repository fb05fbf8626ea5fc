use std::time::{Duration, Instant};

use super::super::subject::{
    Condvar, Mutex, RawCondvar, RawMutex,
    lock_api::{self, RawCondvar as _},
};

const LIMIT: Duration = Duration::from_millis(5);

#[test]
fn raw() {
    assert_eq!(Condvar::default().raw().notify_all(), 0);
    let raw = RawCondvar::INIT;
    assert!(!raw.notify_one());
}

#[test]
fn generic_over_the_raw_condvar() {
    let (ready, changed) = (lock_api::Mutex::<RawMutex, _>::new(0), lock_api::Condvar::<RawCondvar>::new());
    std::thread::scope(|scope| {
        let mut guard = ready.lock();
        scope.spawn(|| {
            *ready.lock() = 1;
            assert_eq!(changed.notify_all(), 1);
        });
        changed.wait_while(&mut guard, |ready| *ready == 0);
        assert!(ready.try_lock().is_none());
        assert!(changed.wait_for(&mut guard, LIMIT).timed_out());
        assert!(changed.wait_until(&mut guard, Instant::now()).timed_out());
        assert!(changed.wait_while_for(&mut guard, |ready| *ready == 1, LIMIT).timed_out());
        assert!(ready.try_lock().is_none());
    });
    assert_eq!(ready.into_inner(), 1);
}

#[test]
fn a_time_out_is_none_when_the_condition_holds_no_longer() {
    let (asked, never) = (Mutex::new(0), Condvar::new());
    let mut guard = asked.lock();
    // True when it is asked first, false from then on.
    let first = |asked: &mut i32| {
        *asked += 1;
        *asked == 1
    };
    assert!(!never.wait_while_for(&mut guard, first, LIMIT).timed_out());
    *guard = 0;
    assert!(!never.wait_while_until(&mut guard, first, Instant::now()).timed_out());
    assert_eq!(*guard, 2);
}
