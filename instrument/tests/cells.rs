//! What lockscope has beside std's cells. In builds with lockscope and without.

use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    rc::Rc,
    thread,
};

use lockscope::cell::{CellExt as _, Shared, UnsafeCell};

static STATIC: Shared<u32> = Shared::new(1);

#[test]
fn unsafe_cells_are_read_and_written() {
    let cell = UnsafeCell::new([1, 2]);
    // SAFETY: nobody else has the cell.
    let sum = cell.with(|values| unsafe { (*values).iter().sum::<u8>() });
    // SAFETY: as above.
    cell.with_mut(|values| unsafe { (*values)[0] = sum });
    let unsized_cell: &UnsafeCell<[u8]> = &cell;
    assert_eq!(unsized_cell.with(|values| values.len()), 2);
    assert_eq!(cell.into_inner(), [3, 2]);
}

#[test]
fn shared_cells() {
    assert_eq!((STATIC.get(), STATIC.replace(2), STATIC.take()), (1, 1, 2));
    STATIC.set(3);
    STATIC.update(|n| n + 1);
    assert_eq!((STATIC.with(|n| n + 1), STATIC.with_mut(|n| std::mem::replace(n, 7))), (5, 4));
    assert_eq!(format!("{STATIC:?}"), "Shared(7)");
    let mut text = Shared::from("a".to_owned());
    text.get_mut().push('b');
    text.with_mut(|text| text.push('c'));
    assert_eq!(text.with(|inside| format!("{text:?} {inside}")), "Shared(..) abc");
    assert_eq!((text.into_inner(), Shared::<u8>::default().into_inner()), ("abc".to_owned(), 0));
}

#[test]
fn an_access_within_an_access_is_refused() {
    let cell = Shared::new(1);
    let within: [&dyn Fn(); 2] = [&|| cell.with(|_| cell.set(2)), &|| cell.with_mut(|n| *n = cell.get())];
    for access in within {
        assert!(catch_unwind(AssertUnwindSafe(access)).is_err());
    }
    assert_eq!(cell.get(), 1);
    // What is dropped may use the cell.
    let shared = Rc::new(Shared::new(None));
    struct UseInDrop(Rc<Shared<Option<UseInDrop>>>);
    impl Drop for UseInDrop {
        fn drop(&mut self) {
            self.0.with(|inside| assert!(inside.is_none()));
        }
    }
    shared.set(Some(UseInDrop(Rc::clone(&shared))));
    shared.set(None);
}

#[test]
fn one_access_is_whole() {
    let pair = Shared::new((0, 0));
    thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                for n in 0..1000 {
                    pair.with_mut(|pair| *pair = (n, n));
                    let (one, other) = pair.get();
                    assert_eq!(one, other);
                }
            });
        }
    });
}

#[test]
fn auto_traits() {
    fn is_shared<T: Send + Sync>() {}
    is_shared::<Shared<std::cell::Cell<u8>>>();
}
