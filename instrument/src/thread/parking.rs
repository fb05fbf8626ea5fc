//! Handles to threads, parking and sleeping.

use std::{
    fmt,
    ops::Deref,
    panic::Location,
    thread::{self, ThreadId},
    time::Duration,
};

use crate::rt;

/// A handle to a thread: [`std::thread::Thread`], whose `unpark` lockscope sees.
///
/// A type of its own, since std's cannot tell: whom a thread waits for that is parked would not be known, and what was done before
/// `unpark` would not come before what is done after `park`. It is borrowed as std's where that is asked for, and is
/// turned into std's, or made of it, by `into()`. A thread that is unparked by a handle of std's wakes up as well, unseen.
#[derive(Clone)]
pub struct Thread {
    inner: thread::Thread,
    /// `None` when it is not known.
    id: Option<u32>,
}

impl Thread {
    pub(super) fn new(inner: thread::Thread, id: Option<u32>) -> Self {
        Self { inner, id }
    }

    /// Lets the thread go on if it is parked, else as soon as it parks.
    #[track_caller]
    pub fn unpark(&self) {
        if let Some(id) = self.id {
            rt::unpark(id, Location::caller());
        }
        self.inner.unpark();
    }

    /// The thread's id in this process.
    #[must_use]
    pub fn id(&self) -> ThreadId {
        self.inner.id()
    }

    /// The thread's name, when it has one.
    #[must_use]
    pub fn name(&self) -> Option<&str> {
        self.inner.name()
    }
}

impl Deref for Thread {
    type Target = thread::Thread;

    fn deref(&self) -> &thread::Thread {
        &self.inner
    }
}

impl From<Thread> for thread::Thread {
    fn from(thread: Thread) -> Self {
        thread.inner
    }
}

/// To unpark by the result is seen when it is this thread; of others std does not tell which one it is.
impl From<thread::Thread> for Thread {
    fn from(inner: thread::Thread) -> Self {
        let id = if inner.id() == thread::current().id() { rt::current_thread() } else { None };
        Self::new(inner, id)
    }
}

impl fmt::Debug for Thread {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.inner, f)
    }
}

/// This thread: [`std::thread::current`].
#[must_use]
pub fn current() -> Thread {
    Thread::new(thread::current(), rt::current_thread())
}

/// Waits until another thread calls [`Thread::unpark`], or has done so since the last time: [`std::thread::park`]. May return without.
#[track_caller]
pub fn park() {
    rt::park(false, Location::caller(), thread::park);
}

/// [`park`] for `dur` at most: [`std::thread::park_timeout`].
#[track_caller]
pub fn park_timeout(dur: Duration) {
    rt::park(true, Location::caller(), || thread::park_timeout(dur));
}

/// [`park`] for `ms` milliseconds at most: [`std::thread::park_timeout_ms`].
#[track_caller]
#[deprecated(note = "replaced by `park_timeout`, as in std")]
pub fn park_timeout_ms(ms: u32) {
    park_timeout(Duration::from_millis(ms.into()));
}

/// Sleeps for `dur` at least: [`std::thread::sleep`].
#[track_caller]
pub fn sleep(dur: Duration) {
    rt::sleep(Location::caller(), || thread::sleep(dur));
}

/// Sleeps for `ms` milliseconds at least: [`std::thread::sleep_ms`].
#[track_caller]
#[deprecated(note = "replaced by `sleep`, as in std")]
pub fn sleep_ms(ms: u32) {
    sleep(Duration::from_millis(ms.into()));
}
