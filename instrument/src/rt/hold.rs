//! What lockscope keeps inside each guard: 8 bytes.

use std::sync::atomic::{AtomicU8, Ordering};

use lockscope_trace::{Access, Mode};

/// One acquisition. Travels with the guard, also to another thread and through `map`.
#[derive(Debug)]
pub struct Hold {
    /// Index of the acquiring thread's record; [`Hold::NOBODY`] when the acquisition is not tracked.
    pub(crate) owner: u32,
    /// Slot in that thread's set of held locks; [`Hold::NO_SLOT`] when it has to be searched.
    pub(crate) slot: u16,
    pub(crate) mode: Mode,
    // Atomic because `&Guard` may be shared between threads; plain moves on every machine that matters.
    access: AtomicU8,
}

const NOTHING: u8 = 0;
const READ: u8 = 1;
const WROTE: u8 = 2;
/// Taken again at the end of a wait that was ended by a notification, and not touched since.
const WOKEN: u8 = 3;
/// Read or written, or neither: the guard that knew was forgotten, or there was none.
const UNKNOWN: u8 = 4;
const READ_THEN_WROTE: u8 = 5;

impl Hold {
    pub(crate) const NOBODY: u32 = u32::MAX;
    pub(crate) const NO_SLOT: u16 = u16::MAX;

    #[inline]
    pub(crate) fn new(owner: u32, slot: u16, mode: Mode) -> Self {
        Self { owner, slot, mode, access: AtomicU8::new(NOTHING) }
    }

    /// An acquisition that the runtime does not follow: made inside of it, or while everything is off.
    #[inline]
    pub fn untracked(mode: Mode) -> Self {
        Self::new(Self::NOBODY, Self::NO_SLOT, mode)
    }

    /// The same acquisition, of which it is not known what was done to the data so far.
    pub(crate) fn of_unknown_access(mut self) -> Self {
        *self.access.get_mut() = UNKNOWN;
        self
    }

    /// How the lock is held.
    pub fn mode(&self) -> Mode {
        self.mode
    }

    /// Notes that the data was read (`Deref`).
    #[inline]
    pub fn note_read(&self) {
        // A lost update between two readers can only lose a second READ: WROTE needs `&mut Guard`.
        if matches!(self.access.load(Ordering::Relaxed), NOTHING | WOKEN) {
            self.access.store(READ, Ordering::Relaxed);
        }
    }

    /// Notes that the data was borrowed mutably (`DerefMut`).
    #[inline]
    pub fn note_write(&mut self) {
        let access = self.access.get_mut();
        *access = if matches!(*access, READ | READ_THEN_WROTE) { READ_THEN_WROTE } else { WROTE };
    }

    /// Notes that a wait on a condition variable ended by a notification.
    pub(crate) fn note_woken(&mut self) {
        *self.access.get_mut() = WOKEN;
    }

    /// A thread that waits again after a wake-up does so in a loop, whose condition may lie elsewhere.
    pub(crate) fn forget_wakeup(&mut self) {
        if *self.access.get_mut() == WOKEN {
            *self.access.get_mut() = NOTHING;
        }
    }

    /// Whether a wake-up was followed by nothing.
    #[inline]
    pub(crate) fn is_unchecked(&self) -> bool {
        self.access.load(Ordering::Relaxed) == WOKEN
    }

    pub(crate) fn access(&self) -> Access {
        match self.access.load(Ordering::Relaxed) {
            NOTHING | WOKEN => Access::Nothing,
            READ => Access::Read,
            WROTE => Access::Wrote,
            READ_THEN_WROTE => Access::ReadThenWrote,
            _ => Access::Unknown,
        }
    }
}
