//! Kinds of locks that only parking_lot has: fair and reentrant mutexes, recursive reads, upgradable reads, raw locks.

use super::locks::{
    FairMutex, Once, RawMutex, RecursiveLock, ReentrantMutex, RwLock, Upgradable, lock_api, read_again, writer_waits,
};
use crate::help::{one_after_the_other, together};

pub fn fair_and_reentrant() {
    static F: FairMutex<u8> = FairMutex::new(0);
    static R: ReentrantMutex<u8> = ReentrantMutex::new(0);
    one_after_the_other([
        || {
            let _f = F.lock();
            let _r = R.lock();
        },
        || {
            let _r = R.lock();
            let _f = F.lock();
        },
    ]);
}

/// The silent twin: to lock again what one holds is no new hold, and no order.
pub fn reentrant_relock() {
    static F: FairMutex<u8> = FairMutex::new(0);
    static R: ReentrantMutex<u8> = ReentrantMutex::new(0);
    let nested = || {
        let _r = R.lock();
        let _f = F.lock();
        let _again = R.lock();
        let _and_again = R.try_lock().expect("this thread has it");
    };
    one_after_the_other([nested, nested]);
}

pub fn relock_fair() {
    static F: FairMutex<u8> = FairMutex::new(0);
    let _f = F.lock();
    let _again = F.lock();
}

pub fn two_reentrant() {
    static R: ReentrantMutex<u8> = ReentrantMutex::new(0);
    static S: ReentrantMutex<u8> = ReentrantMutex::new(0);
    together([
        |barrier| {
            let (_r, _again) = (R.lock(), R.lock());
            barrier.wait();
            drop(S.lock());
        },
        |barrier| {
            let (_s, _again) = (S.lock(), S.lock());
            barrier.wait();
            drop(R.lock());
        },
    ]);
}

/// A recursive read passes the writer that waits, so nothing hangs.
pub fn recursive_read_behind_a_writer() {
    static R: RecursiveLock<u8> = RecursiveLock::new(0);
    together([
        |barrier| {
            let r = R.read();
            barrier.wait();
            while !writer_waits(&R) {
                std::thread::yield_now();
            }
            assert_eq!(*read_again(&R), *r);
        },
        |barrier| {
            barrier.wait();
            *R.write() += 1;
        },
    ]);
}

/// Nor can it, whoever writes.
pub fn recursive_reads_in_two_orders() {
    static R: RecursiveLock<u8> = RecursiveLock::new(0);
    static S: RecursiveLock<u8> = RecursiveLock::new(0);
    one_after_the_other([
        || *R.write() += 1,
        || *S.write() += 1,
        || {
            let _r = read_again(&R);
            let _s = read_again(&S);
        },
        || {
            let _s = read_again(&S);
            let _r = read_again(&R);
        },
    ]);
}

/// The twin that is wrong: fair readers queue behind the writers.
pub fn reads_in_two_orders() {
    static R: RwLock<u8> = RwLock::new(0);
    static S: RwLock<u8> = RwLock::new(0);
    one_after_the_other([
        || *R.write() += 1,
        || *S.write() += 1,
        || {
            let _r = R.read();
            let _s = S.read();
        },
        || {
            let _s = S.read();
            let _r = R.read();
        },
    ]);
}

/// Who upgrades waits for a reader who wants to be the next that may upgrade.
pub fn upgrade_and_upgradable_read() {
    static R: RwLock<u8> = RwLock::new(0);
    together([
        |barrier| {
            let r = R.upgradable_read();
            barrier.wait();
            drop(Upgradable::upgrade(r));
        },
        |barrier| {
            let _r = R.read();
            barrier.wait();
            drop(R.upgradable_read());
        },
    ]);
}

/// The silent twin: there is only one upgradable reader at a time, so two that upgrade do it in turn.
pub fn two_upgrades() {
    static R: RwLock<u8> = RwLock::new(0);
    let upgrade = |barrier: &std::sync::Barrier| {
        barrier.wait();
        *Upgradable::upgrade(R.upgradable_read()) += 1;
    };
    together([upgrade, upgrade]);
}

pub fn once_and_lock() {
    static START: Once = Once::new();
    static F: FairMutex<u8> = FairMutex::new(0);
    together([
        |barrier| {
            START.call_once(|| {
                barrier.wait();
                drop(F.lock());
            });
        },
        |barrier| {
            let _f = F.lock();
            barrier.wait();
            START.call_once(|| unreachable!("the other thread is at it"));
        },
    ]);
}

/// The silent twin: what has run is no lock.
pub fn once_done() {
    static START: Once = Once::new();
    static F: FairMutex<u8> = FairMutex::new(0);
    one_after_the_other([
        || START.call_once(|| drop(F.lock())),
        || {
            let _f = F.lock();
            START.call_once(|| unreachable!("it has run"));
        },
    ]);
}

/// Code that is generic over the raw mutex, as other crates' is.
struct Generic<R, T>(lock_api::Mutex<R, T>);

impl<R: lock_api::RawMutex, T> Generic<R, T> {
    const fn new(value: T) -> Self {
        Self(lock_api::Mutex::new(value))
    }

    #[track_caller]
    fn with<U>(&self, f: impl FnOnce(&mut T) -> U) -> U {
        f(&mut self.0.lock())
    }
}

pub fn generic_locks() {
    static G: Generic<RawMutex, u8> = Generic::new(0);
    static H: Generic<RawMutex, u8> = Generic::new(0);
    one_after_the_other([|| G.with(|_| H.with(|_| ())), || H.with(|_| G.with(|_| ()))]);
}
