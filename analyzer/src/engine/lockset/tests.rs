//! What is consistent and what is not, by traces in words.

use super::*;
use crate::{
    engine::{EngineId, Engines},
    testing::parse,
};

fn run(trace: &str) -> (Vec<u64>, Vec<Finding>) {
    let (events, definitions) = parse(trace);
    let mut engines = Engines::new(&Options { engines: vec![EngineId::Lockset], all: true, ..Options::default() });
    engines.feed(&events, &definitions);
    let all = engines.occurrences(&definitions).iter().filter_map(|finding| finding.events.last().copied()).collect();
    (all, engines.findings(&definitions))
}

/// Checks how many locations are reported, and at which accesses the plain discipline is broken.
#[track_caller]
fn check(trace: &str, found: usize, disciplined: &[u64]) {
    let (all, findings) = run(trace);
    assert_eq!((findings.len(), all.as_slice()), (found, disciplined), "{trace}: {findings:#?}");
}

#[test]
fn one_lock_for_all_accesses() {
    check("A: lock a, set x, unlock a; B: lock a, set x, unlock a", 0, &[]);
    check("A: lock a, set x, unlock a; B: lock b, set x, unlock b; A: lock a, set x", 1, &[5, 8]);
    check("A: lock a, lock b, set x, unlock b, unlock a; B: lock a, set x, unlock a; C: lock b, set x", 1, &[10]);
    check("A: lock a, set x, unlock a; B: set x", 1, &[4]);
}

#[test]
fn states() {
    // Only one thread.
    check("A: set x, get x, lock a, set x", 0, &[]);
    // Written by one, read by others: nothing to report until somebody else writes.
    check("A: set x; B: get x; C: get x", 0, &[2, 3]);
    check("A: set x; B: get x; C: set x", 1, &[2, 3]);
    check("A: get x; B: get x", 0, &[]);
    // The initialisation needs no lock.
    check("A: set x; B: lock a, set x, unlock a; A: lock a, set x", 0, &[3, 6]);
}

#[test]
fn a_location_is_handed_on() {
    check("A: set x, spawn B; B: set x; A: join B, set x", 0, &[3, 5]);
    check("A: set x, spawn B, set x; B: set x", 1, &[4]);
    check("A: set x, send c; B: recv c, set x, send d; A: recv d, set x", 0, &[4, 7]);
    // Several read at a time, and one thread writes when all are done.
    check("A: set x, spawn B, spawn C; B: get x; C: get x; A: join B, join C, set x", 0, &[4, 5, 8]);
    check("A: set x, spawn B, spawn C; B: get x; C: get x; A: join B, set x", 1, &[4, 5, 7]);
    // That one got the lock after the other is no order.
    check("A: lock a, set x, unlock a; B: lock a, unlock a, set x", 1, &[6]);
}

#[test]
fn a_read_lock_protects_reads() {
    check("A: lock a, set x, unlock a; B: read a, get x, unlock a; A: lock a, set x", 0, &[]);
    check("A: lock a, set x, unlock a; B: read a, set x, unlock a", 1, &[5]);
    check("A: permit s[1], set x, permitback s; B: permit s, set x, permitback s", 0, &[]);
    check("A: permit s[2], set x, permitback s; B: permit s, set x, permitback s", 1, &[5]);
}

#[test]
fn many_locks_at_once() {
    let locks = |count: u32| (0..count).map(|n| format!("lock l{n}, ")).collect::<String>();
    let unlocks = |count: u32| (0..count).map(|n| format!(", unlock l{n}")).collect::<String>();
    let section = |count| format!("{}set x{}", locks(count), unlocks(count));
    check(&format!("A: {}; B: {}; A: {}", section(9), section(7), section(1)), 0, &[]);
    check(&format!("A: {}; B: {}; A: set x", section(9), section(7)), 1, &[35]);
}
