//! What an analysis concludes, in a form that reports and screens can render without knowing how it was found.

use lockscope_trace::{Definitions, LockId, Mode, Nanos, Need, SiteId, StackId, ThreadId, VarId};

use crate::engine::{EngineId, Witness};

/// Stable codes of findings. The kebab-case form is what users see, filter and suppress by; it never changes meaning.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, PartialOrd, Ord)]
pub enum Code {
    /// Threads wait for each other in a cycle: it happened.
    Deadlock,
    /// A thread waits for a lock that it holds itself.
    SelfDeadlock,
    /// A thread reads a lock again behind a waiting writer that waits for the first read: a deadlock of two.
    RecursiveRead,
    /// Two orders of taking locks exist that can deadlock.
    LockOrderInversion,
    /// Another schedule of the same events deadlocks, as a witness shows.
    PredictedDeadlock,
    /// A rank not above the highest rank held was taken.
    HierarchyViolation,
    /// A wait took longer than the limit that the program set.
    LockTimeout,
    /// A notification came while nobody waited, and a wait that began after it never ended.
    LostWakeup,
    /// Permits of a semaphore were never given back.
    SemaphoreLeak,
    /// A thread ended while it held a lock.
    GuardLeak,
    /// After a wake-up nobody looked whether what was waited for had come.
    UncheckedWakeup,
    /// A lock was found poisoned by a panic.
    Poisoned,
    /// A thread tried again and again to get a lock, instead of waiting for it.
    BusyWait,
    /// A lock was released while one that was taken after it was held on.
    OutOfOrderRelease,
    /// A thread waited without a time limit.
    NoTimeout,
    /// Two threads accessed a location, one of them wrote, and nothing ordered them.
    DataRace,
    /// Two accesses that something ordered in this run race in another schedule of the same events, as a witness shows.
    PredictedDataRace,
    /// Threads access a location, some write, and no lock is held at every access.
    InconsistentLocking,
    /// A value was written that was made of one read before another thread's write, which is lost.
    LostUpdate,
    /// A thread acted on what it had seen, which another one changed in between.
    CheckThenAct,
    /// Another thread came between the steps of a region that the program marks as atomic.
    AtomicityViolation,
}

impl Code {
    /// Every code, in the order of the documentation.
    pub const ALL: [Code; 21] = [
        Code::Deadlock,
        Code::SelfDeadlock,
        Code::RecursiveRead,
        Code::LockOrderInversion,
        Code::PredictedDeadlock,
        Code::HierarchyViolation,
        Code::LockTimeout,
        Code::LostWakeup,
        Code::SemaphoreLeak,
        Code::GuardLeak,
        Code::UncheckedWakeup,
        Code::Poisoned,
        Code::BusyWait,
        Code::OutOfOrderRelease,
        Code::NoTimeout,
        Code::DataRace,
        Code::PredictedDataRace,
        Code::InconsistentLocking,
        Code::LostUpdate,
        Code::CheckThenAct,
        Code::AtomicityViolation,
    ];

    /// The kebab-case form.
    pub fn as_str(self) -> &'static str {
        match self {
            Code::Deadlock => "deadlock",
            Code::SelfDeadlock => "self-deadlock",
            Code::RecursiveRead => "recursive-read",
            Code::LockOrderInversion => "lock-order-inversion",
            Code::PredictedDeadlock => "predicted-deadlock",
            Code::HierarchyViolation => "hierarchy-violation",
            Code::LockTimeout => "lock-timeout",
            Code::LostWakeup => "lost-wakeup",
            Code::SemaphoreLeak => "semaphore-leak",
            Code::GuardLeak => "guard-leak",
            Code::UncheckedWakeup => "unchecked-wakeup",
            Code::Poisoned => "poisoned",
            Code::BusyWait => "busy-wait",
            Code::OutOfOrderRelease => "out-of-order-release",
            Code::NoTimeout => "no-timeout",
            Code::DataRace => "data-race",
            Code::PredictedDataRace => "predicted-data-race",
            Code::InconsistentLocking => "inconsistent-locking",
            Code::LostUpdate => "lost-update",
            Code::CheckThenAct => "check-then-act",
            Code::AtomicityViolation => "atomicity-violation",
        }
    }

    /// Whether findings of this code are made only when they are asked for: it is a matter of taste, or of the program.
    pub fn is_opt_in(self) -> bool {
        self == Code::NoTimeout
    }

    /// The code of a kebab-case form.
    pub fn parse(text: &str) -> Option<Code> {
        Code::ALL.into_iter().find(|code| code.as_str() == text)
    }
}

/// How bad it is.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, PartialOrd, Ord)]
pub enum Severity {
    /// Worth knowing.
    Note,
    /// Should be looked at.
    Warning,
    /// Must be fixed.
    Error,
}

impl Severity {
    /// Lower-case word.
    pub fn as_str(self) -> &'static str {
        match self {
            Severity::Note => "note",
            Severity::Warning => "warning",
            Severity::Error => "error",
        }
    }
}

/// What the evidence supports. Never mixed in texts.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, PartialOrd, Ord)]
pub enum Confidence {
    /// Suspicious, unproved.
    Potential,
    /// Proved possible by a witness.
    Predicted,
    /// It happened.
    Actual,
}

impl Confidence {
    /// Lower-case word.
    pub fn as_str(self) -> &'static str {
        match self {
            Confidence::Potential => "potential",
            Confidence::Predicted => "predicted",
            Confidence::Actual => "actual",
        }
    }
}

