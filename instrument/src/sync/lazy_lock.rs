//! std's value that is made when it is first needed.

use std::{
    fmt,
    ops::{Deref, DerefMut},
    panic::{Location, RefUnwindSafe, UnwindSafe},
    sync::{self, PoisonError},
};

use super::once;
use crate::rt::{LockKind, LockMeta, LockRef, Site};

/// A value that is made when it is first needed: [`std::sync::LazyLock`], followed by lockscope.
///
/// Whoever makes it holds it like a mutex, and others wait for that thread. Initialised it is no lock any more, and costs a
/// load more than std's.
///
/// ```
/// use lockscope::sync::LazyLock;
///
/// static SQUARES: LazyLock<Vec<u32>> = LazyLock::new(|| (0..10).map(|n| n * n).collect());
///
/// assert_eq!(SQUARES[3], 9);
/// ```
// std's own cannot be inside: the initialiser has to tell when it begins and ends, and std's takes the one that it is
// made with.
pub struct LazyLock<T, F = fn() -> T> {
    pub(crate) meta: LockMeta,
    once: sync::Once,
    /// Set before `once` is completed; not to be looked at before.
    value: sync::OnceLock<T>,
    /// `None` when it was run. Locked for that moment only.
    initialiser: sync::Mutex<Option<F>>,
}

impl<T, F: FnOnce() -> T> LazyLock<T, F> {
    /// Makes a value that `f` is to make.
    ///
    /// Reports call it by the place of this call; for a name or a rank see [`named`](crate::named).
    #[track_caller]
    #[inline]
    pub const fn new(f: F) -> Self {
        Self {
            meta: LockMeta::new(),
            once: sync::Once::new(),
            value: sync::OnceLock::new(),
            initialiser: sync::Mutex::new(Some(f)),
        }
    }

    /// The value, which is made if that was not done; waits when it is being made just now.
    ///
    /// # Panics
    ///
    /// When the initialiser panicked, now or before.
    #[track_caller]
    #[inline]
    pub fn force(this: &Self) -> &T {
        let site = Location::caller();
        if !once::is_completed(&this.once, this.lock_ref(), site) {
            this.initialise(site);
        }
        this.value.get().expect(INITIALISED)
    }

    /// As [`force`](Self::force); waits for nobody.
    ///
    /// # Panics
    ///
    /// As [`force`](Self::force).
    pub fn force_mut(this: &mut Self) -> &mut T {
        if !this.once.is_completed() {
            // When this panics, the initialiser is gone, which is what a poisoned one looks like.
            let value = this.make();
            this.once.call_once(|| this.fill(value));
        }
        this.value.get_mut().expect(INITIALISED)
    }

    #[cold]
    fn initialise(&self, site: Site) {
        if once::call(&self.once, self.lock_ref(), site, false, |_| self.fill(self.make())).is_err() {
            panic_poisoned();
        }
    }

    fn make(&self) -> T {
        let initialiser = self.initialiser.lock().unwrap_or_else(PoisonError::into_inner).take();
        initialiser.unwrap_or_else(|| panic_poisoned())()
    }

    fn fill(&self, value: T) {
        let is_filled = self.value.set(value).is_ok();
        debug_assert!(is_filled, "filled once");
    }
}

impl<T, F> LazyLock<T, F> {
    /// The value; `None` when it was not made yet, also while it is being made.
    #[track_caller]
    #[inline]
    pub fn get(this: &Self) -> Option<&T> {
        let is_completed = once::is_completed(&this.once, this.lock_ref(), Location::caller());
        is_completed.then(|| this.value.get().expect(INITIALISED))
    }

    /// The value; `None` when it was not made yet.
    #[inline]
    pub fn get_mut(this: &mut Self) -> Option<&mut T> {
        this.value.get_mut()
    }

    #[inline]
    fn lock_ref(&self) -> LockRef<'_> {
        LockRef::new::<T>(&self.meta, LockKind::LazyLock)
    }
}

const INITIALISED: &str = "set before the initialisation is completed";

#[cold]
fn panic_poisoned() -> ! {
    panic!("LazyLock instance has previously been poisoned")
}

impl<T, F: FnOnce() -> T> Deref for LazyLock<T, F> {
    type Target = T;

    #[track_caller]
    #[inline]
    fn deref(&self) -> &T {
        Self::force(self)
    }
}

impl<T, F: FnOnce() -> T> DerefMut for LazyLock<T, F> {
    #[inline]
    fn deref_mut(&mut self) -> &mut T {
        Self::force_mut(self)
    }
}

impl<T: Default> Default for LazyLock<T> {
    #[track_caller]
    fn default() -> Self {
        Self::new(T::default)
    }
}

impl<T: fmt::Debug, F> fmt::Debug for LazyLock<T, F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut tuple = f.debug_tuple("LazyLock");
        match Self::get(self) {
            Some(value) => tuple.field(value),
            None => tuple.field(&format_args!("<uninit>")),
        };
        tuple.finish()
    }
}

// As std's: what the mutex inside would promise is more.
impl<T: RefUnwindSafe + UnwindSafe, F: UnwindSafe> RefUnwindSafe for LazyLock<T, F> {}
impl<T: UnwindSafe, F: UnwindSafe> UnwindSafe for LazyLock<T, F> {}
