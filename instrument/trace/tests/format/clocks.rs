//! Clocks that cannot be trusted, and counts that wrap: the order is that of the counts all the same.

use std::sync::atomic::Ordering;

use lockscope_trace::{Access, EventSource, How, Mode, clock, format, reader::Reader};

use crate::support::{Random, Recorder, check_order, drain};

const THREADS: usize = 3;

/// Three threads take two locks by turns. `ticks` gives each event its time, from its thread and what the clock says; the locks begin
/// with this count, other than 0 in a flight recorder that has lost what came before.
fn check(what: &str, first_count: u32, mut ticks: impl FnMut(usize, u64) -> u64) {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("a.lks");
    let recorder = Recorder::new(&path, None, 2);
    recorder.locks.iter().for_each(|(_, count)| count.store(first_count, Ordering::Relaxed));
    let mut writers: Vec<_> = (0..THREADS).map(|_| recorder.thread(None).1).collect();
    let mut random = Random(7);
    let mut n_events = 0;
    for _ in 0..30_000 {
        let (thread, lock) = (random.below(THREADS as u64) as usize, random.below(2) as usize);
        let count = &recorder.locks[lock].1;
        let next = count.load(Ordering::Relaxed).checked_add(1).unwrap_or(1);
        count.store(next, Ordering::Relaxed);
        let now = [ticks(thread, clock::ticks()), ticks(thread, clock::ticks())];
        writers[thread].acquired(&recorder, lock as u32, Mode::Exclusive, How::Lock, 1, next, now[0]);
        writers[thread].released(&recorder, lock as u32, Mode::Exclusive, Access::Wrote, now[1]);
        n_events += 2;
    }
    let mut bytes = std::fs::read(&path).unwrap();
    bytes[format::header::OVERWRITTEN..][..4].copy_from_slice(&first_count.to_le_bytes());
    let mut reader = Reader::from_bytes(bytes, &path).unwrap();
    let mut events = Vec::new();
    drain(&mut reader, &mut events);
    assert_eq!(events.len(), n_events, "{what}: {:?}", reader.completeness());
    let completeness = reader.completeness();
    assert_eq!((completeness.gap_count, completeness.damaged_bytes), (0, 0), "{what}: {completeness:?}");
    check_order(&events);
}

#[test]
fn clocks_that_differ_between_cores_change_no_order() {
    check("as it is", 0, |_, ticks| ticks);
    // By seconds, so that every hand-over looks as if it went back in time.
    check("apart", 0, |thread, ticks| ticks + (THREADS - thread) as u64 * 5_000_000_000);
    let mut random = Random(3);
    check("by chance", 0, |_, ticks| ticks + random.below(1 << 36));
}

#[test]
fn a_machine_that_was_suspended_changes_no_order() {
    let mut n = 0;
    check("days", 0, |_, ticks| {
        n += 1;
        ticks + if n > 30_000 { 1 << 50 } else { 0 }
    });
    let mut n = 0;
    check("a counter that begins anew", 0, |_, ticks| {
        n += 1;
        if n > 30_000 { n } else { ticks }
    });
}

#[test]
fn counts_of_acquisitions_may_wrap() {
    check("wraps", u32::MAX - 5_000, |_, ticks| ticks);
}
