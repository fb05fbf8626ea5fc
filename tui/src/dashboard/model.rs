//! What is known of a trace so far. Only grows.

use std::sync::Arc;

use lockscope_analyzer::{finding::Finding, state::State, timeline::Timeline};
use lockscope_trace::{Completeness, Definitions, Event, Nanos, Progress, TraceInfo};

use crate::dashboard::{buckets::Buckets, digest::Digest, present::News, reader::Batch};

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
    /// Numbers of all of it.
    pub digest: Arc<Digest>,
    /// How often findings or numbers were brought up to date.
    pub version: u64,
    /// How often news of any kind have arrived.
    pub received: u64,
    /// How many threads were blocked over time.
    pub blocked: Buckets,
    /// How far the reader is.
    pub progress: Progress,
    /// Share of the file that was read.
    pub fraction: f64,
    /// The present, by the trace's clock, while it is live: a hung process writes no events that would tell.
    pub now: Nanos,
    /// What goes on now in a process whose past is still being read.
    pub present: News,
    /// How often that was brought up to date.
    pub n_presents: u64,
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
            digest: Arc::default(),
            version: 0,
            received: 0,
            timeline: Timeline::default(),
            blocked: Buckets::default(),
            progress: Progress::More,
            fraction: 0.0,
            now: Nanos(0),
            present: None,
            n_presents: 0,
            error: None,
            n_blocked: 0,
        }
    }

    /// Adds what the reader sent.
    pub fn receive(&mut self, batch: Batch) {
        self.received += 1;
        if let Some(defs) = batch.defs {
            self.learn(defs);
        }
        if let Some(findings) = batch.findings {
            self.findings = findings;
            self.version += 1;
        }
        if let Some(digest) = batch.digest {
            self.digest = digest;
            self.version += 1;
        }
        self.info = batch.info;
        self.completeness = batch.completeness;
        // Who has caught up once is not loading any more, however much comes.
        if !(self.progress == Progress::CaughtUp && batch.progress == Progress::More) {
            self.progress = batch.progress;
        }
        if self.progress != Progress::More {
            self.present = None;
        }
        self.fraction = batch.fraction;
        for event in batch.events {
            self.push(event);
        }
    }

    /// Takes news of the present, as long as the past is read.
    pub fn receive_present(&mut self, news: News) {
        (self.received, self.n_presents) = (self.received + 1, self.n_presents + 1);
        let news = news.filter(|_| self.progress == Progress::More);
        if let Some(present) = &news {
            self.learn(present.defs.clone());
        }
        self.present = news;
    }

    /// Ids never change what they mean, but who reads the past may know fewer of them.
    fn learn(&mut self, defs: Arc<Definitions>) {
        let size = |defs: &Definitions| (defs.threads.len(), defs.locks.len(), defs.sites.len(), defs.stacks.len());
        let (known, new) = (size(&self.defs), size(&defs));
        if new.0 >= known.0 && new.1 >= known.1 && new.2 >= known.2 && new.3 >= known.3 {
            self.defs = defs;
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
        (self.progress == Progress::CaughtUp || self.present.is_some()) && self.error.is_none()
    }

    /// Time of the last event, or the present of a live trace.
    pub fn end(&self) -> Nanos {
        let present = self.present.as_ref().map_or(Nanos(0), |present| present.state.time);
        if self.is_live() { self.head().time.max(self.now).max(present) } else { self.head().time }
    }

    /// The moment up to which it is known what happened: the end, unless the past is still being read.
    pub fn known_end(&self) -> Nanos {
        if self.present.is_some() { self.head().time } else { self.end() }
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
