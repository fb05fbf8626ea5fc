//! `Send`, `Sync`, `Unpin`, `UnwindSafe`, `RefUnwindSafe` of every type, for data that has or lacks them.

use std::{cell::Cell, rc::Rc, sync::MutexGuard};

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
            implements!($type: std::panic::UnwindSafe),
            implements!($type: std::panic::RefUnwindSafe),
        ]
    };
}

use crate::{facade_crate as facade, original_crate as original};

/// Data that is `Send` and `Sync`, only `Send`, only `Sync`, neither.
pub type SendOnly = Cell<u8>;
pub type SyncOnly = MutexGuard<'static, u8>;
pub type Neither = Rc<u8>;

/// Compares types with one parameter and, where it says so, a lifetime.
macro_rules! check {
    ($($type:ident $(<$lifetime:lifetime>)?),+ $(,)?) => { $({
        check!(@ $type $($lifetime)?, u8);
        check!(@ $type $($lifetime)?, str);
        check!(@ $type $($lifetime)?, SendOnly);
        check!(@ $type $($lifetime)?, SyncOnly);
        check!(@ $type $($lifetime)?, Neither);
        check!(@ $type $($lifetime)?, &'static mut u8);
    })+ };
    (@ $type:ident $($lifetime:lifetime)?, $data:ty) => {
        assert_eq!(
            auto_traits!(facade::$type<$($lifetime,)? $data>),
            auto_traits!(original::$type<$($lifetime,)? $data>),
            "{} of {}: Send, Sync, Unpin, UnwindSafe, RefUnwindSafe", stringify!($type), stringify!($data),
        );
    };
}

/// Compares types without parameters.
macro_rules! check_plain {
    ($($type:ident),+ $(,)?) => { $(
        assert_eq!(
            auto_traits!(facade::$type), auto_traits!(original::$type),
            "{}: Send, Sync, Unpin, UnwindSafe, RefUnwindSafe", stringify!($type),
        );
    )+ };
}

#[allow(unused_imports, reason = "0.12 has no types of its own")]
pub(crate) use {auto_traits, check, check_plain, implements};

#[test]
fn same_auto_traits() {
    check!(Mutex, FairMutex, ReentrantMutex, RwLock);
    check!(MutexGuard<'static>, MappedMutexGuard<'static>);
    check!(FairMutexGuard<'static>, MappedFairMutexGuard<'static>);
    check!(ReentrantMutexGuard<'static>, MappedReentrantMutexGuard<'static>);
    check!(RwLockReadGuard<'static>, RwLockWriteGuard<'static>, RwLockUpgradableReadGuard<'static>);
    check!(MappedRwLockReadGuard<'static>, MappedRwLockWriteGuard<'static>);
    check_plain!(Condvar, WaitTimeoutResult, Once, OnceState);
    check_plain!(RawMutex, RawFairMutex, RawRwLock, RawThreadId);
}

#[cfg(feature = "arc_lock")]
#[test]
fn same_auto_traits_of_arc_guards() {
    macro_rules! check_arc {
        ($($guard:ident $raw:tt),+ of $data:tt) => { $( check_arc!(@ $guard $raw $data); )+ };
        (@ $guard:ident $raw:tt [$($data:ty),+]) => { $( check_arc!(@@ $guard $raw $data); )+ };
        (@@ $guard:ident ($($raw:ident),+) $data:ty) => {
            let facade = auto_traits!(facade::$guard<$(facade::$raw,)+ $data>);
            let mut original = auto_traits!(original::$guard<$(original::$raw,)+ $data>);
            if crate::UNSOUND.contains(&(stringify!($guard), stringify!($data))) {
                assert!(original[1], "the original may not be shared any more, so the exception can go");
                original[1] = false;
            }
            assert_eq!(
                facade, original,
                "{} of {}: Send, Sync, Unpin, UnwindSafe, RefUnwindSafe", stringify!($guard), stringify!($data),
            );
        };
    }
    check_arc!(
        ArcMutexGuard(RawMutex), ArcMutexGuard(RawFairMutex), ArcReentrantMutexGuard(RawMutex, RawThreadId),
        ArcRwLockReadGuard(RawRwLock), ArcRwLockWriteGuard(RawRwLock), ArcRwLockUpgradableReadGuard(RawRwLock)
        of [u8, str, SendOnly, SyncOnly, Neither]
    );
}

#[test]
fn the_question_can_be_answered_both_ways() {
    assert_eq!(auto_traits!(u8), [true; 5]);
    assert_eq!(auto_traits!(*mut Cell<u8>), [false, false, true, false, false]);
}

#[test]
fn guards_are_send_with_the_feature_only() {
    let send = cfg!(feature = "send_guard");
    assert_eq!(implements!(facade::MutexGuard<'static, u8>: Send), send);
    assert_eq!(implements!(facade::MappedRwLockReadGuard<'static, u8>: Send), send);
    assert!(!implements!(facade::ReentrantMutexGuard<'static, u8>: Send));
}
