use std::{
    path::Path,
    sync::atomic::{AtomicBool, Ordering},
};

use lockscope_trace::{EventSource, Op, Progress, ThreadId, clock, format::kind, reader::Reader};

use crate::support::{Random, Recorder, check_order, drain};

fn record(path: &Path, size: Option<u64>, n_threads: usize, n_pairs: u64) -> Recorder {
    let recorder = Recorder::new(path, size, 5);
    let (main, mut main_writer) = recorder.thread(None);
    main_writer.plain(&recorder, kind::START, clock::ticks());
    std::thread::scope(|scope| {
        for seed in 1..=n_threads as u64 {
            let (child, mut writer) = recorder.thread(Some(main));
            main_writer.event(&recorder, kind::SPAWN, child, 0, clock::ticks());
            let recorder = &recorder;
            scope.spawn(move || {
                let mut random = Random(seed);
                writer.plain(recorder, kind::START, clock::ticks());
                for _ in 0..n_pairs {
                    recorder.lock(&mut writer, random.below(5) as u32);
                }
                writer.plain(recorder, kind::EXIT, clock::ticks());
                writer.end(&recorder.writer);
            });
        }
    });
    for child in 1..=n_threads as u32 {
        main_writer.event(&recorder, kind::JOINED, child, 0, clock::ticks());
    }
    main_writer.end(&recorder.writer);
    recorder
}

#[test]
fn threads_are_merged_in_the_order_of_their_locks() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("a.lks");
    let recorder = record(&path, None, 4, 20_000);
    recorder.writer.close();
    let mut reader = Reader::open(&path).unwrap();
    let mut events = Vec::new();
    // This process wrote it and lives, so more could come.
    assert_eq!(drain(&mut reader, &mut events), Progress::CaughtUp);
    assert_eq!(events.len(), 1 + 4 * (2 + 40_000) + 2 * 4);
    check_order(&events);
    assert_eq!(events[0].op, Op::Start);
    for thread in (1..=4).map(ThreadId) {
        let at = |op: Op| events.iter().position(|event| event.op == op).unwrap();
        let start = events.iter().position(|event| event.thread == thread).unwrap();
        assert!(at(Op::Spawn { child: thread }) < start);
        let exit = events.iter().position(|event| event.thread == thread && event.op == Op::Exit).unwrap();
        assert!(exit < at(Op::Joined { child: thread }));
    }
    assert!(reader.completeness().is_complete());
    let lock = &reader.definitions().locks[0];
    assert_eq!(lock.name.as_deref(), Some("name\u{fffd}[2J"));
    assert_eq!((lock.rank, lock.type_name.as_ref()), (Some(3), "u8"));
    assert_eq!(reader.info().executable, "/bin/test");
}

#[test]
fn a_growing_file_can_be_followed() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("a.lks");
    let recorder = Recorder::new(&path, None, 5);
    let mut writers: Vec<_> = (0..3).map(|_| recorder.thread(None).1).collect();
    let stop = AtomicBool::new(false);
    let mut events = Vec::new();
    let mut reader = Reader::open(&path).unwrap();
    let written: usize = std::thread::scope(|scope| {
        let threads: Vec<_> = writers
            .iter_mut()
            .enumerate()
            .map(|(index, writer)| {
                let (recorder, stop) = (&recorder, &stop);
                scope.spawn(move || {
                    let mut random = Random(index as u64 + 1);
                    let mut pairs = 0;
                    while !stop.load(Ordering::Relaxed) {
                        recorder.lock(writer, random.below(5) as u32);
                        pairs += 1;
                    }
                    pairs
                })
            })
            .collect();
        while events.len() < 200_000 {
            reader.poll(&mut events).expect("the file is readable");
        }
        stop.store(true, Ordering::Relaxed);
        threads.into_iter().map(|thread| thread.join().unwrap()).sum()
    });
    assert_eq!(drain(&mut reader, &mut events), Progress::CaughtUp);
    assert_eq!(events.len(), written * 2);
    check_order(&events);
    assert_eq!(reader.completeness().gap_count, 0);
}

#[test]
fn a_full_flight_recorder_keeps_the_newest_and_says_so() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("a.lks");
    let recorder = record(&path, Some(1 << 20), 2, 200_000);
    assert!(recorder.writer.stopped().is_none());
    assert!(std::fs::metadata(&path).unwrap().len() <= 1 << 20);
    let mut reader = Reader::open(&path).unwrap();
    let mut events = Vec::new();
    drain(&mut reader, &mut events);
    // The end is there (a thread that ended early may be gone altogether); the beginning is not, and that is said.
    for child in [1, 2].map(ThreadId) {
        assert!(events.iter().any(|event| event.op == Op::Joined { child }));
    }
    assert!(events.len() > 50_000);
    assert!(events.len() < 2 * 400_000);
    assert!(reader.completeness().notes.iter().any(|note| note.contains("overwritten")), "{:?}", reader.completeness());
    assert!(!reader.completeness().is_complete());
}

