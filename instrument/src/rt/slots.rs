//! Where holds are noted: slots in chunks that never move and are never freed, so that who looks at them needs no protection.

use std::{
    alloc::{Layout, alloc_zeroed, handle_alloc_error},
    panic::Location,
    ptr::{self, NonNull},
    sync::atomic::{AtomicPtr, AtomicU32, AtomicU64, Ordering},
};

use lockscope_trace::{LockKind, Mode, format::code};

use super::{
    Site,
    stack::{CallStack, Stack},
};

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
    /// The stack then, where it was looked at.
    pub from: Option<Stack>,
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

/// A place for an acquisition. Alone on its cache line, and so aligned that a pointer to it has 6 bits to spare (see `Hold`).
#[derive(Debug)]
#[repr(align(64))]
pub(super) struct Slot {
    /// The lock's id + 1 in the lower half, 0 for a free slot; mode, kind, fate and permits in the upper half.
    pub(super) word: AtomicU64,
    pub(super) site: AtomicPtr<Location<'static>>,
    pub(super) created: AtomicPtr<Location<'static>>,
    pub(super) type_name: AtomicPtr<()>,
    pub(super) since: AtomicU64,
    pub(super) from: AtomicPtr<CallStack>,
}

impl Slot {
    /// Since when it is held, as it was noted, while acquisitions are timed; else anything. Odd where only the coarse clock was looked at.
    #[inline]
    pub(super) fn since(&self) -> u64 {
        self.since.load(Ordering::Relaxed)
    }

    pub(super) fn read(&self) -> Option<HeldLock> {
        let word = self.word.load(Ordering::Acquire);
        let lock = (word as u32).checked_sub(1)?;
        let what = (word >> 32) as u32;
        let type_name = self.type_name.load(Ordering::Relaxed);
        // SAFETY: a lock's word is stored (release) after its fields, and fields only ever hold valid pointers to
        // `Location`s, functions of this type and stacks, all of which live for ever, once they hold anything.
        unsafe {
            Some(HeldLock {
                lock,
                mode: code::parse_mode_how(what as u8).0,
                kind: code::parse_lock_kind((what >> KIND_SHIFT) as u8),
                site: &*self.site.load(Ordering::Relaxed),
                created: &*self.created.load(Ordering::Relaxed),
                type_name: std::mem::transmute::<*mut (), fn() -> &'static str>(type_name),
                since: if what & TIMED == 0 { 0 } else { self.since.load(Ordering::Relaxed) },
                fate: match what & (STAYS | LEAKED) {
                    0 => Fate::Moves,
                    STAYS => Fate::Stays,
                    _ => Fate::Leaked,
                },
                from: if what & FROM == 0 { None } else { self.from.load(Ordering::Relaxed).as_ref() },
                permits: (what >> PERMITS_SHIFT) + 1,
            })
        }
    }

    #[inline]
    pub(super) fn is_free(&self) -> bool {
        self.word.load(Ordering::Relaxed) as u32 == 0
    }

    /// Whether an acquisition of this lock is in here.
    #[inline]
    pub(super) fn has(&self, lock: u32) -> bool {
        self.word.load(Ordering::Relaxed) as u32 == lock + 1
    }
}

/// Above the mode, in the upper half of a slot's word.
pub(super) const KIND_SHIFT: u32 = 8;
pub(super) const STAYS: u32 = 1 << 16;
pub(super) const LEAKED: u32 = 1 << 17;
/// `since` is there.
pub(super) const TIMED: u32 = 1 << 18;
/// `from` is there.
pub(super) const FROM: u32 = 1 << 19;
pub(super) const PERMITS_SHIFT: u32 = 20;

/// As many permits as are told apart in one acquisition.
pub(super) const MAX_PERMITS: u32 = 1 << (32 - PERMITS_SHIFT);

/// A pointer to a slot. Slots live for ever.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct SlotPtr(NonNull<Slot>);

