//! Locking a read-write lock through its `Arc`, with guards that keep it alive (feature `arc_lock`).

use std::{
    marker::PhantomData,
    panic::Location,
    sync::Arc,
    time::{Duration, Instant},
};

use lockscope::rt::LockRef;
use parking_lot::RawRwLock;

use super::{
    changes::Limit,
    guard_traits::{downgrade_functions, guard_traits, unlock_functions, upgrade_functions},
    held::{Held, Lock},
    raw::{Read, Token, Upgradable, Write},
    rwlock::RwLock,
};

impl<T: ?Sized> Lock for Arc<RwLock<T>> {
    type Raw = RawRwLock;

    #[inline]
    fn lock_ref(&self) -> LockRef<'_> {
        RwLock::lock_ref(self)
    }

    #[inline]
    fn raw(&self) -> &RawRwLock {
        // SAFETY: the raw lock is only unlocked by the acquisition that asks for it.
        unsafe { RwLock::raw(self) }
    }
}

/// Defines a guard that shares the lock, and the lock's functions that return it.
macro_rules! arc_guard {
    (
        $(#[$doc:meta])* $guard:ident as $way:ident: $($trait:ident),+;
        $lock:ident as $plain:ident, $try_lock:ident as $plain_try:ident, $try_for:ident as $plain_for:ident,
        $try_until:ident as $plain_until:ident, $make:ident as $plain_make:ident;
        $($functions:tt)*
    ) => {
        $(#[$doc])*
        ///
        /// `R` is always [`RawRwLock`]: it is there because parking_lot's type has it.
        #[clippy::has_significant_drop]
        #[must_use = "if unused the lock is released at once"]
        pub struct $guard<R: lock_api::RawRwLock, T: ?Sized> {
            held: Held<Arc<RwLock<T>>, $way>,
            marker: PhantomData<R>,
        }

        impl<T: ?Sized> $guard<RawRwLock, T> {
            #[inline]
            fn new(held: Held<Arc<RwLock<T>>, $way>) -> Self {
                Self { held, marker: PhantomData }
            }

            #[inline]
            fn data(&self) -> *mut T {
                self.held.lock().data_ptr()
            }

            /// The lock that this guard holds.
            #[inline]
            pub fn rwlock(s: &Self) -> &Arc<RwLock<T>> {
                s.held.lock()
            }

            /// Releases the lock and returns it.
            #[inline]
            pub fn into_arc(s: Self) -> Arc<RwLock<T>> {
                s.held.release()
            }

            /// Releases the lock, handing it to a waiting thread if there is one, and returns it.
            #[inline]
            pub fn into_arc_fair(s: Self) -> Arc<RwLock<T>> {
                s.held.release_fair()
            }

            unlock_functions!();

            $($functions)*
        }

        guard_traits!([T: ?Sized] $guard<RawRwLock, T>: $($trait),+);

        impl<T: ?Sized> RwLock<T> {
            #[doc = concat!("[`", stringify!($plain), "`](Self::", stringify!($plain), "), with a guard that shares the lock.")]
            #[track_caller]
            #[inline]
            pub fn $lock(self: &Arc<Self>) -> $guard<RawRwLock, T> {
                $guard::new(Held::acquire(Arc::clone(self)))
            }

            #[doc = concat!("[`", stringify!($plain_try), "`](Self::", stringify!($plain_try), "), with a guard that shares the lock.")]
            #[track_caller]
            #[inline]
            pub fn $try_lock(self: &Arc<Self>) -> Option<$guard<RawRwLock, T>> {
                Held::try_acquire(Arc::clone(self)).map($guard::new)
            }

            #[doc = concat!("[`", stringify!($plain_for), "`](Self::", stringify!($plain_for), "), with a guard that shares the lock.")]
            #[track_caller]
            #[inline]
            pub fn $try_for(self: &Arc<Self>, timeout: Duration) -> Option<$guard<RawRwLock, T>> {
                Held::acquire_for(Arc::clone(self), timeout).map($guard::new)
            }

            #[doc = concat!("[`", stringify!($plain_until), "`](Self::", stringify!($plain_until), "), with a guard that shares the lock.")]
            #[track_caller]
            #[inline]
            pub fn $try_until(self: &Arc<Self>, timeout: Instant) -> Option<$guard<RawRwLock, T>> {
                Held::acquire_until(Arc::clone(self), timeout).map($guard::new)
            }

            #[doc = concat!("[`", stringify!($plain_make), "`](Self::", stringify!($plain_make), "), with a guard that shares the lock.")]
            ///
            /// # Safety
            ///
            #[doc = concat!("As for [`", stringify!($plain_make), "`](Self::", stringify!($plain_make), ").")]
            #[inline]
            pub unsafe fn $make(self: &Arc<Self>, _guard: Token) -> $guard<RawRwLock, T> {
                // SAFETY: this function's contract.
                $guard::new(unsafe { Held::adopt(Arc::clone(self)) })
            }
        }
    };
}

arc_guard! {
    /// A reader's access to a read-write lock's data, sharing the lock; dropping it unlocks.
    ArcRwLockReadGuard as Read: Deref, Debug, Display;
    read_arc as read, try_read_arc as try_read, try_read_arc_for as try_read_for,
    try_read_arc_until as try_read_until, make_arc_read_guard_unchecked as make_read_guard_unchecked;
}

arc_guard! {
    /// A writer's access to a read-write lock's data, sharing the lock; dropping it unlocks.
    ArcRwLockWriteGuard as Write: Deref, DerefMut, Debug, Display;
    write_arc as write, try_write_arc as try_write, try_write_arc_for as try_write_for,
    try_write_arc_until as try_write_until, make_arc_write_guard_unchecked as make_write_guard_unchecked;

    downgrade_functions!(ArcRwLockReadGuard<RawRwLock, T>, ArcRwLockUpgradableReadGuard<RawRwLock, T>);
}

arc_guard! {
    /// An upgradable reader's access to a read-write lock's data, sharing the lock; dropping it unlocks.
    ArcRwLockUpgradableReadGuard as Upgradable: Deref, Debug, Display;
    upgradable_read_arc as upgradable_read, try_upgradable_read_arc as try_upgradable_read,
    try_upgradable_read_arc_for as try_upgradable_read_for,
    try_upgradable_read_arc_until as try_upgradable_read_until,
    make_upgradable_arc_guard_unchecked as make_upgradable_guard_unchecked;

    upgrade_functions!(ArcRwLockReadGuard<RawRwLock, T>, ArcRwLockWriteGuard<RawRwLock, T>);
}