/// One conclusion, reported once however often it was seen.
#[derive(Clone, Debug, PartialEq)]
pub struct Finding {
    /// What it is.
    pub code: Code,
    /// How bad.
    pub severity: Severity,
    /// How sure.
    pub confidence: Confidence,
    /// One line, lower case, no full stop: `2 threads are deadlocked over accounts and audit`.
    pub title: String,
    /// The threads involved, each with what it held and wanted; in the order of the cycle, so that each
    /// wants what the next one holds. A reader that queues behind a waiting writer is followed by that writer, which
    /// wants the same lock and need not hold anything.
    pub participants: Vec<Participant>,
    /// For cycles seen with several pairs of sites: the further ones, each a full set of participants.
    pub variants: Vec<Vec<Participant>>,
    /// Locks involved, in the order of the cycle: each is held while the next one is asked for.
    pub locks: Vec<LockId>,
    /// When it was first seen.
    pub first_seen: Nanos,
    /// Positions of its events in the merged order, from 1, ascending.
    pub events: Vec<u64>,
    /// How often it was seen.
    pub count: u64,
    /// Hash over code and the classes, sites' files and names involved (no line numbers, ids or addresses), as 16
    /// hexadecimal digits: survives recompilation.
    pub fingerprint: String,
    /// Further sentences: reasons, limits of the evidence ("no gate lock is common to both sides").
    pub notes: Vec<String>,
    /// What to do about it.
    pub help: Vec<String>,
    /// What prediction has to show for it; empty for findings of other kinds.
    pub evidence: Evidence,
}

/// What engines of prediction saw.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Evidence {
    /// Who saw it, the one with the strongest evidence first.
    pub engines: Vec<EngineId>,
    /// Accesses that clash, in the order that makes them wrong: the two of a race; of a lost update, the read, the write that is lost and the
    /// write that overwrites it. A thread may do several.
    pub accesses: Vec<Accessed>,
    /// The run that proves a prediction.
    pub witness: Option<Box<Witness>>,
}

/// An access to data.
#[derive(Clone, Debug, PartialEq)]
pub struct Accessed {
    /// Who.
    pub thread: ThreadId,
    /// What.
    pub what: What,
    /// How.
    pub touch: Touch,
    /// Where; of what was done while a lock was held, where that was taken.
    pub site: Option<SiteId>,
    /// The stack then.
    pub stack: Option<StackId>,
    /// When.
    pub time: Nanos,
    /// Position of the access, or of the acquisition, from 1.
    pub event: u64,
}

/// Data that threads share.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, PartialOrd, Ord)]
pub enum What {
    /// A memory location.
    Var(VarId),
    /// What the lock protects.
    Data(LockId),
}

impl What {
    /// As a report calls it: `AtomicU64 (src/main.rs:3)`, `the data of accounts`.
    pub fn name(self, definitions: &Definitions) -> String {
        match self {
            What::Var(var) => definitions.var(var),
            What::Data(lock) => format!("the data of {}", definitions.lock_name(lock)),
        }
    }

    /// Where it was made, when that is known.
    pub fn created(self, definitions: &Definitions) -> Option<SiteId> {
        match self {
            What::Var(var) => definitions.vars.get(var.0 as usize)?.created,
            What::Data(lock) => definitions.lock(lock)?.created,
        }
    }

    /// Its type, empty when it is not known; of a location of a foreign trace its name.
    pub fn type_name(self, definitions: &Definitions) -> &str {
        match self {
            What::Var(var) => definitions.vars.get(var.0 as usize).map_or("", |def| &def.name),
            What::Data(lock) => definitions.lock(lock).map_or("", |def| &def.type_name),
        }
    }
}

/// What is done to data.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, PartialOrd, Ord)]
pub enum Touch {
    /// It is read.
    Read,
    /// It is written, perhaps after it was read.
    Write,
}

impl Touch {
    /// Two accesses of different threads clash unless both read.
    pub fn clashes(self, other: Touch) -> bool {
        self == Touch::Write || other == Touch::Write
    }

    /// `read`, `write`.
    pub fn as_str(self) -> &'static str {
        match self {
            Touch::Read => "read",
            Touch::Write => "write",
        }
    }
}

/// One thread's part in a finding.
#[derive(Clone, Debug, PartialEq)]
pub struct Participant {
    /// Who.
    pub thread: ThreadId,
    /// What it held that matters here, outermost first.
    pub held: Vec<Held>,
    /// What it wanted; `None` when it only held.
    pub wanted: Option<Wanted>,
}

/// A lock that a participant held.
#[derive(Clone, Debug, PartialEq)]
pub struct Held {
    /// Which.
    pub lock: LockId,
    /// How.
    pub mode: Mode,
    /// Where it was taken.
    pub site: Option<SiteId>,
    /// The stack then.
    pub stack: Option<StackId>,
    /// Since when.
    pub since: Nanos,
    /// Position of the acquisition, from 1.
    pub event: u64,
}

/// What a participant wanted.
#[derive(Clone, Debug, PartialEq)]
pub struct Wanted {
    /// Which resource.
    pub target: Target,
    /// Where it asked.
    pub site: Option<SiteId>,
    /// The stack then.
    pub stack: Option<StackId>,
    /// Since when it waits, or when it asked.
    pub since: Nanos,
    /// Position of the request, from 1.
    pub event: u64,
}

/// A thing that can be waited for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Target {
    /// A lock, in a mode.
    Lock(LockId, Mode),
    /// The end of a thread.
    Thread(ThreadId),
    /// Something that another thread has to do to an object: notify a condition variable, send a message, ...
    Object(LockId, Need),
    /// The thread's own token: somebody has to unpark it.
    Token,
}
