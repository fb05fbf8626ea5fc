//! The fast path: a lock that is free, by a thread that had the same done before; while recording, with room in its chunk.
//!
//! Nothing in here allocates or calls out, and the runtime is entered only for the moment of writing an event. It loads what lies
//! next to one another in thread-local memory, and stores little: the wrapped lock's atomic operation waits until every load and store before it
//! is done, so each costs its full time. Everything else goes through [`Op`](super::op::Op), which does the same and more.

use std::ptr;

use lockscope_trace::{
    How,
    clock::{self, Counter},
    format::{SHORT_LOCKS, code},
    writer::ThreadWriter,
};

use super::{
    Hold, LockMeta, LockRef, Mode, Site,
    chains::Chain,
    global::flag,
    held::SlotPtr,
    record,
    thread::{self, Current},
};

/// Takes the slot for an acquisition that is known to be in order; `None` when there is anything to do that only the slow path can.
#[inline(always)]
pub(super) fn begin(lock: LockRef<'_>, mode: Mode, flags: u32) -> Option<Fast> {
    let this = thread::this();
    let slot = this.owner.fast_slot()?;
    let id = lock.checked_id(mode)?;
    let key = this.owner.key();
    if key != 0 && flags & flag::ORDER != 0 && !is_in_order(&this, key, id, lock, mode) {
        return None;
    }
    Some(Fast { slot, id })
}

#[inline(always)]
fn is_in_order(this: &Current, key: u64, id: u32, lock: LockRef<'_>, mode: Mode) -> bool {
    this.chains.contains(Chain::new(key, id, mode, lock.is_recursive()))
        && this.info().is_some_and(|info| this.owner.sees_all(&info.held))
}

/// An acquisition that is known to be in order.
#[derive(Clone, Copy, Debug)]
pub(super) struct Fast {
    slot: SlotPtr,
    id: u32,
}

impl Fast {
    /// Notes the acquisition; call while the lock is held. `since` is 0 when acquisitions are not timed.
    #[inline(always)]
    pub(super) fn acquired(self, lock: LockRef<'_>, mode: Mode, site: Site, since: u64) -> Hold {
        let this = thread::this();
        let what = lock.in_slot(code::mode_how(mode, How::Lock));
        this.owner.fill_as(self.slot, self.id, what, site, lock.created(), lock.type_name, since, None);
        if mode == Mode::Exclusive {
            lock.meta.set_owner_hint(this.info_ptr());
        }
        Hold::new(self.slot, mode)
    }
}

/// Notes a release by the thread that acquired, of what it acquired last, while nothing is recorded. False when only the slow path can. `mode` is
/// as [`code::mode_how`] has it.
#[inline(always)]
pub(super) fn release(lock: LockRef<'_>, slot: SlotPtr, mode: u8) -> bool {
    thread::this().owner.release_latest(slot, lock.last_id(), mode)
}

/// The mode that is meant.
#[inline(always)]
pub(super) fn mode<const IS_EXCLUSIVE: bool>() -> Mode {
    if IS_EXCLUSIVE { Mode::Exclusive } else { Mode::Shared }
}

/// The same as [`begin`] while something is recorded: the slot, and the id of the place in the trace. `None` also when there is no room
/// for the event.
///
/// This and [`acquired_recording`] are called one before the lock is taken and one while it is held; the lock is taken in between by the
/// function that asks for it. So that neither has to put registers aside, which takes as many stores as all the rest, they call nothing but, at
/// their end, what does the same in every case.
#[inline(never)]
pub(super) fn begin_recording<const IS_EXCLUSIVE: bool>(
    meta: &LockMeta,
    kind: u32,
    site: Site,
    flags: u32,
) -> Option<(SlotPtr, u32)> {
    let mode = mode::<IS_EXCLUSIVE>();
    let lock = LockRef::from_parts(meta, || "", kind);
    let this = thread::this();
    let info = thread::current()?;
    let slot = this.owner.fast_slot()?;
    let id = lock.checked_id(mode)?;
    let key = this.owner.key();
    if key != 0
        && flags & flag::ORDER != 0
        && !(this.owner.sees_all(&info.held)
            && this.chains.contains_anywhere(Chain::new(key, id, mode, lock.is_recursive())))
    {
        return None;
    }
    let site = info.known_site(ptr::from_ref(site).addr())?;
    info.ready_writer()?;
    Some((slot, site))
}

