//! Copies committed records out of the file, chunk by chunk.
//!
//! The file is read with `pread`, not mapped: a file that is cut off underneath is then an error and not a signal.

use std::{fs::File, io, os::unix::fs::FileExt, sync::atomic::Ordering};

use super::{definitions, merge::Merge};
use crate::{
    Completeness, Definitions, TraceInfo,
    format::{
        CHUNK_HEADER_SIZE, CHUNK_SIZE, HEADER_SIZE, Pair, chunk, halves, header, is_acquired, is_pair, kind,
        record_words,
    },
    stopped,
};

#[derive(Debug)]
pub(super) enum Input {
    File(File),
    Bytes(Vec<u8>),
}

impl Input {
    /// Reads up to `buffer.len()` bytes; fewer only at the end of the input.
    pub(super) fn read_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
        match self {
            Input::Bytes(bytes) => {
                let rest = usize::try_from(offset).ok().and_then(|offset| bytes.get(offset..)).unwrap_or(&[]);
                let len = rest.len().min(buffer.len());
                buffer[..len].copy_from_slice(&rest[..len]);
                Ok(len)
            }
            Input::File(file) => {
                let mut done = 0;
                while done < buffer.len() {
                    match file.read_at(&mut buffer[done..], offset + done as u64) {
                        Ok(0) => break,
                        Ok(read) => done += read,
                        Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                        Err(error) => return Err(error),
                    }
                }
                Ok(done)
            }
        }
    }

    pub(super) fn len(&self) -> u64 {
        match self {
            Input::File(file) => file.metadata().map_or(0, |metadata| metadata.len()),
            Input::Bytes(bytes) => bytes.len() as u64,
        }
    }
}

/// What one scan found out about the file as a whole.
#[derive(Debug, Default)]
pub(super) struct Scan {
    pub(super) new_data: bool,
    pub(super) bytes: u64,
    pub(super) lost: u64,
    pub(super) overwritten: u64,
    /// Events of locks whose definitions were overwritten.
    pub(super) outdated: u64,
    pub(super) closed: bool,
    pub(super) clock_pair: Option<(u64, u64)>,
    /// The error that stopped the recording, 0 for none.
    pub(super) stopped: u32,
    missing_chunks: u64,
}

impl Scan {
    /// Whether the end is missing.
    pub(super) fn is_truncated(&self) -> bool {
        self.stopped != 0 || self.missing_chunks > 0
    }

    /// What is missing, for people.
    pub(super) fn notes(&self, info: &TraceInfo, alive: bool, completeness: &Completeness) -> Vec<String> {
        let mut notes = Vec::new();
        if self.stopped != 0 {
            let reason = stopped::reason(self.stopped as i32);
            notes.push(format!("recording stopped before the program ended: {reason}"));
        }
        if completeness.lost_events > 0 {
            notes.push(format!("{} events could not be recorded", completeness.lost_events));
        }
        if self.overwritten > 0 {
            notes.push(format!("{} older events were overwritten by newer ones (flight recorder)", self.overwritten));
        }
        if self.outdated > 0 {
            notes.push(format!("{} events from before that are of locks that are not known any more", self.outdated));
        }
        if self.missing_chunks > 0 {
            notes.push(format!("the file is cut off: {} of its chunks are missing", self.missing_chunks));
        }
        if completeness.damaged_bytes > 0 {
            notes.push(format!("{} bytes are damaged and were skipped", completeness.damaged_bytes));
        }
        if !self.closed {
            notes.push(if alive {
                format!("process {} is still writing this trace", info.pid)
            } else {
                "the program did not end in an orderly way; everything it had committed is here".to_owned()
            });
        }
        notes
    }
}

/// How often definitions of locks are looked for while chunks change hands all the time; each look takes far less than filling a chunk.
const MOST_LOOKS: usize = 8;

#[derive(Clone, Copy, Debug, Default)]
struct ChunkState {
    claim: u64,
    /// Bytes of records copied so far.
    copied: u32,
    done: bool,
    /// Thread and section that the copied bytes ended in.
    section: Option<(u32, u32)>,
    /// The last word copied is an acquisition, which may still become a pair.
    ends_in_leaf: bool,
}

#[derive(Clone, Copy, Debug)]
struct ChunkHeader {
    kind: u32,
    sealed: bool,
    claim: u64,
    committed: u32,
    pair: (u64, u64),
}

