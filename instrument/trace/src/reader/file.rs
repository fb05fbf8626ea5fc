//! Copies committed records out of the file, chunk by chunk.
//!
//! That goes in rounds: a look at all chunks notes how far each is committed, and reads definitions; then the chunks are copied one by one, by the
//! times at which their events begin, as the merge gets there. So what waits in memory is about what threads do at the same time, however
//! large the file.

use std::{io, sync::atomic::Ordering};

use super::{definitions, input::Input, merge::Merge, scan::Scan};
use crate::{
    Definitions,
    format::{
        CHUNK_HEADER_SIZE, CHUNK_SIZE, HEADER_SIZE, Pair, chunk, halves, header, is_acquired, is_pair, kind,
        record_words,
    },
};

/// How often definitions of locks are looked for while chunks change hands all the time; each look takes far less than filling a chunk.
const MOST_LOOKS: usize = 8;

/// So many chunks may wait in memory for the next look.
const FEW: usize = 16;

#[derive(Clone, Copy, Debug, Default)]
struct ChunkState {
    claim: u64,
    /// Bytes of records copied so far.
    copied: u32,
    /// Bytes that were committed at the last look and at the one before.
    noted: u32,
    noted_before: u32,
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
    /// When its first events are, as far as that can be seen: no event that was not copied yet is earlier.
    start: u64,
}

/// A chunk with events, as it was when it was looked at.
#[derive(Clone, Copy, Debug)]
pub(super) struct EventChunk {
    index: usize,
    header: ChunkHeader,
}

impl EventChunk {
    /// Claims of chunks follow each other in time; those of a generated trace may not.
    fn order(&self) -> (u64, u64) {
        (self.header.start, self.header.claim)
    }
}

/// Where a file is begun to be read.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Start {
    /// With everything that it has.
    Everything,
    /// With what its threads wrote last, as if it were a flight recorder that has overwritten the rest.
    Latest {
        /// The rest was left out already.
        is_begun: bool,
    },
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
    /// The first look leaves out all chunks that are full.
    start: Start,
    /// What is left of this round, the next one last.
    round: Vec<EventChunk>,
    /// What is copied, so that it need not be allocated for each chunk.
    bytes: Vec<u8>,
    words: Vec<u64>,
}

impl ChunkFile {
    pub(super) fn new(input: Input, pid: u32, start: Start) -> Self {
        Self {
            input,
            start,
            chunks: Vec::new(),
            claims: 0,
            damaged: 0,
            lost: Vec::new(),
            pid,
            round: Vec::new(),
            bytes: Vec::new(),
            words: Vec::new(),
        }
    }

    pub(super) fn damaged(&self) -> u64 {
        self.damaged
    }

    /// Begins a round: notes what is committed. `alive` when more may come.
    ///
    /// Event chunks' committed lengths are noted first and definitions read after, so every event copied finds its
    /// definitions; event bytes are copied last, up to the noted lengths.
    pub(super) fn begin_round(&mut self, defs: &mut Definitions, merge: &mut Merge, alive: bool) -> io::Result<Scan> {
        let (mut scan, mut events) = self.look(defs)?;
        if scan.overwritten > 0 && alive && events.len() > FEW {
            // Twice, so that of what was there the first time it is known that all before it would have been seen. Else all that waits for what is
            // lost would be copied before that is known.
            (scan, events) = self.look(defs)?;
        }
        if !alive {
            self.chunks.iter_mut().for_each(|chunk| chunk.noted_before = chunk.noted);
        }
        events.sort_unstable_by_key(|chunk| std::cmp::Reverse(chunk.order()));
        self.round = events;
        merge.begin_round(defs, scan.overwritten > 0);
        self.hand_on_losses(merge);
        Ok(scan)
    }

    /// No event that this round has still to copy is before this tick.
    pub(super) fn horizon(&self) -> u64 {
        self.round.last().map_or(u64::MAX, |chunk| chunk.header.start)
    }

    /// Words that this round has still to copy.
    pub(super) fn words_to_copy(&self) -> u64 {
        let left =
            self.round.iter().map(|chunk| chunk.header.committed.saturating_sub(self.chunks[chunk.index].copied));
        left.map(|bytes| u64::from(bytes) / 8).sum()
    }

    /// Copies the next chunk of this round. False when that is over.
    pub(super) fn copy_next(&mut self, defs: &mut Definitions, merge: &mut Merge) -> io::Result<bool> {
        let Some(EventChunk { index, header }) = self.round.pop() else { return Ok(false) };
        let mut words = std::mem::take(&mut self.words);
        self.copy(index, &header, &mut words)?;
        if self.is_overtaken(index, &header)? {
            let before = std::mem::take(&mut self.chunks[index]);
            self.lost.extend(before.section);
        } else {
            let young = header.committed.saturating_sub(self.chunks[index].noted_before) as usize / 8;
            self.split(index, &words, words.len().saturating_sub(young), header.sealed, defs, merge);
        }
        self.words = words;
        self.hand_on_losses(merge);
        Ok(true)
    }

