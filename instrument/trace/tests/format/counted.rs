//! Objects that are not locks, and memory, in the order of their counts: across threads, overwritten, cut off.

use std::sync::{
    Mutex,
    atomic::{AtomicU32, Ordering},
};

use lockscope_trace::{
    Access, Event, EventSource, How, LockId, Mode, Op, Progress, clock,
    format::{act, kind, memory},
    reader::Reader,
    writer::{Environment, HeldAtStart, MemoryEvent, ObjectEvent, ThreadWriter, TraceWriter},
};

use crate::{
    objects::{LOCK, OBJECT, SITE, access, object, read_ended, recorder},
    support::{Random, Recorder, drain},
};

/// Ops of an object by their counts.
fn counts(events: &[Event]) -> Vec<u64> {
    events.iter().filter_map(|event| event.op.count()).collect()
}

#[test]
fn a_cause_comes_before_its_effect_whatever_the_clocks_say() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("a.lks");
    let recorder = recorder(&path, None);
    let (_, mut sender) = recorder.thread(None);
    let (_, mut receiver) = recorder.thread(None);
    // The receiver's clock is far behind.
    for round in 0..1000 {
        let (sent, received) = (2 * round + 1, 2 * round + 2);
        let late = 1_000_000_000 + u64::from(round) * 10;
        sender.object(&recorder, &ObjectEvent { count: sent, ..object(act::SENT) }, late);
        let event = ObjectEvent { count: received, a: sent, ..object(act::RECEIVED) };
        receiver.object(&recorder, &event, 1000 + u64::from(round));
        // Memory has a counter of its own.
        let store = MemoryEvent { count: sent, modification: u64::from(round) + 1, ..access(memory::STORE) };
        sender.memory(&recorder, &store, late + 1);
        let load = MemoryEvent { count: received, modification: u64::from(round) + 1, ..access(memory::LOAD) };
        receiver.memory(&recorder, &load, 1000 + u64::from(round));
    }
    let (events, reader) = read_ended(&path, |_| {});
    assert_eq!(events.len(), 4000);
    let (of_memory, of_channel): (Vec<Event>, Vec<Event>) = events.iter().partition(|event| event.op.var().is_some());
    assert_eq!(counts(&of_memory), (1..=2000).collect::<Vec<_>>());
    assert_eq!(counts(&of_channel), (1..=2000).collect::<Vec<_>>());
    assert!(reader.completeness().is_complete(), "{:?}", reader.completeness());
}

/// A thread initialises the object, and another one, whose clock is behind, finds it so. What comes of that, without the first `cut`
/// of the initialiser's events.
fn observed(cut: usize) -> (String, Reader) {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("a.lks");
    let recorder = recorder(&path, None);
    let (_, mut initialiser) = recorder.thread(None);
    let (_, mut observer) = recorder.thread(None);
    let steps: [&dyn Fn(&mut ThreadWriter); 2] =
        [&|writer| writer.acquired(&recorder, OBJECT, Mode::Exclusive, How::Lock, SITE, 1, 5000), &|writer| {
            writer.released(&recorder, OBJECT, Mode::Exclusive, Access::Unknown, 6000)
        }];
    steps[..2 - cut].iter().for_each(|step| step(&mut initialiser));
    observer.object(&recorder, &ObjectEvent { a: 1, ..object(act::OBSERVED) }, 1000);
    observer.object(&recorder, &ObjectEvent { a: 0, ..object(act::OBSERVED) }, 1001);
    let (events, reader) = read_ended(&path, |_| {});
    (events.iter().map(|event| event.op.name()).collect::<Vec<_>>().join(" "), reader)
}

#[test]
fn what_is_found_initialised_comes_after_the_initialiser() {
    for (cut, expected) in [
        (0, "acquired released observed observed"),
        // A trace that ends in between: what is there is shown, and nothing is said to be missing.
        (1, "acquired observed observed"),
        (2, "observed observed"),
    ] {
        let (names, reader) = observed(cut);
        assert_eq!(names, expected);
        assert_eq!(reader.completeness().gap_count, 0, "{:?}", reader.completeness());
    }
}

/// Threads that count events of the channel and of the memory location, as the runtime does.
fn busy(recorder: &Recorder, n_threads: u64, n_events: u32, in_turn: bool) {
    let turn = Mutex::new(());
    let (channel, location) = (AtomicU32::new(0), AtomicU32::new(0));
    let mut writers: Vec<ThreadWriter> = (0..n_threads).map(|_| recorder.thread(None).1).collect();
    std::thread::scope(|scope| {
        for (seed, writer) in (1..).zip(&mut writers) {
            let (channel, location, turn) = (&channel, &location, &turn);
            scope.spawn(move || {
                let mut random = Random(seed);
                for _ in 0..n_events {
                    let _turn = in_turn.then(|| turn.lock().unwrap());
                    if random.below(2) == 0 {
                        let count = channel.fetch_add(1, Ordering::Relaxed) + 1;
                        writer.object(recorder, &ObjectEvent { count, ..object(act::SENT) }, clock::ticks());
                    } else {
                        let count = location.fetch_add(1, Ordering::Relaxed) + 1;
                        let event = MemoryEvent { count, modification: u64::from(count), ..access(memory::UPDATE) };
                        writer.memory(recorder, &event, clock::ticks());
                    }
                }
            });
        }
    });
}

