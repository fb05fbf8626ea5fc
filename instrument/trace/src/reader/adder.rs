//! Adds up chunks: how often each lock was taken, how long it was waited for and held; the same for each place.
//!
//! Nearly every word is an acquisition, a release or both, in an order that no processor foresees, so these go through one sequence of
//! instructions without a branch that depends on which of them it is ([`Adder::usual`]): what does not apply is added as 0, or to a place that nobody
//! looks at. The rest is read one by one ([`Adder::record`]).

use std::collections::HashMap;

use super::{
    header::Clock,
    totals::{LockTotals, SiteTotals},
};
use crate::{
    Definitions, Histogram, How, Nanos,
    format::{Pair, SLOTS, code, halves, is_acquired, kind, record_events, record_words},
};

/// A place of a section's dictionary.
#[derive(Clone, Copy)]
struct Slot {
    /// The number of locks when it is not known which.
    lock: u32,
    /// As in the file, 0 when it is not known where.
    site: u32,
    /// Mode and how.
    asked: u8,
    is_shared: bool,
    /// A change of a hold, not an ordinary acquisition.
    is_unusual: bool,
}

/// A lock that is held.
#[derive(Clone, Copy, Default)]
struct Hold {
    lock: u32,
    site: u32,
    since: u64,
}

/// What is summed up of a lock or a place.
#[derive(Clone, Copy, Default)]
struct Sums {
    acquisitions: u64,
    shared: u64,
    hold: u64,
    longest_hold: u64,
}

/// Durations by their number of bits, and those that were not timed.
type Buckets = [u32; 66];
const NOT_TIMED: usize = 65;

/// What an acquisition, a release or both says that is one word, by its kind.
#[derive(Clone, Copy)]
struct Usual {
    /// 1 when it is one.
    is_usual: u8,
    acquires: u8,
    releases: u8,
    /// The release names its lock, and not a slot.
    names_lock: bool,
    /// The upper bits of the slot, when the kind says them.
    slot_high: u16,
    /// Those that the word says.
    slot_mask: u16,
}

const USUAL: [Usual; 256] = {
    let none = Usual { is_usual: 0, acquires: 0, releases: 0, names_lock: false, slot_high: 0, slot_mask: 0xff };
    let mut table = [none; 256];
    let mut record = 0;
    while record < 256 {
        let mut entry = none;
        if record < kind::RELEASED as usize {
            entry = Usual { is_usual: 1, acquires: 1, slot_high: (record as u16) << 8, ..none };
        } else if record >= kind::PAIR as usize && record <= kind::PAIR_LAST as usize {
            entry = Usual { is_usual: 1, acquires: 1, releases: 1, slot_high: (record as u16) << 5 & 0x300, ..none };
        } else if record < RELEASED_END as usize || record == RELEASED_BOTH as usize {
            entry = Usual { is_usual: 1, releases: 1, names_lock: true, ..none };
        } else if record == kind::RELEASED_SLOT as usize {
            entry = Usual { is_usual: 1, releases: 1, slot_mask: 0x3ff, ..none };
        }
        table[record] = entry;
        record += 1;
    }
    table
};

const RELEASED_END: u8 = kind::RELEASED + 4;
const RELEASED_BOTH: u8 = kind::RELEASED + 7;

pub(super) struct Adder<'a> {
    defs: &'a Definitions,
    clock: Clock,
    n_locks: u32,
    n_sites: u32,
    /// Locks have the numbers that the file gives them.
    is_dense: bool,
    pub(super) events: u64,
    pub(super) damaged_words: u64,
    /// By lock; one more for those that are not known.
    locks: Vec<Sums>,
    holds: Vec<Buckets>,
    /// By the file's number of the place, 0 for those that are not known.
    sites: Vec<Sums>,
    waits: HashMap<u32, Histogram>,
    waits_at: HashMap<u32, Histogram>,
    /// Waits that had not ended when their section did, by thread and section: the lock, and since when.
    open: HashMap<(u32, u32), (u32, u64)>,
    /// The first acquisitions of sections that may end such a wait: the lock, where, and when.
    first: HashMap<(u32, u32), (u32, u32, u64)>,
    /// One more, that nothing names.
    slots: Box<[Slot; SLOTS + 1]>,
    section: Section,
}

/// What is known in a section.
#[derive(Default)]
struct Section {
    thread: u32,
    number: u32,
    ticks: u64,
    /// Locks held are the first `n_held`.
    held: Vec<Hold>,
    n_held: usize,
    wait: Option<(u32, u64)>,
    /// No event was read yet but those that say what is held.
    is_fresh: bool,
}

