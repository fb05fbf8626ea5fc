//! Deadlocks through what is not a lock, and near twins that go on.
//!
//! The threads of most are spawned and joined by std, as in a program that has only replaced its locks. Where a thread must have
//! begun to wait before another one goes on, that is read from the kernel, as lockscope does.

mod channels;
mod groups;
mod guards;
mod joins;
mod notifications;
mod permits;

use std::{
    sync::atomic::{AtomicU32, Ordering},
    time::Duration,
};

use lockscope::{
    named,
    sync::{Condvar, Mutex},
};

use crate::scenarios::plain;

pub use self::{channels::*, groups::*, guards::*, joins::*, notifications::*, permits::*};

/// A condition that threads wait for.
struct Signal {
    is_set: Mutex<bool>,
    changed: Condvar,
}

impl Signal {
    fn leaked(name: &'static str) -> &'static Self {
        Box::leak(Box::new(Self { is_set: Mutex::new(false), changed: named(name).condvar() }))
    }

    #[track_caller]
    fn wait(&self) {
        let mut is_set = self.is_set.lock().unwrap();
        while !*is_set {
            is_set = self.changed.wait(is_set).unwrap();
        }
        *is_set = false;
    }

    #[track_caller]
    fn set(&self) {
        *self.is_set.lock().unwrap() = true;
        self.changed.notify_all();
    }
}

fn lock(name: &'static str) -> &'static Mutex<u8> {
    Box::leak(Box::new(named(name).mutex(0)))
}

/// Starts a thread that runs on for ever.
fn busy() {
    plain("busy", || {
        loop {
            std::thread::sleep(Duration::from_millis(1));
        }
    });
}

/// A place to tell the number of a thread, and to wait until that thread sleeps.
#[derive(Default)]
struct Sleeper(AtomicU32);

impl Sleeper {
    fn leaked() -> &'static Self {
        Box::leak(Box::default())
    }

    /// This thread is about to wait.
    fn me(&self) {
        // SAFETY: takes nothing, touches nothing.
        self.0.store(unsafe { libc::gettid() } as u32, Ordering::SeqCst);
    }

    /// Waits until the thread that has told its number sleeps in a futex.
    fn await_sleep(&self) {
        loop {
            let task = self.0.load(Ordering::SeqCst);
            let call = std::fs::read_to_string(format!("/proc/self/task/{task}/syscall")).unwrap_or_default();
            if call.starts_with(&format!("{} ", libc::SYS_futex)) {
                return;
            }
            std::thread::yield_now();
        }
    }
}
