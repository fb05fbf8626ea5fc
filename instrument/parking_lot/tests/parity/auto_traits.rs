//! `Send`, `Sync`, `Unpin`, `UnwindSafe`, `RefUnwindSafe` of every type, for data that has or lacks them.

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

macro_rules! check {
    ($($type:ident $(<$lifetime:lifetime>)?),+) => { $({
        check!(@ $type $($lifetime)?, u8);
        check!(@ $type $($lifetime)?, str);
        check!(@ $type $($lifetime)?, SendOnly);
        check!(@ $type $($lifetime)?, SyncOnly);
        check!(@ $type $($lifetime)?, Neither);
        check!(@ $type $($lifetime)?, &'static mut u8);
    })+ };
    (@ $type:ident $($lifetime:lifetime)?, $data:ty) => {
        assert_eq!(
            auto_traits!(lockscope_parking_lot::$type<$($lifetime,)? $data>),
            auto_traits!(parking_lot::$type<$($lifetime,)? $data>),
            "{} of {}: Send, Sync, Unpin, UnwindSafe, RefUnwindSafe", stringify!($type), stringify!($data),
        );
    };
}

#[test]
fn same_auto_traits() {
    check!(Mutex, RwLock);
    check!(MutexGuard<'static>, MappedMutexGuard<'static>);
    check!(RwLockReadGuard<'static>, RwLockWriteGuard<'static>, RwLockUpgradableReadGuard<'static>);
    check!(MappedRwLockReadGuard<'static>, MappedRwLockWriteGuard<'static>);
    assert_eq!(auto_traits!(lockscope_parking_lot::Condvar), auto_traits!(parking_lot::Condvar));
    assert_eq!(auto_traits!(lockscope_parking_lot::WaitTimeoutResult), auto_traits!(parking_lot::WaitTimeoutResult));
}

#[cfg(feature = "arc_lock")]
#[test]
fn same_auto_traits_of_arc_guards() {
    macro_rules! check_arc {
        ($($guard:ident of $raw:ident),+; $data:tt) => { $( check_arc!(@ $guard $raw $data); )+ };
        (@ $guard:ident $raw:ident [$($data:ty),+]) => { $(
            assert_eq!(
                auto_traits!(lockscope_parking_lot::$guard<parking_lot::$raw, $data>),
                auto_traits!(parking_lot::$guard<parking_lot::$raw, $data>),
                "{} of {}: Send, Sync, Unpin, UnwindSafe, RefUnwindSafe", stringify!($guard), stringify!($data),
            );
        )+ };
    }
    check_arc!(
        ArcMutexGuard of RawMutex, ArcRwLockReadGuard of RawRwLock, ArcRwLockWriteGuard of RawRwLock,
        ArcRwLockUpgradableReadGuard of RawRwLock; [u8, str, SendOnly, SyncOnly, Neither]
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
    assert_eq!(implements!(lockscope_parking_lot::MutexGuard<'static, u8>: Send), send);
    assert_eq!(implements!(lockscope_parking_lot::MappedRwLockReadGuard<'static, u8>: Send), send);
}
