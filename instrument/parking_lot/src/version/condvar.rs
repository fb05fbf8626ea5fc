//! The raw condition variable behind `lock_api` 0.5's traits.

use std::{
    panic::Location,
    time::{Duration, Instant},
};

use lockscope::rt::{self, LockKind, LockRef, Mode};

use super::{RawCondvar, Token};
use crate::{Condvar, RawMutex};

impl Condvar {
    /// The raw condition variable.
    #[inline]
    pub fn raw(&self) -> &RawCondvar {
        &self.raw
    }
}

impl RawCondvar {
    /// # Safety
    ///
    /// The current context holds the mutex.
    #[track_caller]
    unsafe fn wait_bare(&self, mutex: &RawMutex, deadline: Option<Instant>) -> bool {
        let lock = LockRef::new::<RawMutex>(&mutex.meta, LockKind::Mutex);
        let mut hold = rt::adopt(lock, Mode::Exclusive);
        // SAFETY: this function's contract.
        unsafe { self.wait(mutex, lock, &mut hold, deadline, Location::caller()) }
    }
}

// SAFETY: parking_lot's condition variable does what is asked for, and `rt::cond_wait` only looks on.
unsafe impl lock_api::RawCondvar for RawCondvar {
    const INIT: Self = Self::UNUSED;

    type RawMutex = RawMutex;

    #[track_caller]
    unsafe fn wait(&self, mutex: &RawMutex, _guard: &mut Token) {
        // SAFETY: this function's contract.
        unsafe { self.wait_bare(mutex, None) };
    }

    #[track_caller]
    fn notify_one(&self) -> bool {
        self.wake_one(Location::caller())
    }

    #[track_caller]
    fn notify_all(&self) -> usize {
        self.wake_all(Location::caller())
    }
}

// SAFETY: as above.
unsafe impl lock_api::RawCondvarTimed for RawCondvar {
    fn checked_duration_to_instant(timeout: &Duration) -> Option<Instant> {
        Instant::now().checked_add(*timeout)
    }

    #[track_caller]
    unsafe fn wait_until(&self, mutex: &RawMutex, _guard: &mut Token, timeout: &Instant) -> bool {
        // SAFETY: this function's contract.
        unsafe { self.wait_bare(mutex, Some(*timeout)) }
    }
}