impl<'a> Adder<'a> {
    pub(super) fn new(defs: &'a Definitions, clock: Clock) -> Self {
        let n_locks = defs.locks.len() as u32;
        let slots: Box<[Slot]> = vec![no_slot(n_locks); SLOTS + 1].into_boxed_slice();
        Self {
            defs,
            clock,
            n_locks,
            n_sites: defs.sites.len() as u32,
            is_dense: defs.has_file_ids(),
            events: 0,
            damaged_words: 0,
            locks: vec![Sums::default(); n_locks as usize + 1],
            holds: vec![[0; 66]; n_locks as usize + 1],
            sites: vec![Sums::default(); defs.sites.len() + 1],
            waits: HashMap::new(),
            waits_at: HashMap::new(),
            open: HashMap::new(),
            first: HashMap::new(),
            slots: slots.try_into().ok().expect("the vector has as many elements as the array"),
            section: Section::default(),
        }
    }

    /// Adds the records of a chunk.
    pub(super) fn chunk(&mut self, words: &[[u8; 8]]) {
        self.section = Section { held: std::mem::take(&mut self.section.held), ..Section::default() };
        let mut at = 0;
        while at < words.len() {
            at = self.usual(words, at);
            let Some(&first) = words.get(at) else { break };
            let first = u64::from_le_bytes(first);
            let len = record_words(first);
            if len == 0 || at + len > words.len() {
                self.damaged_words += (words.len() - at) as u64;
                break;
            }
            let word = |index: usize| if index < len { u64::from_le_bytes(words[at + index]) } else { 0 };
            self.events += record_events(first);
            self.record([first, word(1), word(2), word(3)]);
            at += len;
        }
        self.leave();
    }

    /// Adds the usual records from a place on, and returns where the first one is that is not.
    #[inline]
    fn usual(&mut self, words: &[[u8; 8]], mut at: usize) -> usize {
        if self.section.is_fresh || self.section.wait.is_some() {
            return at;
        }
        let (locks, holds, sites, slots) =
            (&mut self.locks[..], &mut self.holds[..], &mut self.sites[..], &mut *self.slots);
        let Section { held, n_held, ticks, .. } = &mut self.section;
        let (mut n, mut now, mut events) = (*n_held, *ticks, 0);
        let scale = self.clock;
        // Three words: a place may be defined before what is next.
        while let Some(&[first, second, third]) = words.get(at..at + 3).and_then(|words| words.first_chunk()) {
            let (first, second) = (u64::from_le_bytes(first), u64::from_le_bytes(second));
            let is_define = first as u8 == kind::DEFINE_SLOT && self.is_dense;
            let place = if is_define { (first >> 16) as u16 as usize } else { SLOTS };
            slots[place.min(SLOTS)] = slot_of(first, second, self.n_locks, self.n_sites);
            let word = if is_define { u64::from_le_bytes(third) } else { first };
            at += if is_define { 2 } else { 0 };

            let usual = &USUAL[usize::from(word as u8)];
            let slot = &slots[usize::from((word >> 8) as u16 & usual.slot_mask | usual.slot_high) % SLOTS];
            let (acquires, releases) = (usize::from(usual.acquires), usize::from(usual.releases));
            let is_pair = acquires & releases != 0;
            let pair = Pair::parse(word);
            let dt = if is_pair { u64::from(pair.dt) } else { word >> 32 };
            let since = now.wrapping_add(dt);
            let until = since.wrapping_add(if is_pair { u64::from(pair.hold) } else { 0 });

            if held.len() < n + 2 {
                held.resize(2 * n + 16, Hold::default());
            }
            held[n] = Hold { lock: slot.lock, site: slot.site, since };
            let after = (n + acquires).wrapping_sub(releases);
            let Some(&hold) = held.get(after) else { break };
            let released = if usual.names_lock { (word >> 8) as u32 & 0xff_ffff } else { slot.lock };
            let is_other = releases != 0 && hold.lock != released;
            if usual.is_usual == 0 || slot.is_unusual && !usual.names_lock || is_other {
                break;
            }
            let is_timed = releases != 0 && until > hold.since;
            let nanos = scale.duration(if is_timed { until - hold.since } else { 0 }).0;
            let bits = if is_timed { 64 - nanos.leading_zeros() as usize } else { NOT_TIMED };
            let (lock, site) = if acquires != 0 { (slot.lock, slot.site) } else { (hold.lock, hold.site) };
            holds[lock as usize][bits] = holds[lock as usize][bits].wrapping_add(1);
            let shared = acquires as u64 & u64::from(slot.is_shared);
            for sums in [&mut locks[lock as usize], &mut sites[site as usize]] {
                sums.acquisitions += acquires as u64;
                sums.shared += shared;
                sums.hold = sums.hold.saturating_add(nanos);
                sums.longest_hold = sums.longest_hold.max(nanos);
            }
            events += (acquires + releases) as u64;
            (n, now) = (after, until);
            at += 1;
        }
        (*n_held, *ticks) = (n, now);
        self.events += events;
        at
    }

