//! Waits for messages and for room.

use std::{
    sync::{
        Barrier,
        atomic::{AtomicBool, Ordering::SeqCst},
    },
    thread::sleep,
    time::Duration,
};

use lockscope::sync::Mutex;

use super::channels::{BoundedSender, bounded, unbounded};
use crate::help::{join, lock, run};

/// Longer than what is merely suspicious has to last in process.
const LONG: Duration = Duration::from_millis(6500);

/// The receiver has the lock that every sender needs first.
fn receive(holding: bool) {
    static STATE: Mutex<u8> = Mutex::new(0);
    static ALL: Barrier = Barrier::new(3);
    let (sender, receiver) = unbounded::<u8>();
    let send = |name| {
        let sender = sender.clone();
        run(name, move || {
            ALL.wait();
            let seen = *lock(&STATE);
            sender.send(seen).unwrap();
        })
    };
    let senders = [send("first sender"), send("second sender")];
    drop(sender);
    let receives = run("receiver", move || {
        let guard = holding.then(|| lock(&STATE));
        ALL.wait();
        receiver.recv().unwrap();
        receiver.recv().unwrap();
        drop(guard);
    });
    join(senders.into_iter().chain([receives]));
}

pub fn receive_holding() {
    receive(true);
}

pub fn receive_not_holding() {
    receive(false);
}

/// The same, but one of the senders does not need the lock. It takes its time, and has never sent before.
pub fn receive_holding_from_another() {
    static STATE: Mutex<u8> = Mutex::new(0);
    static BOTH: Barrier = Barrier::new(2);
    let (sender, receiver) = unbounded::<u8>();
    let (first, second) = (sender.clone(), sender);
    let needs_it = run("needs the lock", move || {
        first.send(1).unwrap();
        BOTH.wait();
        first.send(*lock(&STATE)).unwrap();
    });
    let does_not = run("does not", move || {
        sleep(LONG);
        second.send(2).unwrap();
    });
    let receives = run("receiver", move || {
        receiver.recv().unwrap();
        let guard = lock(&STATE);
        BOTH.wait();
        receiver.recv().unwrap();
        drop(guard);
        receiver.recv().unwrap();
    });
    join([needs_it, does_not, receives]);
}

/// The sender has the lock that the receiver needs before it receives again.
fn send(holding: bool, bound: usize) {
    static STATE: Mutex<u8> = Mutex::new(0);
    static BOTH: Barrier = Barrier::new(2);
    let (sender, receiver) = bounded::<u8>(bound);
    let receives = run("receiver", move || {
        receiver.recv().unwrap();
        BOTH.wait();
        for _ in 0..3 {
            let n = receiver.recv().unwrap();
            *lock(&STATE) += n;
        }
    });
    let sends = run("sender", move || {
        sender.send(1).unwrap();
        let guard = holding.then(|| lock(&STATE));
        BOTH.wait();
        (0..3).for_each(|n| sender.send(n).unwrap());
        drop(guard);
    });
    join([receives, sends]);
}

pub fn send_holding() {
    send(true, 1);
}

pub fn send_not_holding() {
    send(false, 1);
}

pub fn rendezvous_holding() {
    send(true, 0);
}

pub fn rendezvous_not_holding() {
    send(false, 0);
}

/// Two threads that first send to one another and then receive.
fn exchange(bound: usize) {
    let ((to_one, one), (to_two, two)) = (bounded::<u8>(bound), bounded::<u8>(bound));
    let threads = [
        run("one", move || {
            to_two.send(1).unwrap();
            one.recv().unwrap();
        }),
        run("two", move || {
            to_one.send(2).unwrap();
            two.recv().unwrap();
        }),
    ];
    join(threads);
}

pub fn both_send_first() {
    exchange(0);
}

pub fn both_send_first_with_room() {
    exchange(1);
}

/// A ring of stages without enough room: each waits for room at the next one.
fn feedback(bound: usize) {
    const WORK: usize = 4;
    let ((to_split, split), (to_merge, merge)) = (bounded::<usize>(bound), bounded::<usize>(bound));
    let splits = run("splits", move || {
        // Each piece of work makes two smaller ones.
        let mut left = WORK;
        while left > 0 {
            let size = split.recv().unwrap();
            left -= 1;
            for _ in 0..2 {
                to_merge.send(size / 2).unwrap();
            }
        }
    });
    let merges = run("merges", move || {
        (0..WORK).for_each(|size| to_split.send(size).unwrap());
        (0..2 * WORK).for_each(|_| _ = merge.recv().unwrap());
    });
    join([splits, merges]);
}

