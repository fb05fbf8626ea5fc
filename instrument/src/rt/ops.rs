//! The operations that facades call.
//!
//! Each first tries the fast path (`fast`): one load of what is switched on, the thread's record, one look-up of the chain when
//! other locks are held, the wrapped try, one slot filled in the thread's set. The rest is in `op`.

use std::time::{Duration, Instant};

use lockscope_trace::{
    Access, How, clock,
    format::{act, kind},
    writer::{CondEvent, ObjectEvent},
};

use super::{
    Hold, LockMeta, LockRef, Mode, Need, Site,
    fast::{self, mode},
    global::{flag, flags, flags_if_ready},
    held::SlotPtr,
    helpers, misuse,
    object::{self, next_count},
    op::{ENDLESS, Op},
    record,
    thread::{self, Entered, ThreadInfo},
    wrapper,
};

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
    wait: impl FnMut(Option<Duration>) -> Option<G>,
) -> (G, Hold) {
    let flags = flags_if_ready();
    if flags & (flag::TRACK | flag::RECORD | flag::TIMES) == flag::TRACK
        && let Some(fast) = fast::begin(lock, mode, flags)
        && let Some(guard) = try_now()
    {
        return (guard, fast.acquired(lock, mode, site, 0));
    }
    let (meta, type_name, kind) = (lock.meta, lock.type_name, lock.kind_and_flags());
    match mode {
        Mode::Exclusive => acquire_otherwise::<G, true>(meta, type_name, kind, site, try_now, wait),
        Mode::Shared => acquire_otherwise::<G, false>(meta, type_name, kind, site, try_now, wait),
        Mode::Upgradable => acquire_rarely(meta, type_name, kind, mode, site, try_now, wait),
    }
}

/// The same while something is recorded. Not inlined, so that what is inlined stays small; takes the lock in parts, as all that is not inlined
/// does: put together in memory, it would be read from there in other pieces than those that were just written, which takes longer than the
/// lock itself.
#[inline(never)]
fn acquire_otherwise<G, const IS_EXCLUSIVE: bool>(
    meta: &LockMeta,
    type_name: fn() -> &'static str,
    kind: u32,
    site: Site,
    mut try_now: impl FnMut() -> Option<G>,
    wait: impl FnMut(Option<Duration>) -> Option<G>,
) -> (G, Hold) {
    let flags = flags_if_ready();
    // Switched off.
    if flags & (flag::READY | flag::TRACK) == flag::READY
        && let Some(guard) = try_now()
    {
        return (guard, Hold::untracked(mode::<IS_EXCLUSIVE>()));
    }
    if flags & (flag::TRACK | flag::RECORD) == flag::TRACK | flag::RECORD
        && let Some((slot, site_id)) = fast::begin_recording::<IS_EXCLUSIVE>(meta, kind, site, flags)
        && let Some(guard) = try_now()
    {
        return (guard, fast::acquired_recording::<IS_EXCLUSIVE>(meta, type_name, kind, site, slot, site_id));
    }
    acquire_rarely(meta, type_name, kind, mode::<IS_EXCLUSIVE>(), site, try_now, wait)
}

/// [`fast::begin_recording`] for any mode.
#[inline(always)]
fn begin_recording(lock: LockRef<'_>, mode: Mode, site: Site, flags: u32) -> Option<(SlotPtr, u32)> {
    match mode {
        Mode::Exclusive => fast::begin_recording::<true>(lock.meta, lock.kind_and_flags(), site, flags),
        Mode::Shared => fast::begin_recording::<false>(lock.meta, lock.kind_and_flags(), site, flags),
        Mode::Upgradable => None,
    }
}

/// [`fast::acquired_recording`] for what [`begin_recording`] has begun.
#[inline(always)]
fn acquired_recording(lock: LockRef<'_>, mode: Mode, site: Site, (slot, site_id): (SlotPtr, u32)) -> Hold {
    let (meta, type_name, kind) = (lock.meta, lock.type_name, lock.kind_and_flags());
    match mode {
        Mode::Exclusive => fast::acquired_recording::<true>(meta, type_name, kind, site, slot, site_id),
        _ => fast::acquired_recording::<false>(meta, type_name, kind, site, slot, site_id),
    }
}

