//! A small recorder: threads that lock counted mutexes and write what they do.

use std::{
    path::{Path, PathBuf},
    sync::{
        Mutex,
        atomic::{AtomicU32, Ordering},
    },
};

use lockscope_trace::{
    Access, Event, EventSource, How, LockKind, Mode, Op, Progress, clock,
    reader::Reader,
    writer::{DefinitionWriter, Environment, HeldAtStart, Options, ThreadWriter, TraceWriter},
};

pub struct Recorder {
    pub writer: TraceWriter,
    pub defs: Mutex<DefinitionWriter>,
    pub locks: Vec<(Mutex<()>, AtomicU32)>,
    site: u32,
}

impl Recorder {
    pub fn new(path: &Path, size: Option<u64>, n_locks: usize) -> Self {
        let options = Options {
            size,
            executable: PathBuf::from("/bin/test"),
            command: vec!["test".to_owned()],
            run: 7,
            coarse: false,
        };
        let writer = TraceWriter::create(path, &options).expect("the directory is ours");
        let mut defs = DefinitionWriter::default();
        let file = defs.string(&writer, "src/a.rs");
        let site = defs.site(&writer, file, 7, 9);
        let name = defs.string(&writer, "name\u{1b}[2J");
        let type_name = defs.string(&writer, "u8");
        let locks = (0..n_locks)
            .map(|_| {
                defs.lock(&writer, LockKind::Mutex, type_name, name, site, Some(3));
                (Mutex::new(()), AtomicU32::new(0))
            })
            .collect();
        Self { writer, defs: Mutex::new(defs), locks, site }
    }

    pub fn thread(&self, parent: Option<u32>) -> (u32, ThreadWriter) {
        let thread = self.defs.lock().unwrap().thread(&self.writer, parent, 0, 1);
        (thread, ThreadWriter::new(thread, 1))
    }

    /// Locks and unlocks, recording both.
    pub fn lock(&self, thread: &mut ThreadWriter, lock: u32) {
        let (mutex, count) = &self.locks[lock as usize];
        let guard = mutex.lock().unwrap();
        let n = count.load(Ordering::Relaxed) + 1;
        count.store(n, Ordering::Relaxed);
        thread.acquired(self, lock, Mode::Exclusive, How::Lock, self.site, n, clock::ticks());
        thread.released(self, lock, Mode::Exclusive, Access::Wrote, clock::ticks());
        drop(guard);
    }
}

impl Environment for Recorder {
    fn writer(&self) -> &TraceWriter {
        &self.writer
    }

    fn held(&self, _: &mut dyn FnMut(HeldAtStart)) {}
}

/// A generator that is the same everywhere.
pub struct Random(pub u64);

impl Random {
    pub fn below(&mut self, n: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % n
    }
}

/// Everything there is until the writer has nothing more for now.
pub fn drain(reader: &mut Reader, events: &mut Vec<Event>) -> Progress {
    loop {
        match reader.poll(events).expect("the file is readable") {
            Progress::More => {}
            progress => return progress,
        }
    }
}

/// Every thread's events in order and every lock's acquisitions in order, each released before the next.
pub fn check_order(events: &[Event]) {
    let mut held = std::collections::HashMap::new();
    let mut next = std::collections::HashMap::new();
    for event in events {
        match event.op {
            Op::Acquired { lock, count, .. } => {
                assert_eq!(held.insert(lock, event.thread), None, "{lock} was acquired while it was held");
                let next = next.entry(lock).or_insert(count);
                assert_eq!(*next, count, "acquisitions of {lock} are out of order");
                // 0 is left out when counts wrap.
                *next = if count == u64::from(u32::MAX) { 1 } else { count + 1 };
            }
            Op::Released { lock, owner, .. } => {
                assert_eq!(owner, event.thread);
                assert_eq!(held.remove(&lock), Some(event.thread));
            }
            _ => {}
        }
    }
}
