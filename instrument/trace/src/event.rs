//! The event model: what a thread did, to which lock, where and when.

use crate::{
    ids::{LockId, Nanos, SiteId, StackId, StringId, ThreadId, VarId},
    object::{MemoryOrder, Need, Side},
};

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
    /// A read that lets no waiting writer stop it, so that a reader may read again (`read_recursive`).
    Recursive,
    /// A recursive read with a time limit.
    RecursiveTimed,
}

impl How {
    /// Whether the call had a time limit.
    pub fn is_timed(self) -> bool {
        matches!(self, How::Timed | How::RecursiveTimed)
    }

    /// Whether the call passes waiting writers.
    pub fn is_recursive(self) -> bool {
        matches!(self, How::Recursive | How::RecursiveTimed)
    }
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
    /// The data was borrowed mutably, without being read first.
    Wrote,
    /// The data was read, and later borrowed mutably: a decision could be made where it is acted upon.
    ReadThenWrote,
}

/// What happened.
///
/// Sequences that belong together:
/// - an acquisition that blocks: `Wait`, then `Acquired` or `TimedOut`;
/// - a condition variable: `CondWait`, `Released` (the mutex), later `Acquired` with
///   [`How::CondvarReacquire`], `CondWake`;
/// - a wait for a message, permits and the like: `Block` (several in a row: any of them will do), then `Unblock`, then what
///   was got (`Received`, `PermitsAcquired`, ...) unless it timed out;
/// - threads: `Spawn` (parent) precedes `Start` (child); `Exit` (child) precedes `Joined`.
///
/// Events of one object that have a `count` are in the order of their counts, which are exact across threads: what gives
/// something (`Sent`, `HandleDropped`, `PermitsReleased`, `BarrierArrived`, `Notify`) is counted before it is done and what takes
/// it (`Received`, `Disconnected`, `PermitsAcquired`, `BarrierLeft`, `CondWake`) after, so a cause always precedes its effect. 0 means not counted.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[expect(missing_docs, reason = "fields are named after their types; the variant says what they mean")]
pub enum Op {
    /// About to block on a lock.
    Wait { lock: LockId, mode: Mode, how: How },
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
    CondWait { condvar: LockId, mutex: LockId, limited: bool, count: u64 },
    /// The wait is over and `mutex` held again.
    CondWake { condvar: LockId, mutex: LockId, timed_out: bool, count: u64 },
    /// `notify_one` or `notify_all`; `woken` is how many were waiting, when the condition variable tells.
    Notify { condvar: LockId, all: bool, woken: Option<u32>, count: u64 },

    /// About to wait for something that is not a lock, with a time limit or not.
    Block { object: LockId, need: Need, limited: bool },
    /// The wait is over: it got what it needed from `object`, or time ran out.
    Unblock { object: LockId, timed_out: bool },
    /// Permits of a semaphore were taken. Those that `stays` cannot leave this thread.
    PermitsAcquired { semaphore: LockId, permits: u32, stays: bool, count: u64 },
    /// Permits are given back; `owner` had acquired them.
    PermitsReleased { semaphore: LockId, permits: u32, owner: ThreadId, count: u64 },
    /// Permits are added that nobody had.
    PermitsAdded { semaphore: LockId, permits: u32, count: u64 },
    /// Permits that `owner` had will never be given back.
    PermitsForgotten { semaphore: LockId, permits: u32, owner: ThreadId, count: u64 },
    /// Arrived at a barrier.
    BarrierArrived { barrier: LockId, count: u64 },
    /// Went on from a barrier; one of each round is its leader.
    BarrierLeft { barrier: LockId, leader: bool, count: u64 },
    /// Found initialised what another thread had initialised ([`Once`](std::sync::Once) and the like): the object's acquisition
    /// with the count `initialised` or one before it, and its release, precede. Said once or more for each thread and object.
    Observed { object: LockId, initialised: u64 },
    /// About to send; the message is known by this event's count.
    Sent { channel: LockId, count: u64 },
    /// Received the message that was sent with the count `message`, 0 when that is not known.
    Received { channel: LockId, message: u64, count: u64 },
    /// A handle to one side of a channel was made by this thread, or has come to it.
    HandleAdded { channel: LockId, side: Side, count: u64 },
    /// A handle that `owner` had is dropped, or has come from it to this thread.
    HandleDropped { channel: LockId, side: Side, owner: ThreadId, count: u64 },
    /// The message that this thread was about to send was not sent: the channel was full, or nobody receives any more.
    SendFailed { channel: LockId, message: u64 },
    /// Found that the other side of the channel has no handles left.
    Disconnected { channel: LockId, count: u64 },

