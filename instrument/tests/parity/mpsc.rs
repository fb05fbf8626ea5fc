use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    sync::{
        Arc, Barrier,
        mpsc::{RecvError, RecvTimeoutError, SendError, TryRecvError, TrySendError},
    },
    thread,
    time::{Duration, Instant},
};

use super::subject::sync::mpsc::{self, IntoIter, Iter, Receiver, Sender, SyncSender, TryIter, channel, sync_channel};

#[test]
fn send_and_receive() {
    let (sender, receiver): (Sender<u8>, Receiver<u8>) = channel();
    assert_eq!(receiver.try_recv(), Err(TryRecvError::Empty));
    assert_eq!(sender.send(1), Ok(()));
    let clone: Sender<u8> = sender.clone();
    assert_eq!(clone.send(2), Ok(()));
    assert_eq!((receiver.recv(), receiver.try_recv()), (Ok(1), Ok(2)));
    drop(sender);
    assert_eq!(receiver.try_recv(), Err(TryRecvError::Empty));
    clone.send(3).unwrap();
    drop(clone);
    assert_eq!((receiver.recv(), receiver.recv()), (Ok(3), Err(RecvError)));
    assert_eq!(receiver.try_recv(), Err(TryRecvError::Disconnected));
}

#[test]
fn errors_hold_the_message() {
    let (sender, receiver) = channel();
    drop(receiver);
    let error: SendError<String> = sender.send("lost".to_owned()).unwrap_err();
    assert_eq!(error.0, "lost");
    let (sender, receiver) = sync_channel(1);
    assert_eq!(sender.try_send(1), Ok(()));
    assert_eq!(sender.try_send(2), Err(TrySendError::Full(2)));
    drop(receiver);
    assert_eq!(sender.try_send(3), Err(TrySendError::Disconnected(3)));
    assert_eq!(sender.send(4), Err(SendError(4)));
}

#[test]
fn the_modules_errors_are_stds() {
    let _: SendError<u8> = mpsc::SendError(1);
    let _: TrySendError<u8> = mpsc::TrySendError::Full(1);
    let _: (TryRecvError, RecvTimeoutError) = (mpsc::TryRecvError::Empty, mpsc::RecvTimeoutError::Timeout);
    let _: RecvError = mpsc::RecvError;
}

#[test]
fn a_send_waits_for_room() {
    let (sender, receiver): (SyncSender<u8>, _) = sync_channel(1);
    sender.send(1).unwrap();
    let waits = thread::spawn(move || sender.send(2));
    // Whether the thread waits already or not, both messages come.
    assert_eq!((receiver.recv(), receiver.recv(), receiver.recv()), (Ok(1), Ok(2), Err(RecvError)));
    assert_eq!(waits.join().unwrap(), Ok(()));
}

#[test]
fn a_send_that_waits_fails_when_the_receiver_goes() {
    let (sender, receiver) = sync_channel(0);
    let waits = thread::spawn(move || sender.send(2));
    drop(receiver);
    assert_eq!(waits.join().unwrap(), Err(SendError(2)));
}

#[test]
fn a_rendezvous_takes_two() {
    let (sender, receiver) = sync_channel(0);
    assert_eq!(sender.try_send(1), Err(TrySendError::Full(1)));
    let waits = thread::spawn(move || (receiver.recv(), receiver.recv()));
    assert_eq!((sender.send(2), sender.send(3)), (Ok(()), Ok(())));
    assert_eq!(waits.join().unwrap(), (Ok(2), Ok(3)));
}

#[test]
fn a_receive_waits_for_a_limited_time() {
    let (sender, receiver) = channel();
    let limit = Duration::from_millis(10);
    let started = Instant::now();
    assert_eq!(receiver.recv_timeout(limit), Err(RecvTimeoutError::Timeout));
    assert!(started.elapsed() >= limit);
    assert_eq!(receiver.recv_timeout(Duration::ZERO), Err(RecvTimeoutError::Timeout));
    sender.send(1).unwrap();
    assert_eq!(receiver.recv_timeout(Duration::ZERO), Ok(1));
    let later = thread::spawn(move || sender.send(2));
    assert_eq!(receiver.recv_timeout(Duration::MAX), Ok(2));
    later.join().unwrap().unwrap();
    assert_eq!(receiver.recv_timeout(limit), Err(RecvTimeoutError::Disconnected));
}

