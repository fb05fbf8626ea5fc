//! Engines that look for races, against every correct reordering of random traces.

use lockscope_analyzer::{Analysis, EngineId, Options};
use lockscope_trace::{Definitions, Event};

use crate::{
    program::Random,
    reorder::{Which, explore},
    seeds, trace,
    trace::Shape,
};

/// Pairs of accesses that an engine reports, in the order of the later ones.
fn reported(events: &[Event], definitions: &Definitions, engine: EngineId) -> Vec<[u64; 2]> {
    let mut analysis = Analysis::new(Options { engines: vec![engine], all: true, ..Options::default() });
    analysis.feed_batch(events, definitions);
    let pairs = analysis.occurrences(definitions);
    pairs.iter().filter_map(|finding| <[u64; 2]>::try_from(finding.events.as_slice()).ok()).collect()
}

fn shape(seed: u64) -> Shape {
    let plain = Shape { threads: 3, locks: 2, vars: 2, events: 13, read_locks: false, careful: false, nested: false };
    let shapes = [
        plain,
        Shape { threads: 2, locks: 1, events: 14, ..plain },
        Shape { threads: 4, vars: 1, careful: true, ..plain },
        Shape { locks: 1, vars: 1, careful: true, ..plain },
        Shape { read_locks: true, careful: true, ..plain },
        Shape { read_locks: true, locks: 1, vars: 1, ..plain },
    ];
    shapes[(seed % shapes.len() as u64) as usize]
}

#[test]
fn what_is_reported_as_real_can_happen() {
    let (mut with, mut without, mut predictable_only) = (0, 0, 0);
    for seed in seeds(2000) {
        let shape = shape(seed);
        let (events, definitions) = trace::random(&mut Random::new(seed), shape);
        let possible = explore(&events, Which::All).races;
        let [hb, shb] = [EngineId::Hb, EngineId::Shb].map(|engine| reported(&events, &definitions, engine));
        let context = || format!("seed {seed}, {shape:?}: {events:#?}");
        // Of happens-before the first one is real; of schedulable happens-before the later access of each races with some earlier
        // one, the reported one above all.
        if let Some(first) = hb.first() {
            assert!(possible.iter().any(|pair| pair[1] == first[1]), "hb {first:?} of {possible:?}, {}", context());
        }
        for pair in &shb {
            assert!(possible.contains(pair), "shb {pair:?} of {possible:?}, {}", context());
            assert!(hb.iter().any(|other| other[1] == pair[1]), "whatever shb sees hb sees, {}", context());
        }
        assert_eq!(hb.is_empty(), shb.is_empty(), "{}", context());
        let sync_preserving = explore(&events, Which::SyncPreserving).races;
        assert!(sync_preserving.is_subset(&possible), "{}", context());
        match (shb.is_empty(), possible.is_empty()) {
            (true, true) => without += 1,
            (true, false) => predictable_only += 1,
            _ => with += 1,
        }
    }
    assert!(
        with > 100 && without > 100 && predictable_only > 2,
        "all kinds occur: {with}, {without}, {predictable_only}"
    );
}

#[test]
fn a_location_that_one_lock_protects_is_consistent_and_cannot_race() {
    for seed in seeds(1000) {
        let shape = shape(seed);
        let (events, definitions) = trace::random(&mut Random::new(seed), shape);
        // Nothing is reported of a location by the plain discipline: then nothing can race there, unless it is handed on by forks and joins,
        // which the discipline does not know of.
        let inconsistent = reported(&events, &definitions, EngineId::Lockset);
        for [first, second] in explore(&events, Which::All).races {
            let var = events[first as usize - 1].op.var();
            let is_reported = inconsistent.iter().any(|pair| events[pair[1] as usize - 1].op.var() == var);
            assert!(is_reported, "seed {seed}, {shape:?}: {first} and {second} of {events:#?}");
        }
    }
}

/// By the definition: every access that is not after an earlier one that clashes with it.
#[test]
fn happens_before_is_exact() {
    for seed in seeds(2000) {
        let shape = shape(seed);
        let shape = Shape { threads: shape.threads + 2, events: 60, ..shape };
        let (events, definitions) = trace::random(&mut Random::new(seed), shape);
        let past = closure(&events);
        let expected: Vec<u64> = (0..events.len())
            .filter(|&later| {
                let races = |&earlier: &usize| clash(&events[earlier], &events[later]) && !past[later][earlier];
                (0..later).any(|earlier| races(&earlier))
            })
            .map(|index| index as u64 + 1)
            .collect();
        let found = reported(&events, &definitions, EngineId::Hb);
        for &[earlier, later] in &found {
            let (earlier, later) = (earlier as usize - 1, later as usize - 1);
            assert!(clash(&events[earlier], &events[later]) && !past[later][earlier], "seed {seed}: {events:#?}");
        }
        let found: Vec<u64> = found.iter().map(|pair| pair[1]).collect();
        assert_eq!(found, expected, "seed {seed}, {shape:?}: {events:#?}");
    }
}

fn clash(one: &Event, other: &Event) -> bool {
    use lockscope_trace::Op;
    let writes = [one, other].iter().any(|event| matches!(event.op, Op::Write { .. }));
    one.thread != other.thread && one.op.var().is_some() && one.op.var() == other.op.var() && writes
}

/// Of each event, which earlier ones are before it: by the definition, step by step.
fn closure(events: &[Event]) -> Vec<Vec<bool>> {
    use lockscope_trace::{Mode, Op};
    let mut past: Vec<Vec<bool>> = Vec::new();
    for (later, event) in events.iter().enumerate() {
        let mut mine = vec![false; later];
        for earlier in (0..later).rev() {
            let before = &events[earlier];
            let is_edge = before.thread == event.thread
                || matches!(before.op, Op::Spawn { child } if child == event.thread)
                || matches!(event.op, Op::Joined { child } if child == before.thread)
                || match (before.op, event.op) {
                    (Op::Released { lock, mode: Some(mode), .. }, Op::Acquired { lock: taken, mode: wanted, .. }) => {
                        lock == taken && (mode == Mode::Exclusive || wanted == Mode::Exclusive)
                    }
                    _ => false,
                };
            if is_edge {
                mine[earlier] = true;
                for (mine, theirs) in mine.iter_mut().zip(&past[earlier]) {
                    *mine |= theirs;
                }
            }
        }
        past.push(mine);
    }
    past
}
