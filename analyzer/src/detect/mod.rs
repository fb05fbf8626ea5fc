//! Detectors: each looks for one kind of trouble in the stream of events.

use lockscope_trace::{Definitions, Event};

use crate::{finding::Finding, state::State};

/// What a detector may look at besides the event.
#[derive(Clone, Copy, Debug)]
pub struct Context<'a> {
    /// What ids mean.
    pub definitions: &'a Definitions,
    /// The state after the event; [`State::position`] is the event's number.
    pub state: &'a State,
}

/// Looks for one kind of trouble.
pub trait Detector {
    /// Sees the next event before the state takes it in.
    fn before(&mut self, _context: &Context<'_>, _event: &Event) {}

    /// Sees the next event after the state has taken it in.
    fn after(&mut self, _context: &Context<'_>, _event: &Event) {}

    /// What was found so far. May be asked for at any time, also between events of a live trace.
    fn findings(&mut self, context: &Context<'_>) -> Vec<Finding>;

    /// Bounds that were hit, in sentences: what may be missing from the findings.
    fn limits(&self) -> Vec<String> {
        Vec::new()
    }
}
