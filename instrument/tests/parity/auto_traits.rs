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
            auto_traits!(lockscope::sync::$type<$($lifetime,)? $data>),
            auto_traits!(std::sync::$type<$($lifetime,)? $data>),
            "{} of {}: Send, Sync, Unpin, UnwindSafe, RefUnwindSafe", stringify!($type), stringify!($data),
        );
    };
}

#[test]
fn same_auto_traits() {
    check!(Mutex, RwLock, MutexGuard<'static>, RwLockReadGuard<'static>, RwLockWriteGuard<'static>);
    macro_rules! check_plain {
        ($($type:ident),+) => { $(
            assert_eq!(auto_traits!(lockscope::sync::$type), auto_traits!(std::sync::$type), stringify!($type));
        )+ };
    }
    check_plain!(Condvar, Once, Barrier);
    macro_rules! check_atomics {
        ($($type:ident $(<$data:ty>)?),+) => { $(
            assert_eq!(
                auto_traits!(lockscope::sync::atomic::$type $(<$data>)?),
                auto_traits!(std::sync::atomic::$type $(<$data>)?),
                stringify!($type),
            );
        )+ };
    }
    check_atomics!(
        AtomicBool,
        AtomicU8,
        AtomicI64,
        AtomicUsize,
        AtomicPtr<u8>,
        AtomicPtr<SendOnly>,
        AtomicPtr<Neither>
    );
    macro_rules! check_cells {
        ($($data:ty),+) => { $(
            assert_eq!(auto_traits!(lockscope::cell::UnsafeCell<$data>), auto_traits!(std::cell::UnsafeCell<$data>));
        )+ };
    }
    check_cells!(u8, str, SendOnly, SyncOnly, Neither, &'static mut u8);
    macro_rules! check_sized {
        ($($data:ty),+) => { $(
            assert_eq!(auto_traits!(lockscope::sync::OnceLock<$data>), auto_traits!(std::sync::OnceLock<$data>));
            check_lazy!($data, u8);
            check_lazy!($data, SendOnly);
            check_lazy!($data, SyncOnly);
            check_lazy!($data, Neither);
            check_lazy!($data, &'static mut u8);
        )+ };
    }
    macro_rules! check_lazy {
        ($data:ty, $initialiser:ty) => {
            assert_eq!(
                auto_traits!(lockscope::sync::LazyLock<$data, $initialiser>),
                auto_traits!(std::sync::LazyLock<$data, $initialiser>),
                "LazyLock of {} by {}", stringify!($data), stringify!($initialiser),
            );
        };
    }
    check_sized!(u8, SendOnly, SyncOnly, Neither, &'static mut u8);
    macro_rules! check_threads {
        ($($data:ty),+) => { $(
            assert_eq!(auto_traits!(lockscope::thread::JoinHandle<$data>), auto_traits!(std::thread::JoinHandle<$data>));
            assert_eq!(
                auto_traits!(lockscope::thread::ScopedJoinHandle<'static, $data>),
                auto_traits!(std::thread::ScopedJoinHandle<'static, $data>)
            );
        )+ };
    }
    check_threads!(u8, SendOnly, SyncOnly, Neither);
    macro_rules! check_channels {
        ($($type:ident $(<$lifetime:lifetime>)?),+) => { $(
            check_channels!(@ $type $($lifetime)?, u8);
            check_channels!(@ $type $($lifetime)?, SendOnly);
            check_channels!(@ $type $($lifetime)?, SyncOnly);
            check_channels!(@ $type $($lifetime)?, Neither);
            check_channels!(@ $type $($lifetime)?, &'static mut u8);
        )+ };
        (@ $type:ident $($lifetime:lifetime)?, $data:ty) => {
            assert_eq!(
                auto_traits!(lockscope::sync::mpsc::$type<$($lifetime,)? $data>),
                auto_traits!(std::sync::mpsc::$type<$($lifetime,)? $data>),
                "{} of {}", stringify!($type), stringify!($data),
            );
        };
    }
    check_channels!(Sender, SyncSender, Receiver, Iter<'static>, TryIter<'static>, IntoIter);
    assert_eq!(auto_traits!(lockscope::thread::Thread), auto_traits!(std::thread::Thread));
    assert_eq!(auto_traits!(lockscope::thread::Builder), auto_traits!(std::thread::Builder));
    assert_eq!(
        auto_traits!(lockscope::thread::Scope<'static, 'static>),
        auto_traits!(std::thread::Scope<'static, 'static>)
    );
}

#[test]
fn the_question_can_be_answered_both_ways() {
    assert_eq!(auto_traits!(u8), [true; 5]);
    assert_eq!(auto_traits!(*mut Cell<u8>), [false, false, true, false, false]);
}
