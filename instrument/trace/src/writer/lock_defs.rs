//! Definitions of locks in a flight recorder: those of locks that are gone make room.
//!
//! A program that makes and destroys locks for hours would fill any file with what they were. So definitions of locks have chunks of their
//! own. When a new one is needed, chunks most of whose locks are gone, for longer than the window of events reaches back, are emptied: what is
//! left in them is defined again elsewhere, by the same ids. Events of such a lock that are older than the window (of a
//! thread that has done nothing since) then name a lock that a reader does not know; it counts them.
//!
//! Order for readers: a definition is committed at its new place before the chunk with the old one changes hands; who reads while
//! that happens sees the number of claims change and looks again.

use std::collections::HashMap;

use super::{Chunk, TraceWriter};
use crate::format::{kind, record_words};

/// Most chunks that are emptied when one is needed: a few, so that no single lock pays for much.
const MOST_AT_ONCE: usize = 3;

/// The chunks with definitions of locks.
#[derive(Debug, Default)]
pub(super) struct LockDefs {
    current: Option<Chunk>,
    /// By the chunks' indexes.
    chunks: HashMap<u32, Contents>,
    /// In which chunk the definition of a living lock is.
    places: HashMap<u32, u32>,
    /// Chunks that were emptied.
    spare: Vec<u32>,
}

#[derive(Clone, Copy, Debug, Default)]
struct Contents {
    defined: u32,
    living: u32,
    /// How many chunks had been claimed when the last of its locks went.
    last_end: u64,
}

impl LockDefs {
    /// Writes a record about a lock.
    pub(super) fn put(&mut self, writer: &TraceWriter, kind: u8, id: u32, words: &[u64]) {
        let needed = words.len() + 1;
        if self.current.as_ref().is_none_or(|chunk| chunk.room() < needed) && !self.next_chunk(writer) {
            return;
        }
        let Some(chunk) = self.current.as_ref().filter(|chunk| chunk.room() >= needed) else { return };
        chunk.append(kind, words);
        if kind == kind::LOCK {
            self.moved_to(id, chunk.index());
        }
    }

    /// A lock is gone; what was recorded of it was recorded before.
    pub(super) fn ended(&mut self, writer: &TraceWriter, id: u32) {
        if let Some(contents) = self.places.remove(&id).and_then(|place| self.chunks.get_mut(&place)) {
            contents.living -= 1;
            contents.last_end = writer.claims();
        }
    }

    fn moved_to(&mut self, id: u32, place: u32) {
        let before = self.places.insert(id, place);
        if let Some(contents) = before.and_then(|before| self.chunks.get_mut(&before)) {
            contents.living -= 1;
        }
        let contents = self.chunks.entry(place).or_default();
        contents.defined += 1;
        contents.living += 1;
    }

    fn next_chunk(&mut self, writer: &TraceWriter) -> bool {
        if let Some(full) = self.current.take() {
            full.seal();
        }
        let chunk = match self.spare.pop() {
            Some(index) => writer.reuse_for_locks(index),
            None => writer.claim_for_locks(self.chunks.len() as u32),
        };
        let Ok(chunk) = chunk else { return false };
        self.chunks.insert(chunk.index(), Contents::default());
        self.current = Some(chunk);
        self.empty_some(writer);
        true
    }

    /// Defines what is left in some chunks again in the current one, while there is room.
    fn empty_some(&mut self, writer: &TraceWriter) {
        let window = writer.window();
        let current = self.current.as_ref().map(Chunk::index);
        let is_old = |contents: &Contents| contents.living <= contents.defined / 2 && contents.last_end < window;
        let mut old: Vec<(u32, u32)> = self
            .chunks
            .iter()
            .filter(|&(&index, contents)| Some(index) != current && is_old(contents))
            .map(|(&index, contents)| (contents.living, index))
            .collect();
        old.sort_unstable();
        for (_, index) in old.into_iter().take(MOST_AT_ONCE) {
            if !self.empty(writer, index) {
                return;
            }
            self.chunks.remove(&index);
            self.spare.push(index);
        }
    }

    /// False when the current chunk is full before the other one is empty.
    fn empty(&mut self, writer: &TraceWriter, index: u32) -> bool {
        let records = writer.chunk(index).words();
        let mut at = 0;
        while at < records.len() {
            let first = records[at];
            let len = record_words(first);
            // Nobody else writes to the file, but who knows.
            let Some(record) = records.get(at..at + len).filter(|record| record.len() > 1) else { return false };
            at += len;
            let id = record[1] as u32;
            let is_here = self.places.get(&id) == Some(&index);
            let is_living = is_here || (first as u8 != kind::LOCK && self.places.contains_key(&id));
            if !is_living {
                continue;
            }
            let Some(current) = self.current.as_ref().filter(|chunk| chunk.room() >= len) else { return false };
            current.append(first as u8, &record[1..]);
            if first as u8 == kind::LOCK {
                let place = current.index();
                self.moved_to(id, place);
            }
        }
        true
    }
}
