//! Every correct reordering of a trace, by exhaustive search.
//!
//! A correct reordering has some of the events, of each thread the first ones in their order, such that locks exclude each other as they
//! do, a thread begins after its fork and is joined after its last event, and each read sees the same write as in the trace. The number of
//! states that these lead through is small for traces of a dozen events or so.

use std::collections::{BTreeSet, HashSet};

use lockscope_trace::{Event, LockId, Mode, Op, ThreadId};

/// Which reorderings are looked at.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Which {
    /// All.
    All,
    /// Those that keep the order of any two acquisitions of a lock of which one is exclusive.
    SyncPreserving,
}

/// What was found in any of the reorderings. Positions are from 1.
#[derive(Clone, Debug, Default)]
pub struct Reachable {
    /// Pairs of clashing accesses that can both be next, in order of position.
    pub races: BTreeSet<[u64; 2]>,
    /// Acquisitions that can all be next, each of a lock that the thread of the next one in a circle holds; sorted.
    pub deadlocks: BTreeSet<Vec<u64>>,
}

/// Everything that can be reached.
pub fn explore(events: &[Event], which: Which) -> Reachable {
    let trace = Trace::new(events);
    let mut reachable = Reachable::default();
    let mut seen = HashSet::new();
    let mut open = vec![State::new(&trace)];
    while let Some(state) = open.pop() {
        state.note(&trace, &mut reachable);
        for thread in 0..trace.threads.len() {
            let Some(next) = state.after(&trace, thread, which) else { continue };
            if seen.insert(next.clone()) {
                open.push(next);
            }
        }
    }
    reachable
}

struct Trace<'a> {
    events: &'a [Event],
    /// Indices of the events of each thread.
    threads: Vec<Vec<usize>>,
    /// The fork of each thread.
    forks: Vec<Option<usize>>,
    /// The write that each read sees.
    reads: Vec<Option<usize>>,
    n_locks: usize,
    n_vars: usize,
}

impl<'a> Trace<'a> {
    fn new(events: &'a [Event]) -> Self {
        let n_threads = events
            .iter()
            .flat_map(|event| match event.op {
                Op::Spawn { child } | Op::Joined { child } => [event.thread, child],
                _ => [event.thread; 2],
            })
            .map(|thread| thread.0 as usize + 1)
            .max()
            .unwrap_or(0);
        let n_locks = events.iter().filter_map(|event| Some(event.op.lock()?.0 as usize + 1)).max().unwrap_or(0);
        let n_vars = events.iter().filter_map(|event| Some(event.op.var()?.0 as usize + 1)).max().unwrap_or(0);
        let mut trace = Trace {
            events,
            threads: vec![Vec::new(); n_threads],
            forks: vec![None; n_threads],
            reads: vec![None; events.len()],
            n_locks,
            n_vars,
        };
        let mut written = vec![None; n_vars];
        for (index, event) in events.iter().enumerate() {
            trace.threads[event.thread.0 as usize].push(index);
            match event.op {
                Op::Spawn { child } => trace.forks[child.0 as usize] = Some(index),
                Op::Write { var } => written[var.0 as usize] = Some(index),
                Op::Read { var } => trace.reads[index] = written[var.0 as usize],
                _ => {}
            }
        }
        trace
    }
}

#[derive(Clone, PartialEq, Eq, Hash)]
struct State {
    /// How many events of each thread are done.
    done: Vec<usize>,
    /// The last write of each location.
    written: Vec<Option<usize>>,
    /// Who holds each lock.
    holders: Vec<Vec<(ThreadId, Mode)>>,
    /// The latest acquisitions of each lock in the order of the trace, exclusive and of any kind.
    latest: Vec<[Option<usize>; 2]>,
}

impl State {
    fn new(trace: &Trace<'_>) -> Self {
        State {
            done: vec![0; trace.threads.len()],
            written: vec![None; trace.n_vars],
            holders: vec![Vec::new(); trace.n_locks],
            latest: vec![[None; 2]; trace.n_locks],
        }
    }

