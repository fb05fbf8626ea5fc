//! Tables and graphs of a trace, as text.

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
                "warning[lock-order-inversion]: ",
                "`teller` then takes `audit` here",
                "`auditor` took `audit` here",
                "1 warning; 3 threads",
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
