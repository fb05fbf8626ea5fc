//! Locks that were held at all of several moments: only ever fewer.

use lockscope_trace::{LockId, Mode};

use crate::finding::Touch;

/// A set of locks, small mostly. Half a cache line.
#[derive(Clone, Debug)]
pub(super) struct Bag {
    /// Nothing was taken out yet: all locks there are.
    is_all: bool,
    count: u8,
    few: [LockId; FEW],
    /// All of them, where there were more than a few at first.
    #[expect(clippy::box_collection, reason = "a word instead of three, for what is rare")]
    many: Option<Box<Vec<LockId>>>,
}

const FEW: usize = 4;

impl Default for Bag {
    fn default() -> Self {
        Bag::all()
    }
}

impl Bag {
    /// Every lock.
    pub fn all() -> Bag {
        Bag { is_all: true, count: 0, few: [LockId(0); FEW], many: None }
    }

    #[inline]
    pub fn is_empty(&self) -> bool {
        !self.is_all && self.count == 0 && self.many.as_ref().is_none_or(|many| many.is_empty())
    }

    /// Keeps the locks that protect such an access: of a write those held exclusively, of a read all.
    #[inline]
    pub fn keep(&mut self, held: impl Iterator<Item = (LockId, Mode)> + Clone, touch: Touch) {
        self.keep_those(
            held.filter(|(_, mode)| touch == Touch::Read || *mode == Mode::Exclusive).map(|(lock, _)| lock),
        );
    }

    /// Keeps these.
    #[inline]
    pub fn keep_those(&mut self, locks: impl Iterator<Item = LockId> + Clone) {
        if self.is_all {
            return self.begin(locks);
        }
        let is_held = |lock: LockId| locks.clone().any(|held| held == lock);
        if let Some(many) = &mut self.many {
            return many.retain(|&lock| is_held(lock));
        }
        let mut kept = 0;
        for index in 0..usize::from(self.count) {
            if is_held(self.few[index]) {
                self.few[kept] = self.few[index];
                kept += 1;
            }
        }
        self.count = kept as u8;
    }

    #[cold]
    fn begin(&mut self, locks: impl Iterator<Item = LockId>) {
        self.is_all = false;
        let locks: Vec<LockId> = locks.collect();
        match self.few.get_mut(..locks.len()) {
            Some(few) => {
                few.copy_from_slice(&locks);
                self.count = locks.len() as u8;
            }
            None => self.many = Some(Box::new(locks)),
        }
    }
}
