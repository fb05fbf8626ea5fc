//! Locksets: locations for which no lock is held at every access.
//!
//! The states are those of Eraser (Savage, Burrows, Nelson, Sobalvarro, Anderson, TOCS 1997, section 2):
//!
//! | state | until | locks |
//! | --- | --- | --- |
//! | new | the first access | |
//! | one thread's | another thread accesses it | none are needed |
//! | shared | somebody writes | intersected from here on, and not reported |
//! | shared and written | | intersected, and reported when none is left |
//!
//! A read needs the lock in any mode, a write exclusively. Eraser takes whatever is initialised by one thread and handed on to another
//! for inconsistent; so a location here becomes one thread's again when all accesses before are ordered before the next one by other
//! means than locks: spawn, join, messages, barriers, atomics. What is left is *potential*: it may be in order all the same.
//!
//! [`Options::all`] lists by the plain discipline instead, without states or order: every access at which no lock is left that was held
//! at all accesses so far, from the second thread on, unless all are reads.

mod report;

use lockscope_trace::{Definitions, Event, Op, VarId};

use self::report::{Inconsistencies, Pair};
use super::{
    Engine,
    access::Access,
    bag::Bag,
    clock::{Clocks, Epoch, Row},
    facts::{Facts, Moment},
    holds::{Hold, Holds},
};
use crate::{
    analysis::Options,
    finding::{Finding, Touch},
};

/// Eraser.
#[derive(Debug)]
pub(super) struct LocksetEngine {
    vars: Vec<Var>,
    /// When each thread accessed a location last that is shared.
    sharers: Clocks,
    /// By the plain discipline; empty unless every occurrence is wanted.
    disciplined: Option<Vec<Disciplined>>,
    found: Inconsistencies,
}

#[derive(Clone, Copy, Debug)]
enum State {
    New,
    /// One thread's, with its last access.
    Owned(Epoch),
    Shared(Row),
    Written(Row),
}

#[derive(Clone, Debug)]
struct Var {
    state: State,
    locks: Bag,
    last: (Access, Touch),
    /// The last one of a thread other than that of `last`.
    other: (Access, Touch),
}

/// A location by the plain discipline.
#[derive(Clone, Debug)]
struct Disciplined {
    locks: Bag,
    is_shared: bool,
    is_written: bool,
}

impl LocksetEngine {
    pub(super) fn new(options: &Options) -> Self {
        LocksetEngine {
            vars: Vec::new(),
            sharers: Clocks::default(),
            disciplined: options.all.then(Vec::new),
            found: Inconsistencies::default(),
        }
    }

    /// Looks at what is needed for the events soon; the result means nothing.
    pub(super) fn touch(&self, events: &[Event]) -> u64 {
        let vars = events.iter().filter_map(|event| self.vars.get(event.op.var()?.0 as usize));
        vars.fold(0, |all, var| all ^ var.last.0.position() ^ var.other.0.position() ^ u64::from(var.locks.is_empty()))
    }

    /// Takes in an event.
    #[inline]
    pub(super) fn event(&mut self, facts: &mut Facts, moment: &Moment<'_>) {
        match moment.event.op {
            Op::Read { var } => self.access(facts, moment, (var, Touch::Read)),
            Op::Write { var } => self.access(facts, moment, (var, Touch::Write)),
            _ => {}
        }
    }

    #[inline]
    fn access(&mut self, facts: &mut Facts, moment: &Moment<'_>, (var, touch): (VarId, Touch)) {
        let me = moment.event.thread;
        let epoch = facts.now(me);
        let access = Access::new(epoch, moment.position, moment.event, facts.holds.chain(me));
        let index = var.0 as usize;
        if index >= self.vars.len() {
            self.vars.resize(index + 1, Var::default());
        }
        let known = &mut self.vars[index];
        let past = facts.past(me);
        // All accesses before are over only if the last ones of two threads are, which is quickly seen.
        let may_be_over = known.last.0.epoch.is_past(past) && known.other.0.epoch.is_past(past);
        if known.last.0.thread() != me || matches!(known.state, State::New) {
            known.other = known.last;
        }
        known.last = (access, touch);
        let held = facts.holds.of(me).iter().map(Hold::what);
        let is_over = |sharers: &Clocks, row| may_be_over && sharers.get(row).is_within(past);
        match known.state {
            State::New => known.state = State::Owned(epoch),
            State::Owned(last) if last.thread() == me || last.is_past(past) => known.state = State::Owned(epoch),
            State::Owned(last) => {
                self.sharers.widen(last.thread());
                self.sharers.widen(me);
                let row = self.sharers.make();
                self.sharers.set(row, last.thread(), last.time());
                self.sharers.set(row, me, epoch.time());
                known.locks = Bag::all();
                known.locks.keep(held.clone(), touch);
                known.state = if touch == Touch::Write { State::Written(row) } else { State::Shared(row) };
            }
            State::Shared(row) | State::Written(row) if is_over(&self.sharers, row) => {
                self.sharers.free(row);
                known.state = State::Owned(epoch);
            }
            State::Shared(row) | State::Written(row) => {
                self.sharers.widen(me);
                self.sharers.set(row, me, epoch.time());
                known.locks.keep(held.clone(), touch);
                if touch == Touch::Write {
                    known.state = State::Written(row);
                }
            }
        }
        if matches!(known.state, State::Written(_)) && known.locks.is_empty() {
            let pair = Pair { var, earlier: known.other, later: known.last };
            self.found.add(pair, &facts.holds);
        }
        if self.disciplined.is_some() {
            self.discipline(&facts.holds, index, touch);
        }
    }

    #[cold]
    fn discipline(&mut self, holds: &Holds, index: usize, touch: Touch) {
        let Some(disciplined) = &mut self.disciplined else { return };
        if index >= disciplined.len() {
            disciplined.resize(index + 1, Disciplined { locks: Bag::all(), is_shared: false, is_written: false });
        }
        let (of, known) = (&mut disciplined[index], &self.vars[index]);
        of.is_shared |= known.other.0.position() > 0;
        of.is_written |= touch == Touch::Write;
        of.locks.keep(holds.of(known.last.0.thread()).iter().map(Hold::what), touch);
        if of.is_shared && of.is_written && of.locks.is_empty() {
            self.found.note(Pair { var: VarId(index as u32), earlier: known.other, later: known.last });
        }
    }
}

impl Default for Var {
    fn default() -> Self {
        let none = (Access::NONE, Touch::Read);
        Var { state: State::New, locks: Bag::all(), last: none, other: none }
    }
}

impl Engine for LocksetEngine {
    fn findings(&mut self, definitions: &Definitions) -> Vec<Finding> {
        self.found.findings(definitions)
    }

    fn occurrences(&mut self, definitions: &Definitions) -> Vec<Finding> {
        self.found.occurrences(definitions)
    }

    fn bytes(&self) -> u64 {
        let disciplined = self.disciplined.as_ref().map_or(0, |of| of.capacity() * size_of::<Disciplined>());
        let vars = (self.vars.capacity() * size_of::<Var>() + disciplined) as u64;
        self.sharers.bytes() + self.found.bytes() + vars
    }

    fn limits(&self) -> Vec<String> {
        self.found.limits()
    }
}

#[cfg(test)]
mod tests;
