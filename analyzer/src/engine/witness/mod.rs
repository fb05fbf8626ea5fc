//! Witnesses: the run that proves a prediction, and the check without which nothing is called *predicted*.
//!
//! An engine claims that some threads, after some of their first events each, come to where they wait for each other or race. The claim is
//! checked in a second reading of the trace, by replaying those events in the order claimed, in a `world` that knows program order,
//! locks, memory, channels and the rest, and nothing of how the engine came to its claim.
//!
//! - [`Claim`] is what an engine says.
//! - [`Claims`] reads the trace again and judges: `check` for the order, `verdict` for where it leads.
//! - [`Witness`] is what a finding shows of it.

mod check;
mod claims;
mod finding;
mod proofs;
#[cfg(test)]
mod tests;
mod verdict;
mod world;

pub(super) use self::proofs::{Proofs, unproved};
use lockscope_trace::{Event, LockId, ThreadId, VarId};

pub use self::claims::{Claims, Outcome};
use super::EngineId;

/// What an engine claims: the first events of some threads can happen in this order, and lead to this.
#[derive(Clone, Debug, PartialEq)]
pub struct Claim {
    /// Which engine.
    pub engine: EngineId,
    /// How many of its first events each thread does; threads that do none need not be named.
    pub prefixes: Vec<(ThreadId, u64)>,
    /// In which order.
    pub order: Order,
    /// Where it leads.
    pub end: End,
}

/// An order of events.
#[derive(Clone, Debug, PartialEq)]
pub enum Order {
    /// As in the trace.
    Trace,
    /// These positions in the trace, all of them.
    Listed(Vec<u64>),
}

/// What the next events of some threads are.
#[derive(Clone, Debug, PartialEq)]
pub enum End {
    /// Each thread asks for the lock, which the next one holds, and the last one for what the first one holds. With the position of the
    /// acquisition in the trace.
    Deadlock(Vec<(ThreadId, LockId, u64)>),
    /// Both threads access the location, and one of them writes. With the positions of the accesses in the trace.
    Race(VarId, [(ThreadId, u64); 2]),
}

impl End {
    /// The threads and the positions of what they would do next.
    pub fn threads(&self) -> Vec<(ThreadId, u64)> {
        match self {
            End::Deadlock(requests) => requests.iter().map(|&(thread, _, event)| (thread, event)).collect(),
            End::Race(_, accesses) => accesses.to_vec(),
        }
    }
}

/// The run that proves a prediction.
#[derive(Clone, Debug, PartialEq)]
pub struct Witness {
    /// How many events it has.
    pub length: u64,
    /// How many of its first events each thread does in it.
    pub prefixes: Vec<(ThreadId, u64)>,
    /// Whether its events come in the order of the trace.
    pub is_in_trace_order: bool,
    /// Those of its events that tell most, in its order; all of them when it is short.
    pub steps: Vec<Step>,
    /// What the threads would do next, all at once.
    pub next: Vec<Step>,
}

/// One event of a witness.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Step {
    /// How many events of the witness come before it.
    pub index: u64,
    /// Position in the trace, from 1.
    pub position: u64,
    /// The event.
    pub event: Event,
}