/// A chunk with events, as it was when it was looked at.
#[derive(Clone, Copy, Debug)]
pub(super) struct EventChunk {
    index: usize,
    header: ChunkHeader,
}

#[derive(Debug)]
pub(super) struct ChunkFile {
    input: Input,
    chunks: Vec<ChunkState>,
    claims: u32,
    damaged: u64,
    /// Sections, by thread and number, whose chunk was claimed anew before all of it was copied.
    lost: Vec<(u32, u32)>,
    /// The process, and so its first thread, by the system's id.
    pid: u32,
}

impl ChunkFile {
    pub(super) fn new(input: Input, pid: u32) -> Self {
        Self { input, chunks: Vec::new(), claims: 0, damaged: 0, lost: Vec::new(), pid }
    }

    pub(super) fn damaged(&self) -> u64 {
        self.damaged
    }

    /// Copies everything committed since the last scan into `defs` and `merge`.
    ///
    /// Event chunks' committed lengths are noted first and definitions read after, so every event copied finds its
    /// definitions; event bytes are copied last, up to the noted lengths.
    pub(super) fn scan(&mut self, defs: &mut Definitions, merge: &mut Merge) -> io::Result<Scan> {
        let (mut scan, events) = self.look(defs)?;
        merge.grow(defs);
        for EventChunk { index, header } in events {
            let words = self.copy(index, &header)?;
            if self.is_overtaken(index, &header)? {
                let before = std::mem::take(&mut self.chunks[index]);
                self.lost.extend(before.section);
                continue;
            }
            scan.new_data |= !words.is_empty();
            self.split(index, &words, header.sealed, defs, merge);
        }
        for (thread, number) in self.lost.drain(..) {
            merge.lose(thread, number);
        }
        Ok(scan)
    }

    /// Whether a chunk was claimed anew while it was copied: then it may hold anything.
    fn is_overtaken(&mut self, index: usize, header: &ChunkHeader) -> io::Result<bool> {
        Ok(self.header(index)?.is_none_or(|now| now.claim != header.claim))
    }

    /// Copies all records of a chunk; false when it was claimed anew meanwhile.
    pub(super) fn read_whole(&mut self, chunk: &EventChunk, words: &mut Vec<u64>) -> io::Result<bool> {
        let mut bytes = [0; CHUNK_SIZE];
        let bytes = &mut bytes[..chunk.header.committed as usize];
        let start = offset_of(chunk.index) + CHUNK_HEADER_SIZE as u64;
        let read = self.input.read_at(bytes, start)? & !7;
        self.damaged += (bytes.len() - read) as u64;
        words.clear();
        words.extend(bytes[..read].as_chunks::<8>().0.iter().map(|word| u64::from_le_bytes(*word)));
        if let Some(last) = words.last_mut()
            && !chunk.header.sealed
        {
            *last = self.settled(*last, start + read as u64 - 8)?;
        }
        Ok(!self.is_overtaken(chunk.index, &chunk.header)?)
    }

    /// Notes how far event chunks are committed, then reads definitions. Chunks of which everything was copied are left out.
    pub(super) fn look(&mut self, defs: &mut Definitions) -> io::Result<(Scan, Vec<EventChunk>)> {
        let mut head = [0; 256];
        self.input.read_at(&mut head, 0)?;
        // Asked after the header was read: a file that grows has every chunk that its header had counted by then.
        let mut scan = Scan { bytes: self.input.len(), ..Scan::default() };
        let u32_at = |at: usize| u32::from_le_bytes(head[at..at + 4].try_into().expect("four bytes"));
        let u64_at = |at: usize| u64::from_le_bytes(head[at..at + 8].try_into().expect("eight bytes"));
        scan.lost = u64_at(header::LOST);
        scan.overwritten = u64_at(header::OVERWRITTEN);
        scan.closed = u32_at(header::CLOSED) != 0;
        scan.stopped = u32_at(header::STOPPED);
        let claims = u32_at(header::CLAIMS);
        // The header's count is bounded by what the file really has.
        let said = u64::from(u32_at(header::CHUNKS));
        let have = scan.bytes.saturating_sub(HEADER_SIZE as u64).div_ceil(CHUNK_SIZE as u64).min(said);
        scan.missing_chunks = said - have;
        self.chunks.resize(self.chunks.len().max(have as usize), ChunkState::default());

        let recycled = claims != self.claims;
        self.claims = claims;
        let mut events = Vec::new();
        let mut definitions = Vec::new();
        let mut has_locks = false;
        for index in 0..self.chunks.len() {
            if self.chunks[index].done && !recycled {
                continue;
            }
            let Some(header) = self.header(index)? else { continue };
            if scan.clock_pair.is_none_or(|pair| pair.1 < header.pair.1) {
                scan.clock_pair = Some(header.pair);
            }
            match header.kind {
                chunk::EVENTS => events.push(EventChunk { index, header }),
                chunk::DEFINITIONS => definitions.push(index),
                chunk::LOCKS => has_locks = true,
                _ => {}
            }
        }
        std::sync::atomic::fence(Ordering::Acquire);
        let locks = if has_locks { self.copy_locks(claims)? } else { Vec::new() };
        for index in definitions {
            // Read anew: definitions committed after the first look may be those that the events above need.
            let Some(header) = self.header(index)? else { continue };
            let words = self.copy(index, &header)?;
            scan.new_data |= !words.is_empty();
            self.damaged += definitions::apply(&words, defs);
        }
        // After what they refer to, which was committed before them.
        scan.new_data |= !locks.is_empty();
        self.damaged += definitions::apply_locks(&locks, defs);
        Ok((scan, events))
    }

