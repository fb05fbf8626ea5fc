//! Off is nothing: the facade's types are crossbeam-channel's own.
//!
//! Runs in release builds without the feature `force`, and with `RUSTFLAGS="--cfg lockscope_off"`.
#![cfg(any(lockscope_off, not(any(debug_assertions, feature = "force"))))]

use std::any::TypeId;

/// Compares types by identity. The list is every type that crossbeam-channel exports.
macro_rules! same {
    ($($type:ident $(<$($arg:tt),+>)?),+ $(,)?) => { $(
        assert_eq!(
            TypeId::of::<lockscope_crossbeam_channel::$type $(<$($arg),+>)?>(),
            TypeId::of::<crossbeam_channel::$type $(<$($arg),+>)?>(),
            stringify!($type),
        );
    )+ };
}

#[test]
fn same_types() {
    same!(Sender<u8>, Receiver<u8>, IntoIter<u8>, Iter<'static, u8>, TryIter<'static, u8>);
    same!(Select<'static>, SelectedOperation<'static>);
    same!(SendError<u8>, TrySendError<u8>, SendTimeoutError<u8>, RecvError, TryRecvError, RecvTimeoutError);
    same!(TrySelectError, SelectTimeoutError, TryReadyError, ReadyTimeoutError);
}

#[test]
fn same_functions_and_macros() {
    let (sender, receiver): (crossbeam_channel::Sender<u8>, crossbeam_channel::Receiver<u8>) =
        lockscope_crossbeam_channel::bounded(1);
    lockscope_crossbeam_channel::select! { send(sender, 1) -> sent => sent.unwrap() }
    crossbeam_channel::select_biased! { recv(receiver) -> got => assert_eq!(got, Ok(1)) }
}

#[test]
fn named_channels_are_plain_channels() {
    let (sender, receiver): (crossbeam_channel::Sender<u8>, _) = lockscope_crossbeam_channel::named("jobs").bounded(1);
    sender.send(1).unwrap();
    assert_eq!((receiver.recv(), size_of_val(&sender)), (Ok(1), size_of::<crossbeam_channel::Sender<u8>>()));
}
