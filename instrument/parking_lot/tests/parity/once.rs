use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    sync::mpsc,
};

use super::subject::{Once, OnceState};

static STATIC: Once = Once::new();

#[test]
fn runs_once() {
    let mut runs = 0;
    for _ in 0..3 {
        STATIC.call_once(|| runs += 1);
        STATIC.call_once_force(|_| runs += 1);
    }
    assert_eq!((runs, STATIC.state()), (1, OnceState::Done));
    assert!(STATIC.state().done() && !STATIC.state().poisoned());
    assert_eq!(format!("{:?} {STATIC:?}", Once::default()), "Once { state: New } Once { state: Done }");
}

#[test]
fn runs_once_whoever_comes() {
    let (once, runs) = (Once::new(), std::sync::atomic::AtomicU32::new(0));
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                once.call_once(|| _ = runs.fetch_add(1, std::sync::atomic::Ordering::Relaxed));
                assert_eq!(runs.load(std::sync::atomic::Ordering::Relaxed), 1);
            });
        }
    });
}

#[test]
fn others_wait_until_it_has_run() {
    let once = Once::new();
    let (begun, wait) = mpsc::channel();
    let (go, may_end) = mpsc::channel::<()>();
    std::thread::scope(|scope| {
        let once = &once;
        scope.spawn(move || {
            once.call_once(|| {
                assert_eq!(once.state(), OnceState::InProgress);
                begun.send(()).unwrap();
                may_end.recv().unwrap();
            });
        });
        wait.recv().unwrap();
        scope.spawn(move || {
            once.call_once_force(|_| unreachable!("another one runs"));
            assert_eq!(once.state(), OnceState::Done);
        });
        go.send(()).unwrap();
    });
}

#[test]
fn a_panic_poisons() {
    let once = Once::new();
    let call = |f: fn()| catch_unwind(AssertUnwindSafe(|| once.call_once(f)));
    assert!(call(|| panic!("on purpose")).is_err());
    assert!(once.state().poisoned());
    assert!(call(|| ()).is_err());
    let forced = AssertUnwindSafe(|| once.call_once_force(|_| panic!("again")));
    assert!(catch_unwind(forced).is_err());
    once.call_once_force(|state| assert!(state.poisoned()));
    assert!(call(|| unreachable!("it has run")).is_ok());
}

#[test]
fn who_waits_for_a_panic_takes_over() {
    let once = Once::new();
    let (begun, wait) = mpsc::channel();
    let (go, may_end) = mpsc::channel::<()>();
    std::thread::scope(|scope| {
        let once = &once;
        scope.spawn(move || {
            let run = AssertUnwindSafe(|| {
                once.call_once(|| {
                    begun.send(()).unwrap();
                    may_end.recv().unwrap();
                    panic!("on purpose");
                });
            });
            assert!(catch_unwind(run).is_err());
        });
        wait.recv().unwrap();
        let forced = scope.spawn(move || {
            let mut ran = false;
            once.call_once_force(|state| ran = state.poisoned());
            ran
        });
        go.send(()).unwrap();
        assert!(forced.join().unwrap());
    });
    assert_eq!(once.state(), OnceState::Done);
}
