//! What is over before what: parts of threads that cannot run at the same time.
//!
//! A thread's life is cut into segments, at every fork that it does and every join, and where it gives or takes something that orders
//! threads: messages, rounds of a barrier, notifications, what is initialised once. Two kinds of order are kept apart:
//!
//! - *Sound* edges hold in every run in which the same things happen: fork and join; a message, where one thread sends and one
//!   receives; a round of a barrier that as many threads use as it is for; the end of an initialiser, for what it did itself.
//! - *Loose* edges hold in this run. Another one may deliver another message, wake by another notification, or have another thread
//!   run the initialiser.
//!
//! Locks order nothing here: another schedule may take them the other way round. See `sync` for what makes the edges.
//!
//! Memory is bounded by forks, joins and threads: of the other edges each thread starts a number of segments at most, and then
//! goes on in the last one, which is known to be over by nobody. Too few segments can only make too little known.

use std::cell::RefCell;

use lockscope_trace::{Definitions, Event, LockId, Op, ThreadId};
use rustc_hash::{FxHashMap, FxHashSet};

use super::sync::Sync;

/// Forks, joins and other edges so far.
#[derive(Debug, Default)]
pub(super) struct HappensBefore {
    lives: Lives,
    sync: Sync,
    /// What is known to be over at the beginning of a segment, for segments that were asked about, by sound edges and by all. Never
    /// changes but when an object turns out to order nothing: whatever a thread learns later belongs to a new segment.
    past: RefCell<[FxHashMap<Moment, Past>; 2]>,
    /// Grows whenever less is known to be ordered than before.
    version: u64,
}

/// The lives of all threads.
#[derive(Debug, Default)]
pub(super) struct Lives(Vec<Life>);

/// Segments of other threads that are over: ranges of numbers, disjoint and in order.
type Past = FxHashMap<ThreadId, Vec<(u32, u32)>>;

#[derive(Debug, Default)]
struct Life {
    acted: bool,
    segment: u32,
    /// Requests were made in this segment, or something was learned: it has to be closed before others can know of it.
    used: bool,
    asked: bool,
    /// Segments that were begun for other reasons than forks and joins: for loose edges, for sound ones.
    extra: [u32; 2],
    known: Vec<Known>,
    /// Up to where this thread knows each other one to be over, so that it is not noted again.
    told: FxHashMap<(ThreadId, bool), u32>,
}

/// At the beginning of a segment: segments of another thread within a range are over.
#[derive(Clone, Copy, Debug)]
struct Known {
    segment: u32,
    edge: Edge,
}

/// Where an edge comes from.
#[derive(Clone, Copy, Debug)]
pub(super) struct Edge {
    pub other: ThreadId,
    /// First segment that is over, and the one after the last.
    pub from: u32,
    pub upto: u32,
    /// Through which object; `None` for forks, joins and tokens.
    pub via: Option<LockId>,
    /// In every run, as long as the object is not found to order nothing.
    pub sound: bool,
}

/// A segment of a thread.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub(super) struct Moment {
    pub thread: ThreadId,
    pub segment: u32,
}

/// Most pasts that are kept. Asking again costs time, not correctness.
const MOST_PASTS: usize = 4096;
/// Most segments of a thread that are begun for loose edges, and for sound ones other than forks and joins.
pub(super) const MOST_EXTRA: u32 = 64;

impl HappensBefore {
    pub(super) fn event(&mut self, definitions: &Definitions, event: &Event) {
        let me = event.thread;
        self.acts(me);
        match event.op {
            Op::Spawn { child } if child != me => {
                let before = self.lives.cut(me);
                let child = self.lives.of(child);
                // A thread that acts before it is forked is a sign of missing events: believe what it did.
                if !child.acted {
                    child.used = true;
                    child.known.push(Known { segment: 0, edge: Edge::of_life(me, before + 1) });
                }
            }
            Op::Joined { child } if child != me => {
                self.lives.cut(me);
                let mine = self.lives.of(me);
                mine.used = true;
                mine.known.push(Known { segment: mine.segment, edge: Edge::of_life(child, u32::MAX) });
            }
            _ => {
                if self.sync.event(&mut self.lives, definitions, event) {
                    // An object turned out to order less than was thought.
                    self.past.get_mut()[0].clear();
                    self.version += 1;
                }
            }
        }
    }

