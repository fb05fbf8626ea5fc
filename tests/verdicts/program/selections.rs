//! Waits for several channels at once, and receivers that several threads have: crossbeam-channel's.

use std::{sync::Barrier, thread::sleep, time::Duration};

use lockscope::sync::Mutex;
use lockscope_crossbeam_channel::{Receiver, after, bounded, never, select, unbounded};

use crate::help::{join, lock, run};

/// Longer than what is merely suspicious has to last in process.
const LONG: Duration = Duration::from_millis(6500);

/// Selects while it holds what the sender of either channel needs. `other` is a third channel, which may help.
fn select_from_two<T: Send + 'static>(other: &Receiver<T>) {
    static STATE: Mutex<u8> = Mutex::new(0);
    static ALL: Barrier = Barrier::new(3);
    let ((to_one, one), (to_two, two)) = (unbounded::<u8>(), bounded::<u8>(0));
    let senders = [("first sender", to_one), ("second sender", to_two)].map(|(name, sender)| {
        run(name, move || {
            ALL.wait();
            let seen = *lock(&STATE);
            // When the other one was received, nobody waits for this one any more.
            let _ = sender.send(seen);
        })
    });
    let other = other.clone();
    let selects = run("selects", move || {
        let guard = lock(&STATE);
        ALL.wait();
        select! {
            recv(one) -> _ => {}
            recv(two) -> _ => {}
            recv(other) -> _ => {}
        }
        drop(guard);
    });
    join(senders.into_iter().chain([selects]));
}

pub fn select_nobody_sends() {
    select_from_two(&never::<u8>());
}

pub fn select_with_a_time_limit() {
    select_from_two(&after(LONG));
}

pub fn select_another_sends() {
    let (sender, receiver) = unbounded::<u8>();
    let sends = run("third sender", move || {
        sleep(LONG);
        sender.send(3).unwrap();
    });
    select_from_two(&receiver);
    join([sends]);
}

/// A send that holds what one of two receivers needs.
fn send_to_two(both_need_it: bool) {
    static STATE: Mutex<u8> = Mutex::new(0);
    static ALL: Barrier = Barrier::new(3);
    let (sender, receiver) = bounded::<u8>(1);
    let receivers = [("first receiver", true), ("second receiver", both_need_it)].map(|(name, needs_it)| {
        let receiver = receiver.clone();
        run(name, move || {
            receiver.recv().unwrap();
            ALL.wait();
            if needs_it {
                drop(lock(&STATE));
            } else {
                sleep(LONG);
            }
            while receiver.recv().is_ok() {}
        })
    });
    drop(receiver);
    let sends = run("sender", move || {
        (0..2).for_each(|n| sender.send(n).unwrap());
        let guard = lock(&STATE);
        ALL.wait();
        (0..2).for_each(|n| sender.send(n).unwrap());
        drop(guard);
    });
    join(receivers.into_iter().chain([sends]));
}

pub fn send_holding_what_both_receivers_need() {
    send_to_two(true);
}

pub fn send_holding_what_one_receiver_needs() {
    send_to_two(false);
}
