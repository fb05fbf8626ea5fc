//! What each lock was used for, in sums that do not depend on the order between threads: from one chunk after the other, without merging them.
//!
//! A section says what its thread held when it began, so each chunk is understood on its own. Only a wait may end in another chunk than it
//! began in; those ends are put together afterwards. A guard that another thread releases has a hold that is not timed here.

use std::{collections::HashMap, path::Path, sync::atomic::Ordering};

use super::{
    file::ChunkFile,
    header::{Clock, Header},
    input::Input,
};
use crate::{
    Definitions, Error, Histogram, How, Mode, TraceInfo,
    format::{Pair, SLOTS, code, halves, is_acquired, is_pair, kind, record_events, record_words},
};

/// The numbers of one lock. Durations that were not timed are not among them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LockTotals {
    /// Acquisitions.
    pub acquisitions: u64,
    /// Of those, shared ones.
    pub shared: u64,
    /// Times between asking and getting, of acquisitions that had to wait.
    pub wait: Histogram,
    /// Times between getting and releasing.
    pub hold: Histogram,
}

/// The numbers of a trace. Memory is bounded by its locks and definitions.
#[derive(Debug)]
pub struct Totals {
    /// Facts about the trace.
    pub info: TraceInfo,
    /// What ids mean.
    pub definitions: Definitions,
    /// By [`LockId`](crate::LockId).
    pub locks: Vec<LockTotals>,
    /// Events.
    pub events: u64,
    /// Events that the recorder has lost or overwritten.
    pub lost: u64,
    /// Bytes that could not be decoded.
    pub damaged_bytes: u64,
}

/// Adds up a trace, some hundred million events a second. Of one that is being written, what is there now.
///
/// # Errors
///
/// As [`Reader::open`](super::Reader::open).
pub fn totals(path: &Path) -> Result<Totals, Error> {
    let io = |source| Error::Io { path: path.to_path_buf(), source };
    let input = Input::File(std::fs::File::open(path).map_err(io)?);
    let mut header = Header::read(&input, path)?;
    let info = header.info(path, input.len());
    let is_alive = header.writer_is_alive();
    let mut file = ChunkFile::new(input, info.pid);
    let mut definitions = Definitions::default();
    let (scan, chunks) = file.look(&mut definitions).map_err(io)?;
    header.improve_clock(scan.clock_pair, is_alive);
    let mut adder = Adder::new(definitions.locks.len(), header.clock());
    let mut words = Vec::new();
    for chunk in chunks {
        std::sync::atomic::fence(Ordering::Acquire);
        if file.read_whole(&chunk, &mut words).map_err(io)? {
            adder.chunk(&words);
        }
    }
    adder.join_waits();
    Ok(Totals {
        info,
        definitions,
        locks: adder.locks,
        events: adder.events,
        lost: scan.lost + scan.overwritten,
        damaged_bytes: file.damaged() + adder.damaged_words * 8,
    })
}

/// A place of a section's dictionary.
#[derive(Clone, Copy)]
struct Slot {
    /// [`UNDEFINED`] when it is not.
    lock: u32,
    is_shared: bool,
    /// An ordinary acquisition, not a change of a hold.
    is_plain: bool,
    how: How,
}

const UNDEFINED: u32 = u32::MAX;
const NO_SLOT: Slot = Slot { lock: UNDEFINED, is_shared: false, is_plain: false, how: How::Lock };

struct Adder {
    locks: Vec<LockTotals>,
    clock: Clock,
    events: u64,
    damaged_words: u64,
    /// Waits that had not ended when their section did, by thread and section: the lock, and since when.
    open: HashMap<(u32, u32), (u32, u64)>,
    /// The first acquisitions of sections that may end such a wait.
    first: HashMap<(u32, u32), (u32, u64)>,
    slots: Box<[Slot; SLOTS]>,
}

/// What is known in a section.
struct Section {
    thread: u32,
    number: u32,
    ticks: u64,
    /// Locks held, and since when.
    held: Vec<(u32, u64)>,
    wait: Option<(u32, u64)>,
    /// No event was read yet but those that say what is held.
    is_fresh: bool,
}

impl Adder {
    fn new(n_locks: usize, clock: Clock) -> Self {
        let slots: Box<[Slot]> = vec![NO_SLOT; SLOTS].into_boxed_slice();
        Self {
            locks: vec![LockTotals::default(); n_locks],
            clock,
            events: 0,
            damaged_words: 0,
            open: HashMap::new(),
            first: HashMap::new(),
            slots: slots.try_into().ok().expect("the vector has as many elements as the array"),
        }
    }

    fn chunk(&mut self, words: &[u64]) {
        let mut section = Section { thread: 0, number: 0, ticks: 0, held: Vec::new(), wait: None, is_fresh: false };
        let mut at = 0;
        while at < words.len() {
            let first = words[at];
            if is_pair(first) {
                at += 1;
                self.pair(first, &mut section);
                continue;
            }
            let len = record_words(first);
            let Some(record) = words.get(at..at + len).filter(|record| !record.is_empty()) else {
                self.damaged_words += (words.len() - at) as u64;
                break;
            };
            at += len;
            self.events += record_events(first);
            self.record(record, &mut section);
        }
        self.leave(&mut section);
    }

