//! What is known of a trace so far. Only grows.

use std::sync::Arc;

use lockscope_analyzer::{finding::Finding, state::State, timeline::Timeline};
use lockscope_trace::{Completeness, Definitions, Event, Nanos, Progress, TraceInfo};

use crate::dashboard::reader::Batch;

/// Columns of the summary of blocked threads over time. More would not fit any screen.
const MAX_BUCKETS: usize = 512;

/// What is known of a trace.
#[derive(Debug)]
pub struct Model {
    /// Facts about it.
    pub info: TraceInfo,
    /// What its ids mean.
    pub defs: Arc<Definitions>,
    /// What is missing from it.
    pub completeness: Completeness,
    /// What was found in all of it, worst first.
    pub findings: Vec<Finding>,
    /// Its events, and the state after any of them.
    pub timeline: Timeline,
    /// How many threads were blocked over time.
    pub blocked: Buckets,
    /// How far the reader is.
    pub progress: Progress,
    /// Share of the file that was read.
    pub fraction: f64,
    /// The present, by the trace's clock, while it is live: a hung process writes no events that would tell.
    pub now: Nanos,
    /// Why reading ended early.
    pub error: Option<String>,
    n_blocked: u32,
}

impl Model {
    /// A trace of which nothing was read yet.
    pub fn new(info: TraceInfo) -> Model {
        Model {
            info,
            defs: Arc::default(),
            completeness: Completeness::default(),
            findings: Vec::new(),
            timeline: Timeline::default(),
            blocked: Buckets::default(),
            progress: Progress::More,
            fraction: 0.0,
            now: Nanos(0),
            error: None,
            n_blocked: 0,
        }
    }

    /// Adds what the reader sent.
    pub fn receive(&mut self, batch: Batch) {
        if let Some(defs) = batch.defs {
            self.defs = defs;
        }
        if let Some(findings) = batch.findings {
            self.findings = findings;
        }
        self.info = batch.info;
        self.completeness = batch.completeness;
        self.progress = batch.progress;
        self.fraction = batch.fraction;
        for event in batch.events {
            self.push(event);
        }
    }

    /// Number of events.
    pub fn len(&self) -> u64 {
        self.timeline.len()
    }

    /// State after the last event.
    pub fn head(&self) -> &State {
        self.timeline.latest()
    }

    /// Whether the process is still writing.
    pub fn is_live(&self) -> bool {
        self.progress == Progress::CaughtUp && self.error.is_none()
    }

    /// Time of the last event, or the present of a live trace.
    pub fn end(&self) -> Nanos {
        if self.is_live() { self.head().time.max(self.now) } else { self.head().time }
    }

    fn push(&mut self, event: Event) {
        let is_blocked = |state: &State| state.thread(event.thread).is_some_and(|thread| thread.wait().is_some());
        let before = is_blocked(self.head());
        self.timeline.push(event);
        match (before, is_blocked(self.head())) {
            (false, true) => self.n_blocked += 1,
            (true, false) => self.n_blocked -= 1,
            _ => {}
        }
        self.blocked.add(self.head().time, self.n_blocked);
    }
}

/// The greatest value of each of some hundred equal stretches of time, from the beginning.
///
/// Memory is bounded: when there are too many stretches, neighbours are joined and all become twice as long.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Buckets {
    /// Length of a stretch.
    width: u64,
    greatest: Vec<u32>,
    last: u32,
}

impl Default for Buckets {
    fn default() -> Buckets {
        Buckets { width: 1, greatest: Vec::new(), last: 0 }
    }
}

impl Buckets {
    /// From `time` on, the value is `value`.
    pub fn add(&mut self, time: Nanos, value: u32) {
        while time.0 / self.width >= MAX_BUCKETS as u64 {
            self.width *= 2;
            self.greatest = self.greatest.chunks(2).map(|pair| pair.iter().copied().max().unwrap_or(0)).collect();
        }
        let bucket = (time.0 / self.width) as usize;
        // The value in between is the one from before.
        while self.greatest.len() <= bucket {
            self.greatest.push(self.last);
        }
        self.greatest[bucket] = self.greatest[bucket].max(value);
        self.last = value;
    }

    /// Greatest values of `n` equal parts of the time up to `end`.
    pub fn columns(&self, n: usize, end: Nanos) -> Vec<u32> {
        // The end itself is the last moment that counts.
        let end = end.0.saturating_add(1);
        let value = |from: u64, to: u64| {
            let (first, last) = ((from / self.width) as usize, (to / self.width) as usize);
            let inside = self.greatest.get(first..=last.min(self.greatest.len().saturating_sub(1)));
            inside.and_then(|inside| inside.iter().max().copied()).unwrap_or(self.last)
        };
        let at = |column: usize| (u128::from(end) * column as u128 / n as u128) as u64;
        (0..n).map(|column| value(at(column), at(column + 1).saturating_sub(1).max(at(column)))).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn buckets_keep_the_greatest_value_of_their_time() {
        let mut buckets = Buckets::default();
        for (time, value) in [(0, 0), (10, 2), (20, 0), (40, 1)] {
            buckets.add(Nanos(time), value);
        }
        assert_eq!(buckets.columns(4, Nanos(39)), [0, 2, 2, 0]);
        assert_eq!(buckets.columns(4, Nanos(40)).last(), Some(&1), "what happens at the end counts");
        assert_eq!(buckets.columns(8, Nanos(79)), [0, 2, 2, 0, 1, 1, 1, 1], "the last value goes on");
        assert!(buckets.columns(0, Nanos(80)).is_empty());
    }

    #[test]
    fn buckets_stay_few() {
        let mut buckets = Buckets::default();
        for time in 0..100_000_u64 {
            buckets.add(Nanos(time * 1_000_003), u32::from(time == 50_000));
        }
        assert!(buckets.greatest.len() <= MAX_BUCKETS);
        let columns = buckets.columns(10, Nanos(100_000 * 1_000_003));
        // A stretch that two columns share counts for both.
        assert!((1..=2).contains(&columns.iter().sum::<u32>()), "{columns:?}");
        buckets.add(Nanos(u64::MAX), 1);
    }
}
