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
mod regions;
mod report;
mod windows;

use lockscope_trace::{Access, Definitions, Event, How, LockId, Mode, Op, ThreadId, VarId};

use self::{
    deed::{Done, Target, protects},
    regions::Regions,
    report::{Case, Cases},
    windows::{Doing, Windows},
};
use super::{
    Batch, Engine, EngineId,
    holds::{Change, Hold, Holds},
    order::{Edges, Order},
};
use crate::{
    analysis::Options,
    finding::{Finding, Touch},
};

/// Looks for what is not atomic.
#[derive(Debug)]
pub(super) struct AtomicityEngine {
    holds: Holds,
    /// What comes before what in every schedule.
    order: Order,
    /// The same without atomics: whether accesses to them are in order is the question.
    order_of_atomics: Order,
    windows: Windows,
    regions: Regions,
    cases: Cases,
    held: Vec<(LockId, Mode, u64)>,
}

const MUST: Edges = Edges { locks: false, reads_from: false };

impl AtomicityEngine {
    pub(super) fn new(options: &Options) -> Self {
        AtomicityEngine {
            holds: Holds::default(),
            order: Order::new(MUST),
            order_of_atomics: Order::new(MUST),
            windows: Windows::default(),
            regions: Regions::default(),
            cases: Cases::new(options.all, options.engines.contains(&EngineId::Atomicity)),
            held: Vec::new(),
        }
    }

    fn event(&mut self, position: u64, event: &Event, definitions: &Definitions) {
        let me = event.thread;
        match event.op {
            Op::Read { var } => self.read(Done::access(position, event, var, Touch::Read)),
            Op::Write { var } => self.write(Done::access(position, event, var, Touch::Write), true, false),
            Op::AtomicLoad { var, .. } => {
                self.order.event(event, Change::None, definitions);
                self.read(Done::access(position, event, var, Touch::Read));
            }
            Op::AtomicStore { var, .. } => {
                self.write(Done::access(position, event, var, Touch::Write), true, true);
                self.order.event(event, Change::None, definitions);
            }
            // Sees what it writes over, as a compare-exchange that succeeds does.
            Op::AtomicUpdate { var, .. } => {
                self.order.event(event, Change::None, definitions);
                self.write(Done::access(position, event, var, Touch::Write), false, true);
            }
            Op::Fence { .. } => self.order.event(event, Change::None, definitions),
            Op::RegionBegin { name } => self.regions.begin(me, name, event.site),
            Op::RegionEnd => self.regions.end(me, |broken| self.cases.add(Case::Broken(broken))),
            Op::Acquired { lock, how, .. } => {
                self.synchronise(position, event, definitions);
                if how == How::CondvarReacquire {
                    // What was read before the wait is looked at again after it, or else that is another finding.
                    self.windows.forget(Target::data(lock), me);
                }
                if self.regions.is_active() {
                    let done = Done::access(position, event, VarId(0), Touch::Read);
                    let done = Done { target: Target::data(lock), ..done };
                    if is_opaque(definitions, lock) {
                        self.in_regions(done);
                    } else if !matches!(how, How::Upgrade | How::Downgrade) {
                        self.regions.enter(done);
                    }
                }
            }
            Op::Released { lock, owner, mode, access } => {
                let hold = self
                    .holds
                    .of(owner)
                    .iter()
                    .rev()
                    .find(|hold| hold.lock == lock && mode.is_none_or(|mode| mode == hold.mode));
                if let Some(hold) = hold.copied() {
                    self.section(position, owner, &hold, access, definitions);
                }
                self.synchronise(position, event, definitions);
            }
            // What comes with a message is another matter than what was read before.
            Op::Received { .. } | Op::Start => {
                self.synchronise(position, event, definitions);
                self.windows.begin_anew(me);
            }
            _ => self.synchronise(position, event, definitions),
        }
    }

    fn synchronise(&mut self, position: u64, event: &Event, definitions: &Definitions) {
        let change = self.holds.event(position, event, definitions);
        self.order.event(event, change, definitions);
        self.order_of_atomics.event(event, change, definitions);
        if self.regions.is_active() {
            self.regions.event(event, change, definitions);
        }
    }

    /// A section ends that `owner` began.
    fn section(&mut self, position: u64, owner: ThreadId, hold: &Hold, access: Access, definitions: &Definitions) {
        let Hold { lock, site, stack, since: time, event, .. } = *hold;
        let touch = if matches!(access, Access::Wrote | Access::ReadThenWrote) { Touch::Write } else { Touch::Read };
        let target = Target::data(lock);
        let done = Done { thread: owner, target, touch, site, stack, time, event, end: position };
        if is_opaque(definitions, lock) || access == Access::Unknown {
            let touch = if hold.mode == Mode::Exclusive { Touch::Write } else { Touch::Read };
            self.in_regions(Done { touch, ..done });
        } else if access == Access::Nothing {
            self.regions.leave(done);
        } else if touch == Touch::Read {
            self.read(done);
        } else {
            self.write(done, access == Access::Wrote, false);
        }
    }

    fn read(&mut self, done: Done) {
        self.windows.read(done);
        self.in_regions(done);
    }

    fn write(&mut self, done: Done, is_blind: bool, is_atomic: bool) {
        let me = done.thread;
        self.held.clear();
        self.held.extend(self.holds.of(me).iter().map(|hold| (hold.lock, hold.mode, hold.event)));
        let order = if is_atomic { &mut self.order_of_atomics } else { &mut self.order };
        let epoch = order.access(me);
        let doing = Doing { epoch, past: order.past(me), held: &self.held, alike: is_atomic };
        self.windows.write(done, is_blind, &doing, |torn| self.cases.add(Case::Torn(torn)));
        self.in_regions(done);
    }

    fn in_regions(&mut self, done: Done) {
        if self.regions.is_active() {
            self.regions.touch(done, |broken| self.cases.add(Case::Broken(broken)));
        }
    }
}

/// Whether the data that a lock protects is not known, so that the lock itself stands for it.
fn is_opaque(definitions: &Definitions, lock: LockId) -> bool {
    !protects(definitions, lock) || definitions.lock(lock).is_none_or(|def| def.type_name.is_empty())
}

impl Engine for AtomicityEngine {
    fn feed(&mut self, batch: Batch<'_>) {
        for (position, event) in batch.numbered() {
            self.event(position, event, batch.definitions);
        }
    }

    fn findings(&mut self, definitions: &Definitions) -> Vec<Finding> {
        self.cases.findings(definitions)
    }

    fn occurrences(&mut self, definitions: &Definitions) -> Vec<Finding> {
        self.cases.occurrences(definitions)
    }

    fn bytes(&self) -> u64 {
        let orders = self.order.bytes() + self.order_of_atomics.bytes();
        orders + self.holds.bytes() + self.windows.bytes() + self.regions.bytes() + self.cases.bytes()
    }

    fn limits(&self) -> Vec<String> {
        self.cases.limits()
    }
}

#[cfg(test)]
mod tests;
