//! For the stand-ins of crates over lock_api: a condition variable gets at a guard's acquisition.

use std::{cell::Cell, panic::Location, ptr};

use lockscope::rt::LockRef;

use crate::{raw::RawMutex, types::MutexGuard};

thread_local! {
    /// The raw mutex with which this thread waits on a condition variable. Without a destructor, for use in every other one.
    static WAITING_WITH: Cell<*const ()> = const { Cell::new(ptr::null()) };
}

/// Whether what is about to be done to the raw lock is told to the runtime: see [`cond_wait`].
#[inline]
pub(crate) fn is_known<R>(raw: &R) -> bool {
    ptr::eq(WAITING_WITH.get(), ptr::from_ref(raw).cast())
}

/// Waits on a condition variable by `wait`, which releases the guard's mutex, waits, and locks the mutex again, by the raw
/// mutex that it gets from [`Mutex::raw`](crate::Mutex::raw). `limited` says that the wait ends by itself some time, and `timed_out`
/// tells from its result whether it did.
#[cfg(all(not(lockscope_off), any(debug_assertions, feature = "force")))]
pub fn cond_wait<R: RawMutex, T: ?Sized, U>(
    condvar: LockRef<'_>,
    guard: &mut MutexGuard<'_, R, T>,
    limited: bool,
    site: &'static Location<'static>,
    wait: impl FnOnce(&mut MutexGuard<'_, R, T>) -> U,
    timed_out: impl FnOnce(&U) -> bool,
) -> U {
    use std::mem;

    use lockscope::rt::{self, Hold, Mode};

    /// The acquisition, taken out of its guard, since both are needed at the same time. Goes back also when the wait panics.
    struct TakenOut<'g, 'a, R: RawMutex, T: ?Sized> {
        guard: &'g mut MutexGuard<'a, R, T>,
        hold: Hold,
        waiting_with: *const (),
    }

    impl<R: RawMutex, T: ?Sized> Drop for TakenOut<'_, '_, R, T> {
        fn drop(&mut self) {
            WAITING_WITH.set(self.waiting_with);
            mem::swap(&mut self.guard.held.hold, &mut self.hold);
        }
    }

    let mutex = MutexGuard::mutex(guard);
    let waiting_with = WAITING_WITH.replace(ptr::from_ref(mutex.raw_lock()).cast());
    let hold = mem::replace(&mut guard.held.hold, Hold::untracked(Mode::Exclusive));
    let mut taken_out = TakenOut { guard, hold, waiting_with };
    let TakenOut { guard, hold, .. } = &mut taken_out;
    rt::cond_wait(condvar, mutex.lock_ref(), hold, limited, site, || wait(guard), timed_out)
}

/// Just waits.
#[cfg(not(all(not(lockscope_off), any(debug_assertions, feature = "force"))))]
pub fn cond_wait<R: RawMutex, T: ?Sized, U>(
    _: LockRef<'_>,
    guard: &mut MutexGuard<'_, R, T>,
    _: bool,
    _: &'static Location<'static>,
    wait: impl FnOnce(&mut MutexGuard<'_, R, T>) -> U,
    _: impl FnOnce(&U) -> bool,
) -> U {
    wait(guard)
}
