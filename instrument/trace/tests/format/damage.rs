use std::path::Path;

use lockscope_trace::{
    Error, EventSource, Progress, format,
    reader::{Reader, run_of},
};

use crate::support::{Random, Recorder};

fn sample() -> Vec<u8> {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("a.lks");
    let recorder = Recorder::new(&path, None, 5);
    let mut writers: Vec<_> = (0..2).map(|_| recorder.thread(None).1).collect();
    for n in 0..2000 {
        recorder.lock(&mut writers[n % 2], (n % 5) as u32);
    }
    let mut bytes = std::fs::read(&path).unwrap();
    // Another process id: the trace is one of the past.
    bytes[format::header::PID..][..4].copy_from_slice(&u32::MAX.to_le_bytes());
    bytes
}

fn read(bytes: Vec<u8>) -> Result<(usize, Reader), Error> {
    let mut reader = Reader::from_bytes(bytes, Path::new("sample.lks"))?;
    let mut events = Vec::new();
    while reader.poll(&mut events)? != Progress::Ended {}
    Ok((events.len(), reader))
}

fn check_refused(bytes: Vec<u8>, expected_kind: &str, in_message: &str) {
    match read(bytes) {
        Err(error @ Error::Format { kind, .. }) => {
            assert_eq!(kind, expected_kind);
            assert!(error.to_string().contains(in_message), "{error}");
            assert!(error.to_string().contains("sample.lks"), "{error}");
            assert!(!error.help().is_empty());
        }
        other => panic!("expected {expected_kind}, got {:?}", other.map(|(n, _)| n)),
    }
}

#[test]
fn unusable_files_are_refused_with_a_reason() {
    let sample = sample();
    check_refused(Vec::new(), "empty", "empty");
    check_refused(vec![0; 200_000], "unfinished", "never begun");
    check_refused(b"hello world, this is a text file".to_vec(), "foreign", "not a lockscope trace");
    check_refused(b"LOCK".to_vec(), "truncated", "after 4 of");
    check_refused(sample[..5000].to_vec(), "truncated", "after 5000 of");
    let mut newer = sample.clone();
    newer[format::header::VERSION] = 3;
    check_refused(newer, "newer-version", "version 3.0");
    let mut sizes = sample;
    sizes[format::header::CHUNK_BYTES] = 77;
    check_refused(sizes, "damaged", "chunk sizes");
}

/// Of a file that is no trace, or not yet one.
#[test]
fn the_run_is_known_from_the_first_bytes() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("a.lks");
    let sample = sample();
    for (bytes, expected) in [
        (&sample[..], Some(Some(7))),
        (&sample[..168], Some(Some(7))),
        (&sample[..167], None),
        (&[0; 200_000], Some(None)),
        (&[], Some(None)),
        (b"hello world, this is a text file", None),
    ] {
        std::fs::write(&path, bytes).unwrap();
        assert_eq!(run_of(&path).ok(), expected, "{} bytes", bytes.len());
    }
}

#[test]
fn a_cut_off_file_gives_what_it_has_and_says_what_is_missing() {
    let sample = sample();
    let (all, reader) = read(sample.clone()).unwrap();
    assert_eq!(all, 4000);
    assert!(reader.completeness().is_complete(), "{:?}", reader.completeness());
    for keep in [
        format::HEADER_SIZE,
        format::HEADER_SIZE + format::CHUNK_SIZE + 1000,
        format::HEADER_SIZE + 2 * format::CHUNK_SIZE,
    ] {
        let (events, reader) = read(sample[..keep].to_vec()).unwrap();
        assert!(events < all);
        assert!(!reader.completeness().is_complete(), "{keep}");
        assert!(
            reader.completeness().notes.iter().any(|note| note.contains("cut off") || note.contains("damaged")),
            "{keep}"
        );
    }
}

#[test]
fn no_damage_makes_the_reader_panic() {
    let sample = sample();
    let mut random = Random(42);
    for _ in 0..300 {
        let mut bytes = sample.clone();
        for _ in 0..1 + random.below(20) {
            // Mostly where it hurts: headers of the file and of chunks, and the first records.
            let area = [0, format::HEADER_SIZE, format::HEADER_SIZE + format::CHUNK_SIZE][random.below(3) as usize];
            let at = area + random.below(2048) as usize;
            bytes[at] = random.below(256) as u8;
        }
        if random.below(4) == 0 {
            bytes.truncate(random.below(bytes.len() as u64) as usize);
        }
        if let Ok((events, _)) = read(bytes) {
            assert!(events < 100_000, "damage multiplied the events");
        }
    }
}

#[test]
fn a_missing_chunk_in_the_middle_is_a_gap_that_is_reported() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("a.lks");
    let recorder = Recorder::new(&path, None, 3);
    let mut writers: Vec<_> = (0..2).map(|_| recorder.thread(None).1).collect();
    for n in 0..30_000 {
        recorder.lock(&mut writers[n % 2], (n % 3) as u32);
    }
    let mut bytes = std::fs::read(&path).unwrap();
    bytes[format::header::PID..][..4].copy_from_slice(&u32::MAX.to_le_bytes());
    let (all, _) = read(bytes.clone()).unwrap();
    // Chunk 3 belongs to one of the threads; without its claim number it is as if it had never been.
    let chunk = format::HEADER_SIZE + 3 * format::CHUNK_SIZE;
    bytes[chunk + format::chunk::CLAIM..][..8].fill(0);
    let (events, reader) = read(bytes).unwrap();
    assert!(events < all);
    assert!(reader.completeness().gap_count > 0);
    assert!(!reader.completeness().is_complete());
}
