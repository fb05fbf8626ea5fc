//! Counts and times: per lock, per class, per thread, and of the whole trace.

use std::collections::BTreeMap;

use lockscope_trace::{ClassId, Definitions, Event, How, LockId, Mode, Nanos, Op, SiteId, ThreadId};
use rustc_hash::FxHashMap;

use crate::{
    finding::{Held, Target},
    state::{State, ThreadState},
};
pub use lockscope_trace::Histogram;

/// The longest critical section of a lock.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LongestHold {
    /// Who held it.
    pub thread: ThreadId,
    /// Where it was taken.
    pub site: Option<SiteId>,
    /// For how long.
    pub duration: Nanos,
    /// Number of the event that took it.
    pub event: u64,
}

/// A lock's (or a class's) numbers.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LockStats {
    /// Acquisitions.
    pub acquisitions: u64,
    /// Of those, shared ones.
    pub shared: u64,
    /// Acquisitions that had to wait.
    pub contended: u64,
    /// Tries that failed.
    pub failed_tries: u64,
    /// Waits that ran out of time.
    pub timed_out: u64,
    /// Times between asking and getting, of acquisitions that had to wait.
    pub wait: Histogram,
    /// Times between getting and releasing, as far as they were timed.
    pub hold: Histogram,
    /// The longest critical section.
    pub longest: Option<LongestHold>,
    /// By the place where it was taken.
    pub sites: FxHashMap<Option<SiteId>, SiteStats>,
}

/// What happened to a lock from one place.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SiteStats {
    /// Acquisitions there.
    pub acquisitions: u64,
    /// Of those, with a wait.
    pub contended: u64,
    /// Time waited there, completed waits.
    pub waited: Nanos,
    /// Time held from there.
    pub held: Nanos,
}

/// A thread's numbers.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ThreadStats {
    /// Events.
    pub events: u64,
    /// Acquisitions.
    pub acquisitions: u64,
    /// Time of its first event.
    pub first: Nanos,
    /// Time of its last event.
    pub last: Nanos,
    /// Time blocked on locks, condition variables and joins, completed waits.
    pub blocked: Nanos,
}

/// Counts and times of a trace. Memory is bounded by threads, locks and sites, not by events.
#[derive(Clone, Debug, Default)]
pub struct Stats {
    /// By [`LockId`].
    pub locks: Vec<LockStats>,
    /// By [`ThreadId`].
    pub threads: Vec<ThreadStats>,
    /// How many events of each kind, but for the most frequent ones.
    kinds: FxHashMap<&'static str, u64>,
    /// How many reads, writes, acquisitions and releases.
    frequent: [u64; 4],
    /// Events.
    pub events: u64,
    /// Time of the first event.
    pub first: Nanos,
    /// Latest time of an event.
    pub last: Nanos,
}

impl Stats {
    /// Looks at what is needed for the events soon, to have it near; the result means nothing.
    pub(crate) fn touch(&self, events: &[Event]) -> u64 {
        let of = |event: &Event| match event.op {
            Op::Acquired { lock, .. } => {
                let lock = self.locks.get(lock.0 as usize)?;
                Some(lock.acquisitions ^ lock.sites.get(&event.site).map_or(0, |site| site.acquisitions))
            }
            Op::Released { lock, .. } => {
                let lock = self.locks.get(lock.0 as usize)?;
                // Most are held for a microsecond or so.
                Some(lock.hold.count ^ lock.hold.buckets[10] ^ lock.longest.map_or(0, |longest| longest.event))
            }
            _ => None,
        };
        events.iter().filter_map(of).fold(0, |all, one| all ^ one)
    }

