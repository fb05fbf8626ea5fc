//! The fast path: a lock that is free, by a thread that had the same done before; while recording, with room in its chunk.
//!
//! Nothing in here allocates or calls out, and the runtime is entered only for the moment of writing an event. It stores little: the wrapped lock's atomic
//! operation waits until every store before it is done, so each costs its full time. Everything else goes through
//! [`Op`](super::op::Op), which does the same and more.

use lockscope_trace::{
    How, clock,
    format::{SHORT_LOCKS, code},
};

use super::{
    Hold, LockRef, Mode, Site,
    chains::chain_key,
    global::flag,
    held::HeldLock,
    record,
    thread::{self, Busy, ThreadInfo},
};

/// An acquisition that is known to be in order; while something is recorded, one that there is room for.
#[derive(Clone, Copy, Debug)]
pub(super) struct Fast<const RECORDING: bool> {
    info: &'static ThreadInfo,
    id: u32,
    slot: u32,
    /// Id of the place in the trace, while something is recorded.
    site: u32,
}

impl<const RECORDING: bool> Fast<RECORDING> {
    /// `None` when there is anything to do that only the slow path can.
    #[inline(always)]
    pub(super) fn begin(lock: LockRef<'_>, mode: Mode, site: Site, flags: u32) -> Option<Self> {
        let info = thread::current()?;
        let id = lock.known_id()?;
        let slot = info.held.free_slot()?;
        if flags & flag::ORDER != 0 {
            if lock.is_first_write(mode) {
                return None;
            }
            let key = info.held.key();
            if key != 0 && !info.has_checked(chain_key(key, id, mode, lock.is_recursive())) {
                return None;
            }
        }
        let mut site_id = 0;
        if RECORDING {
            site_id = info.known_site(std::ptr::from_ref(site) as usize)?;
            info.ready_writer()?;
        }
        Some(Self { info, id, slot, site: site_id })
    }

    /// Notes the acquisition; call while the lock is held.
    #[inline(always)]
    pub(super) fn acquired(self, lock: LockRef<'_>, mode: Mode, site: Site, flags: u32) -> Hold {
        let since = if RECORDING || flags & flag::TIMES != 0 { clock::ticks() } else { 0 };
        let (kind, created, type_name) = (lock.kind(), lock.created(), lock.type_name);
        if RECORDING {
            self.record(lock, mode, since);
        }
        let fate = lock.fate();
        let held = HeldLock { lock: self.id, mode, kind, site, created, type_name, since, fate, permits: 1 };
        let slot = self.info.held.fill(self.slot, &held);
        if mode == Mode::Exclusive {
            lock.meta.set_owner_hint(self.info);
        }
        Hold::new(self.info.index, slot, mode)
    }

    /// Records the acquisition, as [`record::acquired`] does.
    #[inline(always)]
    fn record(&self, lock: LockRef<'_>, mode: Mode, ticks: u64) {
        let count = record::next_acquisition(lock.meta, mode);
        let how = if lock.is_recursive() { How::Recursive } else { How::Lock };
        let mode_how = code::mode_how(mode, how);
        let recorded = {
            let _busy = Busy::begin();
            match self.info.ready_writer() {
                Some(writer) => {
                    writer.acquired_here(self.id, mode_how, self.site, count, ticks);
                    true
                }
                None => false,
            }
        };
        if !recorded {
            // A signal handler has used up the room that `begin` saw.
            record::acquired_late(self.id, mode, how, self.site, count, ticks);
        }
    }
}

/// Notes a release by the thread that acquired, while nothing is recorded. False when only the slow path can.
#[inline(always)]
pub(super) fn release(lock: LockRef<'_>, hold: &Hold) -> bool {
    thread::current().is_some_and(|info| {
        let id = lock.known_id();
        info.index == hold.owner && id.is_some_and(|id| info.held.remove_at(id, hold.mode, hold.slot))
    })
}

/// The same while something is recorded.
#[inline(always)]
pub(super) fn release_recording(lock: LockRef<'_>, hold: &Hold) -> bool {
    let Some(info) = thread::current() else { return false };
    let Some(id) = lock.known_id() else { return false };
    let is_short = id < SHORT_LOCKS && hold.mode != Mode::Upgradable;
    // Two bytes and no more: its neighbour was stored on its own just before, and the processor forwards no load from two stores.
    // SAFETY: a reference to an initialised field.
    let slot = unsafe { std::ptr::read_volatile(&hold.slot) };
    if info.index != hold.owner
        || !is_short
        || info.ready_writer().is_none()
        || !info.held.remove_at(id, hold.mode, slot)
    {
        return false;
    }
    let recorded = {
        let _busy = Busy::begin();
        match info.ready_writer() {
            Some(writer) => {
                writer.released_here(id, hold.access(), clock::ticks());
                true
            }
            None => false,
        }
    };
    if !recorded {
        record::released_late(id, hold.mode, hold.access());
    }
    true
}
