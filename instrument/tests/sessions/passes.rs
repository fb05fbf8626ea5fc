//! Tests that pass.

use std::{
    sync::{Arc, Mutex as StdMutex, mpsc},
    thread as std_thread,
};

use lockscope::{sync::Mutex, thread};

use crate::work::{Pair, both_orders, one_order, other_order, pair};

#[lockscope::test]
#[ignore = "run by `tests_in_which_nothing_is_found_pass`"]
fn one_order_only() {
    let pair = pair();
    one_order(&pair);
    let pair = Arc::clone(&pair);
    thread::spawn(move || one_order(&pair)).join().unwrap();
}

#[lockscope::test]
#[ignore = "run by `tests_in_which_nothing_is_found_pass`"]
pub(crate) fn returns_a_result() -> Result<(), Box<dyn std::error::Error>> {
    let n: u32 = "7".parse()?;
    if n == 7 {
        return Ok(());
    }
    Err("it is 7".into())
}

#[lockscope::test]
#[ignore = "run by `tests_in_which_nothing_is_found_pass`"]
fn returns_what_implements_a_trait() -> impl std::process::Termination {}

#[lockscope::test]
#[should_panic(expected = "on purpose")]
#[ignore = "run by `tests_in_which_nothing_is_found_pass`"]
fn panics_as_expected() {
    one_order(&pair());
    panic!("on purpose");
}

#[should_panic]
#[ignore = "run by `tests_in_which_nothing_is_found_pass`"]
#[lockscope::test]
fn attributes_above_count_too() {
    panic!("on purpose");
}

#[lockscope::test(allow = "lock-order-inversion, busy-wait")]
#[ignore = "run by `tests_in_which_nothing_is_found_pass`"]
fn what_is_found_is_allowed() {
    both_orders(&pair());
}

#[lockscope::test]
#[tokio::test]
#[ignore = "run by `tests_in_which_nothing_is_found_pass`"]
async fn tokio_below() -> Result<(), std::num::ParseIntError> {
    let pair = pair();
    tokio::spawn(async move { one_order(&pair) }).await.unwrap();
    "1".parse::<u32>().map(drop)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[lockscope::test]
#[should_panic(expected = "on purpose")]
#[ignore = "run by `tests_in_which_nothing_is_found_pass`"]
async fn tokio_above() {
    tokio::spawn(async { one_order(&pair()) }).await.unwrap();
    panic!("on purpose");
}

/// Tests that take the same locks in different orders, at the same time.
#[test]
#[ignore = "run by `tests_in_which_nothing_is_found_pass`"]
fn orders_of_two_sessions_are_no_inversion() {
    let pair = pair();
    let (done, may_begin) = mpsc::channel();
    let (ended, may_end) = mpsc::channel();
    let shared = &pair;
    std_thread::scope(|scope| {
        let first = scope.spawn(move || {
            lockscope::session(|| {
                one_order(shared);
                done.send(()).unwrap();
                may_end.recv().unwrap();
            })
        });
        let second = lockscope::session(|| {
            may_begin.recv().unwrap();
            other_order(&pair);
        });
        ended.send(()).unwrap();
        first.join().unwrap().assert_clean();
        second.assert_clean();
    });
}

/// A lock of the whole program, in whatever order others take it.
#[test]
#[ignore = "run by `tests_in_which_nothing_is_found_pass`"]
fn what_no_session_does_to_locks_of_all_is_not_its_fault() {
    static ALL: Pair = (Mutex::new(1), Mutex::new(2));
    // Before, in between, and by a thread that was there before.
    one_order(&ALL);
    lockscope::session(|| other_order(&ALL)).assert_clean();
    let (ask, asked) = mpsc::channel::<mpsc::Sender<()>>();
    let other = std_thread::spawn(move || {
        for done in asked {
            one_order(&ALL);
            done.send(()).unwrap();
        }
    });
    lockscope::session(|| {
        let (done, wait) = mpsc::channel();
        ask.send(done).unwrap();
        wait.recv().unwrap();
        other_order(&ALL);
    })
    .assert_clean();
    drop(ask);
    other.join().unwrap();
}

/// What threads do after the session that they were begun in.
#[test]
#[ignore = "run by `tests_in_which_nothing_is_found_pass`"]
fn threads_that_live_on_are_in_no_session() {
    let (ask, asked) = mpsc::channel::<(Arc<Pair>, mpsc::Sender<()>)>();
    let asked = StdMutex::new(asked);
    let pool = lockscope::session(|| {
        thread::spawn(move || {
            for (pair, done) in asked.lock().unwrap().iter() {
                both_orders(&pair);
                done.send(()).unwrap();
            }
        })
    })
    .assert_clean();
    // Nobody's: the locks were used first by the threads that do so.
    let outcome = lockscope::session(|| {
        let (done, wait) = mpsc::channel();
        ask.send((pair(), done)).unwrap();
        wait.recv().unwrap();
    });
    outcome.assert_clean();
    drop(ask);
    pool.join().unwrap();
}

#[test]
#[ignore = "run by `tests_in_which_nothing_is_found_pass`"]
fn sessions_nest_and_tell_what_was_told_before() {
    let codes = |outcome: &lockscope::Outcome<_>| outcome.findings.iter().map(|found| found.code).collect::<Vec<_>>();
    let mut inner = Vec::new();
    for _ in 0..2 {
        let outer = lockscope::session(|| {
            inner.push(lockscope::session(|| both_orders(&pair())));
            both_orders(&pair());
        });
        assert_eq!(codes(&outer), ["lock-order-inversion"]);
    }
    assert!(inner.iter().all(|inner| codes(inner) == ["lock-order-inversion"]));
}
