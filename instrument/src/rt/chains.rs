//! Acquisitions that this thread has already had checked.
//!
//! Linux lockdep's idea: what can be wrong with an acquisition depends only on the set of locks held and the lock asked
//! for, so a set and a lock that were checked once need not be checked again. The set's key is a sum over its mixed members, so
//! it does not depend on the order of acquisition and follows releases in any order; 63 bits make a collision, which would hide a
//! first check, unlikely (2^-43 for a million chains in a million lookups of one thread).

use std::cell::Cell;

use lockscope_trace::{Mode, format::code};

/// Entries at first: 8 KiB.
const FEWEST: usize = 1 << 10;
/// Entries at most: 512 KiB for a thread that goes through very many chains.
const MOST: usize = 1 << PLACE_BITS;
/// The lower bits of a chain say where to look for it.
const PLACE_BITS: u32 = 16;

/// Entries on one cache line, on which a chain may be in any place.
#[derive(Debug, Default)]
#[repr(align(64))]
struct Line([Cell<u64>; 8]);

/// A cache of checked chains, which grows while chains drive each other out.
#[derive(Debug)]
pub(super) struct Chains {
    /// A power of two; 0 is no chain.
    lines: Box<[Line]>,
    /// Chains that were driven out since the cache grew.
    driven_out: usize,
}

impl Default for Chains {
    fn default() -> Self {
        Self { lines: empty(FEWEST), driven_out: 0 }
    }
}

fn empty(entries: usize) -> Box<[Line]> {
    (0..entries / 8).map(|_| Line::default()).collect()
}

/// The owner's cheap way to its cache: where the entries are, and how many but for one.
#[derive(Debug)]
pub(super) struct Known {
    entries: Cell<*const Cell<u64>>,
    mask: Cell<usize>,
}

/// Of threads that have no cache: a chain is never 0.
static NONE: Nothing = Nothing(Line([const { Cell::new(0) }; 8]));

struct Nothing(Line);

// SAFETY: nobody writes.
unsafe impl Sync for Nothing {}

impl Known {
    pub(super) const fn new() -> Self {
        Self { entries: Cell::new((&raw const NONE.0.0).cast()), mask: Cell::new(0) }
    }

    /// From now on looks into this cache, until it changes its size.
    pub(super) fn look_at(&self, chains: &Chains) {
        self.entries.set(chains.lines.as_ptr().cast());
        self.mask.set(chains.mask());
    }

    pub(super) fn look_at_none(&self) {
        self.entries.set((&raw const NONE.0.0).cast());
        self.mask.set(0);
    }

    /// Whether the chain was checked before.
    #[inline(always)]
    pub(super) fn contains(&self, chain: Chain) -> bool {
        let place = chain.place() & self.mask.get();
        self.entry(place) == chain.0 || self.entry(place ^ 1) == chain.0 || self.contains_beside(chain)
    }

    /// The same without a call.
    #[inline(always)]
    pub(super) fn contains_anywhere(&self, chain: Chain) -> bool {
        let place = chain.place() & self.mask.get();
        (0..8).any(|other| self.entry(place ^ other) == chain.0)
    }

    /// The same, but for the two places where chains are put first.
    #[inline(never)]
    fn contains_beside(&self, chain: Chain) -> bool {
        let place = chain.place() & self.mask.get();
        (2..8).any(|other| self.entry(place ^ other) == chain.0)
    }

    #[inline(always)]
    fn entry(&self, place: usize) -> u64 {
        // SAFETY: `look_at` was told where there are so many entries, whole lines of eight; `place` is in the line of one of them.
        unsafe { &*self.entries.get().add(place) }.get()
    }
}

impl Chains {
    fn mask(&self) -> usize {
        self.lines.len() * 8 - 1
    }

    /// Where the chain may be, the first choice first.
    fn places(&self, chain: Chain) -> impl Iterator<Item = &Cell<u64>> {
        let place = chain.place() & self.mask();
        (0..8).map(move |other| &self.lines[place / 8].0[(place ^ other) % 8])
    }

