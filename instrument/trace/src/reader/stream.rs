//! The events of one thread, from its sections' records.

use std::collections::BTreeMap;

use super::objects;
use crate::{
    Definitions, Event, How, LockId, Nanos, Op, SiteId, StackId, StringId, ThreadId,
    format::{Pair, SLOTS, code, halves, kind, record_words},
};

/// A run of records of one thread in one chunk.
#[derive(Debug, Default)]
struct Section {
    words: Vec<u64>,
    read: usize,
    start_ticks: u64,
    /// Nothing will be appended any more.
    complete: bool,
    /// Its end was overwritten before it was read.
    cut: bool,
}

#[derive(Clone, Copy, Debug, Default)]
struct Slot {
    lock: u32,
    site: u32,
    count: u32,
    mode_how: u8,
    defined: bool,
}

/// An event with its time still in ticks, its count as stored.
#[derive(Clone, Copy, Debug)]
pub(super) struct Head {
    pub(super) ticks: u64,
    pub(super) event: Event,
}

/// Why a record is no event.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Unread {
    /// It is of a newer minor version.
    Newer,
    /// It names something that was never defined.
    Undefined,
}

/// One thread's records, read as events in order.
#[derive(Debug, Default)]
pub(super) struct Stream {
    sections: BTreeMap<u32, Section>,
    /// The section that is read now.
    current: u32,
    begun: bool,
    last_ticks: u64,
    stack: Option<StackId>,
    slots: Vec<Slot>,
    /// The second event of the record that was read last.
    release: Option<Head>,
    /// Events before this section are missing, so what it says of locks held is news.
    resync: bool,
    /// The end of the current section is missing.
    cut: bool,
    /// The section's first event was not delivered yet.
    fresh: bool,
    /// Something was delivered before.
    delivered: bool,
    /// The scan at which the current section was first found missing.
    missing_since: Option<u64>,
    pub(super) damaged_words: u64,
    /// Events that name a lock, a thread or a text that is not defined, and their words.
    pub(super) undefined: (u64, u64),
    pub(super) consumed_words: u64,
}

impl Stream {
    /// Begins a section. False when it is already there (a damaged file).
    pub(super) fn begin(&mut self, number: u32, start_ticks: u64) -> bool {
        // No thread gets as far as the last number, after which there is none to go on with.
        if number < self.current || number == u32::MAX || self.sections.contains_key(&number) {
            return false;
        }
        self.sections.insert(number, Section { start_ticks, ..Section::default() });
        true
    }

    pub(super) fn append(&mut self, number: u32, words: &[u64]) {
        if let Some(section) = self.sections.get_mut(&number) {
            section.words.extend_from_slice(words);
        }
    }

    pub(super) fn complete(&mut self, number: u32) {
        if let Some(section) = self.sections.get_mut(&number) {
            section.complete = true;
        }
    }

    /// The section's chunk was overwritten before all of it was read.
    pub(super) fn lose(&mut self, number: u32) {
        if let Some(section) = self.sections.get_mut(&number) {
            section.complete = true;
            section.cut = true;
        }
    }

    /// The next event; `None` when there is none yet. With `last`, nothing more will come.
    ///
    /// `scan` is the number of the last scan, to tell a section that is lost from one that was not seen yet.
    pub(super) fn next(&mut self, thread: ThreadId, defs: &Definitions, scan: u64, last: bool) -> Option<Head> {
        if let Some(release) = self.release.take() {
            return Some(release);
        }
        loop {
            if !self.sections.contains_key(&self.current) && !self.skip_missing(scan, last) {
                return None;
            }
            let section = self.sections.get_mut(&self.current)?;
            if !self.begun {
                self.begun = true;
                self.fresh = true;
                self.last_ticks = section.start_ticks;
                self.slots.clear();
                self.stack = None;
                // What the thread held before is not known any more; `HELD` records follow.
                if self.resync && self.delivered {
                    return Some(self.dropped(thread));
                }
            }
            if section.read >= section.words.len() {
                if !section.complete && !last {
                    return None;
                }
                // Said at once, before events of other threads are judged by what this one seems to hold.
                if std::mem::take(&mut section.cut) {
                    self.cut = true;
                    return Some(self.dropped(thread));
                }
                self.resync = std::mem::take(&mut self.cut);
                self.sections.remove(&self.current);
                self.current += 1;
                self.begun = false;
                continue;
            }
            let len = record_words(section.words[section.read]).max(1);
            let end = (section.read + len).min(section.words.len());
            let mut record = [0; 4];
            let words = &section.words[section.read..end];
            let copied = words.len().min(4);
            record[..copied].copy_from_slice(&words[..copied]);
            section.read = end;
            self.consumed_words += len as u64;
            if let Some(head) = self.record(record, thread, defs) {
                self.delivered = true;
                return Some(head);
            }
        }
    }

    fn dropped(&mut self, thread: ThreadId) -> Head {
        self.head(self.last_ticks, thread, None, Op::Dropped { count: 0 })
    }

