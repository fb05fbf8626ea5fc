//! What waiting for locks cost: by the place that waited and the place that held, by the threads, and by lock with runs of
//! waits and the time between a release and the acquisition that it let go on.
//!
//! A wait is put down to whoever held the lock when it began. Memory is bounded by pairs of places, not by events; pairs
//! of threads beyond a limit are only counted.

use lockscope_trace::{Event, LockId, Nanos, Op, SiteId, ThreadId};
use rustc_hash::FxHashMap;

use crate::{finding::Target, state::State};

/// Pairs of threads that are kept; many programs start a thread for every piece of work.
const MOST_PAIRS: usize = 1 << 14;

/// Who was waited for: the places of a wait.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Delay {
    /// The lock.
    pub lock: LockId,
    /// Where it was asked for.
    pub waiter: Option<SiteId>,
    /// Where its holder had taken it; `None` also when it was free by the time of the wait.
    pub holder: Option<SiteId>,
}

/// How often and for how long.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub struct Cost {
    /// Waits that ended.
    pub count: u64,
    /// Their time together; saturates.
    pub time: Nanos,
    /// The longest.
    pub max: Nanos,
    /// Number of the event that ended the longest.
    pub event: u64,
}

/// A lock's own numbers.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub struct Handover {
    /// Acquisitions that had waited, after a release was seen.
    pub count: u64,
    /// Time between that release and the acquisition, together; saturates.
    pub time: Nanos,
    /// Acquisitions in a row that all had waited, now.
    run: u64,
    /// The longest such run: a convoy.
    pub convoy: u64,
    /// Time of its last acquisition.
    pub convoy_end: Nanos,
    last_release: Option<Nanos>,
}

/// Costs of waits for locks so far.
#[derive(Clone, Debug, Default)]
pub struct Contention {
    /// By lock and places.
    pub delays: FxHashMap<Delay, Cost>,
    /// By who held and who waited.
    pub threads: FxHashMap<(ThreadId, ThreadId), Cost>,
    /// Waits between pairs of threads that are not kept.
    pub more_threads: Cost,
    /// By lock, only of those that somebody waited for.
    pub locks: FxHashMap<LockId, Handover>,
    /// Of each waiting thread: who held the lock when the wait began, and where it had been taken.
    waiting: FxHashMap<ThreadId, (Option<ThreadId>, Option<SiteId>)>,
}

impl Cost {
    fn add(&mut self, time: Nanos, event: u64) {
        self.count += 1;
        self.time.0 = self.time.0.saturating_add(time.0);
        if self.max < time || self.event == 0 {
            (self.max, self.event) = (time, event);
        }
    }
}

impl Contention {
    /// Takes the next event; `before` is the state without it. O(1), and O(locks held) where a wait begins.
    pub fn before(&mut self, event: &Event, before: &State) {
        match event.op {
            Op::Wait { lock, .. } => {
                let holder = before.lock(lock).and_then(|lock| lock.holders.first()).map(|(thread, ..)| *thread);
                let held =
                    holder.and_then(|holder| before.thread(holder)?.held.iter().rev().find(|held| held.lock == lock));
                self.waiting.insert(event.thread, (holder, held.and_then(|held| held.site)));
                self.locks.entry(lock).or_default();
            }
            Op::Acquired { lock, .. } | Op::TimedOut { lock, .. } => {
                let wait = before.thread(event.thread).and_then(|thread| thread.wait());
                let wait = wait.filter(|wait| matches!(wait.target, Target::Lock(waited, _) if waited == lock));
                let has_it = matches!(event.op, Op::Acquired { .. });
                match (wait, has_it) {
                    (Some(wait), _) => {
                        self.end(event, lock, event.time.since(wait.since), wait.since, before.position + 1)
                    }
                    (None, true) => {
                        if let Some(handover) = self.locks.get_mut(&lock) {
                            handover.run = 0;
                        }
                    }
                    (None, false) => {}
                }
            }
            Op::Released { lock, .. } => {
                if let Some(handover) = self.locks.get_mut(&lock) {
                    handover.last_release = Some(event.time);
                }
            }
            _ => {}
        }
    }

    fn end(&mut self, event: &Event, lock: LockId, waited: Nanos, since: Nanos, number: u64) {
        let (thread, holder) = self.waiting.remove(&event.thread).unwrap_or_default();
        self.delays.entry(Delay { lock, waiter: event.site, holder }).or_default().add(waited, number);
        if let Some(thread) = thread {
            let pair = (thread, event.thread);
            let is_kept = self.threads.len() < MOST_PAIRS || self.threads.contains_key(&pair);
            let cost = if is_kept { self.threads.entry(pair).or_default() } else { &mut self.more_threads };
            cost.add(waited, number);
        }
        if !matches!(event.op, Op::Acquired { .. }) {
            return;
        }
        let handover = self.locks.entry(lock).or_default();
        handover.run += 1;
        if handover.run > handover.convoy {
            (handover.convoy, handover.convoy_end) = (handover.run, event.time);
        }
        if let Some(released) = handover.last_release.filter(|released| *released >= since) {
            handover.count += 1;
            handover.time.0 = handover.time.0.saturating_add(event.time.since(released).0);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::parse;

    fn contention(trace: &str) -> Contention {
        let (events, _) = parse(trace);
        let (mut contention, mut state) = (Contention::default(), State::default());
        for event in &events {
            contention.before(event, &state);
            state.apply(event);
        }
        contention
    }

    #[test]
    fn waits_are_put_down_to_who_held() {
        let contention = contention(
            "A: lock m @10 #1; B: wait m @20 #2; C: wait m @25 #3; A: unlock m @50; B: lock m @55 #2, unlock m @60; \
             C: lock m @70 #3, unlock m @80; A: lock m @90 #1, unlock m @95",
        );
        let mut delays: Vec<_> = contention
            .delays
            .iter()
            .map(|(delay, cost)| (delay.waiter.map(SiteId::index), delay.holder, cost.count, cost.time, cost.event))
            .collect();
        delays.sort_unstable();
        // Both began to wait while A held it.
        let a = delays[0].1;
        assert!(a.is_some());
        assert_eq!(
            delays.iter().map(|delay| (delay.1, delay.2, delay.3.0, delay.4)).collect::<Vec<_>>(),
            [(a, 1, 35, 5), (a, 1, 45, 7)]
        );
        assert_eq!(contention.threads[&(ThreadId(0), ThreadId(2))].time, Nanos(45));
        let handover = contention.locks[&LockId(0)];
        assert_eq!((handover.count, handover.time, handover.convoy, handover.convoy_end), (2, Nanos(15), 2, Nanos(70)));
    }

    #[test]
    fn waits_that_nobody_is_in_the_way_of_are_nobodys() {
        let contention = contention("A: lock m @1, unlock m @2, wait m @5, lock m @9");
        assert!(contention.threads.is_empty());
        let (delay, cost) = contention.delays.iter().next().expect("it waited");
        assert_eq!((delay.holder, cost.time), (None, Nanos(4)));
        assert_eq!(contention.locks[&LockId(0)].count, 0, "the release was before the wait");
    }
}
