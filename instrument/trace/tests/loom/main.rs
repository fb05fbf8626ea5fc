//! How chunks change hands, under loom: every interleaving, and every reordering that the memory model allows.
//!
//! `tests/loom.sh` runs it. The owner's side is the recorder's own code; the reader's side repeats the steps of
//! `reader::file`, whose loads are those of the kernel that copies out of the page cache.
#![cfg(loom)]

#[path = "../../src/writer/protocol.rs"]
mod protocol;

use loom::{
    sync::{
        Arc, Mutex,
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