#[test]
fn ended_threads_hand_their_chunks_on() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("a.lks");
    let recorder = Recorder::new(&path, None, 1);
    for _ in 0..1000 {
        let (_, mut writer) = recorder.thread(None);
        writer.plain(&recorder, kind::START, clock::ticks());
        recorder.lock(&mut writer, 0);
        writer.plain(&recorder, kind::EXIT, clock::ticks());
        writer.end(&recorder.writer);
    }
    assert!(std::fs::metadata(&path).unwrap().len() < 1 << 20);
    let mut reader = Reader::open(&path).unwrap();
    let mut events = Vec::new();
    drain(&mut reader, &mut events);
    assert_eq!(events.len(), 4000);
    check_order(&events);
}

#[test]
fn the_file_is_private_and_never_replaces_another() {
    use std::os::unix::fs::{PermissionsExt, symlink};
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("a.lks");
    let _recorder = Recorder::new(&path, None, 1);
    assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
    let link = dir.path().join("link.lks");
    symlink(dir.path().join("target"), &link).unwrap();
    for taken in [&path, &link] {
        let options = lockscope_trace::writer::Options {
            size: None,
            executable: "x".into(),
            command: vec![],
            run: 0,
            coarse: false,
        };
        let error = lockscope_trace::writer::TraceWriter::create(taken, &options).unwrap_err();
        assert_eq!(error.kind(), std::io::ErrorKind::AlreadyExists);
    }
}

#[test]
fn a_reader_that_is_overtaken_says_so_and_goes_on() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("a.lks");
    let recorder = Recorder::new(&path, Some(1 << 20), 5);
    let mut reader = Reader::open(&path).unwrap();
    let mut events = Vec::new();
    let (_, mut writer) = recorder.thread(None);
    let mut random = Random(7);
    for round in 0..20 {
        // Several times what the recorder keeps, and the reader takes what is left: twice, since it tells sections that are
        // lost from ones that it has not seen yet by a second look.
        for _ in 0..(if round % 2 == 0 { 200_000 } else { 100 }) {
            recorder.lock(&mut writer, random.below(5) as u32);
        }
        drain(&mut reader, &mut events);
        drain(&mut reader, &mut events);
    }
    assert_eq!(events.last().map(|event| event.op.name()), Some("released"), "the newest event is there");
    let dropped = events.iter().filter(|event| matches!(event.op, Op::Dropped { .. })).count();
    assert!(dropped >= 9, "{dropped} losses were said");
    // Between two losses everything is in order.
    for run in events.split(|event| matches!(event.op, Op::Dropped { .. })) {
        // What is held when a run begins was acquired before it.
        let first =
            run.iter().position(|event| matches!(event.op, Op::Acquired { count: 1.., .. })).unwrap_or(run.len());
        check_order(&run[first..]);
    }
    assert!(!reader.completeness().is_complete());
}

#[test]
fn what_a_section_did_is_kept() {
    use lockscope_trace::{Access, How, Mode};
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("a.lks");
    let recorder = Recorder::new(&path, None, 1);
    let (owner, mut writer) = recorder.thread(None);
    let accesses = [Access::Unknown, Access::Nothing, Access::Read, Access::Wrote, Access::ReadThenWrote];
    let modes = [Mode::Exclusive, Mode::Shared, Mode::Upgradable];
    let mut expected = Vec::new();
    for access in accesses {
        writer.acquired(&recorder, 0, Mode::Exclusive, How::Lock, 0, expected.len() as u32 + 1, clock::ticks());
        writer.released(&recorder, 0, Mode::Exclusive, access, clock::ticks());
        expected.push((None, ThreadId(owner), access));
        for mode in modes {
            writer.acquired(&recorder, 0, mode, How::Lock, 0, expected.len() as u32 + 1, clock::ticks());
            writer.released_for(&recorder, 0, owner, mode, access, clock::ticks());
            expected.push((Some(mode), ThreadId(owner), access));
        }
    }
    writer.end(&recorder.writer);
    recorder.writer.close();
    let mut events = Vec::new();
    drain(&mut Reader::open(&path).unwrap(), &mut events);
    let released: Vec<_> = events
        .iter()
        .filter_map(|event| match event.op {
            Op::Released { mode, owner, access, .. } => Some((mode, owner, access)),
            _ => None,
        })
        .collect();
    assert_eq!(released, expected);
}
