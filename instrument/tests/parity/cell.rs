use std::mem::MaybeUninit;

use super::subject::cell::{Cell, OnceCell, RefCell, UnsafeCell};

#[test]
fn unsafe_cells() {
    const TAKEN_APART: u8 = UnsafeCell::new(1).into_inner();
    let mut cell = UnsafeCell::new(TAKEN_APART);
    let pointer: *mut u8 = cell.get();
    // SAFETY: nobody else has the cell.
    unsafe { *pointer += 1 };
    *cell.get_mut() += 1;
    assert_eq!(cell.into_inner(), 3);
    assert_eq!((UnsafeCell::<u8>::default().into_inner(), UnsafeCell::from(7).into_inner()), (0, 7));
    assert_eq!(format!("{:?}", UnsafeCell::new(1)), "UnsafeCell { .. }");
}

#[test]
fn what_is_in_it_is_dropped_once() {
    let value = std::rc::Rc::new(());
    drop(UnsafeCell::new(std::rc::Rc::clone(&value)));
    let cell = UnsafeCell::new(std::rc::Rc::clone(&value));
    assert_eq!(std::rc::Rc::strong_count(&cell.into_inner()), 2);
    assert_eq!(std::rc::Rc::strong_count(&value), 1);
}

#[test]
fn where_the_data_of_a_cell_is_that_is_not_there_yet() {
    let mut place = MaybeUninit::<UnsafeCell<u64>>::uninit();
    let data = UnsafeCell::raw_get(place.as_ptr());
    let cell = place.write(UnsafeCell::new(1));
    assert_eq!(cell.get(), data);
}

#[test]
fn unsized_data() {
    let cell: &UnsafeCell<[u8]> = &UnsafeCell::new([1, 2, 3]);
    // SAFETY: nobody else has the cell.
    assert_eq!(unsafe { &*cell.get() }, &[1, 2, 3]);
}

#[test]
fn what_is_passed_through() {
    let (cell, once, counted) = (Cell::new(1), OnceCell::new(), RefCell::new(2));
    cell.set(once.get_or_init(|| 3) + *counted.borrow());
    assert_eq!(cell.get(), 5);
}
