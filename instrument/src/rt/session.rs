//! Sessions: stretches of a program that are judged by themselves, as tests are.
//!
//! Several run at the same time in one process, so the question is whose a finding is. A thread is in the session in which it was
//! begun: of threads that `lockscope::thread` makes the parent is known, and of all others the kernel tells. It hands a thread's
//! timer slack on to the threads that it makes (prctl(2), `PR_SET_TIMERSLACK`), so the thread that begins a session takes a value of its own for
//! it, some microseconds above the usual 50, by which a thread that shows up from nowhere is known: one of std's, of rayon's, of a library in C.
//! Where the kernel does not do that, such threads are in no session.
//!
//! What threads of no session do is a session's where it is about a lock that a thread of the session was the first to use: then they work for
//! it.
//!
//! | finding | is a session's when |
//! | --- | --- |
//! | deadlock, lost wake-up, leak | one of the threads in it is in the session |
//! | lock-order inversion | all orders are by threads of the session, or some are and the others are about its locks |
//! | anything else | the thread is in the session, or in none and the lock is the session's |
//!
//! Orders of different sessions make no inversion together, and each session tells again what others have told: a test is judged as if it were
//! alone in its process, whatever ran before. Under a runner that starts a process for each test, everything in it is that test's.

use std::{
    ops::Range,
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicBool, AtomicU32, Ordering},
    },
};

use super::{
    global::{flag, flags, patient_registry},
    order,
    thread::{self, Entered, ThreadInfo, this},
};
use crate::finding::Report;

/// No session.
pub(super) const NONE: u32 = 0;

/// So many findings of a session are kept; more would tell nothing new.
const MOST: usize = 100;

/// The kernel's timer slack, in ns, unless somebody has changed it; and by how many more sessions are told apart, the latest so many.
const USUAL_SLACK: u32 = 50_000;
const SLACKS: u32 = 8_000;

/// A session that runs.
#[derive(Debug)]
struct Active {
    id: u32,
    /// By which its threads are known, 0 when they are not.
    slack: u32,
    found: Vec<Report>,
}

static ACTIVE: Mutex<Vec<Active>> = Mutex::new(Vec::new());

/// Whether there was ever one: else nothing in here costs anything.
static IS_USED: AtomicBool = AtomicBool::new(false);

/// The part of the thread that has begun a session.
#[derive(Debug)]
pub struct Session {
    id: u32,
    /// What the thread was in before, and its timer slack then.
    outer: u32,
    slack: u32,
    /// The thread's record and its id: records are handed on.
    index: u32,
    thread: u32,
}

impl Session {
    /// Begins one in this thread; `None` while nothing is switched on.
    pub fn begin() -> Option<Self> {
        static NEXT: AtomicU32 = AtomicU32::new(NONE + 1);
        if flags() & flag::TRACK == 0 {
            return None;
        }
        let entered = thread::enter()?;
        let id = NEXT.fetch_add(1, Ordering::Relaxed);
        let slack = timer_slack();
        let own = if slack == 0 { 0 } else { USUAL_SLACK + 1 + id % SLACKS };
        let outer = entered.info.session.load(Ordering::Relaxed);
        active().push(Active { id, slack: own, found: Vec::new() });
        IS_USED.store(true, Ordering::Release);
        set_timer_slack(own);
        entered.go_into_session(id);
        let thread = entered.info.id.load(Ordering::Relaxed);
        Some(Self { id, outer, slack, index: entered.info.index, thread })
    }

    /// Ends it; what was found in it, in order.
    pub fn end(self) -> Vec<Report> {
        let mut found = Vec::new();
        {
            let mut active = active();
            if let Some(place) = active.iter().position(|active| active.id == self.id) {
                found = active.remove(place).found;
            }
        }
        let entered = thread::enter();
        // A future may come to its end in another thread than it began in.
        if let Some(entered) = &entered
            && (entered.info.index, entered.info.id.load(Ordering::Relaxed)) == (self.index, self.thread)
        {
            set_timer_slack(self.slack);
            entered.go_into_session(self.outer);
        }
        // Its threads that live on work for whoever needs them.
        let mut stay = Vec::new();
        for info in thread::all() {
            if info.session.compare_exchange(self.id, NONE, Ordering::AcqRel, Ordering::Relaxed).is_ok() {
                stay.push(info.id.load(Ordering::Relaxed));
            }
        }
        order::session_ends(self.id, &stay);
        if let Some(mut registry) = patient_registry() {
            registry.session_locks.forget(self.id);
        }
        found
    }
}

impl Entered {
    /// What is known, and ids that are at hand, are of the session before.
    fn go_into_session(&self, id: u32) {
        self.info.session.store(id, Ordering::Release);
        let local = self.local();
        local.lock_ids = 0..0;
        local.chains.clear();
        this().chains.look_at(&local.chains);
    }
}

/// The session that this thread is in.
pub(super) fn current() -> u32 {
    this().info().map_or(NONE, |info| info.session.load(Ordering::Relaxed))
}

