//! Appends the events of one thread.

use std::sync::atomic::{AtomicU64, Ordering};

use super::{Chunk, TraceWriter};
use crate::{
    Access, How, Mode, clock,
    format::{Pair, SHORT_LOCKS, SLOTS, code, kind, memory, pair},
};

/// Room kept free in a chunk so that one event with all that may precede it fits: `TIME`, `DEFINE_SLOT`, `STACK`, four
/// words of the event itself, and `SECTION_END`.
const MARGIN_WORDS: usize = 16;

/// No lock.
const NONE: u32 = u32::MAX;

/// With the coarse clock, one acquisition in so many is timed.
const ONE_IN: i32 = 16;
/// As long as locks are held, one acquisition in so many is timed, whatever was the case when the first of them was taken.
const LONGEST_NEST: i32 = 64;

/// One thread's end of a trace. Owned by the thread; nothing in here is shared but the committed bytes.
///
/// Every method that records costs a handful of stores into the thread's own chunk; every few thousand events a chunk is taken.
/// After the recording has stopped methods only count what is lost. 16 KiB.
#[derive(Debug)]
pub struct ThreadWriter {
    cursor: *mut u64,
    /// Past this the next event needs another chunk. Null when there is none, so that every event takes the slow path.
    limit: *mut u64,
    slots: Box<[Slot; SLOTS]>,
    last_ticks: u64,
    /// Grows with every section, so that older slots are not believed.
    section: u32,
    /// What it has in `Slot::what`.
    section_what: u32,
    /// The lock whose acquisition is the last thing that was recorded, when a release can be said by changing that.
    leaf: u32,
    /// Acquisitions until one is timed that need not be.
    countdown: i32,
    /// Whether the last acquisition that was not nested was timed.
    times_nested: bool,
    coarse: bool,
    /// The coarse clock as it was last seen.
    coarse_seen: u64,
    chunk: Option<Chunk>,
    thread: u32,
    os_id: u32,
    lost: i64,
}

// SAFETY: the raw pointers point into the owned chunk; the value is used by one thread at a time.
unsafe impl Send for ThreadWriter {}

/// A lock, site and mode that the current section's dictionary has. 16 bytes, so that a comparison of two words tells.
#[derive(Clone, Copy, Debug, Default)]
struct Slot {
    /// The lock and the site.
    place: u64,
    /// The section, mode and how, and whether it is always timed.
    what: u32,
    /// The lock's count at the slot's last use.
    count: u32,
}

/// A lock that is held when a section begins, so that a reader that does not have the acquisition knows.
#[derive(Clone, Copy, Debug)]
pub struct HeldAtStart {
    /// The lock's id.
    pub lock: u32,
    /// Its mode.
    pub mode: Mode,
    /// The site's id.
    pub site: u32,
    /// Time of the acquisition in ticks; 0 when unknown.
    pub since: u64,
    /// How many permits of a semaphore; 0 for a lock.
    pub permits: u32,
}

/// Begin or end of a wait on a condition variable.
#[derive(Clone, Copy, Debug)]
pub struct CondEvent {
    /// The condition variable's id.
    pub condvar: u32,
    /// The mutex' id.
    pub mutex: u32,
    /// The site's id.
    pub site: u32,
    /// The condition variable's count of this event.
    pub count: u32,
}

/// What was done to an object that is not a lock; see [`act`](crate::format::act).
#[derive(Clone, Copy, Debug, Default)]
pub struct ObjectEvent {
    /// One of [`act`](crate::format::act).
    pub act: u8,
    /// As the act says.
    pub detail: u16,
    /// The object's id, or a thread's.
    pub object: u32,
    /// The site's id.
    pub site: u32,
    /// The object's count of this event, 0 when it is not counted.
    pub count: u32,
    /// As the act says.
    pub a: u32,
    /// As the act says.
    pub b: u64,
}

/// An access to memory; see [`memory`](crate::format::memory).
#[derive(Clone, Copy, Debug, Default)]
pub struct MemoryEvent {
    /// One of [`memory`](crate::format::memory).
    pub act: u8,
    /// The ordering, by [`code::order`](crate::format::code::order).
    pub order: u16,
    /// The variable's id.
    pub var: u32,
    /// The site's id.
    pub site: u32,
    /// The variable's count of this event, 0 when it is not counted.
    pub count: u32,
    /// As the act says.
    pub modification: u64,
}

