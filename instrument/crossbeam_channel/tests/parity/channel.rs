use std::{
    iter::FusedIterator,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::{Arc, Barrier},
    thread,
    time::{Duration, Instant},
};

use super::subject::{
    IntoIter, Iter, Receiver, RecvError, RecvTimeoutError, SendError, SendTimeoutError, Sender, TryIter, TryRecvError,
    TrySendError, bounded, unbounded,
};

const LIMIT: Duration = Duration::from_millis(10);

#[test]
fn send_and_receive() {
    let (sender, receiver): (Sender<u8>, Receiver<u8>) = unbounded();
    assert_eq!(receiver.try_recv(), Err(TryRecvError::Empty));
    assert_eq!((sender.send(1), sender.try_send(2)), (Ok(()), Ok(())));
    let (other, another): (Sender<u8>, Receiver<u8>) = (sender.clone(), receiver.clone());
    assert_eq!(other.send_timeout(3, LIMIT), Ok(()));
    assert_eq!(other.send_deadline(4, Instant::now()), Ok(()));
    assert_eq!((receiver.recv(), another.try_recv()), (Ok(1), Ok(2)));
    assert_eq!((receiver.recv_timeout(LIMIT), another.recv_deadline(Instant::now())), (Ok(3), Ok(4)));
    drop((sender, other));
    assert_eq!((receiver.recv(), receiver.try_recv()), (Err(RecvError), Err(TryRecvError::Disconnected)));
    assert_eq!(receiver.recv_timeout(LIMIT), Err(RecvTimeoutError::Disconnected));
    assert_eq!(another.recv_deadline(Instant::now()), Err(RecvTimeoutError::Disconnected));
}

#[test]
fn errors_hold_the_message() {
    let (sender, receiver) = bounded(1);
    sender.send(0).unwrap();
    assert_eq!(sender.try_send(1), Err(TrySendError::Full(1)));
    let started = Instant::now();
    assert_eq!(sender.send_timeout(2, LIMIT), Err(SendTimeoutError::Timeout(2)));
    assert_eq!(sender.send_deadline(3, started + 2 * LIMIT), Err(SendTimeoutError::Timeout(3)));
    assert!(started.elapsed() >= 2 * LIMIT);
    drop(receiver);
    assert_eq!(sender.send(4), Err(SendError(4)));
    assert_eq!(sender.try_send(5), Err(TrySendError::Disconnected(5)));
    assert_eq!(sender.send_timeout(6, LIMIT), Err(SendTimeoutError::Disconnected(6)));
    assert_eq!(sender.send_timeout(7, Duration::MAX), Err(SendTimeoutError::Disconnected(7)));
    assert_eq!(sender.send_deadline(8, Instant::now()), Err(SendTimeoutError::Disconnected(8)));
}

#[test]
fn errors_are_the_originals() {
    let _: crossbeam_channel::SendError<u8> = SendError(1);
    let _: crossbeam_channel::TrySendError<u8> = TrySendError::Full(1);
    let _: crossbeam_channel::SendTimeoutError<u8> = SendTimeoutError::Timeout(1);
    let _: (crossbeam_channel::RecvError, crossbeam_channel::TryRecvError) = (RecvError, TryRecvError::Empty);
    let _: crossbeam_channel::RecvTimeoutError = RecvTimeoutError::Timeout;
    let (sender, _) = bounded(1);
    assert_eq!(sender.send("back").unwrap_err().into_inner(), "back");
}

#[test]
fn a_receive_waits_for_a_limited_time() {
    let (sender, receiver) = bounded(1);
    let started = Instant::now();
    assert_eq!(receiver.recv_timeout(LIMIT), Err(RecvTimeoutError::Timeout));
    assert_eq!(receiver.recv_deadline(started + 2 * LIMIT), Err(RecvTimeoutError::Timeout));
    assert!(started.elapsed() >= 2 * LIMIT);
    let later = thread::spawn(move || sender.send(1));
    assert_eq!(receiver.recv_timeout(Duration::MAX), Ok(1));
    later.join().unwrap().unwrap();
}

#[test]
fn sends_wait_for_room() {
    for bound in [0, 1, 3] {
        let (sender, receiver) = bounded(bound);
        let sends = thread::spawn(move || (0..10).for_each(|n| sender.send(n).unwrap()));
        assert!(receiver.iter().eq(0..10));
        sends.join().unwrap();
    }
}

#[test]
fn waits_end_when_the_other_side_goes() {
    let (sender, receiver) = bounded(0);
    let sends = thread::spawn(move || sender.send(1));
    drop(receiver);
    assert_eq!(sends.join().unwrap(), Err(SendError(1)));
    let (sender, receiver) = bounded::<u8>(0);
    let receives = thread::spawn(move || receiver.recv());
    drop(sender);
    assert_eq!(receives.join().unwrap(), Err(RecvError));
}

#[test]
fn a_rendezvous_takes_two() {
    let (sender, receiver) = bounded(0);
    assert_eq!((sender.try_send(1), receiver.try_recv()), (Err(TrySendError::Full(1)), Err(TryRecvError::Empty)));
    let receives = thread::spawn(move || (receiver.recv(), receiver.recv_timeout(Duration::MAX)));
    assert_eq!((sender.send(2), sender.send_timeout(3, Duration::MAX)), (Ok(()), Ok(())));
    assert_eq!(receives.join().unwrap(), (Ok(2), Ok(3)));
}

