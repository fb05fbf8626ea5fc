//! With a helper, which makes chunks ready, everything is as without.

use std::io;

use lockscope_trace::{EventSource, reader::Reader};

use crate::support::{Random, Recorder, check_order, drain};

/// Records pairs in some threads with a helper beside them; returns how many events are in the trace and how many were overwritten.
fn record(size: Option<u64>, pairs: u64) -> (u64, u64) {
    const THREADS: u64 = 3;
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("a.lks");
    let recorder = Recorder::new(&path, size, 5);
    std::thread::scope(|scope| {
        let writers: Vec<_> = (0..THREADS).map(|_| recorder.thread(None).1).collect();
        let threads: Vec<_> = (1..)
            .zip(writers)
            .map(|(seed, mut writer)| {
                let recorder = &recorder;
                scope.spawn(move || {
                    let mut random = Random(seed);
                    for n in 0..pairs {
                        recorder.lock(&mut writer, random.below(5) as u32);
                        if n == 9_000 && seed == 1 {
                            assert!(recorder.writer.is_to_start_helper(), "half of a chunk is used");
                            assert!(!recorder.writer.is_to_start_helper(), "there is one");
                            scope.spawn(|| recorder.writer.help());
                        }
                    }
                    writer.end(&recorder.writer);
                })
            })
            .collect();
        threads.into_iter().for_each(|thread| thread.join().unwrap());
        // Ends the helper.
        recorder.writer.stop(&io::Error::from_raw_os_error(libc::EIO));
    });
    let mut reader = Reader::open(&path).unwrap();
    let mut events = Vec::new();
    // Sections that are lost are told from ones that were not seen yet by a second look.
    drain(&mut reader, &mut events);
    drain(&mut reader, &mut events);
    if size.is_none() {
        check_order(&events);
        assert_eq!(events.len() as u64, THREADS * pairs * 2);
        assert_eq!(reader.completeness().gap_count, 0);
    }
    let overwritten = reader
        .completeness()
        .notes
        .iter()
        .find_map(|note| note.strip_suffix(" older events were overwritten by newer ones (flight recorder)"));
    (events.len() as u64, overwritten.map_or(0, |n| n.parse().unwrap()))
}

#[test]
fn a_growing_trace_is_complete() {
    // More than is left behind at once.
    assert_eq!(record(None, 150_000).1, 0);
}

#[test]
fn what_a_flight_recorder_overwrites_is_counted() {
    let (there, overwritten) = record(Some(2 << 20), 150_000);
    assert!(there > 100_000 && overwritten > 0, "{there} + {overwritten}");
    // Some are in chunks that were counted and not yet used again.
    assert!(there + overwritten >= 3 * 150_000 * 2, "{there} + {overwritten}");
}
