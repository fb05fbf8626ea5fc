//! Definitions of locks in a flight recorder: those of locks that are gone make room.
//!
//! A program that makes and destroys locks for hours would fill any file with what they were. So definitions of locks have chunks of their
//! own. When a new one is needed, chunks most of whose locks are gone, for longer than the window of events reaches back, are emptied: what is
//! left in them is defined again elsewhere, by the same ids. Events of such a lock that are older than the window (of a
//! thread that has done nothing since) then name a lock that a reader does not know; it counts them.
//!
//! Order for readers: a definition is committed at its new place before the chunk with the old one changes hands; who reads while
//! that happens sees the number of claims change and looks again.

use super::{Chunk, TraceWriter};
use crate::format::{chunk, kind, record_words};

/// Most chunks that are emptied when one is needed: a few, so that no single lock pays for much.
const MOST_AT_ONCE: usize = 3;

/// The chunks with definitions of locks.
#[derive(Debug, Default)]
pub(super) struct LockDefs {
    current: Option<Chunk>,
    /// By the chunks' indexes.
    chunks: Vec<Option<Contents>>,
    places: Places,
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

/// In which chunk the definition of a living lock is: pages by id, which are freed when all of their locks are gone.
#[derive(Debug, Default)]
struct Places(Vec<Option<Box<Page>>>);

const PAGE: usize = 64;

#[derive(Debug)]
struct Page {
    living: u32,
    /// A chunk's index + 1, or 0.
    places: [u32; PAGE],
}

impl Places {
    fn get(&self, id: u32) -> Option<u32> {
        self.0.get(id as usize / PAGE)?.as_ref()?.places[id as usize % PAGE].checked_sub(1)
    }

    /// Returns the one before.
    fn insert(&mut self, id: u32, place: u32) -> Option<u32> {
        let index = id as usize / PAGE;
        if self.0.len() <= index {
            self.0.resize_with(index + 1, || None);
        }
        let page = self.0[index].get_or_insert_with(|| Box::new(Page { living: 0, places: [0; PAGE] }));
        let before = std::mem::replace(&mut page.places[id as usize % PAGE], place + 1).checked_sub(1);
        page.living += u32::from(before.is_none());
        before
    }

    fn remove(&mut self, id: u32) -> Option<u32> {
        let slot = self.0.get_mut(id as usize / PAGE)?;
        let page = slot.as_mut()?;
        let place = std::mem::take(&mut page.places[id as usize % PAGE]).checked_sub(1)?;
        page.living -= 1;
        if page.living == 0 {
            *slot = None;
        }
        Some(place)
    }
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
        if let Some(contents) = self.places.remove(id).and_then(|place| self.contents(place)) {
            contents.living -= 1;
            contents.last_end = writer.claims();
        }
    }

    fn moved_to(&mut self, id: u32, place: u32) {
        let before = self.places.insert(id, place);
        if let Some(contents) = before.and_then(|before| self.contents(before)) {
            contents.living -= 1;
        }
        if let Some(contents) = self.contents(place) {
            contents.defined += 1;
            contents.living += 1;
        }
    }

    fn contents(&mut self, place: u32) -> Option<&mut Contents> {
        self.chunks.get_mut(place as usize)?.as_mut()
    }

    fn begin(&mut self, place: u32) {
        let index = place as usize;
        if self.chunks.len() <= index {
            self.chunks.resize_with(index + 1, || None);
        }
        self.chunks[index] = Some(Contents::default());
    }

    fn forget(&mut self, place: u32) {
        self.chunks[place as usize] = None;
    }

    fn next_chunk(&mut self, writer: &TraceWriter) -> bool {
        if let Some(full) = self.current.take() {
            full.seal();
        }
        let chunk = match self.spare.pop() {
            Some(index) => writer.reuse_for_locks(index),
            None => writer.claim_definitions(chunk::LOCKS),
        };
        let Ok(chunk) = chunk else { return false };
        self.begin(chunk.index());
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
            .zip(0..)
            .filter_map(|(contents, index)| Some((contents.as_ref()?, index)))
            .filter(|&(contents, index)| Some(index) != current && is_old(contents))
            .map(|(contents, index)| (contents.living, index))
            .collect();
        old.sort_unstable();
        for (_, index) in old.into_iter().take(MOST_AT_ONCE) {
            if !self.empty(writer, index) {
                return;
            }
            self.forget(index);
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
            let is_here = self.places.get(id) == Some(index);
            let is_living = is_here || (first as u8 != kind::LOCK && self.places.get(id).is_some());
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
