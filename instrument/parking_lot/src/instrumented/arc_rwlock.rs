//! Locking a read-write lock through its `Arc`, with guards that keep it alive (feature `arc_lock`).

use std::{
    panic::Location,
    sync::Arc,
    time::{Duration, Instant},
};

use lockscope::rt::LockRef;

use super::{
    changes::Limit,
    guard_traits::{downgrade_functions, guard_traits, unlock_functions, upgrade_functions},
    held::{Held, Lock},
    rwlock::RwLock,
    way::RwLockRaw,
};

impl<R: RwLockRaw, T: ?Sized> Lock for Arc<RwLock<R, T>> {
    type Raw = R;

    #[inline]
    fn lock_ref(&self) -> LockRef<'_> {
        RwLock::lock_ref(self)
    }

    #[inline]
    fn raw(&self) -> &R {
        &self.raw
    }
}

/// Defines a guard that shares the lock, and the lock's functions that return it.
macro_rules! arc_guard {
    (
        $(#[$doc:meta])* $guard:ident as $way:ident: $($trait:ident),+;
        $lock:ident as $plain:ident, $try_lock:ident as $plain_try:ident, $try_for:ident as $plain_for:ident,
        $try_until:ident as $plain_until:ident;
        $($functions:tt)*
    ) => {
        $(#[$doc])*
        #[clippy::has_significant_drop]
        #[must_use = "if unused the lock is released at once"]
        pub struct $guard<R: RwLockRaw, T: ?Sized> {
            held: Held<Arc<RwLock<R, T>>, R::$way>,
        }

        impl<R: RwLockRaw, T: ?Sized> $guard<R, T> {
            #[inline]
            pub(crate) fn new(held: Held<Arc<RwLock<R, T>>, R::$way>) -> Self {
                Self { held }
            }

            #[inline]
            fn data(&self) -> *mut T {
                self.held.lock().data_ptr()
            }

            /// The lock that this guard holds.
            #[inline]
            pub fn rwlock(s: &Self) -> &Arc<RwLock<R, T>> {
                s.held.lock()
            }

            /// Releases the lock and returns it.
            #[inline]
            pub fn into_arc(s: Self) -> Arc<RwLock<R, T>> {
                s.held.release()
            }

            /// Releases the lock, handing it to a waiting thread if there is one, and returns it.
            #[inline]
            pub fn into_arc_fair(s: Self) -> Arc<RwLock<R, T>> {
                s.held.release_fair()
            }

            unlock_functions!();

            $($functions)*
        }

        guard_traits!([R: RwLockRaw, T: ?Sized] $guard<R, T>: $($trait),+);

        impl<R: RwLockRaw, T: ?Sized> RwLock<R, T> {
            #[doc = concat!("[`", stringify!($plain), "`](Self::", stringify!($plain), "), with a guard that shares the lock.")]
            #[track_caller]
            #[inline]
            pub fn $lock(self: &Arc<Self>) -> $guard<R, T> {
                $guard::new(Held::acquire(Arc::clone(self)))
            }

            #[doc = concat!("[`", stringify!($plain_try), "`](Self::", stringify!($plain_try), "), with a guard that shares the lock.")]
            #[track_caller]
            #[inline]
            pub fn $try_lock(self: &Arc<Self>) -> Option<$guard<R, T>> {
                Held::try_acquire(Arc::clone(self)).map($guard::new)
            }

            #[doc = concat!("[`", stringify!($plain_for), "`](Self::", stringify!($plain_for), "), with a guard that shares the lock.")]
            #[track_caller]
            #[inline]
            pub fn $try_for(self: &Arc<Self>, timeout: Duration) -> Option<$guard<R, T>> {
                Held::acquire_for(Arc::clone(self), timeout).map($guard::new)
            }

            #[doc = concat!("[`", stringify!($plain_until), "`](Self::", stringify!($plain_until), "), with a guard that shares the lock.")]
            #[track_caller]
            #[inline]
            pub fn $try_until(self: &Arc<Self>, timeout: Instant) -> Option<$guard<R, T>> {
                Held::acquire_until(Arc::clone(self), timeout).map($guard::new)
            }
        }
    };
}

arc_guard! {
    /// A reader's access to a read-write lock's data, sharing the lock; dropping it unlocks.
    ArcRwLockReadGuard as Read: Deref, Debug, Display;
    read_arc as read, try_read_arc as try_read, try_read_arc_for as try_read_for,
    try_read_arc_until as try_read_until;
}

arc_guard! {
    /// A writer's access to a read-write lock's data, sharing the lock; dropping it unlocks.
    ArcRwLockWriteGuard as Write: Deref, DerefMut, Debug, Display;
    write_arc as write, try_write_arc as try_write, try_write_arc_for as try_write_for,
    try_write_arc_until as try_write_until;

    downgrade_functions!(ArcRwLockReadGuard<R, T>, ArcRwLockUpgradableReadGuard<R, T>);
}

arc_guard! {
    /// An upgradable reader's access to a read-write lock's data, sharing the lock; dropping it unlocks.
    ArcRwLockUpgradableReadGuard as Upgradable: Deref, Debug, Display;
    upgradable_read_arc as upgradable_read, try_upgradable_read_arc as try_upgradable_read,
    try_upgradable_read_arc_for as try_upgradable_read_for,
    try_upgradable_read_arc_until as try_upgradable_read_until;

    upgrade_functions!(ArcRwLockReadGuard<R, T>, ArcRwLockWriteGuard<R, T>);
}
