//! crossbeam-channel's interface over the runtime.

mod iter;
mod receiver;
mod select;
mod sender;

use std::time::{Duration, Instant};

use lockscope::rt::{self, ChannelOptions, Sharing};

pub use crossbeam_channel::{
    ReadyTimeoutError, RecvError, RecvTimeoutError, SelectTimeoutError, SendError, SendTimeoutError, TryReadyError,
    TryRecvError, TrySelectError, TrySendError,
};

pub use self::{
    iter::{IntoIter, Iter, TryIter},
    receiver::Receiver,
    select::{Select, SelectedOperation},
    sender::Sender,
};

/// Makes a channel without a limit.
///
/// ```
/// use lockscope_crossbeam_channel::unbounded;
///
/// let (sender, receiver) = unbounded();
/// std::thread::spawn(move || sender.send(10).unwrap());
/// assert_eq!(receiver.recv(), Ok(10));
/// ```
#[track_caller]
pub fn unbounded<T>() -> (Sender<T>, Receiver<T>) {
    named_unbounded(None)
}

/// Makes a channel that has room for `cap` messages. With a capacity of 0 a send and a receive meet.
///
/// # Panics
///
/// When `cap` is too large.
#[track_caller]
pub fn bounded<T>(cap: usize) -> (Sender<T>, Receiver<T>) {
    named_bounded(None, cap)
}

#[track_caller]
pub(crate) fn named_unbounded<T>(name: Option<&'static str>) -> (Sender<T>, Receiver<T>) {
    let (to, from) = crossbeam_channel::unbounded();
    let (sender, receiver) = rt::channel::<T>(ChannelOptions { name, bound: None }, Sharing::Borrowed);
    (Sender::new(sender, to), Receiver::new(receiver, from))
}

#[track_caller]
pub(crate) fn named_bounded<T>(name: Option<&'static str>, cap: usize) -> (Sender<T>, Receiver<T>) {
    let (to, from) = crossbeam_channel::bounded(cap);
    let (sender, receiver) = rt::channel::<T>(ChannelOptions { name, bound: Some(cap) }, Sharing::Borrowed);
    (Sender::new(sender, to), Receiver::new(receiver, from))
}

/// Makes a receiver that delivers one message, the current instant, after `duration`.
pub fn after(duration: Duration) -> Receiver<Instant> {
    Receiver::of_time(crossbeam_channel::after(duration))
}

/// Makes a receiver that delivers one message, `when`, at that instant.
pub fn at(when: Instant) -> Receiver<Instant> {
    Receiver::of_time(crossbeam_channel::at(when))
}

/// Makes a receiver that delivers the current instant in intervals of `duration`.
pub fn tick(duration: Duration) -> Receiver<Instant> {
    Receiver::of_time(crossbeam_channel::tick(duration))
}

/// Makes a receiver that never delivers anything.
pub const fn never<T>() -> Receiver<T> {
    Receiver::never(crossbeam_channel::never())
}