    /// Adds any record.
    fn record(&mut self, record: [u64; 4]) {
        let [first, second, third, fourth] = record;
        let record_kind = first as u8;
        match record_kind {
            kind::SECTION => {
                self.leave();
                let held = std::mem::take(&mut self.section.held);
                let (thread, number) = (halves(second).0, (first >> 32) as u32);
                self.section = Section { thread, number, ticks: third, held, n_held: 0, wait: None, is_fresh: true };
                self.slots.fill(no_slot(self.n_locks));
                return;
            }
            kind::SECTION_END => return self.leave(),
            kind::TIME => {
                self.section.ticks = second;
                return;
            }
            kind::DEFINE_SLOT => {
                let lock = self.lock(halves(second).0);
                let slot = slot_of(first, u64::from(lock) | second >> 32 << 32, self.n_locks, self.n_sites);
                if let Some(place) = self.slots[..SLOTS].get_mut(usize::from((first >> 16) as u16)) {
                    *place = slot;
                }
                return;
            }
            kind::HELD => {
                // Permits of semaphores are no locks.
                if fourth == 0 {
                    let (lock, site) = halves(second);
                    let hold = Hold { lock: self.lock(lock), site: self.site(site), since: third };
                    self.push(hold);
                }
                return;
            }
            kind::STACK => return,
            kind::PAIR..=kind::PAIR_LAST => return self.pair(first),
            _ => self.section.ticks = self.section.ticks.wrapping_add(first >> 32),
        }
        if is_acquired(first) {
            let slot = self.slots[(first as usize & 3) << 8 | (first >> 8) as usize & 0xff];
            self.acquired(slot, self.section.ticks);
        }
        self.section.is_fresh = false;
        let (low, high) = halves(second);
        match record_kind {
            kind::RELEASED..RELEASED_END | RELEASED_BOTH => self.released(self.lock((first >> 8) as u32 & 0xff_ffff)),
            kind::RELEASED_SLOT => self.released(self.slots[(first >> 8) as usize % SLOTS].lock),
            kind::RELEASED_WIDE if high == self.section.thread => self.released(self.lock(low)),
            kind::WAIT => self.section.wait = Some((self.lock(low), self.section.ticks)),
            kind::TIMED_OUT => self.section.wait = None,
            _ => {}
        }
    }

    fn pair(&mut self, word: u64) {
        let pair = Pair::parse(word);
        let slot = self.slots[usize::from(pair.slot) % SLOTS];
        let since = self.section.ticks.wrapping_add(u64::from(pair.dt));
        self.section.ticks = since.wrapping_add(u64::from(pair.hold));
        self.acquired(slot, since);
        self.section.is_fresh = false;
        self.released(slot.lock);
    }

    /// The lock that the file calls so; the number of locks when there is none.
    fn lock(&self, id: u32) -> u32 {
        self.defs.lock_of_file(id).map_or(self.n_locks, |lock| lock.0)
    }

    fn site(&self, id: u32) -> u32 {
        if id <= self.n_sites { id } else { 0 }
    }

    fn push(&mut self, hold: Hold) {
        self.section.held.truncate(self.section.n_held);
        self.section.held.push(hold);
        self.section.n_held += 1;
    }

    fn acquired(&mut self, slot: Slot, ticks: u64) {
        let (_, how) = code::parse_mode_how(slot.asked);
        // What is downgraded goes on as the same hold.
        if slot.lock == self.n_locks || how == How::Downgrade {
            return;
        }
        if how == How::Upgrade {
            self.released(slot.lock);
        }
        if std::mem::take(&mut self.section.is_fresh) {
            self.first.insert((self.section.thread, self.section.number), (slot.lock, slot.site, ticks));
        }
        for sums in [&mut self.locks[slot.lock as usize], &mut self.sites[slot.site as usize]] {
            sums.acquisitions += 1;
            sums.shared += u64::from(slot.is_shared);
        }
        if let Some((lock, since)) = self.section.wait.take()
            && lock == slot.lock
        {
            self.waited(slot.lock, slot.site, ticks.wrapping_sub(since));
        }
        self.push(Hold { lock: slot.lock, site: slot.site, since: ticks });
    }

