//! The detector of lock order inversions as an engine, with as much of the state as it looks at: what each thread holds and which lock
//! it waits for.

use lockscope_trace::{Definitions, Event, How, LockId, Mode, Op, ThreadId};

use super::{Alone, Batch, Engine};
use crate::{
    analysis::Options,
    detect::{Detector as _, collected, lock_order::LockOrder, request::Request},
    finding::{Finding, Held, Target},
    state::Wait,
};

#[derive(Debug)]
pub(super) struct LockOrderEngine {
    threads: Vec<Thread>,
    detector: LockOrder,
}

/// As [`ThreadState`](crate::ThreadState) has it.
#[derive(Clone, Debug, Default)]
struct Thread {
    held: Vec<Held>,
    /// Its wait for a lock.
    wait: Option<Wait>,
}

impl LockOrderEngine {
    pub(super) fn new(options: &Options) -> Self {
        LockOrderEngine { threads: Vec::new(), detector: LockOrder::new(options.clone()) }
    }

    fn event(&mut self, number: u64, event: &Event, definitions: &Definitions) {
        let me = event.thread;
        match event.op {
            Op::Read { .. } | Op::Write { .. } => {
                self.detector.acts(me);
                self.thread(me).wait = None;
                return;
            }
            // Said from inside of a wait.
            Op::Finding { .. } | Op::Mark { .. } => return self.detector.event(definitions, event),
            _ => {}
        }
        self.detector.event(definitions, event);
        let thread = self.thread(me);
        let wait = thread.wait.take();
        match event.op {
            Op::Acquired { lock, mode, how, .. } => {
                let Thread { held, .. } = &mut self.threads[me.0 as usize];
                if let Some(request) = Request::ended_at(number, event, held, wait.as_ref()) {
                    self.detector.add(definitions, &request, 1);
                }
                acquire(held, number, event, lock, mode, how);
            }
            Op::TimedOut { .. } => {
                let Thread { held, .. } = &self.threads[me.0 as usize];
                if let Some(request) = Request::ended_at(number, event, held, wait.as_ref()) {
                    self.detector.add(definitions, &request, 1);
                }
            }
            Op::Released { lock, owner, mode, .. } => release(&mut self.thread(owner).held, lock, mode),
            Op::Wait { lock, mode, how } => {
                let Event { time: since, site, stack, .. } = *event;
                let target = Target::Lock(lock, mode);
                thread.wait = Some(Wait { target, how, limited: how.is_timed(), since, site, stack, event: number });
            }
            Op::Joined { child } => self.thread(child).wait = None,
            // What is gone is not held, and what is missing may have been a release.
            Op::Destroyed { lock } => {
                self.threads.iter_mut().for_each(|thread| thread.held.retain(|held| held.lock != lock));
            }
            Op::Dropped { .. } => thread.held.clear(),
            _ => {}
        }
    }

    fn thread(&mut self, id: ThreadId) -> &mut Thread {
        let index = id.0 as usize;
        if index >= self.threads.len() {
            self.threads.resize(index + 1, Thread::default());
        }
        &mut self.threads[index]
    }
}

/// As the state does it.
fn acquire(held: &mut Vec<Held>, number: u64, event: &Event, lock: LockId, mode: Mode, how: How) {
    let hold = Held { lock, mode, site: event.site, stack: event.stack, since: event.time, event: number };
    let replaces = matches!(how, How::Upgrade | How::Downgrade);
    match held.iter_mut().rev().find(|held| replaces && held.lock == lock) {
        // A weaker hold is still the old one, taken where it was; a stronger one was asked for here.
        Some(held) if how == How::Downgrade => held.mode = mode,
        Some(held) => *held = hold,
        None => held.push(hold),
    }
}

/// As the state does it.
fn release(held: &mut Vec<Held>, lock: LockId, mode: Option<Mode>) {
    let fits = |held: &Held| mode.map_or(held.mode != Mode::Upgradable, |mode| mode == held.mode);
    let exact = held.iter().rposition(|held| held.lock == lock && fits(held));
    if let Some(index) = exact.or_else(|| held.iter().rposition(|held| held.lock == lock)) {
        held.remove(index);
    }
}

impl Alone for LockOrderEngine {
    fn feed(&mut self, batch: Batch<'_>) {
        for (number, event) in batch.numbered() {
            self.event(number, event, batch.definitions);
        }
        self.detector.settle();
    }
}

impl Engine for LockOrderEngine {
    fn findings(&mut self, definitions: &Definitions) -> Vec<Finding> {
        let waiting = (0..)
            .zip(&self.threads)
            .filter_map(|(id, thread)| Request::waiting(ThreadId(id), &thread.held, thread.wait.as_ref()?));
        self.detector.search_with(definitions, waiting)
    }

    /// Every combination of places at which the locks of a circle are asked for.
    fn occurrences(&mut self, definitions: &Definitions) -> Vec<Finding> {
        let mut all = Vec::new();
        for mut finding in self.findings(definitions) {
            let variants = std::mem::take(&mut finding.variants);
            let first = std::mem::take(&mut finding.participants);
            for participants in std::iter::once(first).chain(variants) {
                let mut events: Vec<u64> =
                    participants.iter().filter_map(|part| Some(part.wanted.as_ref()?.event)).collect();
                events.sort_unstable();
                let first_seen = collected::time(&participants);
                all.push(Finding { participants, events, first_seen, count: 1, ..finding.clone() });
            }
        }
        all.sort_by_key(|finding| finding.events.last().copied());
        all
    }

    fn bytes(&self) -> u64 {
        self.detector.bytes()
    }

    fn limits(&self) -> Vec<String> {
        self.detector.limits()
    }
}
