//! Sync-preserving races: pairs of accesses that some reordering of the trace brings next to each other.
//!
//! Mathur, Pavlogiannis and Viswanathan (*Optimal Prediction of Synchronization-Preserving Races*, POPL 2021): two accesses race when the
//! closure of what leads to them contains neither. Sound, and complete for races of this kind.
//!
//! Instead of queues of timestamps for each pair of threads, locks and variables, closures are computed on demand for pairs that nothing
//! simpler keeps apart: accesses to one location, one of which writes, by threads that hold no common lock, of which neither depends on the other.
//! A pair whose closure contains its first access is never looked at again, nor is any with that access and a
//! later one of the same thread; that is what makes the cost linear.
//!
//! Atomic accesses race with nothing; what they read is kept.
//!
//! As long as one lock is held at all accesses to a location, at writes exclusively, none of them races, and they are only noted.
//!
//! Memory: that of [`closure`](super::closure), and 16 bytes for each access but the last between two changes of what its thread holds
//! or depends on; 36 where one lock protects the location, and as much for what is held.

mod accesses;
mod cells;
mod engine;

use lockscope_trace::{Definitions, Event, Op, SiteId, ThreadId, VarId};

pub(super) use self::engine::SyncPEngine;
use self::{accesses::Location, cells::Cells};
use super::closure::{Cut, History, history::Point, sets::Sets};

/// Finds the races while the events come by.
#[derive(Debug, Default)]
pub(crate) struct SyncP {
    history: History,
    cells: Cells,
    sets: Sets,
    locations: Vec<Location>,
    /// For each thread the closure of all that it did, and at which of its turns that was.
    pasts: Vec<Option<(u32, Cut)>>,
    /// A closure that is not in use.
    spare: Cut,
    bytes: usize,
    /// How many closures of pairs were computed.
    pub n_closures: u64,
}

/// Two accesses that race in a reordering of the trace.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Race {
    pub var: VarId,
    /// Who, and the number of the event; in the order of the trace.
    pub accesses: [(ThreadId, u64); 2],
    /// Where.
    pub sites: [Option<SiteId>; 2],
    /// How many of its events each thread does before.
    pub prefixes: Vec<(ThreadId, u64)>,
}

impl SyncP {
    /// Takes in the next event, the one with this number. Returns the first access that this one races with, if there is one.
    pub(crate) fn feed(&mut self, number: u64, event: &Event, definitions: &Definitions) -> Option<Race> {
        let (var, writes) = match event.op {
            Op::Read { var } => (var, false),
            Op::Write { var } => (var, true),
            _ => {
                self.history.feed(event, definitions);
                return None;
            }
        };
        let held = self.history.held_mut(event.thread);
        let row = self.cells.of(held);
        let index = var.0 as usize;
        if index >= self.locations.len() {
            self.locations.resize_with(index + 1, Location::default);
        }
        let location = &mut self.locations[index];
        if location.is_protected(held.iter().map(|hold| (hold.lock, hold.mode)), writes) {
            let point = self.history.feed(event, definitions);
            let turn = self.history.turn(event.thread);
            self.bytes += self.locations[index].add_protected(point, (number, event), writes, row, turn);
            return None;
        }
        for protected in location.take_protected() {
            let set = self.cells.set(protected.row, &mut self.sets);
            self.bytes += location.add_again(&protected, set);
        }
        let set = self.cells.set(row, &mut self.sets);
        let race = self.race(number, event, var, writes, set);
        let point = self.history.feed(event, definitions);
        let turn = self.history.turn(event.thread);
        self.bytes += self.locations[index].add(point, (number, event), writes, set, turn);
        race
    }

    fn race(&mut self, number: u64, event: &Event, var: VarId, writes: bool, set: u32) -> Option<Race> {
        let thread = event.thread;
        let location = self.locations.get_mut(var.0 as usize)?;
        let here = self.history.next_point(thread);
        let mut has_past = false;
        for group in &mut location.groups {
            if group.thread == thread.0
                || !(writes || group.writes)
                || !self.sets.can_overlap(set, group.set)
                || group.first_after(thread.0, self.history.known(thread, group.thread)).is_none()
            {
                continue;
            }
            if !has_past {
                self.history.index();
                refresh(&self.history, &mut self.pasts, here);
                has_past = true;
            }
            let past = self.pasts[thread.0 as usize].as_ref().map(|(_, cut)| cut)?;
            let Some(mut first) = group.first_after(thread.0, past.upto(group.thread)) else { continue };
            let cut = &mut self.spare;
            cut.copy(past);
            loop {
                cut.raise(Point { thread: group.thread, at: first.at - 1 });
                self.n_closures += 1;
                if !self.history.close(cut) {
                    break;
                }
                if cut.contains(here) {
                    break;
                }
                if !cut.contains(Point { thread: group.thread, at: first.at }) {
                    let accesses = [(ThreadId(group.thread), first.event()), (thread, number)];
                    let sites = [first.site, event.site];
                    return Some(Race { var, accesses, sites, prefixes: cut.prefixes() });
                }
                match group.first_after(thread.0, cut.upto(group.thread)) {
                    Some(next) => first = next,
                    None => break,
                }
            }
        }
        None
    }

    /// Whether some events are missing, so that no reordering can be trusted.
    pub(crate) fn is_incomplete(&self) -> bool {
        self.history.is_incomplete()
    }

    /// Bytes in use, roughly.
    pub(crate) fn bytes(&self) -> usize {
        let cuts = self.pasts.len() * (4 * self.history.n_threads() + 64);
        self.history.bytes()
            + self.cells.bytes()
            + self.sets.bytes()
            + self.locations.capacity() * size_of::<Location>()
            + self.bytes
            + cuts
    }
}

/// Makes the thread's closure one of all that comes before `here`.
fn refresh(history: &History, pasts: &mut Vec<Option<(u32, Cut)>>, here: Point) {
    let index = here.thread as usize;
    if index >= pasts.len() {
        pasts.resize_with(index + 1, || None);
    }
    let (turn, cut) = pasts[index].get_or_insert_with(|| (u32::MAX, Cut::default()));
    cut.grow(history.n_threads().max(index + 1));
    let now = history.turn(ThreadId(here.thread));
    let before = Point { thread: here.thread, at: here.at - 1 };
    if *turn == now {
        // Nothing but its own length changed.
        cut.lengthen(before);
    } else {
        cut.raise(before);
        history.close(cut);
        *turn = now;
    }
}
