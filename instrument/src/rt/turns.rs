//! Turns at a variable: who has its turn knows which modification it reads or makes, and is counted in that order.
//!
//! | bits of `state` | |
//! | --- | --- |
//! | 0 | somebody has its turn |
//! | 1 to 15 | threads that modify out of turn just now |
//! | 16 to 63 | modifications so far |
//!
//! A turn lasts for a few instructions, in which nothing is called but the wrapped operation. Who does not get it for long, since the one
//! before was interrupted, goes on without; it says so before and after, so that whose turn it is meanwhile does not take
//! a number for exact that is not.
//!
//! Relied upon, and explored by loom in `tests/loom`, which includes this file:
//! - a number that is given out is that of the modification that was read or made in the turn;
//! - events in turn are counted without gaps, in the order of their turns;
//! - no modification is forgotten.
//!
//! Every entry acquires and every exit releases: what was done in one turn comes before what is done in the next, and what
//! is done out of turn cannot be seen in a turn that saw neither its begin nor its end.

use super::model::{AtomicU32, AtomicU64, Ordering, SPINS, YIELDS, spin_loop, yield_now};

const TAKEN: u64 = 1;
const OUTSIDER: u64 = 1 << 1;
const MODIFIED: u64 = 1 << 16;
const OUTSIDERS: u64 = MODIFIED - OUTSIDER;

/// The turns at one variable.
#[derive(Clone, Copy, Debug)]
pub(super) struct Turns<'a> {
    /// See the module's table.
    pub(super) state: &'a AtomicU64,
    /// Count of the latest event in turn.
    pub(super) count: &'a AtomicU32,
}

/// A turn, which ends when dropped.
#[derive(Debug)]
pub(super) struct Turn<'a> {
    turns: Turns<'a>,
    /// The state when it began.
    began: u64,
}

impl<'a> Turns<'a> {
    /// Begins a turn, unless whose it is keeps it for too long.
    pub(super) fn take(self) -> Option<Turn<'a>> {
        for n in 0..SPINS + YIELDS {
            let state = self.state.load(Ordering::Relaxed);
            if state & TAKEN == 0
                && self.state.compare_exchange_weak(state, state | TAKEN, Ordering::Acquire, Ordering::Relaxed).is_ok()
            {
                return Some(Turn { turns: self, began: state });
            }
            if n < SPINS { spin_loop() } else { yield_now() }
        }
        None
    }

    /// Does something that may be a modification, without a turn; the second value of `op` says whether it was.
    pub(super) fn out_of_turn<R>(self, op: impl FnOnce() -> (R, bool)) -> R {
        let outside = Outside { state: self.state };
        self.state.fetch_add(OUTSIDER, Ordering::Acquire);
        let (result, modified) = op();
        if modified {
            self.state.fetch_add(MODIFIED, Ordering::Relaxed);
        }
        drop(outside);
        result
    }
}

/// Ends an operation out of turn, also when it panics.
struct Outside<'a> {
    state: &'a AtomicU64,
}

impl Drop for Outside<'_> {
    fn drop(&mut self) {
        self.state.fetch_sub(OUTSIDER, Ordering::Release);
    }
}

impl Turn<'_> {
    /// Number of the latest modification when the turn began.
    pub(super) fn latest(&self) -> u64 {
        self.began / MODIFIED
    }

    /// The next event's count. 0 is left out when it wraps, since it means "not counted".
    pub(super) fn next_count(&self) -> u32 {
        let count = self.turns.count.load(Ordering::Relaxed).checked_add(1).unwrap_or(1);
        self.turns.count.store(count, Ordering::Relaxed);
        count
    }

    /// Ends a turn in which something was read; the number of that modification, `None` when it is not known.
    pub(super) fn read(self) -> Option<u64> {
        let ended = self.turns.state.fetch_sub(TAKEN, Ordering::Release);
        self.number(ended)
    }

    /// Ends a turn with a modification; its number, `None` when it is not known.
    pub(super) fn modified(self) -> Option<u64> {
        let ended = self.turns.state.fetch_add(MODIFIED - TAKEN, Ordering::Release);
        Some(self.number(ended)? + 1)
    }

    fn number(self, ended: u64) -> Option<u64> {
        let undisturbed = self.began & OUTSIDERS == 0 && ended == self.began | TAKEN;
        let number = self.latest();
        std::mem::forget(self);
        undisturbed.then_some(number)
    }
}

/// A turn that ends by panic.
impl Drop for Turn<'_> {
    fn drop(&mut self) {
        self.turns.state.fetch_sub(TAKEN, Ordering::Release);
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;

    /// What is done to a variable.
    #[derive(Clone, Copy)]
    enum Does {
        Read,
        Modify,
        /// During a turn, by somebody who did not get one.
        Outside,
    }

    /// Takes turns one after the other, each with what is done in it, and returns count and number of each.
    fn check(begin: u32, turns: &[&[Does]], expected: &[(u32, Option<u64>)]) {
        let (state, count) = (AtomicU64::new(0), AtomicU32::new(begin));
        let all = Turns { state: &state, count: &count };
        let mut got = Vec::new();
        for does in turns {
            let mut turn = Some(all.take().expect("nobody has it"));
            for act in does.iter() {
                match act {
                    Does::Outside => {
                        assert!(all.take().is_none(), "it is taken");
                        all.out_of_turn(|| ((), true));
                    }
                    Does::Read => got.extend(turn.take().map(|turn| (turn.next_count(), turn.read()))),
                    Does::Modify => got.extend(turn.take().map(|turn| (turn.next_count(), turn.modified()))),
                }
            }
        }
        assert_eq!(got, expected);
    }

    #[test]
    fn who_has_its_turn_knows_the_number_unless_somebody_went_without() {
        use Does::{Modify, Outside, Read};
        let turns: [&[Does]; 4] = [&[Read], &[Modify], &[Read], &[Modify]];
        check(0, &turns, &[(1, Some(0)), (2, Some(1)), (3, Some(1)), (4, Some(2))]);
        let turns: [&[Does]; 4] = [&[Outside, Read], &[Read], &[Outside, Modify], &[Modify]];
        check(0, &turns, &[(1, None), (2, Some(1)), (3, None), (4, Some(4))]);
    }

    #[test]
    fn a_turn_may_end_by_panic_and_outside_of_turns_as_well() {
        let (state, count) = (AtomicU64::new(0), AtomicU32::new(0));
        let all = Turns { state: &state, count: &count };
        let panics = |what: &dyn Fn()| {
            std::panic::catch_unwind(std::panic::AssertUnwindSafe(what)).expect_err("it panics");
        };
        panics(&|| {
            let _turn = all.take();
            std::panic::resume_unwind(Box::new(()));
        });
        panics(&|| all.out_of_turn(|| std::panic::resume_unwind(Box::new(()))));
        assert_eq!(all.take().expect("it was given back").modified(), Some(1));
    }

    #[test]
    fn a_count_of_0_is_left_out() {
        check(u32::MAX, &[&[Does::Read]], &[(1, Some(0))]);
    }
}