    /// The thread does something.
    #[inline]
    pub(super) fn acts(&mut self, thread: ThreadId) {
        self.lives.of(thread).acted = true;
    }

    /// Grows whenever less is known to be ordered than before.
    pub(super) fn version(&self) -> u64 {
        self.version
    }

    /// Whether everything was followed that orders the thread with others.
    pub(super) fn is_followed(&self, thread: ThreadId) -> bool {
        self.lives.0.get(thread.0 as usize).is_none_or(|life| life.extra.iter().all(|&extra| extra < MOST_EXTRA))
    }

    /// Where the thread is now.
    pub(super) fn now(&mut self, thread: ThreadId) -> Moment {
        Moment { thread, segment: self.lives.of(thread).segment }
    }

    /// The thread's segment is one that will be asked about.
    pub(super) fn ask(&mut self, thread: ThreadId) {
        let life = self.lives.of(thread);
        (life.used, life.asked) = (true, true);
    }

    /// Whether everything in `earlier` is over before anything in `later` begins, in every run.
    pub(super) fn ordered(&self, earlier: Moment, later: Moment) -> bool {
        self.is_past(earlier, later, true)
    }

    /// The same for this run only.
    pub(super) fn ordered_here(&self, earlier: Moment, later: Moment) -> bool {
        self.is_past(earlier, later, false)
    }

    fn is_past(&self, earlier: Moment, later: Moment, sound: bool) -> bool {
        if earlier.thread == later.thread {
            return earlier.segment < later.segment;
        }
        let past = &mut self.past.borrow_mut()[usize::from(!sound)];
        if past.len() > MOST_PASTS {
            past.clear();
        }
        let past = past.entry(later).or_insert_with(|| self.past_of(later, sound));
        let is_in = |&(from, upto): &(u32, u32)| (from..upto).contains(&earlier.segment);
        past.get(&earlier.thread).is_some_and(|over| over.iter().any(is_in))
    }

    fn past_of(&self, moment: Moment, sound: bool) -> Past {
        let mut past = Past::default();
        // Threads of which more is known to be over than was followed up yet: from, up to.
        let mut open = vec![(moment.thread, 0, moment.segment.saturating_add(1))];
        while let Some((thread, from, upto)) = open.pop() {
            let Some(life) = self.lives.0.get(thread.0 as usize) else { continue };
            let first = life.known.partition_point(|known| known.segment < from);
            for known in life.known[first..].iter().take_while(|known| known.segment < upto) {
                if sound && !self.holds_always(&known.edge) {
                    continue;
                }
                let Edge { other, from, upto, .. } = known.edge;
                for (from, upto) in add(past.entry(other).or_default(), from, upto) {
                    open.push((other, from, upto));
                }
            }
        }
        past
    }

    fn holds_always(&self, edge: &Edge) -> bool {
        edge.sound && edge.via.is_none_or(|object| !self.sync.is_loose(object))
    }

    /// Objects through which `earlier` is before `later` in this run and not in every one.
    pub(super) fn through(&self, earlier: Moment, later: Moment) -> Vec<LockId> {
        let mut seen = FxHashSet::default();
        // Each with the objects on the way to it.
        let mut open = vec![(later.thread, 0, later.segment.saturating_add(1), Vec::new())];
        while let Some((thread, from, upto, objects)) = open.pop() {
            let Some(life) = self.lives.0.get(thread.0 as usize) else { continue };
            let first = life.known.partition_point(|known| known.segment < from);
            for known in life.known[first..].iter().take_while(|known| known.segment < upto) {
                let edge = known.edge;
                let mut objects = objects.clone();
                if !self.holds_always(&edge) {
                    objects.extend(edge.via.filter(|via| !objects.contains(via)));
                }
                if edge.other == earlier.thread && (edge.from..edge.upto).contains(&earlier.segment) {
                    return objects;
                }
                if seen.insert((edge.other, edge.from, edge.upto)) {
                    open.push((edge.other, edge.from, edge.upto, objects));
                }
            }
        }
        Vec::new()
    }
}

