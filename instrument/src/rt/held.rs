//! The set of locks that a thread holds.
//!
//! Slots in an array: the owner fills free ones and empties them in any order; others read, and in two rare cases
//! empty one (a guard released by another thread). A lock's word is stored last and cleared first, so that whoever reads it with
//! acquire ordering reads the rest of that acquisition, or of a later one of the same slot; searches confirm what they
//! conclude (see `search`).

use std::{
    cell::Cell,
    panic::Location,
    ptr,
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicPtr, AtomicU32, AtomicU64, Ordering},
    },
};

use lockscope_trace::{LockKind, Mode, format::code};

use super::{Hold, Site, chains::mix};

/// One held lock, as read.
#[derive(Clone, Copy, Debug)]
pub(super) struct HeldLock {
    pub lock: u32,
    pub mode: Mode,
    pub kind: LockKind,
    pub site: Site,
    pub created: Site,
    pub type_name: fn() -> &'static str,
    /// In ticks, 0 when acquisitions are not timed.
    pub since: u64,
    pub fate: Fate,
    /// Of a semaphore, at most `MAX_PERMITS`, which stands for so many or more; 1 for a lock.
    pub permits: u32,
}

/// Where a guard may be.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Fate {
    /// Anywhere: it may have been given to another thread.
    Moves,
    /// With the thread that acquired it, or nowhere: its type does not go to other threads.
    Stays,
    /// Nowhere: it was leaked on purpose.
    Leaked,
}

/// A slot. 40 bytes.
#[derive(Debug)]
struct Slot {
    /// The lock's id + 1; 0 for a free slot.
    lock: AtomicU32,
    /// Mode, kind, fate and permits.
    what: AtomicU32,
    site: AtomicPtr<Location<'static>>,
    created: AtomicPtr<Location<'static>>,
    type_name: AtomicPtr<()>,
    since: AtomicU64,
}

impl Slot {
    const fn new() -> Self {
        Self {
            lock: AtomicU32::new(0),
            what: AtomicU32::new(0),
            site: AtomicPtr::new(ptr::null_mut()),
            created: AtomicPtr::new(ptr::null_mut()),
            type_name: AtomicPtr::new(ptr::null_mut()),
            since: AtomicU64::new(0),
        }
    }

    fn read(&self) -> Option<HeldLock> {
        let lock = self.lock.load(Ordering::Acquire).checked_sub(1)?;
        let what = self.what.load(Ordering::Relaxed);
        let type_name = self.type_name.load(Ordering::Relaxed);
        // SAFETY: a lock's word is stored (release) after its fields, and fields only ever hold valid pointers to
        // `Location`s and functions of this type once they hold anything.
        unsafe {
            Some(HeldLock {
                lock,
                mode: code::parse_mode_how(what as u8).0,
                kind: code::parse_lock_kind((what >> 8) as u8),
                site: &*self.site.load(Ordering::Relaxed),
                created: &*self.created.load(Ordering::Relaxed),
                type_name: std::mem::transmute::<*mut (), fn() -> &'static str>(type_name),
                since: self.since.load(Ordering::Relaxed),
                fate: match what & (STAYS | LEAKED) {
                    0 => Fate::Moves,
                    STAYS => Fate::Stays,
                    _ => Fate::Leaked,
                },
                permits: (what >> PERMITS_SHIFT) + 1,
            })
        }
    }
}

const STAYS: u32 = 1 << 16;
const LEAKED: u32 = 1 << 17;
const PERMITS_SHIFT: u32 = 18;

/// As many permits as are told apart in one acquisition.
pub(super) const MAX_PERMITS: u32 = 1 << (32 - PERMITS_SHIFT);

const FIRST_CAPACITY: u32 = 32;
/// Most holds of one thread that are followed, 320 KiB; more are used without being followed. Every new set of locks held is
/// looked through once, so the time for n of them grows with n squared; who has more than this has forgotten them.
const MOST: u32 = 1 << 13;

