//! Threads that live as long as they like.

use std::{
    fmt, io,
    panic::Location,
    thread::{self, Result},
};

use super::{
    parking::Thread,
    scoped::{Scope, ScopedJoinHandle},
};
use crate::rt::Spawned;

/// Spawns a thread: [`std::thread::spawn`].
///
/// # Panics
///
/// When the system cannot make a thread; see [`Builder::spawn`].
#[track_caller]
pub fn spawn<F, T>(f: F) -> JoinHandle<T>
where
    F: FnOnce() -> T + Send + 'static,
    T: Send + 'static,
{
    Builder::new().spawn(f).expect("failed to spawn thread")
}

/// Settings of a thread to be spawned: [`std::thread::Builder`].
#[derive(Debug)]
#[must_use = "must eventually spawn the thread"]
pub struct Builder {
    inner: thread::Builder,
    /// std's builder does not tell.
    name: Option<String>,
}

impl Builder {
    /// Settings as of [`spawn`].
    #[expect(clippy::new_without_default, reason = "std's has no default either")]
    pub fn new() -> Self {
        Self { inner: thread::Builder::new(), name: None }
    }

    /// Sets the thread's name, which must not contain null bytes.
    pub fn name(self, name: String) -> Self {
        Self { inner: self.inner.name(name.clone()), name: Some(name) }
    }

    /// Sets the size of the thread's stack in bytes.
    pub fn stack_size(self, size: usize) -> Self {
        Self { inner: self.inner.stack_size(size), ..self }
    }

    /// Spawns the thread.
    ///
    /// # Errors
    ///
    /// When the system cannot make a thread.
    #[track_caller]
    pub fn spawn<F, T>(self, f: F) -> io::Result<JoinHandle<T>>
    where
        F: FnOnce() -> T + Send + 'static,
        T: Send + 'static,
    {
        // SAFETY: nothing in `f` or its result is borrowed.
        unsafe { self.spawn_unchecked(f) }
    }

    /// Spawns the thread, whose function may borrow.
    ///
    /// # Errors
    ///
    /// When the system cannot make a thread.
    ///
    /// # Safety
    ///
    /// The thread is joined before anything that `f` or its result borrows ends.
    #[track_caller]
    pub unsafe fn spawn_unchecked<F, T>(self, f: F) -> io::Result<JoinHandle<T>>
    where
        F: FnOnce() -> T + Send,
        T: Send,
    {
        let spawned = Spawned::new(self.name.as_deref(), Location::caller());
        // SAFETY: this function's contract.
        let inner = unsafe { self.inner.spawn_unchecked(move || spawned.run(f)) }?;
        let thread = Thread::new(inner.thread().clone(), spawned.id());
        Ok(JoinHandle { inner, spawned, thread })
    }

    /// Spawns the thread into a scope.
    ///
    /// # Errors
    ///
    /// When the system cannot make a thread.
    #[track_caller]
    pub fn spawn_scoped<'scope, 'env, F, T>(
        self,
        scope: &'scope Scope<'scope, 'env>,
        f: F,
    ) -> io::Result<ScopedJoinHandle<'scope, T>>
    where
        F: FnOnce() -> T + Send + 'scope,
        T: Send + 'scope,
    {
        scope.spawn_with(self.inner, self.name.as_deref(), Location::caller(), f)
    }
}

/// A spawned thread, which can be joined: [`std::thread::JoinHandle`].
pub struct JoinHandle<T> {
    inner: thread::JoinHandle<T>,
    spawned: Spawned,
    thread: Thread,
}

impl<T> JoinHandle<T> {
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
        self.spawned.join(Location::caller(), || self.inner.join())
    }

    /// Whether the thread's function has ended.
    pub fn is_finished(&self) -> bool {
        self.inner.is_finished()
    }
}

impl<T> fmt::Debug for JoinHandle<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.inner, f)
    }
}

#[cfg(unix)]
impl<T> std::os::unix::thread::JoinHandleExt for JoinHandle<T> {
    fn as_pthread_t(&self) -> std::os::unix::thread::RawPthread {
        self.inner.as_pthread_t()
    }

    fn into_pthread_t(self) -> std::os::unix::thread::RawPthread {
        self.inner.into_pthread_t()
    }
}
