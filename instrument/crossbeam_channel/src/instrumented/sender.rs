//! Where messages are sent.

use std::{
    fmt,
    panic::Location,
    time::{Duration, Instant},
};

use crossbeam_channel as real;
use lockscope::rt::{Envelope, Handle, Refused, Site};

use super::{SendError, SendTimeoutError, TrySendError};

/// Sends into a channel: crossbeam-channel's `Sender`, followed by lockscope.
pub struct Sender<T> {
    // Before `inner`: see `Handle`.
    pub(super) handle: Handle,
    pub(super) inner: real::Sender<Envelope<T>>,
}

impl<T> Sender<T> {
    pub(super) fn new(handle: Handle, inner: real::Sender<Envelope<T>>) -> Self {
        Self { handle, inner }
    }

    /// Sends a message if there is room; into a channel without capacity, if somebody waits for it.
    ///
    /// # Errors
    ///
    /// When there is no room, or all receivers are gone; the error holds the message.
    #[track_caller]
    pub fn try_send(&self, msg: T) -> Result<(), TrySendError<T>> {
        let refused = self.handle.try_send(msg, Location::caller(), |envelope| self.now(envelope));
        refused.map_err(|refused| match refused {
            Refused::Full(message) => TrySendError::Full(message),
            Refused::Disconnected(message) => TrySendError::Disconnected(message),
        })
    }

    /// Sends a message, waiting for room; into a channel without capacity, for somebody who receives it.
    ///
    /// # Errors
    ///
    /// When all receivers are gone; the error holds the message.
    #[track_caller]
    pub fn send(&self, msg: T) -> Result<(), SendError<T>> {
        let wait = |envelope| self.inner.send(envelope).map_err(|SendError(envelope)| Refused::Disconnected(envelope));
        let refused = self.handle.send(msg, false, Location::caller(), |envelope| self.now(envelope), wait);
        refused.map_err(|refused| {
            let (Refused::Full(message) | Refused::Disconnected(message)) = refused;
            SendError(message)
        })
    }

    /// [`send`](Self::send), waiting for `timeout` at most.
    ///
    /// # Errors
    ///
    /// When there was no room in time, or all receivers are gone; the error holds the message.
    #[track_caller]
    pub fn send_timeout(&self, msg: T, timeout: Duration) -> Result<(), SendTimeoutError<T>> {
        match Instant::now().checked_add(timeout) {
            Some(deadline) => self.send_by(msg, deadline, Location::caller()),
            None => self.send(msg).map_err(SendTimeoutError::from),
        }
    }

    /// [`send`](Self::send), waiting until `deadline` at most.
    ///
    /// # Errors
    ///
    /// As [`send_timeout`](Self::send_timeout).
    #[track_caller]
    pub fn send_deadline(&self, msg: T, deadline: Instant) -> Result<(), SendTimeoutError<T>> {
        self.send_by(msg, deadline, Location::caller())
    }

    /// Whether there are no messages in the channel. Without capacity there never are.
    pub fn is_empty(&self) -> bool {
        self.inner.is_empty()
    }

    /// Whether there is no room in the channel. Without capacity there never is.
    pub fn is_full(&self) -> bool {
        self.inner.is_full()
    }

    /// How many messages are in the channel.
    pub fn len(&self) -> usize {
        self.inner.len()
    }

    /// How many messages the channel has room for; `None` without limit.
    pub fn capacity(&self) -> Option<usize> {
        self.inner.capacity()
    }

    /// Whether both send into the same channel.
    pub fn same_channel(&self, other: &Sender<T>) -> bool {
        self.inner.same_channel(&other.inner)
    }

    fn send_by(&self, msg: T, deadline: Instant, site: Site) -> Result<(), SendTimeoutError<T>> {
        let wait = |envelope| {
            self.inner.send_deadline(envelope, deadline).map_err(|error| match error {
                SendTimeoutError::Timeout(envelope) => Refused::Full(envelope),
                SendTimeoutError::Disconnected(envelope) => Refused::Disconnected(envelope),
            })
        };
        let refused = self.handle.send(msg, true, site, |envelope| self.now(envelope), wait);
        refused.map_err(|refused| match refused {
            Refused::Full(message) => SendTimeoutError::Timeout(message),
            Refused::Disconnected(message) => SendTimeoutError::Disconnected(message),
        })
    }

    fn now(&self, envelope: Envelope<T>) -> Result<(), Refused<Envelope<T>>> {
        self.inner.try_send(envelope).map_err(|error| match error {
            TrySendError::Full(envelope) => Refused::Full(envelope),
            TrySendError::Disconnected(envelope) => Refused::Disconnected(envelope),
        })
    }
}

impl<T> Clone for Sender<T> {
    #[track_caller]
    fn clone(&self) -> Self {
        Self { handle: self.handle.another(Location::caller()), inner: self.inner.clone() }
    }
}

impl<T> fmt::Debug for Sender<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.inner, f)
    }
}
