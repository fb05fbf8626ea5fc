//! What runs once.

use std::{fmt, panic::Location};

use lockscope::rt::{self, LockKind, LockMeta, LockRef, Site, Turn};
use parking_lot::OnceState;

/// Runs something once: parking_lot's `Once`, followed by lockscope.
///
/// Whoever runs the initialiser holds it like a mutex, and others wait for that thread. Once it has run there is nothing to follow
/// any more.
///
/// ```
#[doc = concat!("use ", env!("CARGO_CRATE_NAME"), "::Once;")]
///
/// static START: Once = Once::new();
///
/// START.call_once(|| println!("only once"));
/// START.call_once(|| unreachable!("it has run"));
/// ```
pub struct Once {
    pub(crate) meta: LockMeta,
    pub(crate) plain: parking_lot::Once,
}

impl Once {
    /// Makes one that has not run yet.
    ///
    /// Reports call it by the place of this call; for a name or a rank see [`named`](crate::named).
    #[track_caller]
    #[inline]
    pub const fn new() -> Self {
        Self { meta: LockMeta::new(), plain: parking_lot::Once::new() }
    }

    /// Its state at this instant.
    #[inline]
    pub fn state(&self) -> OnceState {
        self.plain.state()
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
        if !self.is_done(Location::caller()) {
            self.ask(Location::caller(), |turn| self.plain.call_once(|| turn.run(f)));
        }
    }

    /// Runs `f` if nothing has run yet or what has run panicked; waits when something runs just now.
    #[track_caller]
    #[inline]
    pub fn call_once_force<F>(&self, f: F)
    where
        F: FnOnce(OnceState),
    {
        if !self.is_done(Location::caller()) {
            self.ask(Location::caller(), |turn| self.plain.call_once_force(|state| turn.run(|| f(state))));
        }
    }

    /// Whether something has run; then the recording says that what follows comes after it.
    #[inline]
    pub(crate) fn is_done(&self, site: Site) -> bool {
        let done = self.state().done();
        if done {
            rt::observed(self.lock_ref(), site);
        }
        done
    }

    #[inline]
    pub(crate) fn lock_ref(&self) -> LockRef<'_> {
        LockRef::new::<()>(&self.meta, LockKind::Once)
    }

    fn ask(&self, site: Site, call: impl FnOnce(&Turn<'_>)) {
        rt::initialise(self.lock_ref(), site, false, call);
    }
}

impl Default for Once {
    #[track_caller]
    #[inline]
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for Once {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Once").field("state", &self.state()).finish()
    }
}
