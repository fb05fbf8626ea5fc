//! `Send`, `Sync`, `Unpin`, `UnwindSafe`, `RefUnwindSafe` of every type, for data that has or lacks them, over raw locks whose
//! guards may be sent or not.

use std::{
    cell::Cell,
    panic::{RefUnwindSafe, UnwindSafe},
    rc::Rc,
    sync::MutexGuard,
};

/// Whether `$type` implements `$trait`: an inherent constant hides the trait's when the bound holds.
macro_rules! implements {
    ($type:ty: $trait:path) => {{
        #[allow(dead_code, reason = "hidden when the bound holds")]
        trait No {
            const ANSWER: bool = false;
        }
        impl<T: ?Sized> No for T {}
        struct Ask<T: ?Sized>(std::marker::PhantomData<T>);
        #[allow(dead_code, reason = "does not apply when the bound does not hold")]
        impl<T: ?Sized + $trait> Ask<T> {
            const ANSWER: bool = true;
        }
        <Ask<$type>>::ANSWER
    }};
}

macro_rules! auto_traits {
    ($type:ty) => {
        [
            implements!($type: Send),
            implements!($type: Sync),
            implements!($type: Unpin),
            implements!($type: UnwindSafe),
            implements!($type: RefUnwindSafe),
        ]
    };
}

/// Data that is `Send` and `Sync`, only `Send`, only `Sync`, neither.
type SendOnly = Cell<u8>;
type SyncOnly = MutexGuard<'static, u8>;
type Neither = Rc<u8>;

/// Raw locks, only their types: `M` says whether guards may be sent, and what is beside it whether the lock may be.
struct Raw<M, P>(std::marker::PhantomData<(fn() -> M, P)>);

// SAFETY: never used.
unsafe impl<M, P> lock_api_0_4::RawMutex for Raw<M, P> {
    const INIT: Self = Self(std::marker::PhantomData);
    type GuardMarker = M;
    fn lock(&self) {}
    fn try_lock(&self) -> bool {
        true
    }
    unsafe fn unlock(&self) {}
}

// SAFETY: never used.
unsafe impl<M, P> lock_api_0_4::RawRwLock for Raw<M, P> {
    const INIT: Self = Self(std::marker::PhantomData);
    type GuardMarker = M;
    fn lock_shared(&self) {}
    fn try_lock_shared(&self) -> bool {
        true
    }
    unsafe fn unlock_shared(&self) {}
    fn lock_exclusive(&self) {}
    fn try_lock_exclusive(&self) -> bool {
        true
    }
    unsafe fn unlock_exclusive(&self) {}
}

// SAFETY: never used.
unsafe impl<M, P> lock_api_0_4::RawRwLockUpgrade for Raw<M, P> {
    fn lock_upgradable(&self) {}
    fn try_lock_upgradable(&self) -> bool {
        true
    }
    unsafe fn unlock_upgradable(&self) {}
    unsafe fn upgrade(&self) {}
    unsafe fn try_upgrade(&self) -> bool {
        true
    }
}

// SAFETY: never used.
#[cfg(feature = "atomic_usize")]
unsafe impl<M, P> lock_api_0_4::GetThreadId for Raw<M, P> {
    const INIT: Self = Self(std::marker::PhantomData);
    fn nonzero_thread_id(&self) -> std::num::NonZeroUsize {
        std::num::NonZeroUsize::MIN
    }
}

macro_rules! check {
    ($($type:ident [$($before:tt)*]),+) => { $(
        check!(@raw $type [$($before)*] Raw<lock_api_0_4::GuardSend, u8>);
        check!(@raw $type [$($before)*] Raw<lock_api_0_4::GuardNoSend, u8>);
        check!(@raw $type [$($before)*] Raw<lock_api_0_4::GuardSend, SendOnly>);
        check!(@raw $type [$($before)*] Raw<lock_api_0_4::GuardSend, SyncOnly>);
        check!(@raw $type [$($before)*] Raw<lock_api_0_4::GuardNoSend, Neither>);
    )+ };
    (@raw $type:ident [$($before:tt)*] $raw:ty) => {
        check!(@ $type [$($before)*] $raw; u8, str, SendOnly, SyncOnly, Neither, &'static mut u8);
    };
    (@ $type:ident [] $raw:ty; $($data:ty),+) => { $( check!(@same $type<$raw, $data>); )+ };
    (@ $type:ident [id] $raw:ty; $($data:ty),+) => { $( check!(@same $type<$raw, $raw, $data>); )+ };
    (@ $type:ident ['static] $raw:ty; $($data:ty),+) => { $( check!(@same $type<'static, $raw, $data>); )+ };
    (@ $type:ident ['static id] $raw:ty; $($data:ty),+) => { $( check!(@same $type<'static, $raw, $raw, $data>); )+ };
    (@same $type:ident<$($arg:tt)*) => {
        assert_eq!(
            auto_traits!(lockscope_lock_api::$type<$($arg)*),
            auto_traits!(lock_api_0_4::$type<$($arg)*),
            "{}: Send, Sync, Unpin, UnwindSafe, RefUnwindSafe", stringify!($type<$($arg)*),
        );
    };
}

#[test]
fn same_auto_traits() {
    check!(Mutex[], RwLock[]);
    check!(MutexGuard['static], MappedMutexGuard['static]);
    check!(RwLockReadGuard['static], RwLockWriteGuard['static], RwLockUpgradableReadGuard['static]);
    check!(MappedRwLockReadGuard['static], MappedRwLockWriteGuard['static]);
}

#[cfg(feature = "atomic_usize")]
#[test]
fn same_auto_traits_of_reentrant_mutexes() {
    check!(ReentrantMutex[id], ReentrantMutexGuard['static id], MappedReentrantMutexGuard['static id]);
    #[cfg(feature = "arc_lock")]
    check!(ArcReentrantMutexGuard[id]);
}

#[cfg(feature = "arc_lock")]
#[test]
fn same_auto_traits_of_arc_guards() {
    check!(ArcMutexGuard[], ArcRwLockReadGuard[], ArcRwLockWriteGuard[], ArcRwLockUpgradableReadGuard[]);
}

#[test]
fn the_question_can_be_answered_both_ways() {
    assert_eq!(auto_traits!(u8), [true; 5]);
    assert_eq!(auto_traits!(*mut Cell<u8>), [false, false, true, false, false]);
}
