//! Flight recorders read at their window's edge, and by who cannot follow: nothing out of order, nothing lost that is not said, little memory.

use std::collections::HashMap;

use lockscope_trace::{
    Access, Event, EventSource, How, LockId, Mode, Nanos, Op, Progress, clock,
    reader::Reader,
    writer::{Environment, HeldAtStart, ThreadWriter, TraceWriter},
};

use crate::support::{Random, Recorder};

const THREADS: usize = 6;
const LOCKS: usize = 800;
/// Most locks that a thread holds at a time.
const DEPTH: usize = 3;

/// Threads that take nested locks, one step at a time.
struct Program {
    recorder: Recorder,
    threads: Vec<(ThreadWriter, Vec<HeldAtStart>)>,
    counts: Vec<u32>,
    is_held: Vec<bool>,
    random: Random,
    ticks: u64,
    /// Ticks between two moves of the clock.
    grain: u64,
    acquired: u64,
}

struct Env<'a>(&'a Recorder, &'a [HeldAtStart]);

impl Environment for Env<'_> {
    fn writer(&self) -> &TraceWriter {
        self.0.writer()
    }

    fn held(&self, each: &mut dyn FnMut(HeldAtStart)) {
        self.1.iter().copied().for_each(each);
    }
}

impl Program {
    fn new(path: &std::path::Path, size: u64, grain: u64) -> Self {
        let recorder = Recorder::new(path, Some(size), LOCKS);
        let threads = (0..THREADS).map(|_| (recorder.thread(None).1, Vec::new())).collect();
        let (counts, is_held) = (vec![0; LOCKS], vec![false; LOCKS]);
        let (random, ticks) = (Random(grain + size), clock::ticks());
        Self { recorder, threads, counts, is_held, random, ticks, grain, acquired: 0 }
    }

    fn run(&mut self, steps: u64) {
        for _ in 0..steps {
            self.step();
        }
    }

    fn step(&mut self) {
        // The first thread does little, so its chunk is much older than those of the others.
        let thread = match self.random.below(200) {
            0 => 0,
            n => 1 + n as usize % (THREADS - 1),
        };
        self.ticks += 100_000 + 2 * self.random.below(50_000);
        let ticks = self.ticks / self.grain * self.grain;
        let (writer, held) = &mut self.threads[thread];
        // Most locks are asked for all the time, some only now and then.
        let range = if self.random.below(4) > 0 { LOCKS / 8 } else { LOCKS } as u64;
        let lock = self.random.below(range) as usize;
        if held.len() < DEPTH && self.random.below(2) == 0 && !self.is_held[lock] {
            self.counts[lock] += 1;
            self.is_held[lock] = true;
            self.acquired += 1;
            let env = Env(&self.recorder, held);
            writer.acquired(&env, lock as u32, Mode::Exclusive, How::Lock, 1, self.counts[lock], ticks);
            held.push(HeldAtStart { lock: lock as u32, mode: Mode::Exclusive, site: 1, since: ticks, permits: 0 });
        } else if let Some(last) = held.last().copied() {
            writer.released(&Env(&self.recorder, held), last.lock, Mode::Exclusive, Access::Wrote, ticks);
            held.pop();
            self.is_held[last.lock as usize] = false;
        }
    }
}

/// From some time on each lock's acquisitions follow one another; returns how many there are.
fn check_from(events: &[Event], complete_from: Nanos, what: &str) -> usize {
    let mut counts: HashMap<LockId, u64> = HashMap::new();
    let mut n_checked = 0;
    for event in events.iter().filter(|event| event.time > complete_from) {
        if let Op::Acquired { lock, count: count @ 1.., .. } = event.op {
            let before = counts.insert(lock, count);
            assert!(before.is_none_or(|before| before + 1 == count), "{what}: {lock}: {count} after {before:?}");
            n_checked += 1;
        }
    }
    n_checked
}