    fn hand_on_losses(&mut self, merge: &mut Merge) {
        self.lost.drain(..).for_each(|(thread, number)| merge.lose(thread, number));
    }

    /// Whether a chunk was claimed anew while it was copied: then it may hold anything.
    fn is_overtaken(&mut self, index: usize, header: &ChunkHeader) -> io::Result<bool> {
        std::sync::atomic::fence(Ordering::Acquire);
        Ok(self.claim(index)? != Some(header.claim))
    }

    /// Who has the chunk, if it is there.
    fn claim(&self, index: usize) -> io::Result<Option<u64>> {
        let mut bytes = [0; 8];
        let read = self.input.read_at(&mut bytes, offset_of(index) + chunk::CLAIM as u64)?;
        Ok((read == bytes.len()).then(|| u64::from_le_bytes(bytes)))
    }

    /// Copies all records of a chunk, for whoever does not follow; `None` when it was claimed anew meanwhile.
    pub(super) fn read_whole(&mut self, chunk: &EventChunk) -> io::Result<Option<&[[u8; 8]]>> {
        let start = offset_of(chunk.index) + CHUNK_HEADER_SIZE as u64;
        let wanted = chunk.header.committed as usize;
        self.bytes.resize(self.bytes.len().max(wanted), 0);
        let read = self.input.read_at(&mut self.bytes[..wanted], start)? & !7;
        self.damaged += (wanted - read) as u64;
        if read > 0 && !chunk.header.sealed {
            let last = self.bytes[read - 8..read].first_chunk().expect("eight bytes");
            let last = self.settled(u64::from_le_bytes(*last), start + read as u64 - 8)?;
            self.bytes[read - 8..read].copy_from_slice(&last.to_le_bytes());
        }
        if self.is_overtaken(chunk.index, &chunk.header)? {
            return Ok(None);
        }
        Ok(Some(self.bytes[..read].as_chunks().0))
    }