    /// About to wait for its token, with a time limit or not.
    Park { limited: bool },
    /// The wait is over.
    Unparked,
    /// Gives the thread its token.
    Unpark { thread: ThreadId },
    /// Sleeps.
    Sleep,
    /// The sleep is over.
    Awake,

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
    /// Atomic load, also by a compare-exchange that failed, of the value that modification `read` had stored (0: the initial one,
    /// `u64::MAX`: not known). Modifications that were not recorded have numbers all the same, so there may be none of that number.
    /// Of loads in a row that read the same, the first one is recorded.
    AtomicLoad { var: VarId, order: MemoryOrder, read: u64, count: u64 },
    /// Atomic store, the variable's modification `number` (from 1).
    AtomicStore { var: VarId, order: MemoryOrder, number: u64, count: u64 },
    /// Atomic read-modify-write: reads modification `number - 1` and stores `number`.
    AtomicUpdate { var: VarId, order: MemoryOrder, number: u64, count: u64 },
    /// Memory fence.
    Fence { order: MemoryOrder },
    /// Begin of a region meant to be atomic, with the name that the program gave it.
    RegionBegin { name: Option<StringId> },
    /// End of the region that was begun last.
    RegionEnd,

    /// A finding that the traced process reported itself: its code and its whole text.
    Finding { code: StringId, text: StringId },
    /// A mark set by the user.
    Mark { text: StringId },
    /// Events of this thread are missing here; `count` is 0 when their number is unknown.
    Dropped { count: u64 },
}

impl Op {
    /// The lock or other object that the event is about.
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
            Op::Block { object, .. } | Op::Unblock { object, .. } | Op::Observed { object, .. } => Some(object),
            Op::PermitsAcquired { semaphore, .. }
            | Op::PermitsReleased { semaphore, .. }
            | Op::PermitsAdded { semaphore, .. }
            | Op::PermitsForgotten { semaphore, .. } => Some(semaphore),
            Op::BarrierArrived { barrier, .. } | Op::BarrierLeft { barrier, .. } => Some(barrier),
            Op::Sent { channel, .. }
            | Op::Received { channel, .. }
            | Op::HandleAdded { channel, .. }
            | Op::HandleDropped { channel, .. }
            | Op::SendFailed { channel, .. }
            | Op::Disconnected { channel, .. } => Some(channel),
            _ => None,
        }
    }

    /// The count by which its object orders the event, from 1; `None` for events that are not counted.
    pub fn count(&self) -> Option<u64> {
        match *self {
            Op::Acquired { count, .. }
            | Op::CondWait { count, .. }
            | Op::CondWake { count, .. }
            | Op::Notify { count, .. }
            | Op::PermitsAcquired { count, .. }
            | Op::PermitsReleased { count, .. }
            | Op::PermitsAdded { count, .. }
            | Op::PermitsForgotten { count, .. }
            | Op::BarrierArrived { count, .. }
            | Op::BarrierLeft { count, .. }
            | Op::Sent { count, .. }
            | Op::Received { count, .. }
            | Op::HandleAdded { count, .. }
            | Op::HandleDropped { count, .. }
            | Op::Disconnected { count, .. }
            | Op::AtomicLoad { count, .. }
            | Op::AtomicStore { count, .. }
            | Op::AtomicUpdate { count, .. } => Some(count).filter(|&count| count != 0),
            _ => None,
        }
    }

    /// The memory location that the event is about.
    pub fn var(&self) -> Option<VarId> {
        match *self {
            Op::Read { var }
            | Op::Write { var }
            | Op::AtomicLoad { var, .. }
            | Op::AtomicStore { var, .. }
            | Op::AtomicUpdate { var, .. } => Some(var),
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
            Op::Block { .. } => "block",
            Op::Unblock { .. } => "unblock",
            Op::PermitsAcquired { .. } => "permits-acquired",
            Op::PermitsReleased { .. } => "permits-released",
            Op::PermitsAdded { .. } => "permits-added",
            Op::PermitsForgotten { .. } => "permits-forgotten",
            Op::BarrierArrived { .. } => "barrier-arrived",
            Op::BarrierLeft { .. } => "barrier-left",
            Op::Observed { .. } => "observed",
            Op::Sent { .. } => "sent",
            Op::Received { .. } => "received",
            Op::HandleAdded { .. } => "handle-added",
            Op::HandleDropped { .. } => "handle-dropped",
            Op::SendFailed { .. } => "send-failed",
            Op::Disconnected { .. } => "disconnected",
            Op::Park { .. } => "park",
            Op::Unparked => "unparked",
            Op::Unpark { .. } => "unpark",
            Op::Sleep => "sleep",
            Op::Awake => "awake",
            Op::Spawn { .. } => "spawn",
            Op::Start => "start",
            Op::Exit => "exit",
            Op::JoinWait { .. } => "join-wait",
            Op::Joined { .. } => "joined",
            Op::Read { .. } => "read",
            Op::Write { .. } => "write",
            Op::AtomicLoad { .. } => "atomic-load",
            Op::AtomicStore { .. } => "atomic-store",
            Op::AtomicUpdate { .. } => "atomic-update",
            Op::Fence { .. } => "fence",
            Op::RegionBegin { .. } => "region-begin",
            Op::RegionEnd => "region-end",
            Op::Finding { .. } => "finding",
            Op::Mark { .. } => "mark",
            Op::Dropped { .. } => "dropped",
        }
    }
}
