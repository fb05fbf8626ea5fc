//! The operations that facades call.
//!
//! Fast path of an acquisition that need not wait, with nothing new: one load of what is switched on, the thread's record, one look-up
//! of the chain when other locks are held, the wrapped try, one slot filled in the thread's set, and when recording one
//! or two words appended.

use std::time::{Duration, Instant};

use lockscope_trace::{How, LockKind, clock, format::kind};

use super::{
    Hold, LockRef, Mode, Site,
    chains::chain_key,
    global::{self, flag, flags},
    held::HeldLock,
    order, record,
    report::{Draft, LockFacts, elapsed, held_for, is_first, mode_words, thread_name},
    search::{self, Blocker, Link},
    stack,
    thread::{self, Entered},
    waiting::{Target, Waiting},
};
use crate::config::Stacks;

/// Acquires a lock, waiting for as long as it takes.
///
/// `try_now` tries without waiting. `wait` waits: at most the given time, then returns `None`; without a limit it
/// must return `Some`. Locks that cannot wait for a limited time ignore the limit only if they poll themselves.
///
/// # Panics
///
/// When something is found whose policy is to panic. The lock is not held then.
#[inline]
pub fn acquire<G>(
    lock: LockRef<'_>,
    mode: Mode,
    site: Site,
    mut try_now: impl FnMut() -> Option<G>,
    mut wait: impl FnMut(Option<Duration>) -> Option<G>,
) -> (G, Hold) {
    let Some(op) = Op::begin(lock, mode, How::Lock, site) else {
        let guard = try_now().or_else(|| wait(None)).expect(ENDLESS);
        return (guard, Hold::untracked(mode));
    };
    op.check_order();
    let guard = try_now().unwrap_or_else(|| op.wait_endless(false, &mut wait));
    (guard, op.acquired())
}

const ENDLESS: &str = "a wait without a limit ends with the lock";

/// Acquires a lock, waiting until `deadline` at most.
///
/// `wait_until` waits until the given time at most, which is never after `deadline`.
///
/// # Panics
///
/// As [`acquire`].
#[inline]
pub fn acquire_timed<G>(
    lock: LockRef<'_>,
    mode: Mode,
    site: Site,
    deadline: Instant,
    mut try_now: impl FnMut() -> Option<G>,
    mut wait_until: impl FnMut(Instant) -> Option<G>,
) -> Option<(G, Hold)> {
    let Some(op) = Op::begin(lock, mode, How::Timed, site) else {
        return Some((try_now().or_else(|| wait_until(deadline))?, Hold::untracked(mode)));
    };
    op.check_order();
    let guard = try_now().or_else(|| op.wait_limited(false, || wait_until(deadline)))?;
    Some((guard, op.acquired()))
}

/// Tries to acquire a lock without waiting. Adds nothing to the lock order, since it cannot wait.
#[inline]
pub fn try_acquire<G>(
    lock: LockRef<'_>,
    mode: Mode,
    site: Site,
    try_now: impl FnOnce() -> Option<G>,
) -> Option<(G, Hold)> {
    let Some(op) = Op::begin(lock, mode, How::Try, site) else {
        return Some((try_now()?, Hold::untracked(mode)));
    };
    match try_now() {
        Some(guard) => Some((guard, op.acquired())),
        None => {
            op.record_failure(kind::TRY_FAILED);
            None
        }
    }
}

/// Notes that a lock is about to be released. Call it before the wrapped unlock.
#[inline]
pub fn release(lock: LockRef<'_>, hold: &Hold) {
    let flags = flags();
    if hold.owner == Hold::NOBODY || flags & flag::FORKED != 0 {
        return;
    }
    let Some(id) = lock.id() else { return };
    // A guard may be dropped in a callback too; its release must not be missed.
    let entered = thread::enter_or_nested();
    let recording = flags & flag::RECORD != 0;
    if hold.owner == entered.info.index {
        entered.info.held.remove(id, hold.mode, hold.slot);
        if recording {
            record::released(&entered, id, None, hold.access());
        }
    } else {
        release_foreign(&entered, id, hold, recording);
    }
}

#[cold]
fn release_foreign(entered: &Entered, id: u32, hold: &Hold, recording: bool) {
    let Some(owner) = thread::by_index(hold.owner) else { return };
    // Read before the slot is emptied: then the owner's record may go to another thread.
    let owner_id = owner.id.load(std::sync::atomic::Ordering::Relaxed);
    if owner.held.remove_foreign(id, hold.mode, hold.slot) && recording {
        record::released(entered, id, Some(owner_id), hold.access());
    }
}