    /// The next event of a thread, which has begun.
    fn next(&self, trace: &Trace<'_>, thread: usize) -> Option<usize> {
        let index = *trace.threads[thread].get(self.done[thread])?;
        let is_done = |index: usize| {
            let thread = trace.events[index].thread.0 as usize;
            trace.threads[thread][..self.done[thread]].contains(&index)
        };
        trace.forks[thread].is_none_or(is_done).then_some(index)
    }

    /// Those who are in the way of a hold.
    fn in_the_way(&self, lock: LockId, mode: Mode) -> impl Iterator<Item = ThreadId> {
        self.holders[lock.0 as usize].iter().filter(move |(_, held)| !held.compatible(mode)).map(|&(holder, _)| holder)
    }

    /// The state after the next event of the thread, if that can happen now.
    fn after(&self, trace: &Trace<'_>, thread: usize, which: Which) -> Option<State> {
        let index = self.next(trace, thread)?;
        let mut next = self.clone();
        next.done[thread] += 1;
        let me = ThreadId(thread as u32);
        match trace.events[index].op {
            Op::Acquired { lock, mode, .. } => {
                let latest = &mut next.latest[lock.0 as usize];
                let before = if mode == Mode::Exclusive { latest[1] } else { latest[0] };
                let breaks_order = which == Which::SyncPreserving && before.is_some_and(|before| before > index);
                if breaks_order || self.in_the_way(lock, mode).next().is_some() {
                    return None;
                }
                let places = if mode == Mode::Exclusive { 0..2 } else { 1..2 };
                latest[places].iter_mut().for_each(|latest| *latest = (*latest).max(Some(index)));
                next.holders[lock.0 as usize].push((me, mode));
                next.holders[lock.0 as usize].sort_unstable();
            }
            Op::Released { lock, .. } => next.holders[lock.0 as usize].retain(|(holder, _)| *holder != me),
            Op::Joined { child } => {
                let child = child.0 as usize;
                if self.done[child] < trace.threads[child].len() {
                    return None;
                }
            }
            Op::Write { var } => next.written[var.0 as usize] = Some(index),
            Op::Read { var } if self.written[var.0 as usize] != trace.reads[index] => return None,
            _ => {}
        }
        Some(next)
    }

    fn note(&self, trace: &Trace<'_>, reachable: &mut Reachable) {
        let next: Vec<usize> = (0..trace.threads.len()).filter_map(|thread| self.next(trace, thread)).collect();
        for (at, &one) in next.iter().enumerate() {
            for &other in &next[at + 1..] {
                let [first, second] = [one.min(other), one.max(other)];
                let ops = [trace.events[first].op, trace.events[second].op];
                let writes = ops.iter().any(|op| matches!(op, Op::Write { .. }));
                if ops[0].var().is_some() && ops[0].var() == ops[1].var() && writes {
                    reachable.races.insert([first as u64 + 1, second as u64 + 1]);
                }
            }
        }
        for &start in &next {
            self.circles(trace, &next, &mut vec![start], reachable);
        }
    }

    /// Follows who is in whose way.
    fn circles(&self, trace: &Trace<'_>, next: &[usize], path: &mut Vec<usize>, reachable: &mut Reachable) {
        let Op::Acquired { lock, mode, .. } = trace.events[path[path.len() - 1]].op else { return };
        for holder in self.in_the_way(lock, mode) {
            let Some(&its) = next.iter().find(|&&index| trace.events[index].thread == holder) else { continue };
            if its == path[0] && path.len() > 1 {
                let mut circle: Vec<u64> = path.iter().map(|&index| index as u64 + 1).collect();
                circle.sort_unstable();
                reachable.deadlocks.insert(circle);
            } else if !path.contains(&its) {
                path.push(its);
                self.circles(trace, next, path, reachable);
                path.pop();
            }
        }
    }
}
