//! The fast path: a lock that is free, by a thread that had the same done before, while nothing is recorded.
//!
//! Nothing in here allocates, calls out, or enters the runtime. It stores little: the wrapped lock's atomic
//! operation waits until every store before it is done, so each costs its full time. Everything else goes through
//! [`Op`](super::op::Op), which does the same and more.

use lockscope_trace::clock;

use super::{
    Hold, LockRef, Mode, Site,
    chains::chain_key,
    global::flag,
    held::HeldLock,
    thread::{self, ThreadInfo},
};

/// An acquisition that is known to be in order.
#[derive(Clone, Copy, Debug)]
pub(super) struct Fast {
    info: &'static ThreadInfo,
    id: u32,
    slot: u32,
}

impl Fast {
    /// `None` when there is anything to do that only the slow path can. With `check`, the order must be known.
    #[inline(always)]
    pub(super) fn begin(lock: LockRef<'_>, mode: Mode, flags: u32, check: bool) -> Option<Self> {
        if flags & (flag::TRACK | flag::RECORD) != flag::TRACK {
            return None;
        }
        let info = thread::current()?;
        let id = lock.known_id()?;
        let slot = info.held.free_slot()?;
        if check && flags & flag::ORDER != 0 {
            if lock.is_first_write(mode) {
                return None;
            }
            let key = info.held.key();
            if key != 0 && !info.has_checked(chain_key(key, id, mode, lock.is_recursive())) {
                return None;
            }
        }
        Some(Self { info, id, slot })
    }

    /// Notes the acquisition; call while the lock is held.
    #[inline(always)]
    pub(super) fn acquired(self, lock: LockRef<'_>, mode: Mode, site: Site, flags: u32) -> Hold {
        let since = if flags & flag::TIMES != 0 { clock::ticks() } else { 0 };
        let (kind, created, type_name) = (lock.kind(), lock.created(), lock.type_name);
        let held = HeldLock { lock: self.id, mode, kind, site, created, type_name, since };
        let slot = self.info.held.fill(self.slot, &held);
        if mode == Mode::Exclusive {
            lock.meta.set_owner_hint(self.info);
        }
        Hold::new(self.info.index, slot, mode)
    }
}

/// Notes a release by the thread that acquired. False when only the slow path can.
#[inline(always)]
pub(super) fn release(lock: LockRef<'_>, hold: &Hold, flags: u32) -> bool {
    flags & flag::RECORD == 0
        && thread::current().is_some_and(|info| {
            let id = lock.known_id();
            info.index == hold.owner && id.is_some_and(|id| info.held.remove_at(id, hold.mode, hold.slot))
        })
}
