//! Joins, by std and by lockscope.

use std::time::Duration;

use super::{Signal, Sleeper, busy, lock};
use crate::scenarios::plain;

/// Joined by std, which only the kernel tells.
pub fn std_join_while_holding() {
    let wanted = lock("wanted");
    let guard = wanted.lock().unwrap();
    let child = plain("child", || drop(wanted.lock().unwrap()));
    child.join().unwrap();
    drop(guard);
}

/// The same while another thread runs: certain all the same.
pub fn std_join_while_holding_among_others() {
    busy();
    std_join_while_holding();
}

pub fn std_join_after_release() {
    let wanted = lock("wanted");
    let guard = wanted.lock().unwrap();
    let child = plain("child", || drop(wanted.lock().unwrap()));
    std::thread::sleep(Duration::from_millis(300));
    drop(guard);
    child.join().unwrap();
}

/// Holds the mutex of a condition variable and joins the thread that waits there: it cannot go on even if it is notified.
pub fn join_while_holding_the_mutex() {
    let (ready, waiter) = (Signal::leaked("ready"), Sleeper::leaked());
    let waits = lockscope::thread::Builder::new().name("waits".to_owned());
    let waits = waits
        .spawn(move || {
            waiter.me();
            ready.wait();
        })
        .unwrap();
    waiter.await_sleep();
    let mut is_set = ready.is_set.lock().unwrap();
    *is_set = true;
    ready.changed.notify_all();
    waits.join().unwrap();
    drop(is_set);
}

pub fn join_after_notifying() {
    let (ready, waiter) = (Signal::leaked("ready"), Sleeper::leaked());
    let waits = lockscope::thread::spawn(move || {
        waiter.me();
        ready.wait();
    });
    waiter.await_sleep();
    ready.set();
    waits.join().unwrap();
}
