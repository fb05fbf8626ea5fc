//! The fast path: a lock that is free, by a thread that had the same done before; while recording, with room in its chunk.
//!
//! Nothing in here allocates or calls out, and the runtime is entered only for the moment of writing an event. It loads what lies
//! next to one another in thread-local memory, and stores little: the wrapped lock's atomic operation waits until every load and store before it
//! is done, so each costs its full time. Everything else goes through [`Op`](super::op::Op), which does the same and more.

use lockscope_trace::{
    Access, How, clock,
    format::{SHORT_LOCKS, code},
};

use super::{
    Hold, LockRef, Mode, Site,
    chains::Chain,
    global::flag,
    held::{HeldLock, SlotPtr},
    record,
    thread::{self, Busy, Current, ThreadInfo},
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
        let (kind, created, type_name) = (lock.kind(), lock.created(), lock.type_name);
        let held = HeldLock {
            lock: self.id,
            mode,
            kind,
            site,
            created,
            type_name,
            since,
            fate: lock.fate(),
            from: None,
            permits: 1,
        };
        this.owner.fill_as(self.slot, &held, lock.kind_code());
        if mode == Mode::Exclusive {
            lock.meta.set_owner_hint(this.info_ptr());
        }
        Hold::new(self.slot, mode)
    }
}

/// Notes a release by the thread that acquired, of what it acquired last, while nothing is recorded. False when only the slow path can.
#[inline(always)]
pub(super) fn release(lock: LockRef<'_>, slot: SlotPtr, mode: Mode) -> bool {
    thread::this().owner.release_latest(slot, lock.last_id(), mode)
}

/// The same as [`Fast`] while something is recorded, where there is room for it. The runtime is busy as long as this lives.
#[derive(Debug)]
pub(super) struct FastRecording {
    fast: Fast,
    /// Other locks are held.
    is_nested: bool,
    info: &'static ThreadInfo,
    /// Id of the place in the trace.
    site: u32,
    _busy: Busy,
}

/// The same as [`begin`] while something is recorded.
#[inline(always)]
pub(super) fn begin_recording(lock: LockRef<'_>, mode: Mode, site: Site, flags: u32) -> Option<FastRecording> {
    let info = thread::current()?;
    let fast = begin(lock, mode, flags)?;
    let is_nested = !thread::this().owner.is_empty();
    let site = info.known_site(std::ptr::from_ref(site) as usize)?;
    // From here on no signal handler uses up the room.
    let busy = Busy::begin();
    info.ready_writer()?;
    Some(FastRecording { fast, is_nested, info, site, _busy: busy })
}

impl FastRecording {
    /// Notes the acquisition; call while the lock is held.
    #[inline(always)]
    pub(super) fn acquired(self, lock: LockRef<'_>, mode: Mode, site: Site, flags: u32) -> Hold {
        let since = self.record(lock, mode, flags);
        self.fast.acquired(lock, mode, site, since)
    }

    /// Records the acquisition, as [`record::acquired`] does. Returns its time, odd where only the coarse clock was looked at.
    #[inline(always)]
    fn record(&self, lock: LockRef<'_>, mode: Mode, flags: u32) -> u64 {
        // SAFETY: `begin_recording` has seen it, and whatever else runs in this thread finds the runtime busy.
        let writer = unsafe { self.info.seen_writer() };
        let ticks = if flags & flag::COARSE == 0 { clock::ticks() } else { writer.coarse_acquisition(self.is_nested) };
        let count = record::next_acquisition(lock.meta, mode);
        let how = if lock.is_recursive() { How::Recursive } else { How::Lock };
        writer.acquired_here(self.fast.id, code::mode_how(mode, how), self.site, count, ticks)
    }
}

/// The same as [`release`] while something is recorded.
#[inline(always)]
pub(super) fn release_recording(lock: LockRef<'_>, slot: SlotPtr, mode: Mode, access: Access, flags: u32) -> bool {
    let Some(info) = thread::current() else { return false };
    let id = lock.last_id();
    if id >= SHORT_LOCKS || mode == Mode::Upgradable {
        return false;
    }
    let _busy = Busy::begin();
    let Some(writer) = info.ready_writer() else { return false };
    if !thread::this().owner.release_latest(slot, id, mode) {
        return false;
    }
    // The slot is empty, but nobody else fills it.
    let ticks = if flags & flag::COARSE == 0 { clock::ticks() } else { writer.coarse_release(id, slot.since()) };
    writer.released_here(id, access, ticks);
    true
}
