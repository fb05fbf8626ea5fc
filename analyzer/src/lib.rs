//! Events in, findings out.
//!
//! Reading order: [`input`] opens a trace of any known format; [`state`] replays events into the state of every
//! thread and lock, and [`timeline`] gives that state at any event; [`wait_for`] is who waits for whom in one state;
//! [`analysis`] runs the detectors of [`detect`] and the engines of [`engine`] over the events in one pass; [`stats`]
//! counts and times, [`contention`] says who made whom wait;
//! [`order_graph`] is the lock order as data; [`finding`] is what comes out. No terminal, no arguments, no clock.

pub mod analysis;
pub mod contention;
pub mod detect;
pub mod engine;
pub mod finding;
pub mod input;
mod lock_pairs;
pub mod order_graph;
pub mod state;
pub mod stats;
pub mod timeline;
pub mod wait_for;

#[cfg(test)]
mod testing;

pub use crate::{
    analysis::{Analysis, Ending, Options},
    contention::Contention,
    engine::EngineId,
    finding::{Code, Confidence, Finding, Held, Participant, Severity, Target, Wanted},
    order_graph::OrderGraph,
    state::{Activity, LockState, ObjectState, State, ThreadState, Wait},
    stats::Stats,
    timeline::{Timeline, Track},
    wait_for::{Knot, WaitForGraph},
};
