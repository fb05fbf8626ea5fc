//! `#[lockscope::test]` and `lockscope::session`, as libtest runs them: the tests in here run this program again, with tests that are ignored
//! otherwise. Many of those run at once, which is what the sessions have to stand.
#![cfg(all(not(lockscope_off), any(debug_assertions, feature = "force")))]

#[path = "../../../tests/support/watched.rs"]
mod watched;

mod ends;
mod fails;
mod passes;
mod work;

use std::process::Command;

use watched::Ended;

/// Runs the ignored tests whose names begin like that, so many at a time.
fn run(filter: &str, n_threads: usize, settings: &str) -> Ended {
    let mut command = Command::new(std::env::current_exe().expect("this test"));
    command.args([filter, "--ignored", &format!("--test-threads={n_threads}")]).env("LOCKSCOPE", settings);
    for variable in ["NEXTEST_EXECUTION_MODE", "RUST_BACKTRACE", "RUST_TEST_THREADS", "RUST_TEST_NOCAPTURE"] {
        command.env_remove(variable);
    }
    watched::run(command)
}

#[test]
fn tests_in_which_nothing_is_found_pass() {
    let ended = run("passes::", 8, "");
    assert!(ended.status.success(), "{ended}");
    assert!(ended.stdout.contains("0 failed"), "{ended}");
    assert!(!ended.stdout.contains("0 passed"), "{ended}");
}

#[test]
fn tests_in_which_something_is_found_fail_and_say_what() {
    let ended = run("fails::", 8, "");
    // The first run of the test that is one twice.
    assert!(ended.stdout.contains(" 1 passed"), "{ended}");
    let say = |test: &str, texts: &[&str]| {
        let heading = format!("---- fails::{test} stdout ----");
        let (_, after) = ended.stdout.split_once(&heading).unwrap_or_else(|| panic!("{heading} is missing: {ended}"));
        let said = after.split("\n---- ").next().expect("there is a first");
        for text in texts {
            assert!(said.contains(text), "`{text}` is missing of {test}:\n{said}\n{ended}");
        }
    };
    let inversion = "warning[lock-order-inversion]: ";
    say(
        "both_orders",
        &["sessions/fails.rs:", "lockscope: 1 finding in this test", inversion, "took `Mutex<i32>` made at"],
    );
    say("both_orders_again", &[inversion]);
    say("both_orders_by_a_pool", &[inversion]);
    say("an_error_and_both_orders", &["Error: \"no money\"", inversion]);
    say("panics_as_expected_after_both_orders", &[inversion, "test did not panic as expected"]);
    say("panics_after_both_orders", &["lockscope: 1 finding in this test", "the body's own"]);
    say("a_lock_that_stays_taken", &["warning[guard-leak]: "]);
    say("what_is_allowed_and_what_is_not", &["lockscope: 1 finding in this test", inversion]);
    say("deadlocked", &["error[deadlock]: 2 threads are deadlocked over"]);
    say("is_a_test_twice", &["leave out `#[test]` above `#[lockscope::test]`"]);
    say("tokio_below", &[inversion]);
    say("tokio_above", &[inversion]);
    say("tokio_with_threads_below", &[inversion]);
    say("tokio_with_threads_above", &[inversion]);
    if work::are_threads_known_by_their_parent() {
        say("both_orders_by_std_threads", &[inversion]);
        say("both_orders_by_grandchildren", &[inversion]);
    }
}

#[test]
fn a_deadlock_that_no_panic_ends_ends_the_process() {
    // libtest's own thread waits with a time limit, for a minute, so it could do something yet: but not where it runs the test itself.
    let ended = run("ends::nobody_notifies", 1, "");
    assert_eq!(ended.status.code(), Some(66), "{ended}");
    assert!(ended.stderr.contains("so the process ends, with status 66"), "{ended}");
    // The process ends when the scope is the last to wait, else the thread panics, and the test.
    let ended = run("ends::a_scope_waits_for_who_waits", 1, "");
    assert!(matches!(ended.status.code(), Some(66 | 101)), "{ended}");
    assert!(ended.stderr.contains("error[deadlock]: 2 threads are deadlocked over"), "{ended}");
}

#[test]
fn settings_say_how_a_deadlock_ends() {
    let ended = run("fails::deadlocked", 2, "deadlock=exit,order=off");
    assert_eq!(ended.status.code(), Some(66), "{ended}");
    // Nothing is looked for, so nothing is found.
    let ended = run("fails::both_orders_again", 2, "off");
    assert!(ended.status.success(), "{ended}");
}
