//! Iterators over messages.
//!
//! What is received through one was received where the iterator was made: `next` is called by loops and by std's
//! adaptors, whose places say nothing.

use std::{fmt, iter::FusedIterator};

use lockscope::rt::Site;

use super::Receiver;

/// Messages as they come, until all senders are gone.
pub struct Iter<'a, T> {
    receiver: &'a Receiver<T>,
    site: Site,
}

/// The messages that are there, without waiting.
pub struct TryIter<'a, T> {
    receiver: &'a Receiver<T>,
    site: Site,
}

/// Messages as they come, of a receiver that it owns.
pub struct IntoIter<T> {
    receiver: Receiver<T>,
    site: Site,
}

impl<'a, T> Iter<'a, T> {
    pub(super) fn new(receiver: &'a Receiver<T>, site: Site) -> Self {
        Self { receiver, site }
    }
}

impl<'a, T> TryIter<'a, T> {
    pub(super) fn new(receiver: &'a Receiver<T>, site: Site) -> Self {
        Self { receiver, site }
    }
}

impl<T> IntoIter<T> {
    pub(super) fn new(receiver: Receiver<T>, site: Site) -> Self {
        Self { receiver, site }
    }
}

impl<T> Iterator for Iter<'_, T> {
    type Item = T;

    fn next(&mut self) -> Option<T> {
        self.receiver.recv_at(self.site).ok()
    }
}

impl<T> Iterator for TryIter<'_, T> {
    type Item = T;

    fn next(&mut self) -> Option<T> {
        self.receiver.try_recv_at(self.site).ok()
    }
}

impl<T> Iterator for IntoIter<T> {
    type Item = T;

    fn next(&mut self) -> Option<T> {
        self.receiver.recv_at(self.site).ok()
    }
}

impl<T> FusedIterator for Iter<'_, T> {}
impl<T> FusedIterator for IntoIter<T> {}

impl<T> fmt::Debug for Iter<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad("Iter { .. }")
    }
}

impl<T> fmt::Debug for TryIter<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad("TryIter { .. }")
    }
}

impl<T> fmt::Debug for IntoIter<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad("IntoIter { .. }")
    }
}
