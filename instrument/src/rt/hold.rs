//! What lockscope keeps inside each guard: 8 bytes.

use std::{
    cell::UnsafeCell,
    panic::RefUnwindSafe,
    ptr,
    sync::atomic::{AtomicPtr, Ordering},
};

use lockscope_trace::{Access, Mode, format::code};

use super::slots::{Slot, SlotPtr};

/// One acquisition. Travels with the guard, also to another thread and through `map`.
///
/// A pointer to its slot in the set of the thread that acquired, null when it is not followed; slots are so aligned that six bits are left,
/// for the mode, for what was done to the data, and for whether its release is to be looked at.
#[derive(Debug)]
pub struct Hold {
    // Shared references load and store it as an atomic, since `&Guard` may be shared between threads. Not an `AtomicPtr`: with one, guards
    // would be returned in memory, not in registers.
    word: UnsafeCell<*mut Slot>,
}

// SAFETY: shared references use `word` as an atomic only; slots may be used from anywhere.
unsafe impl Sync for Hold {}
// SAFETY: as above.
unsafe impl Send for Hold {}
// As an atomic is.
impl RefUnwindSafe for Hold {}

const MODE: usize = 0b11;
const ACCESS: usize = 0b111 << 2;
/// Its release is looked at, see `wrapper`.
const PROBED: usize = 1 << 5;
const TAGS: usize = MODE | ACCESS | PROBED;

const _: () = assert!(align_of::<Slot>() > TAGS);

const NOTHING: usize = 0;
const READ: usize = 1 << 2;
const WROTE: usize = 2 << 2;
/// Taken again at the end of a wait that was ended by a notification, and not touched since. The highest, so that one comparison tells
/// what a release has to look at.
const WOKEN: usize = 7 << 2;
/// Read or written, or neither: the guard that knew was forgotten, or there was none.
const UNKNOWN: usize = 4 << 2;
const READ_THEN_WROTE: usize = 5 << 2;

#[inline]
fn tag(mode: Mode) -> usize {
    match mode {
        Mode::Exclusive => 0,
        Mode::Shared => 1,
        Mode::Upgradable => 2,
    }
}

#[inline]
fn mode_of(word: *mut Slot) -> Mode {
    match word.addr() & MODE {
        0 => Mode::Exclusive,
        1 => Mode::Shared,
        _ => Mode::Upgradable,
    }
}

#[inline]
fn access_of(word: *mut Slot) -> Access {
    match word.addr() & ACCESS {
        NOTHING | WOKEN => Access::Nothing,
        READ => Access::Read,
        WROTE => Access::Wrote,
        READ_THEN_WROTE => Access::ReadThenWrote,
        _ => Access::Unknown,
    }
}

/// By the tags: what [`code::access`] makes of [`access_of`], a byte each.
const ACCESS_CODES: u64 = access_byte(NOTHING, Access::Nothing)
    | access_byte(WOKEN, Access::Nothing)
    | access_byte(READ, Access::Read)
    | access_byte(WROTE, Access::Wrote)
    | access_byte(READ_THEN_WROTE, Access::ReadThenWrote)
    | access_byte(UNKNOWN, Access::Unknown);

const fn access_byte(tag: usize, access: Access) -> u64 {
    (code::access(access) as u64) << (tag >> 2 << 3)
}

impl Hold {
    #[inline]
    pub(super) fn new(slot: SlotPtr, mode: Mode) -> Self {
        Self { word: UnsafeCell::new(slot.as_ptr().map_addr(|address| address | tag(mode))) }
    }

    /// An acquisition that the runtime does not follow: made inside of it, or while everything is off.
    #[inline]
    pub fn untracked(mode: Mode) -> Self {
        Self { word: UnsafeCell::new(ptr::without_provenance_mut(tag(mode))) }
    }

    /// The same acquisition, of which it is not known what was done to the data so far.
    pub(crate) fn of_unknown_access(mut self) -> Self {
        self.set(ACCESS, UNKNOWN);
        self
    }

    /// The same once more: what a release leaves to the slow path.
    #[inline]
    pub(super) fn copy(&mut self) -> Self {
        Self { word: UnsafeCell::new(*self.word.get_mut()) }
    }

