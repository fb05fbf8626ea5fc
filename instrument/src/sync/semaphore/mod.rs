//! A counting semaphore, which std lacks. There is one when lockscope is off too; then there is nothing to follow it by.

use std::{
    fmt,
    panic::Location,
    sync::Arc,
    time::{Duration, Instant},
};

#[cfg(all(not(lockscope_off), any(debug_assertions, feature = "force")))]
mod followed;
#[cfg(not(all(not(lockscope_off), any(debug_assertions, feature = "force"))))]
#[path = "unfollowed.rs"]
mod followed;
mod permit;
mod queue;

use self::{
    followed::{Held, Meta},
    permit::{Permits, Way},
    queue::Queue,
};

pub use self::permit::{OwnedSemaphorePermit, SemaphorePermit};

type Site = &'static Location<'static>;

/// Hands out a number of permits; who finds too few waits for others to give theirs back.
///
/// Fair: permits go to those who wait in the order in which they came, and nobody passes them, not by a try and not by
/// asking for less. So a request for many permits holds up all that come after it.
///
/// Permits can be added and forgotten by anyone, which makes it a means to signal as well.
///
/// ```
/// use lockscope::sync::Semaphore;
///
/// static CONNECTIONS: Semaphore = lockscope::named("connections").semaphore(3);
///
/// let one = CONNECTIONS.acquire();
/// let two = CONNECTIONS.acquire_many(2);
/// assert!(CONNECTIONS.try_acquire().is_none());
/// drop((one, two));
/// assert_eq!(CONNECTIONS.available_permits(), 3);
/// ```
pub struct Semaphore {
    meta: Meta,
    queue: Queue,
}

impl Semaphore {
    /// Most permits that a semaphore can have.
    pub const MAX_PERMITS: usize = u32::MAX as usize;

    /// Makes a semaphore with so many permits.
    ///
    /// Reports call it by the place of this call; for a name see [`named`](crate::named).
    ///
    /// # Panics
    ///
    /// When these are more than [`MAX_PERMITS`](Self::MAX_PERMITS), at compile time in a `const` or `static`.
    #[track_caller]
    #[inline]
    #[must_use]
    pub const fn new(permits: usize) -> Self {
        assert!(permits <= Self::MAX_PERMITS, "more permits than a semaphore can have");
        Self { meta: Meta::new(permits), queue: Queue::new(permits) }
    }

    #[cfg(all(not(lockscope_off), any(debug_assertions, feature = "force")))]
    pub(crate) const fn set_name(&mut self, name: &'static str) {
        self.meta.lock.set_name(name);
    }