/// What a thread's slow paths need: the trace, and what the thread holds.
pub trait Environment {
    /// The trace.
    fn writer(&self) -> &TraceWriter;
    /// Calls `each` for every lock held, outermost first.
    fn held(&self, each: &mut dyn FnMut(HeldAtStart));
}

impl ThreadWriter {
    /// A writer for the thread with the given id (from [`DefinitionWriter::thread`](super::DefinitionWriter::thread)).
    pub fn new(thread: u32, os_id: u32) -> Self {
        let slots: Box<[Slot]> = vec![Slot::default(); SLOTS].into_boxed_slice();
        Self {
            cursor: std::ptr::null_mut(),
            limit: std::ptr::null_mut(),
            slots: slots.try_into().expect("the vector has as many elements as the array"),
            last_ticks: 0,
            section: 0,
            section_what: 0,
            leaf: NONE,
            countdown: 1,
            times_nested: false,
            coarse: false,
            coarse_seen: 1,
            chunk: None,
            thread,
            os_id,
            lost: 0,
        }
    }

    /// Stands for how much was recorded: it is the same only if nothing was recorded in between.
    pub fn position(&self) -> usize {
        // A release may change the last record instead of adding one; then this is no leaf any more.
        self.cursor as usize | usize::from(self.leaf != NONE)
    }

    /// Records that a lock was acquired as its `count`th acquisition; call while it is held.
    #[inline]
    #[expect(clippy::too_many_arguments, reason = "the fields of one event, passed in registers on the fast path")]
    pub fn acquired(
        &mut self,
        env: &impl Environment,
        lock: u32,
        mode: Mode,
        how: How,
        site: u32,
        count: u32,
        ticks: u64,
    ) {
        if self.make_room(env, ticks) {
            self.acquired_here(lock, code::mode_how(mode, how), site, count, ticks & !1, clock::ticks);
        }
    }

    /// Takes a chunk now if the next event would need one, so that it need not be done while the program holds the lock.
    pub fn prepare(&mut self, env: &impl Environment) {
        self.make_room(env, 0);
    }

    /// Whether the next event fits into this thread's chunk, so that recording it is a handful of stores.
    #[inline]
    pub fn has_room(&self) -> bool {
        self.cursor < self.limit
    }

    /// Whether only some events are timed.
    #[inline(always)]
    pub fn is_coarse(&self) -> bool {
        self.coarse
    }

    /// Time of an acquisition now, by the coarse clock: from `now`, in ticks, for one acquisition in 16 and whenever the coarse clock has
    /// moved on; else the odd number that the coarse clock says. What is taken while other locks are held (`nested`) is timed as the first of these
    /// was, so that the time of one tells something about the others.
    #[inline(always)]
    pub fn coarse_acquisition(&mut self, nested: bool, now: impl FnOnce() -> u64) -> u64 {
        let coarse = clock::coarse();
        self.countdown -= 1;
        let untimed = if nested { !self.times_nested && self.countdown > -LONGEST_NEST } else { self.countdown > 0 };
        if coarse == self.coarse_seen && untimed {
            if !nested {
                self.times_nested = false;
            }
            return coarse;
        }
        if !nested || self.countdown <= -LONGEST_NEST {
            self.countdown = ONE_IN;
        }
        self.times_nested |= !nested;
        // While it stands still everything is timed.
        self.coarse_seen = if coarse == 0 { 1 } else { coarse };
        clock::look_at_coarse();
        now()
    }

    /// Time of the release now of what was acquired at `since`, as [`coarse_acquisition`](Self::coarse_acquisition) said: in ticks if
    /// the acquisition was timed, or it was so long ago that it matters; else odd.
    #[inline(always)]
    pub fn coarse_release(&mut self, lock: u32, since: u64) -> u64 {
        Self::coarse_release_at_once(since, clock::ticks).unwrap_or_else(|| self.late_release(lock, since))
    }