#[test]
fn sizes() {
    let (sender, receiver) = bounded(2);
    let seen = || {
        let of_sender = (sender.len(), sender.is_empty(), sender.is_full(), sender.capacity());
        assert_eq!(of_sender, (receiver.len(), receiver.is_empty(), receiver.is_full(), receiver.capacity()));
        of_sender
    };
    assert_eq!(seen(), (0, true, false, Some(2)));
    sender.send(1).unwrap();
    assert_eq!(seen(), (1, false, false, Some(2)));
    sender.send(2).unwrap();
    assert_eq!(seen(), (2, false, true, Some(2)));
    let (sender, receiver) = bounded::<u8>(0);
    assert_eq!((sender.len(), sender.is_empty(), sender.is_full(), sender.capacity()), (0, true, true, Some(0)));
    assert_eq!((receiver.len(), receiver.is_full(), receiver.capacity()), (0, true, Some(0)));
    assert_eq!((unbounded::<u8>().0.capacity(), unbounded::<u8>().1.is_full()), (None, false));
}

#[test]
fn same_channel() {
    for ((sender, receiver), (other_sender, other_receiver)) in
        [(unbounded::<u8>(), unbounded()), (bounded(1), bounded(1)), (bounded(0), unbounded())]
    {
        assert!(sender.same_channel(&sender.clone()) && receiver.same_channel(&receiver.clone()));
        assert!(!sender.same_channel(&other_sender) && !receiver.same_channel(&other_receiver));
    }
}

#[test]
fn iterators() {
    fn is_fused(_: &impl FusedIterator) {}
    let (sender, receiver) = unbounded();
    (0..3).for_each(|n| sender.send(n).unwrap());
    let mut some: TryIter<'_, i32> = receiver.try_iter();
    assert_eq!((some.next(), some.collect::<Vec<_>>()), (Some(0), vec![1, 2]));
    (3..6).for_each(|n| sender.send(n).unwrap());
    let first: Iter<'_, i32> = receiver.iter();
    is_fused(&first);
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
    is_fused(&rest);
    seen.extend(rest);
    assert_eq!(seen, [4, 5, 6]);
    more.join().unwrap();
}

#[test]
fn formats() {
    let (sender, receiver) = bounded::<u8>(1);
    assert_eq!(format!("{sender:?} {receiver:?} {receiver:14?}|"), "Sender { .. } Receiver { .. } Receiver { .. }|");
    let (iter, try_iter) = (receiver.iter(), receiver.try_iter());
    assert_eq!(format!("{iter:?} {try_iter:?}"), "Iter { .. } TryIter { .. }");
    assert_eq!(format!("{:14?}|", receiver.into_iter()), "IntoIter { .. }|");
}

#[test]
fn messages_are_dropped_once() {
    let counted = Arc::new(());
    let (sender, receiver) = bounded(2);
    sender.send(counted.clone()).unwrap();
    sender.send(counted.clone()).unwrap();
    drop(sender.try_send(counted.clone()));
    assert_eq!(Arc::strong_count(&counted), 3);
    drop(receiver.recv());
    assert_eq!(Arc::strong_count(&counted), 2);
    drop(receiver);
    drop(sender.send(counted.clone()));
    // A bounded channel keeps what nobody can receive any more.
    assert_eq!(Arc::strong_count(&counted), 2);
    drop(sender);
    assert_eq!(Arc::strong_count(&counted), 1);
}

#[test]
fn both_sides_are_shared() {
    for (sender, receiver) in [unbounded(), bounded(0), bounded(3)] {
        let meet = Barrier::new(8);
        let total = thread::scope(|scope| {
            let (sender, receiver, meet) = (&sender, &receiver, &meet);
            let senders: Vec<_> = (0..4)
                .map(|from| {
                    scope.spawn(move || {
                        meet.wait();
                        (0..100).for_each(|n| sender.send(from * 100 + n).unwrap());
                    })
                })
                .collect();
            let receive = || {
                meet.wait();
                (0..100).map(|_| receiver.recv().unwrap()).sum::<u32>()
            };
            let receivers: Vec<_> = (0..4).map(|_| scope.spawn(receive)).collect();
            senders.into_iter().for_each(|sender| sender.join().unwrap());
            receivers.into_iter().map(|receiver| receiver.join().unwrap()).sum::<u32>()
        });
        assert_eq!(total, (0..400).sum());
        assert!(receiver.is_empty());
    }
}

#[test]
fn handles_are_dropped_by_panics() {
    let (sender, receiver) = unbounded::<u8>();
    let panic = AssertUnwindSafe(|| {
        let _sender = sender;
        panic!("on purpose");
    });
    assert!(catch_unwind(panic).is_err());
    assert_eq!(receiver.recv(), Err(RecvError));
}

#[test]
fn too_large_a_bound() {
    assert!(catch_unwind(|| bounded::<u64>(usize::MAX)).is_err());
}
