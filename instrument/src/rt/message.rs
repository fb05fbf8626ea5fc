//! Messages on their way through a channel: each bears the number of its send, so that the receive can name it.
//!
//! The order in which concurrent senders are counted need not be that in which their messages lie in the channel, so a number
//! that is not in the message itself would be a guess.

use super::{
    Act, Site,
    channel::Handle,
    global::{flag, flags},
    object::{block, note},
};

/// A message with its number, 0 when it was sent while nothing was recorded.
#[derive(Debug)]
pub struct Envelope<T> {
    number: u32,
    message: T,
}

/// Why a message was not sent, with the message.
#[derive(Debug)]
pub enum Refused<T> {
    /// There was no room, or not in time.
    Full(T),
    /// There are no receivers any more.
    Disconnected(T),
}

impl<T> Refused<T> {
    /// Does something to the message.
    pub fn map<U>(self, f: impl FnOnce(T) -> U) -> Refused<U> {
        match self {
            Refused::Full(message) => Refused::Full(f(message)),
            Refused::Disconnected(message) => Refused::Disconnected(f(message)),
        }
    }
}

/// Why nothing was received.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Missed {
    /// There was no message, or not in time.
    Empty,
    /// There is no message, and there are no senders any more.
    Disconnected,
}

/// A send that was noted. Dropped before it was done, also by panic, it is noted as failed.
#[derive(Debug)]
#[must_use = "a send that is not done is noted as failed"]
pub struct Sending<'a> {
    handle: &'a Handle,
    number: u32,
    site: Site,
}

impl Sending<'_> {
    /// The message in its envelope.
    pub fn envelope<T>(&self, message: T) -> Envelope<T> {
        Envelope { number: self.number, message }
    }

    /// The message was sent.
    #[inline]
    pub fn done(self) {
        std::mem::forget(self);
    }

    /// It was not, since nobody receives any more.
    pub fn disconnected(self) {
        note(self.handle.lock_ref(), Act::Disconnected, self.site);
    }
}

impl Drop for Sending<'_> {
    fn drop(&mut self) {
        if self.number != 0 {
            note(self.handle.lock_ref(), Act::SendFailed(self.number), self.site);
        }
    }
}

impl<T> Envelope<T> {
    /// The message alone, of which nothing is noted.
    #[inline]
    pub fn into_message(self) -> T {
        self.message
    }
}

impl Handle {
    /// Notes that a message is about to be sent.
    #[inline]
    pub fn sending(&self, site: Site) -> Sending<'_> {
        self.used(site);
        Sending { handle: self, number: note(self.lock_ref(), Act::Sent, site), site }
    }

    /// Sends a message if that can be done at once.
    ///
    /// # Errors
    ///
    /// As `send`.
    #[inline]
    pub fn try_send<T>(
        &self,
        message: T,
        site: Site,
        send: impl FnOnce(Envelope<T>) -> Result<(), Refused<Envelope<T>>>,
    ) -> Result<(), Refused<T>> {
        let sending = self.sending(site);
        let result = send(sending.envelope(message));
        ended(sending, result)
    }

    /// Sends a message: at once by `try_now`, else by `wait`, which ends by itself some time if it is `limited`.
    ///
    /// # Errors
    ///
    /// As `wait`.
    ///
    /// # Panics
    ///
    /// When the wait closes a deadlock that is certain, and the policy is to panic.
    pub fn send<T>(
        &self,
        message: T,
        limited: bool,
        site: Site,
        try_now: impl FnOnce(Envelope<T>) -> Result<(), Refused<Envelope<T>>>,
        wait: impl FnOnce(Envelope<T>) -> Result<(), Refused<Envelope<T>>>,
    ) -> Result<(), Refused<T>> {
        if flags() & flag::TRACK == 0 {
            return wait(Envelope { number: 0, message }).map_err(|refused| refused.map(Envelope::into_message));
        }
        let sending = self.sending(site);
        let result = match try_now(sending.envelope(message)) {
            Err(Refused::Full(envelope)) => {
                let timed_out = |result: &Result<_, _>| matches!(result, Err(Refused::Full(_)));
                block(&[(self.lock_ref(), self.needs())], limited, site, || wait(envelope), timed_out)
            }
            done => done,
        };
        ended(sending, result)
    }

    /// Notes that a message was received, and takes it out of its envelope.
    #[inline]
    pub fn received<T>(&self, envelope: Envelope<T>, site: Site) -> T {
        note(self.lock_ref(), Act::Received(envelope.number), site);
        envelope.message
    }

    /// Notes that the other side has no handles left.
    pub fn disconnected(&self, site: Site) {
        note(self.lock_ref(), Act::Disconnected, site);
    }

    /// Receives a message if there is one.
    ///
    /// # Errors
    ///
    /// As `receive`.
    #[inline]
    pub fn try_recv<T>(&self, site: Site, receive: impl FnOnce() -> Result<Envelope<T>, Missed>) -> Result<T, Missed> {
        self.used(site);
        self.opened(receive(), site)
    }

    /// Receives a message: at once by `try_now`, else by `wait`, which ends by itself some time if it is `limited`.
    ///
    /// # Errors
    ///
    /// As `wait`.
    ///
    /// # Panics
    ///
    /// As [`send`](Self::send).
    pub fn recv<T>(
        &self,
        limited: bool,
        site: Site,
        try_now: impl FnOnce() -> Result<Envelope<T>, Missed>,
        wait: impl FnOnce() -> Result<Envelope<T>, Missed>,
    ) -> Result<T, Missed> {
        if flags() & flag::TRACK == 0 {
            return wait().map(Envelope::into_message);
        }
        self.used(site);
        let received = match try_now() {
            Err(Missed::Empty) => {
                let timed_out = |result: &Result<_, _>| matches!(result, Err(Missed::Empty));
                block(&[(self.lock_ref(), self.needs())], limited, site, wait, timed_out)
            }
            done => done,
        };
        self.opened(received, site)
    }

    #[inline]
    fn opened<T>(&self, received: Result<Envelope<T>, Missed>, site: Site) -> Result<T, Missed> {
        match received {
            Ok(envelope) => Ok(self.received(envelope, site)),
            Err(missed) => {
                if missed == Missed::Disconnected {
                    self.disconnected(site);
                }
                Err(missed)
            }
        }
    }
}

/// Notes how a send ended.
#[inline]
fn ended<T>(sending: Sending<'_>, result: Result<(), Refused<Envelope<T>>>) -> Result<(), Refused<T>> {
    match &result {
        Ok(()) => sending.done(),
        Err(Refused::Disconnected(_)) => sending.disconnected(),
        Err(Refused::Full(_)) => drop(sending),
    }
    result.map_err(|refused| refused.map(Envelope::into_message))
}
