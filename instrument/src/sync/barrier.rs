//! std's barrier.

use std::{
    fmt,
    panic::Location,
    sync::{
        self, BarrierWaitResult,
        atomic::{AtomicUsize, Ordering},
    },
};

use crate::rt::{self, Act, LockKind, LockMeta, LockRef, Need};

/// Lets a number of threads go on together: [`std::sync::Barrier`], followed by lockscope.
///
/// ```
/// use lockscope::sync::Barrier;
///
/// let barrier = Barrier::new(2);
/// std::thread::scope(|scope| {
///     let other = scope.spawn(|| barrier.wait().is_leader());
///     assert_ne!(barrier.wait().is_leader(), other.join().unwrap());
/// });
/// ```
pub struct Barrier {
    pub(crate) meta: LockMeta,
    inner: sync::Barrier,
    n: usize,
    /// How many have arrived so far.
    arrived: AtomicUsize,
}

impl Barrier {
    /// Makes a barrier for `n` threads; 0 is taken for 1.
    ///
    /// Reports call it by the place of this call; for a name see [`named`](crate::named).
    #[track_caller]
    #[inline]
    #[must_use]
    pub const fn new(n: usize) -> Self {
        Self { meta: LockMeta::new(), inner: sync::Barrier::new(n), n, arrived: AtomicUsize::new(0) }
    }

    /// Waits until as many threads wait as the barrier is for. One of them is told that it is the leader.
    #[track_caller]
    pub fn wait(&self) -> BarrierWaitResult {
        let (barrier, site) = (LockRef::new::<()>(&self.meta, LockKind::Barrier), Location::caller());
        let n = self.n.max(1);
        let before = self.arrived.fetch_add(1, Ordering::Relaxed);
        if before == 0 {
            rt::capacity(barrier, n as u64);
        }
        rt::note(barrier, Act::BarrierArrived, site);
        rt::may_help(barrier, Need::Party, 1);
        // The last one to be counted may find itself before others at std's barrier and wait a little: they are on their way.
        let result = if before % n == n - 1 {
            self.inner.wait()
        } else {
            rt::block(&[(barrier, Need::Party)], false, site, || self.inner.wait(), |_| false)
        };
        rt::note(barrier, Act::BarrierLeft(result.is_leader()), site);
        result
    }
}

impl fmt::Debug for Barrier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.inner, f)
    }
}