impl Edge {
    fn of_life(other: ThreadId, upto: u32) -> Edge {
        Edge { other, from: 0, upto, via: None, sound: true }
    }
}

impl Lives {
    fn of(&mut self, thread: ThreadId) -> &mut Life {
        let index = thread.0 as usize;
        if index >= self.0.len() {
            self.0.resize_with(index + 1, Life::default);
        }
        &mut self.0[index]
    }

    /// Begins a new segment and returns the number of the one before.
    fn cut(&mut self, thread: ThreadId) -> u32 {
        let life = self.of(thread);
        let before = life.segment;
        life.segment += 1;
        (life.used, life.asked) = (false, false);
        before
    }

    /// Begins a new segment unless nothing happened in this one. False when there are too many already.
    fn cut_if_used(&mut self, thread: ThreadId, sound: bool) -> bool {
        let life = self.of(thread);
        if !life.used {
            return true;
        }
        if life.extra[usize::from(sound)] == MOST_EXTRA {
            return false;
        }
        life.extra[usize::from(sound)] += 1;
        self.cut(thread);
        true
    }

    /// The thread gives something: the segment before which all of its segments are over by then.
    pub(super) fn give(&mut self, thread: ThreadId, sound: bool) -> u32 {
        self.cut_if_used(thread, sound);
        self.of(thread).segment
    }

    /// Begins something of which the first segment is returned.
    pub(super) fn begin(&mut self, thread: ThreadId) -> u32 {
        let is_new = self.cut_if_used(thread, true);
        self.of(thread).segment + u32::from(!is_new)
    }

    /// The thread takes something, and what it takes was given after the edge's segments.
    pub(super) fn take(&mut self, thread: ThreadId, edge: Edge) {
        if edge.other == thread || edge.from >= edge.upto {
            return;
        }
        let key = (edge.other, edge.sound);
        let told = self.of(thread).told.get(&key).copied().unwrap_or(0);
        // What was asked about so far knew less.
        if told >= edge.upto || self.of(thread).asked && !self.cut_if_used(thread, edge.sound) {
            return;
        }
        let life = self.of(thread);
        life.used = true;
        if edge.from == 0 {
            life.told.insert(key, edge.upto);
        }
        life.known.push(Known { segment: life.segment, edge });
    }
}

/// Adds a range to disjoint ranges, and returns what of it was not in them.
fn add(ranges: &mut Vec<(u32, u32)>, from: u32, upto: u32) -> Vec<(u32, u32)> {
    let mut new = Vec::new();
    let mut at = from;
    for &(known_from, known_upto) in ranges.iter() {
        if at < known_from.min(upto) {
            new.push((at, known_from.min(upto)));
        }
        at = at.max(known_upto);
    }
    if at < upto {
        new.push((at, upto));
    }
    ranges.extend(&new);
    ranges.sort_unstable();
    // Neighbours become one.
    let mut joined: Vec<(u32, u32)> = Vec::with_capacity(ranges.len());
    for &(from, upto) in ranges.iter() {
        match joined.last_mut() {
            Some(last) if last.1 >= from => last.1 = last.1.max(upto),
            _ => joined.push((from, upto)),
        }
    }
    *ranges = joined;
    new
}

#[cfg(test)]
mod tests {
    use lockscope_trace::Nanos;

    use super::*;

    #[test]
    fn ranges_stay_disjoint() {
        let mut ranges = Vec::new();
        assert_eq!(add(&mut ranges, 5, 8), [(5, 8)]);
        assert_eq!(add(&mut ranges, 0, 2), [(0, 2)]);
        assert_eq!(add(&mut ranges, 1, 10), [(2, 5), (8, 10)]);
        assert_eq!(ranges, [(0, 10)]);
        assert_eq!(add(&mut ranges, 3, 7), []);
    }

    #[test]
    fn forks_and_joins_order() {
        let mut lives = HappensBefore::default();
        let definitions = Definitions::default();
        let [main, a, b] = [0, 1, 2].map(ThreadId);
        let act = |lives: &mut HappensBefore, thread, op| {
            lives.event(&definitions, &Event { thread, time: Nanos(0), site: None, stack: None, op })
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
