//! Permits as guards.

use std::{
    fmt,
    marker::PhantomData,
    mem,
    ops::Deref,
    panic::Location,
    ptr,
    sync::{Arc, MutexGuard},
};

use super::{Held, Semaphore, Site};

/// Permits of a semaphore, given back when dropped.
///
/// Stays with the thread that acquired it, as the guards of std's locks do: so it is certain whom threads wait for that find no
/// permits left. An [`OwnedSemaphorePermit`] can be sent.
#[derive(Debug)]
#[must_use = "if unused the permits are given back at once"]
#[clippy::has_significant_drop]
pub struct SemaphorePermit<'a> {
    permits: Permits<&'a Semaphore>,
    /// Is `Sync` and not `Send`.
    stays: PhantomData<MutexGuard<'a, ()>>,
}

/// Permits of a semaphore that is in an [`Arc`], given back when dropped.
#[derive(Debug)]
#[must_use = "if unused the permits are given back at once"]
#[clippy::has_significant_drop]
pub struct OwnedSemaphorePermit {
    permits: Permits<Arc<Semaphore>>,
}

macro_rules! permit {
    ($permit:ty, $semaphore:ty) => {
        impl $permit {
            /// How many permits these are.
            #[inline]
            pub fn num_permits(&self) -> usize {
                self.permits.n as usize
            }

            /// The semaphore.
            #[inline]
            pub fn semaphore(&self) -> &$semaphore {
                &self.permits.semaphore
            }

            /// Does not give them back: the semaphore has so many permits less.
            #[track_caller]
            pub fn forget(self) {
                self.permits.forget(Location::caller());
            }

            /// Splits `n` permits off; `None` when there are less.
            #[track_caller]
            #[must_use = "if unused the permits are given back at once"]
            pub fn split(&mut self, n: usize) -> Option<Self> {
                self.permits.split(n, Location::caller()).map(Self::new)
            }

            /// Adds permits of the same semaphore, to be given back together.
            ///
            /// # Panics
            ///
            /// When they are another semaphore's.
            #[track_caller]
            pub fn merge(&mut self, other: Self) {
                self.permits.merge(other.permits, Location::caller());
            }
        }
    };
}

permit!(SemaphorePermit<'_>, Semaphore);
permit!(OwnedSemaphorePermit, Arc<Semaphore>);

impl<'a> SemaphorePermit<'a> {
    pub(super) fn new(permits: Permits<&'a Semaphore>) -> Self {
        Self { permits, stays: PhantomData }
    }
}

impl OwnedSemaphorePermit {
    pub(super) fn new(permits: Permits<Arc<Semaphore>>) -> Self {
        Self { permits }
    }
}

/// A way to a semaphore.
pub(super) trait Way: Deref<Target = Semaphore> {
    /// Permits with it stay with the thread that acquired them.
    const STAYS: bool;
}

impl Way for &Semaphore {
    const STAYS: bool = true;
}

impl Way for Arc<Semaphore> {
    const STAYS: bool = false;
}

/// Permits, and a way to their semaphore.
pub(super) struct Permits<S: Way> {
    semaphore: S,
    n: u32,
    held: Held,
}

impl<S: Way> Permits<S> {
    pub(super) fn new(semaphore: S, n: u32, held: Held) -> Self {
        Self { semaphore, n, held }
    }

    fn forget(mut self, site: Site) {
        let n = mem::take(&mut self.n);
        if n > 0 {
            self.semaphore.meta.forgotten(n, &self.held, site);
        }
    }

    fn split(&mut self, n: usize, site: Site) -> Option<Self>
    where
        S: Clone,
    {
        let right = u32::try_from(n).ok().filter(|&right| right <= self.n)?;
        let left = self.n - right;
        let held = match (left, right) {
            (_, 0) => Held::nothing(),
            (0, _) => mem::replace(&mut self.held, Held::nothing()),
            _ => self.semaphore.meta.split(&mut self.held, left, right, S::STAYS, site),
        };
        self.n = left;
        Some(Self::new(self.semaphore.clone(), right, held))
    }

    #[track_caller]
    fn merge(&mut self, mut other: Self, site: Site) {
        assert!(ptr::eq(&*self.semaphore, &*other.semaphore), "permits of another semaphore cannot be merged");
        let n = mem::take(&mut other.n);
        match (self.n, n) {
            (_, 0) => {}
            (0, _) => mem::swap(&mut self.held, &mut other.held),
            _ => self.semaphore.meta.merge((&mut self.held, self.n), (&mut other.held, n), site),
        }
        self.n += n;
    }
}

impl<S: Way> Drop for Permits<S> {
    fn drop(&mut self) {
        if self.n > 0 {
            self.semaphore.meta.released(self.n, &self.held);
            self.semaphore.queue.give(self.n as usize);
        }
    }
}

impl<S: Way> fmt::Debug for Permits<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.n.fmt(f)
    }
}
