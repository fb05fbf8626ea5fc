//! Engines that predict deadlocks and races, against every correct reordering of random traces, and the proofs of what they predict.

use std::collections::BTreeSet;

use lockscope_analyzer::{
    Analysis, Confidence, EngineId, Finding, Options,
    engine::{Claims, Outcome},
};
use lockscope_trace::{Definitions, Event, LockId, Mode, Op, ThreadId};

use crate::{
    program::Random,
    reorder::{Which, explore},
    seeds, trace,
    trace::Shape,
};

/// What an engine reports of a trace, all of it proved.
fn predicted(events: &[Event], definitions: &Definitions, engine: EngineId) -> Vec<Finding> {
    let mut analysis = Analysis::new(Options { engines: vec![engine], all: true, ..Options::default() });
    analysis.feed_batch(events, definitions);
    let mut claims = Claims::new(analysis.claims(definitions));
    claims.feed(events, definitions);
    let outcomes: Vec<Outcome> = claims.finish(definitions);
    for Outcome { claim, proof } in &outcomes {
        assert!(proof.is_ok(), "{proof:?}: {claim:?} of {events:#?}");
    }
    analysis.settle(outcomes);
    let found = analysis.occurrences(definitions);
    assert!(found.iter().all(|finding| finding.confidence == Confidence::Predicted));
    found
}

fn shape(seed: u64, nested: bool) -> Shape {
    let plain = Shape { threads: 2, locks: 2, vars: 1, events: 14, read_locks: false, careful: true, nested: false };
    let shapes = [
        plain,
        Shape { threads: 3, vars: 2, ..plain },
        Shape { threads: 3, locks: 3, ..plain },
        Shape { careful: false, vars: 2, events: 12, ..plain },
        Shape { read_locks: true, ..plain },
        Shape { threads: 3, locks: 3, read_locks: true, ..plain },
    ];
    let mut shape = shapes[(seed % shapes.len() as u64) as usize];
    if nested {
        (shape.nested, shape.careful, shape.vars, shape.events) = (true, false, 2, 20);
    }
    shape
}

/// A request without its place in the trace: who asks for what, and holds what.
type Abstract = (ThreadId, LockId, Mode, Vec<(LockId, Mode)>);

/// The request that each acquisition is.
fn requests(events: &[Event]) -> Vec<Option<Abstract>> {
    let mut held = vec![Vec::new(); 16];
    let mut requests = Vec::new();
    for event in events {
        let mine: &mut Vec<(LockId, Mode)> = &mut held[event.thread.0 as usize];
        requests.push(match event.op {
            Op::Acquired { lock, mode, .. } => {
                let request = (event.thread, lock, mode, mine.clone());
                mine.push((lock, mode));
                mine.sort_unstable();
                Some(request)
            }
            Op::Released { lock, .. } => {
                mine.retain(|(held, _)| *held != lock);
                None
            }
            _ => None,
        });
    }
    requests
}

#[test]
fn exactly_the_sync_preserving_deadlocks_are_predicted() {
    let (mut with, mut without, mut only_others) = (0, 0, 0);
    for seed in seeds(2000) {
        let shape = shape(seed, true);
        let (events, definitions) = trace::random(&mut Random::new(seed), shape);
        let requests = requests(&events);
        let pattern = |circle: &Vec<u64>| -> Option<BTreeSet<Abstract>> {
            circle.iter().map(|&event| requests[event as usize - 1].clone()).collect()
        };
        let reachable = explore(&events, Which::SyncPreserving).deadlocks;
        let all = explore(&events, Which::All).deadlocks;
        let found: Vec<Vec<u64>> =
            predicted(&events, &definitions, EngineId::Spd).into_iter().map(|finding| finding.events).collect();
        let context = || format!("seed {seed}, {shape:?}: {events:#?}");
        for circle in &found {
            assert!(reachable.contains(circle), "{circle:?} is not among {reachable:?}, {}", context());
        }
        // One for each abstract pattern. Those in which two ask for one lock are made of shorter ones.
        let asks_once = |pattern: &BTreeSet<Abstract>| {
            pattern.iter().map(|(_, lock, ..)| lock).collect::<BTreeSet<_>>().len() == pattern.len()
        };
        let expected: BTreeSet<_> = reachable.iter().filter_map(pattern).filter(asks_once).collect();
        let told: BTreeSet<_> = found.iter().filter_map(pattern).collect();
        assert_eq!(told.len(), found.len(), "each pattern once, {}", context());
        assert_eq!(told, expected, "{}", context());
        // What nothing proves is not passed over either.
        for circle in all.iter().filter(|circle| pattern(circle).is_some_and(|pattern| asks_once(&pattern))) {
            let locks: BTreeSet<LockId> =
                circle.iter().filter_map(|&event| events[event as usize - 1].op.lock()).collect();
            assert!(inversions(&events, &definitions).contains(&locks), "{circle:?} is missed, {}", context());
        }
        match (found.is_empty(), all.is_empty()) {
            (false, _) => with += 1,
            (true, true) => without += 1,
            (true, false) => only_others += 1,
        }
    }
    // Some sixty and some ten are usual.
    println!("{with} with a prediction, {without} without a deadlock, {only_others} with others only");
    assert!(with > 5 && without > 50, "both kinds occur: {with}, {without}");
}

/// The locks of the circles that the lock order warns of.
fn inversions(events: &[Event], definitions: &Definitions) -> Vec<BTreeSet<LockId>> {
    let mut analysis = Analysis::new(Options { engines: vec![EngineId::LockOrder], ..Options::default() });
    analysis.feed_batch(events, definitions);
    analysis.findings(definitions).iter().map(|finding| finding.locks.iter().copied().collect()).collect()
}

#[test]
fn exactly_the_sync_preserving_races_are_predicted() {
    let (mut with, mut without) = (0, 0);
    for seed in seeds(2000) {
        let shape = shape(seed, false);
        let (events, definitions) = trace::random(&mut Random::new(seed), shape);
        let reachable = explore(&events, Which::SyncPreserving).races;
        let found: BTreeSet<[u64; 2]> = predicted(&events, &definitions, EngineId::SyncP)
            .iter()
            .map(|finding| <[u64; 2]>::try_from(finding.events.as_slice()).expect("a race has two accesses"))
            .collect();
        assert!(found.is_subset(&reachable), "{found:?} of {reachable:?}, seed {seed}, {shape:?}: {events:#?}");
        let later = |pairs: &BTreeSet<[u64; 2]>| pairs.iter().map(|pair| pair[1]).collect::<BTreeSet<u64>>();
        assert_eq!(later(&found), later(&reachable), "seed {seed}, {shape:?}: {events:#?}");
        *(if found.is_empty() { &mut without } else { &mut with }) += 1;
    }
    assert!(with > 20 && without > 10, "both kinds occur: {with}, {without}");
}