    /// Notes how far event chunks are committed, then reads definitions. Chunks of which everything was copied are left out: they are looked at
    /// only in a flight recorder, and only for whether somebody has claimed them anew.
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
            let state = &self.chunks[index];
            if state.done && (!recycled || self.claim(index)? == Some(state.claim)) {
                continue;
            }
            let Some(header) = self.header(index)? else { continue };
            if scan.clock_pair.is_none_or(|pair| pair.1 < header.pair.1) {
                scan.clock_pair = Some(header.pair);
            }
            match header.kind {
                chunk::EVENTS => {
                    let state = &mut self.chunks[index];
                    state.noted_before = std::mem::replace(&mut state.noted, header.committed);
                    if header.committed > state.copied || header.sealed || state.ends_in_leaf {
                        events.push(EventChunk { index, header });
                    }
                }
                chunk::DEFINITIONS => definitions.push((header.claim, index)),
                chunk::LOCKS => has_locks = true,
                _ => {}
            }
        }
        if let Start::Latest { is_begun } = &mut self.start {
            scan.overwritten = scan.overwritten.max(1);
            if !std::mem::replace(is_begun, true) {
                // Every thread that lives is writing to one that is not full, in whose beginning it says what it held.
                events.retain(|chunk| !chunk.header.sealed || self.leave_out(chunk));
            }
        }
        std::sync::atomic::fence(Ordering::Acquire);
        if self.add_chunks()? != claims {
            // What was claimed meanwhile may define what the events above name.
            for index in 0..self.chunks.len() {
                let state = &self.chunks[index];
                if !state.done || self.claim(index)? != Some(state.claim) {
                    let header = self.header(index)?;
                    definitions.extend(
                        header.filter(|header| header.kind == chunk::DEFINITIONS).map(|header| (header.claim, index)),
                    );
                    has_locks |= header.is_some_and(|header| header.kind == chunk::LOCKS);
                }
            }
        }
        let locks = if has_locks { self.copy_locks(claims)? } else { Vec::new() };
        // In the order in which they were begun: a flight recorder may put them where the oldest events were.
        definitions.sort_unstable();
        definitions.dedup();
        for (_, index) in definitions {
            // Read anew: definitions committed after the first look may be those that the events above need.
            let Some(header) = self.header(index)? else { continue };
            let mut words = Vec::new();
            self.copy(index, &header, &mut words)?;
            self.damaged += definitions::apply(&words, defs);
        }
        // After what they refer to, which was committed before them.
        self.damaged += definitions::apply_locks(&locks, defs);
        Ok((scan, events))
    }

    /// A chunk counts as copied. False, for who asks whether it is left.
    fn leave_out(&mut self, chunk: &EventChunk) -> bool {
        let state = &mut self.chunks[chunk.index];
        (state.copied, state.done) = (chunk.header.committed, true);
        false
    }

    /// Makes room for chunks that have come meanwhile. Returns how often one was claimed.
    fn add_chunks(&mut self) -> io::Result<u32> {
        let mut said = [0; 12];
        self.input.read_at(&mut said, header::CHUNKS as u64)?;
        let u32_at = |at: usize| u32::from_le_bytes(said[at..at + 4].try_into().expect("four bytes"));
        let have = self.input.len().saturating_sub(HEADER_SIZE as u64).div_ceil(CHUNK_SIZE as u64);
        let have = have.min(u64::from(u32_at(0))) as usize;
        self.chunks.resize(self.chunks.len().max(have), ChunkState::default());
        Ok(u32_at(header::CLAIMS - header::CHUNKS))
    }

    fn header(&mut self, index: usize) -> io::Result<Option<ChunkHeader>> {
        let mut first = [0; CHUNK_HEADER_SIZE];
        let mut bytes = [0; CHUNK_HEADER_SIZE];
        let mut with_section = [0; CHUNK_HEADER_SIZE + 24];
        // Twice: what the header says of its claim must be read after the claim; see `writer::protocol`.
        if self.input.read_at(&mut first, offset_of(index))? < first.len() {
            return Ok(None);
        }
        std::sync::atomic::fence(Ordering::Acquire);
        let has_section = match self.input.read_at(&mut with_section, offset_of(index))? {
            read if read < bytes.len() => return Ok(None),
            read => read == with_section.len(),
        };
        bytes.copy_from_slice(&with_section[..CHUNK_HEADER_SIZE]);
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
        let word_at = |at: usize| {
            u64::from_le_bytes(with_section[CHUNK_HEADER_SIZE + at..][..8].try_into().expect("eight bytes"))
        };
        // What is copied already says nothing of what comes next.
        let is_new = self.chunks[index].copied == 0 && has_section && u32_at(chunk::COMMITTED) >= 24;
        let start = if is_new && word_at(0) as u8 == kind::SECTION { word_at(16) } else { 0 };
        Ok(Some(ChunkHeader {
            start,
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
                let mut words = Vec::new();
                self.copy(index, &header, &mut words)?;
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
    fn copy(&mut self, index: usize, header: &ChunkHeader, words: &mut Vec<u64>) -> io::Result<()> {
        let state = &self.chunks[index];
        let again = if state.ends_in_leaf { 8 } else { 0 };
        let from = state.copied - again;
        let start = offset_of(index) + CHUNK_HEADER_SIZE as u64 + u64::from(from);
        self.read_words(start, header.committed.saturating_sub(from) as usize, header.sealed, words)?;
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
        Ok(())
    }

    /// So many bytes of a chunk's records. Only a file that was cut off ends before what it says is committed.
    fn read_words(&mut self, start: u64, wanted: usize, sealed: bool, words: &mut Vec<u64>) -> io::Result<()> {
        let mut bytes = std::mem::take(&mut self.bytes);
        bytes.resize(bytes.len().max(wanted), 0);
        let read = self.input.read_at(&mut bytes[..wanted], start)? & !7;
        self.damaged += (wanted - read) as u64;
        words.clear();
        words.extend(bytes[..read].as_chunks::<8>().0.iter().map(|word| u64::from_le_bytes(*word)));
        self.bytes = bytes;
        if let Some(last) = words.last_mut()
            && !sealed
        {
            *last = self.settled(*last, start + read as u64 - 8)?;
        }
        Ok(())
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
    ///
    /// The first `old` words were committed before the look before this round's, so all that had to happen before them is in this round.
    fn split(
        &mut self,
        index: usize,
        words: &[u64],
        old: usize,
        sealed: bool,
        defs: &mut Definitions,
        merge: &mut Merge,
    ) {
        let mut section = self.chunks[index].section;
        let mut start = 0;
        let mut at = 0;
        let mut last = 0;
        let flush =
            |section: Option<(u32, u32)>, part: std::ops::Range<usize>, defs: &Definitions, merge: &mut Merge| {
                if let Some((thread, number)) = section {
                    let old = old.saturating_sub(part.start).min(part.len());
                    merge.append(thread, number, &words[part], old, defs);
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
                    flush(section, start..at, defs, merge);
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
                    flush(section, start..at, defs, merge);
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
        flush(section, start.min(at)..at, defs, merge);
        if sealed && let Some((thread, number)) = section.take() {
            merge.complete(thread, number);
        }
        self.chunks[index].section = section;
    }
}

fn offset_of(index: usize) -> u64 {
    (HEADER_SIZE + index * CHUNK_SIZE) as u64
}
