//! The events of a trace in memory, and the state at each of them.
//!
//! A position is the number of events before it: position 0 is the start, position n is after the n-th event. Seeking
//! takes the nearest earlier checkpoint and replays the events since.
//!
//! Events are kept in few bytes, not read again from their file: a flight recorder overwrites it, a pipe has none,
//! and merging its threads again would cost more than the memory, which is about that of the file itself. `lanes`
//! summarises what threads and locks did, for pictures of any stretch of time.

mod block;
mod checkpoints;
mod codec;
mod folds;
mod lanes;
#[cfg(test)]
mod tests;

use std::ops::Range;

use lockscope_trace::{Event, LockId, Nanos, ThreadId};

pub use self::lanes::{Lane, Shown};
use self::{
    block::{BLOCK, Block, PAGE, concerns, is_wait},
    checkpoints::{Checkpoints, LEAST_LIMIT},
    folds::Folds,
    lanes::{Follower, Picture},
};
use crate::state::State;

/// Events kept in their merged order, with checkpoints of the state.
#[derive(Debug, Default)]
pub struct Timeline {
    blocks: Vec<Block>,
    latest: State,
    checkpoints: Checkpoints,
    follower: Follower,
    folds: Folds,
    /// Bytes of all full blocks.
    weight: usize,
}

/// Events that belong together.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Track {
    /// All of them.
    All,
    /// Those of a thread, and what is done to it: its spawn and join, releases of what it had acquired.
    Thread(ThreadId),
    /// Those of a lock.
    Lock(LockId),
}

impl Timeline {
    /// Appends the next event. O(1) besides what [`State::apply`] takes.
    pub fn push(&mut self, event: Event) {
        if self.blocks.last().is_none_or(Block::is_full) {
            self.blocks.push(Block::new(self.latest.time));
        }
        self.follower.before(&event, &self.latest);
        self.latest.apply(&event);
        let changes = self.follower.after(&event, &self.latest);
        let block = self.blocks.last_mut().expect("pushed above when there was none");
        block.push(&event, self.latest.time, changes);
        if block.is_full() {
            block.close(self.follower.take_summary());
            self.weight += block.weight();
            self.folds.add(&self.blocks);
        }
        self.checkpoints.offer(&self.latest, self.weight.max(LEAST_LIMIT));
    }

    /// Appends events.
    pub fn extend(&mut self, events: &[Event]) {
        for &event in events {
            self.push(event);
        }
    }

    /// How many events there are; also the last position.
    pub fn len(&self) -> u64 {
        self.latest.position
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.blocks.is_empty()
    }

    /// Bytes that events and checkpoints take, roughly.
    pub fn weight(&self) -> usize {
        let last = self.blocks.last().filter(|block| !block.is_full()).map_or(0, Block::weight);
        self.weight + last + self.checkpoints.weight + self.folds.weight
    }

    /// The event number `position`, from 1. Decodes some hundred events at most.
    pub fn event(&self, position: u64) -> Option<Event> {
        let index = usize::try_from(position.checked_sub(1)?).ok()?;
        self.blocks.get(index / BLOCK)?.event(index % BLOCK)
    }

    /// The events numbered `positions` (from 1), each with its number; numbers past the end are left out.
    pub fn events(&self, positions: Range<u64>) -> impl Iterator<Item = (u64, Event)> {
        let start = positions.start.max(1);
        let end = positions.end.min(self.len() + 1).max(start);
        let first = (start - 1) as usize;
        let pages = first / PAGE..((end - 1) as usize).div_ceil(PAGE);
        let events = pages.flat_map(move |page| {
            let pages_per_block = BLOCK / PAGE;
            self.blocks
                .get(page / pages_per_block)
                .into_iter()
                .flat_map(move |block| block.page(page % pages_per_block))
        });
        (start..end).zip(events.skip(first % PAGE))
    }

    /// The state after the last event.
    pub fn latest(&self) -> &State {
        &self.latest
    }

    /// The state after the first `position` events; the latest one for positions past the end.
    pub fn state_at(&self, position: u64) -> State {
        if position >= self.len() {
            return self.latest.clone();
        }
        let mut state = self.checkpoints.before(position).map_or_else(State::default, |snapshot| snapshot.state());
        for (_, event) in self.events(state.position + 1..position + 1) {
            state.apply(&event);
        }
        state
    }

    /// Brings a state of this trace to a later or earlier position, the cheaper way.
    pub fn seek(&self, state: &mut State, position: u64) {
        let position = position.min(self.len());
        let nearest = self.checkpoints.before(position).map_or(0, |snapshot| snapshot.position);
        if position == self.len() && state.position + PAGE as u64 <= position {
            state.clone_from(&self.latest);
        } else if state.position <= position && state.position >= nearest {
            for (_, event) in self.events(state.position + 1..position + 1) {
                state.apply(&event);
            }
        } else {
            *state = self.state_at(position);
        }
    }

    /// The position at `time`: after all events up to the first that is later.
    ///
    /// Where clocks run backwards, a time counts as reached when any earlier event has reached it, so that the answer
    /// never decreases with time.
    pub fn position_at(&self, time: Nanos) -> u64 {
        let block = self.blocks.partition_point(|block| block.latest <= time);
        let inside = self.blocks.get(block).map_or(0, |block| block.position_at(time));
        ((block * BLOCK + inside) as u64).min(self.len())
    }

