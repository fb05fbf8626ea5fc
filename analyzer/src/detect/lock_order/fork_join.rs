//! What fork and join order: which parts of which threads cannot run at the same time.
//!
//! A thread's life is cut into segments, at every fork that it does and every join. Locks order nothing here: another
//! schedule may take them the other way round.

use std::cell::RefCell;

use lockscope_trace::{Event, Op, ThreadId};
use rustc_hash::FxHashMap;

/// Forks and joins so far. Memory is bounded by their number.
#[derive(Debug, Default)]
pub(super) struct ForkJoin {
    threads: Vec<Life>,
    /// What is known to be over at the beginning of a segment, for segments that were asked about. Never changes:
    /// whatever a thread learns later belongs to a new segment.
    past: RefCell<FxHashMap<Moment, Past>>,
}

/// Segments of other threads that are over: all below the number.
type Past = FxHashMap<ThreadId, u32>;

#[derive(Debug, Default)]
struct Life {
    acted: bool,
    segment: u32,
    /// At the beginning of a segment: segments of another thread below a number are over.
    known: Vec<(u32, ThreadId, u32)>,
}

/// A segment of a thread.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub(super) struct Moment {
    pub thread: ThreadId,
    pub segment: u32,
}

/// Most pasts that are kept. Asking again costs time, not correctness.
const MOST_PASTS: usize = 4096;

impl ForkJoin {
    pub(super) fn event(&mut self, event: &Event) {
        let me = event.thread;
        self.life(me).acted = true;
        match event.op {
            Op::Spawn { child } if child != me => {
                let before = self.life(me).segment;
                self.life(me).segment += 1;
                let child = self.life(child);
                // A thread that acts before it is forked is a sign of missing events: believe what it did.
                if !child.acted {
                    child.known.push((0, me, before + 1));
                }
            }
            Op::Joined { child } if child != me => {
                let mine = self.life(me);
                mine.segment += 1;
                mine.known.push((mine.segment, child, u32::MAX));
            }
            _ => {}
        }
    }

    /// Where the thread is now.
    pub(super) fn now(&mut self, thread: ThreadId) -> Moment {
        Moment { thread, segment: self.life(thread).segment }
    }

    /// Whether everything in `earlier` is over before anything in `later` begins, in every schedule.
    pub(super) fn ordered(&self, earlier: Moment, later: Moment) -> bool {
        if earlier.thread == later.thread {
            return earlier.segment < later.segment;
        }
        let mut past = self.past.borrow_mut();
        if past.len() > MOST_PASTS {
            past.clear();
        }
        let past = past.entry(later).or_insert_with(|| self.past_of(later));
        past.get(&earlier.thread).is_some_and(|&over| earlier.segment < over)
    }

    fn past_of(&self, moment: Moment) -> Past {
        let mut past = Past::default();
        // Threads of which more is known to be over than was followed up yet: from, up to.
        let mut open = vec![(moment.thread, 0, moment.segment.saturating_add(1))];
        while let Some((thread, from, upto)) = open.pop() {
            let Some(life) = self.threads.get(thread.0 as usize) else { continue };
            let first = life.known.partition_point(|&(segment, ..)| segment < from);
            for &(_, other, over) in life.known[first..].iter().take_while(|&&(segment, ..)| segment < upto) {
                let before = past.get(&other).copied().unwrap_or(0);
                if before < over {
                    past.insert(other, over);
                    open.push((other, before, over));
                }
            }
        }
        past
    }

    fn life(&mut self, thread: ThreadId) -> &mut Life {
        let index = thread.0 as usize;
        if index >= self.threads.len() {
            self.threads.resize_with(index + 1, Life::default);
        }
        &mut self.threads[index]
    }
}

#[cfg(test)]
mod tests {
    use lockscope_trace::Nanos;

    use super::*;

    #[test]
    fn forks_and_joins_order() {
        let mut lives = ForkJoin::default();
        let [main, a, b] = [0, 1, 2].map(ThreadId);
        let act = |lives: &mut ForkJoin, thread, op| {
            lives.event(&Event { thread, time: Nanos(0), site: None, stack: None, op })
        };
        act(&mut lives, main, Op::Start);
        let before = lives.now(main);
        act(&mut lives, main, Op::Spawn { child: a });
        let between = lives.now(main);
        act(&mut lives, a, Op::Start);
        let in_a = lives.now(a);
        act(&mut lives, main, Op::Joined { child: a });
        act(&mut lives, main, Op::Spawn { child: b });
        act(&mut lives, b, Op::Start);
        let in_b = lives.now(b);
        let after = lives.now(main);

        assert!(lives.ordered(before, in_a));
        assert!(!lives.ordered(between, in_a) && !lives.ordered(in_a, between));
        assert!(lives.ordered(in_a, after));
        assert!(lives.ordered(in_a, in_b), "through the join and the second fork");
        assert!(lives.ordered(before, in_b));
        assert!(!lives.ordered(after, in_b) && !lives.ordered(in_b, after));
        assert!(!lives.ordered(in_b, in_a));
    }
}