    /// The same, `None` where that takes a look at how long ago it was. `now` is the time in ticks.
    #[inline(always)]
    pub fn coarse_release_at_once(since: u64, now: impl FnOnce() -> u64) -> Option<u64> {
        if since & 1 == 0 { Some(now()) } else { (since == clock::coarse()).then_some(since) }
    }

    /// The coarse clock has moved on since the acquisition.
    #[cold]
    #[inline(never)]
    fn late_release(&mut self, lock: u32, since: u64) -> u64 {
        let now = clock::ticks();
        // The acquisition was at most one move after `since`: less than two may have been no time at all.
        if !clock::is_long(now.wrapping_sub(since)) {
            return since;
        }
        // Where one hold was long the next ones may be, and they are timed from the beginning.
        for slot in self.slots.iter_mut().filter(|slot| slot.place as u32 == lock) {
            slot.what |= TIMED;
        }
        now
    }

    /// As [`acquired`](Self::acquired), with mode and how as [`code::mode_how`] has them. Only after
    /// [`has_room`](Self::has_room) said so. Odd ticks stand for those of the event before, unless the place is new or always timed: then
    /// the time is `now`. Returns the ticks that the event has, or the odd ones.
    #[inline(always)]
    pub fn acquired_here(
        &mut self,
        lock: u32,
        mode_how: u8,
        site: u32,
        count: u32,
        ticks: u64,
        now: impl Fn() -> u64,
    ) -> u64 {
        debug_assert!(self.chunk.is_some());
        let mut index = slot_of(lock, site);
        let (place, what) = (pair(lock, site), self.section_what | u32::from(mode_how));
        let slot = &mut self.slots[index];
        let delta = count.wrapping_sub(slot.count);
        if slot.place == place && slot.what == what && delta < Pair::COUNTS {
            slot.count = count;
            self.leaf = if mode_how & 3 != code::UPGRADABLE { lock } else { NONE };
            self.acquired_in_slot(self.cursor, index, count, ticks);
            return ticks;
        }
        // Two that belong into one slot have the one beside it as well.
        let is_it = |slot: &Slot| slot.place == place && slot.what & !TIMED == what;
        let is_free = |slot: &Slot| slot.what & !TIMED & !0b11111 != self.section_what;
        let (here, beside) = (&self.slots[index], &self.slots[index ^ 1]);
        if !is_it(here) && (is_it(beside) || !is_free(here) && (is_free(beside) || count & 1 != 0)) {
            index ^= 1;
        }
        let slot = &mut self.slots[index];
        let delta = count.wrapping_sub(slot.count);
        let can_pair = delta < Pair::COUNTS && mode_how & 3 != code::UPGRADABLE;
        if is_it(slot) && slot.what == what && can_pair {
            slot.count = count;
            self.leaf = lock;
            self.acquired_in_slot(self.cursor, index, count, ticks);
            return ticks;
        }
        let ticks = if ticks & 1 != 0 { now() } else { ticks };
        if is_it(slot) && delta < 1 << 16 {
            slot.count = count;
            self.leaf = if can_pair { lock } else { NONE };
            self.acquired_in_slot(self.cursor, index, count, ticks);
            return ticks;
        }
        *slot = Slot { place, what, count };
        let first = u64::from(kind::DEFINE_SLOT)
            | u64::from(mode_how) << 8
            | (index as u64) << 16
            | u64::from(count.wrapping_sub(1)) << 32;
        // SAFETY: `has_room` promised a margin that has space for this too.
        unsafe {
            self.cursor.write(first.to_le());
            self.cursor.add(1).write(place.to_le());
        }
        self.leaf = if mode_how & 3 != code::UPGRADABLE { lock } else { NONE };
        // SAFETY: as above.
        self.acquired_in_slot(unsafe { self.cursor.add(2) }, index, count, ticks);
        ticks
    }

    #[inline(always)]
    fn acquired_in_slot(&mut self, mut cursor: *mut u64, index: usize, count: u32, ticks: u64) {
        let dt = self.last_ticks_to(&mut cursor, ticks);
        let kind = u64::from(kind::ACQUIRED) | (index as u64 >> 8);
        let word = kind | (index as u64 & 0xff) << 8 | (u64::from(count) & 0xffff) << 16 | dt << 32;
        // SAFETY: `make_room` left room.
        unsafe { self.finish(cursor, [word]) };
    }