#[test]
fn threads_are_merged_in_the_order_of_their_objects() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("a.lks");
    let recorder = recorder(&path, None);
    busy(&recorder, 4, 20_000, false);
    let mut reader = Reader::open(&path).unwrap();
    let mut events = Vec::new();
    assert_eq!(drain(&mut reader, &mut events), Progress::CaughtUp);
    assert_eq!(events.len(), 80_000);
    let (of_memory, of_channel): (Vec<Event>, Vec<Event>) = events.iter().partition(|event| event.op.var().is_some());
    for of in [of_memory, of_channel] {
        assert_eq!(counts(&of), (1..=of.len() as u64).collect::<Vec<_>>());
    }
    assert!(reader.completeness().is_complete(), "{:?}", reader.completeness());
}

#[test]
fn a_flight_recorder_keeps_the_newest_in_order() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("a.lks");
    let recorder = recorder(&path, Some(1 << 20));
    // In turn: a thread that has counted an event and is then not run for as long as others take to fill the file comes too late.
    busy(&recorder, 3, 100_000, true);
    let mut reader = Reader::open(&path).unwrap();
    let mut events = Vec::new();
    // Sections that are lost are told from ones that were not seen yet by a second look.
    drain(&mut reader, &mut events);
    drain(&mut reader, &mut events);
    assert!(events.len() > 10_000 && events.len() < 300_000, "{} events", events.len());
    let complete_from = reader.completeness().complete_from;
    assert!(complete_from.0 > 0);
    for is_memory in [false, true] {
        // Before, other threads' events were overwritten, and what is left has gaps.
        let of = events.iter().filter(|event| event.time >= complete_from && event.op.var().is_some() == is_memory);
        let counts: Vec<u64> = of.filter_map(|event| event.op.count()).collect();
        assert!(counts.len() > 1000);
        assert!(counts.is_sorted(), "events of one object are in order");
    }
}

/// What is left when threads were killed between counting an event and writing it.
#[track_caller]
fn check_cut_off(written: &[u32], n_silent: usize, expected_gaps: u64) {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("a.lks");
    let recorder = recorder(&path, None);
    let start = || {
        let (_, mut writer) = recorder.thread(None);
        writer.plain(&recorder, kind::START, clock::ticks());
        writer
    };
    let _silent: Vec<ThreadWriter> = (0..n_silent).map(|_| start()).collect();
    for &count in written {
        start().object(&recorder, &ObjectEvent { count, ..object(act::SENT) }, clock::ticks());
    }
    let (events, reader) = read_ended(&path, |_| {});
    let mut expected: Vec<u64> = written.iter().map(|&count| u64::from(count)).collect();
    expected.sort_unstable();
    assert_eq!(counts(&events), expected);
    assert_eq!(reader.completeness().gap_count, expected_gaps, "{:?}", reader.completeness());
}

#[test]
fn events_that_were_counted_and_cut_off_are_no_gap() {
    check_cut_off(&[2, 1, 3], 0, 0);
    check_cut_off(&[1, 3], 1, 0);
    check_cut_off(&[4, 1], 2, 0);
    // More than threads that can have been cut off, each once.
    check_cut_off(&[1, 5], 0, 1);
    check_cut_off(&[9, 1], 1, 1);
}

#[test]
fn a_cut_off_count_keeps_nobody_from_an_orderly_end() {
    // The thread that counted 2 was killed; what the others did to other objects, and to their locks, is there.
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("a.lks");
    let recorder = recorder(&path, None);
    let (_, mut one) = recorder.thread(None);
    let (_, mut other) = recorder.thread(None);
    let (_, mut killed) = recorder.thread(None);
    killed.plain(&recorder, kind::START, clock::ticks());
    one.object(&recorder, &ObjectEvent { count: 1, ..object(act::SENT) }, clock::ticks());
    other.object(&recorder, &ObjectEvent { count: 3, ..object(act::RECEIVED) }, clock::ticks());
    other.acquired(&recorder, LOCK, Mode::Exclusive, How::Lock, SITE, 1, clock::ticks());
    let (events, reader) = read_ended(&path, |_| {});
    assert_eq!(events.len(), 4);
    assert_eq!(reader.completeness().gap_count, 0, "{:?}", reader.completeness());
}

/// A thread that holds a lock, and permits of a semaphore, wherever its sections begin.
struct Holder<'a>(&'a Recorder);

impl Environment for Holder<'_> {
    fn writer(&self) -> &TraceWriter {
        &self.0.writer
    }

    fn held(&self, each: &mut dyn FnMut(HeldAtStart)) {
        for (lock, mode, permits) in [(LOCK, Mode::Exclusive, 0), (OBJECT, Mode::Shared, 7)] {
            each(HeldAtStart { lock, mode, site: SITE, since: 1, permits });
        }
    }
}

#[test]
fn permits_held_where_a_window_begins_are_listed() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("a.lks");
    let recorder = recorder(&path, Some(1 << 20));
    let (_, mut writer) = recorder.thread(None);
    for count in 1..100_000 {
        writer.object(&Holder(&recorder), &ObjectEvent { count, ..object(act::SENT) }, clock::ticks());
    }
    let (events, _) = read_ended(&path, |_| {});
    let held: Vec<Op> = events[..2].iter().map(|event| event.op).collect();
    assert_eq!(
        held,
        [
            Op::Acquired { lock: LockId(LOCK), mode: Mode::Exclusive, how: How::Lock, count: 0 },
            Op::PermitsAcquired { semaphore: LockId(OBJECT), permits: 7, stays: false, count: 0 }
        ]
    );
    let others = events.iter().filter(|event| matches!(event.op, Op::Acquired { .. } | Op::PermitsAcquired { .. }));
    assert_eq!(others.count(), 2, "said once");
}
