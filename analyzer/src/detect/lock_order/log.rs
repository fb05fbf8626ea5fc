//! Every distinct request in few bytes, until it is known which of them can be part of a circle.
//!
//! Most programs, and most of any program, take locks in one order: no circle leads through those requests, and all that has to be known
//! of them is that. So requests are only noted here, side by side; a search takes those that are within a strongly connected component
//! of the graph of locks, and makes of them what the search needs ([`Requests`]).

use std::hint::black_box;

use super::{
    happens_before::Moment,
    index::Index,
    requests::{self, Requests},
};
use crate::{
    detect::request::Request,
    finding::Held,
    lock_pairs::{Components, LockPairs},
};
use lockscope_trace::{Definitions, LockId, Mode, Nanos, SiteId, StackId};

/// Locks held at all distinct requests, together, that are kept: 128 MiB. A thread that never gives back what it takes would make that grow with the square of
/// its events, and so would a file that says so.
const MOST_HELD: usize = 2 << 20;

/// Requests so far, in order of appearance.
#[derive(Debug, Default)]
pub(super) struct Log {
    /// Those of which it is not known yet whether they are new: where that is noted is far away in memory, and what is asked for in a row is
    /// waited for together. None between batches of events.
    pending: Vec<Pending>,
    /// What was held at all of these, one after the other.
    pending_held: Vec<Held>,
    records: Vec<Record>,
    /// What was held at all of them, one after the other.
    held: Vec<Held>,
    record_of: Index,
    /// Requests, repeated ones included.
    times: u64,
    /// What was wanted while what was held.
    pairs: LockPairs,
    /// Requests that there was no room for.
    omitted: u64,
}

#[derive(Debug)]
struct Pending {
    hash: u64,
    /// With where it ends in `pending_held`.
    record: Record,
    is_order: bool,
}

/// Most requests that are pending.
const MOST_PENDING: usize = 32;
/// Locks held at these that are as many as ever are; with more they are no longer near.
const MOST_PENDING_HELD: usize = 16 * MOST_PENDING;

#[derive(Clone, Copy, Debug)]
struct Record {
    moment: Moment,
    lock: LockId,
    mode: Mode,
    timed: bool,
    upgrade: bool,
    recursive: bool,
    site: Option<SiteId>,
    stack: Option<StackId>,
    since: Nanos,
    asked: u64,
    ended: u64,
    /// Where it begins in `held`; it ends where the next one begins.
    held_from: u32,
    times: u64,
}

impl Log {
    /// Takes a request in, `times` times. Returns whether its moment may be asked about.
    ///
    /// It is among those that are looked at after the next [`settle`](Self::settle).
    pub(super) fn add(&mut self, definitions: &Definitions, request: &Request<'_>, moment: Moment, times: u64) -> bool {
        let is_order = requests::is_order(request);
        if !is_order && !requests::is_writer(definitions, request) {
            return false;
        }
        // A writer that holds nothing is in the way wherever it asks.
        let site = if request.held.is_empty() { None } else { request.site };
        let hash = requests::hash(request, moment, site);
        self.pending_held.extend_from_slice(request.held);
        let Request { lock, mode, timed, upgrade, recursive, site, stack, since, asked, ended, .. } = *request;
        let held_from = self.pending_held.len() as u32;
        let record = Record {
            moment,
            lock,
            mode,
            timed,
            upgrade,
            recursive,
            site,
            stack,
            since,
            asked,
            ended,
            held_from,
            times,
        };
        self.pending.push(Pending { hash, record, is_order });
        if self.pending.len() == MOST_PENDING || self.pending_held.len() > MOST_PENDING_HELD {
            self.settle();
        }
        true
    }

    /// Finds out which of the requests are new.
    pub(super) fn settle(&mut self) {
        if self.pending.is_empty() {
            return;
        }
        black_box(self.pending.iter().fold(0, |all, pending| all ^ self.record_of.touch(pending.hash)));
        let (pending, held) = (std::mem::take(&mut self.pending), std::mem::take(&mut self.pending_held));
        let mut from = 0;
        for Pending { hash, record, is_order } in &pending {
            let upto = record.held_from as usize;
            self.settle_one(*hash, record, &held[from..upto], *is_order);
            from = upto;
        }
        // Their memory is used again.
        (self.pending, self.pending_held) = (pending, held);
        self.pending.clear();
        self.pending_held.clear();
    }

