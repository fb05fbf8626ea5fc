//! Locks that are taken by a function that takes them for others.

use std::sync::Barrier;

use lockscope::sync::{Mutex, MutexGuard, RwLock, RwLockReadGuard, RwLockWriteGuard};

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

/// Takes one lock and no other: what it takes outlives it.
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

pub fn two_orders_by_helpers_of_one_lock_each() {
    one_after_the_other([convert, publish]);
}

static BOTH: Barrier = Barrier::new(2);

fn deadlock_of(first: fn(), second: fn()) {
    let first = plain("first", first);
    let second = plain("second", second);
    first.join().unwrap();
    second.join().unwrap();
}

pub fn deadlock_by_a_helper() {
    open();
    let first = || {
        let stock = STOCK.lock();
        BOTH.wait();
        take_note();
        drop(stock);
    };
    let second = || {
        let sales = SALES.lock();
        BOTH.wait();
        count();
        drop(sales);
    };
    deadlock_of(first, second);
}

/// Nobody has called them before.
pub fn deadlock_by_helpers_of_one_lock_each() {
    deadlock_of(convert_together, publish_together);
}

fn convert_together() {
    let accounts = accounts();
    BOTH.wait();
    *rates() += 1;
    drop(accounts);
}

fn publish_together() {
    let rates = rates();
    BOTH.wait();
    *accounts() += 1;
    drop(rates);
}

static ROOMS: Mutex<u8> = Mutex::new(0);
static GUESTS: Mutex<u8> = Mutex::new(0);

/// Is called from several places, but releases what it takes.
#[inline(never)]
fn check_in() {
    let rooms = ROOMS.lock().expect("nobody panics");
    *GUESTS.lock().expect("nobody panics") += 1;
    drop(rooms);
}

/// As `check_in`.
#[inline(never)]
fn check_out() {
    let guests = GUESTS.lock().expect("nobody panics");
    *ROOMS.lock().expect("nobody panics") += 1;
    drop(guests);
}

fn arrive() {
    check_in();
    check_in();
}

fn leave() {
    check_out();
    check_out();
}

/// One finding, whoever called.
pub fn two_orders_by_functions_that_keep_their_locks() {
    for _ in 0..10 {
        one_after_the_other([arrive, leave, check_in, check_out]);
    }
}

/// Gives its guard back on one of its ways only, not on the first ones.
#[inline(never)]
fn stock_of_the_day(is_open: bool) -> Option<MutexGuard<'static, u8>> {
    static STOCK: Mutex<u8> = Mutex::new(0);
    let stock = STOCK.lock().expect("nobody panics");
    is_open.then_some(stock)
}

fn buy() {
    let stock = stock_of_the_day(true);
    *rates() += 1;
    drop(stock);
}

fn value() {
    let rates = rates();
    drop(stock_of_the_day(true));
    drop(rates);
}

pub fn two_orders_by_a_helper_that_may_keep_its_lock() {
    plain("holiday", || {
        drop(stock_of_the_day(false));
    })
    .join()
    .unwrap();
    one_after_the_other([buy, value]);
}

static SHELF: RwLock<u8> = RwLock::new(0);
static ORDERS: Mutex<u8> = Mutex::new(0);

#[inline(never)]
fn change_shelf() -> RwLockWriteGuard<'static, u8> {
    SHELF.write().expect("nobody panics")
}

/// Is called with another lock held only, so that it is known for a helper's after the first report.
#[inline(never)]
fn look_at_shelf() -> RwLockReadGuard<'static, u8> {
    SHELF.read().expect("nobody panics")
}

fn put_away() {
    let shelf = change_shelf();
    *ORDERS.lock().expect("nobody panics") += 1;
    drop(shelf);
}

fn is_in_stock() {
    let orders = ORDERS.lock().expect("nobody panics");
    drop(look_at_shelf());
    drop(orders);
}

/// One finding, though who calls matters only from the second time on.
pub fn two_orders_by_a_helper_that_is_known_later() {
    one_after_the_other([put_away, is_in_stock, put_away, is_in_stock]);
}
