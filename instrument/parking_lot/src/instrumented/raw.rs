//! The raw mutexes, for code that is generic over `lock_api::RawMutex`.
//!
//! They are made from a constant, so their place of creation cannot be known: reports call them by the place of their first
//! use. A [`Mutex`](super::Mutex) has one inside, too, which knows where the mutex was made.

use std::panic::RefUnwindSafe;

use lockscope::rt::{LockKind, LockMeta, LockRef};

use super::{
    held::Lock,
    way::{Followed, Locked, MutexRaw},
};

/// parking_lot's `RawMutex`, followed by lockscope.
pub struct RawMutex {
    pub(crate) meta: LockMeta,
    // Not the raw mutex itself: parking_lot's condition variable wants a guard, which only a mutex makes.
    pub(crate) mutex: parking_lot::Mutex<()>,
}

// What is not, is the `()` in the mutex.
impl RefUnwindSafe for RawMutex {}

impl RawMutex {
    #[expect(clippy::declare_interior_mutable_const, reason = "each use makes a new one")]
    pub(crate) const UNLOCKED: Self = Self { meta: LockMeta::unplaced(), mutex: parking_lot::Mutex::new(()) };

    /// The wrapped raw mutex.
    #[inline]
    pub(crate) fn plain(&self) -> &parking_lot::RawMutex {
        // SAFETY: only acquisitions of this crate lock and unlock it, each of which unlocks what it locked.
        unsafe { self.mutex.raw() }
    }
}

/// parking_lot's `RawFairMutex`, followed by lockscope.
pub struct RawFairMutex {
    pub(crate) meta: LockMeta,
    plain: parking_lot::RawFairMutex,
}

impl RawFairMutex {
    #[expect(clippy::declare_interior_mutable_const, reason = "each use makes a new one")]
    pub(crate) const UNLOCKED: Self =
        Self { meta: LockMeta::unplaced(), plain: <parking_lot::RawFairMutex as lock_api::RawMutex>::INIT };

    /// The wrapped raw mutex.
    #[inline]
    pub(crate) fn plain(&self) -> &parking_lot::RawFairMutex {
        &self.plain
    }
}

/// Makes a raw lock one that the runtime follows.
macro_rules! followed {
    ([$($generics:tt)*] $raw:ty as $kind:ident, named $name:ty) => {
        impl<$($generics)*> Followed for $raw {
            const KIND: LockKind = LockKind::$kind;
            type Name = $name;

            #[inline]
            fn meta(&self) -> &LockMeta {
                &self.meta
            }

            #[inline]
            fn meta_mut(&mut self) -> &mut LockMeta {
                &mut self.meta
            }
        }
    };
}

pub(crate) use followed;

followed!([] RawMutex as Mutex, named RawMutex);
followed!([] RawFairMutex as FairMutex, named RawFairMutex);

impl MutexRaw for RawMutex {
    type Locked = Locked<Self>;
}

impl MutexRaw for RawFairMutex {
    type Locked = Locked<Self>;
}

/// A raw lock that is used by itself.
impl<R: Followed> Lock for &R {
    type Raw = R;

    #[inline]
    fn lock_ref(&self) -> LockRef<'_> {
        LockRef::new::<R::Name>(self.meta(), R::KIND)
    }

    #[inline]
    fn raw(&self) -> &R {
        self
    }
}
