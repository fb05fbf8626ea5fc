//! Orders that can deadlock, and did not.

use super::locks::{Condvar, Mutex, RwLock, lock, read, wait, write};
use crate::help::{one_after_the_other, together};

fn nested(first: &Mutex<u8>, second: &Mutex<u8>) {
    let _first = lock(first);
    let _second = lock(second);
}

pub fn two_locks() {
    static A: Mutex<u8> = Mutex::new(0);
    static B: Mutex<u8> = Mutex::new(0);
    one_after_the_other([|| (0..1000).for_each(|_| nested(&A, &B)), || (0..1000).for_each(|_| nested(&B, &A))]);
}

pub fn three_locks() {
    static A: Mutex<u8> = Mutex::new(0);
    static B: Mutex<u8> = Mutex::new(0);
    static C: Mutex<u8> = Mutex::new(0);
    one_after_the_other([
        || (0..1000).for_each(|_| nested(&A, &B)),
        || (0..1000).for_each(|_| nested(&B, &C)),
        || (0..1000).for_each(|_| nested(&C, &A)),
    ]);
}

pub fn five_locks() {
    static LOCKS: [Mutex<u8>; 5] = [const { Mutex::new(0) }; 5];
    one_after_the_other([
        || (0..1000).for_each(|_| nested(&LOCKS[0], &LOCKS[1])),
        || (0..1000).for_each(|_| nested(&LOCKS[1], &LOCKS[2])),
        || (0..1000).for_each(|_| nested(&LOCKS[2], &LOCKS[3])),
        || (0..1000).for_each(|_| nested(&LOCKS[3], &LOCKS[4])),
        || (0..1000).for_each(|_| nested(&LOCKS[4], &LOCKS[0])),
    ]);
}

/// A before the middle, the middle before B; the middle is gone when B comes before A.
pub fn middle_destroyed() {
    static A: Mutex<u8> = Mutex::new(0);
    static B: Mutex<u8> = Mutex::new(0);
    let middle = Mutex::new(0);
    std::thread::scope(|scope| {
        scope.spawn(|| nested(&A, &middle)).join().expect("it does not panic");
        scope.spawn(|| nested(&middle, &B)).join().expect("it does not panic");
    });
    drop(middle);
    one_after_the_other([|| nested(&B, &A)]);
}

pub fn mutex_and_read_lock() {
    static M: Mutex<u8> = Mutex::new(0);
    static R: RwLock<u8> = RwLock::new(0);
    one_after_the_other([
        || {
            let _m = lock(&M);
            let _r = read(&R);
        },
        || {
            let _r = write(&R);
            let _m = lock(&M);
        },
    ]);
}

/// Both sides only read; the writer holds nothing else, and makes the first reader of a pair wait.
pub fn mutex_and_read_lock_other_writer() {
    static M: Mutex<u8> = Mutex::new(0);
    static R: RwLock<u8> = RwLock::new(0);
    one_after_the_other([
        || {
            let _m = lock(&M);
            let _r = read(&R);
        },
        || {
            let _r = read(&R);
            let _m = lock(&M);
        },
        || *write(&R) += 1,
    ]);
}

/// The mutex of a condition variable is taken again at the end of the wait, after everything held meanwhile.
pub fn reacquired_mutex() {
    static HELD: Mutex<u8> = Mutex::new(0);
    static STATE: Mutex<bool> = Mutex::new(false);
    static CHANGED: Condvar = Condvar::new();
    together([
        |barrier| {
            let mut state = lock(&STATE);
            let _held = lock(&HELD);
            barrier.wait();
            while !*state {
                state = wait(&CHANGED, state);
            }
        },
        |barrier| {
            barrier.wait();
            // To be had only once the other thread waits.
            *lock(&STATE) = true;
            CHANGED.notify_all();
        },
    ]);
    one_after_the_other([|| {
        let _state = lock(&STATE);
        let _held = lock(&HELD);
    }]);
}
