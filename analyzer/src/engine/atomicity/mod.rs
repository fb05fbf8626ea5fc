//! Atomicity: what a thread does in several steps, and another thread's step in between that makes it wrong.
//!
//! - In code that marks nothing: a value that is read and then written while another thread's write comes in between (`lost-update`,
//!   `check-then-act`), be it an atomic, a cell, or what a lock protects; see [`windows`].
//! - In regions that the program marks with `lockscope::atomic_region`: conflict serialisability (`atomicity-violation`); see [`regions`].
//!
//! None of these is a data race, and every lock may be held wherever its data is used.
//!
//! What a section did to the data comes from its guard: whether it was read, written, or read before it was written. A section that
//! looks at the data again before it writes is right (double-checked locking), one that only writes goes on what an earlier one saw.

mod deed;
mod line;
mod regions;
mod report;
mod settled;
mod windows;

use lockscope_trace::{Access, Definitions, Event, How, Mode, Op, ThreadId, VarId};

use self::{
    deed::{Done, Protected, Target},
    regions::Regions,
    report::{Case, Cases},
    windows::{Doing, Windows},
};
use super::{
    Engine, EngineId,
    facts::{Facts, Moment},
    holds::{Change, Hold},
};
use crate::{
    analysis::Options,
    finding::{Finding, Touch},
};

/// Looks for what is not atomic.
#[derive(Debug)]
pub(super) struct AtomicityEngine {
    protected: Protected,
    windows: Windows,
    regions: Regions,
    cases: Cases,
}

impl AtomicityEngine {
    pub(super) fn new(options: &Options) -> Self {
        AtomicityEngine {
            protected: Protected::default(),
            windows: Windows::default(),
            regions: Regions::default(),
            cases: Cases::new(options.all, options.engines.contains(&EngineId::Atomicity)),
        }
    }

    /// Looks at what is needed for the events soon; the result means nothing. See [`Windows::touch`].
    pub(super) fn touch(&self, events: &[Event]) -> u64 {
        let target = |event: &Event| match event.op {
            Op::Read { var } => Some((Target::var(var), event.thread, Touch::Read)),
            Op::Write { var } => Some((Target::var(var), event.thread, Touch::Write)),
            Op::Released { lock, owner, access: Access::Wrote | Access::ReadThenWrote, .. } => {
                Some((Target::data(lock), owner, Touch::Write))
            }
            Op::Released { lock, owner, access: Access::Read, .. } => Some((Target::data(lock), owner, Touch::Read)),
            _ => None,
        };
        let targets = || events.iter().filter_map(target);
        let data = targets().fold(0, |all, (data, ..)| all ^ self.windows.touch_data(data));
        targets().fold(data, |all, (data, thread, touch)| all ^ self.windows.touch(data, thread, touch))
    }

    /// Takes in a release before the facts do: what is released is still held.
    pub(super) fn release(&mut self, facts: &mut Facts, position: u64, event: &Event, definitions: &Definitions) {
        let Op::Released { lock, owner, mode, access } = event.op else { return };
        let mut holds = facts.holds.of(owner).iter().rev();
        let hold = holds.find(|hold| hold.lock == lock && mode.is_none_or(|mode| mode == hold.mode));
        if let Some(hold) = hold.copied() {
            self.section(facts, position, owner, &hold, access, definitions);
        }
    }

    /// Takes in an event.
    #[inline]
    pub(super) fn event(&mut self, facts: &mut Facts, moment: &Moment<'_>) {
        let &Moment { position, event, .. } = moment;
        match event.op {
            Op::Read { var } => self.read(&Done::access(position, event, var, Touch::Read)),
            Op::Write { var } => self.write_var(facts, position, event, var),
            _ => self.other(facts, moment),
        }
    }

