//! Each kind of thing that keeps threads apart: a pair of traces, one with a deadlock that can be predicted, one without.

use std::collections::BTreeSet;

use crate::{
    Analysis, EngineId, Options,
    engine::{Claims, Outcome},
    testing::parse,
};

const AB: &str = "A: lock a, lock b, unlock b, unlock a;";
const BA: &str = "B: lock b, lock a, unlock a, unlock b;";

fn outcomes(trace: &str) -> (Vec<Outcome>, lockscope_trace::Definitions) {
    let (events, definitions) = parse(trace);
    let mut analysis = Analysis::new(Options { engines: vec![EngineId::Spd], all: true, ..Options::default() });
    analysis.feed_batch(&events, &definitions);
    let mut claims = Claims::new(analysis.claims(&definitions));
    claims.feed(&events, &definitions);
    (claims.finish(&definitions), definitions)
}

/// Checks that exactly these circles are predicted, each as the names of its locks, and that all of them are proved.
#[track_caller]
fn check(parts: &[&str], expected: &[&str]) {
    let trace = parts.join(" ").trim_end_matches(';').to_owned();
    let (outcomes, definitions) = outcomes(&trace);
    let mut found = BTreeSet::new();
    for Outcome { claim, proof } in &outcomes {
        let finding = proof.as_ref().unwrap_or_else(|why| panic!("{why}: {claim:?}\n{trace}"));
        let mut names: Vec<String> = finding.locks.iter().map(|&lock| definitions.lock_name(lock)).collect();
        names.sort();
        found.insert(names.join(" "));
    }
    let expected: BTreeSet<String> = expected.iter().map(|&names| names.to_owned()).collect();
    assert_eq!(found, expected, "{trace}");
}

#[test]
fn forks_and_joins() {
    check(&["M: spawn A, spawn B;", AB, BA], &["a b"]);
    check(&["M: spawn A;", AB, "M: join A, spawn B;", BA], &[]);
}

#[test]
fn gates() {
    let gated = |gate: &str| [format!("A: {gate} g;"), AB.into(), "A: unlock g;".into()].concat();
    let other = |gate: &str| [format!("B: {gate} g;"), BA.into(), "B: unlock g;".into()].concat();
    check(&[&gated("lock"), &other("lock")], &[]);
    check(&[&gated("read"), &other("read")], &["a b"]);
    check(&[&gated("read"), &other("lock")], &[]);
}

#[test]
fn readers() {
    check(&["A: read a, read b, unlock b, unlock a; B: read b, read a, unlock a, unlock b"], &[]);
    check(&["A: lock a, read b, unlock b, unlock a; B: lock b, read a, unlock a, unlock b"], &["a b"]);
    check(&["A: read a, lock b, unlock b, unlock a; B: read b, lock a, unlock a, unlock b"], &["a b"]);
    check(&["A: lock a, read b, unlock b, unlock a; B: read b, lock a, unlock a, unlock b"], &[]);
}

#[test]
fn upgrades() {
    let upgrade = "A: upread u, lock b, upgrade u, unlock b, unlock u;";
    check(&[upgrade, "B: read u, lock b, unlock b, unlock u"], &["b u"]);
    check(&["A: upread u, lock b, unlock b, upgrade u, unlock u; B: read u, lock b, unlock b, unlock u"], &[]);
    // Only one of two can have it upgradably.
    check(&[upgrade, "B: upread u, lock b, unlock b, unlock u"], &[]);
}

#[test]
fn tries_and_time_limits_end_by_themselves() {
    check(&[AB, "B: lock b, try a, unlock a, unlock b"], &[]);
    check(&[AB, "B: lock b, timed a, unlock a, unlock b"], &[]);
    check(&[AB, "B: try b, lock a, unlock a, unlock b"], &["a b"]);
}

