//! Counts and times: per lock, per class, per thread, and of the whole trace.

use lockscope_trace::{ClassId, Definitions, Event, LockId, Nanos, SiteId, ThreadId};
use rustc_hash::FxHashMap;

use crate::state::State;

/// Durations in powers of two: bucket n holds durations of n significant bits.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Histogram {
    /// How many durations of each number of bits, 0 to 64.
    pub buckets: [u64; 65],
    /// How many durations.
    pub count: u64,
    /// Their sum; saturates.
    pub total: Nanos,
    /// The longest.
    pub max: Nanos,
}

impl Default for Histogram {
    fn default() -> Self {
        Histogram { buckets: [0; 65], count: 0, total: Nanos(0), max: Nanos(0) }
    }
}

impl Histogram {
    /// Adds a duration.
    pub fn add(&mut self, duration: Nanos) {
        self.buckets[64 - duration.0.leading_zeros() as usize] += 1;
        self.count += 1;
        self.total.0 = self.total.0.saturating_add(duration.0);
        self.max = self.max.max(duration);
    }

    /// Adds all durations of another.
    pub fn merge(&mut self, other: &Histogram) {
        for (mine, theirs) in self.buckets.iter_mut().zip(&other.buckets) {
            *mine += theirs;
        }
        self.count += other.count;
        self.total.0 = self.total.0.saturating_add(other.total.0);
        self.max = self.max.max(other.max);
    }

    /// A duration that at least `percent` percent of all do not exceed: the upper end of its power of two, and never
    /// more than the longest. 0 when there are none.
    pub fn percentile(&self, percent: u64) -> Nanos {
        let rank = (u128::from(self.count) * u128::from(percent.min(100))).div_ceil(100).max(1);
        let mut seen = 0;
        for (bits, &count) in self.buckets.iter().enumerate() {
            seen += u128::from(count);
            if seen >= rank {
                let upper = if bits == 64 { u64::MAX } else { (1 << bits) - 1 };
                return Nanos(upper).min(self.max);
            }
        }
        Nanos(0)
    }
}

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
    /// Times between getting and releasing.
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
    /// How many events of each kind, by [`Op::name`](lockscope_trace::Op::name).
    pub kinds: FxHashMap<&'static str, u64>,
    /// Events.
    pub events: u64,
    /// Time of the first event.
    pub first: Nanos,
    /// Latest time of an event.
    pub last: Nanos,
}

impl Stats {
    /// Takes the next event; `before` is the state without it.
    pub fn feed(&mut self, event: &Event, _before: &State) {
        self.events += 1;
        *self.kinds.entry(event.op.name()).or_default() += 1;
    }

    /// Time between the first and the last event.
    pub fn duration(&self) -> Nanos {
        self.last.since(self.first)
    }

    /// The lock's numbers.
    pub fn lock(&self, id: LockId) -> Option<&LockStats> {
        self.locks.get(id.0 as usize)
    }

    /// The numbers of all locks of each class together, in order of class.
    pub fn classes(&self, _definitions: &Definitions) -> Vec<(ClassId, LockStats)> {
        Vec::new()
    }
}
