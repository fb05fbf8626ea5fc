//! std's iterators over messages.
//!
//! What is received through one was received where the iterator was made: `next` is called by loops and by std's
//! adaptors, whose places say nothing.

use std::fmt;

use super::Receiver;
use crate::rt::Site;

/// Messages as they come, until all senders are gone: [`std::sync::mpsc::Iter`].
pub struct Iter<'a, T: 'a> {
    rx: &'a Receiver<T>,
    site: Site,
}

/// The messages that are there, without waiting: [`std::sync::mpsc::TryIter`].
pub struct TryIter<'a, T: 'a> {
    rx: &'a Receiver<T>,
    site: Site,
}

/// Messages as they come, of a receiver that it owns: [`std::sync::mpsc::IntoIter`].
pub struct IntoIter<T> {
    rx: Receiver<T>,
    site: Site,
}

impl<'a, T> Iter<'a, T> {
    pub(super) fn new(rx: &'a Receiver<T>, site: Site) -> Self {
        Self { rx, site }
    }
}

impl<'a, T> TryIter<'a, T> {
    pub(super) fn new(rx: &'a Receiver<T>, site: Site) -> Self {
        Self { rx, site }
    }
}

impl<T> IntoIter<T> {
    pub(super) fn new(rx: Receiver<T>, site: Site) -> Self {
        Self { rx, site }
    }
}

impl<T> Iterator for Iter<'_, T> {
    type Item = T;

    fn next(&mut self) -> Option<T> {
        self.rx.recv_at(self.site).ok()
    }
}

impl<T> Iterator for TryIter<'_, T> {
    type Item = T;

    fn next(&mut self) -> Option<T> {
        self.rx.try_recv_at(self.site).ok()
    }
}

impl<T> Iterator for IntoIter<T> {
    type Item = T;

    fn next(&mut self) -> Option<T> {
        self.rx.recv_at(self.site).ok()
    }
}

impl<T> fmt::Debug for Iter<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Iter").field("rx", self.rx).finish()
    }
}

impl<T> fmt::Debug for TryIter<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TryIter").field("rx", self.rx).finish()
    }
}

impl<T> fmt::Debug for IntoIter<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("IntoIter").field("rx", &self.rx).finish()
    }
}
