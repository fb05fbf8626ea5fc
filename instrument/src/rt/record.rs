//! Puts events into the trace.

use std::sync::atomic::Ordering;

use lockscope_trace::{
    Access, How, Mode, clock,
    format::{code, kind},
    writer::{CondEvent, MemoryEvent, ObjectEvent, ThreadWriter},
};

use super::{
    LockMeta, Site,
    global::{self, flag, patient_registry},
    recorder, reentry,
    stack::Stack,
    thread::{self, Entered, Env},
};

/// Runs `f` with this thread's end of the trace, when there is one, after attaching a pending stack.
#[inline]
fn with(entered: &Entered, f: impl FnOnce(&mut ThreadWriter, &Env)) {
    let local = entered.local();
    if let (Some(thread_writer), Some(writer)) = (&mut local.writer, global::trace()) {
        let env = Env { writer, info: entered.info };
        if let Some(stack) = local.pending_stack.take() {
            thread_writer.stack(&env, stack);
        }
        f(thread_writer, &env);
    }
}

/// The id of a place; defines it first when that was not done. Asked for before an acquisition is made: defining allocates, and
/// the lock may be the allocator's.
#[inline]
pub(super) fn site_id(entered: &Entered, site: Site) -> u32 {
    let address = std::ptr::from_ref(site) as usize;
    entered.local().sites.id(address, || define_site(address))
}

#[cold]
fn define_site(address: usize) -> u32 {
    let Some(writer) = global::trace() else { return 0 };
    patient_registry().map_or(0, |mut registry| registry.site_of_address(writer, address))
}

/// The id of a text that stands in the program; defines it first when that was not done.
pub(super) fn name_id(entered: &Entered, name: &'static str) -> u32 {
    // A part of a text has the address of the whole; no address has these bits.
    let key = (name.as_ptr() as usize).wrapping_add(name.len() << (usize::BITS - 16));
    entered.local().sites.id(key, || define_name(name))
}

#[cold]
fn define_name(name: &str) -> u32 {
    let Some(writer) = global::trace() else { return 0 };
    patient_registry().map_or(0, |mut registry| registry.string(writer, name))
}

/// Takes a chunk if the next event needs one, and does what [`note_stopped`] does. Called while no lock is being taken or released, since
/// it allocates.
#[inline]
pub(super) fn prepare(entered: &Entered) {
    let Some(writer) = global::trace() else { return };
    if let Some(thread_writer) = &mut entered.local().writer
        && !thread_writer.has_room()
        && !writer.is_stopped()
    {
        thread_writer.prepare(&Env { writer, info: entered.info });
    }
    note_stopped();
}

/// Starts the helper when it is time, and says once that the recording has stopped, if it has. Called while no lock is being taken or released,
/// since it allocates.
#[inline]
pub(super) fn note_stopped() {
    if let Some(writer) = global::trace() {
        recorder::start_if_wanted(writer);
        if writer.is_stopped() {
            global::note_stopped(writer);
        }
    }
}

/// Counts an acquisition; call while the lock is held. 0 is left out when the count wraps, since it means "not counted".
#[inline]
pub(super) fn next_acquisition(meta: &LockMeta, mode: Mode) -> u32 {
    if mode == Mode::Exclusive {
        let count = meta.count.load(Ordering::Relaxed).checked_add(1).unwrap_or(1);
        meta.count.store(count, Ordering::Relaxed);
        return count;
    }
    loop {
        match meta.count.fetch_add(1, Ordering::Relaxed).wrapping_add(1) {
            0 => {}
            count => return count,
        }
    }
}

/// Records an acquisition; call while the lock is held.
///
/// The lock's count is what makes the order exact. An exclusive holder is alone, so it counts with plain moves; other
/// holders may be several and count with an atomic addition.
#[inline]
pub(super) fn acquired(entered: &Entered, meta: &LockMeta, lock: u32, mode: Mode, how: How, site: u32, ticks: u64) {
    let count = next_acquisition(meta, mode);
    with(entered, |writer, env| writer.acquired(env, lock, mode, how, site, count, ticks));
}

/// Records a release; call while the lock is still held. `owner` is the thread that acquired it, when that is another one; `since` is
/// when it was acquired, odd where only the coarse clock was looked at.
#[inline]
pub(super) fn released(entered: &Entered, lock: u32, owner: Option<u32>, mode: Mode, access: Access, since: u64) {
    with(entered, |writer, env| match owner {
        None => {
            let ticks = writer.coarse_release(lock, since);
            writer.released(env, lock, mode, access, ticks);
        }
        Some(owner) => writer.released_for(env, lock, owner, mode, access, clock::ticks()),
    });
}

/// Records a `WAIT`, `TRY_FAILED` or `TIMED_OUT`.
pub(super) fn lock_event(entered: &Entered, kind: u8, lock: u32, mode: Mode, how: How, site: Site) {
    let (asked, site) = (code::mode_how(mode, how), site_id(entered, site));
    with(entered, |writer, env| writer.lock_event(env, kind, lock, asked, site, clock::ticks()));
}