    /// Records that a lock is about to be released; call while it is still held.
    #[inline]
    pub fn released(&mut self, env: &impl Environment, lock: u32, mode: Mode, access: Access, ticks: u64) {
        // The short form says no mode; of several holds of one lock it ends the upgradable one last.
        if lock >= SHORT_LOCKS || mode == Mode::Upgradable {
            let ticks = if ticks & 1 != 0 { clock::ticks() } else { ticks };
            return self.released_for(env, lock, self.thread, mode, access, ticks);
        }
        if self.make_room(env, ticks) {
            self.released_here(lock, code::access(access), ticks);
        }
    }

    /// As [`released`](Self::released) of a lock below [`SHORT_LOCKS`] that was not held upgradably; the access as [`code::access`] has it. Only
    /// after [`has_room`](Self::has_room) said so. Odd ticks stand for those of the event before.
    #[inline(always)]
    pub fn released_here(&mut self, lock: u32, access: u8, ticks: u64) {
        debug_assert!(self.chunk.is_some() && lock < SHORT_LOCKS);
        if self.leaf == lock && self.released_leaf(access, ticks) {
            return;
        }
        self.leaf = NONE;
        let mut cursor = self.cursor;
        let dt = self.last_ticks_to(&mut cursor, ticks);
        let word = u64::from(kind::RELEASED + access) | u64::from(lock) << 8 | dt << 32;
        // SAFETY: `make_room` left room.
        unsafe { self.finish(cursor, [word]) };
    }

    /// Changes the acquisition that was recorded last into one with its release. False when that has no room for the times.
    #[inline(always)]
    fn released_leaf(&mut self, access: u8, ticks: u64) -> bool {
        let hold = if ticks & 1 != 0 { 0 } else { ticks.wrapping_sub(self.last_ticks) };
        // SAFETY: a leaf is the last record of the thread's own chunk, one aligned word. Other processes read it, this one does not
        // but here; the store is atomic, so that they find either word.
        let last = unsafe { AtomicU64::from_ptr(self.cursor.sub(1)) };
        let acquired = u64::from_le(last.load(Ordering::Relaxed));
        let Some(pair) = Pair::of_acquired(acquired, access, hold) else { return false };
        self.leaf = NONE;
        self.last_ticks += hold;
        // The program's unlock comes after: who sees the lock's next acquisition sees this.
        last.store(pair.to_le(), Ordering::Release);
        true
    }

    /// Records that a lock that `owner` acquired is about to be released by this thread.
    pub fn released_for(
        &mut self,
        env: &impl Environment,
        lock: u32,
        owner: u32,
        mode: Mode,
        access: Access,
        ticks: u64,
    ) {
        let access = code::access(access);
        let operand = access & 3 | (code::mode_how(mode, How::Lock) + 1) << 2 | access >> 2 << 7;
        self.two(env, kind::RELEASED_WIDE, u64::from(operand) << 8, pair(lock, owner), ticks);
    }

    /// Records a two-word event about a lock: `WAIT`, `TRY_FAILED` or `TIMED_OUT`.
    /// `asked` is mode and how, as [`code::mode_how`] makes it.
    pub fn lock_event(&mut self, env: &impl Environment, kind: u8, lock: u32, asked: u8, site: u32, ticks: u64) {
        self.two(env, kind, u64::from(asked) << 8, pair(lock, site), ticks);
    }

    /// Records a two-word event whose second word is `low` and `high`.
    pub fn event(&mut self, env: &impl Environment, kind: u8, low: u32, high: u32, ticks: u64) {
        self.two(env, kind, 0, pair(low, high), ticks);
    }

    /// Records begin or end of a wait on a condition variable; `flag` says limited at the begin, timed out at the end.
    pub fn cond_event(&mut self, env: &impl Environment, kind: u8, flag: bool, event: &CondEvent, ticks: u64) {
        let CondEvent { condvar, mutex, site, count } = *event;
        self.four(env, kind, u64::from(flag) << 8, [pair(condvar, mutex), pair(site, count), 0], ticks);
    }