    /// Takes a permit, waiting for as long as it takes.
    #[track_caller]
    #[inline]
    pub fn acquire(&self) -> SemaphorePermit<'_> {
        self.acquire_many(1)
    }

    /// Takes `n` permits, waiting for as long as it takes: for ever when the semaphore never has so many.
    #[track_caller]
    #[inline]
    pub fn acquire_many(&self, n: u32) -> SemaphorePermit<'_> {
        SemaphorePermit::new(take(self, n, Until::Ever, Location::caller()).expect(ENDLESS))
    }

    /// Takes a permit if that is possible without waiting and without passing those who wait.
    #[track_caller]
    #[inline]
    pub fn try_acquire(&self) -> Option<SemaphorePermit<'_>> {
        self.try_acquire_many(1)
    }

    /// Takes `n` permits if that is possible without waiting and without passing those who wait.
    #[track_caller]
    #[inline]
    pub fn try_acquire_many(&self, n: u32) -> Option<SemaphorePermit<'_>> {
        take(self, n, Until::Now, Location::caller()).map(SemaphorePermit::new)
    }

    /// Takes a permit, waiting for `limit` at most.
    #[track_caller]
    #[inline]
    pub fn acquire_timeout(&self, limit: Duration) -> Option<SemaphorePermit<'_>> {
        self.acquire_many_timeout(1, limit)
    }

    /// Takes `n` permits, waiting for `limit` at most.
    #[track_caller]
    #[inline]
    pub fn acquire_many_timeout(&self, n: u32, limit: Duration) -> Option<SemaphorePermit<'_>> {
        take(self, n, Until::after(limit), Location::caller()).map(SemaphorePermit::new)
    }

    /// [`acquire`](Self::acquire) with a permit that can be sent to other threads.
    #[track_caller]
    #[inline]
    pub fn acquire_owned(self: &Arc<Self>) -> OwnedSemaphorePermit {
        self.acquire_many_owned(1)
    }

    /// [`acquire_many`](Self::acquire_many) with a permit that can be sent to other threads.
    #[track_caller]
    #[inline]
    pub fn acquire_many_owned(self: &Arc<Self>, n: u32) -> OwnedSemaphorePermit {
        let taken = take(Arc::clone(self), n, Until::Ever, Location::caller());
        OwnedSemaphorePermit::new(taken.expect(ENDLESS))
    }

    /// [`try_acquire`](Self::try_acquire) with a permit that can be sent to other threads.
    #[track_caller]
    #[inline]
    pub fn try_acquire_owned(self: &Arc<Self>) -> Option<OwnedSemaphorePermit> {
        self.try_acquire_many_owned(1)
    }

    /// [`try_acquire_many`](Self::try_acquire_many) with a permit that can be sent to other threads.
    #[track_caller]
    #[inline]
    pub fn try_acquire_many_owned(self: &Arc<Self>, n: u32) -> Option<OwnedSemaphorePermit> {
        take(Arc::clone(self), n, Until::Now, Location::caller()).map(OwnedSemaphorePermit::new)
    }

    /// [`acquire_timeout`](Self::acquire_timeout) with a permit that can be sent to other threads.
    #[track_caller]
    #[inline]
    pub fn acquire_owned_timeout(self: &Arc<Self>, limit: Duration) -> Option<OwnedSemaphorePermit> {
        self.acquire_many_owned_timeout(1, limit)
    }

    /// [`acquire_many_timeout`](Self::acquire_many_timeout) with a permit that can be sent to other threads.
    #[track_caller]
    #[inline]
    pub fn acquire_many_owned_timeout(self: &Arc<Self>, n: u32, limit: Duration) -> Option<OwnedSemaphorePermit> {
        take(Arc::clone(self), n, Until::after(limit), Location::caller()).map(OwnedSemaphorePermit::new)
    }

    /// How many permits there are now. They may be for somebody who waits for more.
    #[inline]
    pub fn available_permits(&self) -> usize {
        self.queue.available()
    }

    /// Adds permits that nobody had.
    ///
    /// # Panics
    ///
    /// When the semaphore then had more than [`MAX_PERMITS`](Self::MAX_PERMITS) to give.
    #[track_caller]
    pub fn add_permits(&self, n: usize) {
        let sum = self.queue.available().saturating_add(n);
        assert!(sum <= Self::MAX_PERMITS, "more permits than a semaphore can have");
        if n > 0 {
            self.meta.added(n as u32, Location::caller());
            self.queue.give(n);
        }
    }

    /// Takes permits out for good, as many as there are and at most `n`, without waiting; returns how many.
    #[track_caller]
    pub fn forget_permits(&self, n: usize) -> usize {
        let taken = self.queue.take_up_to(n.min(Self::MAX_PERMITS));
        if taken > 0 {
            let (permits, site) = (taken as u32, Location::caller());
            let held = self.meta.acquired(permits, true, site);
            self.meta.forgotten(permits, &held, site);
        }
        taken
    }
}

impl fmt::Debug for Semaphore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Semaphore").field("available", &self.available_permits()).finish_non_exhaustive()
    }
}

const ENDLESS: &str = "a wait without a limit ends with the permits";

fn take<S: Way>(semaphore: S, n: u32, until: Until, site: Site) -> Option<Permits<S>> {
    if n == 0 {
        return Some(Permits::new(semaphore, 0, Held::nothing()));
    }
    let Semaphore { meta, queue } = &*semaphore;
    let is_taken = queue.try_take(n as usize)
        || match until {
            Until::Now => false,
            Until::Time(deadline) => meta.wait(n, true, site, || queue.take(n as usize, Some(deadline))),
            Until::Ever => meta.wait(n, false, site, || queue.take(n as usize, None)),
        };
    is_taken.then(|| {
        let held = semaphore.meta.acquired(n, S::STAYS, site);
        Permits::new(semaphore, n, held)
    })
}

/// How long to wait.
enum Until {
    Now,
    Time(Instant),
    Ever,
}

impl Until {
    /// A limit that is too far away to be told is none.
    fn after(limit: Duration) -> Self {
        Instant::now().checked_add(limit).map_or(Until::Ever, Until::Time)
    }
}
