//! Detectors: each looks for one kind of trouble in the stream of events.
//!
//! Reading order: [`request`] is what most detectors look at, [`text`] is how they name things;
//! [`deadlock`], [`stuck`], [`lock_order`], [`hierarchy`], [`recursive_read`], [`timeout`] find threads that wait for each other, or
//! could; [`leak`], [`busy_wait`], [`unchecked_wakeup`], [`poisoned`], [`out_of_order`], [`no_timeout`] misuse.

pub mod busy_wait;
pub(crate) mod collected;
pub mod deadlock;
pub mod hierarchy;
pub mod leak;
pub mod lock_order;
pub mod no_timeout;
pub mod out_of_order;
pub mod poisoned;
pub mod recursive_read;
pub mod request;
pub mod stuck;
pub mod text;
pub mod timeout;
pub mod unchecked_wakeup;
#[cfg(test)]
mod verdicts;

use lockscope_trace::{Definitions, Event};

use crate::{analysis::Ending, finding::Finding, state::State};

/// What a detector may look at besides the event.
#[derive(Clone, Copy, Debug)]
pub struct Context<'a> {
    /// What ids mean.
    pub definitions: &'a Definitions,
    /// The state, before or after the event as the method says. [`State::position`] is the number of its last event.
    pub state: &'a State,
    /// How the recording ended.
    pub ending: Ending,
    /// Events are missing.
    pub incomplete: bool,
}

/// Looks for one kind of trouble.
pub trait Detector {
    /// Sees the next event before the state has taken it in.
    fn before(&mut self, _context: &Context<'_>, _event: &Event) {}

    /// Sees the next event after the state has taken it in.
    fn after(&mut self, _context: &Context<'_>, _event: &Event) {}

    /// What was found so far. May be asked for at any time, also between the events of a live trace.
    fn findings(&mut self, context: &Context<'_>) -> Vec<Finding>;

    /// Bounds that were hit, in sentences: what may be missing from the findings.
    fn limits(&self) -> Vec<String> {
        Vec::new()
    }
}
