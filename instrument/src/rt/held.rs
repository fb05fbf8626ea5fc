//! The set of locks that a thread holds.
//!
//! Slots in chunks that never move: the owner fills free ones and empties them in any order; others read, and in two rare cases
//! empty one (a guard released by another thread). A lock's word is stored last and cleared first, so that whoever reads it with
//! acquire ordering reads the rest of that acquisition, or of a later one of the same slot; searches confirm what they
//! conclude (see `search`).
//!
//! What only the owner needs to take and give slots is in its thread-local memory ([`Owner`]), not behind the pointer to its record: the
//! wrapped lock's atomic operations wait for what is loaded before them, and loads that depend on one another add up. Measured on one machine,
//! a lock and unlock of 10.1 ns takes 12.2 ns with everything one load away, 14.3 ns behind a pointer.
//!
//! A signal handler may lock and unlock between any two of these instructions. It leaves `free` and the key as it found them, and takes
//! slots from `free` on; so a slot is taken (`free` moved past it) before it is filled, and emptied before it is given back.

use std::{
    cell::Cell,
    ptr,
    sync::atomic::{AtomicU32, Ordering, compiler_fence},
};

use lockscope_trace::{LockKind, Mode, format::code};

use super::{
    Site,
    chains::{mix, mix_coded},
    slots::{CAPACITY, Chunk, FIRST_USED, FROM, KIND_SHIFT, LEAKED, MOST_CHUNKS, PERMITS_SHIFT, STAYS, Slot, TIMED},
    stack::Stack,
    thread,
};

pub(super) use super::slots::{Fate, HeldLock, MAX_PERMITS, SlotPtr};

/// What a thread holds.
#[derive(Debug)]
pub(super) struct HeldSet {
    first: &'static Chunk,
    /// Releases by other threads so far.
    pub(super) foreign: AtomicU32,
}

/// The owner's own view of its set, in its thread-local memory.
///
/// Slots are taken upwards from `free`, in the chunk in which it lies. `free` is above all that are held in that chunk; slots below it that are
/// free (a lock was released before one that was taken after it) are found again by [`HeldSet::reserve`].
#[derive(Debug)]
pub(super) struct Owner {
    /// The next slot to take. Null while this thread has no record.
    free: Cell<*const Slot>,
    /// End of the slots that the fast path may take; null while the runtime is at work in this thread, so that it takes none.
    limit: Cell<*const Slot>,
    /// End of the slots that can be taken.
    end: Cell<*const Slot>,
    /// When `free` is here, nothing is held: the first slot of the chunk, while no other chunk has anything.
    base: Cell<*const Slot>,
    /// Sum over the mixed held locks: one number for the set, whatever the order of release. Stale while `free` is at `base`.
    key: Cell<u64>,
    foreign_seen: Cell<u32>,
    /// There is no room, and nothing was released since that was found.
    full: Cell<bool>,
}

impl Owner {
    pub(super) const fn new() -> Self {
        Self {
            free: Cell::new(ptr::null()),
            limit: Cell::new(ptr::null()),
            end: Cell::new(ptr::null()),
            base: Cell::new(ptr::null()),
            key: Cell::new(0),
            foreign_seen: Cell::new(0),
            full: Cell::new(false),
        }
    }

    /// The runtime begins to be at work in this thread.
    #[inline]
    pub(super) fn suspend(&self) {
        self.limit.set(ptr::null());
    }

    /// It is not any more.
    #[inline]
    pub(super) fn resume(&self) {
        self.limit.set(self.end.get());
    }

    /// This thread has a record no longer.
    pub(super) fn detach(&self) {
        [&self.free, &self.limit, &self.end, &self.base].into_iter().for_each(|place| place.set(ptr::null()));
    }

    /// The slot to take for a fast acquisition; `None` also while the runtime is at work in this thread.
    #[inline]
    pub(super) fn fast_slot(&self) -> Option<SlotPtr> {
        let free = self.free.get();
        // SAFETY: not null when below `limit`, and then in a chunk.
        if free < self.limit.get() { unsafe { SlotPtr::from_raw(free) } } else { None }
    }

    /// The key of the set; 0 when it is empty (and, with a probability of 2^-64 each time, when it is not). Right as long as
    /// `sees_all`.
    #[inline]
    pub(super) fn key(&self) -> u64 {
        if self.free.get() == self.base.get() { 0 } else { self.key.get() }
    }

    /// Whether nothing is held for sure.
    #[inline]
    pub(super) fn is_empty(&self) -> bool {
        self.free.get() == self.base.get()
    }

