//! How chunks change hands, under loom: every interleaving, and every reordering that the memory model allows.
//!
//! `tests/loom.sh` runs it. The owner's side is the recorder's own code; the reader's side repeats the steps of
//! `reader::file`, whose loads are those of the kernel that copies out of the page cache.
#![cfg(loom)]

#[path = "../../src/writer/protocol.rs"]
mod protocol;

use loom::{
    sync::{
        Arc, Condvar, Mutex,
        atomic::{AtomicU32, AtomicU64, fence},
    },
    thread,
};
use protocol::{Atomics, Header};
use std::sync::atomic::Ordering::{self, Acquire, Relaxed};

struct Loom;

impl Atomics for Loom {
    type U32 = AtomicU32;
    type U64 = AtomicU64;

    fn store32(to: &AtomicU32, value: u32, order: Ordering) {
        to.store(value, order);
    }

    fn store64(to: &AtomicU64, value: u64, order: Ordering) {
        to.store(value, order);
    }

    fn fence(order: Ordering) {
        fence(order);
    }
}

/// A chunk with room for two words.
#[derive(Default)]
struct Chunk {
    kind: AtomicU32,
    sealed: AtomicU32,
    claim: AtomicU64,
    committed: AtomicU32,
    words: [AtomicU64; 2],
}

impl Chunk {
    fn header(&self) -> Header<'_, Loom> {
        Header { kind: &self.kind, sealed: &self.sealed, claim: &self.claim, committed: &self.committed }
    }

    /// Takes the chunk, writes both words, which name their claim, and seals it.
    fn fill(&self, claim: u64) {
        self.header().begin(1, claim, || {});
        for (index, word) in self.words.iter().enumerate() {
            word.store(claim * 10 + index as u64, Relaxed);
            self.header().commit(index as u32 + 1);
        }
        self.header().seal();
    }

    /// What a reader takes for the records of a claim; `None` when the chunk changed hands meanwhile.
    fn copy(&self) -> Option<(u64, bool, Vec<u64>)> {
        let claim = self.claim.load(Relaxed);
        fence(Acquire); // What follows is not the last owner's.
        let sealed = self.sealed.load(Relaxed) != 0;
        fence(Acquire); // The length is as it was when the chunk was sealed.
        let committed = self.committed.load(Relaxed);
        if claim == 0 {
            return None;
        }
        fence(Acquire);
        let words = self.words[..committed as usize].iter().map(|word| word.load(Relaxed)).collect();
        fence(Acquire); // If any of it is the next owner's, that shows.
        (self.claim.load(Relaxed) == claim).then_some((claim, sealed, words))
    }
}

/// A flight recorder uses a chunk again while somebody reads it: nobody takes one owner's records for another's, and nobody
/// sees a record before it is written.
#[test]
fn a_reader_never_mixes_owners() {
    loom::model(|| {
        let chunk = Arc::new(Chunk::default());
        chunk.fill(1);
        let writer = {
            let chunk = chunk.clone();
            thread::spawn(move || chunk.fill(2))
        };
        if let Some((claim, _, words)) = chunk.copy() {
            for (index, word) in words.into_iter().enumerate() {
                assert_eq!(word, claim * 10 + index as u64, "of claim {claim}");
            }
        }
        writer.join().unwrap();
    });
}

/// A chunk that is sealed has all that there will be, and is not sealed because it was under its last owner.
#[test]
fn a_sealed_chunk_is_whole() {
    loom::model(|| {
        let chunk = Arc::new(Chunk::default());
        chunk.fill(1);
        let writer = {
            let chunk = chunk.clone();
            thread::spawn(move || chunk.fill(2))
        };
        if let Some((claim, true, words)) = chunk.copy() {
            assert_eq!(words, [claim * 10, claim * 10 + 1]);
        }
        writer.join().unwrap();
    });
}

/// Whoever sees a thread's next section sees that its previous chunk is sealed, and with all that is in it.
#[test]
fn a_next_section_comes_after_the_end_of_the_last() {
    loom::model(|| {
        let chunks = Arc::new([Chunk::default(), Chunk::default()]);
        let writer = {
            let chunks = chunks.clone();
            thread::spawn(move || {
                chunks[0].fill(1);
                chunks[1].fill(2);
            })
        };
        if let Some((_, _, words)) = chunks[1].copy()
            && !words.is_empty()
        {
            let (_, sealed, words) = chunks[0].copy().expect("it has an owner, for ever");
            assert!(sealed && words.len() == 2, "sealed: {sealed}, {words:?}");
        }
        writer.join().unwrap();
    });
}

