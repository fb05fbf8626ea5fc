//! Data races: accesses to one location by two threads, one of them a write, that nothing orders.
//!
//! `hb` is happens-before with epochs and adaptive clocks, as in FastTrack (Flanagan and Freund, PLDI 2009), but exact: every access that
//! races with an earlier one is known, as DJIT+ would know it. FastTrack forgets a write when the next one is noted, also when the two
//! race; here a location then keeps both, until a later one is after all of them. What is forgotten otherwise is before what is kept, so
//! whatever races with it races with that, too.
//!
//! `shb` is schedulable happens-before (Mathur, Kini, Viswanathan, OOPSLA 2018): a read is also after the write that it reads. Then
//! every race is one that another schedule of the same events brings about, not only the first one. Where memory is concerned Rust
//! makes no such difference: accesses that are unordered by happens-before are a data race as soon as they occur.
//!
//! Accesses of atomics are no data races; they order, see [`order`](super::order).
//!
//! Constant work for an access that races with none, by a thread alone or after all others; else linear in threads. Memory: a cache line
//! for each location, a line for each thread that shares it, and the clocks.

mod report;
mod vars;

use lockscope_trace::{Definitions, Event, Op, ThreadId, VarId};

use self::{
    report::{Occurrence, Races},
    vars::Vars,
};
use super::{
    Engine, EngineId,
    access::Access,
    clock::Row,
    facts::{Facts, Moment},
    order::{Edges, Order},
};
use crate::{
    analysis::Options,
    finding::{Finding, Touch},
};

/// Happens-before races; schedulable ones if `SHB`.
#[derive(Debug)]
pub(super) struct RaceEngine<const SHB: bool> {
    order: Order,
    vars: Vars,
    /// For schedulable ones: the past at the last write of each location, and when that was.
    last_writes: Vec<Option<Row>>,
    races: Races,
}

impl<const SHB: bool> RaceEngine<SHB> {
    const ID: EngineId = if SHB { EngineId::Shb } else { EngineId::Hb };

    pub(super) fn new(options: &Options) -> Self {
        RaceEngine {
            order: Order::new(Edges { locks: true, reads_from: SHB }),
            vars: Vars::default(),
            last_writes: Vec::new(),
            races: Races::new(options.all),
        }
    }

    /// Looks at what is needed for the events soon; the result means nothing.
    pub(super) fn touch(&self, events: &[Event]) -> u64 {
        events.iter().filter_map(|event| event.op.var()).fold(0, |all, var| all ^ self.vars.touch(var))
    }

    /// Takes in an event.
    #[inline]
    pub(super) fn event(&mut self, facts: &Facts, moment: &Moment<'_>) {
        match moment.event.op {
            Op::Read { var } => self.access(facts, moment, (var, Touch::Read)),
            Op::Write { var } => self.access(facts, moment, (var, Touch::Write)),
            _ => self.order.event(moment.event, moment.change, moment.definitions),
        }
    }

    #[inline]
    fn access(&mut self, facts: &Facts, moment: &Moment<'_>, (var, touch): (VarId, Touch)) {
        let me = moment.event.thread;
        let access = Access::new(self.order.access(me), moment.position, moment.event, facts.holds.chain(me));
        let past = self.order.past(me);
        let raced = match touch {
            Touch::Read => self.vars.read(var, &access, past),
            Touch::Write => self.vars.write(var, &access, past),
        };
        if let Some(earlier) = raced {
            let occurrence = Occurrence { var, earlier, later: (access, touch) };
            self.races.add(occurrence, &facts.holds);
        }
        if SHB {
            self.read_from(me, var, touch);
        }
    }

    /// Orders a read after the write that it reads.
    #[inline]
    fn read_from(&mut self, me: ThreadId, var: VarId, touch: Touch) {
        let index = var.0 as usize;
        if index >= self.last_writes.len() {
            self.last_writes.resize(index + 1, None);
        }
        let written = &mut self.last_writes[index];
        match (touch, *written) {
            (Touch::Write, _) => self.order.publish(me, written),
            (Touch::Read, Some(row)) => self.order.receive(me, row),
            (Touch::Read, None) => {}
        }
    }
}

impl<const SHB: bool> Engine for RaceEngine<SHB> {
    fn findings(&mut self, definitions: &Definitions) -> Vec<Finding> {
        self.races.findings(definitions, Self::ID)
    }

    fn occurrences(&mut self, definitions: &Definitions) -> Vec<Finding> {
        self.races.occurrences(definitions, Self::ID)
    }

    fn bytes(&self) -> u64 {
        let written = (self.last_writes.capacity() * size_of::<Option<Row>>()) as u64;
        self.order.bytes() + self.vars.bytes() + self.races.bytes() + written
    }

    fn limits(&self) -> Vec<String> {
        self.races.limits()
    }
}

#[cfg(test)]
mod tests;
