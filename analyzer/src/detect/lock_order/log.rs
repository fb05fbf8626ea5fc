//! Every distinct request in few bytes, until it is known which of them can be part of a circle.
//!
//! Most programs, and most of any program, take locks in one order: no circle leads through those requests, and all that has to be known
//! of them is that. So requests are only noted here, side by side; a search takes those that are within a strongly connected component
//! of the graph of locks, and makes of them what the search needs ([`Requests`]).

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
    /// Takes a request in, `times` times. Returns whether it is a new one, whose moment may be asked about.
    pub(super) fn add(&mut self, definitions: &Definitions, request: &Request<'_>, moment: Moment, times: u64) -> bool {
        let is_order = requests::is_order(request);
        if !is_order && !requests::is_writer(definitions, request) {
            return false;
        }
        self.times += times;
        // A writer that holds nothing is in the way wherever it asks.
        let site = if request.held.is_empty() { None } else { request.site };
        let hash = requests::hash(request, moment, site);
        if let Some(index) = self.record_of.find(hash, |index| self.is_same(index as usize, request, moment)) {
            self.records[index as usize].times += times;
            return false;
        }
        let (Ok(index), Ok(held_from)) = (u32::try_from(self.records.len()), u32::try_from(self.held.len())) else {
            return false;
        };
        if index == u32::MAX {
            return false;
        }
        if self.held.len() + request.held.len() > MOST_HELD {
            self.omitted += 1;
            return false;
        }
        self.record_of.insert(hash, index);
        self.held.extend_from_slice(request.held);
        if is_order {
            request.held.iter().for_each(|held| self.pairs.insert(held.lock, request.lock));
        }
        let Request { lock, mode, timed, upgrade, recursive, site, stack, since, asked, ended, .. } = *request;
        let what = (timed, upgrade, recursive);
        self.records.push(Record {
            moment,
            lock,
            mode,
            timed: what.0,
            upgrade: what.1,
            recursive: what.2,
            site,
            stack,
            since,
            asked,
            ended,
            held_from,
            times,
        });
        true
    }

    fn held(&self, index: usize) -> &[Held] {
        let upto = self.records.get(index + 1).map_or(self.held.len(), |next| next.held_from as usize);
        &self.held[self.records[index].held_from as usize..upto]
    }

    fn is_same(&self, index: usize, request: &Request<'_>, moment: Moment) -> bool {
        let (record, held) = (&self.records[index], self.held(index));
        record.moment == moment
            && (record.lock, record.mode, record.recursive) == (request.lock, request.mode, request.recursive)
            && (record.site == request.site || held.is_empty())
            && held.len() == request.held.len()
            && std::iter::zip(held, request.held)
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