    fn waited(&mut self, lock: u32, site: u32, ticks: u64) {
        let time = self.clock.duration(ticks);
        self.waits.entry(lock).or_default().add(time);
        self.waits_at.entry(site).or_default().add(time);
    }

    fn released(&mut self, lock: u32) {
        let Section { held, n_held, ticks, .. } = &mut self.section;
        held.truncate(*n_held);
        let Some(index) = held.iter().rposition(|held| held.lock == lock) else { return };
        let hold = held.remove(index);
        *n_held = held.len();
        // 0 is what a coarse clock says of what was not timed, and no other.
        if *ticks > hold.since && lock < self.n_locks {
            let time = self.clock.duration(*ticks - hold.since).0;
            let bits = 64 - time.leading_zeros() as usize;
            self.holds[lock as usize][bits] = self.holds[lock as usize][bits].wrapping_add(1);
            for sums in [&mut self.locks[lock as usize], &mut self.sites[hold.site as usize]] {
                sums.hold = sums.hold.saturating_add(time);
                sums.longest_hold = sums.longest_hold.max(time);
            }
        }
    }

    /// The section ends.
    fn leave(&mut self) {
        if let Some(wait) = self.section.wait.take() {
            self.open.insert((self.section.thread, self.section.number), wait);
        }
        self.section.is_fresh = false;
    }

    /// Puts waits together whose ends are in different sections, and returns what was added, by lock and by place.
    pub(super) fn finish(mut self) -> (Vec<LockTotals>, Vec<SiteTotals>) {
        for ((thread, section), (lock, since)) in std::mem::take(&mut self.open) {
            let next = section.checked_add(1).and_then(|next| self.first.get(&(thread, next)));
            if let Some(&(acquired, site, ticks)) = next
                && acquired == lock
            {
                self.waited(lock, site, ticks.saturating_sub(since));
            }
        }
        let locks = (0..self.n_locks).map(|lock| {
            let sums = &self.locks[lock as usize];
            let mut hold = Histogram { total: Nanos(sums.hold), max: Nanos(sums.longest_hold), ..Histogram::default() };
            for (to, from) in hold.buckets.iter_mut().zip(&self.holds[lock as usize]) {
                *to = u64::from(*from);
                hold.count += u64::from(*from);
            }
            let wait = self.waits.remove(&lock).unwrap_or_default();
            LockTotals { acquisitions: sums.acquisitions, shared: sums.shared, wait, hold }
        });
        let locks = locks.collect();
        let sites = (1..=self.n_sites).map(|site| {
            let sums = &self.sites[site as usize];
            SiteTotals {
                acquisitions: sums.acquisitions,
                wait: self.waits_at.remove(&site).unwrap_or_default(),
                hold: Nanos(sums.hold),
                longest_hold: Nanos(sums.longest_hold),
            }
        });
        (locks, sites.collect())
    }
}

fn no_slot(n_locks: u32) -> Slot {
    Slot { lock: n_locks, site: 0, asked: 0, is_shared: false, is_unusual: true }
}

/// What a `DEFINE_SLOT` says, when it is one.
#[inline]
fn slot_of(first: u64, second: u64, n_locks: u32, n_sites: u32) -> Slot {
    let (lock, site) = halves(second);
    let asked = (first >> 8) as u8;
    let lock = lock.min(n_locks);
    let changes_hold = [3, 4].contains(&(asked >> 2));
    Slot {
        lock,
        site: if site <= n_sites { site } else { 0 },
        asked,
        is_shared: asked & 3 == 1,
        is_unusual: changes_hold || lock == n_locks,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Mode, format::is_pair};

    #[test]
    fn what_a_slot_is_asked_for_is_what_the_format_says() {
        for asked in 0..=255u8 {
            let (mode, how) = code::parse_mode_how(asked);
            let slot = slot_of(u64::from(asked) << 8, 1, 5, 0);
            let changes_hold = matches!(how, How::Upgrade | How::Downgrade);
            assert_eq!((slot.is_shared, slot.is_unusual), (mode == Mode::Shared, changes_hold), "{asked}");
        }
    }

    #[test]
    fn usual_records_are_those_of_one_word_that_say_a_lock() {
        for record in 0..=255u8 {
            let usual = USUAL[usize::from(record)];
            let first = u64::from(record);
            let acquires = is_acquired(first) || is_pair(first);
            assert_eq!(usual.acquires != 0, acquires, "{record}");
            if usual.is_usual != 0 {
                let events = u64::from(usual.acquires + usual.releases);
                assert_eq!((record_words(first), record_events(first)), (1, events), "{record}");
            }
        }
    }
}
