//! The raw locks that [`Mutex`](crate::Mutex), [`RwLock`](crate::RwLock) and [`ReentrantMutex`](crate::ReentrantMutex) are
//! made of: lock_api's traits, declared again for the crate that stands in for lock_api.

mod mutex;
mod rwlock;

#[cfg(feature = "atomic_usize")]
pub use self::thread_id::GetThreadId;
pub use self::{
    mutex::{RawMutex, RawMutexFair, RawMutexTimed},
    rwlock::{
        RawRwLock, RawRwLockDowngrade, RawRwLockFair, RawRwLockRecursive, RawRwLockRecursiveTimed, RawRwLockTimed,
        RawRwLockUpgrade, RawRwLockUpgradeDowngrade, RawRwLockUpgradeFair, RawRwLockUpgradeTimed,
    },
};

/// As a raw lock's `GuardMarker`: guards may be sent to other threads.
pub struct GuardSend(());

/// As a raw lock's `GuardMarker`: guards stay in the thread that locked.
pub struct GuardNoSend(
    // Only there for not being `Send`.
    #[allow(dead_code)] *mut (),
);

// SAFETY: there is nothing in it that could be reached.
unsafe impl Sync for GuardNoSend {}

#[cfg(feature = "atomic_usize")]
mod thread_id {
    use std::num::NonZeroUsize;

    /// Tells threads apart, for locks that their holder can take again.
    ///
    /// # Safety
    ///
    /// No two threads that live at the same time may get the same number.
    pub unsafe trait GetThreadId {
        /// A value to ask.
        #[allow(clippy::declare_interior_mutable_const)]
        const INIT: Self;

        /// A number that stands for the current thread.
        fn nonzero_thread_id(&self) -> NonZeroUsize;
    }
}