/// The session of a thread that nobody saw being made: this one.
pub(super) fn of_unseen_thread() -> u32 {
    if !IS_USED.load(Ordering::Acquire) {
        return NONE;
    }
    let slack = timer_slack();
    active().iter().find(|active| slack != 0 && active.slack == slack).map_or(NONE, |active| active.id)
}

/// Whose findings about these threads are, and about these locks if the threads are in no session. None for nobody's.
pub(super) fn concerned(threads: impl Iterator<Item = u32>, locks: &[u32]) -> Vec<u32> {
    if !IS_USED.load(Ordering::Acquire) {
        return Vec::new();
    }
    if is_alone() {
        return active().iter().map(|active| active.id).collect();
    }
    let mut sessions: Vec<u32> = threads.filter(|&session| session != NONE).collect();
    if sessions.is_empty() {
        let registry = patient_registry();
        sessions.extend(locks.iter().filter_map(|&lock| registry.as_ref()?.session_locks.session_of(lock)));
    }
    sessions.sort_unstable();
    sessions.dedup();
    sessions
}

/// Whose an inversion is: the one session of its threads, if those of none work for it.
pub(super) fn concerned_by_orders(threads: &[u32], locks: &[u32]) -> Vec<u32> {
    if is_alone() {
        return concerned(threads.iter().copied(), locks);
    }
    let is_of_all = |session: &u32| {
        let are_its_locks = || {
            let registry = patient_registry();
            let is_its = |&lock: &u32| registry.as_ref()?.session_locks.session_of(lock).filter(|of| of == session);
            locks.iter().any(|lock| is_its(lock).is_some())
        };
        threads.iter().all(|thread| thread == session)
            || (threads.iter().all(|thread| thread == session || *thread == NONE) && are_its_locks())
    };
    concerned(threads.iter().copied(), locks).into_iter().filter(is_of_all).collect()
}

/// Keeps a finding for the sessions that it concerns.
pub(super) fn keep(report: &Report, sessions: &[u32]) {
    if sessions.is_empty() {
        return;
    }
    for active in active().iter_mut().filter(|active| sessions.contains(&active.id)) {
        if active.found.len() < MOST {
            active.found.push(report.clone());
        }
    }
}

/// Whether the process is there for one test only: nextest says so.
fn is_alone() -> bool {
    use std::sync::OnceLock;
    static IS_ALONE: OnceLock<bool> = OnceLock::new();
    *IS_ALONE.get_or_init(|| std::env::var_os("NEXTEST_EXECUTION_MODE").is_some_and(|mode| mode == "process-per-test"))
}

fn active() -> std::sync::MutexGuard<'static, Vec<Active>> {
    ACTIVE.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Which locks were first used in which session.
#[derive(Debug, Default)]
pub(super) struct SessionLocks(
    /// Ascending.
    Vec<(Range<u32>, u32)>,
);

impl SessionLocks {
    /// Notes ids, greater than all before, that a thread of this session takes.
    pub(super) fn note(&mut self, ids: Range<u32>, session: u32) {
        match self.0.last_mut() {
            _ if session == NONE => {}
            Some((last, of)) if last.end == ids.start && *of == session => last.end = ids.end,
            _ => self.0.push((ids, session)),
        }
    }

    fn session_of(&self, lock: u32) -> Option<u32> {
        let after = self.0.partition_point(|(ids, _)| ids.start <= lock);
        let (ids, session) = self.0.get(after.checked_sub(1)?)?;
        ids.contains(&lock).then_some(*session)
    }

    fn forget(&mut self, session: u32) {
        self.0.retain(|(_, of)| *of != session);
    }
}

/// This thread's timer slack in ns; 0 where it cannot be had.
fn timer_slack() -> u32 {
    // SAFETY: takes nothing but numbers.
    u32::try_from(unsafe { libc::prctl(libc::PR_GET_TIMERSLACK, 0, 0, 0, 0) }).unwrap_or(0)
}

fn set_timer_slack(slack: u32) {
    if slack != 0 {
        // SAFETY: as above.
        unsafe { libc::prctl(libc::PR_SET_TIMERSLACK, libc::c_ulong::from(slack), 0, 0, 0) };
    }
}

/// The session of a thread, by its record.
pub(super) fn of(info: &ThreadInfo) -> u32 {
    info.session.load(Ordering::Relaxed)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn locks_are_known_by_the_session_that_used_them_first() {
        let mut locks = SessionLocks::default();
        for (ids, session) in [(0..64, 1), (64..128, 1), (128..192, NONE), (192..256, 2), (256..257, 1)] {
            locks.note(ids, session);
        }
        assert_eq!(locks.0.len(), 3, "what lies side by side is one");
        let all = |locks: &SessionLocks| [0, 127, 128, 200, 256, 257].map(|lock| locks.session_of(lock));
        assert_eq!(all(&locks), [Some(1), Some(1), None, Some(2), Some(1), None]);
        locks.forget(1);
        assert_eq!(all(&locks), [None, None, None, Some(2), None, None]);
    }
}