    /// Whether no other thread has released anything of this one that was not accounted for yet.
    #[inline]
    pub(super) fn sees_all(&self, held: &HeldSet) -> bool {
        held.foreign.load(Ordering::Relaxed) == self.foreign_seen.get()
    }

    /// Notes an acquisition in a slot from `fast_slot` or `reserve`.
    #[inline]
    pub(super) fn fill(&self, slot: SlotPtr, lock: &HeldLock) {
        let what = u32::from(code::mode_how(lock.mode, lockscope_trace::How::Lock))
            | u32::from(code::lock_kind(lock.kind)) << KIND_SHIFT
            | if lock.fate == Fate::Moves { 0 } else { STAYS }
            | if lock.from.is_none() { 0 } else { FROM }
            | (lock.permits.clamp(1, MAX_PERMITS) - 1) << PERMITS_SHIFT;
        self.fill_as(slot, lock.lock, what, lock.site, lock.created, lock.type_name, lock.since, lock.from);
    }

    /// The same with all that is in the upper half of the slot's word, but for `TIMED`. The caller knows most of it when it is compiled.
    #[inline(always)]
    #[expect(clippy::too_many_arguments, reason = "the fields of a slot, passed in registers on the fast path")]
    pub(super) fn fill_as(
        &self,
        slot: SlotPtr,
        lock: u32,
        what: u32,
        site: Site,
        created: Site,
        type_name: fn() -> &'static str,
        since: u64,
        from: Option<Stack>,
    ) {
        let under = self.key();
        self.free.set(slot.next());
        compiler_fence(Ordering::SeqCst);
        let what = if since == 0 { what } else { what | TIMED };
        slot.site.store(ptr::from_ref(site).cast_mut(), Ordering::Relaxed);
        slot.created.store(ptr::from_ref(created).cast_mut(), Ordering::Relaxed);
        slot.type_name.store(type_name as *mut (), Ordering::Relaxed);
        if since != 0 {
            slot.since.store(since, Ordering::Relaxed);
        }
        if let Some(from) = from {
            slot.from.store(ptr::from_ref(from).cast_mut(), Ordering::Relaxed);
        }
        slot.word.store(u64::from(what) << 32 | u64::from(lock + 1), Ordering::Release);
        compiler_fence(Ordering::SeqCst);
        let is_semaphore = (what >> KIND_SHIFT) as u8 == const { code::lock_kind(LockKind::Semaphore) };
        self.key.set(under.wrapping_add(if is_semaphore { 0 } else { mix_coded(lock, what as u8) }));
    }

    /// Empties the slot of the latest acquisition that this thread has not released. False when that is not what is in it. `mode` is as
    /// [`code::mode_how`] has it.
    #[inline(always)]
    pub(super) fn release_latest(&self, slot: SlotPtr, lock: u32, mode: u8) -> bool {
        if self.free.get() != slot.next() || !slot.has(lock) {
            return false;
        }
        // Not needed of the first: the key is stale at `base`.
        if slot.raw() == self.base.get() {
            slot.word.store(0, Ordering::Release);
        } else {
            self.clear(slot, mix_coded(lock, mode));
        }
        compiler_fence(Ordering::SeqCst);
        self.free.set(slot.raw());
        true
    }

    /// Empties a slot that counts for so much in the key.
    #[inline]
    fn clear(&self, slot: SlotPtr, part: u64) {
        let key = self.key.get().wrapping_sub(part);
        slot.word.store(0, Ordering::Release);
        compiler_fence(Ordering::SeqCst);
        self.key.set(key);
    }
}

/// What a hold adds to the key. Permits take no part in the order of locks.
#[inline]
fn part(held: &HeldLock) -> u64 {
    if held.kind == LockKind::Semaphore { 0 } else { mix(held.lock, held.mode) }
}

impl HeldSet {
    /// The set of the record with an index.
    pub(super) fn new(index: u32) -> Self {
        Self { first: Chunk::new(index), foreign: AtomicU32::new(0) }
    }

    /// Owner only, while nothing is held: makes this thread the owner.
    pub(super) fn attach(&self, owner: &Owner) {
        owner.foreign_seen.set(self.foreign.load(Ordering::Acquire));
        owner.key.set(0);
        owner.full.set(false);
        owner.start_in(self.first);
        owner.base.set(owner.free.get());
    }