    /// Records what was done to an object that is not a lock.
    pub fn object(&mut self, env: &impl Environment, event: &ObjectEvent, ticks: u64) {
        let ObjectEvent { act, detail, object, site, count, a, b } = *event;
        let operand = u64::from(act) << 8 | u64::from(detail) << 16;
        self.four(env, kind::OBJECT, operand, [pair(object, site), pair(count, a), b], ticks);
    }

    /// Records an access to memory.
    pub fn memory(&mut self, env: &impl Environment, event: &MemoryEvent, ticks: u64) {
        let MemoryEvent { act, order, var, site, count, modification } = *event;
        match act {
            memory::READ => return self.two(env, kind::READ, 0, pair(var, site), ticks),
            memory::WRITE => return self.two(env, kind::WRITE, 0, pair(var, site), ticks),
            _ => {}
        }
        let operand = u64::from(act) << 8 | u64::from(order) << 16;
        self.four(env, kind::MEMORY, operand, [pair(var, site), pair(count, 0), modification], ticks);
    }

    /// Records that a lock was destroyed. Only after [`has_room`](Self::has_room) said so. Odd ticks stand for those of the event before.
    #[inline]
    pub fn destroyed_here(&mut self, lock: u32, ticks: u64) {
        debug_assert!(self.chunk.is_some());
        self.leaf = NONE;
        let mut cursor = self.cursor;
        let dt = self.last_ticks_to(&mut cursor, ticks);
        // SAFETY: `has_room` promised a margin.
        unsafe { self.finish(cursor, [u64::from(kind::DESTROYED) | dt << 32, pair(lock, 0)]) };
    }

    /// The time now, by the coarse clock: odd as long as that has not moved on since the last time that it was looked at.
    #[inline]
    pub fn coarse_now(&self) -> u64 {
        let coarse = clock::coarse();
        if coarse == self.coarse_seen { coarse } else { clock::ticks() }
    }

    /// Records a one-word event without operand: `START` or `EXIT`.
    pub fn plain(&mut self, env: &impl Environment, kind: u8, ticks: u64) {
        if !self.make_room(env, ticks) {
            return;
        }
        self.leaf = NONE;
        let mut cursor = self.cursor;
        let dt = self.last_ticks_to(&mut cursor, ticks & !1);
        // SAFETY: `make_room` left room.
        unsafe { self.finish(cursor, [u64::from(kind) | dt << 32]) };
    }

    /// Attaches a stack (its id) to the next event.
    pub fn stack(&mut self, env: &impl Environment, stack: u32) {
        if self.make_room(env, self.last_ticks.max(1)) {
            self.leaf = NONE;
            // SAFETY: `make_room` left room.
            unsafe { self.finish(self.cursor, [u64::from(kind::STACK), u64::from(stack)]) };
        } else {
            // No event of its own: the next one is counted.
            self.lost -= 1;
        }
    }

    /// Ends the thread's section and hands the chunk on. Recording may go on afterwards, in a new section.
    pub fn end(&mut self, writer: &TraceWriter) {
        self.leaf = NONE;
        if let Some(chunk) = self.chunk.take() {
            // SAFETY: the margin has room for one word.
            unsafe {
                self.cursor.write(u64::from(kind::SECTION_END).to_le());
                chunk.commit(self.cursor.add(1));
            }
            let left = chunk.end() as usize - chunk.cursor() as usize;
            // A chunk with hardly any room is not worth handing on.
            if left > 64 * MARGIN_WORDS { writer.give_back(&chunk) } else { writer.seal(&chunk) }
        }
        self.limit = std::ptr::null_mut();
        self.flush_lost(writer);
    }

    #[inline]
    fn two(&mut self, env: &impl Environment, kind: u8, operand: u64, word: u64, ticks: u64) {
        if !self.make_room(env, ticks) {
            return;
        }
        self.leaf = NONE;
        let mut cursor = self.cursor;
        let dt = self.last_ticks_to(&mut cursor, ticks & !1);
        // SAFETY: `make_room` left room.
        unsafe { self.finish(cursor, [u64::from(kind) | operand | dt << 32, word]) };
    }

