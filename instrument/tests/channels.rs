//! What channels tell the runtime, as read back from a trace.
#![cfg(all(not(lockscope_off), any(debug_assertions, feature = "force")))]

use std::{
    collections::{BTreeMap, HashMap},
    sync::mpsc::{RecvTimeoutError, TrySendError},
    time::Duration,
};

use lockscope::{
    named,
    sync::mpsc::Receiver,
    thread::{self, Builder},
};
use lockscope_trace::{LockId, Op, Side, ThreadId};
use recording::Scenario;

#[path = "support/recording.rs"]
mod recording;

#[test]
fn recorded() {
    recording::check("recorded", "channels.rs", CHANNELS);
}

const CHANNELS: &[Scenario] = &[
    (
        "unbounded",
        |name| {
            let (sender, receiver) = named(name).channel();
            sender.send(1).unwrap();
            drop(sender.clone());
            assert_eq!(receiver.recv(), Ok(1));
            assert!(receiver.try_recv().is_err());
            drop(sender);
            assert!(receiver.recv().is_err());
        },
        "sender added; receiver added; sent 3; sender added; sender dropped; received 3; sender dropped; disconnected;
         receiver dropped; destroyed",
    ),
    (
        "bounded",
        |name| {
            let (sender, receiver) = named(name).sync_channel(1);
            sender.send(1).unwrap();
            assert_eq!(sender.try_send(2), Err(TrySendError::Full(2)));
            assert_eq!(receiver.iter().next(), Some(1));
            assert_eq!(receiver.recv_timeout(Duration::from_millis(1)), Err(RecvTimeoutError::Timeout));
            drop(receiver);
            assert!(sender.send(3).is_err());
        },
        "sender added; receiver added; sent 3; sent 4; send-failed 4; received 3; block for message limited;
         unblock timed-out; receiver dropped; sent 7; disconnected; send-failed 7; sender dropped; destroyed",
    ),
    (
        "left in the channel",
        |name| {
            let (sender, receiver) = named(name).channel();
            sender.send(1).unwrap();
            drop(receiver);
        },
        "sender added; receiver added; sent 3; receiver dropped; sender dropped; destroyed",
    ),
];

/// Runs a thread and waits for its end.
fn run(name: &str, f: impl FnOnce() + Send + 'static) {
    Builder::new().name(name.into()).spawn(f).expect("a thread").join().expect("it does not panic");
}

#[test]
fn handles_go_to_who_uses_them() {
    let recording = recording::record("handles_go_to_who_uses_them", "channels.rs", || {
        run("maker", || {
            let (sender, receiver) = named("given").channel();
            run("user", move || sender.send(1).unwrap());
            let receiver = {
                let (back, from) = std::sync::mpsc::channel();
                run("first receiver", move || {
                    receiver.recv().unwrap();
                    back.send(receiver).unwrap();
                });
                from.recv().unwrap()
            };
            run("second receiver", move || assert!(receiver.recv().is_err()));
        });
        run("maker", || {
            let (sender, receiver) = named("borrowed").channel();
            sender.send(1).unwrap();
            thread::scope(|scope| scope.spawn(|| sender.send(2).unwrap()).join().unwrap());
            thread::scope(|scope| scope.spawn(|| sender.send(3).unwrap()).join().unwrap());
            assert_eq!(receiver.try_iter().sum::<i32>(), 6);
        });
    });
    let Some(recording) = recording else { return };
    assert_eq!(
        recording.locks["given"],
        "sender added; receiver added; sender added; sender dropped for maker; sent 5; sender dropped; \
         receiver added; receiver dropped for maker; received 5; receiver added; \
         receiver dropped for first receiver; disconnected; receiver dropped; destroyed"
    );
    let borrowed = recording.locks["borrowed"].replace(char::is_numeric, "");
    assert_eq!(
        borrowed,
        "sender added; receiver added; sent ; sender added; sender dropped for maker; sent ; sent ; received ; \
         received ; received ; receiver dropped; sender dropped for T; destroyed"
    );
}

const SENDERS: usize = 6;
const MESSAGES: usize = 3_000;

/// Sends from many threads to one.
fn crowd(send: impl Fn((usize, usize)) + Clone + Send, receiver: Receiver<(usize, usize)>) {
    thread::scope(|scope| {
        scope.spawn(move || {
            let mut next = [0; SENDERS];
            for (from, n) in receiver {
                assert_eq!(next[from], n);
                next[from] += 1;
            }
            assert_eq!(next, [MESSAGES; SENDERS]);
        });
        for from in 0..SENDERS {
            let send = send.clone();
            scope.spawn(move || (0..MESSAGES).for_each(|n| send((from, n))));
        }
        drop(send);
    });
}

/// Every receive names its send, which came before; nobody receives what was received; counts have no holes; everybody gets rid
/// of what they had.
#[test]
fn many_senders() {
    let record = recording::record_events("many_senders", || {
        let (sender, receiver) = named("unbounded").channel();
        crowd(move |message| sender.send(message).unwrap(), receiver);
        for bound in [0, 1, 64] {
            let (sender, receiver) = named("bounded").sync_channel(bound);
            crowd(move |message| sender.send(message).unwrap(), receiver);
        }
    });
    let Some((events, defs)) = record else { return };
    #[derive(Default)]
    struct Seen {
        last_count: u64,
        under_way: HashMap<u64, ThreadId>,
        by_sender: BTreeMap<ThreadId, u64>,
        received: usize,
        handles: BTreeMap<(ThreadId, &'static str), i64>,
    }
    let mut channels = BTreeMap::<LockId, Seen>::new();
    for event in &events {
        let Some(channel) = event.op.lock() else { continue };
        let seen = channels.entry(channel).or_default();
        if let Some(count) = event.op.count() {
            assert_eq!(count, seen.last_count + 1, "{event:?}");
            seen.last_count = count;
        }
        match event.op {
            Op::Sent { count, .. } => assert_eq!(seen.under_way.insert(count, event.thread), None),
            Op::Received { message, .. } => {
                let sender = seen.under_way.remove(&message).expect("it was sent before, and not received before");
                // What one thread sends comes in the order of its sends.
                let previous = seen.by_sender.insert(sender, message);
                assert!(previous < Some(message), "{message} of {sender} after {previous:?}");
                seen.received += 1;
            }
            Op::HandleAdded { side, .. } => *seen.handles.entry((event.thread, side.word())).or_default() += 1,
            Op::HandleDropped { side, owner, .. } => *seen.handles.entry((owner, side.word())).or_default() -= 1,
            _ => {}
        }
    }
    assert_eq!(channels.len(), 4);
    for (channel, seen) in channels {
        assert_eq!(seen.received, SENDERS * MESSAGES, "{}", defs.lock_name(channel));
        assert!(seen.under_way.is_empty() && seen.handles.values().all(|&left| left == 0), "{:?}", seen.handles);
        assert!(seen.handles.keys().any(|&(_, side)| side == Side::Receiver.word()));
    }
    let bounds: Vec<_> = defs.locks.iter().map(|lock| lock.capacity).collect();
    assert_eq!(bounds, [None, Some(0), Some(1), Some(64)]);
}
