//! Locks that are taken by a function that takes them for others.

use std::sync::Barrier;

use crate::{
    scenarios::{one_after_the_other, plain},
    wrapper::Shared,
};

static STOCK: Shared<u8> = Shared::new(0);
static SALES: Shared<u16> = Shared::new(0);
static STAFF: Shared<u32> = Shared::new(0);

fn sell() {
    let stock = STOCK.lock();
    take_note();
    drop(stock);
}

#[inline(never)]
fn take_note() {
    *SALES.lock() += 1;
}

fn close() {
    let sales = SALES.lock();
    count();
    drop(sales);
}

#[inline(never)]
fn count() {
    *STOCK.lock() += 1;
}

fn hire() {
    let staff = STAFF.lock();
    *STOCK.lock() += 1;
    drop(staff);
}

fn order() {
    let stock = STOCK.lock();
    *STAFF.lock() += 1;
    drop(stock);
}

/// All have been seen before anybody looks where they are taken from.
fn open() {
    drop(STOCK.lock());
    drop(SALES.lock());
    drop(STAFF.lock());
}

pub fn two_orders_by_a_helper() {
    open();
    one_after_the_other([sell, close]);
}

pub fn two_orders_by_a_helper_without_stacks() {
    two_orders_by_a_helper();
}

/// Two findings, though all four places are one.
pub fn two_orders_by_a_helper_twice() {
    open();
    for _ in 0..100 {
        one_after_the_other([sell, close, order, hire]);
    }
}

pub fn one_order_by_a_helper() {
    open();
    one_after_the_other([sell, order, sell]);
}

pub fn deadlock_by_a_helper() {
    static BOTH: Barrier = Barrier::new(2);
    open();
    let first = plain("first", || {
        let stock = STOCK.lock();
        BOTH.wait();
        take_note();
        drop(stock);
    });
    let second = plain("second", || {
        let sales = SALES.lock();
        BOTH.wait();
        count();
        drop(sales);
    });
    first.join().unwrap();
    second.join().unwrap();
}
