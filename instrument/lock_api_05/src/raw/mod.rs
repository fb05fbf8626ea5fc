//! The raw locks that [`Mutex`](crate::Mutex), [`RwLock`](crate::RwLock), [`ReentrantMutex`](crate::ReentrantMutex) and
//! [`Condvar`](crate::Condvar) are made of: lock_api's traits, declared again for the crate that stands in for lock_api.

mod condvar;
mod mutex;
mod rwlock;

use std::marker::PhantomData;

#[cfg(feature = "atomic_usize")]
pub use self::thread_id::GetThreadId;
pub use self::{
    condvar::{RawCondvar, RawCondvarTimed},
    mutex::{RawMutex, RawMutexFair, RawMutexTimed},
    rwlock::{
        RawRwLock, RawRwLockDowngrade, RawRwLockFair, RawRwLockTimed, RawRwLockUpgrade, RawRwLockUpgradeDowngrade,
        RawRwLockUpgradeFair, RawRwLockUpgradeTimed,
    },
};

/// What a raw lock may leave in guards that may be sent to other threads: nothing.
#[derive(Default)]
pub struct GuardSend(());

impl GuardSend {
    /// One.
    #[inline]
    pub const fn new() -> Self {
        Self(())
    }
}

/// What a raw lock may leave in guards that stay in the thread that locked: nothing.
#[derive(Default)]
pub struct GuardNoSend(PhantomData<*mut ()>);

impl GuardNoSend {
    /// One.
    #[inline]
    pub const fn new() -> Self {
        Self(PhantomData)
    }
}

// SAFETY: there is nothing in it.
unsafe impl Sync for GuardNoSend {}

/// Releases by `unlock` and locks again by `lock`, whose token takes the place of the other's, also when `unlock` panics. Aborts when
/// `lock` panics, since a guard without its lock must not reach the caller.
///
/// # Safety
///
/// `guard` is the token that `unlock` needs, which needs nothing else, and that of `lock` is as good.
unsafe fn bump<K>(guard: &mut K, unlock: impl FnOnce(K), lock: impl FnOnce() -> K) {
    struct Again<'g, K, F: FnOnce() -> K>(&'g mut K, Option<F>);

    impl<K, F: FnOnce() -> K> Drop for Again<'_, K, F> {
        fn drop(&mut self) {
            let bomb = crate::types::held::AbortOnUnwind;
            let lock = self.1.take().expect("it is dropped once");
            // SAFETY: what was there was taken out.
            unsafe { std::ptr::write(self.0, lock()) };
            std::mem::forget(bomb);
        }
    }

    // SAFETY: from here to the end of `_again`, which writes another one, it is used once.
    let token = unsafe { std::ptr::read(guard) };
    let _again = Again(guard, Some(lock));
    unlock(token);
}

#[cfg(feature = "atomic_usize")]
mod thread_id {
    use std::num::NonZeroUsize;

    /// Tells threads apart, for locks that their holder can take again.
    ///
    /// # Safety
    ///
    /// No two threads that live at the same time may get the same number, and a thread always gets the same.
    pub unsafe trait GetThreadId {
        /// A value to ask.
        #[allow(clippy::declare_interior_mutable_const)]
        const INIT: Self;

        /// A number that stands for the current thread.
        fn nonzero_thread_id(&self) -> NonZeroUsize;
    }
}
