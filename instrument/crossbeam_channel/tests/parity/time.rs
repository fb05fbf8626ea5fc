use std::time::{Duration, Instant};

use super::subject::{Receiver, RecvTimeoutError, Select, TryRecvError, after, at, bounded, never, select, tick};

const SOON: Duration = Duration::from_millis(5);

static NEVER: Receiver<u8> = never();

#[test]
fn one_message_later() {
    let started = Instant::now();
    let receiver: Receiver<Instant> = after(SOON);
    let clone = receiver.clone();
    assert!(receiver.recv().unwrap() >= started + SOON);
    assert_eq!((clone.try_recv(), clone.len(), clone.capacity()), (Err(TryRecvError::Empty), 0, Some(1)));
    assert_eq!(clone.recv_timeout(SOON), Err(RecvTimeoutError::Timeout));
    let when = Instant::now() + SOON;
    assert_eq!((at(when).recv(), at(when).recv_deadline(when + SOON)), (Ok(when), Ok(when)));
    assert_eq!(at(started).iter().next(), Some(started));
    assert_eq!(at(started).try_iter().count(), 1);
    assert_eq!(after(Duration::MAX).try_recv(), Err(TryRecvError::Empty));
}

#[test]
fn messages_in_intervals() {
    let ticks = tick(SOON);
    let times: Vec<Instant> = ticks.iter().take(3).collect();
    assert!(times.windows(2).all(|pair| pair[1] > pair[0]), "{times:?}");
    assert_eq!(format!("{ticks:?}"), "Receiver { .. }");
    assert_eq!(tick(Duration::MAX).try_recv(), Err(TryRecvError::Empty));
}

#[test]
fn no_messages() {
    assert_eq!((NEVER.try_recv(), NEVER.clone().try_recv()), (Err(TryRecvError::Empty), Err(TryRecvError::Empty)));
    assert_eq!(NEVER.recv_timeout(SOON), Err(RecvTimeoutError::Timeout));
    assert_eq!((NEVER.len(), NEVER.is_empty(), NEVER.is_full(), NEVER.capacity()), (0, true, true, Some(0)));
}

#[test]
fn same_channel() {
    let (first, second) = (after(SOON), after(SOON));
    assert!(first.same_channel(&first.clone()) && !first.same_channel(&second));
    assert!(never::<u8>().same_channel(&NEVER));
    assert!(!never().same_channel(&first) && !tick(SOON).same_channel(&first));
    assert!(!bounded(1).1.same_channel(&first));
}

#[test]
fn in_selections() {
    let (_sender, receiver) = bounded::<u8>(1);
    let mut got = Vec::new();
    for _ in 0..2 {
        select! {
            recv(receiver) -> _ => unreachable!("nobody sends"),
            recv(NEVER) -> _ => unreachable!("nobody ever sends"),
            recv(after(SOON)) -> instant => got.push(instant.unwrap()),
        }
    }
    assert!(got[0] < got[1]);
    let (ticks, past) = (tick(Duration::MAX), at(Instant::now()));
    let mut list = Select::new();
    list.recv(&ticks);
    let index = list.recv(&past);
    list.recv(&NEVER);
    let operation = list.select();
    assert_eq!(operation.index(), index);
    operation.recv(&past).unwrap();
}
