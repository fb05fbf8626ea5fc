//! Threads: spawn, start, exit, join.

use std::sync::atomic::Ordering;

use lockscope_trace::{clock, format::kind};

use super::{
    Site, deadlock,
    global::{flag, flags, registry},
    record, session,
    thread::{self, Entered},
    waiting::{self, Target, Waiting},
};

/// A thread that this thread spawns: made by the parent before, used by the child to begin, kept in its handle.
#[derive(Clone, Copy, Debug)]
pub struct Spawned {
    /// `None` while nothing is switched on.
    id: Option<u32>,
    /// The parent's session, which is its own.
    session: u32,
}

impl Spawned {
    const UNSEEN: Self = Self { id: None, session: session::NONE };

    /// Notes in the parent that a thread is about to be spawned.
    pub fn new(name: Option<&str>, site: Site) -> Self {
        if flags() & flag::TRACK == 0 {
            return Self::UNSEEN;
        }
        let Some(entered) = thread::enter() else { return Self::UNSEEN };
        let parent = entered.info.id.load(Ordering::Relaxed);
        let id = registry().new_thread(Some(parent), name, 0);
        record::thread_event(&entered, kind::SPAWN, id, site);
        Self { id: Some(id), session: session::of(entered.info) }
    }

    /// The thread's id; `None` while nothing is switched on.
    pub fn id(self) -> Option<u32> {
        self.id
    }

    /// Runs the thread's function in the child, noting its start and its end, also by panic.
    pub fn run<R>(self, f: impl FnOnce() -> R) -> R {
        /// Notes the end when dropped.
        struct End;
        impl Drop for End {
            fn drop(&mut self) {
                if let Some(entered) = thread::enter() {
                    thread::record_exit(&entered);
                }
            }
        }
        let Some(id) = self.id else { return f() };
        thread::register_spawned(id, self.session);
        let _end = End;
        f()
    }

    /// Waits for the thread in `join`, noting begin and end.
    ///
    /// # Panics
    ///
    /// When the wait closes a deadlock and the policy is to panic.
    pub fn join<R>(self, site: Site, join: impl FnOnce() -> R) -> R {
        wait(&[self], site, false, join)
    }
}

/// Waits for several threads at the end of a scope: `wait` returns when all of them have ended.
///
/// # Panics
///
/// As [`Spawned::join`], but never: a scope cannot be left while its threads run, so the process ends where that policy applies.
pub fn scope_wait<R>(threads: &[Spawned], site: Site, wait: impl FnOnce() -> R) -> R {
    self::wait(threads, site, true, wait)
}

fn wait<R>(threads: &[Spawned], site: Site, is_scope: bool, wait: impl FnOnce() -> R) -> R {
    let ids: Vec<u32> = threads.iter().filter_map(|thread| thread.id).collect();
    if ids.is_empty() {
        return wait();
    }
    let Some(entered) = thread::enter() else { return wait() };
    for &id in &ids {
        record::thread_event(&entered, kind::JOIN_WAIT, id, site);
    }
    let result = {
        let waiting = Waiting {
            episode: 0,
            target: Target::Threads(ids.clone()),
            site,
            created: site,
            type_name: std::any::type_name::<()>,
            since: clock::ticks(),
            limited: false,
            owner: None,
            stack: None,
        };
        let _waiting = waiting::begin(&entered, waiting);
        if flags() & flag::DEADLOCK != 0 {
            deadlock::search_and_report(&entered, !is_scope);
        }
        unentered(entered, wait)
    };
    if let Some(entered) = thread::enter() {
        for &id in &ids {
            record::thread_event(&entered, kind::JOINED, id, site);
        }
    }
    result
}

/// Runs code of others, which may use locks, while the wait stays published.
fn unentered<R>(entered: Entered, f: impl FnOnce() -> R) -> R {
    drop(entered);
    f()
}
