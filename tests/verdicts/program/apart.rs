//! Orders of locks of which one is over before the other begins, by something else than a join; and twins in which it is not.

#![allow(clippy::redundant_closure, reason = "a function that is passed on has no caller here")]

use std::sync::atomic::{AtomicBool, Ordering};

use lockscope::{
    sync::{Barrier, Condvar, Mutex, OnceLock, mpsc},
    thread,
};

fn nested(first: &Mutex<u8>, second: &Mutex<u8>) {
    let _first = first.lock().unwrap();
    let _second = second.lock().unwrap();
}

/// One thread takes `a`, then `b`; another one, which runs at the same time, `b`, then `a`. `before` is called by the first one before
/// or after that, `after` by the second one before.
fn orders(
    a: &'static Mutex<u8>,
    b: &'static Mutex<u8>,
    give: impl FnOnce() + Send + 'static,
    take: impl FnOnce() + Send + 'static,
    give_first: bool,
) {
    // Both are there, and so neither is over when the other begins; nor do they deadlock.
    static TURN: AtomicBool = AtomicBool::new(false);
    let first = thread::Builder::new().name("first".into()).spawn(move || {
        if give_first {
            give();
            nested(a, b);
        } else {
            nested(a, b);
            give();
        }
        TURN.store(true, Ordering::SeqCst);
    });
    let second = thread::Builder::new().name("second".into()).spawn(move || {
        take();
        while !TURN.load(Ordering::SeqCst) {
            std::thread::yield_now();
        }
        nested(b, a);
    });
    first.unwrap().join().unwrap();
    second.unwrap().join().unwrap();
}

fn by_message(give_first: bool) {
    static A: Mutex<u8> = Mutex::new(0);
    static B: Mutex<u8> = Mutex::new(0);
    let (done, is_done) = mpsc::channel();
    orders(&A, &B, move || done.send(()).unwrap(), move || is_done.recv().unwrap(), give_first);
}

pub fn apart_by_message() {
    by_message(false);
}

pub fn not_apart_by_message() {
    by_message(true);
}

fn by_barrier(give_first: bool) {
    static A: Mutex<u8> = Mutex::new(0);
    static B: Mutex<u8> = Mutex::new(0);
    static BOTH: std::sync::OnceLock<Barrier> = std::sync::OnceLock::new();
    let meet = || {
        BOTH.get_or_init(|| Barrier::new(2)).wait();
    };
    orders(&A, &B, meet, meet, give_first);
}

pub fn apart_by_barrier() {
    by_barrier(false);
}

pub fn not_apart_by_barrier() {
    by_barrier(true);
}

/// The initialiser has its order, and whoever finds the value there another one.
pub fn apart_by_once() {
    static A: Mutex<u8> = Mutex::new(0);
    static B: Mutex<u8> = Mutex::new(0);
    static VALUE: OnceLock<u8> = OnceLock::new();
    let (give, take) = (|| assert_eq!(VALUE.get(), Some(&1)), || assert_eq!(VALUE.wait(), &1));
    let first = thread::spawn(move || {
        VALUE.get_or_init(|| {
            nested(&A, &B);
            1
        });
        give();
    });
    let second = thread::spawn(move || {
        take();
        nested(&B, &A);
    });
    first.join().unwrap();
    second.join().unwrap();
}

/// By the value of another cell, which the first thread has set before.
pub fn not_apart_by_once() {
    static A: Mutex<u8> = Mutex::new(0);
    static B: Mutex<u8> = Mutex::new(0);
    static VALUE: OnceLock<u8> = OnceLock::new();
    orders(&A, &B, || assert_eq!(VALUE.set(1), Ok(())), || assert_eq!(VALUE.wait(), &1), true);
}

/// In this run; another notification might have come.
pub fn apart_by_notification() {
    static A: Mutex<u8> = Mutex::new(0);
    static B: Mutex<u8> = Mutex::new(0);
    static READY: Mutex<bool> = Mutex::new(false);
    static CHANGED: Condvar = Condvar::new();
    static WAITS: AtomicBool = AtomicBool::new(false);
    let give = || {
        while !WAITS.load(Ordering::SeqCst) {
            std::thread::yield_now();
        }
        *READY.lock().unwrap() = true;
        CHANGED.notify_one();
    };
    let take = || {
        let mut ready = READY.lock().unwrap();
        WAITS.store(true, Ordering::SeqCst);
        while !*ready {
            ready = CHANGED.wait(ready).unwrap();
        }
    };
    orders(&A, &B, give, take, false);
}

/// Nobody is left who could unpark it.
pub fn parked() {
    thread::spawn(|| thread::park()).join().unwrap();
}

/// The silent twin.
pub fn unparked() {
    let parked = thread::spawn(|| thread::park());
    parked.thread().unpark();
    parked.join().unwrap();
}
