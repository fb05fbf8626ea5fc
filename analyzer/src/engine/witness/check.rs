//! Replays a claimed order, event by event.

use std::collections::VecDeque;

use lockscope_trace::{Definitions, Event, Op, ThreadId, VarId};
use rustc_hash::FxHashMap;

use super::{
    Step,
    world::{Broken, Saw, World},
};

/// What the trace says of one event: read off in the order of the trace, for all claims at once.
#[derive(Clone, Copy, Debug)]
pub(super) struct Fact {
    /// Position in the trace, from 1.
    pub position: u64,
    pub event: Event,
    /// Its number among the events of its thread, from 1.
    ordinal: u64,
    /// What it saw.
    saw: Saw,
    /// The trace itself breaks the rules here (a spurious wake-up, events out of order), so that nothing can be asked of others.
    exempt: bool,
    /// Its thread was started by another one.
    forked: bool,
    /// Of a join: how many events the other thread did.
    joined: u64,
    /// Of an atomic load or update: whose modification it read, as the number of that event in its thread.
    source: Source,
}

#[derive(Clone, Copy, Debug)]
enum Source {
    None,
    Event(ThreadId, u64),
    /// So old that it is not known any more.
    Forgotten,
}

impl Fact {
    /// Its number among the events of its thread, from 1.
    pub(super) fn ordinal(&self) -> u64 {
        self.ordinal
    }

    /// The event as a witness shows it.
    pub(super) fn step(&self, index: u64) -> Step {
        Step { index, position: self.position, event: self.event }
    }
}

/// Reads the facts off the trace.
#[derive(Debug, Default)]
pub(super) struct Facts {
    world: World,
    modifications: FxHashMap<VarId, VecDeque<(u64, ThreadId, u64)>>,
}

/// Modifications of an atomic variable that are remembered.
const MOST_MODIFICATIONS: usize = 256;

impl Facts {
    /// Whether somebody was seen to start the thread.
    pub(super) fn is_started(&self, thread: ThreadId) -> bool {
        self.world.is_started(thread)
    }

    pub(super) fn of(&mut self, position: u64, event: &Event, definitions: &Definitions) -> Fact {
        let ordinal = self.world.done(event.thread) + 1;
        let joined = if let Op::Joined { child } = event.op { self.world.done(child) } else { 0 };
        let source = match event.op {
            Op::AtomicLoad { var, read, .. } => self.modification(var, read),
            Op::AtomicUpdate { var, number, .. } => self.modification(var, number.saturating_sub(1)),
            _ => Source::None,
        };
        let fact = Fact {
            position,
            event: *event,
            ordinal,
            saw: self.world.saw(event),
            exempt: self.world.allows(event, definitions).is_err(),
            forked: self.world.is_started(event.thread),
            joined,
            source,
        };
        if let Op::AtomicStore { var, number, .. } | Op::AtomicUpdate { var, number, .. } = event.op {
            let known = self.modifications.entry(var).or_default();
            known.push_back((number, event.thread, ordinal));
            if known.len() > MOST_MODIFICATIONS {
                known.pop_front();
            }
        }
        self.world.apply(position, event, definitions);
        fact
    }

    /// The one with this number, or the last one before it that was recorded.
    fn modification(&self, var: VarId, number: u64) -> Source {
        let Some(known) = self.modifications.get(&var) else { return Source::None };
        let found = known.iter().filter(|&&(known, ..)| known <= number).max_by_key(|&&(known, ..)| known);
        match found {
            Some(&(_, thread, ordinal)) => Source::Event(thread, ordinal),
            None if known.len() == MOST_MODIFICATIONS => Source::Forgotten,
            None => Source::None,
        }
    }
}

/// Replays a claimed order.
#[derive(Debug, Default)]
pub(super) struct Replay {
    world: World,
}

impl Replay {
    pub(super) fn world(&self) -> &World {
        &self.world
    }

    /// The next event of the claimed order.
    ///
    /// # Errors
    ///
    /// Why it cannot come next.
    pub(super) fn step(&mut self, fact: &Fact, definitions: &Definitions) -> Result<(), Broken> {
        let event = &fact.event;
        if fact.ordinal != self.world.done(event.thread) + 1 {
            return Err("a thread did its events in another order");
        }
        if fact.forked && !self.world.is_started(event.thread) {
            return Err("a thread acted before it was started");
        }
        if let Op::Joined { child } = event.op
            && self.world.done(child) != fact.joined
        {
            return Err("a thread was joined before it had ended");
        }
        match fact.source {
            Source::None => {}
            Source::Event(thread, ordinal) if self.world.done(thread) >= ordinal => {}
            Source::Event(..) => return Err("an atomic value was read before it was stored"),
            Source::Forgotten => return Err("an atomic value was read that was stored long before"),
        }
        if fact.saw != self.world.saw(event) {
            return Err(match fact.saw {
                Saw::Taken(_) => "a lock was free, or not, unlike in the trace",
                _ => "a read saw another write",
            });
        }
        if !fact.exempt {
            self.world.allows(event, definitions)?;
        }
        self.world.apply(fact.position, event, definitions);
        Ok(())
    }
}
