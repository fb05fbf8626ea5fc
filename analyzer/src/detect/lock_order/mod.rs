//! Lock-order inversions: circles of requests that did not meet in this run, but could.
//!
//! Goodlock (Havelund 2000; Bensalem and Havelund 2005) in the form of iGoodlock (Joshi et al., PLDI 2009): a request is
//! a lock wanted while others are held; requests form a circle when each one's lock is held by the next. A circle is
//! reported unless it is one thread's doing, or two of its threads hold a common lock around it (a gate lock), or one is over before
//! the other begins in every run: by fork and join, by messages and the like. What only was so in this run is said. Other
//! data that the threads pass to each other is not looked at: a finding is *potential*.
//!
//! - `log` keeps each distinct request once, so that memory and search depend on the program and not on the length of the run;
//!   `requests` has those that can be part of circles, by what is held and wanted.
//! - `cycles` searches circles within strongly connected components of the graph of locks.
//! - `assign` finds distinct threads for the requests of a circle, and all pairs of places.
//! - `report` makes findings.
//! - `happens_before` knows what is over before what, `sync` why.

mod assign;
mod cycles;
mod happens_before;
mod index;
mod log;
mod report;
mod requests;
mod sync;
#[cfg(test)]
mod tests;

use lockscope_trace::{Definitions, Event, LockId, Mode, ThreadId};

use self::{
    assign::Assigner, cycles::Search, happens_before::HappensBefore, log::Log, report::Circles, requests::Requests,
};
use super::{Context, Detector, request::Request};
use crate::{analysis::Options, finding::Finding, lock_pairs::Components};

pub use self::requests::Group;

/// Finds lock-order inversions.
#[derive(Debug)]
pub struct LockOrder {
    options: Options,
    lives: HappensBefore,
    log: Log,
    found: Option<Found>,
}

/// Result of a search, valid while the requests it was made from are all.
#[derive(Debug)]
struct Found {
    version: u64,
    /// Of these locks, and requests for them as they were counted then.
    components: Components,
    requests: Requests,
    times: u64,
    circles: Circles,
    limits: Vec<String>,
}

impl LockOrder {
    /// A detector that has seen nothing yet.
    pub fn new(options: Options) -> Self {
        LockOrder { options, lives: HappensBefore::default(), log: Log::default(), found: None }
    }

    /// The distinct requests so far. Linear in their number.
    pub fn groups(&self, definitions: &Definitions) -> Vec<Group> {
        self.log.all(definitions).into_groups()
    }

    /// The thread does something that has nothing to do with locks.
    #[inline]
    pub(crate) fn acts(&mut self, thread: ThreadId) {
        self.lives.acts(thread);
    }

    /// Bytes that are held, roughly.
    pub fn bytes(&self) -> u64 {
        self.log.bytes()
    }

    /// Takes in what an event says of the order of threads.
    #[inline]
    pub(crate) fn event(&mut self, definitions: &Definitions, event: &Event) {
        self.lives.event(definitions, event);
    }

    /// Takes in a request, so many times.
    pub(crate) fn add(&mut self, definitions: &Definitions, request: &Request<'_>, times: u64) {
        let moment = self.lives.now(request.thread);
        if self.log.add(definitions, request, moment, times) {
            self.lives.ask(request.thread);
        }
    }

    /// Has to be called after each batch of events, before anything is asked.
    pub(crate) fn settle(&mut self) {
        self.log.settle();
    }

    /// Searches when there are new requests since the last time, those included that threads wait with; within
    /// [`Options::cycle_budget`].
    pub(crate) fn search_with<'a>(
        &mut self,
        definitions: &Definitions,
        waiting: impl Iterator<Item = Request<'a>>,
    ) -> Vec<Finding> {
        // A thread that waits for ever has an order, too. It is counted when its wait ends.
        for request in waiting {
            self.add(definitions, &request, 0);
        }
        self.log.settle();
        let version = self.log.version() + self.lives.version();
        let mut found = match self.found.take() {
            Some(found) if found.version == version => found,
            _ => self.search(definitions, version),
        };
        if found.times != self.log.times() {
            found.times = self.log.times();
            found.requests = self.log.within(definitions, &found.components);
        }
        let Found { circles, requests, .. } = &*self.found.insert(found);
        circles.findings(definitions, requests)
    }

    fn search(&self, definitions: &Definitions, version: u64) -> Found {
        let components = self.log.components();
        let (requests, times) = (self.log.within(definitions, &components), self.log.times());
        let groups = requests.groups();
        let search = Search::run(groups, &self.options);
        let mut assigner = Assigner::new(&requests, &self.lives, self.options.cycle_budget);
        let mut circles = Circles::default();
        for cycle in &search.cycles {
            circles.add(definitions, groups, cycle, assigner.variants(cycle), &self.lives);
        }
        let limits = [search.limits(&self.options), assigner.limits(), requests.limits()];
        let limits = limits.into_iter().flatten().collect();
        Found { version, components, requests, times, circles, limits }
    }
}

impl Detector for LockOrder {
    fn before(&mut self, context: &Context<'_>, event: &Event) {
        self.event(context.definitions, event);
        if let Some(request) = Request::ended_by(event, context.state) {
            self.add(context.definitions, &request, 1);
        }
    }

    fn findings(&mut self, context: &Context<'_>) -> Vec<Finding> {
        self.search_with(context.definitions, Request::pending(context.state))
    }

    fn limits(&self) -> Vec<String> {
        self.found.iter().flat_map(|found| found.limits.clone()).chain(self.log.limits()).collect()
    }
}

/// Whether a thread that holds `held` and another that holds `other` can be in these sections at the same time: no lock
/// is in both sets in modes that exclude each other. A lock that is in both is a gate lock otherwise.
fn can_overlap(held: &[(LockId, Mode)], other: &[(LockId, Mode)]) -> bool {
    // Both are sorted; they are short.
    held.iter().all(|&(lock, mode)| {
        other.iter().filter(|&&(theirs, _)| theirs == lock).all(|&(_, theirs)| mode.compatible(theirs))
    })
}
