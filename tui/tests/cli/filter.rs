//! `--filter` of what is found.

use crate::support::{Ran, fixture, lockscope};

fn check(filter: &str) -> Ran {
    lockscope(&["check", "--filter", filter, &fixture("hung.std"), &fixture("inverted.std")])
}

#[test]
fn only_what_fits_is_reported_and_counts() {
    for (filter, codes, exit) in [
        ("", &["error[deadlock]", "error[predicted-deadlock]"][..], 1),
        ("code:deadlock*", &["error[deadlock]"], 1),
        ("-conf:actual title:deadlock", &["error[predicted-deadlock]"], 1),
        ("lock:audit conf:actual sev>=warning", &["error[deadlock]"], 1),
        ("site:nowhere.rs", &[], 0),
    ] {
        let ran = check(filter);
        assert_eq!(ran.code, Some(exit), "{filter}: {ran:?}");
        let found: Vec<&str> = ran
            .stdout
            .lines()
            .filter(|line| line.starts_with("error["))
            .filter_map(|line| line.split(':').next())
            .collect();
        assert_eq!(found, codes, "{filter}: {ran:?}");
        let n_left_out = 2 - codes.len();
        assert_eq!(ran.stdout.matches("(1 filtered out)").count(), n_left_out, "{filter}: {ran:?}");
    }
    let quiet = lockscope(&["check", "--format", "short", "--filter", "code:deadlock*", &fixture("inverted.std")]);
    assert!(quiet.code == Some(0) && quiet.stdout.is_empty(), "{quiet:?}");
}

#[test]
fn errors_are_marked_where_they_are() {
    for (filter, text, mark) in [
        ("code:deadlock (", "code:deadlock (", "               ^"),
        ("state:blocked", "this list has no `state`; it has thread, lock, site, code, title", "^^^^^"),
        ("count > many", "`count` expects a number, as 3", "        ^^^^"),
    ] {
        let ran = check(filter);
        assert!(ran.code == Some(2) && ran.stdout.is_empty(), "{filter}: {ran:?}");
        assert!(ran.stderr.contains("--filter") && ran.stderr.contains(text), "{filter}: {ran:?}");
        assert!(ran.stderr.lines().any(|line| line.strip_prefix("  ") == Some(mark)), "{filter}: {}", ran.stderr);
    }
}
