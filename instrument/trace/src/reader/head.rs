//! A thread's next event, in a form that is cheap to pass on.
//!
//! Most events are acquisitions and releases. Their fields are written and read one by one, never copied together: a processor that has to
//! load several fields at once that were stored one by one just before waits until all of them have arrived in its cache.

use crate::{Access, Event, How, LockId, Mode, Nanos, Op, SiteId, StackId, ThreadId, VarId};

/// What sort of event it is.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(super) enum Sort {
    /// There is none.
    #[default]
    None,
    /// An acquisition.
    Acquired,
    /// A release by the thread that acquired, without a mode.
    Released,
    /// A plain read or write.
    Touched,
    /// Whatever `op` says.
    Other,
}

/// The next event of a thread, with its time still in ticks.
#[derive(Debug)]
pub(super) struct Head {
    pub(super) sort: Sort,
    pub(super) ticks: u64,
    pub(super) site: Option<SiteId>,
    pub(super) stack: Option<StackId>,
    /// Of an acquisition or release.
    pub(super) lock: LockId,
    /// Of an acquisition.
    pub(super) count: u32,
    /// Of an acquisition.
    pub(super) mode: Mode,
    /// Of an acquisition.
    pub(super) how: How,
    /// Of a release.
    pub(super) access: Access,
    /// Of a plain read or write.
    pub(super) var: VarId,
    pub(super) writes: bool,
    /// Of any other event.
    other: Op,
}

impl Default for Head {
    fn default() -> Self {
        Self {
            sort: Sort::None,
            ticks: 0,
            site: None,
            stack: None,
            lock: LockId(0),
            count: 0,
            mode: Mode::Exclusive,
            how: How::Lock,
            access: Access::Unknown,
            var: VarId(0),
            writes: false,
            other: Op::Start,
        }
    }
}

impl Head {
    /// Makes it an acquisition.
    #[inline]
    pub(super) fn set_acquired(&mut self, ticks: u64, lock: LockId, count: u32, mode: Mode, how: How) {
        self.sort = Sort::Acquired;
        self.ticks = ticks;
        self.lock = lock;
        self.count = count;
        self.mode = mode;
        self.how = how;
    }

    /// Makes it a release.
    #[inline]
    pub(super) fn set_released(&mut self, ticks: u64, lock: LockId, access: Access) {
        self.sort = Sort::Released;
        self.ticks = ticks;
        self.lock = lock;
        self.access = access;
    }

    /// Makes it a plain read or write.
    #[inline]
    pub(super) fn set_touched(&mut self, ticks: u64, var: VarId, writes: bool) {
        self.sort = Sort::Touched;
        self.ticks = ticks;
        self.var = var;
        self.writes = writes;
    }

    /// Makes it any other event, or one of those with what only `Op` can say.
    pub(super) fn set_other(&mut self, ticks: u64, op: Op) {
        self.sort = Sort::Other;
        self.ticks = ticks;
        self.other = op;
    }

    /// What `thread` did; meaningless when there is none.
    #[inline]
    pub(super) fn op(&self, thread: ThreadId) -> Op {
        match self.sort {
            Sort::Acquired => {
                let count = u64::from(self.count);
                Op::Acquired { lock: self.lock, mode: self.mode, how: self.how, count }
            }
            Sort::Released => Op::Released { lock: self.lock, owner: thread, mode: None, access: self.access },
            Sort::Touched => touched(self.var, self.writes),
            Sort::Other | Sort::None => self.other,
        }
    }

    /// The event.
    #[inline]
    pub(super) fn event(&self, thread: ThreadId, time: Nanos) -> Event {
        Event { thread, time, site: self.site, stack: self.stack, op: self.op(thread) }
    }
}

/// A plain read or write.
#[inline]
pub(super) fn touched(var: VarId, writes: bool) -> Op {
    if writes { Op::Write { var } } else { Op::Read { var } }
}
