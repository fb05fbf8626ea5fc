use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    rc::Rc,
    thread,
};

use super::subject::sync::OnceLock;

static STATIC: OnceLock<String> = OnceLock::new();

#[test]
fn statics() {
    assert_eq!(STATIC.get(), None);
    assert_eq!(STATIC.get_or_init(|| "first".to_owned()), "first");
    assert_eq!(STATIC.get_or_init(|| "second".to_owned()), "first");
    assert_eq!(STATIC.get().map(String::as_str), Some("first"));
    assert_eq!(STATIC.wait(), "first");
}

#[test]
fn set_once() {
    let cell = OnceLock::new();
    assert_eq!(cell.set(1), Ok(()));
    assert_eq!(cell.set(2), Err(2));
    assert_eq!(cell.get(), Some(&1));
    assert_eq!(cell.into_inner(), Some(1));
    assert_eq!(OnceLock::<u8>::new().into_inner(), None);
}

#[test]
fn mutable() {
    let mut cell = OnceLock::from(1);
    *cell.get_mut().unwrap() += 1;
    assert_eq!(cell.take(), Some(2));
    assert_eq!(cell.get(), None);
    assert_eq!(cell.get_mut(), None);
    assert_eq!(cell.take(), None);
    assert_eq!(cell.get_or_init(|| 3), &3);
    assert_eq!(cell.take(), Some(3));
    assert_eq!(cell.set(4), Ok(()));
    assert_eq!(cell.into_inner(), Some(4));
}

#[test]
fn traits() {
    let (empty, one): (OnceLock<u8>, OnceLock<u8>) = (OnceLock::default(), 1.into());
    assert_eq!(one, OnceLock::from(1));
    assert_ne!(one, empty);
    assert_eq!((empty.clone(), one.clone()), (OnceLock::new(), OnceLock::from(1)));
    assert_eq!(format!("{empty:?} {one:?}"), "OnceLock(<uninit>) OnceLock(1)");
    fn is_eq<T: Eq>(_: &T) {}
    is_eq(&one);
}

#[test]
fn what_borrows_may_be_in_it() {
    let text = "borrowed".to_owned();
    let cell = OnceLock::new();
    assert_eq!(*cell.get_or_init(|| text.as_str()), "borrowed");
    let of_one_thread = OnceLock::from(Rc::new(1));
    assert_eq!(**of_one_thread.get().unwrap(), 1);
}

#[test]
fn all_get_the_value_of_the_first() {
    for _ in 0..20 {
        let cell = OnceLock::new();
        let values: Vec<usize> = thread::scope(|scope| {
            let ask = |n| {
                let cell = &cell;
                scope.spawn(move || match n {
                    0 => *cell.wait(),
                    1 => {
                        let _may_be_late = cell.set(1);
                        *cell.get().unwrap()
                    }
                    n => *cell.get_or_init(|| {
                        thread::yield_now();
                        n
                    }),
                })
            };
            let threads: Vec<_> = (0..4).map(ask).collect();
            threads.into_iter().map(|thread| thread.join().unwrap()).collect()
        });
        assert!(values.iter().all(|value| Some(value) == cell.get() && *value != 0));
    }
}

#[test]
fn a_panic_does_not_poison() {
    let cell = OnceLock::new();
    let panic = AssertUnwindSafe(|| *cell.get_or_init(|| panic!("on purpose")));
    assert!(catch_unwind(panic).is_err());
    assert_eq!(cell.get(), None);
    assert_eq!(cell.get_or_init(|| 1), &1);
}

#[test]
fn the_value_is_dropped_once() {
    let value = Rc::new(());
    let filled = OnceLock::from(Rc::clone(&value));
    assert_eq!(Rc::strong_count(&value), 2);
    assert!(filled.set(Rc::clone(&value)).is_err());
    drop(filled);
    assert_eq!(Rc::strong_count(&value), 1);
}