/// What a thread holds.
#[derive(Debug)]
pub(super) struct HeldSet {
    slots: AtomicPtr<Slot>,
    capacity: AtomicU32,
    /// Slots that were ever used; never shrinks while the record has its owner.
    len: AtomicU32,
    /// Releases by other threads so far.
    foreign: AtomicU32,
    /// Taken to move the slots and to empty one from outside, so that these two do not cross.
    moving: Mutex<()>,
    owner: Owner,
}

/// The owner's own view. Kept small, and changed with few stores: the wrapped lock's atomic operation waits for all of them.
#[derive(Debug, Default)]
struct Owner {
    /// Sum over the mixed held locks: one number for the set, whatever the order of release. 0 when nothing is held (and,
    /// with a probability of 2^-64 each time, when something is).
    key: Cell<u64>,
    /// A slot that may be free: after the last one that was filled, or the last one that was emptied.
    free: Cell<u32>,
    /// No slot below this is free.
    full_below: Cell<u32>,
    foreign_seen: Cell<u32>,
}

// SAFETY: `owner` is used by methods that are documented as the owner's only.
unsafe impl Sync for HeldSet {}
// SAFETY: see above; slots are leaked and may be used from anywhere.
unsafe impl Send for HeldSet {}

impl Default for HeldSet {
    fn default() -> Self {
        Self {
            slots: AtomicPtr::new(new_slots(FIRST_CAPACITY)),
            capacity: AtomicU32::new(FIRST_CAPACITY),
            len: AtomicU32::new(0),
            foreign: AtomicU32::new(0),
            moving: Mutex::new(()),
            owner: Owner::default(),
        }
    }
}

fn new_slots(n: u32) -> *mut Slot {
    // Leaked: others may read an old array for as long as they like. Doubling bounds the sum.
    let slots: Box<[Slot]> = (0..n).map(|_| Slot::new()).collect();
    Box::leak(slots).as_mut_ptr()
}

impl HeldSet {
    #[inline]
    fn slot(&self, index: u32) -> &Slot {
        // SAFETY: `index` is below `capacity` of some array that was published, all of which live for ever and only grow.
        unsafe { &*self.slots.load(Ordering::Acquire).add(index as usize) }
    }

    /// Owner only: the key of the set, 0 when it is empty.
    #[inline]
    pub(super) fn key(&self) -> u64 {
        if self.foreign.load(Ordering::Relaxed) != self.owner.foreign_seen.get() {
            self.recount();
        }
        self.owner.key.get()
    }

    #[cold]
    fn recount(&self) {
        self.owner.foreign_seen.set(self.foreign.load(Ordering::Acquire));
        self.owner.full_below.set(0);
        let locks = self.iter().filter(|held| held.kind != LockKind::Semaphore);
        let key = locks.fold(0u64, |key, lock| key.wrapping_add(mix(lock.lock, lock.mode)));
        self.owner.key.set(key);
    }

    /// Owner only: makes sure that there is a free slot and returns it; `None` when the thread holds too much to follow. Allocates
    /// at most here, so that `fill` does not: it happens while a lock is held that may be the allocator's.
    #[inline]
    pub(super) fn reserve(&self) -> Option<u32> {
        self.free_slot().or_else(|| self.find_free_slot())
    }

    /// Owner only: a free slot, when it is the obvious one. Locks that are released in reverse order always find it.
    #[inline]
    pub(super) fn free_slot(&self) -> Option<u32> {
        let free = self.owner.free.get();
        let is_free = free < self.len.load(Ordering::Relaxed) && self.slot(free).lock.load(Ordering::Relaxed) == 0;
        is_free.then_some(free)
    }

    #[cold]
    fn find_free_slot(&self) -> Option<u32> {
        let len = self.len.load(Ordering::Relaxed);
        let from = self.owner.full_below.get();
        let found = (from..len).find(|&index| self.slot(index).lock.load(Ordering::Relaxed) == 0);
        self.owner.full_below.set(found.unwrap_or(len));
        if found.is_some() || len == MOST {
            return found;
        }
        if len == self.capacity.load(Ordering::Relaxed) {
            self.grow();
        }
        // Slots below `len` that were never filled read as free.
        self.len.store(len + 1, Ordering::Release);
        Some(len)
    }

