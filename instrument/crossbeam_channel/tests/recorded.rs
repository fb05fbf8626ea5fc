//! What the facade tells the runtime, as read back from a trace.
#![cfg(all(not(lockscope_off), any(debug_assertions, feature = "force")))]

use std::{
    collections::{BTreeMap, HashSet},
    thread,
    time::Duration,
};

use lockscope_crossbeam_channel::{Receiver, Select, Sender, after, bounded, named, select, unbounded};
use lockscope_trace::Op;
use recording::Scenario;

#[path = "../../tests/support/recording.rs"]
#[allow(dead_code, reason = "not every test needs all of the support")]
mod recording;

const LIMIT: Duration = Duration::from_millis(1);

#[test]
fn recorded() {
    recording::check("recorded", "recorded.rs", CHANNELS);
}

const CHANNELS: &[Scenario] = &[
    (
        "unbounded",
        |name| {
            let (sender, receiver) = named(name).unbounded();
            sender.send(1).unwrap();
            drop((sender.clone(), receiver.clone()));
            assert_eq!(receiver.iter().next(), Some(1));
            assert!(receiver.try_recv().is_err());
            drop(sender);
            assert!(receiver.recv().is_err());
        },
        "sender added; receiver added; sent 3; sender added; receiver added; sender dropped; receiver dropped;
         received 3; sender dropped; disconnected; receiver dropped; destroyed",
    ),
    (
        "bounded",
        |name| {
            let (sender, receiver) = named(name).bounded(1);
            sender.send(1).unwrap();
            assert!(sender.try_send(2).is_err() && sender.send_timeout(3, LIMIT).is_err());
            assert_eq!(receiver.recv_timeout(LIMIT), Ok(1));
            assert!(receiver.recv_timeout(LIMIT).is_err());
            drop(receiver);
            assert!(sender.send(3).is_err());
        },
        "sender added; receiver added; sent 3; sent 4; send-failed 4; sent 5; block for room limited; unblock timed-out;
         send-failed 5; received 3; block for message limited; unblock timed-out; receiver dropped; sent 8; disconnected;
         send-failed 8; sender dropped; destroyed",
    ),
    (
        "selected",
        |name| {
            let (sender, receiver) = named(name).bounded(1);
            let (_others, other) = unbounded::<u8>();
            select! {
                recv(receiver) -> _ => unreachable!(),
                recv(other) -> _ => unreachable!(),
                default => {}
            }
            select! {
                recv(receiver) -> _ => unreachable!(),
                recv(other) -> _ => unreachable!(),
                send(sender, 1) -> sent => sent.unwrap(),
            }
            select! {
                send(sender, 2) -> _ => unreachable!(),
                recv(other) -> _ => unreachable!(),
                default(LIMIT) => {}
            }
            select! {
                send(sender, 2) -> _ => unreachable!(),
                recv(after(LIMIT)) -> _ => {}
            }
            let mut list = Select::new();
            list.recv(&receiver);
            list.recv(&other);
            assert_eq!(list.select().recv(&receiver), Ok(1));
            assert!(list.ready_timeout(LIMIT).is_err());
            drop(sender);
            assert!(list.select().recv(&receiver).is_err());
        },
        "sender added; receiver added; sent 3; block for room limited; unblock timed-out; block for room limited; unblock;
         received 3; block for message limited; unblock timed-out; sender dropped; disconnected; receiver dropped;
         destroyed",
    ),
];