pub fn feedback_without_room() {
    feedback(1);
}

pub fn feedback_with_room() {
    feedback(8);
}

/// Waits for the end of all senders, one of which it has itself.
fn collect(keep: bool) {
    let (sender, receiver) = unbounded::<u8>();
    let workers = ["one", "two"].map(|name| {
        let sender = sender.clone();
        run(name, move || sender.send(1).unwrap())
    });
    let kept = keep.then_some(sender);
    assert_eq!(receiver.iter().sum::<u8>(), 2);
    drop(kept);
    join(workers);
}

pub fn own_sender_kept() {
    collect(true);
}

pub fn own_sender_dropped() {
    collect(false);
}

/// Workers without work, for longer than anything that is merely suspicious lasts.
pub fn idle_workers() {
    let (results, done) = unbounded::<u8>();
    let (channels, workers): (Vec<_>, Vec<_>) = ["one", "two", "three"]
        .map(|name| {
            let (jobs, to_do) = bounded::<u8>(1);
            let results = results.clone();
            (jobs, run(name, move || to_do.iter().for_each(|job| results.send(job + 1).unwrap())))
        })
        .into_iter()
        .unzip();
    drop(results);
    for round in 0..2 {
        channels.iter().for_each(|jobs| jobs.send(round).unwrap());
        (0..3).for_each(|_| assert_eq!(done.recv().unwrap(), round + 1));
        sleep(LONG * round.into());
    }
    drop(channels);
    join(workers);
}

/// The sender was used here, and then given to a thread that takes its time.
pub fn sender_given_away_after_use() {
    let (sender, receiver) = unbounded::<u8>();
    sender.send(0).unwrap();
    let worker = run("takes its time", move || {
        sleep(LONG);
        sender.send(1).unwrap();
    });
    assert_eq!(receiver.iter().sum::<u8>(), 1);
    join([worker]);
}

/// The same over std's threads and another channel: given away inside of a message.
pub fn sender_sent_away_after_use() {
    let (requests, to_do) = unbounded::<BoundedSender<u8>>();
    let server = run("server", move || {
        for reply in to_do {
            sleep(LONG);
            reply.send(1).unwrap();
        }
    });
    let (reply, replied) = bounded::<u8>(2);
    reply.send(0).unwrap();
    requests.send(reply).unwrap();
    assert_eq!(replied.iter().sum::<u8>(), 1);
    drop(requests);
    join([server]);
}

/// Several threads borrow one sender; the one that has not used it so far is the one that helps. For long this would be taken for a
/// deadlock, though not for a certain one: nothing tells that it borrows the sender.
pub fn sender_is_borrowed() {
    static STATE: Mutex<u8> = Mutex::new(0);
    static SENT: AtomicBool = AtomicBool::new(false);
    let (sender, receiver) = unbounded::<u8>();
    let sender: &'static _ = Box::leak(Box::new(sender));
    let borrows = run("borrows", || {
        sender.send(1).unwrap();
        while !SENT.load(SeqCst) {
            std::thread::yield_now();
        }
        *lock(&STATE) += 1;
    });
    let borrows_too = run("borrows too", || {
        sleep(LONG / 4);
        sender.send(2).unwrap();
    });
    let receives = run("receiver", move || {
        receiver.recv().unwrap();
        let guard = lock(&STATE);
        SENT.store(true, SeqCst);
        receiver.recv().unwrap();
        drop(guard);
    });
    join([borrows, borrows_too, receives]);
}

/// A mutex that protects a receiver is held while it waits for messages; nobody who sends needs it.
pub fn receiver_in_a_mutex() {
    static TAKEN: Mutex<u32> = Mutex::new(0);
    let (jobs, to_do) = unbounded::<u8>();
    let to_do: &'static Mutex<_> = Box::leak(Box::new(Mutex::new(to_do)));
    let workers = ["one", "two"].map(|name| {
        run(name, move || {
            while lock(to_do).recv().is_ok() {
                *lock(&TAKEN) += 1;
            }
        })
    });
    (0..10).for_each(|n| jobs.send(n).unwrap());
    sleep(LONG);
    drop(jobs);
    join(workers);
    assert_eq!(*lock(&TAKEN), 10);
}