    fn header(&mut self, index: usize) -> io::Result<Option<ChunkHeader>> {
        let mut first = [0; CHUNK_HEADER_SIZE];
        let mut bytes = [0; CHUNK_HEADER_SIZE];
        // Twice: what the header says of its claim must be read after the claim; see `writer::protocol`.
        if self.input.read_at(&mut first, offset_of(index))? < first.len() {
            return Ok(None);
        }
        std::sync::atomic::fence(Ordering::Acquire);
        if self.input.read_at(&mut bytes, offset_of(index))? < bytes.len() {
            return Ok(None);
        }
        let claim_at = chunk::CLAIM..chunk::CLAIM + 8;
        if first[claim_at.clone()] != bytes[claim_at.clone()] {
            // It changes hands just now; the next scan has it.
            return Ok(None);
        }
        let sealed = bytes[chunk::SEALED..chunk::SEALED + 4] != [0; 4];
        if sealed {
            // Once more, so that the length is that of the end: it may have been copied before it was seen that the chunk is sealed.
            std::sync::atomic::fence(Ordering::Acquire);
            if self.input.read_at(&mut bytes, offset_of(index))? < bytes.len()
                || first[claim_at.clone()] != bytes[claim_at]
            {
                return Ok(None);
            }
        }
        let u32_at = |at: usize| u32::from_le_bytes(bytes[at..at + 4].try_into().expect("four bytes"));
        let u64_at = |at: usize| u64::from_le_bytes(bytes[at..at + 8].try_into().expect("eight bytes"));
        let claim = u64_at(chunk::CLAIM);
        if claim == 0 {
            return Ok(None);
        }
        if self.chunks[index].claim != claim {
            let before = std::mem::replace(&mut self.chunks[index], ChunkState { claim, ..ChunkState::default() });
            self.lost.extend(before.section);
        }
        Ok(Some(ChunkHeader {
            kind: u32_at(chunk::KIND),
            sealed,
            claim,
            committed: u32_at(chunk::COMMITTED).min((CHUNK_SIZE - CHUNK_HEADER_SIZE) as u32) & !7,
            pair: (u64_at(chunk::TICKS), u64_at(chunk::MONOTONIC)),
        }))
    }

    /// The words about locks that were committed since the last time, in a flight recorder. While it moves some, they are looked for again.
    fn copy_locks(&mut self, mut claims: u32) -> io::Result<Vec<u64>> {
        let mut all = Vec::new();
        for _ in 0..MOST_LOOKS {
            for index in 0..self.chunks.len() {
                let Some(header) = self.header(index)?.filter(|header| header.kind == chunk::LOCKS) else { continue };
                let words = self.copy(index, &header)?;
                if self.header(index)?.is_some_and(|now| now.claim == header.claim) {
                    all.extend(words);
                } else {
                    self.chunks[index] = ChunkState::default();
                }
            }
            let mut now = [0; 4];
            std::sync::atomic::fence(Ordering::Acquire);
            self.input.read_at(&mut now, header::CLAIMS as u64)?;
            if std::mem::replace(&mut claims, u32::from_le_bytes(now)) == u32::from_le_bytes(now) {
                break;
            }
        }
        Ok(all)
    }

