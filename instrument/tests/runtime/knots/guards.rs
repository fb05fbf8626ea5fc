//! Guards that are gone while what they hold stays held.

use std::{
    sync::atomic::{AtomicBool, Ordering},
    time::Duration,
};

use super::{Sleeper, busy, lock};
use crate::{lock::Lock, scenarios::plain};

/// A thread ends while it holds a lock that another one wants.
pub fn guard_forgotten() {
    let (wanted, waiter) = (lock("wanted"), Sleeper::leaked());
    let (to_holder, go) = std::sync::mpsc::channel::<()>();
    let holder = plain("forgets", move || {
        std::mem::forget(wanted.lock().unwrap());
        go.recv().unwrap();
        waiter.await_sleep();
    });
    while wanted.try_lock().is_ok() {
        std::thread::yield_now();
    }
    let wants = plain("wants", move || {
        waiter.me();
        drop(wanted.lock().unwrap());
    });
    to_holder.send(()).unwrap();
    holder.join().unwrap();
    wants.join().unwrap();
}

/// The same, but it has ended before anybody wants it.
pub fn guard_forgotten_before() {
    let wanted = lock("wanted");
    plain("forgets", || std::mem::forget(wanted.lock().unwrap())).join().unwrap();
    plain("wants", || drop(wanted.lock().unwrap())).join().unwrap();
}

/// Nobody wants it.
pub fn guard_forgotten_only() {
    let wanted = lock("wanted");
    plain("forgets", || std::mem::forget(wanted.lock().unwrap())).join().unwrap();
}

pub fn guard_given_back() {
    static IS_HELD: AtomicBool = AtomicBool::new(false);
    let wanted = lock("wanted");
    let holder = plain("holds", || {
        let guard = wanted.lock().unwrap();
        IS_HELD.store(true, Ordering::SeqCst);
        std::thread::sleep(Duration::from_millis(300));
        drop(guard);
    });
    while !IS_HELD.load(Ordering::SeqCst) {
        std::thread::yield_now();
    }
    plain("wants", || drop(wanted.lock().unwrap())).join().unwrap();
    holder.join().unwrap();
}

static LEAKED: Lock = Lock::mutex("leaked");

/// Leaked on purpose, and then wanted.
pub fn guard_leaked_and_wanted() {
    LEAKED.leak(LEAKED.lock());
    busy();
    plain("wants", || LEAKED.unlock(LEAKED.lock())).join().unwrap();
}

pub fn guard_leaked() {
    plain("leaks", || LEAKED.leak(LEAKED.lock())).join().unwrap();
}