/// Also before that time none comes after one that should have followed it, and nobody has a lock that another one has.
fn check_all(events: &[Event], what: &str) {
    let mut counts: HashMap<LockId, u64> = HashMap::new();
    for event in events {
        if let Op::Acquired { lock, count: count @ 1.., .. } = event.op {
            let before = counts.insert(lock, count);
            assert!(before.is_none_or(|before| before < count), "{what}: {lock}: {count} after {before:?}");
        }
    }
}

fn poll(reader: &mut Reader, events: &mut Vec<Event>, most_waiting: &mut u64) -> Progress {
    let progress = reader.poll(events).expect("the file is readable");
    *most_waiting = reader.waiting_bytes().max(*most_waiting);
    progress
}

fn check_edge(grain: u64) {
    let what = format!("a clock that moves every {grain} ticks");
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("a.lks");
    let mut program = Program::new(&path, 3 << 20, grain);
    program.run(800_000);
    let mut reader = Reader::open(&path).unwrap();
    let (mut events, mut waiting) = (Vec::new(), 0);
    while poll(&mut reader, &mut events, &mut waiting) == Progress::More {}
    let completeness = reader.completeness();
    assert_eq!((completeness.gap_count, completeness.damaged_bytes), (0, 0), "{what}: {completeness:?}");
    check_all(&events, &what);
    let in_window = check_from(&events, completeness.complete_from, &what);
    // All but the chunks that the window begins in.
    assert!(in_window * 10 > events.len() / 2 * 8, "{what}: {in_window} of {} events are in the window", events.len());
    // What is there, and what is counted as overwritten, is all there was; what was held is told again.
    let overwritten: u64 = completeness
        .notes
        .iter()
        .find_map(|note| note.split_once(" older events were overwritten")?.0.parse().ok())
        .expect("it is full");
    let told_again = |event: &&Event| matches!(event.op, Op::Acquired { count: 0, .. });
    let there = (events.len() - events.iter().filter(told_again).count()) as u64;
    let held: usize = program.threads.iter().map(|(_, held)| held.len()).sum();
    assert_eq!(overwritten + there, 2 * program.acquired - held as u64, "{what}");
}

#[test]
fn the_windows_edge_is_in_order() {
    // Every event has a time of its own; and many have the same.
    check_edge(2);
    check_edge(4_000_000);
}

#[test]
fn who_cannot_follow_loses_events_and_no_memory() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("a.lks");
    let mut program = Program::new(&path, 8 << 20, 2);
    let mut reader = Reader::open(&path).unwrap();
    let (mut events, mut waiting) = (Vec::new(), 0);
    for _ in 0..40 {
        program.run(50_000);
        // A tenth of what was written.
        for _ in 0..2 {
            poll(&mut reader, &mut events, &mut waiting);
        }
    }
    while poll(&mut reader, &mut events, &mut waiting) == Progress::More {}
    let completeness = reader.completeness();
    assert_eq!(completeness.gap_count, 0, "{completeness:?}");
    assert!(completeness.complete_from > Nanos(0), "it was not overtaken");
    check_all(&events, "a slow reader");
    assert!(check_from(&events, completeness.complete_from, "a slow reader") > 100_000);
    // Two chunks for each thread, and what all do in the time that clocks may be wrong by.
    assert!(waiting < 2 << 20, "{waiting} bytes waited");
}

#[test]
fn a_large_trace_is_not_read_into_memory() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("a.lks");
    // Never full, so nothing is ever overwritten.
    let mut program = Program::new(&path, 64 << 20, 2);
    program.run(1_000_000);
    assert!(std::fs::metadata(&path).unwrap().len() > 6 << 20);
    let mut reader = Reader::open(&path).unwrap();
    let (mut events, mut waiting) = (Vec::new(), 0);
    while poll(&mut reader, &mut events, &mut waiting) == Progress::More {}
    assert!(reader.completeness().gap_count == 0 && reader.completeness().complete_from == Nanos(0));
    assert_eq!(check_from(&events, Nanos(0), "a large trace") as u64, program.acquired);
    assert!(waiting < 2 << 20, "{waiting} bytes waited");
}
