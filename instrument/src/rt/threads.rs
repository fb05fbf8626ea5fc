//! Threads: spawn, start, exit, join.

use super::Site;

/// A thread that this thread spawns: made by the parent before, used by the child to begin, kept in its handle.
#[derive(Clone, Copy, Debug)]
pub struct Spawned {
    id: u32,
}

impl Spawned {
    /// Notes in the parent that a thread is about to be spawned.
    pub fn new(name: Option<&str>, site: Site) -> Self {
        let _ = (name, site);
        Self { id: 0 }
    }

    /// Runs the thread's function in the child, noting its start and its end, also by panic.
    pub fn run<R>(self, f: impl FnOnce() -> R) -> R {
        f()
    }

    /// Waits for the thread in `join`, noting begin and end.
    pub fn join<R>(self, site: Site, join: impl FnOnce() -> R) -> R {
        let _ = (self.id, site);
        join()
    }
}

/// Waits for several threads at the end of a scope: `wait` returns when all of them have ended.
pub fn scope_wait<R>(threads: &[Spawned], site: Site, wait: impl FnOnce() -> R) -> R {
    let _ = (threads, site);
    wait()
}
