//! `lockscope export`: files, streams and what is wrong.

use crate::support::{fixture, lockscope};

#[test]
fn every_format_is_written() {
    let trace = fixture("hung.std");
    for (format, expected) in [
        ("chrome", "\"traceEvents\":["),
        ("std", "|acq(L"),
        ("jsonl", "{\"version\":1,\"event\":1,"),
        ("folded", "teller;loc:13;audit 2"),
    ] {
        let ran = lockscope(&["export", &trace, "--to", format]);
        assert_eq!(ran.code, Some(0), "{format}: {ran:?}");
        assert!(ran.stdout.contains(expected), "{format}: {}", ran.stdout);
    }
    let dir = tempfile::tempdir().expect("a directory for the test");
    let path = dir.path().join("x.pftrace");
    let ran = lockscope(&["export", &trace, "--to", "perfetto", "-o", path.to_str().expect("a path of text")]);
    assert_eq!((ran.code, ran.stdout.as_str()), (Some(0), ""), "{ran:?}");
    assert!(ran.stderr.contains("event n is shown at n microseconds"), "{ran:?}");
    let bytes = std::fs::read(&path).expect("it was written");
    // A trace is packets, field 1.
    assert_eq!(bytes.first(), Some(&0x0a));
}

#[test]
fn what_cannot_be_done_is_told() {
    let trace = fixture("hung.std");
    for (arguments, code, expected) in [
        (&["export", &trace, "--to", "speedscope"][..], 2, "invalid value"),
        (&["export", &trace], 2, "--to"),
        (&["export", &trace, "--to", "chrome", "--extended"], 2, "--extended is for --to std"),
        (&["export", &trace, "--to", "jsonl", "-o", "/nowhere/x"], 3, "cannot write /nowhere/x"),
        (&["export", "/nowhere/x.lks", "--to", "jsonl"], 3, "cannot read /nowhere/x.lks"),
    ] {
        let ran = lockscope(arguments);
        assert_eq!(ran.code, Some(code), "{arguments:?}: {ran:?}");
        assert!(ran.stderr.contains(expected), "{arguments:?}: {}", ran.stderr);
    }
}
