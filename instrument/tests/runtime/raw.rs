//! Holds that end without their guard: forgotten, released by hand, or released by the raw lock.

use std::{sync::Barrier, time::Duration};

use lock_api::RawRwLock as _;
use lockscope::rt::Mode;

use crate::{
    lock::Lock,
    scenarios::{cross, nested, one_after_the_other},
};

static A: Lock = Lock::mutex("a");
static B: Lock = Lock::mutex("b");

/// Takes a lock, forgets the hold, and releases the raw lock.
fn detach(lock: &Lock) {
    lock.lock();
    // SAFETY: acquired above, and nobody else releases it.
    unsafe { lock.raw().unlock_exclusive(Default::default()) };
}

pub fn released_without_its_guard() {
    let forgets = || {
        A.lock();
        nested(&[&B]);
        A.unlock_forgotten(Mode::Exclusive);
    };
    one_after_the_other([forgets, || nested(&[&B, &A])]);
}

pub fn released_by_its_raw_lock() {
    let detaches = || {
        detach(&A);
        nested(&[&B]);
        // Nor later, though nobody asks for the raw lock again: it may have been kept.
        A.lock();
        nested(&[&B]);
        // SAFETY: acquired above.
        unsafe { A.raw().unlock_exclusive(Default::default()) };
    };
    one_after_the_other([detaches, || nested(&[&B, &A])]);
}

/// The near twin of `timed_wait_in_a_cycle`: the first thread held A once, and by now somebody else does.
pub fn waited_for_by_its_raw_lock() {
    static TAKEN: Barrier = Barrier::new(2);
    let other = std::thread::spawn(|| {
        TAKEN.wait();
        let guard = A.raw().lock_exclusive();
        TAKEN.wait();
        TAKEN.wait();
        // SAFETY: acquired above.
        unsafe { A.raw().unlock_exclusive(guard) };
    });
    cross(
        |barrier| {
            detach(&A);
            TAKEN.wait();
            TAKEN.wait();
            barrier.wait();
            B.unlock(B.lock());
        },
        |barrier| {
            let b = B.lock();
            barrier.wait();
            assert!(A.try_lock_for(Duration::from_millis(100)).is_none());
            B.unlock(b);
        },
    );
    TAKEN.wait();
    other.join().unwrap();
}

/// As a condition variable that lockscope does not know does it.
pub fn taken_again_by_its_raw_lock() {
    for _ in 0..10 {
        let hold = A.lock();
        let raw = A.raw();
        // SAFETY: acquired above, and acquired again before the hold ends.
        unsafe { raw.unlock_exclusive(Default::default()) };
        nested(&[&B]);
        let _ = raw.lock_exclusive();
        A.unlock(hold);
        nested(&[&B, &A]);
    }
}

pub fn guard_outlives_its_raw_lock() {
    let outlives = || {
        let hold = A.lock();
        A.raw();
        A.unlock(hold);
        nested(&[&B]);
    };
    one_after_the_other([outlives, || nested(&[&B, &A])]);
}

/// A thread that holds a lock itself releases another one's forgotten hold of it: afterwards neither holds it.
pub fn released_for_another_thread() {
    static R: Lock = Lock::rwlock("r");
    cross(
        |barrier| {
            R.read();
            barrier.wait();
            barrier.wait();
            nested(&[&B]);
        },
        |barrier| {
            barrier.wait();
            let own = R.read();
            R.unlock_forgotten(Mode::Shared);
            R.unlock(own);
            barrier.wait();
        },
    );
    one_after_the_other([|| nested(&[&B, &R])]);
}
