//! Waits for threads, messages, permits, parties and initialisations that never come.

use std::{mem, sync::Barrier as Meeting};

use lockscope::{
    sync::{Barrier, LazyLock, Mutex, OnceLock, Semaphore, mpsc},
    thread,
};

use crate::help::{one_after_the_other, together};

pub fn join_while_holding() {
    static A: Mutex<u8> = Mutex::new(0);
    let _a = A.lock().unwrap();
    let child = thread::spawn(|| drop(A.lock().unwrap()));
    child.join().unwrap();
}

/// The silent twin.
pub fn join_after_release() {
    static A: Mutex<u8> = Mutex::new(0);
    let a = A.lock().unwrap();
    let child = thread::spawn(|| drop(A.lock().unwrap()));
    drop(a);
    child.join().unwrap();
}

fn receive(sender_locks_first: bool) {
    static A: Mutex<u8> = Mutex::new(0);
    let (sender, receiver) = mpsc::channel();
    let meeting = Meeting::new(2);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            let receiver = receiver;
            let _a = A.lock().unwrap();
            meeting.wait();
            receiver.recv().unwrap();
        });
        scope.spawn(|| {
            let sender = sender;
            meeting.wait();
            if sender_locks_first {
                let _a = A.lock().unwrap();
                sender.send(1).unwrap();
            } else {
                sender.send(1).unwrap();
                drop(A.lock().unwrap());
            }
        });
    });
}

/// Waits for a message and holds what every sender wants.
pub fn receive_while_holding() {
    receive(true);
}

/// The silent twin: the message comes first.
pub fn receive_what_comes() {
    receive(false);
}

fn send(receiver_locks_first: bool) {
    static A: Mutex<u8> = Mutex::new(0);
    let (sender, receiver) = mpsc::sync_channel(1);
    let meeting = Meeting::new(2);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            let sender = sender;
            let _a = A.lock().unwrap();
            meeting.wait();
            (0..2).for_each(|n| sender.send(n).unwrap());
        });
        scope.spawn(|| {
            let receiver = receiver;
            meeting.wait();
            let a = receiver_locks_first.then(|| A.lock().unwrap());
            (0..2).for_each(|_| _ = receiver.recv().unwrap());
            drop(a);
        });
    });
}

/// Waits for room and holds what every receiver wants.
pub fn send_while_holding() {
    send(true);
}

/// The silent twin.
pub fn send_what_fits() {
    send(false);
}

/// Each has one of two permits and wants another.
pub fn permits_held_by_waiters() {
    static PERMITS: Semaphore = Semaphore::new(2);
    let two = |meeting: &Meeting| {
        let _one = PERMITS.acquire();
        meeting.wait();
        let _other = PERMITS.acquire();
    };
    together([two, two]);
}

/// The silent twin: somebody else has a permit as well, and gives it back.
pub fn permits_held_outside() {
    static PERMITS: Semaphore = Semaphore::new(3);
    let two = |meeting: &Meeting| {
        let _one = PERMITS.acquire();
        meeting.wait();
        let _other = PERMITS.acquire();
    };
    together([two, two, |meeting| {
        let permit = PERMITS.acquire();
        meeting.wait();
        drop(permit);
    }]);
}

/// A permit is forgotten, its thread has ended, and others wait.
pub fn permit_leak() {
    static PERMITS: Semaphore = Semaphore::new(1);
    one_after_the_other([|| mem::forget(PERMITS.acquire()), || drop(PERMITS.acquire())]);
}

/// The silent twin.
pub fn permit_returned() {
    static PERMITS: Semaphore = Semaphore::new(1);
    one_after_the_other([|| drop(PERMITS.acquire()), || drop(PERMITS.acquire())]);
}

/// Two come to a barrier for three.
pub fn barrier_lacks_one() {
    let barrier = Barrier::new(3);
    std::thread::scope(|scope| {
        (0..2).for_each(|_| _ = scope.spawn(|| barrier.wait()));
    });
}

/// The silent twin.
pub fn barrier_complete() {
    let barrier = Barrier::new(3);
    std::thread::scope(|scope| {
        (0..3).for_each(|_| _ = scope.spawn(|| barrier.wait()));
    });
}

/// The initialiser wants a lock whose holder waits for the initialisation.
pub fn initialiser_and_lock() {
    static A: Mutex<u8> = Mutex::new(0);
    static CELL: OnceLock<u8> = OnceLock::new();
    together([
        |meeting| {
            CELL.get_or_init(|| {
                meeting.wait();
                *A.lock().unwrap()
            });
        },
        |meeting| {
            let _a = A.lock().unwrap();
            meeting.wait();
            CELL.get_or_init(|| 1);
        },
    ]);
}

/// The silent twin: what is initialised is no lock, whatever its initialiser took.
pub fn initialised() {
    static A: Mutex<u8> = Mutex::new(0);
    static CELL: OnceLock<u8> = OnceLock::new();
    static LAZY: LazyLock<u8> = LazyLock::new(|| *A.lock().unwrap());
    one_after_the_other([
        || {
            CELL.get_or_init(|| *A.lock().unwrap());
            assert_eq!(*LAZY, 0);
        },
        || {
            let a = A.lock().unwrap();
            assert_eq!((*a, CELL.get(), *LAZY), (0, Some(&0), 0));
            CELL.get_or_init(|| 1);
        },
    ]);
}
