//! Where messages are received.

use std::{
    fmt,
    panic::Location,
    time::{Duration, Instant},
};

use crossbeam_channel as real;
use lockscope::rt::{Envelope, Handle, Missed, Site};

use super::{IntoIter, Iter, RecvError, RecvTimeoutError, TryIter, TryRecvError};

/// Receives from a channel: crossbeam-channel's `Receiver`, followed by lockscope.
pub struct Receiver<T> {
    pub(super) source: Source<T>,
}

/// Where messages come from.
pub(super) enum Source<T> {
    /// From senders.
    // `handle` before `inner`: see `Handle`.
    Channel { handle: Handle, inner: real::Receiver<Envelope<T>> },
    /// From the clock. `T` is `Instant`, which `message` knows.
    Time { inner: real::Receiver<Instant>, message: fn(Instant) -> T },
    /// From nowhere.
    Never(real::Receiver<T>),
}

/// Does the same to the wrapped receiver, whichever it is.
macro_rules! each {
    ($receiver:expr, $inner:ident => $result:expr) => {
        match &$receiver.source {
            Source::Channel { inner: $inner, .. } => $result,
            Source::Time { inner: $inner, .. } => $result,
            Source::Never($inner) => $result,
        }
    };
}

impl<T> Receiver<T> {
    pub(super) fn new(handle: Handle, inner: real::Receiver<Envelope<T>>) -> Self {
        Self { source: Source::Channel { handle, inner } }
    }

    pub(super) const fn never(inner: real::Receiver<T>) -> Self {
        Self { source: Source::Never(inner) }
    }

    /// Receives a message if there is one; from a channel without capacity, if somebody waits to send it.
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
        match Instant::now().checked_add(timeout) {
            Some(deadline) => self.recv_by(deadline, Location::caller()),
            None => self.recv().map_err(RecvTimeoutError::from),
        }
    }

    /// Receives a message, waiting until `deadline` at most.
    ///
    /// # Errors
    ///
    /// As [`recv_timeout`](Self::recv_timeout).
    #[track_caller]
    pub fn recv_deadline(&self, deadline: Instant) -> Result<T, RecvTimeoutError> {
        self.recv_by(deadline, Location::caller())
    }

    /// Whether there are no messages in the channel. Without capacity there never are.
    pub fn is_empty(&self) -> bool {
        each!(self, inner => inner.is_empty())
    }

    /// Whether there is no room in the channel. Without capacity there never is.
    pub fn is_full(&self) -> bool {
        each!(self, inner => inner.is_full())
    }

    /// How many messages are in the channel.
    pub fn len(&self) -> usize {
        each!(self, inner => inner.len())
    }

    /// How many messages the channel has room for; `None` without limit.
    pub fn capacity(&self) -> Option<usize> {
        each!(self, inner => inner.capacity())
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

    /// Whether both receive from the same channel.
    pub fn same_channel(&self, other: &Receiver<T>) -> bool {
        match (&self.source, &other.source) {
            (Source::Channel { inner, .. }, Source::Channel { inner: other, .. }) => inner.same_channel(other),
            (Source::Time { inner, .. }, Source::Time { inner: other, .. }) => inner.same_channel(other),
            (Source::Never(inner), Source::Never(other)) => inner.same_channel(other),
            _ => false,
        }
    }

    pub(super) fn recv_at(&self, site: Site) -> Result<T, RecvError> {
        match &self.source {
            Source::Channel { handle, inner } => {
                let wait = || inner.recv().map_err(|RecvError| Missed::Disconnected);
                handle.recv(false, site, || now(inner), wait).map_err(|_| RecvError)
            }
            Source::Time { inner, message } => inner.recv().map(message),
            Source::Never(inner) => inner.recv(),
        }
    }

    pub(super) fn try_recv_at(&self, site: Site) -> Result<T, TryRecvError> {
        match &self.source {
            Source::Channel { handle, inner } => handle.try_recv(site, || now(inner)).map_err(|missed| match missed {
                Missed::Empty => TryRecvError::Empty,
                Missed::Disconnected => TryRecvError::Disconnected,
            }),
            Source::Time { inner, message } => inner.try_recv().map(message),
            Source::Never(inner) => inner.try_recv(),
        }
    }

    fn recv_by(&self, deadline: Instant, site: Site) -> Result<T, RecvTimeoutError> {
        match &self.source {
            Source::Channel { handle, inner } => {
                let wait = || {
                    inner.recv_deadline(deadline).map_err(|error| match error {
                        RecvTimeoutError::Timeout => Missed::Empty,
                        RecvTimeoutError::Disconnected => Missed::Disconnected,
                    })
                };
                handle.recv(true, site, || now(inner), wait).map_err(|missed| match missed {
                    Missed::Empty => RecvTimeoutError::Timeout,
                    Missed::Disconnected => RecvTimeoutError::Disconnected,
                })
            }
            Source::Time { inner, message } => inner.recv_deadline(deadline).map(message),
            Source::Never(inner) => inner.recv_deadline(deadline),
        }
    }
}

impl Receiver<Instant> {
    pub(super) fn of_time(inner: real::Receiver<Instant>) -> Self {
        Self { source: Source::Time { inner, message: |instant| instant } }
    }
}

fn now<T>(inner: &real::Receiver<Envelope<T>>) -> Result<Envelope<T>, Missed> {
    inner.try_recv().map_err(|error| match error {
        TryRecvError::Empty => Missed::Empty,
        TryRecvError::Disconnected => Missed::Disconnected,
    })
}

impl<T> Clone for Receiver<T> {
    #[track_caller]
    fn clone(&self) -> Self {
        let source = match &self.source {
            Source::Channel { handle, inner } => {
                Source::Channel { handle: handle.another(Location::caller()), inner: inner.clone() }
            }
            Source::Time { inner, message } => Source::Time { inner: inner.clone(), message: *message },
            Source::Never(inner) => Source::Never(inner.clone()),
        };
        Self { source }
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
        each!(self, inner => fmt::Debug::fmt(inner, f))
    }
}