    #[inline]
    fn set(&mut self, bits: usize, to: usize) {
        let word = self.word.get_mut();
        *word = word.map_addr(|address| address & !bits | to);
    }

    #[inline]
    fn atomic(&self) -> &AtomicPtr<Slot> {
        // SAFETY: valid and aligned as long as `self`, and shared references use it in no other way.
        unsafe { AtomicPtr::from_ptr(self.word.get()) }
    }

    #[inline]
    fn load(&self) -> *mut Slot {
        self.atomic().load(Ordering::Relaxed)
    }

    /// Its slot; `None` when it is not followed.
    #[inline]
    pub(super) fn slot(&self) -> Option<SlotPtr> {
        // SAFETY: `new` puts in pointers to slots.
        unsafe { SlotPtr::from_raw(self.load().map_addr(|address| address & !TAGS)) }
    }

    /// Its slot, when it is followed and a release has nothing special about it. Reads without atomics, so that a guard that is taken
    /// and dropped in one function need not be in memory.
    #[inline(always)]
    pub(super) fn ordinary(&mut self) -> Option<SlotPtr> {
        let word = *self.word.get_mut();
        if word.addr() & (ACCESS | PROBED) >= WOKEN {
            return None;
        }
        // SAFETY: as in `slot`.
        unsafe { SlotPtr::from_raw(word.map_addr(|address| address & !TAGS)) }
    }

    /// The mode as [`code::mode_how`] has it, in the same way.
    #[inline(always)]
    pub(super) fn mode_code(&mut self) -> u8 {
        (self.word.get_mut().addr() & MODE) as u8
    }

    /// Index of the acquiring thread's record; `None` when it is not followed.
    pub(super) fn owner(&self) -> Option<u32> {
        self.slot().map(SlotPtr::owner)
    }

    /// How the lock is held.
    #[inline]
    pub fn mode(&self) -> Mode {
        mode_of(self.load())
    }

    #[inline]
    pub(super) fn set_mode(&mut self, mode: Mode) {
        self.set(MODE, tag(mode));
    }

    /// Notes that the data was read (`Deref`).
    #[inline]
    pub fn note_read(&self) {
        // A lost update between two readers can only lose a second READ: WROTE needs `&mut Guard`.
        let word = self.load();
        if matches!(word.addr() & ACCESS, NOTHING | WOKEN) {
            self.atomic().store(word.map_addr(|address| address & !ACCESS | READ), Ordering::Relaxed);
        }
    }

    /// Notes that the data was borrowed mutably (`DerefMut`).
    #[inline]
    pub fn note_write(&mut self) {
        let access = self.word.get_mut().addr() & ACCESS;
        self.set(ACCESS, if matches!(access, READ | READ_THEN_WROTE) { READ_THEN_WROTE } else { WROTE });
    }

    /// Notes that a wait on a condition variable ended by a notification.
    pub(crate) fn note_woken(&mut self) {
        self.set(ACCESS, WOKEN);
    }

    /// A thread that waits again after a wake-up does so in a loop, whose condition may lie elsewhere.
    pub(crate) fn forget_wakeup(&mut self) {
        if self.is_unchecked() {
            self.set(ACCESS, NOTHING);
        }
    }

    /// Its release is to be looked at.
    pub(super) fn probed(mut self) -> Self {
        self.set(PROBED, PROBED);
        self
    }

    #[inline]
    pub(super) fn is_probed(&self) -> bool {
        self.load().addr() & PROBED != 0
    }

    /// Whether a wake-up was followed by nothing.
    #[inline]
    pub(crate) fn is_unchecked(&self) -> bool {
        self.load().addr() & ACCESS == WOKEN
    }

    pub(crate) fn access(&self) -> Access {
        access_of(self.load())
    }

    /// The same as [`code::access`] has it, without atomics, as [`ordinary`](Self::ordinary).
    #[inline(always)]
    pub(super) fn access_code(&mut self) -> u8 {
        let access = (self.word.get_mut().addr() & ACCESS) >> 2;
        (ACCESS_CODES >> (access * 8)) as u8
    }
}
