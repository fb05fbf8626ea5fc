//! `lockscope run`, with programs that record nothing and with one that leaves a trace as a recorder would.
//!
//! What real programs record is tested with the examples.

use std::path::Path;

use crate::support::{Ran, command, finish, fixture};

/// A shell that writes the fixture's trace to where `LOCKSCOPE` says, then goes on with `then`.
///
/// The recorder puts its process id where `%p` is; so does this.
fn recording(then: &str) -> String {
    format!(
        "path=$(printf '%s' \"$LOCKSCOPE\" | tr ',' '\\n' | sed -n 's/^record=//p' | sed \"s/%p/$$/; s/%e/sh/\"); cp '{}' \"$path\"; {then}",
        fixture("hung.std")
    )
}

fn run(dir: &Path, options: &[&str], script: &str) -> Ran {
    finish(command(&[&["run"], options, &["--", "sh", "-c", script]].concat()).current_dir(dir))
}

fn dir() -> tempfile::TempDir {
    tempfile::tempdir().expect("a directory for the test")
}

#[test]
fn the_programs_exit_code_is_passed_on() {
    let dir = dir();
    for (script, code) in
        [("exit 0", 0), ("exit 7", 7), ("exit 66", 66), ("kill -KILL $$", 137), ("kill -TERM $$", 143)]
    {
        let ran = run(dir.path(), &[], script);
        assert_eq!(ran.code, Some(code), "{script}: {ran:?}");
        assert!(ran.stderr.contains("the program recorded nothing"), "{ran:?}");
    }
}

#[test]
fn findings_decide_the_exit_code_as_asked() {
    for (options, then, code) in [
        (&[][..], "exit 0", 1),
        (&[], "exit 7", 1),
        (&["--fail-on", "never"], "exit 7", 7),
        (&["--exit-code", "child"], "exit 7", 7),
        (&["--exit-code", "child"], "exit 0", 0),
        (&["--exit-code", "findings", "--fail-on", "never"], "exit 7", 0),
        (&["--exit-code", "findings"], "exit 0", 1),
        (&["-A", "all"], "exit 7", 7),
    ] {
        let dir = dir();
        let ran = run(dir.path(), options, &recording(then));
        assert_eq!(ran.code, Some(code), "{options:?} {then}: {ran:?}");
    }
}

#[test]
fn the_programs_output_stays_its_own() {
    let dir = dir();
    let ran = run(dir.path(), &[], &recording("echo from the program; echo and its errors >&2"));
    assert_eq!(ran.stdout, "from the program\n");
    for text in ["and its errors", "error[deadlock]", "look closer: lockscope top sh-"] {
        assert!(ran.stderr.contains(text), "{text}: {ran:?}");
    }
}

#[test]
fn every_trace_that_appeared_is_checked() {
    let dir = dir();
    std::fs::create_dir(dir.path().join("target")).expect("a directory");
    let script = format!("({}) & ({}) & wait", recording("").replace("$$", "$$1"), recording("").replace("$$", "$$2"));
    let ran = run(dir.path(), &[], &script);
    assert_eq!(ran.code, Some(1), "{ran:?}");
    assert!(ran.stderr.contains("2 traces recorded, 2 with findings"), "{ran:?}");
    let traces = std::fs::read_dir(dir.path().join("target/lockscope")).expect("the default directory").count();
    assert_eq!(traces, 2);
    // What was there before is not this run's.
    let ran = run(dir.path(), &[], "exit 0");
    assert!(ran.stderr.contains("the program recorded nothing"), "{ran:?}");
}

#[test]
fn the_environment_is_merged() {
    let dir = dir();
    let show = "printf '%s' \"$LOCKSCOPE\"";
    let base = dir.path().to_str().expect("a path of text").to_owned();
    for (options, variable, expected) in [
        (&[][..], None, format!("record={base}/%e-%p.lks,deadlock=exit")),
        (
            &["-o", "x.lks", "--size", "1M", "--on-deadlock", "abort"],
            None,
            format!("record={base}/x.lks,size=1M,deadlock=abort"),
        ),
        (&[], Some("deadlock=panic,order=off"), format!("deadlock=panic,order=off,record={base}/%e-%p.lks")),
        (&[], Some("record=off"), "record=off,deadlock=exit".to_owned()),
    ] {
        let mut command = command(&[&["run"], options, &["--", "sh", "-c", show]].concat());
        command.current_dir(dir.path()).envs(variable.map(|value| ("LOCKSCOPE", value)));
        assert_eq!(finish(&mut command).stdout, expected, "{options:?} {variable:?}");
    }
}

#[test]
fn programs_that_cannot_be_started_are_126_and_127() {
    let dir = dir();
    std::fs::write(dir.path().join("data"), "no program").expect("a file");
    for (program, code, message) in [
        ("./nothing-here", 127, "build it first"),
        ("no-such-program", 127, "not in PATH"),
        ("./data", 126, "cannot start ./data"),
    ] {
        let ran = finish(command(&["run", "--", program]).current_dir(dir.path()));
        assert_eq!(ran.code, Some(code), "{program}: {ran:?}");
        assert!(ran.stderr.contains(message), "{program}: {ran:?}");
    }
}

#[test]
fn files_that_are_no_traces_are_not_overwritten() {
    let dir = dir();
    std::fs::write(dir.path().join("notes.txt"), "my notes").expect("a file");
    let ran = run(dir.path(), &["-o", "notes.txt"], "exit 0");
    assert_eq!(ran.code, Some(2), "{ran:?}");
    assert!(ran.stderr.contains("exists and is no trace"), "{ran:?}");
    assert_eq!(std::fs::read(dir.path().join("notes.txt")).expect("it is still there"), b"my notes");
}

#[test]
fn a_killed_program_leaves_who_waited_for_what() {
    let dir = dir();
    let ran = run(dir.path(), &["-A", "all"], &recording("kill -TERM $$"));
    assert_eq!(ran.code, Some(143), "{ran:?}");
    for text in ["when it was killed:", "teller", "wants", "held by"] {
        assert!(ran.stderr.contains(text), "{text}: {}", ran.stderr);
    }
    let ran = run(dir.path(), &["-A", "all"], &recording("exit 0"));
    assert!(!ran.stderr.contains("when it was killed:"), "{ran:?}");
}
