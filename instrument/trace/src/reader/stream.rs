//! The events of one thread, from its sections' records.

use std::collections::BTreeMap;

use super::{
    head::{Head, Sort},
    objects,
};
use crate::{
    Access, Definitions, How, LockId, Mode, Op, SiteId, StackId, StringId, ThreadId,
    format::{Pair, SLOTS, code, halves, is_acquired, is_pair, kind, record_events, record_words},
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

/// A place of the section's dictionary. What it names was looked up when it was defined.
#[derive(Clone, Copy, Debug)]
struct Slot {
    lock: LockId,
    site: Option<SiteId>,
    count: u32,
    mode: Mode,
    how: How,
}

const RELEASED_LAST: u8 = kind::RELEASED | 3;
/// After reading and writing.
const RELEASED_BOTH: u8 = kind::RELEASED + 7;

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
    /// The section that is read now, when it is there.
    section: Option<Section>,
    /// Its number.
    current: u32,
    /// Those after it.
    later: BTreeMap<u32, Section>,
    begun: bool,
    last_ticks: u64,
    stack: Option<StackId>,
    slots: Vec<Option<Slot>>,
    /// The lock that the record read last releases as well, when that was not delivered yet, and how it was accessed.
    release: Option<(LockId, Access)>,
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
        if number < self.current || number == u32::MAX || self.section_mut(number).is_some() {
            return false;
        }
        let section = Section { start_ticks, ..Section::default() };
        if number == self.current {
            self.section = Some(section);
        } else {
            self.later.insert(number, section);
        }
        true
    }

    fn section_mut(&mut self, number: u32) -> Option<&mut Section> {
        if number == self.current { self.section.as_mut() } else { self.later.get_mut(&number) }
    }

    pub(super) fn append(&mut self, number: u32, words: &[u64]) {
        if let Some(section) = self.section_mut(number) {
            section.words.extend_from_slice(words);
        }
    }

    pub(super) fn complete(&mut self, number: u32) {
        if let Some(section) = self.section_mut(number) {
            section.complete = true;
        }
    }

    /// The section's chunk was overwritten before all of it was read.
    pub(super) fn lose(&mut self, number: u32) {
        if let Some(section) = self.section_mut(number) {
            section.complete = true;
            section.cut = true;
        }
    }

    /// Puts the next event into `head`; false when there is none yet. With `last`, nothing more will come.
    ///
    /// `scan` is the number of the last scan, to tell a section that is lost from one that was not seen yet.
    #[inline]
    pub(super) fn next(
        &mut self,
        head: &mut Head,
        thread: ThreadId,
        defs: &Definitions,
        scan: u64,
        last: bool,
    ) -> bool {
        if let Some((lock, access)) = self.release.take() {
            head.set_released(self.last_ticks, lock, access);
            head.site = None;
            head.stack = None;
            return true;
        }
        if self.begun
            && let Some(section) = &mut self.section
            && let Some(&first) = section.words.get(section.read)
            && is_pair(first)
        {
            section.read += 1;
            self.consumed_words += 1;
            self.delivered = true;
            if self.pair(head, first) {
                return true;
            }
        }
        let is_there = self.next_record(head, thread, defs, scan, last);
        if !is_there {
            head.sort = Sort::None;
        }
        is_there
    }

    fn next_record(&mut self, head: &mut Head, thread: ThreadId, defs: &Definitions, scan: u64, last: bool) -> bool {
        loop {
            if self.section.is_none() && !self.skip_missing(scan, last) {
                return false;
            }
            let Some(section) = &mut self.section else { return false };
            if !self.begun {
                self.begun = true;
                self.fresh = true;
                self.last_ticks = section.start_ticks;
                self.slots.clear();
                self.stack = None;
                // What the thread held before is not known any more; `HELD` records follow.
                if self.resync && self.delivered {
                    return self.dropped(head);
                }
            }
            if section.read >= section.words.len() {
                if !section.complete && !last {
                    return false;
                }
                // Said at once, before events of other threads are judged by what this one seems to hold.
                if std::mem::take(&mut section.cut) {
                    self.cut = true;
                    return self.dropped(head);
                }
                self.resync = std::mem::take(&mut self.cut);
                self.current += 1;
                self.section = self.later.remove(&self.current);
                self.begun = false;
                continue;
            }
            let words = &section.words[section.read..];
            let len = record_words(words[0]).clamp(1, words.len());
            let word = |index: usize| if index < len { words[index] } else { 0 };
            let record = [words[0], word(1), word(2), word(3)];
            section.read += len;
            self.consumed_words += len as u64;
            if self.record(head, record, thread, defs) {
                self.delivered = true;
                return true;
            }
        }
    }

    fn dropped(&mut self, head: &mut Head) -> bool {
        head.set_other(self.last_ticks, Op::Dropped { count: 0 });
        self.place(head, None)
    }

    fn skip_missing(&mut self, scan: u64, last: bool) -> bool {
        let Some(&first) = self.later.keys().next() else { return false };
        if !last && *self.missing_since.get_or_insert(scan) == scan {
            return false;
        }
        self.missing_since = None;
        self.current = first;
        self.section = self.later.remove(&first);
        self.begun = false;
        self.resync = true;
        true
    }

    /// Whether nothing was said yet of whether events are missing before this one.
    #[inline]
    pub(super) fn is_fresh(&self) -> bool {
        self.fresh
    }

    /// Whether there was anything that could not be read.
    #[inline]
    pub(super) fn has_complaints(&self) -> bool {
        self.damaged_words | self.undefined.1 != 0
    }

    /// Whether this is the first event after some that are missing. Asked once for each event.
    pub(super) fn is_first_after_loss(&mut self) -> bool {
        std::mem::take(&mut self.fresh) && self.resync
    }

    /// Reads a record; false when it is no event.
    fn record(&mut self, head: &mut Head, words: [u64; 4], thread: ThreadId, defs: &Definitions) -> bool {
        let first = words[0];
        let record_kind = first as u8;
        let operand = (first >> 8) as u8;
        let (low, high) = halves(words[1]);
        match record_kind {
            kind::TIME => {
                self.last_ticks = words[1];
                return false;
            }
            kind::DEFINE_SLOT => {
                let index = (first >> 16) as u16 as usize;
                if index >= SLOTS {
                    self.damaged_words += 2;
                    return false;
                }
                if self.slots.len() <= index {
                    self.slots.resize(index + 1, None);
                }
                // Definitions are read after the length up to which records are, so what is not there now never will be.
                let (mode, how) = code::parse_mode_how(operand);
                let lock = known_lock(low, defs).ok();
                let slot = |lock| Slot { lock, site: site(high, defs), count: (first >> 32) as u32, mode, how };
                self.slots[index] = lock.map(slot);
                return false;
            }
            kind::STACK => {
                self.stack = StackId::from_raw(low).filter(|stack| stack.index() < defs.stacks.len());
                return false;
            }
            kind::HELD if self.resync => {
                let (mode, _) = code::parse_mode_how(operand);
                let Ok(lock) = known_lock(low, defs) else { return false };
                let op = match words[3] as u32 {
                    0 => Op::Acquired { lock, mode, how: How::Lock, count: 0 },
                    permits => Op::PermitsAcquired { semaphore: lock, permits, stays: false, count: 0 },
                };
                head.set_other(words[2].max(1), op);
                return self.place(head, site(high, defs));
            }
            kind::HELD | kind::SECTION | kind::SECTION_END => return false,
            kind::PAIR..=kind::PAIR_LAST => return self.pair(head, first),
            _ => {}
        }
        self.last_ticks = self.last_ticks.wrapping_add(first >> 32);
        if is_acquired(first) {
            let index = usize::from(record_kind & 3) << 8 | usize::from(operand);
            if let Some(Some(slot)) = self.slots.get_mut(index) {
                // The writer defines a slot anew before its count moves on by 2^16.
                let stored = (first >> 16) as u16;
                slot.count = slot.count.wrapping_add(u32::from(stored.wrapping_sub(slot.count as u16)));
                head.set_acquired(self.last_ticks, slot.lock, slot.count, slot.mode, slot.how);
                head.site = slot.site;
                head.stack = self.stack.take();
                return true;
            }
            return self.undefined(first);
        }
        if matches!(record_kind, kind::RELEASED..=RELEASED_LAST | RELEASED_BOTH) {
            let Ok(lock) = known_lock((first >> 8) as u32 & 0xff_ffff, defs) else { return self.undefined(first) };
            head.set_released(self.last_ticks, lock, code::parse_access(record_kind - kind::RELEASED));
            return self.place(head, None);
        }
        match self.operation(record_kind, words, thread, defs) {
            Ok((op, site)) => {
                head.set_other(self.last_ticks, op);
                self.place(head, site)
            }
            Err(Unread::Undefined) => self.undefined(first),
            Err(Unread::Newer) => {
                // It was that record's.
                self.stack = None;
                false
            }
        }
    }

    /// Notes a record that names what is not defined.
    #[cold]
    fn undefined(&mut self, first: u64) -> bool {
        self.undefined.0 += record_events(first);
        self.undefined.1 += record_words(first) as u64;
        self.stack = None;
        false
    }

    /// Says where the event was.
    fn place(&mut self, head: &mut Head, site: Option<SiteId>) -> bool {
        head.site = site;
        head.stack = self.stack.take();
        true
    }

    /// Both events of a `PAIR`: the acquisition, and its release for the next time.
    #[inline]
    fn pair(&mut self, head: &mut Head, word: u64) -> bool {
        let pair = Pair::parse(word);
        let acquired_at = self.last_ticks.wrapping_add(u64::from(pair.dt));
        self.last_ticks = acquired_at.wrapping_add(u64::from(pair.hold));
        let Some(Some(slot)) = self.slots.get_mut(usize::from(pair.slot)) else { return self.undefined(word) };
        // The writer makes no pair when the count moved on by more.
        slot.count = slot.count.wrapping_add(u32::from(pair.count).wrapping_sub(slot.count) & (Pair::COUNTS - 1));
        head.set_acquired(acquired_at, slot.lock, slot.count, slot.mode, slot.how);
        head.site = slot.site;
        head.stack = self.stack.take();
        self.release = Some((slot.lock, code::parse_access(pair.access)));
        true
    }

    fn operation(
        &mut self,
        record_kind: u8,
        words: [u64; 4],
        thread: ThreadId,
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
            kind::RELEASED_SLOT => {
                let index = (first >> 8) as usize & (SLOTS - 1);
                let Some(Some(Slot { lock, .. })) = self.slots.get(index) else { return Err(Unread::Undefined) };
                let access = code::parse_access((first >> 24) as u8);
                return Ok((Op::Released { lock: *lock, owner: thread, mode: None, access }, None));
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
    defs.lock_of_file(id).ok_or(Unread::Undefined)
}

pub(super) fn known_thread(id: u32, defs: &Definitions) -> Result<ThreadId, Unread> {
    ((id as usize) < defs.threads.len()).then_some(ThreadId(id)).ok_or(Unread::Undefined)
}

fn site(id: u32, defs: &Definitions) -> Option<SiteId> {
    SiteId::from_raw(id).filter(|site| site.index() < defs.sites.len())
}
