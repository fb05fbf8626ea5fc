//! Threads that end before a scope does, and so may borrow.
//!
//! std's scope waits, at its end, for threads that were not joined, inside of std where nobody sees it. So ours waits
//! first, still inside of std's scope, by a count of its own, and lets the runtime watch.

use std::{
    collections::{BTreeMap, HashMap},
    fmt, io,
    panic::{AssertUnwindSafe, Location, catch_unwind, resume_unwind},
    ptr,
    sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError},
    thread::{self, Result, ThreadId},
};

use super::parking::Thread;
use crate::rt::{self, Site, Spawned};

/// Runs `f` with a scope to spawn threads into, and waits for them: [`std::thread::scope`].
///
/// # Panics
///
/// When a thread panicked that was not joined.
#[track_caller]
pub fn scope<'env, F, T>(f: F) -> T
where
    F: for<'scope> FnOnce(&'scope Scope<'scope, 'env>) -> T,
{
    let site = Location::caller();
    thread::scope(|inner| {
        let scope = Scope::of(inner);
        let open = Open::new(scope);
        let result = catch_unwind(AssertUnwindSafe(|| f(scope)));
        open.threads.wait(site);
        result.unwrap_or_else(|panic| resume_unwind(panic))
    })
}

/// A scope to spawn threads into: [`std::thread::Scope`].
// Transparent, so that std's scope can be borrowed as ours for exactly as long as std permits. What ours knows in
// addition is therefore kept elsewhere, in `OPEN`.
#[repr(transparent)]
pub struct Scope<'scope, 'env: 'scope> {
    inner: thread::Scope<'scope, 'env>,
}

impl<'scope, 'env> Scope<'scope, 'env> {
    fn of(inner: &'scope thread::Scope<'scope, 'env>) -> &'scope Self {
        // SAFETY: `Scope` is a transparent wrapper.
        unsafe { &*ptr::from_ref(inner).cast() }
    }

    /// Spawns a thread into the scope.
    ///
    /// # Panics
    ///
    /// When the system cannot make a thread; see [`Builder::spawn_scoped`](super::Builder::spawn_scoped).
    #[track_caller]
    pub fn spawn<F, T>(&'scope self, f: F) -> ScopedJoinHandle<'scope, T>
    where
        F: FnOnce() -> T + Send + 'scope,
        T: Send + 'scope,
    {
        self.spawn_with(thread::Builder::new(), None, Location::caller(), f).expect("failed to spawn thread")
    }

    pub(super) fn spawn_with<F, T>(
        &'scope self,
        builder: thread::Builder,
        name: Option<&str>,
        site: Site,
        f: F,
    ) -> io::Result<ScopedJoinHandle<'scope, T>>
    where
        F: FnOnce() -> T + Send + 'scope,
        T: Send + 'scope,
    {
        let threads = Open::threads(self);
        let spawned = Spawned::new(name, site);
        let running = Running::new(&threads);
        let inner = builder.spawn_scoped(&self.inner, move || {
            let _running = running;
            spawned.run(f)
        })?;
        threads.lock().unjoined.insert(inner.thread().id(), spawned);
        let thread = Thread::new(inner.thread().clone(), spawned.id());
        Ok(ScopedJoinHandle { inner, spawned, thread, threads })
    }

    fn address(&self) -> usize {
        ptr::from_ref(&self.inner).addr()
    }
}

impl fmt::Debug for Scope<'_, '_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.inner, f)
    }
}

/// A thread of a scope, which can be joined: [`std::thread::ScopedJoinHandle`].
pub struct ScopedJoinHandle<'scope, T> {
    inner: thread::ScopedJoinHandle<'scope, T>,
    spawned: Spawned,
    thread: Thread,
    threads: Arc<Threads>,
}

impl<T> ScopedJoinHandle<'_, T> {
    /// The thread.
    pub fn thread(&self) -> &Thread {
        &self.thread
    }

    /// Waits for the thread to end.
    ///
    /// # Errors
    ///
    /// When the thread panicked; the error is what it panicked with.
    #[track_caller]
    pub fn join(self) -> Result<T> {
        let id = self.inner.thread().id();
        let result = self.spawned.join(Location::caller(), || self.inner.join());
        self.threads.lock().unjoined.remove(&id);
        result
    }

    /// Whether the thread's function has ended.
    pub fn is_finished(&self) -> bool {
        self.inner.is_finished()
    }
}

impl<T> fmt::Debug for ScopedJoinHandle<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.inner, f)
    }
}

/// The threads of a scope.
#[derive(Default)]
struct Threads {
    state: Mutex<State>,
    all_ended: Condvar,
}

#[derive(Default)]
struct State {
    /// Threads whose functions have not ended.
    running: usize,
    /// Threads that nobody joined yet, ended or not.
    unjoined: HashMap<ThreadId, Spawned>,
}

impl Threads {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits until all functions have ended, those of threads that are spawned meanwhile too.
    fn wait(&self, site: Site) {
        loop {
            let unjoined: Vec<Spawned> = self.lock().unjoined.drain().map(|(_, spawned)| spawned).collect();
            if unjoined.is_empty() {
                return;
            }
            rt::scope_wait(&unjoined, site, || {
                let none_runs = self.all_ended.wait_while(self.lock(), |state| state.running > 0);
                drop(none_runs.unwrap_or_else(PoisonError::into_inner));
            });
        }
    }
}

/// Counts a thread as running for as long as it exists.
struct Running(Arc<Threads>);

impl Running {
    fn new(threads: &Arc<Threads>) -> Self {
        threads.lock().running += 1;
        Self(Arc::clone(threads))
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let mut state = self.0.lock();
        state.running -= 1;
        if state.running == 0 {
            self.0.all_ended.notify_all();
        }
    }
}

/// The threads of every open scope, by the scope's address.
static OPEN: Mutex<BTreeMap<usize, Arc<Threads>>> = Mutex::new(BTreeMap::new());

/// A scope's entry in [`OPEN`].
struct Open {
    address: usize,
    threads: Arc<Threads>,
}

impl Open {
    fn new(scope: &Scope<'_, '_>) -> Self {
        let this = Self { address: scope.address(), threads: Arc::default() };
        open_scopes().insert(this.address, Arc::clone(&this.threads));
        this
    }

    /// The threads of a scope. Nobody watches a scope that is not open: one that a thread's result, dropped when all
    /// functions have ended, spawns into.
    fn threads(scope: &Scope<'_, '_>) -> Arc<Threads> {
        open_scopes().get(&scope.address()).cloned().unwrap_or_default()
    }
}

impl Drop for Open {
    fn drop(&mut self) {
        open_scopes().remove(&self.address);
    }
}

fn open_scopes() -> MutexGuard<'static, BTreeMap<usize, Arc<Threads>>> {
    OPEN.lock().unwrap_or_else(PoisonError::into_inner)
}
