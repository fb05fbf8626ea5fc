//! Waits on condition variables that nobody can end, and guards that nobody gives back.

use std::{mem, sync::Barrier, thread, time::Duration};

use super::locks::{Condvar, Mutex, lock, wait};
use crate::help::{one_after_the_other, together};

/// Holds one mutex and waits on a condition variable of another; whoever would notify needs the first.
pub fn nested_monitor() {
    static OUTER: Mutex<u8> = Mutex::new(0);
    static READY: Mutex<bool> = Mutex::new(false);
    static CHANGED: Condvar = Condvar::new();
    together([
        |barrier| {
            let _outer = lock(&OUTER);
            let mut ready = lock(&READY);
            barrier.wait();
            while !*ready {
                ready = wait(&CHANGED, ready);
            }
        },
        |barrier| {
            barrier.wait();
            let _outer = lock(&OUTER);
            *lock(&READY) = true;
            CHANGED.notify_one();
        },
    ]);
}

/// The silent twin: the outer mutex is given back before the wait.
pub fn monitor() {
    static OUTER: Mutex<u8> = Mutex::new(0);
    static READY: Mutex<bool> = Mutex::new(false);
    static CHANGED: Condvar = Condvar::new();
    together([
        |barrier| {
            drop(lock(&OUTER));
            let mut ready = lock(&READY);
            barrier.wait();
            while !*ready {
                ready = wait(&CHANGED, ready);
            }
        },
        |barrier| {
            barrier.wait();
            let _outer = lock(&OUTER);
            *lock(&READY) = true;
            CHANGED.notify_one();
        },
    ]);
}

/// Everybody waits and nobody is left to notify.
pub fn nobody_notifies() {
    static READY: [Mutex<bool>; 2] = [const { Mutex::new(false) }; 2];
    static CHANGED: [Condvar; 2] = [const { Condvar::new() }; 2];
    fn wait_for(index: usize) {
        let mut ready = lock(&READY[index]);
        while !*ready {
            ready = wait(&CHANGED[index], ready);
        }
        CHANGED[1 - index].notify_one();
    }
    together([|_: &Barrier| wait_for(0), |_: &Barrier| wait_for(1)]);
}

/// The only one that could have notified comes to its end.
pub fn notifier_ends() {
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
            // Nobody waits any more once this is to be had.
            drop(lock(&READY));
        },
    ]);
}

/// A pool whose workers have nothing to do, for longer than any grace period.
pub fn idle_pool() {
    static JOBS: Mutex<Vec<u8>> = Mutex::new(Vec::new());
    static CHANGED: Condvar = Condvar::new();
    for _ in 0..3 {
        thread::spawn(|| {
            let mut jobs = lock(&JOBS);
            loop {
                jobs.pop();
                jobs = wait(&CHANGED, jobs);
            }
        });
    }
    thread::sleep(Duration::from_millis(1500));
}

/// Notified while nobody waits; the wait comes later and never ends.
pub fn lost_wakeup() {
    static READY: Mutex<u8> = Mutex::new(0);
    static CHANGED: Condvar = Condvar::new();
    one_after_the_other([
        || CHANGED.notify_one_quietly(),
        || {
            let ready = lock(&READY);
            drop(wait(&CHANGED, ready));
        },
    ]);
}

/// The silent twin: what was said is kept in the mutex and looked at first.
pub fn kept_wakeup() {
    static READY: Mutex<bool> = Mutex::new(false);
    static CHANGED: Condvar = Condvar::new();
    one_after_the_other([
        || {
            *lock(&READY) = true;
            CHANGED.notify_one_quietly();
        },
        || {
            let mut ready = lock(&READY);
            while !*ready {
                ready = wait(&CHANGED, ready);
            }
        },
    ]);
}

/// A guard is forgotten, its thread has ended, and others wait.
pub fn forgotten_guard() {
    static A: Mutex<u8> = Mutex::new(0);
    one_after_the_other([|| mem::forget(lock(&A)), || drop(lock(&A))]);
}

/// A guard is forgotten, and nobody wants the lock.
pub fn forgotten_guard_alone() {
    static A: Mutex<u8> = Mutex::new(0);
    one_after_the_other([|| mem::forget(lock(&A))]);
}

/// The silent twin.
pub fn dropped_guard() {
    static A: Mutex<u8> = Mutex::new(0);
    one_after_the_other([|| drop(lock(&A)), || drop(lock(&A))]);
}

/// std's notifications return nothing, parking_lot's how many they woke.
trait Quietly {
    fn notify_one_quietly(&self);
}

impl Quietly for Condvar {
    #[allow(clippy::let_unit_value, reason = "it is one of std's only")]
    fn notify_one_quietly(&self) {
        let _woken = self.notify_one();
    }
}
