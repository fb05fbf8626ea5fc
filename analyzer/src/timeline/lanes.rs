//! What threads and locks did over time, for pictures with a lane for each: per event what it changed, and per block of
//! events what was seen in it, so that a picture of the whole run need not look at every event.

use std::collections::BTreeMap;

use lockscope_trace::{Event, LockId, Nanos, Op, ThreadId};

use super::{
    block::{Block, PAGE, mutex_of_wait, other_thread},
    folds::Fold,
};
use crate::{
    finding::Target,
    state::{Activity, LockState, State, ThreadState},
};

/// A lane of a picture.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Lane {
    /// What a thread does and holds.
    Thread(ThreadId),
    /// Whether a lock is held and waited for.
    Lock(LockId),
}

/// What a lane shows at a moment, or all that it showed in a stretch of time, as a set.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub struct Shown(pub u8);

impl Shown {
    /// A thread runs.
    pub const RUNNING: Shown = Shown(1);
    /// A thread sleeps.
    pub const SLEEPING: Shown = Shown(2);
    /// A thread waits; a lock is waited for and not held: it is being handed over.
    pub const WAITING: Shown = Shown(4);
    /// A thread holds something that nobody waits for; a lock is held, and nobody waits for it.
    pub const HELD: Shown = Shown(8);
    /// The same, and others wait.
    pub const CONTENDED: Shown = Shown(16);
    /// A thread has ended, a lock was destroyed.
    pub const ENDED: Shown = Shown(32);

    /// Whether it includes all of another.
    pub fn has(self, other: Shown) -> bool {
        self.0 & other.0 == other.0
    }

    /// Both together.
    pub fn and(self, other: Shown) -> Shown {
        Shown(self.0 | other.0)
    }
}

/// A lane shows something else from an event on.
#[derive(Clone, Copy, Debug)]
pub(super) struct Change {
    lane: u32,
    shown: Shown,
}

impl Change {
    pub(super) fn write(&self, event: u8, out: &mut Vec<u8>) {
        out.extend([event, self.shown.0]);
        let mut lane = self.lane;
        while lane >= 0x80 {
            out.push(lane as u8 | 0x80);
            lane >>= 7;
        }
        out.push(lane as u8);
    }

    pub(super) fn read(mut bytes: &[u8]) -> impl Iterator<Item = (u8, Change)> {
        std::iter::from_fn(move || {
            let [event, shown, rest @ ..] = bytes else { return None };
            let len = rest.iter().position(|byte| *byte < 0x80)? + 1;
            let lane = rest[..len].iter().rev().fold(0, |lane, byte| lane << 7 | u32::from(byte & 0x7f));
            bytes = &rest[len..];
            Some((*event, Change { lane, shown: Shown(*shown) }))
        })
    }
}

/// Threads and locks have ids below 2^31: a file has not room for more.
fn key(lane: Lane) -> u32 {
    match lane {
        Lane::Thread(ThreadId(id)) => id << 1,
        Lane::Lock(LockId(id)) => id << 1 | 1,
    }
}

/// What a full block does to the lanes that change in it, by lane.
#[derive(Debug)]
pub(super) struct Summary(pub(super) Vec<(u32, Shown, Shown)>);

impl Summary {
    pub(super) fn weight(&self) -> usize {
        size_of_val(&*self.0)
    }
}

/// Follows what every lane shows.
#[derive(Debug, Default)]
pub(super) struct Follower {
    now: Vec<[Shown; 2]>,
    /// What was seen in the block that is being filled, and what is shown at its end.
    open: BTreeMap<u32, (Shown, Shown)>,
    locks: Vec<LockId>,
    threads: Vec<ThreadId>,
    changes: Vec<Change>,
}

impl Follower {
    /// To be called before the event is applied: takes down whose lanes it may change.
    pub(super) fn before(&mut self, event: &Event, state: &State) {
        self.locks.clear();
        self.threads.clear();
        self.threads.push(event.thread);
        self.threads.extend(other_thread(&event.op));
        self.locks.extend(event.op.lock());
        self.locks.extend(mutex_of_wait(&event.op));
        // What a thread waited for it may not wait for any more.
        for idx in 0..self.threads.len() {
            self.wanted(self.threads[idx], state);
        }
        match event.op {
            Op::Dropped { .. } => {
                let held = state.thread(event.thread).map_or(&[][..], |thread| &thread.held);
                self.locks.extend(held.iter().map(|held| held.lock));
            }
            Op::Destroyed { lock } => self.holders(lock, state),
            _ => {}
        }
    }

