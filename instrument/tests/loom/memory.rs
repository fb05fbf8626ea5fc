//! Turns at a variable: numbers that are given out are exact, also while others go on without a turn.

#[path = "../../src/rt/turns.rs"]
mod turns;

use std::sync::atomic::Ordering::Relaxed;

use loom::{
    sync::{
        Arc,
        atomic::{AtomicU32, AtomicU64},
    },
    thread,
};
use turns::Turns;

// Where `turns` looks for it.
use crate::model;

/// A variable that each modification adds one to, so that its value is the number of the modification.
#[derive(Default)]
struct Variable {
    state: AtomicU64,
    count: AtomicU32,
    value: AtomicU32,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Access {
    Read,
    Modify,
    /// Without asking for a turn, as what happens inside of the runtime.
    ModifyOutside,
}
use Access::{Modify, ModifyOutside, Read};

/// An access in turn.
#[derive(Debug)]
struct Seen {
    /// What was read, or made.
    value: u32,
    number: Option<u64>,
    count: u32,
}

impl Variable {
    fn turns(&self) -> Turns<'_> {
        Turns { state: &self.state, count: &self.count }
    }

    /// The same steps as in `rt::memory`; `None` out of turn.
    fn access(&self, access: Access) -> Option<Seen> {
        let op = || match access {
            Read => self.value.load(Relaxed),
            Modify | ModifyOutside => self.value.fetch_add(1, Relaxed) + 1,
        };
        let turn = if access == ModifyOutside { None } else { self.turns().take() };
        let Some(turn) = turn else {
            self.turns().out_of_turn(|| (op(), access != Read));
            return None;
        };
        let value = op();
        let count = turn.next_count();
        let number = if access == Read { turn.read() } else { turn.modified() };
        Some(Seen { value, number, count })
    }
}

/// Two threads with their accesses.
fn check(one: &'static [Access], other: &'static [Access]) {
    loom::model(move || {
        let variable = Arc::new(Variable::default());
        let thread = {
            let variable = Arc::clone(&variable);
            thread::spawn(move || other.iter().filter_map(|&access| variable.access(access)).collect::<Vec<_>>())
        };
        let mut seen: Vec<Seen> = one.iter().filter_map(|&access| variable.access(access)).collect();
        seen.extend(thread.join().unwrap());
        for Seen { value, number, .. } in &seen {
            assert!(number.is_none_or(|number| number == u64::from(*value)), "{value} is not number {number:?}");
        }
        let mut counts: Vec<u32> = seen.iter().map(|seen| seen.count).collect();
        counts.sort_unstable();
        assert!(counts.iter().copied().eq(1..=counts.len() as u32), "events are counted without gaps: {counts:?}");
        let last = variable.access(Read).expect("nobody has a turn");
        assert_eq!(last.number, Some(u64::from(last.value)), "every modification is counted");
    });
}

#[test]
fn numbers_are_exact() {
    check(&[Modify, Read], &[Modify, Read]);
}

#[test]
fn numbers_are_exact_beside_outsiders() {
    check(&[Read, Modify], &[ModifyOutside]);
    check(&[Modify, Read], &[ModifyOutside]);
}
