//! What atomics order: a store publishes with its release, or with a release fence before it; read-modify-writes hand on what the
//! modification before them published (C++20, [intro.races]); acquiring loads take it over, relaxed ones leave it to an acquire fence.

use std::collections::VecDeque;

use lockscope_trace::{Event, MemoryOrder, Op, ThreadId, VarId};
use rustc_hash::FxHashMap;

use super::{
    super::clock::{Clocks, Row},
    threads::Threads,
};

/// Modifications of atomics, and fences.
#[derive(Clone, Debug, Default)]
pub(super) struct Atomics {
    vars: FxHashMap<VarId, Modifications>,
    fences: FxHashMap<ThreadId, Fences>,
}

/// The last modifications of a location, each with what it published.
#[derive(Clone, Debug, Default)]
struct Modifications(VecDeque<(u64, Option<Row>)>);

#[derive(Clone, Debug, Default)]
struct Fences {
    /// The past at the last release fence.
    released: Option<Row>,
    /// What relaxed loads read, for the next acquire fence.
    read: Option<Row>,
}

/// Modifications that are kept of each location. A load of an older one takes over what the oldest of these published.
const MOST_MODIFICATIONS: usize = 8;

impl Atomics {
    /// Takes in an event; false when it is no atomic operation. `reads_from`: as if everything were sequentially consistent.
    pub fn event(&mut self, clocks: &mut Clocks, threads: &mut Threads, event: &Event, reads_from: bool) -> bool {
        let me = event.thread;
        let order = |order| if reads_from { MemoryOrder::SeqCst } else { order };
        match event.op {
            Op::AtomicLoad { var, order: given, read, .. } => self.load(clocks, threads, me, (var, read), order(given)),
            Op::AtomicStore { var, order: given, number, .. } => {
                let published = self.published(clocks, threads, me, order(given));
                self.push(clocks, var, number, published);
            }
            Op::AtomicUpdate { var, order: given, number, .. } => {
                let before = number.wrapping_sub(1);
                self.load(clocks, threads, me, (var, before), order(given));
                // What was published before goes on being published.
                let continued = self.vars.get(&var).and_then(|of| of.exactly(before));
                let mut published = self.published(clocks, threads, me, order(given));
                match (continued, published) {
                    (Some(continued), Some(row)) => clocks.join(row, continued),
                    (Some(continued), None) => published = Some(clocks.make_copy(continued)),
                    (None, _) => {}
                }
                self.push(clocks, var, number, published);
            }
            Op::Fence { order } => self.fence(clocks, threads, me, order),
            _ => return false,
        }
        true
    }

    fn load(
        &mut self,
        clocks: &mut Clocks,
        threads: &Threads,
        me: ThreadId,
        (var, read): (VarId, u64),
        order: MemoryOrder,
    ) {
        let Some(of) = self.vars.get(&var) else { return };
        for row in of.read(read).into_iter().flatten() {
            if order.acquires() {
                clocks.join(threads.row(me), row);
            } else {
                let read = &mut self.fences.entry(me).or_default().read;
                match *read {
                    Some(read) => clocks.join(read, row),
                    None => *read = Some(clocks.make_copy(row)),
                }
            }
        }
    }

    /// What a modification of the thread publishes.
    fn published(
        &mut self,
        clocks: &mut Clocks,
        threads: &mut Threads,
        me: ThreadId,
        order: MemoryOrder,
    ) -> Option<Row> {
        if order.releases() {
            let row = clocks.make_copy(threads.row(me));
            threads.tick(clocks, me);
            return Some(row);
        }
        let released = self.fences.get(&me)?.released?;
        Some(clocks.make_copy(released))
    }

    fn push(&mut self, clocks: &mut Clocks, var: VarId, number: u64, published: Option<Row>) {
        let of = &mut self.vars.entry(var).or_default().0;
        of.push_back((number, published));
        if of.len() > MOST_MODIFICATIONS
            && let Some((_, Some(row))) = of.pop_front()
        {
            clocks.free(row);
        }
    }

    fn fence(&mut self, clocks: &mut Clocks, threads: &mut Threads, me: ThreadId, order: MemoryOrder) {
        let fences = self.fences.entry(me).or_default();
        if order.acquires()
            && let Some(read) = fences.read.take()
        {
            clocks.join(threads.row(me), read);
            clocks.free(read);
        }
        if order.releases() {
            let row = threads.row(me);
            match fences.released {
                Some(released) => clocks.copy(released, row),
                None => fences.released = Some(clocks.make_copy(row)),
            }
            threads.tick(clocks, me);
        }
    }

    pub fn bytes(&self) -> u64 {
        let var = size_of::<(VarId, Modifications)>() + MOST_MODIFICATIONS * size_of::<(u64, Option<Row>)>();
        (self.vars.capacity() * var + self.fences.capacity() * size_of::<(ThreadId, Fences)>()) as u64
    }
}

impl Modifications {
    /// What a modification published, when it is kept.
    fn exactly(&self, number: u64) -> Option<Row> {
        self.0.iter().rev().find(|(of, _)| *of == number).and_then(|(_, row)| *row)
    }

    /// What a load takes over that reads a modification.
    fn read(&self, number: u64) -> Vec<Option<Row>> {
        // Not known which: any of them.
        if number == u64::MAX {
            return self.0.iter().map(|(_, row)| *row).collect();
        }
        match self.0.iter().rev().find(|(of, _)| *of == number) {
            Some((_, row)) => vec![*row],
            // One that is not kept any more.
            None => self
                .0
                .front()
                .filter(|(oldest, _)| number != 0 && number < *oldest && self.0.len() == MOST_MODIFICATIONS)
                .map(|(_, row)| *row)
                .into_iter()
                .collect(),
        }
    }
}