    fn four(&mut self, env: &impl Environment, kind: u8, operand: u64, words: [u64; 3], ticks: u64) {
        if !self.make_room(env, ticks) {
            return;
        }
        self.leaf = NONE;
        let mut cursor = self.cursor;
        let dt = self.last_ticks_to(&mut cursor, ticks & !1);
        // SAFETY: `make_room` left room.
        unsafe { self.finish(cursor, [u64::from(kind) | operand | dt << 32, words[0], words[1], words[2]]) };
    }

    /// Ticks since the previous event, after a `TIME` record if they do not fit (or went backwards).
    #[inline(always)]
    fn last_ticks_to(&mut self, cursor: &mut *mut u64, ticks: u64) -> u64 {
        if ticks & 1 != 0 {
            return 0;
        }
        let dt = ticks.wrapping_sub(self.last_ticks);
        self.last_ticks = ticks;
        if dt >> 32 == 0 {
            return dt;
        }
        // SAFETY: every caller has made room for it.
        unsafe {
            cursor.write(u64::from(kind::TIME).to_le());
            cursor.add(1).write(ticks.to_le());
            *cursor = cursor.add(2);
        }
        0
    }

    /// Writes the event at `cursor` and publishes everything up to its end.
    ///
    /// # Safety
    ///
    /// `make_room` returned true, and at most its margin lies between `self.cursor` and the event's end.
    #[inline(always)]
    unsafe fn finish<const N: usize>(&mut self, cursor: *mut u64, words: [u64; N]) {
        // SAFETY: promised by the caller.
        unsafe {
            for (index, word) in words.iter().enumerate() {
                cursor.add(index).write(word.to_le());
            }
            self.cursor = cursor.add(N);
            self.chunk.as_ref().unwrap_unchecked().commit(self.cursor);
        }
    }

    #[inline]
    fn make_room(&mut self, env: &impl Environment, ticks: u64) -> bool {
        if self.cursor < self.limit { true } else { self.next_chunk(env, ticks) }
    }

    /// Takes a chunk and begins a section in it. False when the recording has stopped.
    #[cold]
    #[inline(never)]
    fn next_chunk(&mut self, env: &impl Environment, ticks: u64) -> bool {
        let writer = env.writer();
        if let Some(chunk) = &self.chunk {
            // SAFETY: within the chunk.
            let limit = unsafe { chunk.end().sub(MARGIN_WORDS) };
            if self.limit == chunk.half() && self.cursor < limit {
                // Who has used half of a chunk will need more.
                self.limit = limit;
                writer.want_helper();
                return true;
            }
        }
        if let Some(full) = self.chunk.take() {
            writer.seal(&full);
        }
        // Until the new section stands, nothing may be written, and nothing of the last one changed any more.
        self.leaf = NONE;
        self.limit = std::ptr::null_mut();
        let Ok(chunk) = writer.claim_events() else {
            self.lost += 1;
            if self.lost >= 1024 {
                self.flush_lost(writer);
            }
            return false;
        };
        let ticks = if ticks == 0 || ticks & 1 != 0 { clock::ticks() } else { ticks };
        let first = u64::from(kind::SECTION) | u64::from(self.section) << 32;
        self.section += 1;
        // Five bits say mode and how; a thread that needs 2^26 sections has written 4 TiB.
        self.section_what = self.section << 5 & !TIMED;
        self.last_ticks = ticks;
        let mut cursor = chunk.cursor();
        // SAFETY: chunks are handed out with at least the margin free, HELD records are kept below the limit, and
        // this value owns the chunk.
        unsafe {
            for word in [first, pair(self.thread, self.os_id), ticks, 0] {
                cursor.write(word.to_le());
                cursor = cursor.add(1);
            }
            let limit = chunk.end().sub(MARGIN_WORDS);
            env.held(&mut |held| {
                if cursor < limit {
                    let first = u64::from(kind::HELD) | u64::from(code::mode_how(held.mode, How::Lock)) << 8;
                    for word in [first, pair(held.lock, held.site), held.since & !1, u64::from(held.permits)] {
                        cursor.write(word.to_le());
                        cursor = cursor.add(1);
                    }
                }
            });
            chunk.commit(cursor);
            self.cursor = cursor;
            self.limit = if writer.has_no_helper() && cursor < chunk.half() { chunk.half() } else { limit };
        }
        self.chunk = Some(chunk);
        self.coarse = writer.is_coarse();
        self.flush_lost(writer);
        true
    }

