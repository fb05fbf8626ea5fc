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
    format::{Pair, SLOTS, code, halves, is_acquired, kind, pair, record_events, record_words},
};

/// A place of a section's dictionary.
#[derive(Clone, Copy)]
struct Slot {
    /// Lock, below, and place in the source: the number of locks, or 0, where it is not known which.
    of: u64,
    /// 1 when it is.
    shared: u64,
    /// Mode and how.
    asked: u8,
    /// A change of a hold, not an ordinary acquisition.
    is_unusual: bool,
}

impl Slot {
    fn lock(&self) -> u32 {
        self.of as u32
    }
}

/// A lock that is held.
#[derive(Clone, Copy, Default)]
struct Hold {
    /// Lock, below, and place in the source.
    of: u64,
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

impl Sums {
    #[inline]
    fn add(&mut self, acquired: u64, shared: u64, hold: u64) {
        self.acquisitions += acquired;
        self.shared += shared;
        self.hold = self.hold.wrapping_add(hold);
        self.longest_hold = self.longest_hold.max(hold);
    }
}

/// Durations by their number of bits; 0 for those that were not timed, and 1 for those below 2 ns.
type Buckets = [u32; 65];

/// How many bits a duration has.
#[inline]
fn n_bits(duration: u64) -> usize {
    // One more, and that is set, so that no processor has to treat 0 apart.
    63 - (duration << 1 | 1).leading_zeros() as usize
}

/// What a record of one word says that is an acquisition, a release or both, by its kind. Each of the masks is all ones or 0.
#[derive(Clone, Copy)]
struct Usual {
    acquires: u64,
    releases: u64,
    is_pair: u64,
    /// The release names its lock, and not a slot.
    names_lock: u64,
    /// No acquisition, but what it names: a `DEFINE_SLOT`.
    defines: u64,
    /// The upper bits of the slot, when the kind says them.
    slot_high: u16,
    /// Those that the word says.
    slot_mask: u16,
    is_unusual: bool,
}

const USUAL: [Usual; 256] = {
    const YES: u64 = u64::MAX;
    let other = Usual {
        acquires: 0,
        releases: 0,
        is_pair: 0,
        names_lock: 0,
        defines: 0,
        slot_high: 0,
        slot_mask: 0xff,
        is_unusual: true,
    };
    let usual = Usual { is_unusual: false, ..other };
    let mut table = [other; 256];
    let mut record = 0;
    while record < 256 {
        let low = record as u16;
        if record < kind::RELEASED as usize {
            table[record] = Usual { acquires: YES, slot_high: low << 8, ..usual };
        } else if record >= kind::PAIR as usize && record <= kind::PAIR_LAST as usize {
            table[record] = Usual { acquires: YES, releases: YES, is_pair: YES, slot_high: low << 5 & 0x300, ..usual };
        } else if record < RELEASED_END as usize || record == RELEASED_BOTH as usize {
            table[record] = Usual { releases: YES, names_lock: YES, ..usual };
        } else if record == kind::RELEASED_SLOT as usize {
            table[record] = Usual { releases: YES, slot_mask: 0x3ff, ..usual };
        } else if record == kind::DEFINE_SLOT as usize {
            table[record] = Usual { defines: YES, ..other };
        }
        record += 1;
    }
    table
};

/// One or the other, by a mask. Masks come from the table, and not from comparisons, of which the compiler would make branches.
#[inline]
fn choose(mask: u64, yes: u64, no: u64) -> u64 {
    no ^ (mask & (yes ^ no))
}

const RELEASED_END: u8 = kind::RELEASED + 4;
const RELEASED_BOTH: u8 = kind::RELEASED + 7;

pub(super) struct Adder<'a> {
    defs: &'a Definitions,
    clock: Clock,
    n_locks: u32,
    n_sites: u32,
    /// All ones when locks have the numbers that the file gives them, else 0.
    dense: u64,
    pub(super) events: u64,
    pub(super) damaged_words: u64,
    /// By lock; one more for those that are not known.
    locks: Vec<Sums>,
    holds: Vec<Buckets>,
    /// By the file's number of the place, 0 for those that are not known.
    sites: Vec<Sums>,
    /// Of those that were waited for, which are few.
    waits: Vec<Option<Box<Histogram>>>,
    waits_at: Vec<Option<Box<Histogram>>>,
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
            dense: if defs.has_file_ids() { u64::MAX } else { 0 },
            events: 0,
            damaged_words: 0,
            locks: vec![Sums::default(); n_locks as usize + 1],
            holds: vec![[0; 65]; n_locks as usize + 1],
            sites: vec![Sums::default(); defs.sites.len() + 1],
            waits: vec![None; n_locks as usize + 1],
            waits_at: vec![None; defs.sites.len() + 1],
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
        let (n_locks, n_sites, clock, dense) = (self.n_locks, self.n_sites, self.clock, self.dense);
        let mut odd = 0;
        // Three words: a place may be defined before what is next.
        while let Some(&[first, second, third]) = words.get(at..).and_then(|words| words.first_chunk()) {
            let [first, second, third] = [first, second, third].map(u64::from_le_bytes);
            let defines = USUAL[usize::from(first as u8)].defines & dense;
            let place = (first >> 16) as u16;
            odd |= u64::from(place) & defines & !(SLOTS as u64 - 1);
            slots[choose(defines, u64::from(place) % SLOTS as u64, SLOTS as u64) as usize] =
                slot_of(first, second, n_locks, n_sites);
            let word = choose(defines, third, first);
            at += (defines & 2) as usize;

            let usual = &USUAL[usize::from(word as u8)];
            let slot = slots[usize::from((word >> 8) as u16 & usual.slot_mask | usual.slot_high) % SLOTS];
            let (acquires, releases) = (usual.acquires, usual.releases);
            let parts = Pair::parse(word);
            let since = now.wrapping_add(choose(usual.is_pair, u64::from(parts.dt), word >> 32));
            let until = since.wrapping_add(u64::from(parts.hold) & usual.is_pair);

            if held.len() < n + 2 {
                held.resize(2 * n + 16, Hold::default());
            }
            held[n] = Hold { of: slot.of, since };
            // A mask is -1 or 0.
            let after = n.wrapping_sub(acquires as usize).wrapping_add(releases as usize);
            let Some(&hold) = held.get(after) else { break };
            let released = choose(usual.names_lock, word >> 8 & 0xff_ffff, slot.of & 0xffff_ffff);
            let is_other = releases & (hold.of ^ released) & 0xffff_ffff;
            // Not short-circuited: each is seldom, and together they are one branch.
            if usual.is_unusual | (is_other != 0) | (slot.is_unusual & (usual.names_lock == 0)) {
                break;
            }
            // What was not timed is 0, and what a damaged file says below that is, too.
            let ticks = until.wrapping_sub(hold.since) & releases;
            let ticks = ticks & !((ticks as i64 >> 63) as u64);
            let nanos = clock.duration(ticks).0;
            let bits = n_bits(nanos | u64::from(ticks != 0));
            let (lock, site) = halves(choose(acquires, slot.of, hold.of));
            let bucket = &mut holds[lock as usize][bits];
            *bucket = bucket.wrapping_add(1);
            let acquired = acquires & 1;
            locks[lock as usize].add(acquired, acquired & slot.shared, nanos);
            sites[site as usize].add(acquired, 0, nanos);
            events += acquired + (releases & 1);
            (n, now) = (after, until);
            at += 1;
        }
        (*n_held, *ticks) = (n, now);
        self.events += events;
        self.damaged_words += if odd == 0 { 0 } else { 2 };
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
                    let hold = Hold { of: pair(self.lock(lock), self.site(site)), since: third };
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
            kind::RELEASED_SLOT => self.released(self.slots[(first >> 8) as usize % SLOTS].lock()),
            kind::RELEASED_WIDE if high == self.section.thread => self.released(self.lock(low)),
            kind::WAIT => self.section.wait = Some((self.lock(low), self.section.ticks)),
            kind::TIMED_OUT => self.section.wait = None,
            _ => {}
        }
    }

    fn pair(&mut self, word: u64) {
        let parts = Pair::parse(word);
        let slot = self.slots[usize::from(parts.slot) % SLOTS];
        let since = self.section.ticks.wrapping_add(u64::from(parts.dt));
        self.section.ticks = since.wrapping_add(u64::from(parts.hold));
        self.acquired(slot, since);
        self.section.is_fresh = false;
        self.released(slot.lock());
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
        let (lock, site) = halves(slot.of);
        // What is downgraded goes on as the same hold.
        if lock == self.n_locks || how == How::Downgrade {
            return;
        }
        if how == How::Upgrade {
            self.released(lock);
        }
        if std::mem::take(&mut self.section.is_fresh) {
            self.first.insert((self.section.thread, self.section.number), (lock, site, ticks));
        }
        self.locks[lock as usize].add(1, slot.shared, 0);
        self.sites[site as usize].add(1, 0, 0);
        if let Some((wanted, since)) = self.section.wait.take()
            && wanted == lock
        {
            self.waited(lock, site, ticks.wrapping_sub(since));
        }
        self.push(Hold { of: slot.of, since: ticks });
    }

    fn waited(&mut self, lock: u32, site: u32, ticks: u64) {
        let time = self.clock.duration(ticks);
        self.waits[lock as usize].get_or_insert_default().add(time);
        self.waits_at[site as usize].get_or_insert_default().add(time);
    }

    fn released(&mut self, lock: u32) {
        let Section { held, n_held, ticks, .. } = &mut self.section;
        held.truncate(*n_held);
        let Some(index) = held.iter().rposition(|held| halves(held.of).0 == lock) else { return };
        let hold = held.remove(index);
        *n_held = held.len();
        // 0 is what a coarse clock says of what was not timed, and no other.
        if *ticks > hold.since && lock < self.n_locks {
            let time = self.clock.duration(*ticks - hold.since).0;
            let bits = n_bits(time | 1);
            self.holds[lock as usize][bits] = self.holds[lock as usize][bits].wrapping_add(1);
            self.locks[lock as usize].add(0, 0, time);
            self.sites[halves(hold.of).1 as usize].add(0, 0, time);
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
            for (to, from) in hold.buckets.iter_mut().zip(&self.holds[lock as usize]).skip(1) {
                *to = u64::from(*from);
                hold.count += u64::from(*from);
            }
            let wait = self.waits[lock as usize].take().map_or_else(Histogram::default, |wait| *wait);
            LockTotals { acquisitions: sums.acquisitions, shared: sums.shared, wait, hold }
        });
        let locks = locks.collect();
        let sites = (1..=self.n_sites).map(|site| {
            let sums = &self.sites[site as usize];
            SiteTotals {
                acquisitions: sums.acquisitions,
                wait: self.waits_at[site as usize].take().map_or_else(Histogram::default, |wait| *wait),
                hold: Nanos(sums.hold),
                longest_hold: Nanos(sums.longest_hold),
            }
        });
        (locks, sites.collect())
    }
}