#[test]
fn messages() {
    check(&[AB, "A: send c; B: recv c;", BA], &[]);
    check(&["A: send c;", AB, "B: recv c;", BA], &["a b"]);
    // Through a third thread, and through a full channel.
    check(&[AB, "A: send c; C: recv c, send d; B: recv d;", BA], &[]);
    check(&["B: send c[1], send c, await c room;", AB, "A: recv c; B: got c;", BA], &[]);
    check(&["B: send c[2], send c;", AB, "A: recv c;", BA], &["a b"]);
}

#[test]
fn other_objects() {
    let round = "A: arrive r[2]; B: arrive r, leave r; A: leave r;";
    check(&[AB, round, BA], &[]);
    check(&[round, AB, BA], &["a b"]);
    check(&[AB, "B: park; A: unpark B; B: unparked;", BA], &[]);
    check(&["B: park; A: unpark B; B: unparked;", AB, BA], &["a b"]);
    check(&["A: once o, lock a, lock b, unlock b, unlock a, unlock o; B: observe o;", BA], &[]);
    check(&["A: once o, unlock o; B: observe o;", AB, BA], &["a b"]);
    check(&["A: permit s[1];", AB, "A: permitback s; B: permit s;", BA], &[]);
    check(&["A: permit s[1], permitback s; B: permit s;", AB, BA], &["a b"]);
    let wait = "B: lock m, condwait c m, unlock m;";
    let woken = "A: notify c; B: reget m, condwake c m, unlock m;";
    check(&[wait, AB, woken, BA], &[]);
    check(&[wait, woken, AB, BA], &["a b"]);
    // Somebody had the lock that could not be had.
    check(&["A: lock t;", AB, "A: lock u; B: tryfail u;", BA, "A: unlock u, unlock t"], &[]);
}

#[test]
fn a_mutex_taken_back_by_a_wait() {
    let wait = "A: lock a, lock m, condwait c m, unlock m; C: notify c; A: reget m, condwake c m, unlock m, unlock a;";
    check(&[wait, "B: lock m, lock a, unlock a, unlock m"], &["a m"]);
}

#[test]
fn guards_that_move() {
    // B releases what A took, and may do so while A waits.
    let moved = "A: lock a, lock b, unlock b; B: unlock a unknown A;";
    check(&[moved, "C: lock b, lock a, unlock a, unlock b"], &[]);
    // What A does before it is known as a gate all the same, and the release is after the acquisition.
    check(&["A: lock g;", AB, "D: unlock g unknown A; B: lock g;", BA, "B: unlock g"], &[]);
    check(&["A: lock g; D: unlock g unknown A;", AB, "B: lock g;", BA, "B: unlock g"], &["a b"]);
}

#[test]
fn circles_of_three_and_the_earliest_instance() {
    let step = |thread: &str, first: &str, second: &str| {
        format!("{thread}: lock {first}, lock {second}, unlock {second}, unlock {first};")
    };
    check(&[&step("A", "a", "b"), &step("B", "b", "c"), &step("C", "c", "a")], &["a b c"]);
    check(&[&step("A", "a", "b"), &step("B", "b", "c"), &step("B", "c", "a")], &[]);
    let (outcomes, _) = outcomes(&[AB, BA, AB, BA].concat());
    let events: Vec<_> = outcomes.iter().map(|outcome| outcome.claim.end.threads()[0].1).collect();
    assert_eq!(events, [2], "each pattern once, with its first instance");
}

#[test]
fn missing_events_prove_nothing() {
    use crate::engine::{Claim, End, Order};
    // What nobody claims is not proved either.
    let (events, definitions) = parse(&[AB, BA].concat());
    let end = End::Race(lockscope_trace::VarId(0), [(events[0].thread, 1), (events[4].thread, 5)]);
    let claim = Claim { engine: EngineId::Spd, prefixes: Vec::new(), order: Order::Trace, end };
    let mut claims = Claims::new(vec![claim]);
    claims.feed(&events, &definitions);
    assert!(claims.finish(&definitions)[0].proof.is_err());
}
