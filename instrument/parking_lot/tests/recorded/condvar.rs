use std::time::{Duration, Instant};

use crate::{
    recording::{self, Scenario},
    subject::named,
};

const LIMIT: Duration = Duration::from_millis(1);

#[test]
fn recorded() {
    recording::check("condvar::recorded", "condvar.rs", CONDVAR);
}

const CONDVAR: &[Scenario] = &[
    (
        "waits",
        |name| {
            let (mutex, condvar) = (named(name).mutex(true), named(name).condvar());
            let mut guard = mutex.lock();
            condvar.wait_for(&mut guard, LIMIT);
            condvar.wait_until(&mut guard, Instant::now());
        },
        "exclusive by lock; cond-wait; released nothing; exclusive by condvarreacquire; cond-wake timed-out;
         cond-wait; released nothing; exclusive by condvarreacquire; cond-wake timed-out; released nothing;
         destroyed; destroyed",
    ),
    (
        "notifications",
        |name| {
            let condvar = named(name).condvar();
            condvar.notify_one();
            condvar.notify_all();
        },
        "notify one some(0); notify all some(0); destroyed",
    ),
];