/// Notes a release without a guard (`force_unlock`): the acquisition is searched for, in this thread first.
pub fn release_unguarded(lock: LockRef<'_>, mode: Mode) {
    if flags() & flag::TRACK == 0 {
        return;
    }
    let Some(id) = lock.id() else { return };
    let entered = thread::enter_or_nested();
    let recording = flags() & flag::RECORD != 0;
    let own = entered.info.held.remove(id, mode, Hold::NO_SLOT);
    if own {
        if recording {
            record::released(&entered, id, None, lockscope_trace::Access::Unknown);
        }
    } else if let Some(owner) = thread::all().find(|other| other.held.find(id, mode).is_some()) {
        release_foreign(&entered, id, &Hold::new(owner.index, Hold::NO_SLOT, mode), recording);
    }
}

/// The acquisition behind a guard that is made out of nothing (`make_guard_unchecked`).
///
/// Finds the acquisition of a forgotten guard, else returns a new untracked one.
pub fn adopt(lock: LockRef<'_>, mode: Mode) -> Hold {
    let untracked = Hold::untracked(mode);
    if flags() & flag::TRACK == 0 {
        return untracked;
    }
    let Some(id) = lock.id() else { return untracked };
    let entered = thread::enter_or_nested();
    let held_by = |info: &thread::ThreadInfo| info.held.find(id, mode).map(|slot| (info.index, slot));
    let found = held_by(entered.info).or_else(|| thread::all().find_map(held_by));
    found.map_or(untracked, |(owner, slot)| Hold::new(owner, u16::try_from(slot).unwrap_or(Hold::NO_SLOT), mode))
}

/// Makes an upgradable hold exclusive, waiting for readers to leave. `try_now` and `wait` as for [`acquire`].
///
/// On unwind the hold is unchanged.
#[inline]
pub fn upgrade<G>(
    lock: LockRef<'_>,
    hold: &mut Hold,
    site: Site,
    mut try_now: impl FnMut() -> Option<G>,
    mut wait: impl FnMut(Option<Duration>) -> Option<G>,
) -> G {
    let begun = Op::begin(lock, Mode::Exclusive, How::Upgrade, site).filter(|_| hold.owner != Hold::NOBODY);
    let Some(op) = begun else {
        let guard = try_now().or_else(|| wait(None)).expect(ENDLESS);
        hold.mode = Mode::Exclusive;
        return guard;
    };
    // Waiting for readers is waiting for whatever they want: the same order as for a first acquisition.
    op.check_order();
    let guard = try_now().unwrap_or_else(|| op.wait_endless(true, &mut wait));
    op.changed(hold);
    guard
}

/// Tries to make an upgradable hold exclusive: at once, or until `deadline`.
///
/// `try_until(None)` tries without waiting.
#[inline]
pub fn try_upgrade<G>(
    lock: LockRef<'_>,
    hold: &mut Hold,
    site: Site,
    deadline: Option<Instant>,
    mut try_until: impl FnMut(Option<Instant>) -> Option<G>,
) -> Option<G> {
    let begun = Op::begin(lock, Mode::Exclusive, How::Upgrade, site).filter(|_| hold.owner != Hold::NOBODY);
    let Some(op) = begun else {
        let guard = try_until(deadline)?;
        hold.mode = Mode::Exclusive;
        return Some(guard);
    };
    let guard = match deadline {
        None => try_until(None),
        Some(deadline) => {
            op.check_order();
            try_until(None).or_else(|| op.wait_limited(true, || try_until(Some(deadline))))
        }
    };
    match guard {
        Some(_) => op.changed(hold),
        None if deadline.is_none() => op.record_failure(kind::TRY_FAILED),
        None => {}
    }
    guard
}

/// Notes that a hold becomes a weaker one. Call it before the wrapped downgrade.
#[inline]
pub fn downgrade(lock: LockRef<'_>, hold: &mut Hold, to: Mode, site: Site) {
    let begun = Op::begin(lock, to, How::Downgrade, site).filter(|_| hold.owner != Hold::NOBODY);
    match begun {
        Some(op) => op.changed(hold),
        None => hold.mode = to,
    }
}

