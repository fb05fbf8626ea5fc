//! std's one-time initialisation.

use std::{
    fmt,
    panic::{AssertUnwindSafe, Location, catch_unwind, resume_unwind},
    sync::{self, OnceState},
};

use crate::rt::{self, LockKind, LockMeta, LockRef, Site};

/// Runs something once: [`std::sync::Once`], followed by lockscope.
///
/// Whoever runs the initialiser holds it like a mutex, and others wait for that thread. Once it has run it is no lock any
/// more, and costs a load more than std's.
///
/// ```
/// use lockscope::sync::Once;
///
/// static START: Once = Once::new();
///
/// START.call_once(|| println!("only once"));
/// START.call_once(|| unreachable!("it has run"));
/// assert!(START.is_completed());
/// ```
pub struct Once {
    pub(crate) meta: LockMeta,
    inner: sync::Once,
}

/// A new [`Once`].
#[deprecated(note = "replaced by `Once::new()`, as in std")]
#[expect(clippy::declare_interior_mutable_const, reason = "as in std")]
pub const ONCE_INIT: Once = Once { meta: LockMeta::unplaced(), inner: sync::Once::new() };

impl Once {
    /// Makes one that has not run yet.
    ///
    /// Reports call it by the place of this call; for a name or a rank see [`named`](crate::named).
    #[track_caller]
    #[inline]
    #[must_use]
    #[expect(clippy::new_without_default, reason = "std's has no default either")]
    pub const fn new() -> Self {
        Self { meta: LockMeta::new(), inner: sync::Once::new() }
    }

    /// Runs `f` unless something has run already; waits when something runs just now.
    ///
    /// Asking from within `f` waits for ever; lockscope reports it first.
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
        if !is_completed(&self.inner, lock, site) && call(&self.inner, lock, site, false, |_| f()).is_err() {
            panic!("Once instance has previously been poisoned");
        }
    }

    /// Runs `f` unless something has run already without a panic; waits when something runs just now.
    #[track_caller]
    #[inline]
    pub fn call_once_force<F>(&self, f: F)
    where
        F: FnOnce(&OnceState),
    {
        let (lock, site) = (self.lock_ref(), Location::caller());
        if !is_completed(&self.inner, lock, site) {
            let _never_refused = call(&self.inner, lock, site, true, f);
        }
    }

    /// Whether something has run without a panic.
    #[track_caller]
    #[inline]
    pub fn is_completed(&self) -> bool {
        is_completed(&self.inner, self.lock_ref(), Location::caller())
    }

    /// Waits until something has run.
    ///
    /// # Panics
    ///
    /// When what has run panicked.
    #[track_caller]
    pub fn wait(&self) {
        self.wait_by(Location::caller(), || self.inner.wait());
    }

    /// Waits until something has run without a panic.
    #[track_caller]
    pub fn wait_force(&self) {
        self.wait_by(Location::caller(), || self.inner.wait_force());
    }

    fn wait_by(&self, site: Site, wait: impl FnOnce()) {
        let lock = self.lock_ref();
        if is_completed(&self.inner, lock, site) {
            return;
        }
        match rt::wait_initialised(lock, site, || catch_unwind(AssertUnwindSafe(wait))) {
            Ok(()) => rt::observed(lock, site),
            Err(panic) => {
                rt::poisoned(lock, site);
                resume_unwind(panic);
            }
        }
    }

    #[inline]
    fn lock_ref(&self) -> LockRef<'_> {
        LockRef::new::<()>(&self.meta, LockKind::Once)
    }
}

impl fmt::Debug for Once {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.inner, f)
    }
}

/// Whether the initialiser of `lock` has run, and that this thread has seen that.
#[inline]
pub(super) fn is_completed(once: &sync::Once, lock: LockRef<'_>, site: Site) -> bool {
    let is_completed = once.is_completed();
    if is_completed {
        rt::observed(lock, site);
    }
    is_completed
}

/// What was to be initialised is poisoned.
#[derive(Debug)]
pub(super) struct IsPoisoned;

/// Runs `f` or waits for who does. Without `force` refuses to when it is poisoned.
///
/// Not by std's own refusal, which is a panic: that would leave the wait open in a recording, and have a place in here.
pub(super) fn call(
    once: &sync::Once,
    lock: LockRef<'_>,
    site: Site,
    force: bool,
    f: impl FnOnce(&OnceState),
) -> Result<(), IsPoisoned> {
    let mut is_refused = false;
    rt::initialise(lock, site, false, |turn| {
        let called = catch_unwind(AssertUnwindSafe(|| {
            once.call_once_force(|state| {
                if state.is_poisoned() && !force {
                    is_refused = true;
                    turn.refuse();
                    // Poisons it again. Without the message of a panic.
                    resume_unwind(Box::new(()));
                }
                turn.run(|| f(state));
            });
        }));
        if let Err(panic) = called
            && !is_refused
        {
            resume_unwind(panic);
        }
    });
    if !is_refused {
        return Ok(());
    }
    rt::poisoned(lock, site);
    Err(IsPoisoned)
}