/// A thread that ends hands its chunk on to the next one through the pool: records follow each other without a gap.
#[test]
fn a_chunk_is_handed_on_whole() {
    loom::model(|| {
        let chunk = Arc::new(Chunk::default());
        let open = Arc::new(Mutex::new(None));
        let first = {
            let (chunk, open) = (chunk.clone(), open.clone());
            thread::spawn(move || {
                chunk.header().begin(1, 1, || {});
                chunk.words[0].store(10, Relaxed);
                chunk.header().commit(1);
                *open.lock().unwrap() = Some(());
            })
        };
        let second = {
            let (chunk, open) = (chunk.clone(), open.clone());
            thread::spawn(move || {
                if open.lock().unwrap().take().is_some() {
                    // The owner goes on where the chunk says that the last one stopped.
                    let at = chunk.committed.load(Relaxed);
                    assert_eq!(at, 1);
                    chunk.words[at as usize].store(11, Relaxed);
                    chunk.header().commit(at + 1);
                }
            })
        };
        if let Some((_, _, words)) = chunk.copy() {
            assert!([vec![], vec![10], vec![10, 11]].contains(&words), "{words:?}");
        }
        first.join().unwrap();
        second.join().unwrap();
    });
}

/// The recorder's helper, as far as it sleeps and is woken: the steps of `writer::ahead` and of `TraceWriter::stop`, with the system's wait on a word
/// made of a lock and a condition variable.
struct Helped {
    ready: Mutex<u32>,
    bell: AtomicU32,
    stopped: AtomicU32,
    system: (Mutex<()>, Condvar),
}

const WANTED: u32 = 2;
const AWAKE: u32 = 0;
const ASLEEP: u32 = 1;

impl Helped {
    fn new() -> Arc<Self> {
        Arc::new(Self {
            ready: Mutex::new(WANTED),
            bell: AtomicU32::new(AWAKE),
            stopped: AtomicU32::new(0),
            system: (Mutex::new(()), Condvar::new()),
        })
    }

    fn is_stopped(&self) -> bool {
        self.stopped.load(Relaxed) != 0
    }

    /// Returns whether it had to make something ready.
    fn stock_up(&self) -> bool {
        let mut ready = self.ready.lock().unwrap();
        std::mem::replace(&mut *ready, WANTED) < WANTED
    }

    fn sleep(&self) {
        {
            let ready = self.ready.lock().unwrap();
            if *ready < WANTED {
                return;
            }
            self.bell.store(ASLEEP, Ordering::SeqCst);
        }
        fence(Ordering::SeqCst);
        if self.is_stopped() {
            self.bell.store(AWAKE, Ordering::SeqCst);
            return;
        }
        let mut system = self.system.0.lock().unwrap();
        while self.bell.load(Relaxed) == ASLEEP {
            system = self.system.1.wait(system).unwrap();
        }
        drop(system);
        self.bell.store(AWAKE, Ordering::SeqCst);
    }

    fn wake(&self) {
        self.bell.store(AWAKE, Ordering::SeqCst);
        let _system = self.system.0.lock().unwrap();
        self.system.1.notify_all();
    }

    fn take(&self) {
        let wakes = {
            let mut ready = self.ready.lock().unwrap();
            *ready -= 1;
            self.bell.swap(AWAKE, Relaxed) == ASLEEP
        };
        if wakes {
            self.wake();
        }
    }

    fn stop(&self) {
        let _ = self.stopped.compare_exchange(0, 1, Relaxed, Relaxed);
        fence(Ordering::SeqCst);
        if self.bell.load(Acquire) == ASLEEP {
            self.wake();
        }
    }
}

/// Whoever takes a chunk and leaves too few is heard, wherever the helper is on its way to sleep; else it would sleep for ever, which loom reports.
#[test]
fn the_helper_hears_who_takes() {
    loom::model(|| {
        let helped = Helped::new();
        let writer = {
            let helped = helped.clone();
            thread::spawn(move || helped.take())
        };
        while !helped.stock_up() {
            helped.sleep();
        }
        writer.join().unwrap();
    });
}

/// Who stops the recording is heard as well.
#[test]
fn the_helper_hears_who_stops() {
    loom::model(|| {
        let helped = Helped::new();
        let stopper = {
            let helped = helped.clone();
            thread::spawn(move || helped.stop())
        };
        while !helped.is_stopped() {
            helped.sleep();
        }
        stopper.join().unwrap();
    });
}
