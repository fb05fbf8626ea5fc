//! Sync-preserving deadlocks: circles of requests that some reordering of the trace runs into, with the reordering.
//!
//! SPDOffline of Tunç, Mathur, Pavlogiannis and Viswanathan (*Sound Dynamic Deadlock Prediction in Linear Time*, PLDI 2023, section
//! 4): abstract deadlock patterns first, then for each one the least instance that its own closure does not contain. Sound, and
//! complete for deadlocks of this kind: each abstract pattern that has such an instance is reported with the earliest one.
//!
//! Beyond the paper's mutexes: read-write locks (readers keep no reader out), upgrades, locks taken again by their holders, guards
//! that are released by other threads; and whatever else orders threads, see [`closure`](super::closure). Requests with a time
//! limit and tries are in no circle, since they end by themselves.
//!
//! - `nodes` notes requests while the events come by, and makes abstract acquisitions of those that can be in circles.
//! - `patterns` searches circles of them.
//! - `instances` searches an instance of a pattern.
//! - `engine` chooses what is claimed.

#[cfg(test)]
mod corpus;
mod engine;
mod instances;
mod nodes;
mod patterns;
#[cfg(test)]
mod tests;

use lockscope_trace::{Definitions, Event, How, Op};

use self::{nodes::Requests, patterns::Patterns};
use super::closure::History;

pub(super) use self::engine::SpdEngine;
pub(crate) use self::instances::Deadlock;

/// Collects what the search needs, then searches.
#[derive(Debug, Default)]
pub(crate) struct Spd {
    history: History,
    requests: Requests,
}

/// What a search found.
#[derive(Debug, Default)]
pub(crate) struct Predicted {
    /// For each abstract pattern that has one, the earliest sync-preserving instance.
    pub deadlocks: Vec<Deadlock>,
    /// Circles of this length and longer ones may be missing.
    pub cut_at: Option<usize>,
}

impl Spd {
    /// See [`History::touch`].
    pub(crate) fn touch(&self, events: &[Event]) -> usize {
        self.history.touch(events)
    }

    /// Takes in the next event, the one with this number.
    pub(crate) fn feed(&mut self, number: u64, event: &Event, definitions: &Definitions) {
        if let Op::Acquired { lock, how, .. } = event.op {
            let held = self.history.held(event.thread);
            let is_again = |how| how != How::Upgrade && held.iter().any(|hold| hold.lock == lock);
            let asks = match how {
                How::Lock | How::Recursive | How::Upgrade => true,
                How::CondvarReacquire => self.history.is_notified(event.thread),
                How::Try | How::Timed | How::RecursiveTimed | How::Downgrade => false,
            };
            if asks && !held.is_empty() && !is_again(how) {
                let section = self.history.next_section();
                self.requests.add(event, number, section);
                if how == How::Upgrade {
                    self.requests.add_upgrade(section, held);
                }
            }
        }
        self.history.feed(event, definitions);
    }

    /// Searches the events so far, in at most so many steps. O(events) for each pattern at worst.
    pub(crate) fn search(&mut self, budget: u64) -> Predicted {
        let nodes = self.requests.nodes(&self.history);
        let patterns = Patterns::search(&nodes, budget);
        let mut found = Predicted { cut_at: patterns.cut_at, ..Predicted::default() };
        if !patterns.all.is_empty() && !self.history.is_incomplete() {
            self.history.index();
            found.deadlocks = instances::search(&self.history, &nodes, &patterns.all);
        }
        found
    }

    /// Bytes in use, roughly.
    pub(crate) fn bytes(&self) -> usize {
        self.history.bytes() + self.requests.bytes()
    }
}
