//! Acquisitions that this thread has already had checked.
//!
//! Linux lockdep's idea: what can be wrong with an acquisition depends only on the set of locks held and the lock asked
//! for, so a set and a lock that were checked once need not be checked again. The set's key is a sum over its mixed members, so
//! it does not depend on the order of acquisition and follows releases in any order; 64 bits make a collision, which would hide a
//! first check, unlikely (2^-44 for a million chains in a million lookups of one thread).

use std::cell::Cell;

use lockscope_trace::{Mode, format::code};

/// Entries at first: 8 KiB.
const FEWEST: usize = 1 << 10;
/// Entries at most: 512 KiB for a thread that goes through very many chains.
const MOST: usize = 1 << 16;

/// A two-way cache of checked chains, which grows while chains drive each other out.
#[derive(Debug)]
pub(super) struct Chains {
    /// A power of two; 0 is no chain.
    keys: Box<[Cell<u64>]>,
    /// Chains that were driven out since the cache grew.
    driven_out: usize,
}

impl Default for Chains {
    fn default() -> Self {
        Self { keys: empty(FEWEST), driven_out: 0 }
    }
}

fn empty(entries: usize) -> Box<[Cell<u64>]> {
    vec![Cell::new(0); entries].into_boxed_slice()
}

/// The owner's cheap way to its cache: where the entries are, and how many but for one.
#[derive(Debug)]
pub(super) struct Known {
    entries: Cell<*const Cell<u64>>,
    mask: Cell<usize>,
}

/// Of threads that have no cache: a chain is never 0.
static NONE: Nothing = Nothing([Cell::new(0), Cell::new(0)]);

struct Nothing([Cell<u64>; 2]);

// SAFETY: nobody writes.
unsafe impl Sync for Nothing {}

impl Known {
    pub(super) const fn new() -> Self {
        Self { entries: Cell::new(NONE.0.as_ptr()), mask: Cell::new(0) }
    }

    /// From now on looks into this cache, until it changes its size.
    pub(super) fn look_at(&self, chains: &Chains) {
        self.entries.set(chains.keys.as_ptr());
        self.mask.set(chains.keys.len() - 1);
    }

    pub(super) fn look_at_none(&self) {
        self.entries.set(NONE.0.as_ptr());
        self.mask.set(0);
    }

    /// Whether the chain was checked before.
    #[inline(always)]
    pub(super) fn contains(&self, chain: Chain) -> bool {
        let place = chain.place() & self.mask.get();
        // SAFETY: `look_at` was told where there are so many entries, a power of two and at least two.
        let (first, second) = unsafe { (&*self.entries.get().add(place), &*self.entries.get().add(place ^ 1)) };
        first.get() == chain.key || second.get() == chain.key
    }
}

impl Chains {
    /// Whether the chain was checked before.
    pub(super) fn contains(&self, chain: Chain) -> bool {
        self.places(chain).iter().any(|place| place.get() == chain.key)
    }

    /// Notes that the chain was checked. Allocates when the cache grows, and begins anew then: an entry does not tell its place.
    pub(super) fn insert(&mut self, chain: Chain) {
        if self.put(chain) {
            self.driven_out += 1;
        }
        // A chain that comes back after it was driven out costs a check under a lock of the whole process.
        if self.driven_out > self.keys.len() / 4 && self.keys.len() < MOST {
            self.keys = empty(self.keys.len() * 4);
            self.driven_out = 0;
            self.put(chain);
        }
    }

    /// Forgets everything: for the next thread.
    pub(super) fn clear(&mut self) {
        if self.keys.len() > FEWEST {
            self.keys = empty(FEWEST);
        } else {
            self.keys.iter().for_each(|key| key.set(0));
        }
        self.driven_out = 0;
    }

    /// Puts a chain in, the one there before in the place beside it; true when one goes that way.
    fn put(&mut self, chain: Chain) -> bool {
        let [first, second] = self.places(chain);
        let before = first.replace(chain.key);
        before != 0 && before != chain.key && second.replace(before) != 0
    }

    /// The two places of a chain, on one cache line.
    #[inline]
    fn places(&self, chain: Chain) -> [&Cell<u64>; 2] {
        let place = chain.place() & (self.keys.len() - 1);
        [&self.keys[place], &self.keys[place ^ 1]]
    }
}

/// Asking for a lock while a set is held.
#[derive(Clone, Copy, Debug)]
pub(super) struct Chain {
    held: u64,
    lock: u32,
    /// Never 0.
    key: u64,
}

impl Chain {
    #[inline(always)]
    pub(super) fn new(held: u64, lock: u32, mode: Mode, recursive: bool) -> Self {
        Self { held, lock, key: (held ^ mix(lock, mode).rotate_left(23 + u32::from(recursive))) | 1 }
    }

    /// Where to look for it. Made without a multiplication: it is worked out while the entry is on its way from memory. The set's key
    /// is well mixed, and locks asked for with the same set get places of their own as far as they were made one after another.
    #[inline(always)]
    fn place(self) -> usize {
        (self.held >> 24) as usize ^ self.lock as usize
    }
}

/// Spreads a lock and its mode over 64 bits: one multiplication to 128 bits, folded (as wyhash does).
#[inline]
pub(super) fn mix(lock: u32, mode: Mode) -> u64 {
    let word = u64::from(lock) << 2 | u64::from(code::mode_how(mode, lockscope_trace::How::Lock));
    let product = u128::from(word ^ 0xa076_1d64_78bd_642f) * u128::from(0xe703_7ed1_a0b4_28dbu64);
    (product >> 64) as u64 ^ product as u64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_chain_is_its_set_and_its_lock() {
        let set = |locks: &[u32]| locks.iter().fold(0u64, |sum, &lock| sum.wrapping_add(mix(lock, Mode::Exclusive)));
        let key = |locks: &[u32], lock, mode| Chain::new(set(locks), lock, mode, false).key;
        assert_eq!(key(&[1, 2, 3], 4, Mode::Shared), key(&[3, 1, 2], 4, Mode::Shared));
        assert_ne!(key(&[1, 2, 3], 4, Mode::Shared), key(&[1, 2, 3], 4, Mode::Exclusive));
        assert_ne!(key(&[1, 2, 4], 3, Mode::Shared), key(&[1, 2, 3], 4, Mode::Shared));
        let mut chains = Chains::default();
        let chain = Chain::new(set(&[1]), 2, Mode::Exclusive, false);
        assert!(!chains.contains(chain));
        chains.insert(chain);
        assert!(chains.contains(chain));
        chains.clear();
        assert!(!chains.contains(chain));
    }

    #[test]
    fn the_cache_grows_until_it_has_what_a_thread_does() {
        let mut chains = Chains::default();
        let chain = |lock| Chain::new(mix(lock, Mode::Exclusive), lock, Mode::Exclusive, false);
        let all: Vec<Chain> = (0..10_000).map(chain).collect();
        let missing = |chains: &Chains| all.iter().filter(|&&chain| !chains.contains(chain)).count();
        for _ in 0..6 {
            for &chain in &all {
                if !chains.contains(chain) {
                    chains.insert(chain);
                }
            }
        }
        assert!(missing(&chains) < all.len() / 50, "{} of {} are missing", missing(&chains), all.len());
        (0..1_000_000).for_each(|lock| chains.insert(Chain::new(1, lock, Mode::Shared, false)));
        assert_eq!(chains.keys.len(), MOST);
        chains.clear();
        assert_eq!((chains.keys.len(), missing(&chains)), (FEWEST, all.len()));
    }
}
