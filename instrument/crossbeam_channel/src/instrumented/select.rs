//! Waiting for several channels at once.

use std::{
    fmt,
    panic::Location,
    time::{Duration, Instant},
};

use crossbeam_channel as real;
use lockscope::rt::{self, Handle, Site};

use super::{
    ReadyTimeoutError, Receiver, RecvError, SelectTimeoutError, SendError, Sender, TryReadyError, TrySelectError,
    receiver::Source,
};

/// Selects from sends and receives: crossbeam-channel's `Select`, followed by lockscope.
///
/// A thread that waits here waits for all of its channels, any of which will do.
pub struct Select<'a> {
    inner: real::Select<'a>,
    operations: Vec<Operation<'a>>,
}

/// What can end the wait.
#[derive(Clone, Copy)]
enum Means<'a> {
    Channel(&'a Handle),
    Clock,
    Nothing,
}

#[derive(Clone, Copy)]
struct Operation<'a> {
    index: usize,
    means: Means<'a>,
}

impl<'a> Select<'a> {
    /// An empty list. Of several operations that are ready a random one is selected.
    pub fn new() -> Self {
        Self::over(real::Select::new())
    }

    /// An empty list. Of several operations that are ready the first one is selected.
    pub fn new_biased() -> Self {
        Self::over(real::Select::new_biased())
    }

    fn over(inner: real::Select<'a>) -> Self {
        Self { inner, operations: Vec::with_capacity(4) }
    }

    /// Adds a send; returns its index.
    #[track_caller]
    pub fn send<T>(&mut self, s: &'a Sender<T>) -> usize {
        let index = self.inner.send(&s.inner);
        self.add(index, Means::Channel(&s.handle), Location::caller())
    }

    /// Adds a receive; returns its index.
    #[track_caller]
    pub fn recv<T>(&mut self, r: &'a Receiver<T>) -> usize {
        let (index, means) = match &r.source {
            Source::Channel { handle, inner } => (self.inner.recv(inner), Means::Channel(handle)),
            Source::Time { inner, .. } => (self.inner.recv(inner), Means::Clock),
            Source::Never(inner) => (self.inner.recv(inner), Means::Nothing),
        };
        self.add(index, means, Location::caller())
    }

    fn add(&mut self, index: usize, means: Means<'a>, site: Site) -> usize {
        if let Means::Channel(handle) = means {
            handle.used(site);
        }
        self.operations.push(Operation { index, means });
        index
    }

    /// Removes an operation.
    ///
    /// # Panics
    ///
    /// When there is none with this index.
    #[track_caller]
    pub fn remove(&mut self, index: usize) {
        self.inner.remove(index);
        self.operations.retain(|operation| operation.index != index);
    }