    fn chunks(&self) -> impl Iterator<Item = &'static Chunk> + use<> {
        std::iter::successors(Some(self.first), |chunk| {
            // SAFETY: null or a chunk, which lives for ever.
            unsafe { chunk.next.load(Ordering::Acquire).as_ref() }
        })
    }

    /// All slots that are taken.
    fn slots(&self) -> Taken {
        Taken { chunk: Some(self.first), index: 0 }
    }

    /// Owner only: the key of the set, counted.
    pub(super) fn recount(&self) -> u64 {
        let this = thread::this();
        let owner = &this.owner;
        owner.foreign_seen.set(self.foreign.load(Ordering::Acquire));
        let key = self.iter().fold(0u64, |key, held| key.wrapping_add(part(&held)));
        owner.key.set(key);
        key
    }

    /// Owner only: makes sure that there is a free slot and returns it; `None` when the thread holds too much to follow. Allocates
    /// at most here, so that `fill` does not: it happens while a lock is held that may be the allocator's.
    pub(super) fn reserve(&self) -> Option<SlotPtr> {
        let this = thread::this();
        let owner = &this.owner;
        if !owner.sees_all(self) {
            self.recount();
            owner.go_down();
            owner.full.set(false);
        }
        if owner.free.get() >= owner.end.get() {
            self.make_room(owner)?;
        }
        // SAFETY: below `end`, so in a chunk.
        unsafe { SlotPtr::from_raw(owner.free.get()) }
    }

    #[cold]
    fn make_room(&self, owner: &Owner) -> Option<()> {
        if owner.full.get() {
            return None;
        }
        owner.go_down();
        // SAFETY: `free` is in a chunk.
        let chunk = unsafe { SlotPtr::from_raw(owner.free.get()) }?.chunk();
        let used = chunk.used.load(Ordering::Relaxed);
        if owner.free.get() >= owner.end.get() && (used as usize) < CAPACITY {
            chunk.used.store((used * 2).min(CAPACITY as u32), Ordering::Release);
            owner.end.set(chunk.end());
        }
        if owner.free.get() < owner.end.get() {
            return Some(());
        }
        let empty = self.chunks().find(|chunk| chunk.is_empty());
        let next = empty.or_else(|| {
            let last = self.chunks().last().expect("there is a first chunk");
            let new =
                (self.chunks().count() < MOST_CHUNKS).then(|| Chunk::new(self.first.owner.load(Ordering::Relaxed)))?;
            last.next.store(ptr::from_ref(new).cast_mut(), Ordering::Release);
            Some(new)
        });
        owner.full.set(next.is_none());
        let next = next?;
        // From here on the key counts: what is held lies elsewhere.
        let key = self.recount();
        owner.base.set(ptr::null());
        owner.start_in(next);
        owner.key.set(key);
        Some(())
    }

    /// Owner only: notes an acquisition in a reserved slot.
    pub(super) fn fill(&self, slot: SlotPtr, lock: &HeldLock) {
        thread::this().owner.fill(slot, lock);
    }

    /// Owner only: removes the acquisition in `slot`, or when it is not there the latest of this lock.
    /// False when there is none.
    pub(super) fn remove(&self, lock: u32, mode: Mode, slot: Option<SlotPtr>) -> bool {
        let Some(slot) = self.at(lock, mode, slot) else { return false };
        let Some(held) = slot.read() else { return false };
        let this = thread::this();
        let owner = &this.owner;
        owner.clear(slot, part(&held));
        if owner.free.get() == slot.next() {
            owner.free.set(slot.raw());
        }
        owner.go_down();
        owner.give_back();
        owner.full.set(false);
        self.find_base(owner);
        true
    }

    /// Makes `base` known when nothing is held outside of the chunk with `free`.
    fn find_base(&self, owner: &Owner) {
        // SAFETY: `free` is null or in a chunk.
        let current = unsafe { SlotPtr::from_raw(owner.free.get()) }.map(SlotPtr::chunk);
        if let Some(current) = current.filter(|_| owner.base.get().is_null())
            && self.chunks().all(|chunk| ptr::eq(chunk, current) || chunk.is_empty())
        {
            owner.base.set(current.slot(0));
        }
    }

    /// The acquisition of a lock in `slot`, or when it is not there the latest one in this mode.
    fn at(&self, lock: u32, mode: Mode, slot: Option<SlotPtr>) -> Option<SlotPtr> {
        slot.filter(|slot| slot.has(lock)).or_else(|| self.find(lock, mode))
    }

    /// Whether an acquisition of this lock is in `slot`.
    pub(super) fn has_at(&self, lock: u32, slot: Option<SlotPtr>) -> bool {
        slot.is_some_and(|slot| slot.has(lock))
    }

    /// Owner only: changes how many permits an acquisition has left.
    pub(super) fn change_permits(&self, semaphore: u32, slot: Option<SlotPtr>, permits: u32) {
        if let Some(slot) = self.at(semaphore, Mode::Shared, slot) {
            let rest = slot.word.load(Ordering::Relaxed) & ((1 << (32 + PERMITS_SHIFT)) - 1);
            let permits = u64::from(permits.clamp(1, MAX_PERMITS) - 1) << (32 + PERMITS_SHIFT);
            slot.word.store(rest | permits, Ordering::Release);
        }
    }

    /// Owner only: changes the mode of an acquisition.
    pub(super) fn change_mode(&self, lock: u32, from: Mode, to: Mode, slot: Option<SlotPtr>) {
        let Some(slot) = self.at(lock, from, slot) else { return };
        let rest = slot.word.load(Ordering::Relaxed) & !(0xff << 32);
        let mode = u64::from(code::mode_how(to, lockscope_trace::How::Lock)) << 32;
        slot.word.store(rest | mode, Ordering::Release);
        self.recount();
    }

    /// Notes that nothing will release this acquisition: its guard was leaked.
    pub(super) fn mark_leaked(&self, lock: u32, mode: Mode, slot: Option<SlotPtr>) {
        if let Some(slot) = self.at(lock, mode, slot) {
            slot.word.fetch_or(u64::from(LEAKED) << 32, Ordering::Release);
        }
    }

    /// The latest acquisition of a lock in a mode.
    pub(super) fn find(&self, lock: u32, mode: Mode) -> Option<SlotPtr> {
        self.slots().filter(|slot| slot.read().is_some_and(|held| held.lock == lock && held.mode == mode)).last()
    }

    /// Removes an acquisition from another thread than the owner: the one in the slot given, else the earliest of this lock and mode. False
    /// when there is none.
    pub(super) fn remove_foreign(&self, lock: u32, mode: Mode, slot: Option<SlotPtr>) -> bool {
        let take = |slot: SlotPtr| {
            let word = slot.word.load(Ordering::Relaxed);
            word as u32 == lock + 1 && slot.word.compare_exchange(word, 0, Ordering::AcqRel, Ordering::Relaxed).is_ok()
        };
        let is_it = |slot: &SlotPtr| slot.read().is_some_and(|held| held.lock == lock && held.mode == mode);
        let taken = slot.is_some_and(take) || self.slots().filter(is_it).any(take);
        if taken {
            self.foreign.fetch_add(1, Ordering::AcqRel);
        }
        taken
    }

    /// Everything held, outermost first as far as slots were not reused.
    pub(super) fn iter(&self) -> impl Iterator<Item = HeldLock> + use<> {
        self.slots().filter_map(|slot| slot.read())
    }

    /// What is held of one lock.
    pub(super) fn of_lock(&self, lock: u32) -> impl Iterator<Item = HeldLock> + use<> {
        self.iter().filter(move |held| held.lock == lock)
    }

    /// Whether nothing is held.
    pub(super) fn is_empty(&self) -> bool {
        self.iter().next().is_none()
    }
}

