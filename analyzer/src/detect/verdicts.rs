//! Verdicts that other tools get wrong, one beside the other: what must be quiet, and the nearest thing that must be found.

use crate::testing::{check, findings};

/// A trace of which nothing must be said, then one like it with what must be found.
const QUIET: &[(&str, &str, &str, &[&str])] = &[
    (
        "both orders under one gate lock",
        "A: lock g, lock a, lock b, unlock b, unlock a, unlock g; B: lock g, lock b, lock a, unlock a, unlock b, unlock g",
        "A: lock g, lock a, lock b, unlock b, unlock a, unlock g; B: lock h, lock b, lock a, unlock a, unlock b, unlock h",
        &["lock-order-inversion a b"],
    ),
    (
        "readers only",
        "A: read a, read b, unlock b, unlock a; B: read b, read a, unlock a, unlock b",
        "A: read a, read b, unlock b, unlock a; B: read b, read a, unlock a, unlock b; C: lock a, unlock a; D: lock b, unlock b",
        &["lock-order-inversion a b"],
    ),
    (
        "an inversion through a try",
        "A: lock a, lock b, unlock b, unlock a; B: lock b, try a, unlock a, unlock b",
        "A: lock a, lock b, unlock b, unlock a; B: try b, lock a, unlock a, unlock b",
        &["lock-order-inversion a b"],
    ),
    (
        "a recursive read by the call that is meant for it",
        "A: read a, readagain a, unlock a, unlock a; B: lock a, unlock a",
        "A: read a, read a, unlock a, unlock a; B: lock a, unlock a",
        &["recursive-read a"],
    ),
    (
        "hand over hand, forwards by all",
        "A: lock n.1, lock n.2, unlock n.1, lock n.3, unlock n.2, unlock n.3; B: lock n.1, lock n.2, unlock n.1, unlock n.2",
        "A: lock n.1, lock n.2, unlock n.1, lock n.3, unlock n.2, unlock n.3; B: lock n.3, lock n.2, unlock n.3, unlock n.2",
        &["lock-order-inversion Mutex<u8> (n:1) #2 Mutex<u8> (n:1) #3"],
    ),
    (
        "guards released out of order",
        "A: lock a, lock b, unlock a, lock c, unlock b, unlock c; B: lock c, unlock c, lock a, unlock a",
        "A: lock a, lock b, unlock a, lock c, unlock b, unlock c; B: lock c, lock b, unlock b, unlock c",
        &["lock-order-inversion b c"],
    ),
    (
        "a guard released by another thread",
        "A: lock a; B: unlock a wrote A; A: lock b, unlock b; B: lock b, lock a, unlock a, unlock b",
        "A: lock a; B: lock c, unlock c; A: lock b, unlock b, unlock a; B: lock b, lock a, unlock a, unlock b",
        &["lock-order-inversion a b"],
    ),
    (
        "a new lock where one was destroyed",
        "A: lock a.1, lock b.1, unlock b.1, unlock a.1; M: destroy a.1; B: lock b.1, lock c.1, unlock c.1, unlock b.1",
        "A: lock a.1, lock b.1, unlock b.1, unlock a.1; M: destroy c.1; B: lock b.1, lock a.1, unlock a.1, unlock b.1",
        &["lock-order-inversion Mutex<u8> (a:1) Mutex<u8> (b:1)"],
    ),
    (
        "what is initialised is no lock",
        "A: once o, lock a, unlock a, unlock o; B: lock a, observe o, unlock a",
        "A: once o, lock a, unlock a, unlock o; B: lock a, once o, unlock o, unlock a",
        &["lock-order-inversion a o"],
    ),
    (
        "orders with a join between them",
        "M: spawn A; A: lock a, lock b, unlock b, unlock a, exit; M: join A, spawn B; B: lock b, lock a, unlock a, unlock b",
        "M: spawn A; A: lock a, lock b, unlock b, unlock a, exit; M: spawn B, join A; B: lock b, lock a, unlock a, unlock b",
        &["lock-order-inversion a b"],
    ),
    (
        "orders with a message between them",
        "A: lock a, lock b, unlock b, unlock a, send c; B: recv c, lock b, lock a, unlock a, unlock b",
        "A: lock a, lock b, unlock b, unlock a; B: lock b, lock a, unlock a, unlock b; A: send c; B: recv c",
        &["lock-order-inversion a b"],
    ),
    (
        "workers that have nothing to do when the program ends",
        "M: spawn A, spawn B, notify c; A: lock m, condwait c m, unlock m read; B: await jobs message; ended",
        "M: spawn A, spawn B, notify c; A: lock x, lock m, condwait c m, unlock m read; B: wait x; M: joinwait B; killed",
        &["deadlock c x"],
    ),
    (
        "threads that meet at a barrier",
        "M: spawn A; A: arrive r[2], await r party; M: arrive r; A: got r, leave r; M: leave r, joinwait A; A: exit; M: join A; ended",
        "M: spawn A; A: arrive r[2], await r party; M: joinwait A; killed",
        &["deadlock r"],
    ),
    (
        "a wait with a time limit",
        "M: spawn A; A: lock x, lock m, condwait c m limited, unlock m read; M: wait x; killed",
        "M: spawn A; A: lock x, lock m, condwait c m, unlock m read; M: wait x; killed",
        &["deadlock c x"],
    ),
];