    /// Owner only: empties a slot.
    #[inline]
    fn empty(&self, index: u32) {
        self.slot(index).lock.store(0, Ordering::Release);
        self.owner.free.set(index);
        if index < self.owner.full_below.get() {
            self.owner.full_below.set(index);
        }
    }

    /// Owner only: notes an acquisition in a free slot.
    #[inline]
    pub(super) fn fill(&self, index: u32, lock: &HeldLock) -> u16 {
        let slot = self.slot(index);
        let what = u32::from(code::mode_how(lock.mode, lockscope_trace::How::Lock))
            | u32::from(code::lock_kind(lock.kind)) << 8
            | if lock.fate == Fate::Moves { 0 } else { STAYS }
            | (lock.permits.clamp(1, MAX_PERMITS) - 1) << PERMITS_SHIFT;
        slot.what.store(what, Ordering::Relaxed);
        slot.site.store(ptr::from_ref(lock.site).cast_mut(), Ordering::Relaxed);
        slot.created.store(ptr::from_ref(lock.created).cast_mut(), Ordering::Relaxed);
        slot.type_name.store(lock.type_name as *mut (), Ordering::Relaxed);
        slot.since.store(lock.since, Ordering::Relaxed);
        slot.lock.store(lock.lock + 1, Ordering::Release);
        self.owner.free.set(index + 1);
        self.owner.key.set(self.owner.key.get().wrapping_add(mix(lock.lock, lock.mode)));
        u16::try_from(index).unwrap_or(Hold::NO_SLOT)
    }

    /// Owner only: [`fill`](Self::fill) for permits, which take no part in the order of locks.
    pub(super) fn fill_permits(&self, index: u32, permits: &HeldLock) -> u16 {
        let key = self.owner.key.get();
        let slot = self.fill(index, permits);
        self.owner.key.set(key);
        slot
    }

    #[cold]
    fn grow(&self) {
        let _moving = self.moving.lock().unwrap_or_else(PoisonError::into_inner);
        let old = self.capacity.load(Ordering::Relaxed);
        let slots = new_slots(old * 2);
        for index in 0..old {
            let from = self.slot(index);
            // SAFETY: the new array has twice as many slots.
            let to = unsafe { &*slots.add(index as usize) };
            to.what.store(from.what.load(Ordering::Relaxed), Ordering::Relaxed);
            to.site.store(from.site.load(Ordering::Relaxed), Ordering::Relaxed);
            to.created.store(from.created.load(Ordering::Relaxed), Ordering::Relaxed);
            to.type_name.store(from.type_name.load(Ordering::Relaxed), Ordering::Relaxed);
            to.since.store(from.since.load(Ordering::Relaxed), Ordering::Relaxed);
            to.lock.store(from.lock.load(Ordering::Relaxed), Ordering::Release);
        }
        self.slots.store(slots, Ordering::Release);
        self.capacity.store(old * 2, Ordering::Release);
    }

    /// Whether an acquisition of this lock is in `slot`.
    #[inline]
    pub(super) fn has_at(&self, lock: u32, slot: u16) -> bool {
        let index = u32::from(slot);
        index < self.len.load(Ordering::Relaxed) && self.slot(index).lock.load(Ordering::Relaxed) == lock + 1
    }

    /// Owner only: removes the acquisition in `slot`. False when it is not there.
    #[inline(always)]
    pub(super) fn remove_at(&self, lock: u32, mode: Mode, slot: u16) -> bool {
        if !self.has_at(lock, slot) {
            return false;
        }
        let index = u32::from(slot);
        self.empty(index);
        self.owner.key.set(self.owner.key.get().wrapping_sub(mix(lock, mode)));
        true
    }

    /// Owner only: removes the acquisition in `slot`, or when it is not there the latest of this lock.
    /// False when there is none.
    pub(super) fn remove(&self, lock: u32, mode: Mode, slot: u16) -> bool {
        self.remove_at(lock, mode, slot)
            || self.find(lock, mode).is_some_and(|index| {
                self.empty(index);
                self.owner.key.set(self.owner.key.get().wrapping_sub(mix(lock, mode)));
                true
            })
    }