/// The same in every other case.
#[inline(never)]
fn acquire_rarely<G>(
    meta: &LockMeta,
    type_name: fn() -> &'static str,
    kind: u32,
    mode: Mode,
    site: Site,
    mut try_now: impl FnMut() -> Option<G>,
    mut wait: impl FnMut(Option<Duration>) -> Option<G>,
) -> (G, Hold) {
    let lock = LockRef::from_parts(meta, type_name, kind);
    let flags = flags();
    if flags & flag::TRACK == 0 {
        return (try_now().or_else(|| wait(None)).expect(ENDLESS), Hold::untracked(mode));
    }
    if flags & flag::RECORD != 0 {
        lock.register_quietly(site, flags);
        if let Some(begun) = begin_recording(lock, mode, site, flags)
            && let Some(guard) = try_now()
        {
            return (guard, acquired_recording(lock, mode, site, begun));
        }
    } else if (lock.register_quietly(site, flags) || flags & flag::TIMES != 0)
        && let Some(fast) = fast::begin(lock, mode, flags)
        && let Some(guard) = try_now()
    {
        let since = if flags & flag::TIMES != 0 { clock::ticks() } else { 0 };
        return (guard, fast.acquired(lock, mode, site, since));
    }
    acquire_slow(meta, type_name, kind, mode, site, try_now, wait)
}

#[inline(never)]
fn acquire_slow<G>(
    meta: &LockMeta,
    type_name: fn() -> &'static str,
    kind: u32,
    mode: Mode,
    site: Site,
    mut try_now: impl FnMut() -> Option<G>,
    mut wait: impl FnMut(Option<Duration>) -> Option<G>,
) -> (G, Hold) {
    let lock = LockRef::from_parts(meta, type_name, kind);
    let Some(op) = Op::begin(lock, mode, How::Lock, site) else {
        let guard = try_now().or_else(|| wait(None)).expect(ENDLESS);
        return (guard, Hold::untracked(mode));
    };
    op.check_order();
    let guard = try_now().unwrap_or_else(|| op.wait_endless(false, &mut wait));
    (guard, op.acquired())
}

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
            op.note_failed_try();
            None
        }
    }
}

/// Notes that a lock is about to be released. Call it before the wrapped unlock.
#[inline]
pub fn release(lock: LockRef<'_>, hold: &mut Hold) {
    if flags_if_ready() & (flag::RECORD | flag::FORKED) == 0
        && let Some(slot) = hold.ordinary()
        && fast::release(lock, slot, hold.mode_code())
    {
        return;
    }
    release_otherwise(lock.meta, lock.type_name, lock.kind_and_flags(), hold.copy());
}

/// The same in every other case; see [`acquire_otherwise`]. Takes the hold by value: the guard need not be in memory.
#[inline(never)]
fn release_otherwise(meta: &LockMeta, type_name: fn() -> &'static str, kind: u32, hold: Hold) {
    let mut hold = hold;
    // Switched off when it was acquired.
    if hold.slot().is_none() {
        return;
    }
    let flags = flags_if_ready();
    if flags & (flag::RECORD | flag::FORKED) == flag::RECORD
        && let Some(slot) = hold.ordinary()
        && fast::release_recording(meta, slot, hold.mode_code(), hold.access_code(), flags)
    {
        return;
    }
    release_rarely(meta, type_name, kind, hold);
}

#[inline(never)]
fn release_rarely(meta: &LockMeta, type_name: fn() -> &'static str, kind: u32, mut hold: Hold) {
    let Some(slot) = hold.slot() else { return };
    let flags = flags();
    if flags & flag::FORKED != 0 {
        return;
    }
    let lock = LockRef::from_parts(meta, type_name, kind);
    if hold.is_unchecked() {
        after_unchecked_wakeup(lock, &hold);
    }
    if hold.is_probed() {
        after_probe(lock, &hold, slot);
    }
    let (mode, access) = (hold.mode_code(), hold.access_code());
    if flags & flag::RECORD == 0 || !fast::release_recording(meta, slot, mode, access, flags) {
        release_slow(lock, &hold, flags);
    }
}

#[cold]
fn after_unchecked_wakeup(mutex: LockRef<'_>, hold: &Hold) {
    // A panic looks at nothing either.
    if std::thread::panicking() {
        return;
    }
    if let (Some(id), Some(entered)) = (mutex.known_id(), thread::enter())
        && let Some(held) = entered.info.held.of_lock(id).next()
        && hold.owner() == Some(entered.info.index)
    {
        misuse::unchecked_wakeup(&entered, mutex, id, held.site);
    }
}