/// Waits on a condition variable: `wait` releases the mutex, waits, and takes the mutex again.
///
/// `timed_out` tells from its result whether the wait ended by time. `hold` is the mutex' acquisition and is
/// renewed. The order of the re-acquisition is checked when it has happened.
pub fn cond_wait<R>(
    condvar: LockRef<'_>,
    mutex: LockRef<'_>,
    hold: &mut Hold,
    site: Site,
    wait: impl FnOnce() -> R,
    timed_out: impl FnOnce(&R) -> bool,
) -> R {
    if hold.owner == Hold::NOBODY {
        return wait();
    }
    let (Some(condvar_id), Some(mutex_id)) = (condvar.id(), mutex.id()) else { return wait() };
    let recording = flags() & flag::RECORD != 0;
    if recording && let Some(entered) = thread::enter() {
        record::prepare(&entered, site);
        record::cond_event(&entered, kind::COND_WAIT, condvar_id, mutex_id, false, site);
    }
    release(mutex, hold);
    let mode = hold.mode;
    *hold = Hold::untracked(mode);
    let result = wait();
    if let Some(op) = Op::begin(mutex, mode, How::CondvarReacquire, site) {
        *hold = op.acquired();
        if recording {
            record::cond_event(&op.entered, kind::COND_WAKE, condvar_id, mutex_id, timed_out(&result), site);
        }
        // The guard exists already, so a panic here would find the mutex held and releases it in the normal way.
        op.check_order();
    }
    result
}

/// Notifies a condition variable. `notify` returns how many threads it woke, when the condition variable tells.
pub fn notify(condvar: LockRef<'_>, all: bool, site: Site, notify: impl FnOnce() -> Option<u32>) -> Option<u32> {
    if flags() & flag::RECORD == 0 {
        return notify();
    }
    // The time is taken before, so that it does not come after the wake-up that it causes.
    let ticks = clock::ticks();
    let woken = notify();
    if let (Some(id), Some(entered)) = (condvar.id(), thread::enter()) {
        record::notified(&entered, id, all, woken, site, ticks);
    }
    woken
}

/// Notes that a lock was found poisoned.
pub fn poisoned(lock: LockRef<'_>, site: Site) {
    if flags() & flag::RECORD != 0
        && let (Some(id), Some(entered)) = (lock.id(), thread::enter())
    {
        record::poisoned(&entered, id, site);
    }
}

/// An operation on a lock in progress.
struct Op<'a> {
    entered: Entered,
    lock: LockRef<'a>,
    id: u32,
    mode: Mode,
    how: How,
    site: Site,
    flags: u32,
}

impl<'a> Op<'a> {
    /// `None` when nothing is switched on, or this thread is in the runtime already.
    #[inline]
    fn begin(lock: LockRef<'a>, mode: Mode, how: How, site: Site) -> Option<Self> {
        let flags = flags();
        if flags & flag::TRACK == 0 {
            return None;
        }
        let entered = thread::enter()?;
        let id = lock.id()?;
        // What has to allocate does so here: once the lock is held nothing may, since it may be the allocator's.
        entered.info.held.reserve();
        if flags & flag::RECORD != 0 {
            record::prepare(&entered, site);
        }
        Some(Self { id, entered, lock, mode, how, site, flags })
    }

    /// Checks the order and the rank, unless this thread has had the same set of locks and the same lock checked before.
    #[inline]
    fn check_order(&self) {
        let (held, key) = self.entered.info.held.summary();
        if held == 0 || self.flags & flag::ORDER == 0 {
            return;
        }
        let chain = chain_key(key, self.id, self.mode);
        if !self.entered.local().chains.contains(chain) {
            self.check_new_chain(chain);
        }
    }

    #[cold]
    fn check_new_chain(&self, chain: u64) {
        let request = order::Request { lock: self.lock.facts(self.id), mode: self.mode, site: self.site };
        let stack = order::check(&self.entered, &request);
        if let Some(stack) = stack {
            record::attach_stack(&self.entered, &stack);
        }
        self.entered.local().chains.insert(chain);
    }

