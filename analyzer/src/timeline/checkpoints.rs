//! States at intervals, of which each shares with the one before what did not change in between.
//!
//! The interval grows with the size of a state, and doubles (dropping every other checkpoint) when all together pass a
//! limit: memory is bounded, and the cost of a seek is a copy of the state and the interval's replay.

use std::sync::Arc;

use crate::state::{LockState, State, ThreadState};

/// Replaying so many events takes about a millisecond.
pub(super) const SHORTEST_INTERVAL: u64 = 1 << 14;

/// Bytes of all checkpoints together, roughly; where events take more than that, checkpoints may as well.
pub(super) const LEAST_LIMIT: usize = 128 << 20;

/// Threads or locks that are shared together.
const CHUNK: usize = 32;

#[derive(Debug)]
pub(super) struct Checkpoints {
    pub(super) snapshots: Vec<Snapshot>,
    pub(super) interval: u64,
    pub(super) weight: usize,
}

/// A state in pieces.
#[derive(Debug)]
pub(super) struct Snapshot {
    pub(super) position: u64,
    time: lockscope_trace::Nanos,
    threads: Vec<Arc<[ThreadState]>>,
    locks: Vec<Arc<[LockState]>>,
}

impl Default for Checkpoints {
    fn default() -> Self {
        Checkpoints { snapshots: Vec::new(), interval: SHORTEST_INTERVAL, weight: 0 }
    }
}

impl Checkpoints {
    /// Keeps the state if it is time to. `limit` is in bytes.
    pub(super) fn offer(&mut self, state: &State, limit: usize) {
        let last = self.snapshots.last().map_or(0, |snapshot| snapshot.position);
        // Copying a state must not cost more than applying the events since the last copy.
        let size = (state.threads.len() + state.locks.len()) as u64;
        if state.position - last < self.interval.max(4 * size) {
            return;
        }
        let snapshot = Snapshot::new(state, self.snapshots.last());
        self.weight += snapshot.weight(self.snapshots.last());
        self.snapshots.push(snapshot);
        while self.weight > limit && self.snapshots.len() > 1 {
            let mut index = 0;
            self.snapshots.retain(|_| {
                index += 1;
                index % 2 == 0
            });
            self.interval *= 2;
            self.weight =
                (0..self.snapshots.len()).map(|idx| self.snapshots[idx].weight(self.snapshots[..idx].last())).sum();
        }
    }

    /// The last one up to a position.
    pub(super) fn before(&self, position: u64) -> Option<&Snapshot> {
        let index = self.snapshots.partition_point(|snapshot| snapshot.position <= position);
        self.snapshots.get(index.checked_sub(1)?)
    }
}

impl Snapshot {
    fn new(state: &State, before: Option<&Snapshot>) -> Snapshot {
        Snapshot {
            position: state.position,
            time: state.time,
            threads: share(&state.threads, before.map_or(&[], |before| &before.threads)),
            locks: share(&state.locks, before.map_or(&[], |before| &before.locks)),
        }
    }

    /// The whole state.
    pub(super) fn state(&self) -> State {
        let (mut threads, mut locks) = (Vec::new(), Vec::new());
        self.threads.iter().for_each(|chunk| threads.extend_from_slice(chunk));
        self.locks.iter().for_each(|chunk| locks.extend_from_slice(chunk));
        State { threads, locks, position: self.position, time: self.time }
    }

    /// Bytes that it does not share with the one before, roughly.
    fn weight(&self, before: Option<&Snapshot>) -> usize {
        own(&self.threads, before.map_or(&[], |before| &before.threads))
            + own(&self.locks, before.map_or(&[], |before| &before.locks))
    }
}

/// The list in chunks; those that are as they were are shared.
fn share<T: Clone + PartialEq>(list: &[T], before: &[Arc<[T]>]) -> Vec<Arc<[T]>> {
    let chunks = list.chunks(CHUNK).enumerate();
    chunks
        .map(|(idx, chunk)| match before.get(idx) {
            Some(known) if **known == *chunk => known.clone(),
            _ => chunk.into(),
        })
        .collect()
}

fn own<T>(chunks: &[Arc<[T]>], before: &[Arc<[T]>]) -> usize {
    // Lists inside count as one small allocation for each element.
    const LIST: usize = 64;
    let is_own = |(idx, chunk): &(usize, &Arc<[T]>)| before.get(*idx).is_none_or(|known| !Arc::ptr_eq(known, chunk));
    let own: usize = chunks.iter().enumerate().filter(is_own).map(|(_, chunk)| chunk.len()).sum();
    own * (size_of::<T>() + LIST) + size_of_val(chunks)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn checkpoints_are_thinned_out() {
        let limit = 16 << 20;
        let mut checkpoints = Checkpoints::default();
        let mut state = State::default();
        state.threads.resize_with(3000, Default::default);
        for n in 1..500 {
            state.position = n * SHORTEST_INTERVAL;
            state.threads.iter_mut().for_each(|thread| thread.events = n);
            checkpoints.offer(&state, limit);
        }
        assert!(checkpoints.weight <= limit);
        assert!(checkpoints.interval > SHORTEST_INTERVAL);
        let positions: Vec<u64> = checkpoints.snapshots.iter().map(|snapshot| snapshot.position).collect();
        assert!(positions.windows(2).all(|pair| pair[1] - pair[0] <= 2 * checkpoints.interval), "evenly spread");
        let last = checkpoints.before(u64::MAX).expect("there are some").position;
        assert!(state.position - last <= 2 * checkpoints.interval);
    }

    #[test]
    fn what_does_not_change_is_kept_once() {
        let mut checkpoints = Checkpoints::default();
        let mut state = State::default();
        state.locks.resize_with(100_000, Default::default);
        for n in 1..200 {
            state.position = n * 4 * 100_000;
            state.locks[n as usize].acquisitions = n;
            checkpoints.offer(&state, LEAST_LIMIT);
        }
        assert_eq!((checkpoints.snapshots.len(), checkpoints.interval), (199, SHORTEST_INTERVAL), "none was dropped");
        let seen = checkpoints.before(50 * 4 * 100_000).expect("it was kept").state();
        assert_eq!(seen.locks.iter().map(|lock| lock.acquisitions).sum::<u64>(), (1..=50).sum::<u64>());
    }
}
