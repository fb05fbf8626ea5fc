//! Messages and room for them.

use lockscope::sync::mpsc;

use super::{Sleeper, busy, lock};
use crate::scenarios::plain;

/// Holds what every sender needs while it receives.
fn receive(hold_while_waiting: bool) {
    let (state, receiver_sleeps) = (lock("state"), Sleeper::leaked());
    let (sender, receiver) = mpsc::channel::<u8>();
    let senders: Vec<_> = ["first sender", "second sender"]
        .map(|name| {
            let sender = sender.clone();
            plain(name, move || {
                sender.send(0).unwrap();
                receiver_sleeps.await_sleep();
                let guard = state.lock().unwrap();
                sender.send(*guard).unwrap();
            })
        })
        .into();
    drop(sender);
    let receives = plain("receiver", move || {
        // Both have used their senders.
        receiver.recv().unwrap();
        receiver.recv().unwrap();
        let guard = state.lock().unwrap();
        let guard = hold_while_waiting.then_some(guard);
        receiver_sleeps.me();
        receiver.recv().unwrap();
        receiver.recv().unwrap();
        drop(guard);
    });
    receives.join().unwrap();
    senders.into_iter().for_each(|sender| sender.join().unwrap());
}

pub fn receive_while_holding() {
    receive(true);
}

/// The same while another thread runs, which has nothing to do with it: as good as certain.
pub fn receive_while_holding_among_others() {
    busy();
    receive(true);
}

pub fn receive_without_holding() {
    receive(false);
}

/// Holds what the receiver needs while it sends into a channel that is full.
fn send(hold_while_waiting: bool) {
    let (state, sender_sleeps) = (lock("state"), Sleeper::leaked());
    let (sender, receiver) = mpsc::sync_channel::<u8>(1);
    let receives = plain("receiver", move || {
        receiver.recv().unwrap();
        sender_sleeps.await_sleep();
        for _ in 0..2 {
            let guard = state.lock().unwrap();
            receiver.recv().unwrap();
            drop(guard);
        }
    });
    let sends = plain("sender", move || {
        sender.send(0).unwrap();
        let guard = state.lock().unwrap();
        let guard = hold_while_waiting.then_some(guard);
        sender_sleeps.me();
        sender.send(1).unwrap();
        sender.send(2).unwrap();
        drop(guard);
    });
    sends.join().unwrap();
    receives.join().unwrap();
}

pub fn send_while_holding() {
    send(true);
}

pub fn send_without_holding() {
    send(false);
}

/// The last sender is with the receiver itself.
pub fn receive_from_oneself() {
    let (sender, receiver) = mpsc::channel::<u8>();
    sender.send(1).unwrap();
    while receiver.recv().is_ok() {}
    drop(sender);
}

pub fn receive_from_oneself_dropped() {
    let (sender, receiver) = mpsc::channel::<u8>();
    sender.send(1).unwrap();
    drop(sender);
    while receiver.recv().is_ok() {}
}
