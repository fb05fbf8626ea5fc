//! `std::sync::mpsc`, with channels that lockscope follows: write `use lockscope::sync::mpsc` for `use std::sync::mpsc`.
//!
//! Senders, receivers and their iterators have std's stable interface and wrap std's; errors are std's own types. Each
//! message bears a number, so that a recording says which send a receive got its message from, and reports know which
//! threads have a sender, or the receiver, of a channel that somebody waits for.
//!
//! Reports call a channel by the place where it was made; [`named`](crate::named) gives it a name:
//!
//! ```
//! use lockscope::named;
//!
//! let (sender, receiver) = named("jobs").sync_channel(8);
//! sender.send("sweep").unwrap();
//! assert_eq!(receiver.recv(), Ok("sweep"));
//! ```

mod iter;
mod receiver;
mod sender;

// Names below win over the glob's.
pub use std::sync::mpsc::*;

pub use self::{
    iter::{IntoIter, Iter, TryIter},
    receiver::Receiver,
    sender::{Sender, SyncSender},
};
use crate::rt::{self, ChannelOptions, Sharing};

/// Makes a channel without a limit: [`std::sync::mpsc::channel`].
///
/// ```
/// use lockscope::{sync::mpsc::channel, thread};
///
/// let (sender, receiver) = channel();
/// thread::spawn(move || sender.send(10).unwrap());
/// assert_eq!(receiver.recv(), Ok(10));
/// ```
#[must_use]
#[track_caller]
pub fn channel<T>() -> (Sender<T>, Receiver<T>) {
    named_channel(None)
}

/// Makes a channel that has room for `bound` messages: [`std::sync::mpsc::sync_channel`]. With a bound of 0 senders and receiver meet.
#[must_use]
#[track_caller]
pub fn sync_channel<T>(bound: usize) -> (SyncSender<T>, Receiver<T>) {
    named_sync_channel(None, bound)
}

#[track_caller]
pub(crate) fn named_channel<T>(name: Option<&'static str>) -> (Sender<T>, Receiver<T>) {
    let (to, from) = std::sync::mpsc::channel();
    let (sender, receiver) = rt::channel::<T>(ChannelOptions { name, bound: None }, Sharing::Moved);
    (Sender::new(sender, to), Receiver::new(receiver, from))
}

#[track_caller]
pub(crate) fn named_sync_channel<T>(name: Option<&'static str>, bound: usize) -> (SyncSender<T>, Receiver<T>) {
    let (to, from) = std::sync::mpsc::sync_channel(bound);
    let (sender, receiver) = rt::channel::<T>(ChannelOptions { name, bound: Some(bound) }, Sharing::Moved);
    (SyncSender::new(sender, to), Receiver::new(receiver, from))
}