#[cold]
fn after_probe(lock: LockRef<'_>, hold: &Hold, slot: SlotPtr) {
    if let Some(entered) = thread::enter()
        && hold.owner() == Some(entered.info.index)
    {
        wrapper::released(&entered, lock, slot);
    }
}

#[inline(never)]
fn release_slow(lock: LockRef<'_>, hold: &Hold, flags: u32) {
    let Some(id) = lock.id().or_else(|| lock.unfollowed_id()) else { return };
    // A guard may be dropped in a callback too; its release must not be missed.
    let entered = thread::enter_or_nested();
    let Some(owner) = hold.owner().and_then(thread::by_index) else { return };
    if owner.index != entered.info.index {
        release_foreign(&entered, owner, id, hold, flags & flag::RECORD != 0);
    } else if !release_own(&entered, id, hold, hold.access()) && lock.known_id().is_some() {
        // A release without a guard ended this one's record instead of its own: every release ends one.
        release_by_other(&entered, id, hold.mode(), flags & flag::RECORD != 0);
    }
}

/// Ends an acquisition of this thread; false when none is noted.
pub(super) fn release_own(entered: &Entered, id: u32, hold: &Hold, access: Access) -> bool {
    let held = &entered.info.held;
    let slot = hold.slot().filter(|_| held.has_at(id, hold.slot())).or_else(|| held.find(id, hold.mode()));
    let Some(slot) = slot else { return false };
    // Recorded while it is in the set: a section that begins with this event lists what is held before it.
    if flags() & flag::RECORD != 0 {
        record::released(entered, id, None, hold.mode(), access, slot.since());
    }
    held.remove(id, hold.mode(), hold.slot())
}

#[cold]
pub(super) fn release_foreign(entered: &Entered, owner: &ThreadInfo, id: u32, hold: &Hold, recording: bool) {
    // Read before the slot is emptied: then the owner's record may go to another thread.
    let owner_id = owner.id.load(std::sync::atomic::Ordering::Relaxed);
    if owner.held.remove_foreign(id, hold.mode(), hold.slot()) && recording {
        record::released(entered, id, Some(owner_id), hold.mode(), hold.access(), 0);
    }
}

/// Ends an acquisition of whoever is noted to have one.
#[cold]
fn release_by_other(entered: &Entered, id: u32, mode: Mode, recording: bool) {
    if let Some(owner) = thread::all().find(|other| other.held.find(id, mode).is_some()) {
        release_foreign(entered, owner, id, &Hold::untracked(mode), recording);
    }
}

