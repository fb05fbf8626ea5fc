//! Writes definitions: what the ids in events stand for.

use super::{Chunk, TraceWriter, lock_defs::LockDefs};
use crate::{
    LockKind,
    format::{CHUNK_HEADER_SIZE, CHUNK_SIZE, chunk, code, kind, pair},
};

/// Longest text that is kept, in bytes.
const MAX_TEXT: usize = 16 << 10;
/// Most frames of a stack that are kept.
const MAX_FRAMES: usize = 512;

/// The stream of definitions. One per trace, used under a lock of the caller's.
///
/// Ids are handed out here, in order, from 1 for texts, sites and stacks (0 is "none") and from 0 for locks, threads and
/// memory locations. When the
/// recording has stopped definitions are dropped silently; the events that name them are not recorded either.
#[derive(Debug, Default)]
pub struct DefinitionWriter {
    chunk: Option<Chunk>,
    /// Locks of a flight recorder.
    lock_defs: LockDefs,
    strings: u32,
    sites: u32,
    stacks: u32,
    stack_bytes: u64,
    locks: u32,
    threads: u32,
    vars: u32,
}

impl DefinitionWriter {
    /// Defines a text and returns its id. Longer ones than 16 KiB are cut.
    pub fn string(&mut self, writer: &TraceWriter, text: &str) -> u32 {
        self.strings += 1;
        let text = &text[..text.floor_char_boundary(MAX_TEXT)];
        let mut words = vec![pair(self.strings, text.len() as u32)];
        words.extend(text.as_bytes().chunks(8).map(|part| {
            let mut bytes = [0; 8];
            bytes[..part.len()].copy_from_slice(part);
            u64::from_le_bytes(bytes)
        }));
        self.put(writer, kind::STRING, &words);
        self.strings
    }

    /// Defines a place in the source.
    pub fn site(&mut self, writer: &TraceWriter, file: u32, line: u32, column: u32) -> u32 {
        self.sites += 1;
        self.put(writer, kind::SITE, &[pair(self.sites, file), pair(line, column)]);
        self.sites
    }

    /// Defines the lock with the next id.
    pub fn lock(
        &mut self,
        writer: &TraceWriter,
        kind_: LockKind,
        type_name: u32,
        name: u32,
        site: u32,
        rank: Option<u16>,
    ) -> u32 {
        let id = self.locks;
        self.locks += 1;
        let rank = rank.map_or(0, |rank| u32::from(rank) + 1);
        let words = [pair(id, type_name), pair(name, site), pair(rank, u32::from(code::lock_kind(kind_)))];
        self.put_lock(writer, kind::LOCK, id, &words);
        id
    }

    /// Says that the place of a lock is that of its first use.
    pub fn first_use(&mut self, writer: &TraceWriter, lock: u32) {
        self.put_lock(writer, kind::FIRST_USE, lock, &[pair(lock, 0)]);
    }

    /// Says what an object was made with: permits, a bound, threads.
    pub fn capacity(&mut self, writer: &TraceWriter, lock: u32, capacity: u64) {
        self.put_lock(writer, kind::CAPACITY, lock, &[pair(lock, 0), capacity]);
    }

    /// A lock is gone; in a flight recorder its definition makes room some time. After the last event that names it.
    pub fn lock_ended(&mut self, writer: &TraceWriter, lock: u32) {
        if writer.is_flight_recorder() {
            self.lock_defs.ended(writer, lock);
        }
    }

    /// Defines the memory location with the next id.
    pub fn var(&mut self, writer: &TraceWriter, type_name: u32, site: u32) -> u32 {
        let id = self.vars;
        self.vars += 1;
        self.put(writer, kind::VAR, &[pair(id, type_name), pair(0, site)]);
        id
    }

    /// Defines the thread with the next id.
    pub fn thread(&mut self, writer: &TraceWriter, parent: Option<u32>, name: u32, os_id: u32) -> u32 {
        let id = self.threads;
        self.threads += 1;
        let parent = parent.map_or(0, |parent| parent + 1);
        self.put(writer, kind::THREAD, &[pair(id, parent), pair(name, os_id)]);
        id
    }

    /// Defines a stack by its return addresses, innermost first; more than 512 are cut. 0, which is no stack, once stacks take a quarter of a
    /// flight recorder.
    pub fn stack(&mut self, writer: &TraceWriter, addresses: &[u64]) -> u32 {
        if writer.is_flight_recorder() && self.stack_bytes >= writer.size() / 4 {
            return 0;
        }
        self.stack_bytes += (addresses.len() as u64 + 2) * 8;
        self.stacks += 1;
        let addresses = &addresses[..addresses.len().min(MAX_FRAMES)];
        let mut words = vec![pair(self.stacks, addresses.len() as u32)];
        words.extend_from_slice(addresses);
        self.put(writer, kind::STACK_DEF, &words);
        self.stacks
    }

    /// Names an executable file that is mapped at `start..end` from `offset` on.
    pub fn module(&mut self, writer: &TraceWriter, start: u64, end: u64, offset: u64, path: u32) {
        self.put(writer, kind::MODULE, &[start, end, offset, pair(path, 0)]);
    }

    fn put_lock(&mut self, writer: &TraceWriter, kind: u8, lock: u32, words: &[u64]) {
        if writer.is_flight_recorder() {
            self.lock_defs.put(writer, kind, lock, words);
        } else {
            self.put(writer, kind, words);
        }
    }

    fn put(&mut self, writer: &TraceWriter, kind: u8, words: &[u64]) {
        let needed = (words.len() + 1) * 8;
        debug_assert!(needed <= CHUNK_SIZE - CHUNK_HEADER_SIZE);
        let fits = |chunk: &Chunk| chunk.end() as usize - chunk.cursor() as usize >= needed;
        if !self.chunk.as_ref().is_some_and(fits) {
            if let Some(full) = self.chunk.take() {
                full.seal();
            }
            match writer.claim_definitions(chunk::DEFINITIONS) {
                Ok(chunk) => self.chunk = Some(chunk),
                Err(_) => return,
            }
        }
        self.chunk.as_ref().expect("a chunk was claimed above").append(kind, words);
    }
}