    fn settle_one(&mut self, hash: u64, record: &Record, held: &[Held], is_order: bool) {
        self.times += record.times;
        if let Some(index) = self.record_of.find(hash, |index| self.is_same(index as usize, record, held)) {
            self.records[index as usize].times += record.times;
            return;
        }
        let (Ok(index), Ok(held_from)) = (u32::try_from(self.records.len()), u32::try_from(self.held.len())) else {
            return;
        };
        if index == u32::MAX {
            return;
        }
        if self.held.len() + held.len() > MOST_HELD {
            self.omitted += 1;
            return;
        }
        self.record_of.insert(hash, index);
        self.held.extend_from_slice(held);
        if is_order {
            held.iter().for_each(|held| self.pairs.insert(held.lock, record.lock));
        }
        self.records.push(Record { held_from, ..*record });
    }

    fn held(&self, index: usize) -> &[Held] {
        let upto = self.records.get(index + 1).map_or(self.held.len(), |next| next.held_from as usize);
        &self.held[self.records[index].held_from as usize..upto]
    }

    fn is_same(&self, index: usize, other: &Record, theirs: &[Held]) -> bool {
        let (record, held) = (&self.records[index], self.held(index));
        record.moment == other.moment
            && (record.lock, record.mode, record.recursive) == (other.lock, other.mode, other.recursive)
            && (record.site == other.site || held.is_empty())
            && held.len() == theirs.len()
            && std::iter::zip(held, theirs)
                .all(|(mine, theirs)| (mine.lock, mine.mode, mine.site) == (theirs.lock, theirs.mode, theirs.site))
    }

    /// Grows with everything that can make a new circle.
    pub(super) fn version(&self) -> u64 {
        self.records.len() as u64
    }

    /// What was not kept, as a sentence.
    pub(super) fn limits(&self) -> Option<String> {
        let omitted = self.omitted;
        (omitted > 0)
            .then(|| format!("lock orders of {omitted} requests were not kept: threads hold too many locks at a time"))
    }

    /// How many requests there were.
    pub(super) fn times(&self) -> u64 {
        self.times
    }

    /// Locks that are in circles of locks, gate locks and threads aside.
    pub(super) fn components(&self) -> Components {
        self.pairs.components()
    }

    /// The requests that can be part of circles: a lock wanted while another one of its component is held, and writers of these locks.
    pub(super) fn within(&self, definitions: &Definitions, components: &Components) -> Requests {
        if components.is_empty() {
            return Requests::default();
        }
        self.requests(definitions, |log, index| {
            let record = &log.records[index];
            components.get(&record.lock).is_some_and(|home| {
                record.mode == Mode::Exclusive
                    || log.held(index).iter().any(|held| components.get(&held.lock) == Some(home))
            })
        })
    }

    /// All requests.
    pub(super) fn all(&self, definitions: &Definitions) -> Requests {
        self.requests(definitions, |_, _| true)
    }

    fn requests(&self, definitions: &Definitions, is_wanted: impl Fn(&Log, usize) -> bool) -> Requests {
        let mut requests = Requests::default();
        for index in (0..self.records.len()).filter(|&index| is_wanted(self, index)) {
            let record = &self.records[index];
            let Record {
                moment, lock, mode, timed, upgrade, recursive, site, stack, since, asked, ended, times, ..
            } = *record;
            let (thread, held) = (moment.thread, self.held(index));
            let request =
                Request { thread, lock, mode, timed, upgrade, recursive, held, site, stack, since, asked, ended };
            requests.add(definitions, &request, moment, times);
        }
        requests
    }

    /// Bytes that are held.
    pub(super) fn bytes(&self) -> u64 {
        (self.records.capacity() * size_of::<Record>() + self.held.capacity() * size_of::<Held>()) as u64
            + self.record_of.bytes()
            + self.pairs.bytes()
    }
}