/// A wait for several channels names all of them, before it and all at once.
#[test]
fn a_selection_waits_for_all() {
    let recording = recording::record_events("a_selection_waits_for_all", || {
        let ((one, ones), (_two, twos), (three, _threes)) = (bounded(0), unbounded::<u8>(), bounded(1));
        three.send(0).unwrap();
        thread::scope(|scope| {
            scope.spawn(|| {
                select! {
                    recv(ones) -> n => assert_eq!(n, Ok(1)),
                    recv(twos) -> _ => unreachable!(),
                    send(three, 1) -> _ => unreachable!(),
                }
            });
            // Not before the other thread waits.
            while one.try_send(1).is_err() {
                thread::yield_now();
            }
        });
    });
    let Some((events, defs)) = recording else { return };
    let thread = events.iter().find(|event| matches!(event.op, Op::Block { .. })).expect("it waits").thread;
    let of_thread: Vec<_> = events.iter().filter(|event| event.thread == thread).collect();
    let waits: Vec<_> = of_thread
        .iter()
        .filter_map(|event| match event.op {
            Op::Block { object, need, limited } => Some((object, need.word(), limited)),
            _ => None,
        })
        .collect();
    let [ones, twos, threes] = &*waits else { panic!("{waits:?}") };
    assert_eq!([ones.1, twos.1, threes.1], ["message", "message", "room"]);
    assert!(waits.iter().all(|wait| !wait.2) && waits.iter().map(|wait| wait.0).collect::<HashSet<_>>().len() == 3);
    let names: Vec<_> = of_thread.iter().map(|event| event.op.name()).collect();
    let first = names.iter().position(|&name| name == "block").unwrap();
    assert_eq!(names[first..first + 5], ["block", "block", "block", "unblock", "received"]);
    let capacities: Vec<_> = waits.iter().map(|wait| defs.lock(wait.0).unwrap().capacity).collect();
    assert_eq!(capacities, [Some(0), None, Some(1)]);
}

const THREADS: usize = 4;
const MESSAGES: usize = 2_000;

/// Many send to many, half of them by selections. Every receive names its send, which came before, and no other receive does; counts
/// have no holes.
#[test]
fn many_to_many() {
    let recording = recording::record_events("many_to_many", || {
        for (a, b) in [(unbounded(), bounded(0)), (bounded(1), bounded(50))] {
            crowd(&a, &b);
        }
    });
    let Some((events, _)) = recording else { return };
    let mut counts = BTreeMap::new();
    let (mut under_way, mut received) = (HashSet::new(), 0);
    for event in &events {
        let Some(channel) = event.op.lock() else { continue };
        if let Some(count) = event.op.count() {
            let previous = counts.insert(channel, count).unwrap_or(0);
            assert_eq!(count, previous + 1, "{event:?}");
        }
        match event.op {
            Op::Sent { count, .. } => assert!(under_way.insert((channel, count))),
            Op::SendFailed { message, .. } => assert!(under_way.remove(&(channel, message))),
            Op::Received { message, .. } => {
                assert!(under_way.remove(&(channel, message)), "{event:?}");
                received += 1;
            }
            _ => {}
        }
    }
    assert_eq!((received, under_way.len(), counts.len()), (2 * THREADS * MESSAGES, 0, 4));
}

type Channel = (Sender<usize>, Receiver<usize>);

fn crowd(a: &Channel, b: &Channel) {
    let total: usize = thread::scope(|scope| {
        for index in 0..THREADS {
            scope.spawn(move || {
                for n in 0..MESSAGES {
                    if index % 2 == 0 {
                        select! {
                            send(a.0, n) -> sent => sent.unwrap(),
                            send(b.0, n) -> sent => sent.unwrap(),
                        }
                    } else if n % 2 == 0 {
                        a.0.send(n).unwrap();
                    } else if b.0.try_send(n).is_err() {
                        b.0.send(n).unwrap();
                    }
                }
            });
        }
        let receive = || {
            (0..MESSAGES).map(|_| select! { recv(a.1) -> n => n.unwrap(), recv(b.1) -> n => n.unwrap() }).sum::<usize>()
        };
        let receivers: Vec<_> = (0..THREADS).map(|_| scope.spawn(receive)).collect();
        receivers.into_iter().map(|receiver| receiver.join().unwrap()).sum()
    });
    assert_eq!(total, THREADS * (0..MESSAGES).sum::<usize>());
}
