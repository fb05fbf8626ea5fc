//! The names of `follow` when lockscope is off: no fields in locks and guards, and plain calls of the raw lock.

use std::{
    marker::PhantomData,
    panic::Location,
    time::{Duration, Instant},
};

/// In each lock.
#[derive(Debug)]
pub(crate) struct LockMeta;

impl LockMeta {
    pub(crate) const fn new() -> Self {
        Self
    }
}

/// In each guard.
#[derive(Debug)]
pub(crate) struct Hold;

impl Hold {
    pub(crate) fn untracked(_: Mode) -> Self {
        Self
    }

    pub(crate) fn note_read(&self) {}
    pub(crate) fn note_write(&mut self) {}
}

#[derive(Clone, Copy, Debug)]
pub(crate) enum LockKind {
    Mutex,
    RwLock,
    #[cfg(feature = "atomic_usize")]
    ReentrantMutex,
    #[allow(dead_code, reason = "0.5's own")]
    Condvar,
}

#[derive(Clone, Copy, Debug)]
pub(crate) enum Mode {
    Exclusive,
    Shared,
    Upgradable,
}

#[derive(Clone, Copy, Debug)]
pub(crate) struct LockRef<'a>(PhantomData<&'a LockMeta>);

impl<'a> LockRef<'a> {
    #[expect(clippy::extra_unused_type_parameters, reason = "as in the runtime")]
    pub(crate) fn new<T: ?Sized>(_: &'a LockMeta, _: LockKind) -> Self {
        Self(PhantomData)
    }

    pub(crate) fn recursively(self) -> Self {
        self
    }

    pub(crate) fn staying(self) -> Self {
        self
    }
}

type Site = &'static Location<'static>;

#[inline]
pub(crate) fn acquire<G>(
    _: LockRef<'_>,
    _: Mode,
    _: Site,
    _: impl FnMut() -> Option<G>,
    mut wait: impl FnMut(Option<Duration>) -> Option<G>,
) -> (G, Hold) {
    (wait(None).expect("a wait without a limit ends with the lock"), Hold)
}

#[inline]
pub(crate) fn acquire_timed<G>(
    _: LockRef<'_>,
    _: Mode,
    _: Site,
    deadline: Instant,
    _: impl FnMut() -> Option<G>,
    mut wait_until: impl FnMut(Instant) -> Option<G>,
) -> Option<(G, Hold)> {
    Some((wait_until(deadline)?, Hold))
}

#[inline]
pub(crate) fn try_acquire<G>(
    _: LockRef<'_>,
    _: Mode,
    _: Site,
    try_now: impl FnOnce() -> Option<G>,
) -> Option<(G, Hold)> {
    Some((try_now()?, Hold))
}

#[inline]
pub(crate) fn upgrade<G>(
    _: LockRef<'_>,
    _: &mut Hold,
    _: Site,
    _: impl FnMut() -> Option<G>,
    mut wait: impl FnMut(Option<Duration>) -> Option<G>,
) -> G {
    wait(None).expect("a wait without a limit ends with the lock")
}

#[inline]
pub(crate) fn try_upgrade<G>(
    _: LockRef<'_>,
    _: &mut Hold,
    _: Site,
    deadline: Option<Instant>,
    mut try_until: impl FnMut(Option<Instant>) -> Option<G>,
) -> Option<G> {
    try_until(deadline)
}

pub(crate) fn adopt(_: LockRef<'_>, _: Mode) -> Hold {
    Hold
}

pub(crate) fn downgrade(_: LockRef<'_>, _: &mut Hold, _: Mode, _: Site) {}
pub(crate) fn release(_: LockRef<'_>, _: &mut Hold) {}
pub(crate) fn release_unguarded(_: LockRef<'_>, _: Mode) {}
pub(crate) fn unfollow(_: LockRef<'_>, _: Site) {}

#[allow(dead_code, reason = "0.5's own")]
#[inline]
pub(crate) fn cond_wait<R>(
    _: LockRef<'_>,
    _: LockRef<'_>,
    _: &mut Hold,
    _: bool,
    _: Site,
    wait: impl FnOnce() -> R,
    _: impl FnOnce(&R) -> bool,
) -> R {
    wait()
}

#[allow(dead_code, reason = "0.5's own")]
#[inline]
pub(crate) fn notify(_: LockRef<'_>, _: bool, _: Site, notify: impl FnOnce() -> Option<u32>) -> Option<u32> {
    notify()
}