    /// Notes the acquisition; call while the lock is held.
    #[inline]
    fn acquired(&self) -> Hold {
        let ticks = if self.flags & flag::TIMES != 0 { clock::ticks() } else { 0 };
        let slot = self.entered.info.held.push(&HeldLock {
            lock: self.id,
            mode: self.mode,
            kind: self.lock.kind(),
            site: self.site,
            created: self.lock.meta.created,
            type_name: self.lock.type_name,
            since: ticks,
        });
        if self.mode == Mode::Exclusive {
            self.lock.meta.set_owner_hint(self.entered.info);
        }
        if self.flags & flag::RECORD != 0 {
            record::acquired(&self.entered, self.lock.meta, self.id, self.mode, self.how, self.site, ticks);
        }
        Hold::new(self.entered.info.index, slot, self.mode)
    }

    /// Notes that a hold changed its mode; call while the stronger of both is held.
    fn changed(&self, hold: &mut Hold) {
        if hold.owner == self.entered.info.index {
            self.entered.info.held.change_mode(self.id, hold.mode, self.mode, hold.slot);
        } else if let Some(owner) = thread::by_index(hold.owner) {
            // The guard came from another thread: from now on the acquisition is this one's.
            let owner_id = owner.id.load(std::sync::atomic::Ordering::Relaxed);
            if owner.held.remove_foreign(self.id, hold.mode, hold.slot) && self.flags & flag::RECORD != 0 {
                record::released(&self.entered, self.id, Some(owner_id), hold.access());
            }
            *hold = self.acquired();
            return;
        }
        hold.mode = self.mode;
        if self.mode == Mode::Exclusive {
            self.lock.meta.set_owner_hint(self.entered.info);
        }
        if self.flags & flag::RECORD != 0 {
            let ticks = clock::ticks();
            record::acquired(&self.entered, self.lock.meta, self.id, self.mode, self.how, self.site, ticks);
        }
    }

    fn record_failure(&self, kind: u8) {
        if self.flags & flag::RECORD != 0 {
            record::lock_event(&self.entered, kind, self.id, self.mode, self.site);
        }
    }

    /// Waits without a limit of the program's; the configured one is reported.
    #[cold]
    fn wait_endless<G>(&self, upgrade: bool, wait: &mut dyn FnMut(Option<Duration>) -> Option<G>) -> G {
        self.waiting(false, upgrade, || {
            if let Some(limit) = global::config().timeout {
                if let Some(guard) = wait(Some(limit)) {
                    return guard;
                }
                self.report_timeout(limit);
            }
            wait(None).expect(ENDLESS)
        })
    }

    #[cold]
    fn wait_limited<G>(&self, upgrade: bool, wait: impl FnOnce() -> Option<G>) -> Option<G> {
        let guard = self.waiting(true, upgrade, wait);
        if guard.is_none() {
            self.record_failure(kind::TIMED_OUT);
        }
        guard
    }

    /// Publishes the wait, searches for a deadlock, waits.
    fn waiting<R>(&self, limited: bool, upgrade: bool, wait: impl FnOnce() -> R) -> R {
        self.record_wait();
        let waiting = Waiting {
            episode: 0,
            target: Target::Lock { lock: self.id, mode: self.mode, kind: self.lock.kind(), upgrade },
            site: self.site,
            created: self.lock.meta.created,
            type_name: self.lock.type_name,
            since: clock::ticks(),
            limited,
            owner: self.lock.meta.owner_hint(),
        };
        let _waiting = self.entered.info.wait.begin(&waiting);
        if self.flags & flag::DEADLOCK != 0 {
            search_and_report(&self.entered);
        }
        wait()
    }

    fn record_wait(&self) {
        if self.flags & flag::RECORD == 0 {
            return;
        }
        if global::config().stacks == Stacks::All
            && let Some(stack) = stack::capture()
        {
            record::attach_stack(&self.entered, &stack);
        }
        record::lock_event(&self.entered, kind::WAIT, self.id, self.mode, self.site);
    }

