//! Definitions of a flight recorder that come when the file is full of events: they take the place of the oldest ones, up to a bound.

use std::collections::HashMap;

use lockscope_trace::{Event, EventSource, Op, SiteId, format::CHUNK_SIZE, reader::Reader};

use crate::support::{Random, Recorder, drain};

const SIZE: u64 = 1 << 20;

/// Bytes of a site in the file.
const SITE: u64 = 24;

/// Fills the file with events.
fn full(path: &std::path::Path) -> (Recorder, lockscope_trace::writer::ThreadWriter) {
    let recorder = Recorder::new(path, Some(SIZE), 4);
    let (_, mut thread) = recorder.thread(None);
    for n in 0..200_000 {
        recorder.lock(&mut thread, n % 4);
    }
    (recorder, thread)
}

/// Every lock's acquisitions come in order; some are missing.
fn check_counts(events: &[Event]) {
    let mut counts = HashMap::new();
    for event in events {
        if let Op::Acquired { lock, count, .. } = event.op {
            let before = counts.insert(lock, count);
            assert!(before.is_none_or(|before| before < count), "{before:?} before {count}");
        }
    }
    assert_eq!(counts.len(), 4);
}

#[test]
fn definitions_take_the_place_of_old_events() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("a.lks");
    let (recorder, mut thread) = full(&path);
    let mut reader = Reader::open(&path).unwrap();
    let mut events = Vec::new();
    drain(&mut reader, &mut events);
    // Half of the file.
    let sites = (SIZE / 2 / SITE) as u32;
    {
        let mut defs = recorder.defs.lock().unwrap();
        let first = defs.site(&recorder.writer, 1, 1, 1);
        (1..sites).for_each(|line| assert_eq!(defs.site(&recorder.writer, 1, 1 + line, 1), first + line));
    }
    for n in 0..50_000 {
        recorder.lock(&mut thread, n % 4);
    }
    assert!(!recorder.writer.is_stopped(), "{:?}", recorder.writer.stopped());
    // Who has followed, and who begins now.
    events.clear();
    drain(&mut reader, &mut events);
    for mut reader in [reader, Reader::open(&path).unwrap()] {
        drain(&mut reader, &mut events);
        let defs = reader.definitions();
        assert_eq!(defs.sites.len() as u32, 1 + sites);
        let last = SiteId::from_raw(1 + sites).map(|site| &defs.sites[site.index()]).expect("it is there");
        assert_eq!((&*last.file, last.line), ("src/a.rs", sites));
        assert_eq!(reader.completeness().damaged_bytes, 0);
        check_counts(&events);
        events.clear();
    }
}

#[test]
fn a_quarter_of_the_file_is_left_for_events() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("a.lks");
    let (recorder, mut thread) = full(&path);
    let mut defs = recorder.defs.lock().unwrap();
    let mut defined = 0;
    while !recorder.writer.is_stopped() {
        defs.site(&recorder.writer, 1, 1, 1);
        defined += SITE;
        assert!(defined < SIZE, "it is bounded");
    }
    assert!(defined > SIZE / 2, "{defined} bytes");
    drop(defs);
    recorder.lock(&mut thread, 0);
    assert!(std::fs::metadata(&path).unwrap().len() <= SIZE);
}

#[test]
fn stacks_leave_room_for_all_else() {
    let dir = tempfile::tempdir().unwrap();
    let (recorder, _) = full(&dir.path().join("a.lks"));
    let mut defs = recorder.defs.lock().unwrap();
    let ids: Vec<u32> = (0..10_000).map(|n| defs.stack(&recorder.writer, &[n; 40])).collect();
    let defined = ids.iter().filter(|&&id| id != 0).count();
    assert!((SIZE as usize / 4).abs_diff(defined * 42 * 8) <= CHUNK_SIZE, "{defined} stacks");
    assert_eq!(ids[defined..], vec![0; ids.len() - defined], "all that came later have none");
    assert!(!recorder.writer.is_stopped());
}

#[test]
fn a_thousand_locks_at_random_take_at_most_eight_bytes_an_event() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("a.lks");
    // A thousand of five thousand.
    let recorder = Recorder::new(&path, None, 5_000);
    let mut random = Random(7);
    let locks: Vec<u32> = (0..1_000).map(|_| random.below(5_000) as u32).collect();
    let (_, mut thread) = recorder.thread(None);
    let before = std::fs::metadata(&path).unwrap().len();
    let n = 200_000;
    (0..n).for_each(|_| recorder.lock(&mut thread, locks[random.below(1_000) as usize]));
    // What is reserved ahead included.
    let bytes = std::fs::metadata(&path).unwrap().len() - before;
    assert!(bytes as f64 / f64::from(2 * n) <= 8.0, "{} bytes an event", bytes as f64 / f64::from(2 * n));
}
