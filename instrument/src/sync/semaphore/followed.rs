//! What lockscope keeps of semaphores and permits, and tells the runtime.

use std::sync::atomic::{AtomicBool, Ordering};

use super::Site;
use crate::rt::{self, Act, LockKind, LockMeta, LockRef, Mode, Need};

#[derive(Debug)]
pub(super) struct Meta {
    pub(super) lock: LockMeta,
    permits: usize,
    /// The runtime knows with how many permits it was made.
    is_told: AtomicBool,
}

/// Permits that somebody holds.
#[derive(Debug)]
pub(super) struct Held(rt::Hold);

impl Held {
    /// Of no permits.
    pub(super) fn nothing() -> Self {
        Self(rt::Hold::untracked(Mode::Shared))
    }
}

impl Meta {
    #[track_caller]
    #[inline]
    pub(super) const fn new(permits: usize) -> Self {
        Self { lock: LockMeta::new(), permits, is_told: AtomicBool::new(false) }
    }

    pub(super) fn acquired(&self, permits: u32, stays: bool, site: Site) -> Held {
        Held(rt::permits_acquired(staying(self.told(), stays), permits, site))
    }

    pub(super) fn wait(&self, permits: u32, limited: bool, site: Site, wait: impl FnOnce() -> bool) -> bool {
        rt::block(&[(self.told(), Need::Permits(permits))], limited, site, wait, |got| !got)
    }

    pub(super) fn released(&self, permits: u32, held: &Held) {
        rt::permits_released(self.lock_ref(), permits, &held.0);
    }

    pub(super) fn forgotten(&self, permits: u32, held: &Held, site: Site) {
        rt::permits_forgotten(self.lock_ref(), permits, &held.0, site);
    }

    pub(super) fn split(&self, held: &mut Held, left: u32, right: u32, stays: bool, site: Site) -> Held {
        Held(rt::permits_split(staying(self.lock_ref(), stays), &mut held.0, left, right, site))
    }

    pub(super) fn merge(&self, held: (&mut Held, u32), other: (&mut Held, u32), site: Site) {
        rt::permits_merged(self.lock_ref(), (&mut held.0.0, held.1), (&mut other.0.0, other.1), site);
    }

    pub(super) fn added(&self, permits: u32, site: Site) {
        let semaphore = self.told();
        rt::note(semaphore, Act::PermitsAdded(permits), site);
        // Who has added some may do so again.
        rt::may_help(semaphore, Need::Permits(1), 1);
    }

    /// The semaphore, once the runtime knows how it was made.
    #[inline]
    fn told(&self) -> LockRef<'_> {
        let semaphore = self.lock_ref();
        if !self.is_told.load(Ordering::Relaxed) && !self.is_told.swap(true, Ordering::Relaxed) {
            rt::capacity(semaphore, self.permits as u64);
        }
        semaphore
    }

    #[inline]
    fn lock_ref(&self) -> LockRef<'_> {
        LockRef::new::<()>(&self.lock, LockKind::Semaphore)
    }
}

/// The semaphore, whose permits in question stay with the thread that has them, or do not.
fn staying(semaphore: LockRef<'_>, stays: bool) -> LockRef<'_> {
    if stays { semaphore.staying() } else { semaphore }
}