    /// Owner only: [`remove`](Self::remove) for permits.
    pub(super) fn remove_permits(&self, semaphore: u32, slot: u16) -> bool {
        let key = self.owner.key.get();
        let is_removed = self.remove(semaphore, Mode::Shared, slot);
        self.owner.key.set(key);
        is_removed
    }

    /// Owner only: changes how many permits an acquisition has left.
    pub(super) fn change_permits(&self, semaphore: u32, slot: u16, permits: u32) {
        let at = if self.has_at(semaphore, slot) { Some(u32::from(slot)) } else { self.find(semaphore, Mode::Shared) };
        let Some(index) = at else { return };
        let what = &self.slot(index).what;
        let rest = what.load(Ordering::Relaxed) & ((1 << PERMITS_SHIFT) - 1);
        what.store(rest | (permits.clamp(1, MAX_PERMITS) - 1) << PERMITS_SHIFT, Ordering::Release);
    }

    /// Owner only: changes the mode of an acquisition.
    pub(super) fn change_mode(&self, lock: u32, from: Mode, to: Mode, slot: u16) {
        let found = if self.has_at(lock, slot) { Some(u32::from(slot)) } else { self.find(lock, from) };
        let Some(index) = found else { return };
        let what = &self.slot(index).what;
        let kind = what.load(Ordering::Relaxed) & !0xff;
        what.store(kind | u32::from(code::mode_how(to, lockscope_trace::How::Lock)), Ordering::Release);
        let key = self.owner.key.get().wrapping_sub(mix(lock, from)).wrapping_add(mix(lock, to));
        self.owner.key.set(key);
    }

    /// Notes that nothing will release this acquisition: its guard was leaked.
    pub(super) fn mark_leaked(&self, lock: u32, mode: Mode, slot: u16) {
        let at = if self.has_at(lock, slot) { Some(u32::from(slot)) } else { self.find(lock, mode) };
        if let Some(index) = at {
            self.slot(index).what.fetch_or(LEAKED, Ordering::Release);
        }
    }

    /// Index of the latest acquisition of a lock in a mode.
    pub(super) fn find(&self, lock: u32, mode: Mode) -> Option<u32> {
        (0..self.len.load(Ordering::Acquire))
            .rev()
            .find(|&index| self.slot(index).read().is_some_and(|held| held.lock == lock && held.mode == mode))
    }

    /// Removes an acquisition from another thread than the owner: the earliest of this lock and mode, or the slot given. False when there
    /// is none.
    pub(super) fn remove_foreign(&self, lock: u32, mode: Mode, slot: u16) -> bool {
        let _moving = self.moving.lock().unwrap_or_else(PoisonError::into_inner);
        let len = self.len.load(Ordering::Acquire);
        let take = |index: u32| {
            self.slot(index).lock.compare_exchange(lock + 1, 0, Ordering::AcqRel, Ordering::Relaxed).is_ok()
        };
        let taken = (u32::from(slot) < len && take(u32::from(slot)))
            || (0..len).any(|index| {
                self.slot(index).read().is_some_and(|held| held.lock == lock && held.mode == mode) && take(index)
            });
        if taken {
            self.foreign.fetch_add(1, Ordering::AcqRel);
        }
        taken
    }

    /// Everything held, outermost first as far as slots were not reused.
    pub(super) fn iter(&self) -> impl Iterator<Item = HeldLock> + '_ {
        (0..self.len.load(Ordering::Acquire)).filter_map(|index| self.slot(index).read())
    }

    /// What is held of one lock.
    pub(super) fn of_lock(&self, lock: u32) -> impl Iterator<Item = HeldLock> + '_ {
        self.iter().filter(move |held| held.lock == lock)
    }

    /// Owner only, while nothing is held: as new.
    pub(super) fn reset(&self) {
        self.len.store(0, Ordering::Release);
        self.owner.key.set(0);
        self.owner.free.set(0);
        self.owner.full_below.set(0);
    }

    /// Whether nothing is held.
    pub(super) fn is_empty(&self) -> bool {
        self.iter().next().is_none()
    }
}
