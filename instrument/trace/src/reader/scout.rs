//! Looks ahead at what was copied from a flight recorder: which counted events there are.
//!
//! Where older events were overwritten, an event whose predecessor is missing must not wait for it; one whose predecessor is still to be read
//! must. So what is copied is looked at once more than in other traces, before anything of it goes out.

use super::{slots::Slots, stream::operation};
use crate::{
    Definitions, LockId, Op, ThreadId, VarId,
    format::{Pair, is_acquired, is_pair, kind, record_words},
};

/// Something that others may wait for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Sight {
    /// An event that a lock or another object has counted.
    OfLock(LockId, u32),
    /// One that a memory location has counted.
    OfVar(VarId, u32),
    /// The start of a thread, by another one.
    Spawn(ThreadId),
    /// The end of the thread itself.
    Exit,
}

/// How far a section was looked at, and its dictionary there.
#[derive(Debug, Default)]
pub(super) struct Scout {
    at: usize,
    slots: Slots,
}

impl Scout {
    /// From a place on at which the dictionary is this one.
    pub(super) fn from(at: usize, slots: Slots) -> Self {
        Self { at, slots }
    }

    /// Looks at what it has not seen yet of a section.
    pub(super) fn look(&mut self, words: &[u64], defs: &Definitions, see: &mut dyn FnMut(Sight)) {
        while let Some(&first) = words.get(self.at) {
            let len = record_words(first).clamp(1, words.len() - self.at);
            let word = |index: usize| if index < len { words[self.at + index] } else { 0 };
            let record = [first, word(1), word(2), word(3)];
            self.at += len;
            if is_pair(first) {
                let pair = Pair::parse(first);
                if let Some(slot) = self.slots.pair(&pair) {
                    see(Sight::OfLock(slot.lock, slot.count));
                }
            } else if is_acquired(first) {
                if let Some(slot) = self.slots.acquired(first) {
                    see(Sight::OfLock(slot.lock, slot.count));
                }
            } else {
                self.rare(record, defs, see);
            }
        }
    }

    fn rare(&mut self, record: [u64; 4], defs: &Definitions, see: &mut dyn FnMut(Sight)) {
        match record[0] as u8 {
            kind::DEFINE_SLOT => _ = self.slots.define(record, defs),
            kind::EXIT => see(Sight::Exit),
            record_kind @ (kind::SPAWN | kind::COND_WAIT | kind::COND_WAKE | kind::OBJECT | kind::MEMORY) => {
                let Ok((op, _)) = operation(record_kind, record, defs) else { return };
                match (op, op.count()) {
                    (Op::Spawn { child }, _) => see(Sight::Spawn(child)),
                    (_, Some(count)) => match (op.lock(), op.var()) {
                        (Some(lock), _) => see(Sight::OfLock(lock, count as u32)),
                        (None, Some(var)) => see(Sight::OfVar(var, count as u32)),
                        (None, None) => {}
                    },
                    (_, None) => {}
                }
            }
            _ => {}
        }
    }
}
