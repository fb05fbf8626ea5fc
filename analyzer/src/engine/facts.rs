//! What engines that look at accesses have in common, kept once for all of them: what is held, and what comes before what in every
//! schedule.

use lockscope_trace::{Definitions, Event, Op, ThreadId};

use super::{
    clock::{Epoch, Past},
    holds::{Change, Holds},
    order::{Edges, Order},
};

/// The facts after the last event.
#[derive(Debug)]
pub(super) struct Facts {
    pub holds: Holds,
    /// What comes before what in every schedule; `None` if nobody asks.
    always: Option<Order>,
    /// The same without atomics, whose order may be the question. Until there is one it is the same.
    without_atomics: Option<Box<Order>>,
}

/// The event that facts were brought up to.
#[derive(Clone, Copy, Debug)]
pub(super) struct Moment<'a> {
    /// Its position, from 1.
    pub position: u64,
    pub event: &'a Event,
    /// What it did to what is held.
    pub change: Change,
    pub definitions: &'a Definitions,
}

const ALWAYS: Edges = Edges { locks: false, reads_from: false };

impl Facts {
    /// `is_ordered`: somebody will ask for the order.
    pub fn new(is_ordered: bool) -> Self {
        Facts { holds: Holds::default(), always: is_ordered.then(|| Order::new(ALWAYS)), without_atomics: None }
    }

    /// Takes in the event of that position.
    #[inline]
    pub fn event<'a>(&mut self, position: u64, event: &'a Event, definitions: &'a Definitions) -> Moment<'a> {
        let mut change = Change::NONE;
        if let Op::Read { .. } | Op::Write { .. } = event.op {
            if let Some(order) = &mut self.always {
                order.access(event.thread);
            }
        } else {
            change = self.holds.event(position, event, definitions);
            self.order(event, change, definitions);
        }
        Moment { position, event, change, definitions }
    }

    fn order(&mut self, event: &Event, change: Change, definitions: &Definitions) {
        let Some(always) = &mut self.always else { return };
        let is_atomic = matches!(
            event.op,
            Op::AtomicLoad { .. } | Op::AtomicStore { .. } | Op::AtomicUpdate { .. } | Op::Fence { .. }
        );
        if is_atomic {
            self.without_atomics.get_or_insert_with(|| Box::new(always.clone()));
        } else if let Some(order) = &mut self.without_atomics {
            order.event(event, change, definitions);
        }
        always.event(event, change, definitions);
    }

    /// The time of a thread, in every schedule.
    #[inline]
    pub fn now(&mut self, thread: ThreadId) -> Epoch {
        self.always.as_mut().map_or(Epoch::NEVER, |order| order.now(thread))
    }

    /// What is past in every schedule for a thread for which [`now`](Self::now) was asked.
    #[inline]
    pub fn past(&self, thread: ThreadId) -> Past<'_> {
        self.always.as_ref().map_or(Past::NOTHING, |order| order.past(thread))
    }

    /// As [`now`](Self::now), without what atomics order.
    pub fn now_without_atomics(&mut self, thread: ThreadId) -> Epoch {
        match &mut self.without_atomics {
            Some(order) => order.access(thread),
            None => self.now(thread),
        }
    }

    /// As [`past`](Self::past), without what atomics order.
    pub fn past_without_atomics(&self, thread: ThreadId) -> Past<'_> {
        self.without_atomics.as_ref().map_or_else(|| self.past(thread), |order| order.past(thread))
    }

    /// Bytes that are held.
    pub fn bytes(&self) -> u64 {
        let orders = self.always.iter().chain(self.without_atomics.as_deref());
        self.holds.bytes() + orders.map(Order::bytes).sum::<u64>()
    }
}
