//! Names for channels, in builds with lockscope and without.

use crate::{Receiver, Sender};

/// Starts a channel that reports call by this name.
///
/// ```
/// use lockscope_crossbeam_channel::named;
///
/// let (sender, receiver) = named("results").unbounded();
/// sender.send(1).unwrap();
/// assert_eq!(receiver.recv(), Ok(1));
/// ```
pub const fn named(name: &'static str) -> Label {
    Label { name }
}

/// Name of a channel to be made; see [`named`].
///
/// The channel's place of creation is the call of [`bounded`](Self::bounded) or [`unbounded`](Self::unbounded).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[must_use = "a label alone makes no channel: call `bounded` or `unbounded`"]
pub struct Label {
    name: &'static str,
}

impl Label {
    /// Makes a channel without a limit; [`unbounded`](crate::unbounded) with this name.
    #[track_caller]
    pub fn unbounded<T>(self) -> (Sender<T>, Receiver<T>) {
        #[cfg(all(not(lockscope_off), any(debug_assertions, feature = "force")))]
        return crate::instrumented::named_unbounded(Some(self.name));
        #[cfg(not(all(not(lockscope_off), any(debug_assertions, feature = "force"))))]
        return crate::unbounded();
    }

    /// Makes a channel with room for `cap` messages; [`bounded`](crate::bounded) with this name.
    ///
    /// # Panics
    ///
    /// When `cap` is too large.
    #[track_caller]
    pub fn bounded<T>(self, cap: usize) -> (Sender<T>, Receiver<T>) {
        #[cfg(all(not(lockscope_off), any(debug_assertions, feature = "force")))]
        return crate::instrumented::named_bounded(Some(self.name), cap);
        #[cfg(not(all(not(lockscope_off), any(debug_assertions, feature = "force"))))]
        return crate::bounded(cap);
    }
}
