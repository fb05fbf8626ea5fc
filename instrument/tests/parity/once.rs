use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    sync::{
        OnceState,
        atomic::{AtomicUsize, Ordering},
        mpsc,
    },
    thread,
};

use super::subject::sync::Once;

static STATIC: Once = Once::new();

/// What a panic said.
fn text(panic: Box<dyn std::any::Any + Send>) -> String {
    match panic.downcast::<String>() {
        Ok(text) => *text,
        Err(panic) => (*panic.downcast::<&str>().expect("a panic says a text")).to_owned(),
    }
}

fn poison(once: &Once) {
    let panic = AssertUnwindSafe(|| once.call_once(|| panic!("on purpose")));
    assert_eq!(text(catch_unwind(panic).unwrap_err()), "on purpose");
}

#[test]
fn runs_once() {
    let mut runs = 0;
    assert!(!STATIC.is_completed());
    STATIC.call_once(|| runs += 1);
    assert!(STATIC.is_completed());
    STATIC.call_once(|| runs += 1);
    STATIC.call_once_force(|_| runs += 1);
    STATIC.wait();
    STATIC.wait_force();
    assert_eq!(runs, 1);
}

#[test]
#[expect(deprecated)]
fn constants() {
    static OLD: Once = super::subject::sync::ONCE_INIT;
    let mut ran = false;
    OLD.call_once(|| ran = true);
    assert!(ran && OLD.is_completed());
    let many = [const { Once::new() }; 3];
    many[1].call_once(|| ());
    assert_eq!(many.map(|once| once.is_completed()), [false, true, false]);
}

#[test]
fn all_wait_for_the_first() {
    for _ in 0..20 {
        let (once, runs) = (Once::new(), AtomicUsize::new(0));
        thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| {
                    once.call_once(|| {
                        thread::yield_now();
                        runs.fetch_add(1, Ordering::Relaxed);
                    });
                    assert!(once.is_completed());
                    assert_eq!(runs.load(Ordering::Relaxed), 1);
                });
            }
        });
    }
}

#[test]
fn waits_until_somebody_runs_it() {
    for wait in [Once::wait, Once::wait_force] {
        let (once, done) = (Once::new(), AtomicUsize::new(0));
        thread::scope(|scope| {
            for _ in 0..2 {
                scope.spawn(|| {
                    wait(&once);
                    assert_eq!(done.load(Ordering::Relaxed), 1);
                });
            }
            once.call_once(|| done.store(1, Ordering::Relaxed));
        });
    }
}

#[test]
fn a_panic_poisons() {
    let once = Once::new();
    poison(&once);
    assert!(!once.is_completed());
    let refusals: [fn(&Once); 3] = [|once| once.call_once(|| ()), |once| once.call_once(|| unreachable!()), Once::wait];
    for refused in refusals {
        let panic = catch_unwind(AssertUnwindSafe(|| refused(&once))).unwrap_err();
        assert_eq!(text(panic), "Once instance has previously been poisoned");
    }
    let panics_again = AssertUnwindSafe(|| once.call_once_force(|_| panic!("again")));
    assert_eq!(text(catch_unwind(panics_again).unwrap_err()), "again");
    let mut was_poisoned = false;
    once.call_once_force(|state: &OnceState| was_poisoned = state.is_poisoned());
    assert!(was_poisoned && once.is_completed());
    once.call_once(|| unreachable!("it has run"));
    let new = Once::new();
    new.call_once_force(|state| {
        assert!(!state.is_poisoned());
        assert_eq!(format!("{state:?}"), "OnceState { poisoned: false }");
    });
}

#[test]
fn who_waits_while_it_panics_goes_on() {
    let once = Once::new();
    let (runs, running) = mpsc::channel();
    thread::scope(|scope| {
        let once = &once;
        let panics = scope.spawn(move || {
            once.call_once(|| {
                runs.send(()).unwrap();
                thread::yield_now();
                panic!("on purpose");
            });
        });
        running.recv().unwrap();
        let waits_by_force = scope.spawn(move || once.call_once_force(|state| assert!(state.is_poisoned())));
        let waits = scope.spawn(move || once.wait_force());
        assert_eq!(text(panics.join().unwrap_err()), "on purpose");
        waits_by_force.join().unwrap();
        waits.join().unwrap();
    });
    assert!(once.is_completed());
}

#[test]
fn runs_in_drop_while_panicking() {
    struct RunInDrop<'a>(&'a Once);
    impl Drop for RunInDrop<'_> {
        fn drop(&mut self) {
            self.0.call_once(|| ());
        }
    }
    let once = Once::new();
    let panic = AssertUnwindSafe(|| {
        let _run_in_drop = RunInDrop(&once);
        panic!("on purpose");
    });
    assert_eq!(text(catch_unwind(panic).unwrap_err()), "on purpose");
    assert!(once.is_completed());
}

#[test]
fn formats() {
    assert_eq!(format!("{:?}", Once::new()), "Once { .. }");
}