#[test]
fn iterators() {
    let (sender, receiver) = channel();
    (0..3).for_each(|n| sender.send(n).unwrap());
    let mut some: TryIter<'_, i32> = receiver.try_iter();
    assert_eq!((some.next(), some.by_ref().collect::<Vec<_>>()), (Some(0), vec![1, 2]));
    (3..6).for_each(|n| sender.send(n).unwrap());
    let first: Iter<'_, i32> = receiver.iter();
    assert_eq!(first.take(1).collect::<Vec<_>>(), [3]);
    let more = thread::spawn(move || sender.send(6).unwrap());
    let mut seen = Vec::new();
    for n in &receiver {
        seen.push(n);
        if n == 5 {
            break;
        }
    }
    let rest: IntoIter<i32> = receiver.into_iter();
    seen.extend(rest);
    assert_eq!(seen, [4, 5, 6]);
    more.join().unwrap();
}

#[test]
fn formats() {
    let (sender, receiver) = channel::<u8>();
    assert_eq!(format!("{sender:?} {receiver:?}"), "Sender { .. } Receiver { .. }");
    assert_eq!(format!("{:?}", receiver.iter()), "Iter { rx: Receiver { .. } }");
    assert_eq!(format!("{:?}", receiver.try_iter()), "TryIter { rx: Receiver { .. } }");
    assert_eq!(format!("{:?}", receiver.into_iter()), "IntoIter { rx: Receiver { .. } }");
    assert_eq!(format!("{:?}", sync_channel::<u8>(1).0), "SyncSender { .. }");
}

#[test]
fn messages_are_dropped_once() {
    let counted = Arc::new(());
    let (sender, receiver) = sync_channel(2);
    sender.send(counted.clone()).unwrap();
    sender.send(counted.clone()).unwrap();
    drop(sender.try_send(counted.clone()));
    assert_eq!(Arc::strong_count(&counted), 3);
    drop(receiver.recv());
    assert_eq!(Arc::strong_count(&counted), 2);
    drop(receiver);
    assert_eq!(Arc::strong_count(&counted), 1);
    drop(sender.send(counted.clone()));
    assert_eq!(Arc::strong_count(&counted), 1);
}

#[test]
fn senders_are_shared_and_sent() {
    let (sender, receiver) = sync_channel(1);
    let shared = Arc::new(sender);
    let meet = Arc::new(Barrier::new(4));
    let threads: Vec<_> = (0..4)
        .map(|from| {
            let (shared, meet) = (shared.clone(), meet.clone());
            thread::spawn(move || {
                meet.wait();
                (0..100).for_each(|n| shared.send((from, n)).unwrap());
            })
        })
        .collect();
    drop(shared);
    // The receiver moves on to another thread, with all that is in it.
    let seen = thread::spawn(move || receiver.into_iter().collect::<Vec<_>>()).join().unwrap();
    threads.into_iter().for_each(|thread| thread.join().unwrap());
    assert_eq!(seen.len(), 400);
    for from in 0..4 {
        let of_one: Vec<_> = seen.iter().filter(|(sender, _)| *sender == from).map(|&(_, n)| n).collect();
        assert!(of_one.iter().copied().eq(0..100), "{of_one:?}");
    }
}

#[test]
fn large_and_empty_messages() {
    let (sender, receiver) = channel();
    sender.send([7_u8; 10_000]).unwrap();
    assert_eq!(receiver.recv().unwrap(), [7; 10_000]);
    let (sender, receiver) = sync_channel(3);
    (0..3).for_each(|_| sender.send(()).unwrap());
    drop(sender);
    assert_eq!(receiver.iter().count(), 3);
}

#[test]
fn handles_are_dropped_by_panics() {
    let (sender, receiver) = channel::<u8>();
    let panic = AssertUnwindSafe(|| {
        let _sender = sender;
        panic!("on purpose");
    });
    assert!(catch_unwind(panic).is_err());
    assert_eq!(receiver.recv(), Err(RecvError));
}
