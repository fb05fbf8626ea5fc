//! std's receiver.

use std::{
    fmt,
    panic::Location,
    sync::mpsc::{self, RecvError, RecvTimeoutError, TryRecvError},
    time::Duration,
};

use super::{IntoIter, Iter, TryIter};
use crate::rt::{Envelope, Handle, Missed, Site};

/// Receives from a channel: [`std::sync::mpsc::Receiver`], followed by lockscope.
pub struct Receiver<T> {
    // Before `inner`: see `Handle`.
    handle: Handle,
    inner: mpsc::Receiver<Envelope<T>>,
}

impl<T> Receiver<T> {
    pub(super) fn new(handle: Handle, inner: mpsc::Receiver<Envelope<T>>) -> Self {
        Self { handle, inner }
    }

    /// Receives a message if there is one.
    ///
    /// # Errors
    ///
    /// When there is none, or none and all senders are gone.
    #[track_caller]
    pub fn try_recv(&self) -> Result<T, TryRecvError> {
        self.try_recv_at(Location::caller())
    }

    /// Receives a message, waiting for as long as it takes.
    ///
    /// # Errors
    ///
    /// When there is none and all senders are gone.
    #[track_caller]
    pub fn recv(&self) -> Result<T, RecvError> {
        self.recv_at(Location::caller())
    }

    /// Receives a message, waiting for `timeout` at most.
    ///
    /// # Errors
    ///
    /// When there was none in time, or there is none and all senders are gone.
    #[track_caller]
    pub fn recv_timeout(&self, timeout: Duration) -> Result<T, RecvTimeoutError> {
        let wait = || self.inner.recv_timeout(timeout).map_err(late);
        self.handle.recv(true, Location::caller(), || self.now(), wait).map_err(|missed| match missed {
            Missed::Empty => RecvTimeoutError::Timeout,
            Missed::Disconnected => RecvTimeoutError::Disconnected,
        })
    }

    /// Messages as they come, until all senders are gone.
    #[track_caller]
    pub fn iter(&self) -> Iter<'_, T> {
        Iter::new(self, Location::caller())
    }

    /// The messages that are there, without waiting.
    #[track_caller]
    pub fn try_iter(&self) -> TryIter<'_, T> {
        TryIter::new(self, Location::caller())
    }

    pub(super) fn recv_at(&self, site: Site) -> Result<T, RecvError> {
        let wait = || self.inner.recv().map_err(|RecvError| Missed::Disconnected);
        self.handle.recv(false, site, || self.now(), wait).map_err(|_| RecvError)
    }

    pub(super) fn try_recv_at(&self, site: Site) -> Result<T, TryRecvError> {
        self.handle.try_recv(site, || self.now()).map_err(|missed| match missed {
            Missed::Empty => TryRecvError::Empty,
            Missed::Disconnected => TryRecvError::Disconnected,
        })
    }

    fn now(&self) -> Result<Envelope<T>, Missed> {
        self.inner.try_recv().map_err(|error| match error {
            TryRecvError::Empty => Missed::Empty,
            TryRecvError::Disconnected => Missed::Disconnected,
        })
    }
}

fn late(error: RecvTimeoutError) -> Missed {
    match error {
        RecvTimeoutError::Timeout => Missed::Empty,
        RecvTimeoutError::Disconnected => Missed::Disconnected,
    }
}

impl<'a, T> IntoIterator for &'a Receiver<T> {
    type Item = T;
    type IntoIter = Iter<'a, T>;

    #[track_caller]
    fn into_iter(self) -> Iter<'a, T> {
        self.iter()
    }
}

impl<T> IntoIterator for Receiver<T> {
    type Item = T;
    type IntoIter = IntoIter<T>;

    #[track_caller]
    fn into_iter(self) -> IntoIter<T> {
        IntoIter::new(self, Location::caller())
    }
}

impl<T> fmt::Debug for Receiver<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.inner, f)
    }
}