/// The slots of a set that are taken. Searches look at those of all threads: one loop, not layers of adapters, which debug builds do not
/// see through.
struct Taken {
    chunk: Option<&'static Chunk>,
    index: usize,
}

impl Iterator for Taken {
    type Item = SlotPtr;

    fn next(&mut self) -> Option<SlotPtr> {
        while let Some(chunk) = self.chunk {
            let used = chunk.used.load(Ordering::Acquire) as usize;
            while self.index < used {
                let index = self.index;
                self.index += 1;
                if chunk.slots[index].word.load(Ordering::Acquire) as u32 != 0 {
                    // SAFETY: a slot of a chunk.
                    return unsafe { SlotPtr::from_raw(chunk.slot(index)) };
                }
            }
            // SAFETY: null or a chunk, which lives for ever.
            self.chunk = unsafe { chunk.next.load(Ordering::Acquire).as_ref() };
            self.index = 0;
        }
        None
    }
}

impl Owner {
    /// Takes slots from the beginning of an empty chunk on.
    fn start_in(&self, chunk: &'static Chunk) {
        self.free.set(chunk.slot(0));
        self.end.set(chunk.end());
    }

    /// Lets others look at fewer slots, when most of those that were used are not any more.
    fn give_back(&self) {
        // SAFETY: `free` is null or in a chunk.
        let Some(free) = (unsafe { SlotPtr::from_raw(self.free.get()) }) else { return };
        let chunk = free.chunk();
        let taken = (free.raw().addr() - chunk.slot(0).addr()) / size_of::<Slot>();
        let enough = (taken as u32 * 2).max(FIRST_USED);
        if chunk.used.load(Ordering::Relaxed) > enough * 2 {
            chunk.used.store(enough, Ordering::Release);
            self.end.set(chunk.end());
        }
    }

