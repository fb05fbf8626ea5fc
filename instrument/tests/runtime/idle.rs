//! Deadlocks of threads that are parked, or wait until somebody else initialises something, and near twins that go on.

use std::{
    sync::{
        Barrier,
        atomic::{AtomicBool, Ordering},
    },
    thread::JoinHandle,
};

use lockscope::{
    named,
    sync::{Mutex, Once, OnceLock},
    thread::{self, Thread},
};

use crate::scenarios::plain;

static WANTED: Mutex<u8> = named("wanted").mutex(0);
static START: Once = named("start").once();
static TOGETHER: Barrier = Barrier::new(2);

/// Waits for an initialiser, perhaps while it holds what that needs.
fn await_initialiser(while_holding: bool) {
    let waits = plain("waits", move || {
        let guard = WANTED.lock().unwrap();
        let guard = while_holding.then_some(guard);
        TOGETHER.wait();
        START.wait();
        drop(guard);
    });
    let initialises = plain("initialises", || {
        TOGETHER.wait();
        START.call_once(|| drop(WANTED.lock().unwrap()));
    });
    waits.join().unwrap();
    initialises.join().unwrap();
}

pub fn initialiser_needs_what_one_who_awaits_it_holds() {
    await_initialiser(true);
}

pub fn initialiser_is_awaited() {
    await_initialiser(false);
}

pub fn initialiser_awaits_itself() {
    START.call_once(|| START.wait());
}

pub fn nobody_initialises() {
    static CELL: OnceLock<u8> = named("cell").once_lock();
    let waits = plain("waits", || assert_eq!(CELL.wait(), &1));
    waits.join().unwrap();
}

/// Parks a thread, perhaps while it holds what the one needs who is to unpark it.
fn park(while_holding: bool) {
    static UNPARKED: AtomicBool = AtomicBool::new(false);
    static PARKED: OnceLock<Thread> = OnceLock::new();
    let parks: JoinHandle<()> = plain("parks", move || {
        let guard = WANTED.lock().unwrap();
        let guard = while_holding.then_some(guard);
        assert!(PARKED.set(thread::current()).is_ok());
        TOGETHER.wait();
        while !UNPARKED.load(Ordering::Relaxed) {
            thread::park();
        }
        drop(guard);
    });
    let unparks = plain("unparks", || {
        TOGETHER.wait();
        drop(WANTED.lock().unwrap());
        UNPARKED.store(true, Ordering::Relaxed);
        PARKED.get().unwrap().unpark();
    });
    parks.join().unwrap();
    unparks.join().unwrap();
}

pub fn parked_while_holding() {
    park(true);
}

pub fn parked_without_holding() {
    park(false);
}
