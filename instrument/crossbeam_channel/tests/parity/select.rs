use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    thread,
    time::{Duration, Instant},
};

use super::subject::{
    ReadyTimeoutError, RecvError, Select, SelectTimeoutError, SelectedOperation, SendError, TryReadyError,
    TrySelectError, bounded, never, unbounded,
};

const LIMIT: Duration = Duration::from_millis(5);

#[test]
fn nothing_is_ready() {
    let ((_sender, receiver), (full, _room)) = (unbounded::<u8>(), bounded(0));
    let mut list = Select::new();
    assert_eq!((list.recv(&receiver), list.send::<u8>(&full)), (0, 1));
    assert_eq!(list.try_select().unwrap_err(), TrySelectError);
    assert_eq!(list.try_ready(), Err(TryReadyError));
    let started = Instant::now();
    assert_eq!(list.select_timeout(LIMIT).unwrap_err(), SelectTimeoutError);
    assert_eq!(list.select_deadline(Instant::now() + LIMIT).unwrap_err(), SelectTimeoutError);
    assert_eq!(list.ready_timeout(LIMIT), Err(ReadyTimeoutError));
    assert_eq!(list.ready_deadline(Instant::now() + LIMIT), Err(ReadyTimeoutError));
    assert!(started.elapsed() >= 4 * LIMIT);
    assert_eq!(format!("{list:?} {:?}", Select::default().clone()), "Select { .. } Select { .. }");
}

#[test]
fn one_is_ready() {
    let ((sender, receiver), (other, _others)) = (bounded(1), bounded::<String>(0));
    let mut list = Select::new();
    let (send, others) = (list.send(&sender), list.send(&other));
    let operation: SelectedOperation<'_> = list.try_select().unwrap();
    assert_eq!((operation.index(), format!("{operation:?}")), (send, "SelectedOperation { .. }".to_owned()));
    assert_eq!(operation.send(&sender, 7), Ok(()));
    assert_eq!((list.ready_timeout(LIMIT), others), (Err(ReadyTimeoutError), 1));
    let mut list = Select::new();
    list.recv(&receiver);
    assert_eq!((list.ready(), list.try_ready()), (0, Ok(0)));
    assert_eq!(list.select_timeout(LIMIT).unwrap().recv(&receiver), Ok(7));
}

#[test]
fn gone_is_ready() {
    let ((sender, _), (_, receiver)) = (unbounded::<u8>(), unbounded::<u8>());
    let mut list = Select::new();
    list.send(&sender);
    assert_eq!(list.select().send(&sender, 1), Err(SendError(1)));
    let mut list = Select::new_biased();
    list.recv(&receiver);
    assert_eq!(list.select_deadline(Instant::now()).unwrap().recv(&receiver), Err(RecvError));
}

#[test]
fn waits_for_any() {
    for bound in [0, 1] {
        let ((one, ones), (_two, twos)) = (bounded(bound), bounded::<u8>(bound));
        let sends = thread::spawn(move || {
            one.send(1).unwrap();
            one.send(2).unwrap();
        });
        let mut list = Select::new();
        let (index, _) = (list.recv(&ones), list.recv(&twos));
        let operation = list.select();
        assert_eq!((operation.index(), operation.recv(&ones)), (index, Ok(1)));
        let ready = list.ready_timeout(Duration::MAX);
        assert_eq!((ready, ones.recv()), (Ok(index), Ok(2)));
        sends.join().unwrap();
    }
}

#[test]
fn sends_to_any() {
    let ((full, _room), (sender, receiver)) = (bounded(0), bounded(0));
    let receives = thread::spawn(move || receiver.recv());
    let mut list = Select::new();
    list.send(&full);
    let index = list.send(&sender);
    let operation = list.select_timeout(Duration::MAX).unwrap();
    assert_eq!(operation.index(), index);
    assert_eq!(operation.send(&sender, 5), Ok(()));
    assert_eq!(receives.join().unwrap(), Ok(5));
    full.try_send(6).unwrap_err();
}

#[test]
fn biased_and_not() {
    let channels = [unbounded::<u8>(), unbounded()];
    channels.iter().for_each(|(sender, _)| (0..100).for_each(|n| sender.send(n).unwrap()));
    let mut list = Select::new_biased();
    channels.iter().for_each(|(_, receiver)| _ = list.recv(receiver));
    for n in 0..10 {
        assert_eq!(list.ready(), 0);
        let operation = list.select();
        assert_eq!((operation.index(), operation.recv(&channels[0].1)), (0, Ok(n)));
    }
    let mut list = Select::new();
    channels.iter().for_each(|(_, receiver)| _ = list.recv(receiver));
    let mut hits = [0; 2];
    for _ in 0..90 {
        let operation = list.try_select().unwrap();
        let index = operation.index();
        operation.recv(&channels[index].1).unwrap();
        hits[index] += 1;
    }
    assert!(hits.iter().all(|&n| n > 0), "{hits:?}");
}

#[test]
fn operations_are_removed() {
    let channels = [unbounded(), unbounded::<u8>(), unbounded()];
    let mut list = Select::new();
    let indices: Vec<usize> = channels.iter().map(|(_, receiver)| list.recv(receiver)).collect();
    channels.iter().for_each(|(sender, _)| sender.send(1).unwrap());
    list.remove(indices[0]);
    list.remove(indices[2]);
    for _ in 0..10 {
        assert_eq!(list.try_ready(), Ok(indices[1]));
    }
    assert_eq!(list.clone().select().recv(&channels[1].1), Ok(1));
    assert!(catch_unwind(AssertUnwindSafe(|| list.remove(9))).is_err());
    assert!(catch_unwind(AssertUnwindSafe(|| list.remove(indices[0]))).is_err());
}

#[test]
fn an_empty_list() {
    let mut list = Select::new();
    assert!(list.try_select().is_err() && list.try_ready().is_err());
    assert!(list.select_timeout(LIMIT).is_err() && list.ready_timeout(LIMIT).is_err());
    assert!(catch_unwind(AssertUnwindSafe(|| drop(list.select()))).is_err());
    assert!(catch_unwind(AssertUnwindSafe(|| list.ready())).is_err());
}

#[test]
fn an_operation_must_be_completed() {
    let (sender, _receiver) = bounded::<u8>(2);
    let drops = AssertUnwindSafe(|| {
        let mut list = Select::new();
        list.send(&sender);
        drop(list.select());
    });
    let panic = catch_unwind(drops).unwrap_err();
    assert!(panic.downcast_ref::<&str>().unwrap().contains("without completing"));
}

#[test]
fn never_is_never_ready() {
    let (receiver, (sender, room)) = (never::<u8>(), unbounded());
    let mut list = Select::new();
    list.recv(&receiver);
    assert_eq!(list.select_timeout(LIMIT).unwrap_err(), SelectTimeoutError);
    let index = list.send(&sender);
    let operation = list.select();
    assert_eq!((operation.index(), operation.send(&sender, 1), room.len()), (index, Ok(()), 1));
}