    fn skip_missing(&mut self, scan: u64, last: bool) -> bool {
        let Some(&first) = self.sections.keys().next() else { return false };
        if !last && *self.missing_since.get_or_insert(scan) == scan {
            return false;
        }
        self.missing_since = None;
        self.current = first;
        self.begun = false;
        self.resync = true;
        true
    }

    /// Whether this is the first event after some that are missing. Asked once for each event.
    pub(super) fn is_first_after_loss(&mut self) -> bool {
        std::mem::take(&mut self.fresh) && self.resync
    }

    fn record(&mut self, words: [u64; 4], thread: ThreadId, defs: &Definitions) -> Option<Head> {
        let first = words[0];
        let record_kind = first as u8;
        let operand = (first >> 8) as u8;
        let (low, high) = halves(words[1]);
        match record_kind {
            kind::TIME => {
                self.last_ticks = words[1];
                return None;
            }
            kind::DEFINE_SLOT => {
                let index = (first >> 16) as u16 as usize;
                if index >= SLOTS {
                    self.damaged_words += 2;
                    return None;
                }
                if self.slots.len() <= index {
                    self.slots.resize(index + 1, Slot::default());
                }
                let count = (first >> 32) as u32;
                self.slots[index] = Slot { lock: low, site: high, count, mode_how: operand, defined: true };
                return None;
            }
            kind::STACK => {
                self.stack = StackId::from_raw(low).filter(|stack| stack.index() < defs.stacks.len());
                return None;
            }
            kind::HELD if self.resync => {
                let (mode, _) = code::parse_mode_how(operand);
                let lock = known_lock(low, defs).ok()?;
                let op = match words[3] as u32 {
                    0 => Op::Acquired { lock, mode, how: How::Lock, count: 0 },
                    permits => Op::PermitsAcquired { semaphore: lock, permits, stays: false, count: 0 },
                };
                return Some(self.head(words[2].max(1), thread, site(high, defs), op));
            }
            kind::HELD | kind::SECTION | kind::SECTION_END => return None,
            kind::PAIR..=kind::PAIR_LAST => return self.pair(first, thread, defs),
            _ => {}
        }
        self.last_ticks = self.last_ticks.wrapping_add(first >> 32);
        match self.operation(record_kind, words, defs) {
            Ok((op, site)) => Some(self.head(self.last_ticks, thread, site, op)),
            Err(reason) => {
                if reason == Unread::Undefined {
                    self.undefined.0 += 1;
                    self.undefined.1 += record_words(first) as u64;
                }
                // It was that record's.
                self.stack = None;
                None
            }
        }
    }

    /// Both events of a `PAIR`: the acquisition, and its release for the next time.
    fn pair(&mut self, word: u64, thread: ThreadId, defs: &Definitions) -> Option<Head> {
        let pair = Pair::parse(word);
        self.last_ticks = self.last_ticks.wrapping_add(u64::from(pair.dt));
        let acquired_at = self.last_ticks;
        self.last_ticks = acquired_at.wrapping_add(u64::from(pair.hold));
        let slot = self.slots.get_mut(usize::from(pair.slot)).filter(|slot| slot.defined);
        let known = slot.and_then(|slot| {
            let delta = u32::from(pair.count).wrapping_sub(slot.count) & (Pair::COUNTS - 1);
            slot.count = slot.count.wrapping_add(delta);
            Some((known_lock(slot.lock, defs).ok()?, *slot))
        });
        let Some((lock, slot)) = known else {
            self.undefined.0 += 2;
            self.undefined.1 += 1;
            self.stack = None;
            return None;
        };
        let (mode, how) = code::parse_mode_how(slot.mode_how);
        let acquired = Op::Acquired { lock, mode, how, count: u64::from(slot.count) };
        let access = code::parse_access(pair.access);
        let released = Op::Released { lock, owner: thread, mode: None, access };
        let acquired = self.head(acquired_at, thread, site(slot.site, defs), acquired);
        self.release = Some(self.head(self.last_ticks, thread, None, released));
        Some(acquired)
    }

    fn head(&mut self, ticks: u64, thread: ThreadId, site: Option<SiteId>, op: Op) -> Head {
        Head { ticks, event: Event { thread, time: Nanos(0), site, stack: self.stack.take(), op } }
    }

