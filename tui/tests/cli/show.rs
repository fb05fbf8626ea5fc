//! Tables and graphs of a trace, as text.

use lockscope_trace_bench::Shape;
use serde_json::Value;

use crate::support::{fixture, lockscope};

/// The path of the fixture depends on where the repository is.
fn shown(arguments: &[&str]) -> String {
    let ran = lockscope(arguments);
    assert_eq!(ran.code, Some(0), "{arguments:?}: {ran:?}");
    assert_eq!(ran.stderr, "", "{arguments:?}");
    ran.stdout.replace(&fixture(""), "FIXTURES/")
}

#[test]
fn what_is_shown() {
    let trace = fixture("hung.std");
    for (name, arguments) in [
        ("show_threads", &["show", &trace][..]),
        ("show_threads_at", &["show", &trace, "threads", "--at", "#7"]),
        ("show_threads_filtered", &["show", &trace, "threads", "--filter", "state:blocked -teller"]),
        ("show_locks", &["show", &trace, "locks"]),
        ("show_order", &["show", &trace, "order"]),
        ("show_contention", &["show", &trace, "contention"]),
        ("show_events", &["show", &trace, "events"]),
        ("show_events_filtered", &["show", &trace, "events", "--at", "#12", "--filter", "lock:audit -op:released"]),
        ("show_stats", &["show", &trace, "stats"]),
        ("graph_wait", &["graph", &trace, "wait"]),
        ("graph_wait_ascii", &["graph", "--ascii", &trace, "wait"]),
        ("graph_wait_nobody", &["graph", &trace, "wait", "--at", "#9"]),
        ("graph_wait_dot", &["graph", &trace, "wait", "--format", "dot"]),
        ("graph_order", &["graph", &trace, "order"]),
        ("graph_order_mermaid", &["graph", &trace, "order", "--format", "mermaid"]),
        ("explain", &["explain", "--list"]),
    ] {
        insta::assert_snapshot!(name, shown(arguments));
    }
}

/// What the analyzer says is its own business; that it is shown with the places and in the right words is tested here.
#[test]
fn findings_for_people() {
    for (name, expected) in [
        (
            "hung",
            &[
                "error[deadlock]: ",
                "loc:13",
                "`teller` waits for `audit` here",
                "`auditor` took `audit` here",
                "1 error; 4 threads, 2 locks, 16 events",
            ][..],
        ),
        (
            "inverted",
            &[
                "error[predicted-deadlock]: ",
                "`teller` then takes `audit` here",
                "`auditor` took `audit` here",
                "1 error; 3 threads",
            ],
        ),
        ("one_order", &["no findings; 3 threads, 2 locks, 12 events"]),
    ] {
        let shown = lockscope(&["check", &fixture(&format!("{name}.std"))]).stdout;
        for text in expected {
            assert!(shown.contains(text), "{name} is shown with {text}:\n{shown}");
        }
    }
    let inverted = lockscope(&["check", &fixture("inverted.std")]).stdout;
    assert!(!inverted.contains("waits"), "nobody waited in this run:\n{inverted}");
}

#[test]
fn filters_keep_what_they_say() {
    let trace = fixture("hung.std");
    for (what, filter, expected) in [
        ("threads", "state:blocked", &["teller", "auditor"][..]),
        ("threads", "held >= 1 -auditor", &["teller"]),
        ("threads", "(thread:teller or thread:main) state:blocked", &["teller"]),
        ("events", "op:acquired lock:audit event > 8", &["#", "acquired"]),
    ] {
        let shown = lockscope(&["show", &trace, what, "--filter", filter]).stdout;
        assert!(expected.iter().any(|text| shown.contains(text)), "{filter}: {shown}");
    }
    let after = lockscope(&["show", &trace, "events", "--filter", "after:F1"]);
    assert!(after.code == Some(0) && after.stdout.lines().count() < 16, "{after:?}");
    let unknown = lockscope(&["show", &trace, "events", "--filter", "after:F9"]);
    assert!(unknown.code == Some(2) && unknown.stderr.contains("no finding F9"), "{unknown:?}");
    let none = lockscope(&["show", &trace, "locks", "--filter", "count > 1000"]).stdout;
    assert!(!none.contains("audit"), "{none}");
}

#[test]
fn wrong_filters_are_pointed_at() {
    let trace = fixture("hung.std");
    for (filter, expected) in [
        ("state:blocked wiat > 5ms", "did you mean `wait`"),
        ("op:wait", "this list has no `op`; it has thread"),
        ("wait > 5", "`wait` expects a time with its unit, as 5ms"),
    ] {
        let ran = lockscope(&["show", &trace, "threads", "--filter", filter]);
        assert_eq!(ran.code, Some(2), "{filter}: {ran:?}");
        assert!(ran.stderr.contains(expected) && ran.stderr.contains('^'), "{filter}: {}", ran.stderr);
    }
}

#[test]
fn what_was_asked_for_and_never_got_is_in_the_order() {
    let ran = lockscope(&["graph", &fixture("hung.std"), "order"]);
    for text in ["cycle of 2 locks", "accounts", "audit", "asked loc:21"] {
        assert!(ran.stdout.contains(text), "{text} is missing: {}", ran.stdout);
    }
}

/// A trace is added up without its order, or in order up to a point: both give the same.
#[test]
fn costs_do_not_depend_on_how_a_trace_is_read() {
    let dir = tempfile::tempdir().expect("a directory for the test");
    let path = dir.path().join("made.lks");
    let shape = Shape { events: 20_000, threads: 4, locks: 30, contention: 20, ..Shape::default() };
    let events = lockscope_trace_bench::write(&path, &shape).expect("there is room for it");
    let path = path.display().to_string();
    let contention = |options: &[&str]| {
        let text = shown(&[&["show", &path, "contention", "--format", "json"], options].concat());
        let output: Value = serde_json::from_str(&text).expect("JSON");
        output["contention"].clone()
    };
    let (whole, merged) = (contention(&[]), contention(&["--at", &format!("#{events}")]));
    // Times are those of a clock that is measured anew by each.
    let counts = |output: &Value, what: &str| {
        let rows = output[what].as_array().expect("a list").iter();
        let mut counts: Vec<String> = rows
            .map(|row| {
                let times = ["wait", "hold"].map(|time| row[time]["count"].to_string());
                let of = (row["lock"]["id"].to_string(), row["site"]["line"].to_string());
                format!("{of:?} {} {} {} {times:?}", row["acquisitions"], row["shared"], row["contended"])
            })
            .collect();
        counts.sort_unstable();
        counts
    };
    for (what, n) in [("locks", 30), ("sites", 60)] {
        assert_eq!(counts(&whole, what).len(), n);
        assert_eq!(counts(&whole, what), counts(&merged, what));
    }
    let filtered = contention(&["--filter", "contended > 10%"]);
    let n_kept = counts(&filtered, "locks").len();
    assert!(n_kept > 0 && n_kept < 30, "{n_kept}");
}
