//! std's senders.

use std::{
    fmt,
    panic::Location,
    sync::mpsc::{self, SendError, TrySendError},
};

use crate::rt::{Envelope, Handle, Refused};

/// Sends into a channel without a limit, never waiting: [`std::sync::mpsc::Sender`], followed by lockscope.
pub struct Sender<T> {
    // Before `inner`: see `Handle`.
    handle: Handle,
    inner: mpsc::Sender<Envelope<T>>,
}

impl<T> Sender<T> {
    pub(super) fn new(handle: Handle, inner: mpsc::Sender<Envelope<T>>) -> Self {
        Self { handle, inner }
    }

    /// Sends a message.
    ///
    /// # Errors
    ///
    /// When the receiver is gone; the error holds the message.
    #[track_caller]
    pub fn send(&self, t: T) -> Result<(), SendError<T>> {
        self.handle
            .try_send(t, Location::caller(), |envelope| self.inner.send(envelope).map_err(refused))
            .map_err(unsent)
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

/// Sends into a channel with a bound, waiting for room: [`std::sync::mpsc::SyncSender`], followed by lockscope.
pub struct SyncSender<T> {
    // Before `inner`: see `Handle`.
    handle: Handle,
    inner: mpsc::SyncSender<Envelope<T>>,
}

impl<T> SyncSender<T> {
    pub(super) fn new(handle: Handle, inner: mpsc::SyncSender<Envelope<T>>) -> Self {
        Self { handle, inner }
    }

    /// Sends a message, waiting for room; with a bound of 0, for the receiver.
    ///
    /// # Errors
    ///
    /// When the receiver is gone; the error holds the message.
    #[track_caller]
    pub fn send(&self, t: T) -> Result<(), SendError<T>> {
        let try_now = |envelope| self.inner.try_send(envelope).map_err(try_refused);
        let wait = |envelope| self.inner.send(envelope).map_err(refused);
        self.handle.send(t, false, Location::caller(), try_now, wait).map_err(unsent)
    }

    /// Sends a message if there is room; with a bound of 0, if the receiver waits.
    ///
    /// # Errors
    ///
    /// When there is no room, or the receiver is gone; the error holds the message.
    #[track_caller]
    pub fn try_send(&self, t: T) -> Result<(), TrySendError<T>> {
        let try_now = |envelope| self.inner.try_send(envelope).map_err(try_refused);
        self.handle.try_send(t, Location::caller(), try_now).map_err(|refused| match refused {
            Refused::Full(message) => TrySendError::Full(message),
            Refused::Disconnected(message) => TrySendError::Disconnected(message),
        })
    }
}

impl<T> Clone for SyncSender<T> {
    #[track_caller]
    fn clone(&self) -> Self {
        Self { handle: self.handle.another(Location::caller()), inner: self.inner.clone() }
    }
}

impl<T> fmt::Debug for SyncSender<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.inner, f)
    }
}

fn refused<M>(error: SendError<M>) -> Refused<M> {
    Refused::Disconnected(error.0)
}

fn try_refused<M>(error: TrySendError<M>) -> Refused<M> {
    match error {
        TrySendError::Full(message) => Refused::Full(message),
        TrySendError::Disconnected(message) => Refused::Disconnected(message),
    }
}

/// The error of a send that waits for as long as it takes, so that it fails only when nobody receives.
fn unsent<T>(refused: Refused<T>) -> SendError<T> {
    let (Refused::Full(message) | Refused::Disconnected(message)) = refused;
    SendError(message)
}
