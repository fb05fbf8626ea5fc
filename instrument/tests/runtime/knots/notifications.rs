//! Condition variables: nested monitors, notifications that never come or came before.

use std::{
    sync::atomic::{AtomicU32, Ordering},
    time::Duration,
};

use lockscope::{
    named,
    sync::{Condvar, Mutex},
};

use super::{Signal, Sleeper, lock};
use crate::scenarios::plain;

/// Holds the outer lock while it waits for a notification; who would notify needs that lock.
fn monitor(hold_while_waiting: bool) {
    let (outer, ready, waiter) = (lock("outer"), Signal::leaked("ready"), Sleeper::leaked());
    let waits = plain("waits", move || {
        let guard = outer.lock().unwrap();
        let guard = hold_while_waiting.then_some(guard);
        waiter.me();
        ready.wait();
        drop(guard);
    });
    let notifies = plain("notifies", move || {
        waiter.await_sleep();
        let guard = outer.lock().unwrap();
        ready.set();
        drop(guard);
    });
    waits.join().unwrap();
    notifies.join().unwrap();
}

pub fn nested_monitor() {
    monitor(true);
}

pub fn nested_monitor_recorded() {
    monitor(true);
}

pub fn nested_monitor_panic() {
    monitor(true);
}

pub fn monitor_not_nested() {
    monitor(false);
}

/// The same while another thread runs, so that it is not certain; that one helps in the end, for the first time. Twice, which is
/// reported once.
pub fn nested_monitor_helped_late() {
    for _ in 0..2 {
        helped_late(Duration::from_millis(6500));
    }
}

pub fn nested_monitor_helped_soon() {
    helped_late(Duration::from_secs(3));
}

/// The same, but it is known that the other thread can help, since it has done so before.
pub fn nested_monitor_helped_again() {
    let (outer, ready, waiter) = (lock("outer"), Signal::leaked("ready"), Sleeper::leaked());
    let waits = plain("waits", move || {
        ready.wait();
        let guard = outer.lock().unwrap();
        waiter.me();
        ready.wait();
        drop(guard);
    });
    ready.set();
    let wants = plain("wants", move || {
        waiter.await_sleep();
        drop(outer.lock().unwrap());
    });
    // Longer than anything that is merely suspicious lasts.
    std::thread::sleep(Duration::from_millis(6500));
    ready.set();
    waits.join().unwrap();
    wants.join().unwrap();
}

fn helped_late(pause: Duration) {
    let (outer, ready, waiter) = (lock("outer"), Signal::leaked("ready"), Sleeper::leaked());
    let waits = plain("waits", move || {
        let guard = outer.lock().unwrap();
        waiter.me();
        ready.wait();
        drop(guard);
    });
    let wants = plain("wants", move || {
        waiter.await_sleep();
        drop(outer.lock().unwrap());
    });
    // Time is the subject here.
    std::thread::sleep(pause);
    ready.set();
    waits.join().unwrap();
    wants.join().unwrap();
}

/// Two threads wait for one another's notification.
pub fn nobody_left_to_notify() {
    let (one, two) = (Signal::leaked("one"), Signal::leaked("two"));
    let first = plain("first", || {
        one.wait();
        two.set();
    });
    let second = plain("second", || {
        two.wait();
        one.set();
    });
    first.join().unwrap();
    second.join().unwrap();
}

pub fn somebody_left_to_notify() {
    let (one, two) = (Signal::leaked("one"), Signal::leaked("two"));
    let first = plain("first", || {
        one.wait();
        two.set();
    });
    let second = plain("second", || {
        two.wait();
        one.set();
    });
    std::thread::sleep(Duration::from_millis(700));
    one.set();
    first.join().unwrap();
    second.join().unwrap();
}

/// The last thread that could have notified ends while all others wait.
pub fn last_notifier_ends() {
    let (ready, waiter, me) = (Signal::leaked("ready"), Sleeper::leaked(), Sleeper::leaked());
    let waits = plain("waits", move || {
        waiter.me();
        ready.wait();
    });
    plain("leaves", move || {
        // It has notified, so it could have done so again.
        ready.changed.notify_one();
        waiter.await_sleep();
        me.await_sleep();
    });
    me.me();
    waits.join().unwrap();
}

/// The same with threads that lockscope spawns and joins.
pub fn last_notifier_ends_seen() {
    let (ready, waiter, me) = (Signal::leaked("ready"), Sleeper::leaked(), Sleeper::leaked());
    let waits = lockscope::thread::spawn(move || {
        waiter.me();
        ready.wait();
    });
    lockscope::thread::spawn(move || {
        waiter.await_sleep();
        me.await_sleep();
    });
    me.me();
    waits.join().unwrap();
}

pub fn last_notifier_notifies() {
    let (ready, waiter, me) = (Signal::leaked("ready"), Sleeper::leaked(), Sleeper::leaked());
    let waits = plain("waits", move || {
        waiter.me();
        ready.wait();
    });
    plain("leaves", move || {
        waiter.await_sleep();
        me.await_sleep();
        ready.set();
    });
    me.me();
    waits.join().unwrap();
}

/// Notifies before the other one waits, and never again.
pub fn lost_wakeup() {
    let ready: &(Mutex<()>, Condvar) = Box::leak(Box::new((Mutex::new(()), named("ready").condvar())));
    plain("notifies", || ready.1.notify_one()).join().unwrap();
    let waits = plain("waits", || drop(ready.1.wait(ready.0.lock().unwrap()).unwrap()));
    waits.join().unwrap();
}

pub fn wakeup_remembered() {
    let ready = Signal::leaked("ready");
    plain("notifies", || ready.set()).join().unwrap();
    plain("waits", || ready.wait()).join().unwrap();
}

/// The child of a fork has no watch, and does not look for it.
pub fn forked_child_of_a_watched_process() {
    static DONE: AtomicU32 = AtomicU32::new(0);
    let ready = Signal::leaked("ready");
    let waits = plain("waits", || ready.wait());
    let has_watch = || {
        let tasks = std::fs::read_dir("/proc/self/task").unwrap();
        tasks.flatten().any(|task| {
            std::fs::read_to_string(task.path().join("comm")).is_ok_and(|name| name.trim_end() == "lockscope-watch")
        })
    };
    while !has_watch() {
        std::thread::yield_now();
    }
    // SAFETY: the child only uses what this scenario owns, and ends itself.
    let child = unsafe { libc::fork() };
    if child == 0 {
        let own = Signal::leaked("own");
        own.set();
        own.wait();
        DONE.store(1, Ordering::SeqCst);
        // SAFETY: ends the child at once.
        unsafe { libc::_exit(0) };
    }
    let mut status = 0;
    // SAFETY: waits for the child made above.
    unsafe { libc::waitpid(child, &mut status, 0) };
    assert_eq!(status, 0);
    ready.set();
    waits.join().unwrap();
}
