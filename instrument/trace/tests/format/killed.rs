//! What a process leaves that ends between counting an acquisition and writing it down.

use lockscope_trace::{Event, EventSource, How, Mode, Op, Progress, ThreadId, clock, format, reader::Reader};

use crate::support::Recorder;

/// Readers with these numbers, one thread each, and as many threads that wrote nothing but their start.
fn read(written: &[u32], n_silent: usize) -> (Vec<Event>, Reader) {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("a.lks");
    let recorder = Recorder::new(&path, None, 1);
    let start = || {
        let (_, mut writer) = recorder.thread(None);
        writer.plain(&recorder, format::kind::START, clock::ticks());
        writer
    };
    let _silent: Vec<_> = (0..n_silent).map(|_| start()).collect();
    for &count in written {
        start().acquired(&recorder, 0, Mode::Shared, How::Lock, 0x1000, count, clock::ticks());
    }
    let mut bytes = std::fs::read(&path).unwrap();
    // Another process id: the writer has ended.
    bytes[format::header::PID..][..4].copy_from_slice(&u32::MAX.to_le_bytes());
    let mut reader = Reader::from_bytes(bytes, &path).unwrap();
    let mut events = Vec::new();
    while reader.poll(&mut events).unwrap() != Progress::Ended {}
    (events, reader)
}

fn check(written: &[u32], n_silent: usize, expected_gaps: u64) {
    let (events, reader) = read(written, n_silent);
    let starts = events.iter().filter(|event| event.op == Op::Start).count();
    assert_eq!(starts, written.len() + n_silent);
    let counts: Vec<u64> = events
        .iter()
        .filter_map(|event| match event.op {
            Op::Acquired { count, .. } => Some(count),
            _ => None,
        })
        .collect();
    let mut expected: Vec<u64> = written.iter().map(|&count| u64::from(count)).collect();
    expected.sort_unstable();
    assert_eq!(counts, expected, "{written:?} with {n_silent} silent threads");
    let completeness = reader.completeness();
    assert_eq!(completeness.gap_count, expected_gaps, "{written:?} with {n_silent} silent threads: {completeness:?}");
}

#[test]
fn readers_that_were_counted_and_cut_off_are_no_gap() {
    check(&[1, 2], 0, 0);
    check(&[3, 1], 1, 0);
    check(&[4, 1], 2, 0);
    check(&[2, 4], 2, 0);
    // More than threads that can have been cut off, each once, the writer of the first one included.
    check(&[1, 5], 0, 1);
    check(&[9, 1], 1, 1);
}

#[test]
fn events_after_a_missing_exclusive_acquisition_are_a_gap() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("a.lks");
    let recorder = Recorder::new(&path, None, 1);
    let (_, mut writer) = recorder.thread(None);
    let (silent, mut other) = recorder.thread(None);
    other.plain(&recorder, format::kind::START, clock::ticks());
    // The second was never written, although it must have been before the third could be made.
    for count in [1, 3] {
        writer.acquired(&recorder, 0, Mode::Exclusive, How::Lock, 0x1000, count, clock::ticks());
        writer.released(&recorder, 0, Mode::Exclusive, lockscope_trace::Access::Wrote, clock::ticks());
    }
    let mut bytes = std::fs::read(&path).unwrap();
    bytes[format::header::PID..][..4].copy_from_slice(&u32::MAX.to_le_bytes());
    let mut reader = Reader::from_bytes(bytes, &path).unwrap();
    let mut events = Vec::new();
    while reader.poll(&mut events).unwrap() != Progress::Ended {}
    assert_eq!(events.len(), 5);
    assert!(events.iter().any(|event| event.thread == ThreadId(silent)));
    assert_eq!(reader.completeness().gap_count, 1);
}