fn no_slot(n_locks: u32) -> Slot {
    Slot { of: pair(n_locks, 0), shared: 0, asked: 0, is_unusual: true }
}

/// What a `DEFINE_SLOT` says, when it is one.
#[inline]
fn slot_of(first: u64, second: u64, n_locks: u32, n_sites: u32) -> Slot {
    let (lock, site) = halves(second);
    let asked = (first >> 8) as u8;
    let lock = lock.min(n_locks);
    let site = if site <= n_sites { site } else { 0 };
    // `How::Upgrade` and `How::Downgrade` are 3 and 4.
    let changes_hold = (asked >> 2).wrapping_sub(3) < 2;
    let shared = u64::from(asked & 3 == 1);
    Slot { of: pair(lock, site), shared, asked, is_unusual: changes_hold | (lock == n_locks) }
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
            assert_eq!((slot.shared != 0, slot.is_unusual), (mode == Mode::Shared, changes_hold), "{asked}");
        }
    }

    #[test]
    fn usual_records_are_those_of_one_word_that_say_a_lock() {
        for record in 0..=255u8 {
            let usual = USUAL[usize::from(record)];
            let first = u64::from(record);
            let acquires = is_acquired(first) || is_pair(first);
            assert_eq!(usual.acquires != 0, acquires, "{record}");
            if !usual.is_unusual {
                let events = (usual.acquires & 1) + (usual.releases & 1);
                assert_eq!((record_words(first), record_events(first)), (1, events), "{record}");
            }
        }
    }
}