/// Notes and records the acquisition; call while the lock is held. `begun` is what [`begin_recording`] has returned.
#[inline(never)]
pub(super) fn acquired_recording<const IS_EXCLUSIVE: bool>(
    meta: &LockMeta,
    type_name: fn() -> &'static str,
    kind: u32,
    site: Site,
    slot: SlotPtr,
    site_id: u32,
) -> Hold {
    let this = thread::this();
    let (Some(info), Some(counter)) = (this.info(), Counter::get()) else {
        return acquired_otherwise::<IS_EXCLUSIVE>(meta, type_name, kind, site, slot, site_id);
    };
    this.set_writing(true);
    // A signal handler may have used up the room in between; from here on none does.
    let Some(writer) = info.ready_writer() else {
        return acquired_otherwise::<IS_EXCLUSIVE>(meta, type_name, kind, site, slot, site_id);
    };
    let mode = mode::<IS_EXCLUSIVE>();
    let lock = LockRef::from_parts(meta, type_name, kind);
    let (id, now) = (lock.last_id(), || counter.ticks());
    let ticks = if writer.is_coarse() { writer.coarse_acquisition(!this.owner.is_empty(), now) } else { now() };
    let count = record::next_acquisition(meta, mode);
    let how = if lock.is_recursive() { How::Recursive } else { How::Lock };
    let since = writer.acquired_here(id, code::mode_how(mode, how), site_id, count, ticks, now);
    let hold = Fast { slot, id }.acquired(lock, mode, site, since);
    this.set_writing(false);
    hold
}

/// The same in every case.
#[cold]
#[inline(never)]
fn acquired_otherwise<const IS_EXCLUSIVE: bool>(
    meta: &LockMeta,
    type_name: fn() -> &'static str,
    kind: u32,
    site: Site,
    slot: SlotPtr,
    site_id: u32,
) -> Hold {
    let (mode, lock) = (mode::<IS_EXCLUSIVE>(), LockRef::from_parts(meta, type_name, kind));
    let fast = Fast { slot, id: lock.last_id() };
    thread::this().set_writing(false);
    let Some(entered) = thread::enter() else { return fast.acquired(lock, mode, site, 0) };
    let how = if lock.is_recursive() { How::Recursive } else { How::Lock };
    let ticks = clock::ticks();
    record::acquired(&entered, meta, fast.id, mode, how, site_id, ticks);
    fast.acquired(lock, mode, site, ticks)
}

/// The same as [`release`] while something is recorded. `access` is as [`code::access`] has it.
#[inline(always)]
pub(super) fn release_recording(meta: &LockMeta, slot: SlotPtr, mode: u8, access: u8, flags: u32) -> bool {
    let (Some(info), Some(counter)) = (thread::current(), Counter::get()) else { return false };
    let this = thread::this();
    let id = meta.last_id();
    if id >= SHORT_LOCKS || mode == code::UPGRADABLE {
        return false;
    }
    let now = || counter.ticks();
    let ticks = match flags & flag::COARSE {
        0 => Some(now()),
        _ => ThreadWriter::coarse_release_at_once(slot.since(), now),
    };
    let Some(ticks) = ticks else { return false };
    this.set_writing(true);
    let is_done = match info.ready_writer() {
        Some(writer) if this.owner.release_latest(slot, id, mode) => {
            writer.released_here(id, access, ticks);
            true
        }
        _ => false,
    };
    this.set_writing(false);
    is_done
}
