//! The facade against the original: every stable method of what it has of std.
//!
//! The files in `parity/` are compiled twice, once with `subject` being std and once with `subject` being this crate.
//! A method that the facade lacks, or has with another signature, does not compile; one that behaves differently
//! fails for one of the two. With `RUSTFLAGS="--cfg lockscope_off"` the same tests run against the facade when it is
//! off.
#![allow(clippy::duplicate_mod, reason = "that is the idea")]

#[path = "parity/auto_traits.rs"]
mod auto_traits;

#[path = "parity"]
mod original {
    use std as subject;

    mod atomic;
    mod barrier;
    mod cell;
    mod condvar;
    mod lazy_lock;
    mod mpsc;
    mod mutex;
    mod once;
    mod once_lock;
    mod rwlock;
    mod thread;
}

#[path = "parity"]
mod facade {
    use lockscope as subject;

    mod atomic;
    mod barrier;
    mod cell;
    mod condvar;
    mod lazy_lock;
    mod mpsc;
    mod mutex;
    mod once;
    mod once_lock;
    mod rwlock;
    mod thread;
}

/// All of the above once more, in a process that records; what it records must be whole.
#[cfg(all(not(lockscope_off), any(debug_assertions, feature = "force")))]
#[test]
fn while_recording() {
    use lockscope_trace::{EventSource as _, Progress, reader::Reader};

    let dir = tempfile::tempdir().unwrap();
    let trace = dir.path().join("parity.lks");
    let output = std::process::Command::new(std::env::current_exe().unwrap())
        .args(["--skip", "while_recording"])
        .env("LOCKSCOPE", format!("record={}", trace.display()))
        .output()
        .expect("this program can be run");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stdout));
    let mut reader = Reader::open(&trace).unwrap();
    let mut events = Vec::new();
    while reader.poll(&mut events).unwrap() != Progress::Ended {}
    assert!(reader.completeness().is_complete(), "{:#?}", reader.completeness());
    assert!(events.len() > 10_000, "{} events", events.len());
}
