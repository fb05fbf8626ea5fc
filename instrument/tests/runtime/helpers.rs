//! Locks that are taken by a function that takes them for others.

use std::sync::Barrier;

use lockscope::sync::{Mutex, MutexGuard};

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

/// Takes one lock and no other, so nothing tells it from a function that keeps what it takes.
#[inline(never)]
fn accounts() -> MutexGuard<'static, u8> {
    static ACCOUNTS: Mutex<u8> = Mutex::new(0);
    ACCOUNTS.lock().expect("nobody panics")
}

/// As `accounts`.
#[inline(never)]
fn rates() -> MutexGuard<'static, u8> {
    static RATES: Mutex<u8> = Mutex::new(0);
    RATES.lock().expect("nobody panics")
}

fn convert() {
    let accounts = accounts();
    *rates() += 1;
    drop(accounts);
}

fn publish() {
    let rates = rates();
    *accounts() += 1;
    drop(rates);
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

/// Who called is seen from where each asks for its second lock; the first is not shown with a stack of its own.
pub fn two_orders_by_helpers_of_one_lock_each() {
    one_after_the_other([convert, publish]);
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
