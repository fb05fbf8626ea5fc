//! The detector of lock order inversions as an engine, with the state that it looks at.

use lockscope_trace::{Definitions, Op};

use super::{Alone, Batch, Engine};
use crate::{
    analysis::{Ending, Options},
    detect::{Context, Detector, collected, lock_order::LockOrder},
    finding::Finding,
    state::State,
};

#[derive(Debug)]
pub(super) struct LockOrderEngine {
    state: State,
    detector: LockOrder,
    incomplete: bool,
    events: u64,
}

impl LockOrderEngine {
    pub(super) fn new(options: &Options) -> Self {
        LockOrderEngine {
            state: State::default(),
            detector: LockOrder::new(options.clone()),
            incomplete: false,
            events: 0,
        }
    }
}

impl Alone for LockOrderEngine {
    fn feed(&mut self, batch: Batch<'_>) {
        for event in batch.events {
            let definitions = batch.definitions;
            let context =
                Context { definitions, state: &self.state, ending: Ending::Open, incomplete: self.incomplete };
            self.detector.before(&context, event);
            self.state.apply(event);
            self.incomplete |= matches!(event.op, Op::Dropped { .. });
        }
        self.events += batch.events.len() as u64;
    }
}

impl Engine for LockOrderEngine {
    fn findings(&mut self, definitions: &Definitions) -> Vec<Finding> {
        let context = Context { definitions, state: &self.state, ending: Ending::Open, incomplete: self.incomplete };
        self.detector.findings(&context)
    }

    /// Every combination of places at which the locks of a circle are asked for.
    fn occurrences(&mut self, definitions: &Definitions) -> Vec<Finding> {
        let mut all = Vec::new();
        for mut finding in self.findings(definitions) {
            let variants = std::mem::take(&mut finding.variants);
            let first = std::mem::take(&mut finding.participants);
            for participants in std::iter::once(first).chain(variants) {
                let mut events: Vec<u64> =
                    participants.iter().filter_map(|part| Some(part.wanted.as_ref()?.event)).collect();
                events.sort_unstable();
                let first_seen = collected::time(&participants);
                all.push(Finding { participants, events, first_seen, count: 1, ..finding.clone() });
            }
        }
        all.sort_by_key(|finding| finding.events.last().copied());
        all
    }

    fn bytes(&self) -> u64 {
        self.detector.bytes()
    }

    fn limits(&self) -> Vec<String> {
        self.detector.limits()
    }
}
