//! Deadlocks over locks alone, which happen.

use std::sync::Barrier;

use super::locks::{Mutex, RwLock, lock, read, write};
use crate::help::together;

pub fn relock() {
    static A: Mutex<u8> = Mutex::new(0);
    let _a = lock(&A);
    let _again = lock(&A);
}

pub fn relock_holding_others() {
    static A: Mutex<u8> = Mutex::new(0);
    static B: Mutex<u8> = Mutex::new(0);
    static C: Mutex<u8> = Mutex::new(0);
    let _b = lock(&B);
    let _a = lock(&A);
    let _c = lock(&C);
    let _again = lock(&A);
}

/// The lock was won from another thread that waits for it again meanwhile.
pub fn relock_contended() {
    static A: Mutex<u8> = Mutex::new(0);
    static B: Mutex<u8> = Mutex::new(0);
    let others_wait = |barrier: &Barrier| {
        barrier.wait();
        drop(lock(&A));
    };
    together([
        |barrier| {
            let _b = lock(&B);
            let _a = lock(&A);
            barrier.wait();
            let _again = lock(&A);
        },
        others_wait,
        others_wait,
    ]);
}

pub fn read_write_read() {
    static R: RwLock<u8> = RwLock::new(0);
    together([
        |barrier| {
            let _r = read(&R);
            barrier.wait();
            // Until the writer waits the second read succeeds; then it hangs.
            loop {
                drop(read(&R));
            }
        },
        |barrier| {
            barrier.wait();
            *write(&R) += 1;
        },
    ]);
}

/// Nobody ever writes, so nothing hangs.
pub fn read_without_writer() {
    static R: RwLock<u8> = RwLock::new(0);
    together([
        |barrier| {
            let _r = read(&R);
            barrier.wait();
            let _again = read(&R);
        },
        |barrier| {
            barrier.wait();
            drop(read(&R));
        },
    ]);
}

/// The silent twin: one read is over when the other begins.
pub fn read_twice_in_turn() {
    static R: RwLock<u8> = RwLock::new(0);
    together([
        |barrier| {
            drop(read(&R));
            barrier.wait();
            drop(read(&R));
        },
        |barrier| {
            barrier.wait();
            *write(&R) += 1;
        },
    ]);
}

pub fn both_read_then_write() {
    static R: RwLock<u8> = RwLock::new(0);
    let read_then_write = |barrier: &Barrier| {
        let seen = read(&R);
        barrier.wait();
        *write(&R) = *seen + 1;
    };
    together([read_then_write, read_then_write]);
}

pub fn two_threads_two_locks() {
    static A: Mutex<u8> = Mutex::new(0);
    static B: Mutex<u8> = Mutex::new(0);
    together([
        |barrier| {
            let _a = lock(&A);
            barrier.wait();
            let _b = lock(&B);
        },
        |barrier| {
            let _b = lock(&B);
            barrier.wait();
            let _a = lock(&A);
        },
    ]);
}
