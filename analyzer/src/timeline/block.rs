//! Some thousand events in few bytes, with what is needed to skip them: their times, who occurs in them, and what they
//! did to the lanes of threads and locks.

use lockscope_trace::{Event, LockId, Nanos, Op, ThreadId};

use super::{
    Track,
    codec::{self, Decoder},
    lanes::{Change, Summary},
};

/// Events per block. A block never changes once it is full.
pub(super) const BLOCK: usize = 1 << 14;
/// Events per page: what has to be decoded to get at one of them.
pub(super) const PAGE: usize = 1 << 8;

#[derive(Debug)]
pub(super) struct Block {
    bytes: Vec<u8>,
    changes: Vec<u8>,
    pub(super) pages: Vec<Page>,
    len: usize,
    /// Time of the last event, as the page needs it.
    before: Nanos,
    /// Time that was reached before this block.
    pub(super) begin: Nanos,
    /// Time that is reached with its last event.
    pub(super) latest: Nanos,
    /// Which threads and locks occur here, by id modulo the number of bits: stepping skips blocks without them.
    threads: Bits,
    locks: Bits,
    /// The same of those that wait here, and are waited for.
    waiting: Bits,
    awaited: Bits,
    /// What it does to each lane, once it is full.
    pub(super) summary: Option<Summary>,
}

/// Where a page begins.
#[derive(Debug)]
pub(super) struct Page {
    events: u32,
    changes: u32,
    /// Time that was reached before this page.
    pub(super) begin: Nanos,
}

#[derive(Debug, Default, Clone, Copy)]
struct Bits([u64; 8]);

impl Bits {
    fn insert(&mut self, id: u32) {
        self.0[(id as usize >> 6) & 7] |= 1 << (id & 63);
    }

    fn may_contain(&self, id: u32) -> bool {
        self.0[(id as usize >> 6) & 7] & (1 << (id & 63)) != 0
    }
}

impl Block {
    pub(super) fn new(begin: Nanos) -> Block {
        Block {
            bytes: Vec::new(),
            changes: Vec::new(),
            pages: Vec::new(),
            len: 0,
            before: begin,
            begin,
            latest: begin,
            threads: Bits::default(),
            locks: Bits::default(),
            waiting: Bits::default(),
            awaited: Bits::default(),
            summary: None,
        }
    }

    /// Number of events.
    pub(super) fn len(&self) -> usize {
        self.len
    }

    pub(super) fn is_full(&self) -> bool {
        self.len == BLOCK
    }

    /// Bytes that it takes.
    pub(super) fn weight(&self) -> usize {
        let summary = self.summary.as_ref().map_or(0, Summary::weight);
        self.bytes.capacity() + self.changes.capacity() + self.pages.capacity() * size_of::<Page>() + summary
    }

    /// Appends an event, the time that is reached with it, and what it changes.
    pub(super) fn push(&mut self, event: &Event, latest: Nanos, changes: &[Change]) {
        if self.len.is_multiple_of(PAGE) {
            self.before = self.latest;
            let (events, changes) = (self.bytes.len() as u32, self.changes.len() as u32);
            self.pages.push(Page { events, changes, begin: self.latest });
        }
        codec::encode(event, self.before, &mut self.bytes);
        let number = (self.len % PAGE) as u8;
        changes.iter().for_each(|change| change.write(number, &mut self.changes));
        self.before = event.time;
        self.latest = latest;
        self.len += 1;
        self.threads.insert(event.thread.0);
        if let Some(child) = other_thread(&event.op) {
            self.threads.insert(child.0);
        }
        if let Some(lock) = event.op.lock() {
            self.locks.insert(lock.0);
        }
        if let Some(mutex) = mutex_of_wait(&event.op) {
            self.locks.insert(mutex.0);
        }
        if is_wait(&event.op) {
            self.waiting.insert(event.thread.0);
            let awaited = event.op.lock().into_iter().chain(mutex_of_wait(&event.op));
            awaited.for_each(|lock| self.awaited.insert(lock.0));
        }
    }

    /// Gives back room that is not needed any more.
    pub(super) fn close(&mut self, summary: Summary) {
        self.bytes.shrink_to_fit();
        self.changes.shrink_to_fit();
        self.summary = Some(summary);
    }

