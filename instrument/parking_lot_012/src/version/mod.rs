//! What is 0.12's own: raw locks without tokens, recursive reads of every read-write lock, `const` functions.

mod auto_traits;
mod constructors;
mod forced;
mod raw_mutex;
mod raw_rwlock;
mod raw_rwlock_traits;
mod recursive;

use std::marker::PhantomData;

pub(crate) use self::raw_rwlock::ReadAgain;
pub use self::{
    constructors::{const_fair_mutex, const_mutex, const_reentrant_mutex, const_rwlock},
    raw_rwlock::RawRwLock,
};
use crate::instrumented::{mapped::MappedRwLockReadGuard, way::RwLockRaw};

/// Decides whether guards are `Send`.
#[cfg(feature = "send_guard")]
pub(crate) type Marker = lock_api::GuardSend;
/// Decides whether guards are `Send`.
#[cfg(not(feature = "send_guard"))]
pub(crate) type Marker = lock_api::GuardNoSend;

/// A wait for a condition has timed out also if the condition holds no longer.
pub(crate) const CONDITION_DECIDES: bool = false;

/// What a guard of a part of the data that nobody else reaches has, beside the pointer.
pub(crate) type ExclusiveMarker<'a, T> = PhantomData<&'a mut T>;

/// A guard of parking_lot's.
///
/// # Safety
///
/// The current context holds the mutex, and nothing else will unlock it.
pub(crate) unsafe fn plain_guard(mutex: &parking_lot::Mutex<()>) -> parking_lot::MutexGuard<'_, ()> {
    // SAFETY: this function's contract.
    unsafe { mutex.make_guard_unchecked() }
}

impl<'a, R: RwLockRaw + 'a, T: ?Sized + 'a> MappedRwLockReadGuard<'a, R, T> {
    /// [`try_map_or_err`](Self::try_map_or_err), as this guard has it in 0.12.
    #[inline]
    pub fn try_map_or_else<U: ?Sized, F, E>(s: Self, f: F) -> Result<MappedRwLockReadGuard<'a, R, U>, (Self, E)>
    where
        F: FnOnce(&T) -> Result<&U, E>,
    {
        Self::try_map_or_err(s, f)
    }
}
