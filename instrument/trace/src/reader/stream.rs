//! The events of one thread, from its sections' records.

use std::collections::BTreeMap;

use super::{
    head::{Head, Sort},
    objects,
    scout::{Scout, Sight},
    slots::{Slot, Slots},
};
use crate::{
    Access, Definitions, How, LockId, Op, SiteId, StackId, StringId, ThreadId, VarId,
    format::{Pair, SLOTS, code, halves, is_acquired, is_pair, kind, record_events, record_words},
};

/// A run of records of one thread in one chunk.
#[derive(Debug, Default)]
struct Section {
    words: Vec<u64>,
    read: usize,
    /// All that had to happen before the first so many words would have been copied by the end of the round.
    old: usize,
    start_ticks: u64,
    /// Nothing will be appended any more.
    complete: bool,
    /// Its end was overwritten before it was read.
    cut: bool,
    /// In a flight recorder that has overwritten something.
    scout: Option<Scout>,
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
    slots: Slots,
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
    /// The round in which the current section was first found missing.
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

    /// Appends words, the first `old` of which are so, to a section. False when it is none that is waited for.
    pub(super) fn append(&mut self, number: u32, words: &[u64], old: usize) -> bool {
        let Some(section) = self.section_mut(number) else { return false };
        if old > 0 {
            section.old = section.words.len() + old;
        }
        section.words.extend_from_slice(words);
        true
    }

    pub(super) fn complete(&mut self, number: u32) {
        if let Some(section) = self.section_mut(number) {
            section.complete = true;
            section.scout = None;
        }
    }

    /// Another round has begun: all that had to happen before what is here will be copied in it.
    pub(super) fn grow_old(&mut self) {
        for section in self.section.iter_mut().chain(self.later.values_mut()) {
            section.old = section.words.len();
        }
    }

    /// Whether all that had to happen before the event that was read last would have been copied by the end of the round.
    pub(super) fn is_old(&self) -> bool {
        self.section.as_ref().is_some_and(|section| section.read <= section.old)
    }

    /// Looks ahead at what was appended to a section.
    pub(super) fn scout(&mut self, number: u32, defs: &Definitions, see: &mut dyn FnMut(Sight)) {
        if let Some(section) = self.section_mut(number) {
            section.scout.get_or_insert_default().look(&section.words, defs, see);
        }
    }

    /// Looks ahead at everything after the event that was read last.
    pub(super) fn scout_all(&mut self, defs: &Definitions, see: &mut dyn FnMut(Sight)) {
        if let Some(section) = &mut self.section {
            let scout = match self.begun {
                true => Scout::from(section.read, self.slots.clone()),
                false => Scout::default(),
            };
            section.scout.insert(scout).look(&section.words, defs, see);
        }
        for section in self.later.values_mut() {
            section.scout.insert(Scout::default()).look(&section.words, defs, see);
        }
    }

    /// The section's chunk was overwritten before all of it was read.
    pub(super) fn lose(&mut self, number: u32) {
        if let Some(section) = self.section_mut(number) {
            section.complete = true;
            section.cut = true;
            section.scout = None;
        }
    }

    /// Puts the next event into `head`; false when there is none yet. With `last`, nothing more will come.
    ///
    /// `round` is the number of this round, to tell a section that is lost from one that was not seen yet.
    #[inline]
    pub(super) fn next(&mut self, head: &mut Head, defs: &Definitions, round: u64, last: bool) -> bool {
        if let Some((lock, access)) = self.release.take() {
            head.set_released(self.last_ticks, lock, access);
            head.site = None;
            head.stack = None;
            return true;
        }
        if self.begun && self.stack.is_none() && self.next_usual(head, defs) {
            return true;
        }
        let is_there = self.next_record(head, defs, round, last);
        if !is_there {
            head.sort = Sort::None;
        }
        is_there
    }

