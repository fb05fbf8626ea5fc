//! Sets of held locks, numbered, so that equal ones are one number.

use lockscope_trace::{LockId, Mode};
use rustc_hash::FxHashMap;

/// The locks that are held and how, sorted. A lock that is held in two modes is in it twice.
pub(crate) type Set = [(LockId, Mode)];

/// All sets so far, by their numbers; 0 is the empty one.
#[derive(Debug, Default)]
pub(crate) struct Sets {
    sets: Vec<Box<Set>>,
    number_of: FxHashMap<Box<Set>, u32>,
    /// The set that results when a lock is added to one.
    added: FxHashMap<(u32, LockId, Mode), u32>,
    /// Pairs of which it was asked whether they can be held at the same time.
    overlaps: FxHashMap<(u32, u32), bool>,
    bytes: usize,
}

impl Sets {
    /// The number of a set of locks in any order.
    pub(crate) fn of_locks(&mut self, held: &Set) -> u32 {
        held.iter().fold(0, |set, &(lock, mode)| self.with(set, lock, mode))
    }

    pub(crate) fn get(&self, set: u32) -> &Set {
        (set as usize).checked_sub(1).map_or(&[], |index| &*self.sets[index])
    }

    /// Whether two threads can hold these at the same time.
    pub(crate) fn can_overlap(&mut self, a: u32, b: u32) -> bool {
        if a == 0 || b == 0 {
            return true;
        }
        let key = (a.min(b), a.max(b));
        if let Some(&known) = self.overlaps.get(&key) {
            return known;
        }
        let overlap = can_overlap(self.get(a), self.get(b));
        self.overlaps.insert(key, overlap);
        overlap
    }

    /// The number of a set with one lock more.
    pub(crate) fn with(&mut self, set: u32, lock: LockId, mode: Mode) -> u32 {
        if let Some(&known) = self.added.get(&(set, lock, mode)) {
            return known;
        }
        let mut locks = self.get(set).to_vec();
        locks.push((lock, mode));
        locks.sort_unstable();
        locks.dedup();
        let locks = locks.into_boxed_slice();
        let number = match self.number_of.get(&locks) {
            Some(&number) => number,
            None => {
                self.bytes += 2 * size_of_val(&*locks) + 64;
                self.sets.push(locks.clone());
                self.number_of.insert(locks, self.sets.len() as u32);
                self.sets.len() as u32
            }
        };
        self.added.insert((set, lock, mode), number);
        number
    }

    pub(crate) fn bytes(&self) -> usize {
        self.bytes + (self.added.len() + self.overlaps.len()) * 32
    }
}

/// Whether no lock is in both sets in modes that exclude each other. Both are sorted and short.
pub(crate) fn can_overlap(held: &Set, other: &Set) -> bool {
    held.iter().all(|&(lock, mode)| {
        let first = other.partition_point(|&(theirs, _)| theirs < lock);
        other[first..].iter().take_while(|&&(theirs, _)| theirs == lock).all(|&(_, theirs)| mode.compatible(theirs))
    })
}
