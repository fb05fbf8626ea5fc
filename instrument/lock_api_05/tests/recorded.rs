//! What the facade tells the runtime of 0.5's own, as read back from a trace; the rest is told by sources that are shared with 0.4.
#![cfg(all(not(lockscope_off), any(debug_assertions, feature = "force")))]

use std::time::{Duration, Instant};

use lockscope_lock_api_05 as lock_api;
use parking_lot::{RawCondvar, RawMutex, RawRwLock};

use recording::Scenario;

#[path = "../../tests/support/recording.rs"]
mod recording;

type Mutex<T> = lock_api::Mutex<RawMutex, T>;
type RwLock<T> = lock_api::RwLock<RawRwLock, T>;
type Condvar = lock_api::Condvar<RawCondvar>;

const LIMIT: Duration = Duration::from_millis(1);

/// Types of data, one for each scenario.
macro_rules! data {
    ($($name:ident)+) => { $( struct $name(#[allow(dead_code, reason = "not used by each")] u8); )+ };
}

data! { Waited Forced Adopted Detached }

const LOCKS: &[Scenario] = &[
    (
        "Waited",
        |_| {
            let (mutex, condvar) = (Mutex::new(Waited(0)), Condvar::new());
            let mut guard = mutex.lock();
            assert!(condvar.wait_for(&mut guard, LIMIT).timed_out());
            assert!(condvar.wait_while_until(&mut guard, |data| data.0 == 0, Instant::now()).timed_out());
        },
        "exclusive by lock; released nothing; exclusive by condvarreacquire; released wrote; exclusive by condvarreacquire;
         released wrote; destroyed",
    ),
    (
        "Forced",
        |_| {
            let mutex = Mutex::new(Forced(0));
            std::mem::forget(mutex.lock());
            // SAFETY: its guard was forgotten.
            unsafe { mutex.force_unlock(Default::default()) };
            assert!(mutex.try_lock().is_some());
        },
        "exclusive by lock; released unknown; exclusive by try; released nothing; destroyed",
    ),
    (
        "Adopted",
        |_| {
            let lock = RwLock::new(Adopted(0));
            std::mem::forget(lock.write());
            // SAFETY: its guard was forgotten.
            drop(unsafe { lock.make_write_guard_unchecked(Default::default()) });
        },
        "exclusive by lock; released unknown; destroyed",
    ),
    (
        "Detached",
        |_| {
            let mutex = Mutex::new(Detached(0));
            drop(mutex.lock());
            std::mem::forget(mutex.lock());
            // SAFETY: its guard was forgotten.
            unsafe { lock_api::RawMutex::unlock(mutex.raw(), Default::default()) };
            // From here on nothing is certain, so nothing is said.
            assert_eq!(mutex.lock().0, 0);
        },
        "exclusive by lock; released nothing; exclusive by lock; released unknown; destroyed",
    ),
];

#[test]
fn recorded() {
    recording::check("recorded", "recorded.rs", LOCKS);
}
