//! Engines: what other schedules of the recorded events could do, and which accesses nothing orders.
//!
//! A detector ([`detect`](crate::detect)) looks at the state of threads and locks and says what is wrong in it; an engine needs
//! events and what their ids mean, and no more. So it can run alone, over whole batches of events, at the speed of reading them, and
//! it is a trait of its own rather than a [`Detector`](crate::detect::Detector), whose context is the state.
//!
//! Reading order: [`Engine`] is the trait, [`EngineId`] their names, [`Engines`] runs several; [`merge()`] makes one finding of what
//! several see; [`Claims`] judges what is predicted. Engines of accesses run `beside` each other, over `facts` that are kept once; the
//! others each for itself, over batches. `lock_order` adapts the detector of inversions; `spd` and `syncp` predict
//! deadlocks and races by way of `closure`.

mod access;
mod atomicity;
mod bag;
mod beside;
mod clock;
mod closure;
mod facts;
mod holds;
mod lock_order;
mod lockset;
mod merge;
pub mod order;
mod races;
mod run;
mod spd;
mod syncp;
mod witness;

use std::fmt;

use lockscope_trace::{Definitions, Event};

pub use self::{
    merge::merge,
    run::Engines,
    witness::{Claim, Claims, End, Order, Outcome, Step, Witness},
};
use crate::{analysis::Options, finding::Finding};

/// An engine, by the name that users know it by.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, PartialOrd, Ord)]
pub enum EngineId {
    /// Circles of the lock order: Goodlock, iGoodlock.
    LockOrder,
    /// Deadlocks that a sync-preserving reordering runs into: SPDOffline.
    Spd,
    /// Accesses that nothing orders: happens-before, FastTrack.
    Hb,
    /// Those of them that another schedule can bring about, whatever raced before: schedulable happens-before.
    Shb,
    /// Races that a sync-preserving reordering runs into: SyncP.
    SyncP,
    /// Locations that no common lock protects: Eraser.
    Lockset,
    /// What is done in several steps, and torn by others: AeroDrome, AVIO.
    Atomicity,
}

impl EngineId {
    /// Every engine, in the order of the documentation.
    pub const ALL: [EngineId; 7] = [
        EngineId::LockOrder,
        EngineId::Spd,
        EngineId::Hb,
        EngineId::Shb,
        EngineId::SyncP,
        EngineId::Lockset,
        EngineId::Atomicity,
    ];

    /// The name.
    pub fn as_str(self) -> &'static str {
        match self {
            EngineId::LockOrder => "lock-order",
            EngineId::Hb => "hb",
            EngineId::Shb => "shb",
            EngineId::Lockset => "lockset",
            EngineId::Spd => "spd",
            EngineId::SyncP => "syncp",
            EngineId::Atomicity => "atomicity",
        }
    }

    /// The engine of a name.
    pub fn parse(text: &str) -> Option<EngineId> {
        EngineId::ALL.into_iter().find(|engine| engine.as_str() == text)
    }

    /// Whether it runs when nothing else is asked for, besides the detectors. The inversions of the lock order are found by one of
    /// these. What is about memory costs little in a trace without any, and says nothing.
    pub fn is_default(self) -> bool {
        match self {
            EngineId::LockOrder | EngineId::Shb | EngineId::SyncP => false,
            EngineId::Spd | EngineId::Hb | EngineId::Lockset | EngineId::Atomicity => true,
        }
    }

    /// Starts the engine, unless it is one of those that run [beside] each other.
    fn start(self, options: &Options) -> Option<Box<dyn Alone>> {
        match self {
            EngineId::LockOrder => Some(Box::new(lock_order::LockOrderEngine::new(options))),
            EngineId::Spd => Some(Box::new(spd::SpdEngine::new(options))),
            EngineId::SyncP => Some(Box::new(syncp::SyncPEngine::new(options))),
            EngineId::Hb | EngineId::Shb | EngineId::Lockset | EngineId::Atomicity => None,
        }
    }
}

/// Events of which the data is looked at before they are taken in; see [`Batch::parts`].
pub(crate) const TOUCHED_AT_ONCE: usize = 32;

/// Events in a row.
#[derive(Clone, Copy, Debug)]
pub struct Batch<'a> {
    /// Position of the first one in the trace, from 1.
    pub first: u64,
    /// The events.
    pub events: &'a [Event],
    /// What their ids mean.
    pub definitions: &'a Definitions,
}

impl<'a> Batch<'a> {
    /// The events, each with its position.
    pub fn numbered(self) -> impl Iterator<Item = (u64, &'a Event)> {
        (self.first..).zip(self.events)
    }

    /// In parts of so many events that what is fetched for all of them is still near when it is needed. Threads use data in turn, so that
    /// most of what is known of it is far away in memory, and what is asked for in a row is waited for together.
    fn parts(self) -> impl Iterator<Item = Batch<'a>> {
        let parts = (0..).step_by(TOUCHED_AT_ONCE).zip(self.events.chunks(TOUCHED_AT_ONCE));
        parts.map(move |(start, events)| Batch { first: self.first + start, events, ..self })
    }
}

/// Looks for one kind of trouble in the order of events.
pub trait Engine: fmt::Debug + Send {
    /// What was found so far, each bug once. May be asked for at any time.
    ///
    /// Engines that work on the whole trace do so here.
    fn findings(&mut self, definitions: &Definitions) -> Vec<Finding>;

    /// Every occurrence, unmerged, in the order of the last of its events; these are the positions in [`Finding::events`], as many
    /// as the kind of occurrence has: two accesses of a race, the request of each thread of a deadlock.
    ///
    /// Only of engines that were started with [`Options::all`].
    fn occurrences(&mut self, definitions: &Definitions) -> Vec<Finding>;

    /// What it predicts, for the trace to be read again and judged; see [`Claims`]. Nothing of it is a finding before.
    fn claims(&mut self, _definitions: &Definitions) -> Vec<Claim> {
        Vec::new()
    }

    /// Bytes that it holds, within a tenth. Cheap: asked for every few thousand events.
    fn bytes(&self) -> u64;

    /// Bounds that were hit, in sentences: what may be missing from the findings.
    fn limits(&self) -> Vec<String> {
        Vec::new()
    }
}

/// An engine that needs nothing of others.
trait Alone: Engine {
    /// Takes in the next events.
    fn feed(&mut self, batch: Batch<'_>);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_distinct_and_parse() {
        for engine in EngineId::ALL {
            assert_eq!(EngineId::parse(engine.as_str()), Some(engine));
        }
        assert_eq!(EngineId::parse("no-such"), None);
    }
}