    /// Takes the next event; `before` is the state without it.
    pub(crate) fn before(&mut self, event: &Event, before: &State) {
        if self.events == 0 {
            self.first = event.time;
        }
        self.access(event);
        let thread = entry(&mut self.threads, event.thread.0);
        thread.acquisitions += u64::from(is_acquisition(&event.op));

        let waited = before.thread(event.thread).and_then(ThreadState::wait);
        let waited = waited.map(|wait| (wait.target, event.time.since(wait.since)));
        match event.op {
            Op::Acquired { lock, mode, how, .. } => {
                let waited = waited.filter(|(target, _)| matches!(target, Target::Lock(l, _) if *l == lock));
                if how == How::Upgrade {
                    // What was upgraded ends as a section of its own.
                    self.end_hold(event, before, lock, event.thread);
                }
                if how != How::Downgrade {
                    entry(&mut self.locks, lock.0).acquired(mode, event.site, waited.map(|(_, time)| time));
                }
            }
            Op::Released { lock, owner, .. } => self.end_hold(event, before, lock, owner),
            Op::TryFailed { lock, .. } => entry(&mut self.locks, lock.0).failed_tries += 1,
            Op::TimedOut { lock, .. } => entry(&mut self.locks, lock.0).timed_out += 1,
            _ => {}
        }
    }

    /// Takes the next event, which is no acquisition and no release, of a thread that waits for nothing; not the first one.
    #[inline]
    pub(crate) fn access(&mut self, event: &Event) {
        self.events += 1;
        self.last = self.last.max(event.time);
        self.count(&event.op);
        let thread = entry(&mut self.threads, event.thread.0);
        if thread.events == 0 {
            thread.first = event.time;
        }
        thread.events += 1;
        thread.last = thread.last.max(event.time);
    }

    #[inline]
    fn count(&mut self, op: &Op) {
        match frequent(op) {
            Some(index) => self.frequent[index] += 1,
            None => *self.kinds.entry(op.name()).or_default() += 1,
        }
    }

    /// How many events of each kind, by [`Op::name`](lockscope_trace::Op::name); kinds without events are left out.
    pub fn kinds(&self) -> FxHashMap<&'static str, u64> {
        let frequent = FREQUENT.into_iter().zip(self.frequent).filter(|(_, count)| *count > 0);
        self.kinds.iter().map(|(&name, &count)| (name, count)).chain(frequent).collect()
    }

    /// Takes what the event did to its thread; `after` is the state with it.
    pub(crate) fn after(&mut self, event: &Event, after: &State) {
        if let Some(thread) = after.thread(event.thread) {
            entry(&mut self.threads, event.thread.0).blocked = thread.blocked_total;
        }
    }

    fn end_hold(&mut self, event: &Event, before: &State, lock: LockId, owner: ThreadId) {
        let held = before.thread(owner).and_then(|owner| owner.held.iter().rev().find(|held| held.lock == lock));
        if let Some(held) = held {
            entry(&mut self.locks, lock.0).released(owner, held, event.time.since(held.since));
        }
    }

    /// Time between the first and the last event.
    pub fn duration(&self) -> Nanos {
        self.last.since(self.first)
    }

    /// The lock's numbers.
    pub fn lock(&self, id: LockId) -> Option<&LockStats> {
        self.locks.get(id.0 as usize)
    }

    /// The numbers of all locks of each class together, in order of class; classes without events are left out.
    pub fn classes(&self, definitions: &Definitions) -> Vec<(ClassId, LockStats)> {
        let mut classes = BTreeMap::<ClassId, LockStats>::new();
        for (index, stats) in self.locks.iter().enumerate() {
            if let Some(lock) = definitions.lock(LockId(index as u32))
                && *stats != LockStats::default()
            {
                classes.entry(lock.class).or_default().merge(stats);
            }
        }
        classes.into_iter().collect()
    }
}

impl LockStats {
    fn acquired(&mut self, mode: Mode, site: Option<SiteId>, waited: Option<Nanos>) {
        let place = self.sites.entry(site).or_default();
        place.acquisitions += 1;
        self.acquisitions += 1;
        self.shared += u64::from(mode == Mode::Shared);
        if let Some(time) = waited {
            place.contended += 1;
            place.waited.0 = place.waited.0.saturating_add(time.0);
            self.contended += 1;
            self.wait.add(time);
        }
    }