/// Notes a release without a guard (`force_unlock`): the acquisition is searched for, in this thread first.
pub fn release_unguarded(lock: LockRef<'_>, mode: Mode) {
    if flags() & flag::TRACK == 0 {
        return;
    }
    let Some(id) = lock.id() else { return };
    let entered = thread::enter_or_nested();
    if !release_own(&entered, id, &Hold::untracked(mode), Access::Unknown) {
        release_by_other(&entered, id, mode, flags() & flag::RECORD != 0);
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
    let held_by = |info: &ThreadInfo| info.held.find(id, mode);
    let last_owner = || lock.meta.owner_hint().and_then(thread::by_index).and_then(held_by);
    let found = held_by(entered.info).or_else(last_owner).or_else(|| thread::all().find_map(held_by));
    found.map_or(untracked, |slot| Hold::new(slot, mode)).of_unknown_access()
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
    let begun = Op::begin(lock, Mode::Exclusive, How::Upgrade, site).filter(|_| hold.slot().is_some());
    let Some(op) = begun else {
        let guard = try_now().or_else(|| wait(None)).expect(ENDLESS);
        hold.set_mode(Mode::Exclusive);
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
    let begun = Op::begin(lock, Mode::Exclusive, How::Upgrade, site).filter(|_| hold.slot().is_some());
    let Some(op) = begun else {
        let guard = try_until(deadline)?;
        hold.set_mode(Mode::Exclusive);
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
    let begun = Op::begin(lock, to, How::Downgrade, site).filter(|_| hold.slot().is_some());
    match begun {
        Some(op) => op.changed(hold),
        None => hold.set_mode(to),
    }
}

/// Waits on a condition variable: `wait` releases the mutex, waits, and takes the mutex again. `limited` says that it ends by
/// itself some time.
///
/// `timed_out` tells from its result whether the wait ended by time. `hold` is the mutex' acquisition and is
/// renewed. The order of the re-acquisition is checked when it has happened.
pub fn cond_wait<R>(
    condvar: LockRef<'_>,
    mutex: LockRef<'_>,
    hold: &mut Hold,
    limited: bool,
    site: Site,
    wait: impl FnOnce() -> R,
    timed_out: impl FnOnce(&R) -> bool,
) -> R {
    if hold.slot().is_none() {
        return wait();
    }
    let (Some(condvar_id), Some(mutex_id)) = (condvar.id_at(site), mutex.id()) else { return wait() };
    let recording = flags() & flag::RECORD != 0;
    if recording && let Some(entered) = thread::enter() {
        let event = CondEvent { condvar: condvar_id, mutex: mutex_id, site: 0, count: next_count(condvar) };
        record::cond_event(&entered, kind::COND_WAIT, limited, event, site);
    }
    hold.forget_wakeup();
    let was_read = hold.access() != Access::Nothing;
    let since = if flags() & flag::TIMES == 0 { 0 } else { held_since(hold, mutex_id) };
    release(mutex, hold);
    let mode = hold.mode();
    *hold = Hold::untracked(mode);
    let result = {
        let _reacquire = Reacquire { mutex, mode, site, hold };
        // Ends first: who holds the mutex again does not wait.
        let _waiting = object::publish(&[(condvar, Need::Notify)], Some((mutex, was_read, since)), limited, site);
        wait()
    };
    let timed_out = timed_out(&result);
    if !timed_out {
        hold.note_woken();
    }
    if recording && let Some(entered) = thread::enter() {
        let event = CondEvent { condvar: condvar_id, mutex: mutex_id, site: 0, count: next_count(condvar) };
        record::cond_event(&entered, kind::COND_WAKE, timed_out, event, site);
    }
    // The mutex is held by now, and its guard is released in the normal way should this panic.
    if let Some(op) = Op::begin(mutex, mode, How::CondvarReacquire, site) {
        op.check_order();
    }
    result
}

fn held_since(hold: &Hold, mutex: u32) -> u64 {
    let held = hold.owner().and_then(thread::by_index).and_then(|owner| owner.held.of_lock(mutex).next());
    // By the coarse clock it was up to a move later: who may have looked at the data has.
    held.map_or(0, |held| clock::at_latest(held.since))
}

/// Notes at the end of a wait, also by panic, that the mutex is held again.
struct Reacquire<'a, 'h> {
    mutex: LockRef<'a>,
    mode: Mode,
    site: Site,
    hold: &'h mut Hold,
}

impl Drop for Reacquire<'_, '_> {
    fn drop(&mut self) {
        if let Some(op) = Op::begin(self.mutex, self.mode, How::CondvarReacquire, self.site) {
            *self.hold = op.acquired();
        }
    }
}

/// Notifies a condition variable. `notify` returns how many threads it woke, when the condition variable tells.
pub fn notify(condvar: LockRef<'_>, all: bool, site: Site, notify: impl FnOnce() -> Option<u32>) -> Option<u32> {
    let flags = flags();
    if flags & flag::DEADLOCK != 0
        && let (Some(object), Some(entered)) = (condvar.id_at(site), thread::enter())
    {
        helpers::notified(&entered, object, site);
    }
    if flags & flag::RECORD == 0 {
        return notify();
    }
    // The count is taken before, so that it does not come after that of the wake-up that it causes; the event is written after,
    // when it is known who was woken.
    let count = next_count(condvar);
    let woken = notify();
    if let (Some(object), Some(entered)) = (condvar.id_at(site), thread::enter()) {
        let detail = u16::from(all) | u16::from(woken.is_some()) << 1;
        let a = woken.unwrap_or(0);
        record::object(
            &entered,
            ObjectEvent { act: act::NOTIFY, detail, object, count, a, ..ObjectEvent::default() },
            site,
        );
    }
    woken
}

/// Notes that a lock was found poisoned.
pub fn poisoned(lock: LockRef<'_>, site: Site) {
    let flags = flags();
    if flags & flag::TRACK != 0
        && let (Some(id), Some(entered)) = (lock.id(), thread::enter())
    {
        if flags & flag::RECORD != 0 {
            record::poisoned(&entered, id, site);
        }
        misuse::poisoned(&entered, lock, id, site);
    }
}