    fn flush_lost(&mut self, writer: &TraceWriter) {
        if self.lost > 0 {
            writer.count_lost(std::mem::take(&mut self.lost).cast_unsigned());
        }
    }
}

/// Of a slot: acquisitions here are always timed.
const TIMED: u32 = 1 << 31;

#[inline(always)]
fn slot_of(lock: u32, site: u32) -> usize {
    // Locks that were made one after another have slots of their own at each place, and places lie far from each other.
    lock.wrapping_add(site.wrapping_mul(0x9e37_79b9) >> 16) as usize % SLOTS
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::writer::Options;

    struct Env(TraceWriter);

    impl Environment for Env {
        fn writer(&self) -> &TraceWriter {
            &self.0
        }

        fn held(&self, _: &mut dyn FnMut(HeldAtStart)) {}
    }

    #[test]
    fn the_coarse_clock_times_one_in_sixteen_and_what_is_long() {
        let dir = tempfile::tempdir().unwrap();
        let options = Options { size: None, executable: "x".into(), command: Vec::new(), coarse: true, run: 0 };
        let env = Env(TraceWriter::create(&dir.path().join("a.lks"), &options).unwrap());
        let mut writer = ThreadWriter::new(0, 1);
        writer.plain(&env, kind::START, clock::ticks());
        let is_timed = |ticks: u64| ticks & 1 == 0;
        // It stands still.
        assert!((0..40).all(|_| is_timed(writer.coarse_acquisition(false, clock::ticks))));
        let mut idle = 0;
        assert_eq!(clock::tick(&mut idle), Some(clock::TICK));
        let timed: Vec<bool> = (0..48).map(|_| is_timed(writer.coarse_acquisition(false, clock::ticks))).collect();
        let expected: Vec<bool> = (0..48).map(|n| n % 16 == 0).collect();
        assert_eq!(timed, expected, "the first after a tick, then one in 16");
        // What is nested is timed as what it is in.
        let nests: Vec<[bool; 3]> = (0..32)
            .map(|_| [false, true, true].map(|nested| is_timed(writer.coarse_acquisition(nested, clock::ticks))))
            .collect();
        assert!(nests.iter().all(|nest| nest.iter().all(|&timed| timed == nest[0])), "{nests:?}");
        let n_timed = nests.iter().filter(|nest| nest[0]).count();
        assert!((5..=6).contains(&n_timed), "of 96 one in 18: the first that is not nested after 16");
        while is_timed(writer.coarse_acquisition(false, clock::ticks)) {}
        let n_timed = (0..640).filter(|_| is_timed(writer.coarse_acquisition(true, clock::ticks))).count();
        assert_eq!(n_timed, 640 / (16 + 64), "hand over hand");
        while !is_timed(writer.coarse_acquisition(false, clock::ticks)) {}
        let since = writer.coarse_acquisition(false, clock::ticks);
        assert_eq!(writer.coarse_release(7, since), since, "not timed");
        assert!(is_timed(writer.coarse_release(7, clock::ticks())), "whose acquisition was timed");

        // A new place is timed, a known one is not, until a hold was long.
        assert!(is_timed(writer.acquired_here(7, 0, 3, 1, since, clock::ticks)));
        assert_eq!(writer.acquired_here(7, 0, 3, 2, since, clock::ticks), since);
        clock::tick(&mut idle);
        assert!(!clock::is_long(0));
        assert!(is_timed(writer.coarse_release(7, 1)), "since long ago");
        assert!(is_timed(writer.acquired_here(7, 0, 3, 3, since, clock::ticks)));
        assert!(is_timed(writer.acquired_here(7, 0, 3, 4, since, clock::ticks)));
        assert!(is_timed(writer.acquired_here(8, 0, 3, 1, since, clock::ticks)));
        assert_eq!(writer.acquired_here(8, 0, 3, 2, since, clock::ticks), since);
        clock::stop_ticking();
    }
}