    fn released(&mut self, thread: ThreadId, held: &Held, duration: Nanos) {
        // 0 is what a coarse clock says of what was not timed.
        if duration == Nanos(0) {
            return;
        }
        let place = self.sites.entry(held.site).or_default();
        place.held.0 = place.held.0.saturating_add(duration.0);
        self.hold.add(duration);
        if self.longest.is_none_or(|longest| longest.duration < duration) {
            self.longest = Some(LongestHold { thread, site: held.site, duration, event: held.event });
        }
    }

    /// Adds the numbers of another lock.
    pub fn merge(&mut self, other: &LockStats) {
        self.acquisitions += other.acquisitions;
        self.shared += other.shared;
        self.contended += other.contended;
        self.failed_tries += other.failed_tries;
        self.timed_out += other.timed_out;
        self.wait.merge(&other.wait);
        self.hold.merge(&other.hold);
        if let Some(theirs) = other.longest
            && self.longest.is_none_or(|mine| mine.duration < theirs.duration)
        {
            self.longest = Some(theirs);
        }
        for (&site, theirs) in &other.sites {
            let mine = self.sites.entry(site).or_default();
            mine.acquisitions += theirs.acquisitions;
            mine.contended += theirs.contended;
            mine.waited.0 = mine.waited.0.saturating_add(theirs.waited.0);
            mine.held.0 = mine.held.0.saturating_add(theirs.held.0);
        }
    }
}

/// Names of the kinds that are counted apart, see [`frequent`].
const FREQUENT: [&str; 4] = ["read", "write", "acquired", "released"];

#[inline]
fn frequent(op: &Op) -> Option<usize> {
    match op {
        Op::Read { .. } => Some(0),
        Op::Write { .. } => Some(1),
        Op::Acquired { .. } => Some(2),
        Op::Released { .. } => Some(3),
        _ => None,
    }
}

fn is_acquisition(op: &Op) -> bool {
    matches!(op, Op::Acquired { how, .. } if *how != How::Downgrade)
}

fn entry<T: Default + Clone>(list: &mut Vec<T>, id: u32) -> &mut T {
    let index = id as usize;
    if index >= list.len() {
        list.resize(index + 1, T::default());
    }
    &mut list[index]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::run;

    #[test]
    fn waits_and_holds_are_timed() {
        let (analysis, definitions) = run("A: lock m @10; B: wait m @20; A: unlock m @50; \
             B: lock m @55, unlock m @60, read rw @61, unlock rw @62, tryfail m @63");
        let stats = analysis.stats();
        let [m, rw] = [0, 1].map(|index| stats.lock(LockId(index)).expect("the lock was used"));
        assert_eq!((m.acquisitions, m.contended, m.shared, m.failed_tries), (2, 1, 0, 1));
        assert_eq!((m.wait.max, m.wait.count, m.hold.max, m.hold.total), (Nanos(35), 1, Nanos(40), Nanos(45)));
        let longest = m.longest.expect("it was held");
        assert_eq!((longest.thread, longest.duration, longest.event), (ThreadId(0), Nanos(40), 1));
        assert_eq!((rw.acquisitions, rw.shared, rw.wait.count), (1, 1, 0));
        assert_eq!(stats.threads[1].blocked, Nanos(35));
        assert_eq!(stats.duration(), Nanos(53));
        assert_eq!(stats.kinds()["acquired"], 3);
        assert_eq!(stats.classes(&definitions).len(), 2);
    }

    #[test]
    fn an_upgrade_ends_one_hold_and_begins_another() {
        let (analysis, _) = run("A: upread rw @10, upgrade rw @30, downgrade rw @35, unlock rw @40");
        let rw = analysis.stats().lock(LockId(0)).expect("the lock was used");
        assert_eq!((rw.acquisitions, rw.hold.count, rw.hold.total), (2, 2, Nanos(30)));
    }
}