    /// Whether the chain was checked before.
    pub(super) fn contains(&self, chain: Chain) -> bool {
        self.places(chain).any(|place| place.get() == chain.0)
    }

    /// Notes that the chain was checked. Allocates when the cache grows.
    pub(super) fn insert(&mut self, chain: Chain) {
        self.put(chain);
        // A chain that comes back after it was driven out costs a check under a lock of the whole process.
        if self.driven_out > self.lines.len() / 4 && self.mask() + 1 < MOST {
            let more = empty((self.mask() + 1) * 4);
            let old = std::mem::replace(&mut self.lines, more);
            let chains = old.iter().flat_map(|line| &line.0).map(Cell::get).filter(|&chain| chain != 0);
            chains.for_each(|chain| self.put(Chain(chain)));
            self.driven_out = 0;
        }
    }

    /// Forgets everything: for the next thread.
    pub(super) fn clear(&mut self) {
        if self.mask() >= FEWEST {
            self.lines = empty(FEWEST);
        } else {
            self.lines.iter().flat_map(|line| &line.0).for_each(|key| key.set(0));
        }
        self.driven_out = 0;
    }

    /// Puts a chain in, where there is no room for one that is there already.
    fn put(&mut self, chain: Chain) {
        let free = self.places(chain).find(|place| [0, chain.0].contains(&place.get()));
        match free {
            Some(place) => place.set(chain.0),
            None => {
                self.places(chain).nth(self.driven_out % 8).expect("a line has eight places").set(chain.0);
                self.driven_out += 1;
            }
        }
    }
}

/// Asking for a lock while a set is held: a hash of both, never 0, whose lower bits say where to look for it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Chain(u64);

impl Chain {
    /// The place is made without a multiplication: it is worked out, and the entry is on its way from memory, before the rest is.
    /// The set's key is well mixed, and locks that are asked for with the same set get places of their own as far as they were made one
    /// after another.
    #[inline(always)]
    pub(super) fn new(held: u64, lock: u32, mode: Mode, recursive: bool) -> Self {
        let place = u64::from((held >> 24) as u16 ^ lock as u16);
        let mixed = held ^ mix(lock, mode).rotate_left(23 + u32::from(recursive));
        Self(mixed & !(MOST as u64 - 1) | 1 << PLACE_BITS | place)
    }

    #[inline(always)]
    fn place(self) -> usize {
        self.0 as usize & (MOST - 1)
    }
}

/// Spreads a lock and its mode over 64 bits: one multiplication to 128 bits, folded (as wyhash does).
#[inline]
pub(super) fn mix(lock: u32, mode: Mode) -> u64 {
    mix_coded(lock, code::mode_how(mode, lockscope_trace::How::Lock))
}

/// The same with the mode as [`code::mode_how`] has it.
#[inline(always)]
pub(super) fn mix_coded(lock: u32, mode: u8) -> u64 {
    let word = u64::from(lock) << 2 | u64::from(mode);
    let product = u128::from(word ^ 0xa076_1d64_78bd_642f) * u128::from(0xe703_7ed1_a0b4_28dbu64);
    (product >> 64) as u64 ^ product as u64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_chain_is_its_set_and_its_lock() {
        let set = |locks: &[u32]| locks.iter().fold(0u64, |sum, &lock| sum.wrapping_add(mix(lock, Mode::Exclusive)));
        let key = |locks: &[u32], lock, mode| Chain::new(set(locks), lock, mode, false);
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
        for _ in 0..3 {
            for &chain in &all {
                if !chains.contains(chain) {
                    chains.insert(chain);
                }
            }
        }
        assert!(missing(&chains) < all.len() / 100, "{} of {} are missing", missing(&chains), all.len());
        (0..1_000_000).for_each(|lock| chains.insert(Chain::new(1, lock, Mode::Shared, false)));
        assert_eq!(chains.mask() + 1, MOST);
        chains.clear();
        assert_eq!((chains.mask() + 1, missing(&chains)), (FEWEST, all.len()));
    }
}