#[test]
fn what_must_be_quiet_and_its_twin() {
    for (what, quiet, twin, expected) in QUIET {
        println!("{what}");
        check(quiet, &[]);
        check(twin, expected);
    }
}

/// However often it repeats, one finding with a count.
const ONCE: &[(&str, &str, &str)] = &[
    (
        "two locks",
        "A: lock a #1, lock b #2, unlock b, unlock a; B: lock b #3, lock a #4, unlock a, unlock b;",
        "lock-order-inversion",
    ),
    (
        "three locks",
        "A: lock a #1, lock b #2, unlock b, unlock a; B: lock b #3, lock c #4, unlock c, unlock b; C: lock c #5, lock a #6, unlock a, unlock c;",
        "lock-order-inversion",
    ),
    (
        "five locks",
        "A: lock a #1, lock b #1, unlock b, unlock a; B: lock b #1, lock c #1, unlock c, unlock b; C: lock c #1, lock d #1, unlock d, unlock c; D: lock d #1, lock e #1, unlock e, unlock d; E: lock e #1, lock a #1, unlock a, unlock e;",
        "lock-order-inversion",
    ),
    (
        "a mutex against a read lock that is also written",
        "W: lock r #9, unlock r; A: lock a #1, read r #2, unlock r, unlock a; B: read r #3, lock a #4, unlock a, unlock r;",
        "lock-order-inversion",
    ),
    (
        "a mutex that a wait takes back",
        "A: lock a #1, lock m #2, condwait c m #3, unlock m read, reget m #3, condwake c m #3, unlock m read, unlock a; B: lock m #4, lock a #5, unlock a, unlock m;",
        "lock-order-inversion",
    ),
    ("a recursive read", "A: read a #1, read a #2, unlock a, unlock a;", "recursive-read"),
    ("ranks", "A: lock a^2 #1, lock b^1 #2, unlock b, unlock a;", "hierarchy-violation"),
    (
        "a deadlock that a time limit ends",
        "A: lock a #1; B: lock b #2; A: wait b #3; B: wait a #4; A: timeout b #3, unlock a; B: lock a #4, unlock a, unlock b;",
        "deadlock",
    ),
];

#[test]
fn what_repeats_is_reported_once() {
    for (what, round, code) in ONCE {
        let found = findings(&round.repeat(1000));
        let codes: Vec<&str> = found.iter().map(|finding| finding.code.as_str()).collect();
        assert_eq!(codes, [*code], "{what}: {found:#?}");
        assert_eq!(found[0].count, 1000, "{what}");
    }
}

#[test]
fn a_lock_in_the_middle_of_a_chain_may_be_gone() {
    let chain = "A: lock a, lock b, unlock b, unlock a; B: lock b, lock c, unlock c, unlock b;";
    check(&format!("{chain} C: lock c, lock a"), &["lock-order-inversion a b c"]);
    check(&format!("{chain} B: destroy b; C: lock c, lock a"), &["lock-order-inversion a b c"]);
    // Held together, the ends have an order of their own.
    let nested = "A: lock a, lock b, lock c, unlock c, unlock b, unlock a, destroy b;";
    check(&format!("{nested} C: lock c, lock a"), &["lock-order-inversion a c"]);
}
