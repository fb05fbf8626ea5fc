//! One chunk in the mapping, as its owner sees it.

use std::{
    ptr,
    sync::atomic::{AtomicU32, AtomicU64, Ordering, fence},
};

use super::protocol::{Atomics, Header};
use crate::{
    clock,
    format::{CHUNK_HEADER_SIZE, CHUNK_SIZE, chunk, record_events, record_words},
};

/// Atomics in the mapping.
struct Mapped;

impl Atomics for Mapped {
    type U32 = AtomicU32;
    type U64 = AtomicU64;

    #[inline]
    fn store32(to: &AtomicU32, value: u32, order: Ordering) {
        to.store(value, order);
    }

    #[inline]
    fn store64(to: &AtomicU64, value: u64, order: Ordering) {
        to.store(value, order);
    }

    #[inline]
    fn fence(order: Ordering) {
        fence(order);
    }
}

/// A chunk that the holder of this value may write to.
#[derive(Debug)]
pub struct Chunk {
    base: *mut u8,
    index: u32,
}

// SAFETY: a pointer into a mapping that outlives the process' recording; ownership of the chunk moves with the value.
unsafe impl Send for Chunk {}

impl Chunk {
    /// # Safety
    ///
    /// `base` points to `CHUNK_SIZE` mapped bytes with space reserved, aligned to a page, for as long as the process lives.
    pub(super) unsafe fn new(base: *mut u8, index: u32) -> Self {
        Self { base, index }
    }

    pub(super) fn index(&self) -> u32 {
        self.index
    }

    /// Empties the chunk for a new owner. Readers that look meanwhile see claim 0 or a changed claim.
    pub(super) fn begin(&self, kind: u32, claim: u64) {
        let (ticks, nanos) = clock::pair();
        self.header().begin(kind, claim, || {
            self.u64_at(chunk::TICKS).store(ticks.to_le(), Ordering::Relaxed);
            self.u64_at(chunk::MONOTONIC).store(nanos.to_le(), Ordering::Relaxed);
        });
    }

    /// Has the system make the chunk's pages ready at once, which takes a fraction of the time of a fault for each.
    pub(super) fn populate(&self) {
        // SAFETY: the whole chunk is mapped and its space reserved. Where the advice is unknown nothing happens.
        #[cfg(target_os = "linux")]
        unsafe {
            libc::madvise(self.base.cast(), CHUNK_SIZE, libc::MADV_POPULATE_WRITE);
        }
    }

    /// Tells the system that this chunk and those after it, `n` in all, are not needed in this process' memory for now.
    pub(super) fn leave(&self, n: usize) {
        // SAFETY: the caller has those chunks; they are mapped from a file, so nothing that was written is lost.
        unsafe { libc::madvise(self.base.cast(), n * CHUNK_SIZE, libc::MADV_DONTNEED) };
    }

    pub(super) fn seal(&self) {
        self.header().seal();
    }

    /// Number of its claim.
    pub(super) fn claim(&self) -> u64 {
        u64::from_le(self.u64_at(chunk::CLAIM).load(Ordering::Relaxed))
    }

    /// Words that fit in still.
    pub(super) fn room(&self) -> usize {
        (self.end() as usize - self.cursor() as usize) / 8
    }

    /// Writes a definition and publishes it. The caller owns the chunk and has seen that there is room.
    pub(super) fn append(&self, kind: u8, words: &[u64]) {
        assert!(words.len() < self.room());
        let cursor = self.cursor();
        // SAFETY: there is room, by the assertion, and the holder of this value is the only writer.
        unsafe {
            cursor.write((u64::from(kind) | ((words.len() as u64 + 1) << 32)).to_le());
            for (index, word) in words.iter().enumerate() {
                cursor.add(1 + index).write(word.to_le());
            }
            self.commit(cursor.add(words.len() + 1));
        }
    }

    /// What was committed. The caller owns the chunk.
    pub(super) fn words(&self) -> Vec<u64> {
        let n = self.committed() as usize / 8;
        // SAFETY: below the committed end, which is bounded by the chunk.
        (0..n).map(|index| u64::from_le(unsafe { ptr::read(self.start().add(index)) })).collect()
    }

    /// The next chunk in the writer's list.
    pub(super) fn next(&self) -> Option<u32> {
        u32::from_le(self.u32_at(chunk::NEXT).load(Ordering::Relaxed)).checked_sub(1)
    }

    pub(super) fn set_next(&self, index: Option<u32>) {
        self.u32_at(chunk::NEXT).store(index.map_or(0, |index| index + 1).to_le(), Ordering::Relaxed);
    }

    /// Bytes committed so far. Bounded, should anybody else have written to the file.
    pub(super) fn committed(&self) -> u32 {
        let committed = u32::from_le(self.u32_at(chunk::COMMITTED).load(Ordering::Relaxed));
        committed.min((CHUNK_SIZE - CHUNK_HEADER_SIZE) as u32) & !7
    }

    /// Publishes everything up to `end`.
    #[inline]
    pub(super) fn commit(&self, end: *const u64) {
        let bytes = end as usize - self.base as usize - CHUNK_HEADER_SIZE;
        self.header().commit(bytes as u32);
    }

    /// First word of the records.
    pub(super) fn start(&self) -> *mut u64 {
        // SAFETY: within the chunk; the header's size is a multiple of 8.
        unsafe { self.base.add(CHUNK_HEADER_SIZE).cast() }
    }

    /// The middle.
    pub(super) fn half(&self) -> *mut u64 {
        // SAFETY: within the chunk.
        unsafe { self.base.add(CHUNK_SIZE / 2).cast() }
    }

    /// One past the last word.
    pub(super) fn end(&self) -> *mut u64 {
        // SAFETY: one past the chunk.
        unsafe { self.base.add(CHUNK_SIZE).cast() }
    }

    /// Where the next record goes.
    pub(super) fn cursor(&self) -> *mut u64 {
        // SAFETY: `committed` is bounded by the chunk.
        unsafe { self.start().byte_add(self.committed() as usize) }
    }

    /// Events in the chunk, to count what a flight recorder overwrites. About 10 µs.
    pub(super) fn count_events(&self) -> u64 {
        let mut word = self.start();
        let end = self.cursor();
        let mut events = 0;
        while word < end {
            // SAFETY: below the committed end, written by the chunk's last owner, who sealed it before.
            let first = u64::from_le(unsafe { ptr::read(word) });
            events += record_events(first);
            // Past the end only if anybody else has written to the file; then it is not read.
            word = word.wrapping_add(record_words(first).max(1));
        }
        events
    }

    #[inline]
    fn header(&self) -> Header<'_, Mapped> {
        Header {
            kind: self.u32_at(chunk::KIND),
            sealed: self.u32_at(chunk::SEALED),
            claim: self.u64_at(chunk::CLAIM),
            committed: self.u32_at(chunk::COMMITTED),
        }
    }

    fn u32_at(&self, offset: usize) -> &AtomicU32 {
        // SAFETY: inside the chunk's header, aligned, only accessed as an atomic.
        unsafe { AtomicU32::from_ptr(self.base.add(offset).cast()) }
    }

    fn u64_at(&self, offset: usize) -> &AtomicU64 {
        // SAFETY: as in `u32_at`.
        unsafe { AtomicU64::from_ptr(self.base.add(offset).cast()) }
    }
}