// SAFETY: slots are made of atomics and never freed.
unsafe impl Send for SlotPtr {}
// SAFETY: as above.
unsafe impl Sync for SlotPtr {}

impl std::ops::Deref for SlotPtr {
    type Target = Slot;

    #[inline]
    fn deref(&self) -> &Slot {
        // SAFETY: points into a chunk, none of which is ever freed.
        unsafe { self.0.as_ref() }
    }
}

impl SlotPtr {
    /// # Safety
    ///
    /// `slot` is null or points to a slot of a chunk.
    #[inline]
    pub(super) unsafe fn from_raw(slot: *const Slot) -> Option<Self> {
        NonNull::new(slot.cast_mut()).map(Self)
    }

    #[inline]
    pub(super) fn as_ptr(self) -> *mut Slot {
        self.0.as_ptr()
    }

    #[inline]
    pub(super) fn raw(self) -> *const Slot {
        self.0.as_ptr()
    }

    /// The one after it. There is one after each that can be taken, see `Chunk`.
    #[inline]
    pub(super) fn next(self) -> *const Slot {
        self.raw().wrapping_add(1)
    }

    pub(super) fn chunk(self) -> &'static Chunk {
        // SAFETY: chunks are aligned to their size, and live for ever.
        unsafe { &*self.raw().map_addr(|address| address & !(size_of::<Chunk>() - 1)).cast::<Chunk>() }
    }

    /// Index of the record to whose thread it belongs.
    pub(super) fn owner(self) -> u32 {
        self.chunk().owner.load(Ordering::Relaxed)
    }
}

/// Slots of one thread, 2 KiB. All zeros is a chunk without owner whose slots are free.
#[derive(Debug)]
#[repr(C, align(2048))]
pub(super) struct Chunk {
    pub(super) owner: AtomicU32,
    /// Slots that were ever used.
    pub(super) used: AtomicU32,
    pub(super) next: AtomicPtr<Chunk>,
    /// The last one is never taken, so that a pointer to the one after those taken stays inside of the chunk.
    pub(super) slots: [Slot; 31],
}

const _: () = assert!(size_of::<Chunk>() == 2048 && size_of::<Slot>() == 64);

/// Slots of a chunk that can be taken.
pub(super) const CAPACITY: usize = 30;
/// Slots of a new record that others look at.
pub(super) const FIRST_USED: u32 = 4;
/// Most chunks of one thread, 512 KiB: 7680 holds at most. More are used without being followed. Every new set of locks held is looked
/// through once, so the time for n of them grows with n squared; who has more than this has forgotten them.
pub(super) const MOST_CHUNKS: usize = 256;

impl Chunk {
    pub(super) fn new(owner: u32) -> &'static Self {
        let layout = Layout::new::<Chunk>();
        // SAFETY: the layout is not empty; all zeros is a valid chunk. Leaked: others may read it for as long as they like.
        unsafe {
            let chunk = alloc_zeroed(layout).cast::<Chunk>();
            if chunk.is_null() {
                handle_alloc_error(layout);
            }
            (*chunk).owner.store(owner, Ordering::Relaxed);
            (*chunk).used.store(FIRST_USED, Ordering::Relaxed);
            &*chunk
        }
    }

    /// Pointers to slots are made of one to the whole chunk, so that they lead back to it.
    pub(super) fn slot(&self, index: usize) -> *const Slot {
        let offset = std::mem::offset_of!(Chunk, slots) + index * size_of::<Slot>();
        ptr::from_ref(self).cast::<u8>().wrapping_add(offset).cast()
    }

    pub(super) fn end(&self) -> *const Slot {
        self.slot((self.used.load(Ordering::Relaxed) as usize).min(CAPACITY))
    }

    pub(super) fn is_empty(&self) -> bool {
        self.slots.iter().take(self.used.load(Ordering::Acquire) as usize).all(Slot::is_free)
    }
}