    /// The time at a position: the latest of the events up to it.
    pub fn time_at(&self, position: u64) -> Nanos {
        let Some(last) = position.min(self.len()).checked_sub(1) else { return Nanos::default() };
        self.blocks[last as usize / BLOCK].time_at(last as usize % BLOCK)
    }

    /// Number of the first event after `position` on the track that fits.
    pub fn next(&self, track: Track, position: u64, fits: impl Fn(&Event) -> bool) -> Option<u64> {
        let fits = |event: &Event| concerns(event, track) && fits(event);
        self.first_after(position, |block| block.may_contain(track), fits)
    }

    /// Number of the last event before event `position` on the track that fits.
    pub fn previous(&self, track: Track, position: u64, fits: impl Fn(&Event) -> bool) -> Option<u64> {
        let fits = |event: &Event| concerns(event, track) && fits(event);
        self.last_before(position, |block| block.may_contain(track), fits)
    }

    /// Number of the next event by which a thread begins to wait: on a lock's track for the lock, on a thread's that thread. Blocks of events
    /// without such a wait are skipped.
    pub fn next_wait(&self, track: Track, position: u64) -> Option<u64> {
        self.first_after(position, |block| block.may_contain_waits(track), |event| is_wait_on(event, track))
    }

    /// The same before event `position`.
    pub fn previous_wait(&self, track: Track, position: u64) -> Option<u64> {
        self.last_before(position, |block| block.may_contain_waits(track), |event| is_wait_on(event, track))
    }

    fn first_after(&self, position: u64, may: impl Fn(&Block) -> bool, fits: impl Fn(&Event) -> bool) -> Option<u64> {
        // Index of the event numbered `position + 1`.
        let start = usize::try_from(position).ok()?;
        let first = start / BLOCK;
        for (offset, block) in self.blocks.get(first..)?.iter().enumerate().filter(|(_, block)| may(block)) {
            let skip = if offset == 0 { start % BLOCK } else { 0 };
            if let Some(found) = block.find(skip, &fits) {
                return Some(((first + offset) * BLOCK + found) as u64 + 1);
            }
        }
        None
    }

    fn last_before(&self, position: u64, may: impl Fn(&Block) -> bool, fits: impl Fn(&Event) -> bool) -> Option<u64> {
        // Number of events before the one numbered `position`.
        let end = usize::try_from(position.min(self.len() + 1).checked_sub(1)?).ok()?;
        for index in (0..self.blocks.len().min(end.div_ceil(BLOCK))).rev() {
            let block = &self.blocks[index];
            let upto = (end - index * BLOCK).min(block.len());
            if may(block)
                && let Some(found) = block.find_last(upto, &fits)
            {
                return Some((index * BLOCK + found) as u64 + 1);
            }
        }
        None
    }

    /// What each of some lanes shows in each column of a picture of the time from `from` until before `to`.
    ///
    /// Nothing is shown after `now`. O(columns times lanes, the logarithm of the events in the window, and the events of a block for each
    /// column), and a seek.
    pub fn picture(&self, window: (Nanos, Nanos), now: Nanos, n_columns: usize, lanes: &[Lane]) -> Vec<Vec<Shown>> {
        let start = window.0.0.checked_sub(1).map_or(0, |before| self.position_at(Nanos(before)));
        let mut picture = Picture::new(window, n_columns, lanes, &self.state_at(start));
        if n_columns > 0 {
            let mut index = start as usize / BLOCK;
            while index < self.blocks.len() {
                let skip = (start as usize).saturating_sub(index * BLOCK);
                let fold = self.folds.from(index).find(|(_, fold)| skip == 0 && picture.add_fold(fold));
                if let Some((n_blocks, _)) = fold {
                    index += n_blocks;
                } else if picture.add(&self.blocks[index], skip) {
                    index += 1;
                } else {
                    break;
                }
            }
        }
        match n_columns {
            0 => vec![Vec::new(); lanes.len()],
            _ => picture.finish(now.min(Nanos(window.1.0.saturating_sub(1)))),
        }
    }

    /// How many events there are in each column of such a picture.
    pub fn density(&self, window: (Nanos, Nanos), n_columns: usize) -> Vec<u64> {
        let width = u128::from(window.1.since(window.0).0);
        let boundary = |column: usize| {
            let time = u128::from(window.0.0) + width * column as u128 / n_columns.max(1) as u128;
            (time as u64).checked_sub(1).map_or(0, |time| self.position_at(Nanos(time)))
        };
        let mut before = boundary(0);
        let mut counts = Vec::with_capacity(n_columns);
        for column in 1..=n_columns {
            let next = boundary(column);
            counts.push(next.saturating_sub(before));
            before = next;
        }
        counts
    }
}

/// Whether the thread of the event begins to wait: for the lock of the track, or as its thread.
fn is_wait_on(event: &Event, track: Track) -> bool {
    is_wait(&event.op) && concerns(event, track) && !matches!(track, Track::Thread(id) if event.thread != id)
}