    #[inline]
    fn pair(&mut self, word: u64, section: &mut Section) {
        let pair = Pair::parse(word);
        let slot = self.slots[usize::from(pair.slot) % SLOTS];
        self.events += 2;
        let since = section.ticks.wrapping_add(u64::from(pair.dt));
        section.ticks = since.wrapping_add(u64::from(pair.hold));
        if !slot.is_plain || section.wait.is_some() || section.is_fresh {
            return self.unusual_pair(slot, since, section);
        }
        // Slots are checked when they are defined.
        let totals = &mut self.locks[slot.lock as usize];
        totals.acquisitions += 1;
        totals.shared += u64::from(slot.is_shared);
        if pair.hold != 0 {
            totals.hold.add(self.clock.duration(u64::from(pair.hold)));
        }
    }

    /// One after a wait, or that changes a hold.
    #[cold]
    fn unusual_pair(&mut self, slot: Slot, since: u64, section: &mut Section) {
        self.acquired(slot, since, section);
        self.released(slot.lock, section.ticks, section);
    }

    fn record(&mut self, record: &[u64], section: &mut Section) {
        let first = record[0];
        let record_kind = first as u8;
        let operand = (first >> 8) as u8;
        let second = record.get(1).copied().unwrap_or(0);
        match record_kind {
            kind::SECTION => {
                self.leave(section);
                (section.thread, section.number) = (halves(second).0, (first >> 32) as u32);
                section.ticks = record.get(2).copied().unwrap_or(0);
                section.held.clear();
                section.is_fresh = true;
                self.slots.fill(NO_SLOT);
                return;
            }
            kind::SECTION_END => return self.leave(section),
            kind::TIME => {
                section.ticks = second;
                return;
            }
            kind::DEFINE_SLOT => {
                let (mode, how) = code::parse_mode_how(operand);
                let lock = halves(second).0;
                let slot = if (lock as usize) < self.locks.len() {
                    let is_plain = !matches!(how, How::Upgrade | How::Downgrade);
                    Slot { lock, is_shared: mode == Mode::Shared, is_plain, how }
                } else {
                    NO_SLOT
                };
                if let Some(place) = self.slots.get_mut(usize::from((first >> 16) as u16)) {
                    *place = slot;
                }
                return;
            }
            kind::HELD => {
                // Permits of semaphores are no locks.
                if record.get(3) == Some(&0) {
                    section.held.push((halves(second).0, record[2]));
                }
                return;
            }
            kind::STACK => return,
            _ => section.ticks = section.ticks.wrapping_add(first >> 32),
        }
        let ticks = section.ticks;
        if is_acquired(first) {
            let slot = self.slots[usize::from(record_kind & 3) << 8 | usize::from(operand)];
            self.acquired(slot, ticks, section);
        }
        section.is_fresh = false;
        match record_kind {
            kind::RELEASED..RELEASED_END | RELEASED_BOTH => {
                self.released((first >> 8) as u32 & 0xff_ffff, ticks, section);
            }
            kind::RELEASED_SLOT => {
                self.released(self.slots[(first >> 8) as usize % SLOTS].lock, ticks, section);
            }
            kind::RELEASED_WIDE if halves(second).1 == section.thread => {
                self.released(halves(second).0, ticks, section);
            }
            kind::WAIT => section.wait = Some((halves(second).0, ticks)),
            kind::TIMED_OUT => section.wait = None,
            _ => {}
        }
    }

    fn acquired(&mut self, slot: Slot, ticks: u64, section: &mut Section) {
        // What is downgraded goes on as the same hold.
        if slot.lock == UNDEFINED || slot.how == How::Downgrade {
            return;
        }
        if slot.how == How::Upgrade {
            self.released(slot.lock, ticks, section);
        }
        if section.is_fresh {
            self.first.insert((section.thread, section.number), (slot.lock, ticks));
            section.is_fresh = false;
        }
        let totals = &mut self.locks[slot.lock as usize];
        totals.acquisitions += 1;
        totals.shared += u64::from(slot.is_shared);
        if let Some((lock, since)) = section.wait.take()
            && lock == slot.lock
        {
            totals.wait.add(self.clock.duration(ticks.wrapping_sub(since)));
        }
        section.held.push((slot.lock, ticks));
    }

    fn released(&mut self, lock: u32, ticks: u64, section: &mut Section) {
        let Some(index) = section.held.iter().rposition(|held| held.0 == lock) else { return };
        let (_, since) = section.held.remove(index);
        // 0 is what a coarse clock says of what was not timed, and no other.
        if ticks > since
            && let Some(totals) = self.locks.get_mut(lock as usize)
        {
            totals.hold.add(self.clock.duration(ticks - since));
        }
    }

    /// The section ends.
    fn leave(&mut self, section: &mut Section) {
        if let Some(wait) = section.wait.take() {
            self.open.insert((section.thread, section.number), wait);
        }
        section.is_fresh = false;
    }

    /// Puts waits together whose ends are in different sections.
    fn join_waits(&mut self) {
        for (&(thread, section), &(lock, since)) in &self.open {
            let next = section.checked_add(1).and_then(|next| self.first.get(&(thread, next)));
            if let Some(&(acquired, ticks)) = next
                && acquired == lock
                && let Some(totals) = self.locks.get_mut(lock as usize)
            {
                totals.wait.add(self.clock.duration(ticks.saturating_sub(since)));
            }
        }
    }
}

const RELEASED_END: u8 = kind::RELEASED + 4;
const RELEASED_BOTH: u8 = kind::RELEASED + 7;