    /// Events of a page, in order.
    pub(super) fn page(&self, page: usize) -> Decoder<'_> {
        let Some(here) = self.pages.get(page) else { return Decoder::new(&[], Nanos(0)) };
        let end = self.pages.get(page + 1).map_or(self.bytes.len(), |next| next.events as usize);
        Decoder::new(&self.bytes[here.events as usize..end], here.begin)
    }

    /// What a page changes, each with the number of its event in the page.
    pub(super) fn changes(&self, page: usize) -> impl Iterator<Item = (u8, Change)> {
        let here = &self.pages[page];
        let end = self.pages.get(page + 1).map_or(self.changes.len(), |next| next.changes as usize);
        Change::read(&self.changes[here.changes as usize..end])
    }

    /// The event at an index.
    pub(super) fn event(&self, index: usize) -> Option<Event> {
        self.page(index / PAGE).nth(index % PAGE)
    }

    /// How many events there are up to a time, from the beginning of the block.
    pub(super) fn position_at(&self, time: Nanos) -> usize {
        // The last page that begins no later.
        let page = self.pages.partition_point(|page| page.begin <= time).saturating_sub(1);
        let inside = self.page(page).take_while(|event| event.time <= time).count();
        page * PAGE + inside
    }

    /// Time that is reached with the event at an index.
    pub(super) fn time_at(&self, index: usize) -> Nanos {
        let (page, inside) = (index / PAGE, index % PAGE);
        let begin = self.pages.get(page).map_or(self.begin, |page| page.begin);
        self.page(page).take(inside + 1).map(|event| event.time).fold(begin, Nanos::max)
    }

    /// Whether events of the track may be in here.
    pub(super) fn may_contain(&self, track: Track) -> bool {
        match track {
            Track::All => true,
            Track::Thread(thread) => self.threads.may_contain(thread.0),
            Track::Lock(lock) => self.locks.may_contain(lock.0),
        }
    }

    /// Whether waits of the track may be in here.
    pub(super) fn may_contain_waits(&self, track: Track) -> bool {
        match track {
            Track::All => self.waiting.0 != [0; 8],
            Track::Thread(thread) => self.waiting.may_contain(thread.0),
            Track::Lock(lock) => self.awaited.may_contain(lock.0),
        }
    }

    /// Index of the first event from `start` on that fits.
    pub(super) fn find(&self, start: usize, fits: impl Fn(&Event) -> bool) -> Option<usize> {
        for page in start / PAGE..self.pages.len() {
            let skip = start.saturating_sub(page * PAGE);
            let found = self.page(page).enumerate().skip(skip).find(|(_, event)| fits(event));
            if let Some((index, _)) = found {
                return Some(page * PAGE + index);
            }
        }
        None
    }

    /// Index of the last event before `end` that fits.
    pub(super) fn find_last(&self, end: usize, fits: impl Fn(&Event) -> bool) -> Option<usize> {
        for page in (0..end.div_ceil(PAGE).min(self.pages.len())).rev() {
            let upto = (end - page * PAGE).min(PAGE);
            let found = self.page(page).take(upto).enumerate().filter(|(_, event)| fits(event)).last();
            if let Some((index, _)) = found {
                return Some(page * PAGE + index);
            }
        }
        None
    }
}

/// Whether an event belongs to a track: a thread's own and what is done to it, or what is done to a lock.
pub(super) fn concerns(event: &Event, track: Track) -> bool {
    match track {
        Track::All => true,
        Track::Thread(thread) => event.thread == thread || other_thread(&event.op) == Some(thread),
        Track::Lock(lock) => event.op.lock() == Some(lock) || mutex_of_wait(&event.op) == Some(lock),
    }
}

/// Whether a thread begins to wait for others.
pub(super) fn is_wait(op: &Op) -> bool {
    matches!(op, Op::Wait { .. } | Op::CondWait { .. } | Op::Block { .. } | Op::Park { .. } | Op::JoinWait { .. })
}

/// The thread that another one's event is about as well.
pub(super) fn other_thread(op: &Op) -> Option<ThreadId> {
    match *op {
        Op::Spawn { child } | Op::JoinWait { child } | Op::Joined { child } => Some(child),
        Op::Unpark { thread } => Some(thread),
        Op::Released { owner, .. }
        | Op::PermitsReleased { owner, .. }
        | Op::PermitsForgotten { owner, .. }
        | Op::HandleDropped { owner, .. } => Some(owner),
        _ => None,
    }
}

/// The mutex of a wait on a condition variable.
pub(super) fn mutex_of_wait(op: &Op) -> Option<LockId> {
    match *op {
        Op::CondWait { mutex, .. } | Op::CondWake { mutex, .. } => Some(mutex),
        _ => None,
    }
}
