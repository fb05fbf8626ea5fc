//! Exit codes are an interface: each has a test, and each message says what failed, on what, and what to try.

use std::process::Stdio;

use crate::support::{command, file, fixture, lockscope};

fn check(arguments: &[&str], code: i32, in_stderr: &str) {
    let ran = lockscope(arguments);
    assert_eq!(ran.code, Some(code), "{arguments:?}: {ran:?}");
    assert!(ran.stderr.contains(in_stderr), "{arguments:?} says {in_stderr:?}: {ran:?}");
}

#[test]
fn success_is_0() {
    check(&["check", &fixture("one_order.std")], 0, "");
    check(&["check", "--fail-on", "never", &fixture("hung.std")], 0, "");
    check(&["show", &fixture("hung.std")], 0, "");
    check(&["explain", "deadlock"], 0, "");
    check(&["--help"], 0, "");
}

#[test]
fn findings_are_1() {
    check(&["check", &fixture("hung.std")], 1, "");
    check(&["check", "-A", "all", &fixture("hung.std")], 0, "");
    check(&["check", "-A", "all", "-W", "deadlock", &fixture("hung.std")], 0, "");
    check(&["check", "-A", "all", "-W", "deadlock", "--fail-on", "warning", &fixture("hung.std")], 1, "");
    check(&["check", "-A", "all", "-D", "deadlock", &fixture("hung.std")], 1, "");
}

#[test]
fn lints_are_off_until_they_are_asked_for() {
    let hung = fixture("hung.std");
    let of = |levels: &[&str]| lockscope(&[&["check", "-A", "all"], levels, &[hung.as_str()]].concat());
    assert!(!of(&[]).stdout.contains("no-timeout"));
    let warned = of(&["-W", "no-timeout"]);
    assert!(warned.stdout.contains("warning[no-timeout]: teller waits for audit without a time limit"), "{warned:?}");
    assert_eq!(warned.code, Some(0));
    assert_eq!(of(&["-D", "no-timeout"]).code, Some(1));
    check(&["check", "-W", "all", "--fail-on", "warning", &fixture("one_order.std")], 0, "");
}

#[test]
fn wrong_usage_is_2() {
    check(&[], 2, "Usage: lockscope");
    check(&["chekc"], 2, "check");
    check(&["check"], 2, "<TRACE>");
    check(&["explain", "deadlok"], 2, "deadlock");
    check(&["check", "-D", "deadlok", "x"], 2, "deadlock");
    check(&["show", "x", "--at", "soon"], 2, "12.4s");
    check(&["show", "x", "--filter", "\"open"], 2, "closing quote");
    check(&["run"], 2, "<CMD>");
    check(&["check", "--source-map", "nothing", "x"], 2, "FROM=TO");
}

#[test]
fn a_dashboard_without_a_terminal_is_2() {
    check(&["top", &fixture("hung.std")], 2, "lockscope show TRACE threads");
    check(&["run", "--top", "--", "true"], 2, "needs a terminal");
}

#[test]
fn unreadable_input_is_3() {
    check(&["check", "/nowhere/trace.lks"], 3, "cannot read /nowhere/trace.lks: No such file");
    check(&["check", "/nowhere/trace.lks"], 3, "lockscope run -- PROGRAM");
    check(&["show", "/", "threads"], 3, "cannot read /");
    let (_dir, empty) = file("empty.lks", b"");
    check(&["check", &empty], 3, "empty.lks");
    let (_dir, foreign) = file("foreign.lks", b"\x7fELF\x02\x01\x01\x00 this is a program and not a trace");
    check(&["check", &foreign], 3, "foreign.lks");
    let (_dir, prose) = file("prose.std", b"T1|acq(A)|1\nthis is no event\n");
    check(&["check", &prose], 3, "prose.std:2");
}

#[test]
fn an_incomplete_trace_is_4_when_asked() {
    // A release of a lock that nobody holds: an error, or, leniently, a sign that events are missing.
    let (_dir, path) = file("gap.std", b"T1|acq(A)|1\nT1|rel(A)|2\nT1|rel(A)|3\n");
    check(&["check", &path], 3, "gap.std:3");
    check(&["check", "--lenient", &path], 0, "");
    check(&["check", "--lenient", "--strict", &path], 4, "");
    assert!(lockscope(&["check", "--lenient", &path]).stdout.contains("incomplete:"));
    // Findings weigh more than gaps.
    let hung = std::fs::read(fixture("hung.std")).expect("the fixture is there");
    let (_dir, path) = file("both.std", &[b"T1|rel(A)|1\n", hung.as_slice()].concat());
    check(&["check", "--lenient", "--strict", &path], 1, "");
}

/// One bad trace does not hide what the good ones say.
#[test]
fn the_rest_is_still_checked() {
    let ran = lockscope(&["check", "/nowhere/a.lks", &fixture("hung.std"), "/nowhere/b.lks"]);
    assert_eq!(ran.code, Some(3), "{ran:?}");
    assert!(ran.stdout.contains("error[deadlock]"), "{ran:?}");
    assert!(ran.stderr.contains("/nowhere/a.lks") && ran.stderr.contains("/nowhere/b.lks"), "{ran:?}");
}

#[test]
fn a_reader_that_has_had_enough_is_success() {
    for arguments in [
        &["show", &fixture("hung.std"), "events"][..],
        &["completions", "bash"],
        &["explain", "--list"],
        &["check", &fixture("hung.std")],
    ] {
        let mut child =
            command(arguments).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("the program starts");
        // Closed before anything is read, whether the program has begun to write or not.
        drop(child.stdout.take());
        let output = child.wait_with_output().expect("it ends");
        let stderr = String::from_utf8_lossy(&output.stderr);
        assert!(stderr.is_empty(), "{arguments:?}: {stderr}");
        assert!(matches!(output.status.code(), Some(0 | 1)), "{arguments:?}: {:?}", output.status);
    }
}

#[test]
fn names_in_errors_cannot_drive_the_terminal() {
    let ran = lockscope(&["check", "/nowhere/a\u{1b}[2Jb.lks"]);
    assert!(!ran.stderr.contains('\u{1b}'), "{ran:?}");
    let (_dir, path) = file("names.std", "T\u{1b}[31m|acq(A\u{7})|1\n".as_bytes());
    for what in ["threads", "locks", "events", "stats"] {
        let ran = lockscope(&["show", &path, what]);
        assert!(
            !ran.stdout.contains(['\u{1b}', '\u{7}']) && !ran.stderr.contains(['\u{1b}', '\u{7}']),
            "{what}: {ran:?}"
        );
    }
}
