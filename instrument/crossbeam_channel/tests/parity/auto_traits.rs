//! `Send`, `Sync`, `Unpin`, `UnwindSafe`, `RefUnwindSafe` of every type, for data that has or lacks them.

use std::{
    cell::Cell,
    panic::{RefUnwindSafe, UnwindSafe},
    rc::Rc,
    sync::MutexGuard,
};

use crossbeam_channel as real;
use lockscope_crossbeam_channel as facade;

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
        check!(@ $type $($lifetime)?, SendOnly);
        check!(@ $type $($lifetime)?, SyncOnly);
        check!(@ $type $($lifetime)?, Neither);
        check!(@ $type $($lifetime)?, &'static mut u8);
    })+ };
    (@ $type:ident $($lifetime:lifetime)?, $data:ty) => {
        assert_eq!(
            auto_traits!(facade::$type<$($lifetime,)? $data>),
            auto_traits!(real::$type<$($lifetime,)? $data>),
            "{} of {}: Send, Sync, Unpin, UnwindSafe, RefUnwindSafe", stringify!($type), stringify!($data),
        );
    };
}

#[test]
fn same_auto_traits() {
    check!(Sender, Receiver, Iter<'static>, TryIter<'static>, IntoIter);
    assert_eq!(auto_traits!(facade::Select<'static>), auto_traits!(real::Select<'static>));
    assert_eq!(auto_traits!(facade::SelectedOperation<'static>), auto_traits!(real::SelectedOperation<'static>));
}

#[test]
fn the_question_can_be_answered_both_ways() {
    assert_eq!(auto_traits!(u8), [true; 5]);
    assert_eq!(auto_traits!(*mut Cell<u8>), [false, false, true, false, false]);
}
