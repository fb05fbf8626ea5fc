//! What races and what does not, by traces in words.

use super::*;
use crate::{
    engine::{EngineId, Engines},
    testing::parse,
};

fn run(trace: &str, engine: EngineId) -> (Vec<Vec<u64>>, Vec<Finding>) {
    let (events, definitions) = parse(trace);
    let mut engines = Engines::new(&Options { engines: vec![engine], all: true, ..Options::default() });
    engines.feed(&events, &definitions);
    let all = engines.occurrences(&definitions).into_iter().map(|finding| finding.events).collect();
    (all, engines.findings(&definitions))
}

/// Checks which pairs of accesses race by happens-before, and of which schedulable happens-before says so, too.
#[track_caller]
fn check(trace: &str, hb: &[[u64; 2]], shb: &[[u64; 2]]) {
    assert_eq!(run(trace, EngineId::Hb).0, hb, "{trace}");
    assert_eq!(run(trace, EngineId::Shb).0, shb, "{trace}");
}

#[track_caller]
fn check_both(trace: &str, expected: &[[u64; 2]]) {
    check(trace, expected, expected);
}

#[test]
fn unordered_accesses_race_unless_both_read() {
    check_both("A: set x; B: set x", &[[1, 2]]);
    check_both("A: set x; B: get x", &[[1, 2]]);
    check_both("A: get x; B: set x", &[[1, 2]]);
    check_both("A: get x; B: get x", &[]);
    check_both("A: set x; B: set y", &[]);
    check_both("A: set x, set x, get x", &[]);
}

#[test]
fn locks_order() {
    check_both("A: lock a, set x, unlock a; B: lock a, set x, unlock a", &[]);
    check_both("A: lock a, set x, unlock a; B: lock b, set x, unlock b", &[[2, 5]]);
    check_both("A: lock a, set x, unlock a; B: read a, get x, unlock a; C: read a, get x, unlock a", &[]);
    check_both("A: read a, set x, unlock a; B: read a, set x, unlock a", &[[2, 5]]);
    check_both("A: read a, get x, unlock a; B: lock a, set x, unlock a", &[]);
    check_both("A: upread a, set x, unlock a; B: upread a, set x, unlock a", &[]);
}

#[test]
fn what_races_is_kept_beside_what_comes_after() {
    // FastTrack would forget the first write at the second, which races with it.
    check_both("A: set x; B: set x, send c; C: recv c, set x", &[[1, 2], [1, 5]]);
    check_both("A: set x, send c; B: set x, send d; C: recv c, recv d, set x, get x", &[[1, 3]]);
    // Reads that were ordered before a write are forgotten: what is not after them is not after the write, either.
    check_both("A: get x, send c; B: recv c, set x; C: set x", &[[4, 5]]);
    let writes = "A: get x; B: get x; C: set x; D: get x, set x";
    check(writes, &[[2, 3], [3, 4], [3, 5]], &[[2, 3], [3, 4], [2, 5]]);
    // The first access of a time stands for all of that time.
    check_both("A: get x, get x, get x; B: set x; A: get x", &[[1, 4], [4, 5]]);
}

#[test]
fn a_read_is_after_the_write_that_it_reads() {
    // The reads and writes of y come only after x was read so: in no schedule of the same events do those of y meet.
    check("A: set y, set x; B: get x, get y", &[[2, 3], [1, 4]], &[[2, 3]]);
    // But the writes that nobody reads order nothing.
    check("A: set y, set x; B: set x, get y", &[[2, 3], [1, 4]], &[[2, 3], [1, 4]]);
}

#[test]
fn threads_that_share_a_read_lock_are_many() {
    let readers: String = (0..100).map(|n| format!("R{n}: read a, get x, unlock a;")).collect();
    check_both(&format!("A: lock a, set x, unlock a; {readers} A: lock a, set x, unlock a"), &[]);
    let (all, _) = run(&format!("{readers} A: set x"), EngineId::Hb);
    assert_eq!(all, [[299, 301]], "the latest of all that race");
}

#[test]
fn races_between_the_same_places_are_one_finding() {
    let trace = "A: set x #1; B: set x #2;".repeat(10);
    let (all, found) = run(&trace, EngineId::Hb);
    assert_eq!((all.len(), found.len(), found[0].count), (19, 1, 19));
    let held = run("A: lock a, set x, unlock a; B: lock b, set x", EngineId::Hb).1;
    assert_eq!(held[0].title, "A writes and B writes x, and nothing orders the two");
    assert_eq!(held[0].notes, ["no lock is common to both: A holds a, B holds b"]);
    assert_eq!(held[0].participants[1].held[0].event, 4);
    let alone = run("A: set x; B: get x", EngineId::Shb).1;
    assert_eq!(alone[0].notes, ["neither A nor B holds a lock there"]);
}

#[test]
fn places_are_told_apart_and_locations_made_alike_are_not() {
    let places = "A: set x #1, set y #1; B: set x #2, set y #2";
    let (all, found) = run(places, EngineId::Hb);
    assert_eq!((all.len(), found.len()), (2, 1));
    assert!(found[0].notes.iter().any(|note| note.contains("other locations")), "{:?}", found[0].notes);
}
