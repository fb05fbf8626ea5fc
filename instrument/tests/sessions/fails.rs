//! Tests that fail: by what is found in them.

use std::{
    mem,
    sync::{Arc, Barrier, mpsc},
};

use lockscope::thread;

use crate::work::{Pair, both_orders as take_both, both_orders_by_std, one_order, other_order, pair};

#[lockscope::test]
#[ignore = "run by `tests_in_which_something_is_found_fail_and_say_what`"]
fn both_orders() {
    take_both(&pair());
}

/// The same places, in another session.
#[lockscope::test]
#[ignore = "run by `tests_in_which_something_is_found_fail_and_say_what`"]
fn both_orders_again() {
    take_both(&pair());
}

#[lockscope::test]
#[ignore = "run by `tests_in_which_something_is_found_fail_and_say_what`"]
fn both_orders_by_std_threads() {
    both_orders_by_std(&pair());
}

#[lockscope::test]
#[ignore = "run by `tests_in_which_something_is_found_fail_and_say_what`"]
fn both_orders_by_grandchildren() {
    std::thread::spawn(|| std::thread::spawn(|| both_orders_by_std(&pair())).join().unwrap()).join().unwrap();
}

/// A thread that was there before works for the session.
#[test]
#[ignore = "run by `tests_in_which_something_is_found_fail_and_say_what`"]
fn both_orders_by_a_pool() {
    let (ask, asked) = mpsc::channel::<(Arc<Pair>, mpsc::Sender<()>)>();
    let pool = std::thread::spawn(move || {
        for (pair, done) in asked {
            other_order(&pair);
            done.send(()).unwrap();
        }
    });
    let outcome = lockscope::session(|| {
        let pair = pair();
        one_order(&pair);
        let (done, wait) = mpsc::channel();
        ask.send((pair, done)).unwrap();
        wait.recv().unwrap();
    });
    drop(ask);
    pool.join().unwrap();
    outcome.assert_clean();
}

#[lockscope::test]
#[ignore = "run by `tests_in_which_something_is_found_fail_and_say_what`"]
fn an_error_and_both_orders() -> Result<(), &'static str> {
    take_both(&pair());
    Err("no money")
}

#[lockscope::test]
#[should_panic(expected = "on purpose")]
#[ignore = "run by `tests_in_which_something_is_found_fail_and_say_what`"]
fn panics_as_expected_after_both_orders() {
    take_both(&pair());
    panic!("on purpose");
}

#[lockscope::test]
#[ignore = "run by `tests_in_which_something_is_found_fail_and_say_what`"]
fn panics_after_both_orders() {
    take_both(&pair());
    panic!("the body's own");
}

#[lockscope::test]
#[ignore = "run by `tests_in_which_something_is_found_fail_and_say_what`"]
fn a_lock_that_stays_taken() {
    leave_taken(&pair());
}

#[lockscope::test(allow = "guard-leak")]
#[ignore = "run by `tests_in_which_something_is_found_fail_and_say_what`"]
fn what_is_allowed_and_what_is_not() {
    take_both(&pair());
    leave_taken(&pair());
}

#[lockscope::test]
#[ignore = "run by `tests_in_which_something_is_found_fail_and_say_what`"]
fn deadlocked() {
    let (pair, both) = (pair(), Arc::new(Barrier::new(2)));
    let threads = [false, true].map(|is_first| {
        let (pair, both) = (Arc::clone(&pair), Arc::clone(&both));
        thread::spawn(move || {
            let (one, other) = if is_first { (&pair.0, &pair.1) } else { (&pair.1, &pair.0) };
            let guard = one.lock().unwrap();
            both.wait();
            // One of the two panics, so that the other one gets it.
            drop(other.lock());
            drop(guard);
        })
    });
    for thread in threads {
        let _ = thread.join();
    }
}

#[test]
#[lockscope::test]
#[ignore = "run by `tests_in_which_something_is_found_fail_and_say_what`"]
fn is_a_test_twice() {}

#[lockscope::test]
#[tokio::test]
#[ignore = "run by `tests_in_which_something_is_found_fail_and_say_what`"]
async fn tokio_below() {
    take_both(&pair());
}

#[tokio::test]
#[lockscope::test]
#[ignore = "run by `tests_in_which_something_is_found_fail_and_say_what`"]
async fn tokio_above() {
    take_both(&pair());
}

#[lockscope::test]
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "run by `tests_in_which_something_is_found_fail_and_say_what`"]
async fn tokio_with_threads_below() {
    by_tasks().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[lockscope::test]
#[ignore = "run by `tests_in_which_something_is_found_fail_and_say_what`"]
async fn tokio_with_threads_above() {
    by_tasks().await;
}

/// By a thread that forgets the guard.
fn leave_taken(pair: &Arc<Pair>) {
    let pair = Arc::clone(pair);
    thread::spawn(move || mem::forget(pair.0.lock())).join().unwrap();
}

/// Each order by another of tokio's threads.
async fn by_tasks() {
    let pair = pair();
    let (first, second) = (Arc::clone(&pair), pair);
    let both = Arc::new(Barrier::new(2));
    let other = Arc::clone(&both);
    let (done, may_go_on) = mpsc::channel();
    let one = tokio::spawn(async move {
        one_order(&first);
        both.wait();
        done.send(()).unwrap();
    });
    let other = tokio::spawn(async move {
        other.wait();
        may_go_on.recv().unwrap();
        other_order(&second);
    });
    one.await.unwrap();
    other.await.unwrap();
}
