use std::panic::catch_unwind;

use super::super::subject::{Once, OnceState};

#[test]
fn completed() {
    static DONE: Once = Once::new_completed();
    assert!(DONE.is_completed() && DONE.state().is_completed() && !DONE.state().is_poisoned());
    DONE.call_once(|| unreachable!());
    DONE.call_once_force(|_| unreachable!());
    DONE.wait();
    DONE.wait_force();
    assert!(!Once::default().is_completed());
}

#[test]
fn waits_until_it_has_run() {
    let once = Once::new();
    std::thread::scope(|scope| {
        scope.spawn(|| once.wait());
        scope.spawn(|| once.wait_force());
        once.call_once(|| ());
    });
    assert!(once.is_completed());
}

#[test]
fn waits_for_what_panics() {
    static ONCE: Once = Once::new();
    assert!(catch_unwind(|| ONCE.call_once(|| panic!("on purpose"))).is_err());
    assert!(catch_unwind(|| ONCE.wait()).is_err());
    assert_eq!(ONCE.state(), OnceState::Poisoned);
    std::thread::scope(|scope| {
        scope.spawn(|| ONCE.wait_force());
        ONCE.call_once_force(|state| assert!(state.is_poisoned()));
    });
}