    fn operation(
        &mut self,
        record_kind: u8,
        words: [u64; 4],
        defs: &Definitions,
    ) -> Result<(Op, Option<SiteId>), Unread> {
        let first = words[0];
        let operand = (first >> 8) as u8;
        let (low, high) = halves(words[1]);
        let (mode, _) = code::parse_mode_how(operand);
        let at = site(high, defs);
        let string = |id: u32| {
            let known = id.checked_sub(1).filter(|&id| (id as usize) < defs.string_count());
            known.map(StringId).ok_or(Unread::Undefined)
        };
        let op = match record_kind {
            0x00..=0x03 => {
                let index = usize::from(record_kind & 3) << 8 | usize::from(operand);
                let slot = self.slots.get_mut(index).filter(|slot| slot.defined).ok_or(Unread::Undefined)?;
                // The writer defines a slot anew before its count moves on by 2^16.
                let stored = (first >> 16) as u16;
                slot.count = slot.count.wrapping_add(u32::from(stored.wrapping_sub(slot.count as u16)));
                let (mode, how) = code::parse_mode_how(slot.mode_how);
                let (slot_lock, slot_site, count) = (slot.lock, slot.site, u64::from(slot.count));
                let op = Op::Acquired { lock: known_lock(slot_lock, defs)?, mode, how, count };
                return Ok((op, site(slot_site, defs)));
            }
            0x04..=0x07 | 0x0b => {
                let lock = known_lock((first >> 8) as u32 & 0xff_ffff, defs)?;
                let access = code::parse_access(record_kind - kind::RELEASED);
                // The owner is filled in by the caller, who knows the thread.
                return Ok((Op::Released { lock, owner: ThreadId(u32::MAX), mode: None, access }, None));
            }
            0x0c..=0x0f => {
                let index = (first >> 8) as usize & (SLOTS - 1);
                let slot = self.slots.get(index).filter(|slot| slot.defined).ok_or(Unread::Undefined)?;
                let (lock, access) = (known_lock(slot.lock, defs)?, code::parse_access(record_kind));
                return Ok((Op::Released { lock, owner: ThreadId(u32::MAX), mode: None, access }, None));
            }
            kind::READ => Op::Read { var: objects::known_var(low, defs)? },
            kind::WRITE => Op::Write { var: objects::known_var(low, defs)? },
            kind::START => Op::Start,
            kind::EXIT => Op::Exit,
            kind::WAIT => Op::Wait { lock: known_lock(low, defs)?, mode, how: code::parse_mode_how(operand).1 },
            kind::TRY_FAILED => Op::TryFailed { lock: known_lock(low, defs)?, mode },
            kind::TIMED_OUT => Op::TimedOut { lock: known_lock(low, defs)?, mode },
            kind::RELEASED_WIDE => {
                let owner = known_thread(high, defs)?;
                let mode = (operand >> 2 & 0x1f).checked_sub(1).map(|mode| code::parse_mode_how(mode & 3).0);
                let access = code::parse_access(operand & 3 | operand >> 7 << 2);
                let op = Op::Released { lock: known_lock(low, defs)?, owner, mode, access };
                return Ok((op, None));
            }
            kind::POISONED => Op::Poisoned { lock: known_lock(low, defs)? },
            kind::DESTROYED => return Ok((Op::Destroyed { lock: known_lock(low, defs)? }, None)),
            kind::SPAWN => Op::Spawn { child: known_thread(low, defs)? },
            kind::JOIN_WAIT => Op::JoinWait { child: known_thread(low, defs)? },
            kind::JOINED => Op::Joined { child: known_thread(low, defs)? },
            kind::FINDING => return Ok((Op::Finding { code: string(low)?, text: string(high)? }, None)),
            kind::MARK => Op::Mark { text: string(low)? },
            kind::REGION_BEGIN => Op::RegionBegin { name: (low != 0).then(|| string(low)).transpose()? },
            kind::REGION_END => Op::RegionEnd,
            kind::DROPPED => return Ok((Op::Dropped { count: words[1] }, None)),
            kind::COND_WAIT | kind::COND_WAKE => {
                let (condvar, mutex) = (known_lock(low, defs)?, known_lock(high, defs)?);
                let (at, count) = halves(words[2]);
                let (flag, count) = (operand & 1 != 0, u64::from(count));
                let op = match record_kind {
                    kind::COND_WAIT => Op::CondWait { condvar, mutex, limited: flag, count },
                    _ => Op::CondWake { condvar, mutex, timed_out: flag, count },
                };
                return Ok((op, site(at, defs)));
            }
            kind::OBJECT => objects::object(operand, words, defs)?,
            kind::MEMORY => objects::memory(operand, words, defs)?,
            _ => return Err(Unread::Newer),
        };
        let has_site = !matches!(record_kind, kind::START | kind::EXIT);
        Ok((op, at.filter(|_| has_site)))
    }
}

pub(super) fn known_lock(id: u32, defs: &Definitions) -> Result<LockId, Unread> {
    ((id as usize) < defs.locks.len()).then_some(LockId(id)).ok_or(Unread::Undefined)
}

pub(super) fn known_thread(id: u32, defs: &Definitions) -> Result<ThreadId, Unread> {
    ((id as usize) < defs.threads.len()).then_some(ThreadId(id)).ok_or(Unread::Undefined)
}

fn site(id: u32, defs: &Definitions) -> Option<SiteId> {
    SiteId::from_raw(id).filter(|site| site.index() < defs.sites.len())
}
