//! The dictionary of a section: what its acquisitions name by a number.

use super::stream::{known_lock, site};
use crate::{
    Definitions, How, LockId, Mode, SiteId,
    format::{Pair, SLOTS, code, halves},
};

/// A place of the dictionary. What it names was looked up when it was defined.
#[derive(Clone, Copy, Debug)]
pub(super) struct Slot {
    /// [`UNDEFINED`] where nothing was defined; who asks for a place never sees that.
    pub(super) lock: LockId,
    pub(super) site: Option<SiteId>,
    pub(super) count: u32,
    pub(super) mode: Mode,
    pub(super) how: How,
}

const UNDEFINED: LockId = LockId(u32::MAX);
const NO_SLOT: Slot = Slot { lock: UNDEFINED, site: None, count: 0, mode: Mode::Exclusive, how: How::Lock };

impl Slot {
    /// The count of the acquisition that a pair says. The writer makes no pair when the count moved on by more.
    #[inline]
    pub(super) fn count_of_pair(&self, pair: &Pair) -> u32 {
        self.count.wrapping_add(u32::from(pair.count).wrapping_sub(self.count) & (Pair::COUNTS - 1))
    }
}

/// All places that were defined so far.
#[derive(Clone, Debug, Default)]
pub(super) struct Slots(Vec<Slot>);

impl Slots {
    pub(super) fn clear(&mut self) {
        self.0.clear();
    }

    /// Reads a `DEFINE_SLOT`; false when there is no such place.
    pub(super) fn define(&mut self, record: [u64; 4], defs: &Definitions) -> bool {
        let index = (record[0] >> 16) as u16 as usize;
        if index >= SLOTS {
            return false;
        }
        if self.0.len() <= index {
            self.0.resize(index + 1, NO_SLOT);
        }
        // Definitions are read after the length up to which records are, so what is not there now never will be.
        let (lock, place) = halves(record[1]);
        let (mode, how) = code::parse_mode_how((record[0] >> 8) as u8);
        let slot = |lock| Slot { lock, site: site(place, defs), count: (record[0] >> 32) as u32, mode, how };
        self.0[index] = known_lock(lock, defs).map_or(NO_SLOT, slot);
        true
    }

    #[inline]
    pub(super) fn get(&self, index: usize) -> Option<&Slot> {
        self.0.get(index).filter(|slot| slot.lock != UNDEFINED)
    }

    #[inline]
    fn get_mut(&mut self, index: usize) -> Option<&mut Slot> {
        self.0.get_mut(index).filter(|slot| slot.lock != UNDEFINED)
    }

    /// The place that an `ACQUIRED` names, with its count.
    #[inline]
    pub(super) fn acquired(&mut self, first: u64) -> Option<&Slot> {
        let index = (first as usize & 3) << 8 | (first >> 8) as usize & 0xff;
        let slot = self.get_mut(index)?;
        // The writer defines a slot anew before its count moves on by 2^16.
        let stored = (first >> 16) as u16;
        slot.count = slot.count.wrapping_add(u32::from(stored.wrapping_sub(slot.count as u16)));
        Some(slot)
    }

    /// The place that a `PAIR` names, with its count.
    #[inline]
    pub(super) fn pair(&mut self, pair: &Pair) -> Option<&Slot> {
        let slot = self.get_mut(usize::from(pair.slot))?;
        slot.count = slot.count_of_pair(pair);
        Some(slot)
    }

    /// Notes the count of an acquisition that was read.
    #[inline]
    pub(super) fn set_count(&mut self, index: usize, count: u32) {
        if let Some(slot) = self.0.get_mut(index) {
            slot.count = count;
        }
    }
}
