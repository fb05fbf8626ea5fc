//! Detectors and engines against exhaustive search: small random programs, of which every schedule is tried, and small random traces, of
//! which every reordering is.
//!
//! - [`program`] and [`schedule`]: programs of locks, and their runs; the tests are below.
//! - [`trace`] and [`reorder`]: traces of locks and memory, and their correct reorderings, all of them or the sync-preserving ones; the
//!   tests are in [`races`] and [`deadlocks`].
//!
//! The programs have no data flow, so every schedule of the locks is possible, and what the analyzer sees of one run
//! determines which deadlocks other runs can have.

mod deadlocks;
mod program;
mod races;
mod reorder;
mod schedule;
mod trace;

use std::hash::{BuildHasher, RandomState};

use lockscope_analyzer::{Analysis, Code, Confidence, Finding, Severity};
use lockscope_trace::{Definitions, Event};

use self::{
    program::{Program, Random, Style},
    schedule::{Outcome, can_deadlock, random_run},
};

/// Programs for each property. A few seconds in all.
const PROGRAMS: u64 = 1500;

/// Seeds for so many cases, others in each run; LOCKSCOPE_TEST_ROUNDS times as many. Failures say their seed: LOCKSCOPE_TEST_SEED begins
/// with it.
fn seeds(count: u64) -> impl Iterator<Item = u64> {
    let number = |name: &str| std::env::var(name).ok().and_then(|text| text.parse::<u64>().ok());
    // The standard library's only source of random numbers.
    let first = number("LOCKSCOPE_TEST_SEED").unwrap_or_else(|| RandomState::new().hash_one(0) >> 1);
    println!("seeds from {first}");
    first..first + count * number("LOCKSCOPE_TEST_ROUNDS").unwrap_or(1)
}

fn findings(events: &[Event], definitions: &Definitions) -> Vec<Finding> {
    let mut analysis = Analysis::default();
    events.iter().for_each(|event| analysis.feed(event, definitions));
    let mut findings = analysis.findings(definitions);
    assert_eq!(analysis.limits(), Vec::<String>::new());
    // In which order locks are released is only noted.
    findings.retain(|finding| finding.severity > Severity::Note);
    findings
}

#[test]
fn every_reachable_deadlock_is_warned_of() {
    let (mut with, mut without, mut warned_without) = (0, 0, 0);
    for seed in 0..PROGRAMS {
        let mut random = Random::new(seed);
        let program = Program::random(&mut random, Style::Free);
        // A run that ends: what is reported of it is about other runs.
        let run = (0..50).map(|_| random_run(&program, &mut random)).find(|(_, outcome)| *outcome == Outcome::Ended);
        let Some((events, _)) = run else { continue };
        let found = findings(&events, &program.definitions());
        assert!(found.iter().all(|finding| finding.confidence == Confidence::Potential), "{program:#?}");
        if can_deadlock(&program) {
            with += 1;
            assert!(
                found.iter().any(|finding| finding.code == Code::LockOrderInversion),
                "seed {seed}: {program:#?}\n{events:#?}"
            );
        } else {
            without += 1;
            warned_without += u64::from(!found.is_empty());
        }
    }
    assert!(with > PROGRAMS / 10 && without > PROGRAMS / 10, "both kinds occur: {with}, {without}");
    // Some warnings are about meetings that the rest of the program prevents; most programs without a deadlock are
    // recognised as such.
    assert!(warned_without * 5 < without, "{warned_without} of {without} programs without a deadlock are warned of");
}

#[test]
fn a_deadlock_is_reported_when_it_happens_and_only_then() {
    let (mut stuck, mut ended) = (0, 0);
    for seed in 0..PROGRAMS {
        let mut random = Random::new(seed);
        let program = Program::random(&mut random, Style::Free);
        for _ in 0..4 {
            let (events, outcome) = random_run(&program, &mut random);
            let found = findings(&events, &program.definitions());
            let actual = found.iter().filter(|finding| finding.confidence == Confidence::Actual).count();
            match outcome {
                Outcome::Stuck => {
                    stuck += 1;
                    assert!(actual > 0, "seed {seed}: {program:#?}\n{events:#?}");
                }
                Outcome::Ended => {
                    ended += 1;
                    assert_eq!(actual, 0, "seed {seed}: {program:#?}\n{events:#?}");
                }
            }
        }
    }
    assert!(stuck > PROGRAMS / 20 && ended > PROGRAMS, "both kinds occur: {stuck}, {ended}");
}

#[test]
fn programs_with_one_order_are_clean() {
    for style in [Style::Ordered, Style::Gated, Style::OneAfterTheOther] {
        for seed in 0..PROGRAMS / 3 {
            let mut random = Random::new(seed);
            let program = Program::random(&mut random, style);
            let (events, outcome) = random_run(&program, &mut random);
            assert_eq!(outcome, Outcome::Ended);
            assert_eq!(findings(&events, &program.definitions()), [], "seed {seed}, {style:?}: {program:#?}");
        }
    }
}