    /// To be called after it: what changed.
    pub(super) fn after(&mut self, event: &Event, state: &State) -> &[Change] {
        self.wanted(event.thread, state);
        self.locks.sort_unstable();
        self.locks.dedup();
        for idx in 0..self.locks.len() {
            self.holders(self.locks[idx], state);
        }
        self.threads.sort_unstable();
        self.threads.dedup();
        self.changes.clear();
        for idx in 0..self.threads.len() {
            let id = self.threads[idx];
            self.set(key(Lane::Thread(id)), shown(Lane::Thread(id), state));
        }
        for idx in 0..self.locks.len() {
            let id = self.locks[idx];
            self.set(key(Lane::Lock(id)), shown(Lane::Lock(id), state));
        }
        &self.changes
    }

    /// What the block that is full now did.
    pub(super) fn take_summary(&mut self) -> Summary {
        Summary(std::mem::take(&mut self.open).into_iter().map(|(lane, (all, end))| (lane, all, end)).collect())
    }

    fn wanted(&mut self, thread: ThreadId, state: &State) {
        for target in state.thread(thread).into_iter().flat_map(ThreadState::targets) {
            if let Target::Lock(lock, _) | Target::Object(lock, _) = target {
                self.locks.push(lock);
            }
        }
    }

    fn holders(&mut self, lock: LockId, state: &State) {
        let holders = state.lock(lock).map_or(&[][..], |lock| &lock.holders);
        self.threads.extend(holders.iter().map(|(thread, ..)| *thread));
    }

    fn set(&mut self, lane: u32, shown: Shown) {
        let (index, which) = (lane as usize >> 1, lane as usize & 1);
        if index >= self.now.len() {
            self.now.resize(index + 1, Default::default());
        }
        if self.now[index][which] == shown {
            return;
        }
        self.now[index][which] = shown;
        let (all, end) = self.open.entry(lane).or_default();
        (*all, *end) = (all.and(shown), shown);
        self.changes.push(Change { lane, shown });
    }
}

/// What a lane shows at a moment.
pub(super) fn shown(lane: Lane, state: &State) -> Shown {
    match lane {
        Lane::Thread(id) => state.thread(id).map_or(Shown::default(), |thread| of_thread(thread, state)),
        Lane::Lock(id) => state.lock(id).map_or(Shown::default(), of_lock),
    }
}

/// What a thread's lane shows.
fn of_thread(thread: &ThreadState, state: &State) -> Shown {
    let does = match thread.activity {
        Activity::NotStarted => return Shown::default(),
        Activity::Finished => return Shown::ENDED,
        Activity::Running => Shown::RUNNING,
        Activity::Sleeping { .. } => Shown::SLEEPING,
        Activity::Blocked(_) => Shown::WAITING,
    };
    let is_wanted = |lock: LockId| state.lock(lock).is_some_and(|lock| !lock.waiters.is_empty());
    match thread.held.as_slice() {
        [] => does,
        held if held.iter().any(|held| is_wanted(held.lock)) => does.and(Shown::CONTENDED),
        _ => does.and(Shown::HELD),
    }
}

/// What a lock's lane shows.
fn of_lock(lock: &LockState) -> Shown {
    match (lock.holders.is_empty(), lock.waiters.is_empty()) {
        _ if lock.destroyed => Shown::ENDED,
        (true, true) => Shown::default(),
        (true, false) => Shown::WAITING,
        (false, true) => Shown::HELD,
        (false, false) => Shown::CONTENDED,
    }
}

/// A lane that is not in the picture.
const NOT_DRAWN: u32 = u32::MAX;

/// Columns of a picture that is being made.
pub(super) struct Picture {
    /// First moment, and one past the last.
    window: (Nanos, Nanos),
    n_columns: usize,
    /// The place of each lane that is drawn, by its key; most of what happens is of others, and this is asked for all of it.
    places: Vec<u32>,
    keys: Vec<u32>,
    /// Of each lane: what it shows now, from which column on that has to be drawn, and what was drawn.
    lanes: Vec<(Shown, usize, Vec<Shown>)>,
}

