//! The raw mutexes behind `lock_api` 0.4's traits.
//!
//! What code that is generic over these traits does is followed too; see `bare` for how a release finds its acquisition.

use std::time::{Duration, Instant};

use lock_api::{RawMutex as _, RawMutexFair as _, RawMutexTimed as _};

use super::Marker;
use crate::instrumented::{
    bare,
    raw::{RawFairMutex, RawMutex},
    way::{Locked, Way},
};

macro_rules! raw_mutex {
    ($raw:ident) => {
        impl Way for Locked<$raw> {
            type Raw = $raw;
            const MODE: lockscope::rt::Mode = lockscope::rt::Mode::Exclusive;

            #[inline]
            fn lock(raw: &$raw) {
                raw.plain().lock()
            }

            #[inline]
            fn try_lock(raw: &$raw) -> bool {
                raw.plain().try_lock()
            }

            #[inline]
            fn try_lock_for(raw: &$raw, limit: Duration) -> bool {
                raw.plain().try_lock_for(limit)
            }

            #[inline]
            fn try_lock_until(raw: &$raw, deadline: Instant) -> bool {
                raw.plain().try_lock_until(deadline)
            }

            #[inline]
            unsafe fn unlock(raw: &$raw) {
                // SAFETY: this function's contract.
                unsafe { raw.plain().unlock() };
            }

            #[inline]
            unsafe fn unlock_fair(raw: &$raw) {
                // SAFETY: as in `unlock`.
                unsafe { raw.plain().unlock_fair() };
            }
        }

        // SAFETY: the wrapped lock excludes, and each acquisition is released once.
        unsafe impl lock_api::RawMutex for $raw {
            const INIT: Self = Self::UNLOCKED;

            type GuardMarker = Marker;

            #[track_caller]
            #[inline]
            fn lock(&self) {
                bare::lock::<Locked<Self>>(self);
            }

            #[track_caller]
            #[inline]
            fn try_lock(&self) -> bool {
                bare::try_lock::<Locked<Self>>(self)
            }

            #[inline]
            unsafe fn unlock(&self) {
                // SAFETY: this function's contract.
                unsafe { bare::unlock::<Locked<Self>>(self) };
            }

            #[inline]
            fn is_locked(&self) -> bool {
                self.plain().is_locked()
            }
        }

        // SAFETY: as above.
        unsafe impl lock_api::RawMutexFair for $raw {
            #[inline]
            unsafe fn unlock_fair(&self) {
                // SAFETY: this function's contract.
                unsafe { bare::unlock_fair::<Locked<Self>>(self) };
            }

            #[track_caller]
            #[inline]
            unsafe fn bump(&self) {
                // SAFETY: this function's contract.
                unsafe { bare::bump::<Locked<Self>>(self) };
            }
        }

        // SAFETY: as above.
        unsafe impl lock_api::RawMutexTimed for $raw {
            type Duration = Duration;
            type Instant = Instant;

            #[track_caller]
            #[inline]
            fn try_lock_for(&self, timeout: Duration) -> bool {
                bare::try_lock_for::<Locked<Self>>(self, timeout)
            }

            #[track_caller]
            #[inline]
            fn try_lock_until(&self, timeout: Instant) -> bool {
                bare::try_lock_until::<Locked<Self>>(self, timeout)
            }
        }
    };
}

raw_mutex!(RawMutex);
raw_mutex!(RawFairMutex);
