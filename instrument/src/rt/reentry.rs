//! Where the program's own locks are taken by the runtime's work: its allocator uses instrumented locks.
//!
//! The runtime allocates, also in a thread that asks for a second lock while it has a first one. If that first one is the allocator's, the
//! thread would wait for itself. And it allocates while it has a lock of its own, so that a wait in the allocator could be for
//! a thread that waits for the runtime.
//!
//! - A lock that is taken in the middle of the runtime's work is the allocator's, and so are all that were made at the same place. A thread that
//!   has one of these takes others unfollowed: nothing is allocated then ([`may_allocate`]).
//! - So that none is overlooked, memory of all sizes is asked for at the start ([`probe`]).
//! - Should one be overlooked all the same: a thread that has locks of the program waits for the runtime's by looking again and
//!   again, and gives up after a while once it is known that there are such locks in this process ([`lock`]). What it wanted is
//!   then not done this time: an acquisition is not followed or not checked, a place is not named.

use std::{
    cell::Cell,
    hint, ptr,
    sync::{
        Mutex, MutexGuard, PoisonError, TryLockError,
        atomic::{AtomicBool, AtomicPtr, Ordering},
    },
    thread,
    time::Duration,
};

use super::{
    Site,
    meta::LockRef,
    thread::{ThreadInfo, holds_locks},
};

/// Whether a thread was seen to take an instrumented lock in the middle of the runtime's own work.
static IS_REENTERED: AtomicBool = AtomicBool::new(false);

/// Where the allocator's locks were made. More than an allocator has kinds of locks; others are not known for what they are.
static PLACES: [AtomicPtr<std::panic::Location<'static>>; 64] = [const { AtomicPtr::new(ptr::null_mut()) }; 64];

thread_local! {
    /// What this thread does is the program's, although the runtime has called it.
    static IS_CALLBACK: Cell<bool> = const { Cell::new(false) };
}

/// Calls something of the program's that may use any locks and allocate.
pub(super) fn callback<R>(f: impl FnOnce() -> R) -> R {
    struct Before(bool);
    impl Drop for Before {
        fn drop(&mut self) {
            IS_CALLBACK.set(self.0);
        }
    }
    let _before = Before(IS_CALLBACK.replace(true));
    f()
}

/// A thread is in the runtime, and takes a lock.
#[cold]
pub(super) fn note(lock: LockRef<'_>) {
    if IS_CALLBACK.get() {
        return;
    }
    if let Some(made) = lock.made() {
        let made = ptr::from_ref(made).cast_mut();
        let is_noted = |place: &AtomicPtr<_>| {
            place.load(Ordering::Relaxed) == made
                || place
                    .compare_exchange(ptr::null_mut(), made, Ordering::Relaxed, Ordering::Relaxed)
                    .map_or_else(|other| other == made, |_| true)
        };
        PLACES.iter().any(is_noted);
    }
    IS_REENTERED.store(true, Ordering::Release);
}

/// Whether the runtime may allocate and free memory in this thread: it has none of the allocator's locks.
#[inline]
pub(super) fn may_allocate(info: &ThreadInfo) -> bool {
    !IS_REENTERED.load(Ordering::Acquire) || !info.held.iter().any(|held| is_of_allocator(held.created))
}

#[cold]
fn is_of_allocator(created: Site) -> bool {
    let noted = PLACES.iter().map(|place| place.load(Ordering::Relaxed).cast_const());
    noted.take_while(|place| !place.is_null()).any(|place| place == ptr::from_ref(created))
}

/// Asks for memory of all sizes, so that the allocator's locks are known before a thread of the program has one. Called in the middle of the
/// runtime's work.
pub(super) fn probe() {
    static IS_DONE: AtomicBool = AtomicBool::new(false);
    if IS_DONE.swap(true, Ordering::Relaxed) {
        return;
    }
    for shift in 0..=20 {
        drop(hint::black_box(Vec::<u8>::with_capacity(3 << shift)));
    }
}

/// How often to look: spinning, giving up the processor, and then sleeping, until giving up where that is necessary.
const SPINS: u32 = 100;
const YIELDS: u32 = 100;
const SLEEPS: u32 = 200;
const SLEEP: Duration = Duration::from_micros(100);

/// Takes one of the runtime's locks; `None` where to wait for it any longer could be for ever.
#[inline]
pub(super) fn lock<T>(mutex: &Mutex<T>) -> Option<MutexGuard<'_, T>> {
    match mutex.try_lock() {
        Ok(guard) => Some(guard),
        Err(TryLockError::Poisoned(poisoned)) => Some(poisoned.into_inner()),
        Err(TryLockError::WouldBlock) => wait(mutex),
    }
}

#[cold]
fn wait<T>(mutex: &Mutex<T>) -> Option<MutexGuard<'_, T>> {
    if !holds_locks() {
        return Some(mutex.lock().unwrap_or_else(PoisonError::into_inner));
    }
    let mut looked = 0;
    loop {
        match mutex.try_lock() {
            Ok(guard) => return Some(guard),
            Err(TryLockError::Poisoned(poisoned)) => return Some(poisoned.into_inner()),
            Err(TryLockError::WouldBlock) => {}
        }
        match looked {
            0..SPINS => hint::spin_loop(),
            _ if looked < SPINS + YIELDS => thread::yield_now(),
            _ if looked >= SPINS + YIELDS + SLEEPS && IS_REENTERED.load(Ordering::Relaxed) => return None,
            _ => thread::sleep(SLEEP),
        }
        looked = looked.saturating_add(1);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_has_no_lock_of_the_program_waits() {
        let mutex = Mutex::new(1);
        assert_eq!(lock(&mutex).map(|guard| *guard), Some(1));
        thread::scope(|scope| {
            let guard = lock(&mutex).expect("nobody has it");
            let waits = scope.spawn(|| lock(&mutex).map(|guard| *guard));
            drop(guard);
            assert_eq!(waits.join().expect("it does not panic"), Some(1));
        });
    }
}