    /// Selects an operation that is ready.
    ///
    /// # Errors
    ///
    /// When none is.
    pub fn try_select(&mut self) -> Result<SelectedOperation<'a>, TrySelectError> {
        self.inner.try_select().map(SelectedOperation::new)
    }

    /// Selects an operation, waiting until one is ready.
    ///
    /// # Panics
    ///
    /// When no operation was added.
    #[track_caller]
    pub fn select(&mut self) -> SelectedOperation<'a> {
        let now = |inner: &mut real::Select<'a>| inner.try_select().ok();
        SelectedOperation::new(self.wait(false, Location::caller(), now, |inner| inner.select(), |_| false))
    }

    /// Selects an operation, waiting for `timeout` at most.
    ///
    /// # Errors
    ///
    /// When none was ready in time.
    #[track_caller]
    pub fn select_timeout(&mut self, timeout: Duration) -> Result<SelectedOperation<'a>, SelectTimeoutError> {
        match Instant::now().checked_add(timeout) {
            Some(deadline) => self.select_deadline(deadline),
            None => Ok(self.select()),
        }
    }

    /// Selects an operation, waiting until `deadline` at most.
    ///
    /// # Errors
    ///
    /// When none was ready in time.
    #[track_caller]
    pub fn select_deadline(&mut self, deadline: Instant) -> Result<SelectedOperation<'a>, SelectTimeoutError> {
        let now = |inner: &mut real::Select<'a>| inner.try_select().ok().map(Ok);
        let wait = |inner: &mut real::Select<'a>| inner.select_deadline(deadline);
        self.wait(true, Location::caller(), now, wait, Result::is_err).map(SelectedOperation::new)
    }

    /// The index of an operation that is ready.
    ///
    /// # Errors
    ///
    /// When none is.
    pub fn try_ready(&mut self) -> Result<usize, TryReadyError> {
        self.inner.try_ready()
    }

    /// The index of an operation that is ready, waiting for one.
    ///
    /// # Panics
    ///
    /// When no operation was added.
    #[track_caller]
    pub fn ready(&mut self) -> usize {
        let now = |inner: &mut real::Select<'a>| inner.try_ready().ok();
        self.wait(false, Location::caller(), now, real::Select::ready, |_| false)
    }

    /// The index of an operation that is ready, waiting for `timeout` at most.
    ///
    /// # Errors
    ///
    /// When none was ready in time.
    #[track_caller]
    pub fn ready_timeout(&mut self, timeout: Duration) -> Result<usize, ReadyTimeoutError> {
        match Instant::now().checked_add(timeout) {
            Some(deadline) => self.ready_deadline(deadline),
            None => Ok(self.ready()),
        }
    }

    /// The index of an operation that is ready, waiting until `deadline` at most.
    ///
    /// # Errors
    ///
    /// When none was ready in time.
    #[track_caller]
    pub fn ready_deadline(&mut self, deadline: Instant) -> Result<usize, ReadyTimeoutError> {
        let now = |inner: &mut real::Select<'a>| inner.try_ready().ok().map(Ok);
        let wait = |inner: &mut real::Select<'a>| inner.ready_deadline(deadline);
        self.wait(true, Location::caller(), now, wait, Result::is_err)
    }

    /// Does at once by `now` what it can, else waits by `wait` for any of the channels.
    fn wait<R>(
        &mut self,
        limited: bool,
        site: Site,
        now: impl FnOnce(&mut real::Select<'a>) -> Option<R>,
        wait: impl FnOnce(&mut real::Select<'a>) -> R,
        timed_out: impl FnOnce(&R) -> bool,
    ) -> R {
        let handles = self.operations.iter().filter_map(|operation| match operation.means {
            Means::Channel(handle) => Some((handle.lock_ref(), handle.needs())),
            Means::Clock | Means::Nothing => None,
        });
        let objects: Vec<_> = if rt::is_tracking() { handles.collect() } else { Vec::new() };
        if objects.is_empty() {
            return wait(&mut self.inner);
        }
        if let Some(done) = now(&mut self.inner) {
            return done;
        }
        let limited = limited || self.operations.iter().any(|operation| matches!(operation.means, Means::Clock));
        rt::block(&objects, limited, site, || wait(&mut self.inner), timed_out)
    }
}

impl Clone for Select<'_> {
    fn clone(&self) -> Self {
        Self { inner: self.inner.clone(), operations: self.operations.clone() }
    }
}

impl Default for Select<'_> {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for Select<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.inner, f)
    }
}

/// A selected operation, to be completed by [`send`](Self::send) or [`recv`](Self::recv).
///
/// # Panics
///
/// When it is dropped without being completed.
#[must_use]
pub struct SelectedOperation<'a> {
    inner: real::SelectedOperation<'a>,
}

impl<'a> SelectedOperation<'a> {
    fn new(inner: real::SelectedOperation<'a>) -> Self {
        Self { inner }
    }

    /// Index of the operation.
    pub fn index(&self) -> usize {
        self.inner.index()
    }

    /// Completes a send.
    ///
    /// # Errors
    ///
    /// When all receivers are gone; the error holds the message.
    ///
    /// # Panics
    ///
    /// When this is not the sender that was added.
    #[track_caller]
    pub fn send<T>(self, s: &Sender<T>, msg: T) -> Result<(), SendError<T>> {
        let sending = s.handle.sending(Location::caller());
        match self.inner.send(&s.inner, sending.envelope(msg)) {
            Ok(()) => {
                sending.done();
                Ok(())
            }
            Err(SendError(envelope)) => {
                sending.disconnected();
                Err(SendError(envelope.into_message()))
            }
        }
    }

    /// Completes a receive.
    ///
    /// # Errors
    ///
    /// When there are no messages and all senders are gone.
    ///
    /// # Panics
    ///
    /// When this is not the receiver that was added.
    #[track_caller]
    pub fn recv<T>(self, r: &Receiver<T>) -> Result<T, RecvError> {
        match &r.source {
            Source::Channel { handle, inner } => match self.inner.recv(inner) {
                Ok(envelope) => Ok(handle.received(envelope, Location::caller())),
                Err(RecvError) => {
                    handle.disconnected(Location::caller());
                    Err(RecvError)
                }
            },
            Source::Time { inner, message } => self.inner.recv(inner).map(message),
            Source::Never(inner) => self.inner.recv(inner),
        }
    }
}

impl fmt::Debug for SelectedOperation<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.inner, f)
    }
}