/// Records a `POISONED`.
pub(super) fn poisoned(entered: &Entered, lock: u32, site: Site) {
    let site = site_id(entered, site);
    with(entered, |writer, env| writer.event(env, kind::POISONED, lock, site, clock::ticks()));
}

/// Records a `DESTROYED`.
pub(super) fn destroyed(entered: &Entered, lock: u32) {
    with(entered, |writer, env| writer.event(env, kind::DESTROYED, lock, 0, clock::ticks()));
    if let Some(writer) = global::trace()
        && writer.is_flight_recorder()
        && let Some(mut registry) = patient_registry()
    {
        registry.lock_ended(writer, lock);
    }
}

/// The same for a lock that leaves nothing behind but in the trace, where that is a matter of a few stores. False when only the slow path can.
#[inline]
pub(super) fn destroyed_at_once(lock: u32, flags: u32) -> bool {
    let (Some(info), Some(trace)) = (thread::current(), global::trace()) else { return false };
    let is_kept = trace.is_flight_recorder();
    if is_kept && info.ended_locks().is_full() {
        flush_ended();
    }
    let _busy = thread::Busy::begin();
    if is_kept && info.ended_locks().is_full() {
        return false;
    }
    let Some(writer) = info.ready_writer() else { return false };
    let ticks = if flags & flag::COARSE == 0 { clock::ticks() } else { writer.coarse_now() };
    writer.destroyed_here(lock, ticks);
    if is_kept {
        info.ended_locks().push(lock);
    }
    true
}

#[cold]
fn flush_ended() {
    if let Some(entered) = thread::enter()
        && reentry::may_allocate(entered.info)
    {
        tell_ended(&entered);
    }
}

/// Tells the registry which locks are gone, whose definitions make room in a flight recorder.
pub(super) fn tell_ended(entered: &Entered) {
    let ended = entered.info.ended_locks();
    if let (false, Some(writer)) = (ended.is_empty(), global::trace())
        && let Some(mut registry) = patient_registry()
    {
        ended.take(|lock| registry.lock_ended(writer, lock));
    }
}

/// Records a `SPAWN`, `JOIN_WAIT` or `JOINED`.
pub(super) fn thread_event(entered: &Entered, kind: u8, child: u32, site: Site) {
    let site = site_id(entered, site);
    with(entered, |writer, env| writer.event(env, kind, child, site, clock::ticks()));
}

/// Records a `COND_WAIT` (the flag says whether it is limited) or `COND_WAKE` (whether it timed out).
pub(super) fn cond_event(entered: &Entered, kind: u8, flag: bool, event: CondEvent, site: Site) {
    let event = CondEvent { site: site_id(entered, site), ..event };
    with(entered, |writer, env| writer.cond_event(env, kind, flag, &event, clock::ticks()));
}

/// Records what was done to an object that is not a lock; fills in the site.
pub(super) fn object(entered: &Entered, event: ObjectEvent, site: Site) {
    object_unplaced(entered, &ObjectEvent { site: site_id(entered, site), ..event });
}

/// The same with the site that the event has.
pub(super) fn object_unplaced(entered: &Entered, event: &ObjectEvent) {
    with(entered, |writer, env| writer.object(env, event, clock::ticks()));
}

/// Records an access to memory; fills in the site.
pub(super) fn memory(entered: &Entered, event: MemoryEvent, site: Site) {
    let event = MemoryEvent { site: site_id(entered, site), ..event };
    with(entered, |writer, env| writer.memory(env, &event, clock::ticks()));
}

/// Records the begin of a region meant to be atomic, or without a name its end.
pub(super) fn region(entered: &Entered, name: Option<u32>, site: Option<Site>) {
    let kind = if name.is_some() { kind::REGION_BEGIN } else { kind::REGION_END };
    let site = site.map_or(0, |site| site_id(entered, site));
    with(entered, |writer, env| writer.event(env, kind, name.unwrap_or(0), site, clock::ticks()));
}

/// Records a mark.
pub(super) fn mark(entered: &Entered, text: u32, site: Site) {
    let site = site_id(entered, site);
    with(entered, |writer, env| writer.event(env, kind::MARK, text, site, clock::ticks()));
}

/// Defines a stack, if that was not done. Before the lock is held: defining allocates.
pub(super) fn define_stack(stack: Stack) {
    if stack.id.load(Ordering::Relaxed) == 0
        && global::flags_if_ready() & flag::RECORD != 0
        && let Some(writer) = global::trace()
        && let Some(mut registry) = patient_registry()
    {
        registry.define_stack(writer, stack);
    }
}

/// Attaches a stack to the next event of this thread, if it was defined.
pub(super) fn attach_stack(entered: &Entered, stack: Stack) {
    let id = stack.id.load(Ordering::Relaxed);
    if id != 0 {
        entered.local().pending_stack = Some(id);
    }
}