    /// Acquisitions, releases and accesses, which is what most records say. False when something else is next; nothing is read then but places that are
    /// defined for the dictionary.
    #[inline]
    fn next_usual(&mut self, head: &mut Head, defs: &Definitions) -> bool {
        loop {
            let Some(section) = &self.section else { return false };
            let Some(&first) = section.words.get(section.read) else { return false };
            let is_read = match first as u8 {
                0..kind::RELEASED => self.set_acquired(head, first),
                kind::PAIR..=kind::PAIR_LAST => self.set_pair(head, first),
                kind::RELEASED_SLOT => self.set_released_slot(head, first),
                kind::RELEASED..=RELEASED_LAST | RELEASED_BOTH => self.set_released(head, first, defs),
                kind::READ | kind::WRITE => match self.peek_touch(u64::MAX, defs) {
                    Some(touch) => {
                        head.set_touched(touch.ticks, touch.var, touch.writes);
                        head.site = touch.site;
                        head.stack = None;
                        self.take_touch(&touch);
                        self.delivered = true;
                        return true;
                    }
                    None => false,
                },
                kind::DEFINE_SLOT => {
                    let Some(&second) = section.words.get(section.read + 1) else { return false };
                    if !self.slots.define([first, second, 0, 0], defs) {
                        return false;
                    }
                    self.note_read(2);
                    continue;
                }
                _ => false,
            };
            if is_read {
                self.note_read(1);
                self.delivered = true;
            }
            return is_read;
        }
    }

    #[inline]
    fn note_read(&mut self, words: usize) {
        if let Some(section) = &mut self.section {
            section.read += words;
        }
        self.consumed_words += words as u64;
    }

    /// The plain read or write that is next, when it is before a tick.
    #[inline]
    pub(super) fn peek_touch(&self, before: u64, defs: &Definitions) -> Option<Touch> {
        if self.release.is_some() || self.stack.is_some() || !self.begun {
            return None;
        }
        let section = self.section.as_ref()?;
        let &[first, second, ..] = section.words.get(section.read..)? else { return None };
        let writes = first as u8 == kind::WRITE;
        if !writes && first as u8 != kind::READ {
            return None;
        }
        let ticks = self.last_ticks.wrapping_add(first >> 32);
        let (var, place) = halves(second);
        let var = objects::known_var(var, defs).ok()?;
        (ticks < before).then_some(Touch { ticks, var, writes, site: site(place, defs) })
    }

    /// Goes on after a read or write that was looked at.
    #[inline]
    pub(super) fn take_touch(&mut self, touch: &Touch) {
        self.last_ticks = touch.ticks;
        self.note_read(2);
    }

    /// The acquisition and release that a pair says, when that is next and both are before a tick.
    #[inline]
    pub(super) fn peek_pair(&self, before: u64) -> Option<WholePair> {
        if self.release.is_some() || self.stack.is_some() || !self.begun {
            return None;
        }
        let section = self.section.as_ref()?;
        let word = *section.words.get(section.read)?;
        if !is_pair(word) {
            return None;
        }
        let pair = Pair::parse(word);
        let slot = self.slots.get(usize::from(pair.slot))?;
        let acquired_at = self.last_ticks.wrapping_add(u64::from(pair.dt));
        let released_at = acquired_at.wrapping_add(u64::from(pair.hold));
        let count = slot.count_of_pair(&pair);
        (released_at < before && acquired_at < before).then_some(WholePair {
            slot: Slot { count, ..*slot },
            index: pair.slot,
            access: pair.access,
            acquired_at,
            released_at,
        })
    }

    /// Goes on after a pair that was looked at.
    #[inline]
    pub(super) fn take_pair(&mut self, pair: &WholePair) {
        self.slots.set_count(usize::from(pair.index), pair.slot.count);
        self.last_ticks = pair.released_at;
        self.note_read(1);
    }

