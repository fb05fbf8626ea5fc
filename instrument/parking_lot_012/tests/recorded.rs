//! What the facade tells the runtime: every way to take, keep and let go of a lock, as read back from a trace.
//!
//! The files in `recorded/` are shared with the facade of 0.13, but for `v12.rs`.
#![cfg(all(not(lockscope_off), any(debug_assertions, feature = "force")))]

use std::sync::mpsc;

use lockscope_parking_lot_012 as subject;

#[path = "recorded/condvar.rs"]
mod condvar;
#[path = "recorded/mutex.rs"]
mod mutex;
#[path = "recorded/others.rs"]
mod others;
#[path = "../../tests/support/recording.rs"]
mod recording;
#[path = "recorded/rwlock.rs"]
mod rwlock;
#[path = "recorded/v12.rs"]
mod v12;

/// Runs `f` while another thread has what `lock` returns.
fn meanwhile<T>(lock: impl FnOnce() -> T + Send, f: impl FnOnce()) {
    let (locked, wait) = mpsc::channel();
    let (go, may_end) = mpsc::channel::<()>();
    std::thread::scope(|scope| {
        scope.spawn(move || {
            let _guard = lock();
            locked.send(()).expect("the other side waits");
            may_end.recv().expect("the other side sends");
        });
        wait.recv().expect("the other side sends");
        f();
        go.send(()).expect("the other side waits");
    });
}
