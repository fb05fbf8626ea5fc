//! The event model: what a thread did, to which lock, where and when.

use crate::ids::{LockId, Nanos, SiteId, StackId, StringId, ThreadId, VarId};

/// One event of one thread.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Event {
    /// The thread that did it.
    pub thread: ThreadId,
    /// When, by the recorder's clock. For people and durations: the order of events is their position in the
    /// merged sequence, which respects every thread and every lock even where clocks disagree.
    pub time: Nanos,
    /// Where in the source, when known.
    pub site: Option<SiteId>,
    /// The call stack, when one was captured.
    pub stack: Option<StackId>,
    /// What it did.
    pub op: Op,
}

/// How a lock is held or asked for.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, PartialOrd, Ord)]
pub enum Mode {
    /// One holder, no others: a mutex, or a write lock.
    Exclusive,
    /// Together with other shared holders: a read lock.
    Shared,
    /// Shared, and the only one that may be upgraded to exclusive without release.
    Upgradable,
}

impl Mode {
    /// Whether two threads can hold one lock in these modes at the same time.
    pub fn compatible(self, other: Mode) -> bool {
        matches!((self, other), (Mode::Shared, Mode::Shared | Mode::Upgradable) | (Mode::Upgradable, Mode::Shared))
    }

    /// `lock`, `read lock`, ... as a report says it for a read-write lock.
    pub fn word(self) -> &'static str {
        match self {
            Mode::Exclusive => "exclusive",
            Mode::Shared => "shared",
            Mode::Upgradable => "upgradable",
        }
    }
}

/// By which kind of call a lock was acquired.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum How {
    /// A call that waits for as long as it takes.
    Lock,
    /// A call that returns at once; adds no edge into the lock order, since it cannot wait.
    Try,
    /// A call with a time limit.
    Timed,
    /// The holder's upgradable (or shared) hold became exclusive. Replaces that hold.
    Upgrade,
    /// The holder's hold became a weaker one. Replaces that hold.
    Downgrade,
    /// Taken back at the end of a wait on a condition variable.
    CondvarReacquire,
}

/// What a critical section did to the protected data, as seen by `Deref` and `DerefMut` of its guard.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default)]
pub enum Access {
    /// Not recorded (raw locks, foreign traces).
    #[default]
    Unknown,
    /// The data was not touched.
    Nothing,
    /// The data was only read.
    Read,
    /// The data was borrowed mutably.
    Wrote,
}

/// What happened.
///
/// Sequences that belong together:
/// - an acquisition that blocks: `Wait`, then `Acquired` or `TimedOut`;
/// - a condition variable: `CondWait`, `Released` (the mutex), later `Acquired` with
///   [`How::CondvarReacquire`], `CondWake`;
/// - threads: `Spawn` (parent) precedes `Start` (child); `Exit` (child) precedes `Joined`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[expect(missing_docs, reason = "fields are named after their types; the variant says what they mean")]
pub enum Op {
    /// About to block on a lock.
    Wait { lock: LockId, mode: Mode },
    /// The lock is now held. `count` is the lock's own count of acquisitions, from 1, exact across threads.
    Acquired { lock: LockId, mode: Mode, how: How, count: u64 },
    /// The lock is no longer held. Usually by the thread that acquired it; guards that were sent to another
    /// thread are released by that one, and `owner` says who acquired. `mode` says which hold ends where the owner may have
    /// several of the same lock; without it, exclusive ends before shared and shared before upgradable.
    Released { lock: LockId, owner: ThreadId, mode: Option<Mode>, access: Access },
    /// A try did not get the lock.
    TryFailed { lock: LockId, mode: Mode },
    /// A timed call gave up.
    TimedOut { lock: LockId, mode: Mode },
    /// The lock was found poisoned by a panic.
    Poisoned { lock: LockId },
    /// The lock came to the end of its life.
    Destroyed { lock: LockId },

    /// About to wait on `condvar`, which releases `mutex`.
    CondWait { condvar: LockId, mutex: LockId },
    /// The wait is over and `mutex` held again.
    CondWake { condvar: LockId, mutex: LockId, timed_out: bool },
    /// `notify_one` or `notify_all`; `woken` is how many were waiting, when the condition variable tells.
    Notify { condvar: LockId, all: bool, woken: Option<u32> },

    /// This thread started `child`.
    Spawn { child: ThreadId },
    /// First event of a thread.
    Start,
    /// Last event of a thread.
    Exit,
    /// About to wait for `child` to end.
    JoinWait { child: ThreadId },
    /// `child` has ended and was joined.
    Joined { child: ThreadId },

    /// Plain read of a recorded memory location.
    Read { var: VarId },
    /// Plain write of a recorded memory location.
    Write { var: VarId },
    /// Begin of a region meant to be atomic.
    RegionBegin,
    /// End of a region meant to be atomic.
    RegionEnd,

    /// A finding that the traced process reported itself: its code and its whole text.
    Finding { code: StringId, text: StringId },
    /// A mark set by the user.
    Mark { text: StringId },
    /// Events of this thread are missing here; `count` is 0 when their number is unknown.
    Dropped { count: u64 },
}

impl Op {
    /// The lock (or condition variable) that the event is about.
    pub fn lock(&self) -> Option<LockId> {
        match *self {
            Op::Wait { lock, .. }
            | Op::Acquired { lock, .. }
            | Op::Released { lock, .. }
            | Op::TryFailed { lock, .. }
            | Op::TimedOut { lock, .. }
            | Op::Poisoned { lock }
            | Op::Destroyed { lock } => Some(lock),
            Op::CondWait { condvar, .. } | Op::CondWake { condvar, .. } | Op::Notify { condvar, .. } => Some(condvar),
            _ => None,
        }
    }

    /// Short stable name, as shown in event lists and matched by filters.
    pub fn name(&self) -> &'static str {
        match self {
            Op::Wait { .. } => "wait",
            Op::Acquired { .. } => "acquired",
            Op::Released { .. } => "released",
            Op::TryFailed { .. } => "try-failed",
            Op::TimedOut { .. } => "timed-out",
            Op::Poisoned { .. } => "poisoned",
            Op::Destroyed { .. } => "destroyed",
            Op::CondWait { .. } => "cond-wait",
            Op::CondWake { .. } => "cond-wake",
            Op::Notify { .. } => "notify",
            Op::Spawn { .. } => "spawn",
            Op::Start => "start",
            Op::Exit => "exit",
            Op::JoinWait { .. } => "join-wait",
            Op::Joined { .. } => "joined",
            Op::Read { .. } => "read",
            Op::Write { .. } => "write",
            Op::RegionBegin => "region-begin",
            Op::RegionEnd => "region-end",
            Op::Finding { .. } => "finding",
            Op::Mark { .. } => "mark",
            Op::Dropped { .. } => "dropped",
        }
    }
}