    /// Moves `free` down to above the last slot that is taken: those below it may have been released earlier, or by other threads.
    fn go_down(&self) {
        // SAFETY: `free` is null or in a chunk.
        let Some(free) = (unsafe { SlotPtr::from_raw(self.free.get()) }) else { return };
        let first = free.chunk().slot(0);
        let mut free = free.raw();
        // SAFETY: slots from the first one to below `free` are in the chunk.
        while free > first && unsafe { &*free.wrapping_sub(1) }.is_free() {
            free = free.wrapping_sub(1);
        }
        self.free.set(free);
    }
}

#[cfg(test)]
mod tests {
    use std::panic::Location;

    use super::*;

    fn held(lock: u32) -> HeldLock {
        HeldLock {
            lock,
            mode: Mode::Exclusive,
            kind: LockKind::Mutex,
            site: Location::caller(),
            created: Location::caller(),
            type_name: || "",
            since: 0,
            fate: Fate::Stays,
            from: None,
            permits: 1,
        }
    }

    /// Takes, releases in any order and lets others release, at random, never holding more than `most`; compares with a list.
    fn check(seed: u64, most: usize, foreign: bool) {
        std::thread::spawn(move || {
            let this = thread::this();
            let owner = &this.owner;
            let set = HeldSet::new(0);
            set.attach(owner);
            let mut state = seed;
            let mut random = |below: usize| {
                state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
                (state >> 33) as usize % below
            };
            let mut list: Vec<(u32, SlotPtr)> = Vec::new();
            for lock in 0..20_000 {
                owner.resume();
                if list.is_empty() || list.len() < most && random(2) == 0 {
                    let slot = owner.fast_slot().or_else(|| set.reserve()).expect("there is room");
                    owner.fill(slot, &held(lock));
                    list.push((lock, slot));
                } else {
                    let (lock, slot) =
                        if random(3) == 0 { list.swap_remove(random(list.len())) } else { list.pop().unwrap() };
                    if foreign && random(4) == 0 {
                        assert!(set.remove_foreign(lock, Mode::Exclusive, Some(slot)));
                        assert!(!owner.sees_all(&set));
                    } else if !owner.release_latest(
                        slot,
                        lock,
                        code::mode_how(Mode::Exclusive, lockscope_trace::How::Lock),
                    ) {
                        assert!(set.remove(lock, Mode::Exclusive, Some(slot)));
                    }
                }
                let key = list.iter().fold(0u64, |key, &(lock, _)| key.wrapping_add(mix(lock, Mode::Exclusive)));
                if owner.sees_all(&set) {
                    assert_eq!(owner.key(), key);
                }
                if lock % 64 == 0 {
                    assert_eq!(set.recount(), key);
                    let mut locks: Vec<u32> = set.iter().map(|held| held.lock).collect();
                    let mut expected: Vec<u32> = list.iter().map(|&(lock, _)| lock).collect();
                    locks.sort_unstable();
                    expected.sort_unstable();
                    assert_eq!(locks, expected);
                }
            }
            owner.detach();
        })
        .join()
        .expect("it finds nothing wrong");
    }

    #[test]
    fn holds_are_those_of_a_list() {
        for most in [1, 2, 8, 100] {
            check(most as u64, most, false);
            check(most as u64 + 1000, most, true);
        }
    }

    #[test]
    fn hand_over_hand_needs_no_more_than_two_chunks() {
        std::thread::spawn(|| {
            let this = thread::this();
            let set = HeldSet::new(0);
            set.attach(&this.owner);
            let mut before: Option<SlotPtr> = None;
            for lock in 0..10_000 {
                let slot = set.reserve().expect("there is room");
                set.fill(slot, &held(lock));
                if let Some(before) = before {
                    assert!(set.remove(lock - 1, Mode::Exclusive, Some(before)));
                }
                before = Some(slot);
            }
            assert!(set.chunks().count() <= 2);
            this.owner.detach();
        })
        .join()
        .expect("it finds nothing wrong");
    }
}