    fn other(&mut self, facts: &mut Facts, moment: &Moment<'_>) {
        let &Moment { position, event, change, definitions } = moment;
        let me = event.thread;
        match event.op {
            Op::AtomicLoad { var, .. } => self.read(&Done::access(position, event, var, Touch::Read)),
            Op::AtomicStore { var, .. } => {
                self.write(facts, &Done::access(position, event, var, Touch::Write), true, true);
            }
            // Sees what it writes over, as a compare-exchange that succeeds does.
            Op::AtomicUpdate { var, .. } => {
                self.write(facts, &Done::access(position, event, var, Touch::Write), false, true);
            }
            Op::Fence { .. } => {}
            Op::RegionBegin { name } => self.regions.begin(me, name, event.site),
            Op::RegionEnd => self.regions.end(me, |broken| _ = self.cases.add(Case::Broken(broken))),
            Op::Acquired { lock, how, .. } => {
                self.synchronise(event, change, definitions);
                if how == How::CondvarReacquire {
                    // What was read before the wait is looked at again after it, or else that is another finding.
                    self.windows.forget(Target::data(lock), me);
                }
                if self.regions.is_active() {
                    let done = Done::access(position, event, VarId(0), Touch::Read);
                    let done = Done { target: Target::data(lock), ..done };
                    if self.protected.is_opaque(definitions, lock) {
                        self.in_regions(done);
                    } else if !matches!(how, How::Upgrade | How::Downgrade) {
                        self.regions.enter(done);
                    }
                }
            }
            // What comes with a message is another matter than what was read before.
            Op::Received { .. } | Op::Start => {
                self.synchronise(event, change, definitions);
                self.windows.begin_anew(me);
            }
            _ => self.synchronise(event, change, definitions),
        }
    }

    fn synchronise(&mut self, event: &Event, change: Change, definitions: &Definitions) {
        if self.regions.is_active() {
            self.regions.event(event, change, definitions);
        }
    }

    /// A section ends that `owner` began.
    fn section(
        &mut self,
        facts: &mut Facts,
        position: u64,
        owner: ThreadId,
        hold: &Hold,
        access: Access,
        definitions: &Definitions,
    ) {
        let Hold { lock, site, stack, since: time, event, .. } = *hold;
        let touch = if matches!(access, Access::Wrote | Access::ReadThenWrote) { Touch::Write } else { Touch::Read };
        let target = Target::data(lock);
        let done = Done { thread: owner, target, touch, site, stack, time, event, end: position };
        if access == Access::Unknown || self.protected.is_opaque(definitions, lock) {
            let touch = if hold.mode == Mode::Exclusive { Touch::Write } else { Touch::Read };
            self.in_regions(Done { touch, ..done });
        } else if access == Access::Nothing {
            self.regions.leave(done);
        } else if touch == Touch::Read {
            self.read(&done);
        } else {
            self.write(facts, &done, access == Access::Wrote, false);
        }
    }

    #[inline(always)]
    fn read(&mut self, done: &Done) {
        self.windows.read(done);
        self.in_regions(*done);
    }

    /// A plain write. What is known of it is put together where it is used, not handed over in memory.
    #[inline(never)]
    fn write_var(&mut self, facts: &mut Facts, position: u64, event: &Event, var: VarId) {
        self.write(facts, &Done::access(position, event, var, Touch::Write), true, false);
    }

    #[inline(always)]
    fn write(&mut self, facts: &mut Facts, done: &Done, is_blind: bool, is_atomic: bool) {
        let me = done.thread;
        let doing = if is_atomic {
            let epoch = facts.now_without_atomics(me);
            Doing { epoch, past: facts.past_without_atomics(me), held: facts.holds.of(me), alike: true }
        } else {
            let epoch = facts.now(me);
            Doing { epoch, past: facts.past(me), held: facts.holds.of(me), alike: false }
        };
        self.windows.write(done, is_blind, &doing, &mut self.cases);
        self.in_regions(*done);
    }

    #[inline]
    fn in_regions(&mut self, done: Done) {
        if self.regions.is_active() {
            self.regions.touch(done, |broken| _ = self.cases.add(Case::Broken(broken)));
        }
    }
}

impl Engine for AtomicityEngine {
    fn findings(&mut self, definitions: &Definitions) -> Vec<Finding> {
        self.cases.findings(definitions)
    }

    fn occurrences(&mut self, definitions: &Definitions) -> Vec<Finding> {
        self.cases.occurrences(definitions)
    }

    fn bytes(&self) -> u64 {
        self.windows.bytes() + self.regions.bytes() + self.cases.bytes()
    }

    fn limits(&self) -> Vec<String> {
        self.cases.limits()
    }
}

#[cfg(test)]
mod tests;
