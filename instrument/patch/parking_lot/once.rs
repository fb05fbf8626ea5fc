//! What runs once.

use std::{fmt, panic::Location};

use lockscope::rt::{self, LockKind, LockMeta, LockRef, Site};
use real::OnceState;

/// Runs something once: parking_lot's `Once`, followed by lockscope.
///
/// Whoever runs the initialiser holds it like a mutex, and others wait for that thread.
pub struct Once {
    meta: LockMeta,
    once: real::Once,
}

impl Once {
    /// Makes one that has not run yet. Reports call it by the place of this call.
    #[track_caller]
    #[inline]
    pub const fn new() -> Once {
        Self { meta: LockMeta::new(), once: real::Once::new() }
    }

    /// Its state at this instant.
    #[inline]
    pub fn state(&self) -> OnceState {
        self.once.state()
    }

    /// Runs `f` if nothing has run yet; waits when something runs just now.
    ///
    /// # Panics
    ///
    /// When what has run panicked.
    #[track_caller]
    #[inline]
    pub fn call_once<F>(&self, f: F)
    where
        F: FnOnce(),
    {
        let (lock, site) = (self.lock_ref(), Location::caller());
        if !self.is_done(lock, site) {
            rt::initialise(lock, site, false, |turn| self.once.call_once(|| turn.run(f)));
        }
    }

    /// Runs `f` if nothing has run yet or what has run panicked; waits when something runs just now.
    #[track_caller]
    #[inline]
    pub fn call_once_force<F>(&self, f: F)
    where
        F: FnOnce(OnceState),
    {
        let (lock, site) = (self.lock_ref(), Location::caller());
        if !self.is_done(lock, site) {
            rt::initialise(lock, site, false, |turn| self.once.call_once_force(|state| turn.run(|| f(state))));
        }
    }

    fn is_done(&self, lock: LockRef<'_>, site: Site) -> bool {
        let is_done = self.state().done();
        if is_done {
            rt::observed(lock, site);
        }
        is_done
    }

    #[inline]
    fn lock_ref(&self) -> LockRef<'_> {
        LockRef::new::<()>(&self.meta, LockKind::Once)
    }
}

impl Default for Once {
    #[track_caller]
    #[inline]
    fn default() -> Once {
        Once::new()
    }
}

impl fmt::Debug for Once {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Once").field("state", &self.state()).finish()
    }
}
