//! Locks and condition variables used in ways that hang or lose something sooner or later.

use std::{
    panic,
    sync::atomic::{AtomicUsize, Ordering},
};

use super::locks::{Condvar, Mutex, lock, try_lock, wait};
use crate::help::together;

/// The mutex is held until the other thread has tried very often.
pub fn busy_wait() {
    static A: Mutex<u8> = Mutex::new(0);
    static TRIES: AtomicUsize = AtomicUsize::new(0);
    together([
        |barrier| {
            let a = lock(&A);
            barrier.wait();
            while TRIES.load(Ordering::Relaxed) < 100_000 {
                std::hint::spin_loop();
            }
            drop(a);
        },
        |barrier| {
            barrier.wait();
            while try_lock(&A).is_none() {
                TRIES.fetch_add(1, Ordering::Relaxed);
            }
        },
    ]);
}

/// The silent twin: a few tries, then a wait.
pub fn try_then_lock() {
    static A: Mutex<u8> = Mutex::new(0);
    static WAITS: AtomicUsize = AtomicUsize::new(0);
    together([
        |barrier| {
            for _ in 0..200 {
                let a = lock(&A);
                if WAITS.load(Ordering::Relaxed) == 0 {
                    // The other thread finds it taken at least once.
                    barrier.wait();
                    while WAITS.load(Ordering::Relaxed) == 0 {
                        std::hint::spin_loop();
                    }
                }
                drop(a);
            }
        },
        |barrier| {
            barrier.wait();
            for _ in 0..200 {
                let tried = (0..10).find_map(|_| try_lock(&A));
                WAITS.fetch_add(1, Ordering::Relaxed);
                drop(tried.unwrap_or_else(|| lock(&A)));
            }
        },
    ]);
}

/// Waits once and takes it for granted.
pub fn unchecked_wakeup() {
    static READY: Mutex<bool> = Mutex::new(false);
    static CHANGED: Condvar = Condvar::new();
    together([
        |barrier| {
            let ready = lock(&READY);
            barrier.wait();
            drop(wait(&CHANGED, ready));
        },
        |barrier| {
            barrier.wait();
            *lock(&READY) = true;
            CHANGED.notify_one();
        },
    ]);
}

/// The silent twin.
pub fn checked_wakeup() {
    static READY: Mutex<bool> = Mutex::new(false);
    static CHANGED: Condvar = Condvar::new();
    together([
        |barrier| {
            let mut ready = lock(&READY);
            barrier.wait();
            while !*ready {
                ready = wait(&CHANGED, ready);
            }
        },
        |barrier| {
            barrier.wait();
            *lock(&READY) = true;
            CHANGED.notify_one();
        },
    ]);
}

/// Another twin: what is waited for lies beside the mutex.
pub fn checked_elsewhere() {
    static GATE: Mutex<()> = Mutex::new(());
    static CHANGED: Condvar = Condvar::new();
    static READY: AtomicUsize = AtomicUsize::new(0);
    together([
        |barrier| {
            let mut gate = lock(&GATE);
            barrier.wait();
            while READY.load(Ordering::Relaxed) == 0 {
                gate = wait(&CHANGED, gate);
            }
        },
        |barrier| {
            barrier.wait();
            let _gate = lock(&GATE);
            READY.store(1, Ordering::Relaxed);
            CHANGED.notify_one();
        },
    ]);
}

/// A panic while the lock is held. parking_lot's locks are not poisoned by it.
pub fn poisoned() {
    static A: Mutex<u8> = Mutex::new(0);
    panic::set_hook(Box::new(|_| {}));
    let panicked = panic::catch_unwind(|| {
        let _a = lock(&A);
        panic!("as it should");
    });
    assert!(panicked.is_err());
    // `lock` unwraps; the error is what is looked for.
    let _ = panic::catch_unwind(|| drop(lock(&A)));
}

/// The silent twin: the lock is free again when the thread panics.
pub fn panic_after_unlock() {
    static A: Mutex<u8> = Mutex::new(0);
    panic::set_hook(Box::new(|_| {}));
    let panicked = panic::catch_unwind(|| {
        drop(lock(&A));
        panic!("as it should");
    });
    assert!(panicked.is_err());
    drop(lock(&A));
}