    fn next_record(&mut self, head: &mut Head, defs: &Definitions, round: u64, last: bool) -> bool {
        loop {
            if self.section.is_none() && !self.skip_missing(round, last) {
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
            if self.record(head, record, defs) {
                self.delivered = true;
                return true;
            }
        }
    }

    fn dropped(&mut self, head: &mut Head) -> bool {
        head.set_other(self.last_ticks, Op::Dropped { count: 0 });
        self.place(head, None)
    }

    fn skip_missing(&mut self, round: u64, last: bool) -> bool {
        let Some((&first, section)) = self.later.first_key_value() else { return false };
        // A section begins after the one before it has ended: the round after the one that this was seen in has seen that, if it is there.
        let is_lost = section.old > 0 || round >= self.missing_since.get_or_insert(round).saturating_add(2);
        if !last && !is_lost {
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
    fn record(&mut self, head: &mut Head, words: [u64; 4], defs: &Definitions) -> bool {
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
                self.damaged_words += if self.slots.define(words, defs) { 0 } else { 2 };
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
            kind::PAIR..=kind::PAIR_LAST => {
                if self.set_pair(head, first) {
                    head.stack = self.stack.take();
                    return true;
                }
                let pair = Pair::parse(first);
                self.last_ticks = self.last_ticks.wrapping_add(u64::from(pair.dt) + u64::from(pair.hold));
                return self.undefined(first);
            }
            _ if is_acquired(first) => {
                if self.set_acquired(head, first) {
                    head.stack = self.stack.take();
                    return true;
                }
                self.last_ticks = self.last_ticks.wrapping_add(first >> 32);
                return self.undefined(first);
            }
            kind::RELEASED_SLOT | kind::RELEASED..=RELEASED_LAST | RELEASED_BOTH => {
                let is_read = match record_kind {
                    kind::RELEASED_SLOT => self.set_released_slot(head, first),
                    _ => self.set_released(head, first, defs),
                };
                if is_read {
                    return self.place(head, None);
                }
                self.last_ticks = self.last_ticks.wrapping_add(first >> 32);
                return self.undefined(first);
            }
            _ => {}
        }
        self.last_ticks = self.last_ticks.wrapping_add(first >> 32);
        match operation(record_kind, words, defs) {
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

    /// Both events of a `PAIR`: the acquisition, and its release for the next time. False when nobody knows of what.
    #[inline]
    fn set_pair(&mut self, head: &mut Head, word: u64) -> bool {
        let pair = Pair::parse(word);
        let Some(slot) = self.slots.pair(&pair) else { return false };
        let acquired_at = self.last_ticks.wrapping_add(u64::from(pair.dt));
        head.set_acquired(acquired_at, slot.lock, slot.count, slot.mode, slot.how);
        head.site = slot.site;
        head.stack = None;
        self.release = Some((slot.lock, code::parse_access(pair.access)));
        self.last_ticks = acquired_at.wrapping_add(u64::from(pair.hold));
        true
    }

    #[inline]
    fn set_acquired(&mut self, head: &mut Head, word: u64) -> bool {
        let Some(slot) = self.slots.acquired(word) else { return false };
        self.last_ticks = self.last_ticks.wrapping_add(word >> 32);
        head.set_acquired(self.last_ticks, slot.lock, slot.count, slot.mode, slot.how);
        head.site = slot.site;
        head.stack = None;
        true
    }

    #[inline]
    fn set_released(&mut self, head: &mut Head, word: u64, defs: &Definitions) -> bool {
        let Ok(lock) = known_lock((word >> 8) as u32 & 0xff_ffff, defs) else { return false };
        self.last_ticks = self.last_ticks.wrapping_add(word >> 32);
        head.set_released(self.last_ticks, lock, code::parse_access(word as u8 - kind::RELEASED));
        head.site = None;
        head.stack = None;
        true
    }

    #[inline]
    fn set_released_slot(&mut self, head: &mut Head, word: u64) -> bool {
        let Some(slot) = self.slots.get((word >> 8) as usize & (SLOTS - 1)) else { return false };
        self.last_ticks = self.last_ticks.wrapping_add(word >> 32);
        head.set_released(self.last_ticks, slot.lock, code::parse_access((word >> 24) as u8));
        head.site = None;
        head.stack = None;
        true
    }
}

/// A plain read or write that was looked at.
#[derive(Clone, Copy, Debug)]
pub(super) struct Touch {
    pub(super) ticks: u64,
    pub(super) var: VarId,
    pub(super) writes: bool,
    pub(super) site: Option<SiteId>,
}

/// A pair that was looked at.
#[derive(Clone, Copy, Debug)]
pub(super) struct WholePair {
    /// With the count of this acquisition.
    pub(super) slot: Slot,
    index: u16,
    pub(super) access: u8,
    pub(super) acquired_at: u64,
    pub(super) released_at: u64,
}

/// What a record says that has no more than itself to say it with, and where.
pub(super) fn operation(record_kind: u8, words: [u64; 4], defs: &Definitions) -> Result<(Op, Option<SiteId>), Unread> {
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

pub(super) fn known_lock(id: u32, defs: &Definitions) -> Result<LockId, Unread> {
    defs.lock_of_file(id).ok_or(Unread::Undefined)
}

pub(super) fn known_thread(id: u32, defs: &Definitions) -> Result<ThreadId, Unread> {
    ((id as usize) < defs.threads.len()).then_some(ThreadId(id)).ok_or(Unread::Undefined)
}

pub(super) fn site(id: u32, defs: &Definitions) -> Option<SiteId> {
    SiteId::from_raw(id).filter(|site| site.index() < defs.sites.len())
}
