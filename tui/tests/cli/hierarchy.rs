//! `lockscope hierarchy`: the file that is written, and the comparison with it.

use crate::support::{file, fixture, lockscope};

#[test]
fn the_order_of_a_program_is_a_file() {
    let ran = lockscope(&["hierarchy", &fixture("one_order.std")]);
    assert_eq!(ran.code, Some(0), "{ran:?}");
    insta::assert_snapshot!(ran.stdout);
}

#[test]
fn code_and_file_part_ways() {
    let written = lockscope(&["hierarchy", &fixture("one_order.std")]).stdout;
    let (_dir, path) = file("h.toml", written.as_bytes());
    let check = |trace: &str| lockscope(&["hierarchy", "--check", &path, &fixture(trace)]);
    let same = check("one_order.std");
    assert_eq!(same.code, Some(0), "{same:?}");
    assert!(same.stdout.contains("keeps to"), "{same:?}");
    let other = check("inverted.std");
    assert_eq!(other.code, Some(1), "{other:?}");
    assert!(other.stdout.contains("`accounts` (rank 10) is taken while `audit` (rank 20) is held"), "{other:?}");
    let (_dir, path) =
        file("less.toml", b"[[lock]]\nname = \"accounts\"\nrank = 10\n[[lock]]\nname = \"old\"\nrank = 5\n");
    let less = lockscope(&["hierarchy", "--check", &path, &fixture("one_order.std")]);
    assert_eq!(less.code, Some(1), "{less:?}");
    assert!(less.stdout.contains("`audit` is nested with other locks and not in the file"), "{less:?}");
    assert!(less.stdout.contains("`old` of the file is not nested"), "{less:?}");
}

#[test]
fn circles_have_no_rank() {
    let ran = lockscope(&["hierarchy", &fixture("inverted.std")]);
    assert!(ran.stdout.contains("# No rank: it is taken in both orders"), "{}", ran.stdout);
    assert!(!ran.stdout.contains("\nrank = "), "{}", ran.stdout);
}

#[test]
fn files_that_are_none_are_told() {
    let (_dir, path) = file("h.toml", b"[[lock]]\nrank = 1\n");
    let ran = lockscope(&["hierarchy", "--check", &path, &fixture("one_order.std")]);
    assert!(ran.code == Some(2) && ran.stderr.contains("h.toml:1: a lock needs `name` or `made`"), "{ran:?}");
    let ran = lockscope(&["hierarchy", "--check", "/nowhere/h.toml", &fixture("one_order.std")]);
    assert!(ran.code == Some(3) && ran.stderr.contains("cannot read the hierarchy /nowhere/h.toml"), "{ran:?}");
}