    /// The words committed since the last time; first the release that an acquisition copied then has got meanwhile.
    fn copy(&mut self, index: usize, header: &ChunkHeader) -> io::Result<Vec<u64>> {
        let state = &mut self.chunks[index];
        let again = if state.ends_in_leaf { 8 } else { 0 };
        let from = state.copied - again;
        let wanted = header.committed.saturating_sub(from) as usize;
        let mut bytes = vec![0; wanted];
        let start = offset_of(index) + CHUNK_HEADER_SIZE as u64 + u64::from(from);
        let read = self.input.read_at(&mut bytes, start)? & !7;
        if read < wanted {
            // Only a file that was cut off ends before what it says is committed.
            self.damaged += (wanted - read) as u64;
        }
        let (words, _) = bytes[..read].as_chunks::<8>();
        let mut words: Vec<u64> = words.iter().map(|word| u64::from_le_bytes(*word)).collect();
        if let Some(last) = words.last_mut()
            && !header.sealed
        {
            *last = self.settled(*last, start + read as u64 - 8)?;
        }
        let state = &mut self.chunks[index];
        state.copied = state.copied.max(header.committed);
        state.done = header.sealed;
        if again > 0 && !words.is_empty() {
            if is_pair(words[0]) {
                words[0] = Pair::release(words[0]);
                state.ends_in_leaf = false;
            } else {
                words.remove(0);
                // Sealed or followed by others it stays what it is.
                state.ends_in_leaf = words.is_empty() && !header.sealed;
            }
        }
        Ok(words)
    }

    /// The last word of a chunk as it is when it is not just being changed. A copy may be made at the very moment, and nobody promises
    /// that it is made in whole words; one that is made later is whole, since a word changes once. So two that agree are.
    fn settled(&self, mut word: u64, offset: u64) -> io::Result<u64> {
        for _ in 0..4 {
            let mut bytes = [0; 8];
            if !(is_acquired(word) || is_pair(word))
                || self.input.read_at(&mut bytes, offset)? < bytes.len()
                || u64::from_le_bytes(bytes) == word
            {
                break;
            }
            word = u64::from_le_bytes(bytes);
        }
        Ok(word)
    }

    /// Hands the words to the threads whose sections they belong to.
    fn split(&mut self, index: usize, words: &[u64], sealed: bool, defs: &mut Definitions, merge: &mut Merge) {
        let mut section = self.chunks[index].section;
        let mut start = 0;
        let mut at = 0;
        let mut last = 0;
        let flush = |section: Option<(u32, u32)>, words: &[u64], merge: &mut Merge| {
            if let Some((thread, number)) = section {
                merge.append(thread, number, words);
            }
        };
        while at < words.len() {
            let first = words[at];
            let len = record_words(first);
            if len == 0 || at + len > words.len() {
                self.damaged += (words.len() - at) as u64 * 8;
                break;
            }
            match first as u8 {
                kind::SECTION => {
                    flush(section, &words[start..at], merge);
                    if let Some((thread, number)) = section {
                        merge.complete(thread, number);
                    }
                    let (thread, os_id) = halves(words[at + 1]);
                    // A spawned thread is defined by its parent, before the system has given it an id.
                    if let Some(def) = defs.threads.get_mut(thread as usize) {
                        def.os_id = os_id;
                        if os_id == self.pid && def.name.is_none() {
                            def.name = Some("main".into());
                        }
                    }
                    let number = (first >> 32) as u32;
                    section = merge.begin(thread, number, words[at + 2]).then_some((thread, number));
                    start = at + len;
                }
                kind::SECTION_END => {
                    flush(section, &words[start..at], merge);
                    if let Some((thread, number)) = section.take() {
                        merge.complete(thread, number);
                    }
                    start = at + len;
                }
                _ => {}
            }
            at += len;
            last = first;
        }
        if at > 0 {
            self.chunks[index].ends_in_leaf = is_acquired(last) && !sealed;
        }
        flush(section, &words[start.min(at)..at], merge);
        if sealed && let Some((thread, number)) = section.take() {
            merge.complete(thread, number);
        }
        self.chunks[index].section = section;
    }
}

fn offset_of(index: usize) -> u64 {
    (HEADER_SIZE + index * CHUNK_SIZE) as u64
}
