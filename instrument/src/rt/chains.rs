//! Acquisitions that this thread has already had checked.
//!
//! Linux lockdep's idea: what can be wrong with an acquisition depends only on the set of locks held and the lock asked
//! for, so a set and a lock that were checked once need not be checked again. The set's key is a sum over its mixed members, so
//! it does not depend on the order of acquisition and follows releases in any order; 64 bits make a collision, which would hide a
//! first check, unlikely (2^-44 for a million chains in a million lookups of one thread).

use std::cell::Cell;

use lockscope_trace::{Mode, format::code};

const ENTRIES: usize = 1024;

/// A direct-mapped cache of checked chains. 8 KiB.
#[derive(Debug)]
pub(super) struct Chains {
    keys: Box<[Cell<u64>; ENTRIES]>,
}

impl Default for Chains {
    fn default() -> Self {
        let keys: Box<[Cell<u64>]> = vec![Cell::new(0); ENTRIES].into_boxed_slice();
        Self { keys: keys.try_into().expect("the vector has as many elements as the array") }
    }
}

impl Chains {
    /// Whether the chain was checked before.
    #[inline]
    pub(super) fn contains(&self, key: u64) -> bool {
        self.place(key).get() == key
    }

    /// Notes that the chain was checked.
    pub(super) fn insert(&self, key: u64) {
        self.place(key).set(key);
    }

    /// Forgets everything: for the next thread.
    pub(super) fn clear(&self) {
        self.keys.iter().for_each(|key| key.set(0));
    }

    #[inline]
    fn place(&self, key: u64) -> &Cell<u64> {
        &self.keys[(key >> 54) as usize & (ENTRIES - 1)]
    }
}

/// Key of asking for a lock while a set is held. Never 0.
#[inline]
pub(super) fn chain_key(held: u64, lock: u32, mode: Mode, recursive: bool) -> u64 {
    (held ^ mix(lock, mode).rotate_left(23 + u32::from(recursive))).wrapping_mul(0xff51_afd7_ed55_8ccd) | 1
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
        let key = |locks: &[u32], lock, mode| chain_key(set(locks), lock, mode, false);
        assert_eq!(key(&[1, 2, 3], 4, Mode::Shared), key(&[3, 1, 2], 4, Mode::Shared));
        assert_ne!(key(&[1, 2, 3], 4, Mode::Shared), key(&[1, 2, 3], 4, Mode::Exclusive));
        assert_ne!(key(&[1, 2, 4], 3, Mode::Shared), key(&[1, 2, 3], 4, Mode::Shared));
        let chains = Chains::default();
        let chain = key(&[1], 2, Mode::Exclusive);
        assert!(!chains.contains(chain));
        chains.insert(chain);
        assert!(chains.contains(chain));
        chains.clear();
        assert!(!chains.contains(chain));
    }
}