impl Picture {
    /// Begins with what is shown at the first moment.
    pub(super) fn new(window: (Nanos, Nanos), n_columns: usize, lanes: &[Lane], state: &State) -> Picture {
        let keys: Vec<u32> = lanes.iter().map(|lane| key(*lane)).collect();
        let mut places = vec![NOT_DRAWN; keys.iter().max().map_or(0, |key| *key as usize + 1)];
        for (place, &key) in (0..).zip(&keys) {
            places[key as usize] = place;
        }
        Picture {
            window,
            n_columns,
            places,
            keys,
            lanes: lanes.iter().map(|&lane| (shown(lane, state), 0, vec![Shown::default(); n_columns])).collect(),
        }
    }

    /// Adds the events of a block from an index on. Returns whether the window goes on after it.
    pub(super) fn add(&mut self, block: &Block, from: usize) -> bool {
        if block.begin >= self.window.1 {
            return false;
        }
        if let Some(summary) = block.summary.as_ref().filter(|_| from == 0)
            && self.add_summary(summary, block.begin, block.latest)
        {
            return true;
        }
        for page in from / PAGE..block.pages.len() {
            let begin = block.pages[page].begin;
            let end = block.pages.get(page + 1).map_or(block.latest, |next| next.begin);
            if begin >= self.window.1 {
                return false;
            }
            let (first, last) = (self.column(begin), self.column(end));
            let skip = from.saturating_sub(page * PAGE);
            let mut times = Vec::new();
            if first != last || end >= self.window.1 {
                let mut reached = begin;
                times.extend(block.page(page).map(|event| {
                    reached = reached.max(event.time);
                    reached
                }));
            }
            for (event, Change { lane, shown }) in block.changes(page) {
                if usize::from(event) < skip {
                    continue;
                }
                let time = times.get(usize::from(event)).copied().unwrap_or(begin);
                if time >= self.window.1 {
                    return false;
                }
                let column = self.column(time);
                let is_at_its_start =
                    !times.is_empty() && time > self.window.0 && self.column(Nanos(time.0 - 1)) < column;
                self.set(lane, column, is_at_its_start, shown, shown);
            }
        }
        true
    }

    /// Adds some blocks at once. Whether that could be done: they are in one column.
    pub(super) fn add_fold(&mut self, fold: &Fold) -> bool {
        self.add_summary(&fold.summary, fold.begin, fold.latest)
    }

    fn add_summary(&mut self, Summary(lanes): &Summary, begin: Nanos, latest: Nanos) -> bool {
        let column = self.column(begin);
        if column != self.column(latest) || latest >= self.window.1 {
            return false;
        }
        // Whichever list is shorter is gone through.
        if lanes.len() <= 8 * self.keys.len() {
            lanes.iter().for_each(|&(lane, all, end)| self.set(lane, column, false, all, end));
        } else {
            for idx in 0..self.keys.len() {
                let lane = self.keys[idx];
                if let Ok(at) = lanes.binary_search_by_key(&lane, |(lane, ..)| *lane) {
                    self.set(lane, column, false, lanes[at].1, lanes[at].2);
                }
            }
        }
        true
    }

    /// Draws what is still shown, up to a moment.
    pub(super) fn finish(mut self, end: Nanos) -> Vec<Vec<Shown>> {
        let upto = if end < self.window.0 { 0 } else { self.column(end) + 1 };
        for (shown, from, drawn) in &mut self.lanes {
            drawn[(*from).min(upto)..upto].iter_mut().for_each(|column| *column = column.and(*shown));
        }
        self.lanes.into_iter().map(|(.., drawn)| drawn).collect()
    }

    fn column(&self, time: Nanos) -> usize {
        let (from, to) = self.window;
        let column = u128::from(time.since(from).0) * self.n_columns as u128 / u128::from(to.since(from).0.max(1));
        (column as usize).min(self.n_columns.saturating_sub(1))
    }

    /// From a column on the lane shows `end`; `all` of it was seen there. At the start of the column nothing else was.
    fn set(&mut self, lane: u32, column: usize, is_at_its_start: bool, all: Shown, end: Shown) {
        let place = self.places.get(lane as usize).copied().unwrap_or(NOT_DRAWN);
        let Some((shown, from, drawn)) = self.lanes.get_mut(place as usize) else { return };
        let upto = if is_at_its_start { column } else { column + 1 };
        drawn[(*from).min(upto)..upto].iter_mut().for_each(|drawn| *drawn = drawn.and(*shown));
        drawn[column] = drawn[column].and(all);
        (*shown, *from) = (end, column);
    }
}