    fn report_timeout(&self, limit: Duration) {
        let lock = self.lock.facts(self.id);
        let name = lock.describe();
        let limit = lockscope_trace::Nanos(u64::try_from(limit.as_nanos()).unwrap_or(u64::MAX));
        let title = format!("{} waits for {name} for longer than {limit}", thread_name(self.entered.info));
        let mut draft = Draft::new("lock-timeout", "error", "actual", title);
        draft.line(&format!("it asks for {name}{} at {}", mode_words(lock.kind, self.mode), self.site));
        let mut nobody = true;
        for holder in thread::all() {
            for held in holder.held.of_lock(self.id) {
                nobody = false;
                draft.line(&format!(
                    "{} took {name}{} at {}{}",
                    thread_name(holder),
                    mode_words(held.kind, held.mode),
                    held.site,
                    held_for(held.since)
                ));
                if let Some(waiting) = holder.wait.read() {
                    draft.line(&format!("  and waits itself at {}, for {}", waiting.site, elapsed(waiting.since)));
                }
            }
        }
        if nobody {
            draft.line("no thread is known to hold it: it may have just been released, or be held by code that is not instrumented");
        }
        draft.stack("stack of the wait:", stack::capture(), self.site);
        draft.line("help: hold the lock for less time, or raise the limit; the wait goes on");
        draft.publish(&self.entered, global::config().on_timeout);
    }
}

/// Searches for a cycle of waits through this thread, whose wait is published.
pub(super) fn search_and_report(entered: &Entered) {
    if let Some(cycle) = search::cycle(entered.info) {
        report_deadlock(entered, &cycle);
    }
}

fn report_deadlock(entered: &Entered, cycle: &[Link]) {
    // Two threads can find the same cycle at the same moment.
    let mut members: Vec<String> =
        cycle.iter().map(|link| format!("{} {}", link.info.index, link.waiting.episode)).collect();
    members.sort_unstable();
    let mut key = std::hash::DefaultHasher::new();
    std::hash::Hash::hash(&("deadlock", members), &mut key);
    if !is_first(std::hash::Hasher::finish(&key)) {
        return;
    }
    let names = cycle.iter().map(|link| target_name(&link.waiting)).collect::<Vec<_>>();
    let limited = cycle.iter().any(|link| link.waiting.limited);
    let (code, title) = match cycle {
        [link] => ("self-deadlock", format!("{} waits for {} that it holds itself", thread_name(link.info), names[0])),
        _ => {
            let mut distinct = names.clone();
            distinct.sort_unstable();
            distinct.dedup();
            ("deadlock", format!("{} threads are deadlocked over {}", cycle.len(), join(&distinct)))
        }
    };
    let mut draft = Draft::new(code, "error", "actual", title);
    for (link, name) in cycle.iter().zip(&names) {
        draft.line(&format!(
            "{} waits for {name}{} at {}",
            thread_name(link.info),
            wanted_words(&link.waiting),
            link.waiting.site
        ));
    }
    for (index, link) in cycle.iter().enumerate() {
        let next = &cycle[(index + 1) % cycle.len()];
        let name = &names[index];
        draft.line(&match &link.blocker {
            Blocker::Holds(held) => format!(
                "{name} is held by {}, taken{} at {}{}",
                thread_name(next.info),
                mode_words(held.kind, held.mode),
                held.site,
                held_for(held.since)
            ),
            Blocker::WritesFirst => {
                format!("{} waits to write to {name}, and no reader may pass it", thread_name(next.info))
            }
            Blocker::Lives => format!("{name} cannot end before it"),
        });
    }
    if limited {
        draft.line("note: a wait in the cycle has a time limit, which will dissolve it");
    }
    draft.stack(&format!("stack of {}:", thread_name(entered.info)), stack::capture(), cycle[0].waiting.site);
    draft.line(if cycle.len() == 1 {
        "help: release the lock before taking it again, or pass the guard on"
    } else {
        "help: take these locks in one order everywhere, or do not wait while holding them"
    });
    draft.publish(entered, global::config().deadlock);
}

fn target_name(waiting: &Waiting) -> String {
    match &waiting.target {
        &Target::Lock { lock, kind, .. } => {
            LockFacts { lock, kind, created: waiting.created, type_name: waiting.type_name }.describe()
        }
        Target::Threads(threads) => {
            let names: Vec<String> = threads
                .iter()
                .map(|&id| thread::by_id(id).map_or_else(|| format!("thread T{id}"), thread_name))
                .collect();
            format!("the end of {}", join(&names))
        }
    }
}

fn wanted_words(waiting: &Waiting) -> &'static str {
    match waiting.target {
        Target::Lock { upgrade: true, .. } => " to upgrade it",
        Target::Lock { kind: LockKind::RwLock, mode, .. } => mode_words(LockKind::RwLock, mode),
        _ => "",
    }
}

fn join(names: &[String]) -> String {
    match names {
        [] => String::new(),
        [one] => one.clone(),
        [rest @ .., last] => format!("{} and {last}", rest.join(", ")),
    }
}
