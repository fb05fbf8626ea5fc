use std::{
    cell::RefCell,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::Arc,
    thread,
    time::Duration,
};

use super::subject::{Receiver, RecvError, SendError, Sender, bounded, never, select, select_biased, unbounded};

const LIMIT: Duration = Duration::from_millis(5);

#[test]
fn all_forms_of_cases() {
    let (sender, receiver) = unbounded();
    let mut done = Vec::new();
    for round in 0..6 {
        select! {
            send(sender, round) -> result => {
                assert_eq!(result, Ok(()));
                done.push("send")
            }
            recv(never::<u8>()) -> _ => unreachable!(),
            recv(never::<u8>(),) -> _ => { unreachable!() },
            send(never_full(), 1,) -> _result => unreachable!(),
            default => unreachable!(),
        }
        select!(recv(receiver) -> n => assert_eq!(n, Ok(round)));
        select![recv(receiver) -> _ => unreachable!(), default() => done.push("default")];
        select! { recv(receiver) -> _ => unreachable!(), default(LIMIT,) => done.push("limit"), }
        select! {
            default(LIMIT) => { done.push("only limit") }
            recv(receiver) -> _ => unreachable!(),
            recv(receiver) -> _ => {}
        }
        select! { default => done.push("only default") }
    }
    assert_eq!(done, ["send", "default", "limit", "only limit", "only default"].repeat(6));
}

/// A sender that nobody receives from yet, and whose receiver lives on.
fn never_full() -> Sender<u8> {
    thread_local! {
        static KEPT: RefCell<Vec<Receiver<u8>>> = const { RefCell::new(Vec::new()) };
    }
    let (sender, receiver) = bounded(0);
    KEPT.with(|kept| kept.borrow_mut().push(receiver));
    sender
}

#[test]
fn values_and_patterns() {
    let (sender, receiver) = unbounded::<(u8, &str)>();
    let sent: Result<(), SendError<_>> = select! { send(sender, (1, "one")) -> sent => sent };
    sent.unwrap();
    let (Ok(length) | Err(length)) = select! {
        recv(receiver) -> result => result.map(|(_, text)| text.len()).map_err(|RecvError| 0),
        default(LIMIT) => Err(0),
    };
    assert_eq!(length, 3);
    let n = 1 + select! {
        recv(never::<u8>()) -> n => n.map_or(0, usize::from),
        recv(receiver) -> ref n => n.as_ref().map_or(1, |(n, _)| usize::from(*n)),
        default => if sender.is_empty() { 5 } else { 7 },
    };
    assert_eq!(n, 6);
    drop(sender);
    select! {
        recv(receiver) -> mut gone => {
            assert_eq!(gone, Err(RecvError));
            gone = Ok((2, "two"));
            gone.unwrap();
        }
        recv(never::<u8>()) -> _ => {}
    }
}

#[test]
fn expressions_are_evaluated_once_and_in_order() {
    let log = RefCell::new(Vec::new());
    let note = |text| log.borrow_mut().push(text);
    let (sender, receiver) = unbounded::<u8>();
    let (full, _room) = bounded::<u8>(0);
    select! {
        recv({ note("receiver"); &receiver }) -> _ => unreachable!(),
        send({ note("sender"); &sender }, { note("message"); 1 }) -> result => {
            note("body");
            result.unwrap();
        }
        send({ note("full"); &full }, { note("message of full"); 1 }) -> _ => unreachable!(),
        default({ note("limit"); LIMIT }) => unreachable!(),
    }
    assert_eq!(log.take(), ["receiver", "sender", "full", "limit", "message", "body"]);
    receiver.recv().unwrap();
    select! {
        send({ note("full"); &full }, { note("message"); 1 }) -> _ => unreachable!(),
        recv({ note("receiver"); &receiver }) -> _ => unreachable!(),
        default({ note("limit"); LIMIT }) => note("default"),
    }
    assert_eq!(log.take(), ["full", "receiver", "limit", "default"]);
    select! {
        recv({ note("receiver"); &receiver }) -> _ => unreachable!(),
        default({ note("limit"); LIMIT }) => note("default"),
    }
    assert_eq!(log.take(), ["receiver", "limit", "default"]);
}

#[test]
fn channels_are_found_behind_references() {
    struct Service {
        jobs: (Sender<u8>, Receiver<u8>),
    }
    let service = Arc::new(Service { jobs: unbounded() });
    let (boxed, shared) = (Box::new(service.jobs.0.clone()), Arc::new(service.jobs.1.clone()));
    select! {
        send(boxed, 1) -> sent => sent.unwrap(),
        recv(&&service.jobs.1) -> _ => unreachable!(),
    }
    let optional = service.jobs.0.capacity().is_none().then_some(&service.jobs.1);
    select! {
        recv(shared) -> job => assert_eq!(job, Ok(1)),
        recv(optional.unwrap_or(&never())) -> job => assert_eq!(job, Ok(1)),
    }
    select! {
        recv(&mut never::<u8>()) -> _ => unreachable!(),
        send(&service.jobs.0, 2) -> sent => sent.unwrap(),
    }
}

#[test]
fn bodies_may_take_the_channels() {
    fn last(sender: Sender<u8>, mut receiver: Receiver<u8>) -> usize {
        for _ in 0..2 {
            select! {
                recv(receiver) -> _ => receiver = never(),
                recv(never::<u8>()) -> _ => unreachable!(),
                default(LIMIT) => receiver = never(),
            }
        }
        select! {
            recv(receiver) -> _ => {
                drop(receiver);
                0
            }
            send(sender, 1) -> _ => {
                drop(sender);
                drop(receiver);
                1
            }
            default => {
                drop((sender, receiver));
                2
            }
        }
    }
    let (sender, receiver) = unbounded();
    sender.send(1).unwrap();
    assert_eq!(last(sender, receiver), 1);
    let (sender, receiver) = unbounded::<u8>();
    let default = select! {
        recv(receiver) -> _ => { drop(receiver); false }
        default => { drop(receiver); true }
    };
    assert!(default && sender.send(1).is_err());
    let (_sender, receiver) = unbounded::<u8>();
    select! {
        recv(receiver) -> _ => unreachable!(),
        recv(never::<u8>()) -> _ => unreachable!(),
        default => drop(receiver),
    }
}

#[test]
fn bodies_may_leave() {
    fn first(receivers: &[Receiver<u8>; 2]) -> Result<u8, RecvError> {
        let mut empty = 0;
        loop {
            select! {
                recv(receivers[0]) -> n => return n,
                recv(receivers[1]) -> n => break Ok(n? + 100),
                default(LIMIT) => {
                    empty += 1;
                    if empty < 3 {
                        continue;
                    }
                    return Ok(0);
                }
            }
        }
    }
    let channels = [unbounded(), unbounded()];
    let receivers = channels.each_ref().map(|(_, receiver)| receiver.clone());
    assert_eq!(first(&receivers), Ok(0));
    channels[0].0.send(1).unwrap();
    assert_eq!(first(&receivers), Ok(1));
    channels[1].0.send(1).unwrap();
    assert_eq!(first(&receivers), Ok(101));
    drop(channels);
    assert_eq!(first(&receivers), Err(RecvError));
}

#[test]
fn a_panic_in_a_channels_expression() {
    let panics = AssertUnwindSafe(|| {
        fn receiver() -> Receiver<u8> {
            panic!("on purpose")
        }
        select! {
            recv(never::<u8>()) -> _ => {}
            recv(receiver()) -> _ => {}
        }
    });
    assert!(catch_unwind(panics).is_err());
}

#[test]
fn many_cases() {
    let (sender, receiver) = unbounded::<u8>();
    let none = || never::<u8>();
    sender.send(9).unwrap();
    let got = select! {
        recv(none()) -> _ => 1, recv(none()) -> _ => 2, recv(none()) -> _ => 3, recv(none()) -> _ => 4,
        recv(none()) -> _ => 5, recv(none()) -> _ => 6, recv(none()) -> _ => 7, recv(none()) -> _ => 8,
        recv(none()) -> _ => 11, recv(none()) -> _ => 12, recv(none()) -> _ => 13, recv(none()) -> _ => 14,
        recv(none()) -> _ => 15, recv(none()) -> _ => 16, recv(none()) -> _ => 17, recv(none()) -> _ => 18,
        recv(none()) -> _ => 21, recv(none()) -> _ => 22, recv(none()) -> _ => 23, recv(none()) -> _ => 24,
        recv(none()) -> _ => 25, recv(none()) -> _ => 26, recv(none()) -> _ => 27, recv(receiver) -> n => n.unwrap(),
        default => 28,
    };
    assert_eq!(got, 9);
}

#[test]
fn nested() {
    let (sender, receiver) = unbounded();
    select! {
        send(sender, select! { send(sender, 1) -> _ => 2 }) -> _ => select! {
            // The outer send has its place in the channel before what it sends is evaluated.
            recv(receiver) -> two => {
                assert_eq!(two, Ok(2));
                select! { recv(receiver) -> one => assert_eq!(one, Ok(1)), default => unreachable!() }
            }
            recv(never::<()>()) -> _ => unreachable!(),
        }
    }
}

#[test]
fn the_first_or_any() {
    let (first, second) = (unbounded::<u8>(), unbounded::<u8>());
    (0..200).for_each(|n| [&first, &second].iter().for_each(|channel| channel.0.send(n).unwrap()));
    for n in 0..50 {
        select_biased! {
            recv(first.1) -> got => assert_eq!(got, Ok(n)),
            recv(second.1) -> _ => unreachable!("the other one is ready"),
        }
    }
    select_biased! {
        recv(never::<u8>()) -> _ => unreachable!(),
        recv(second.1) -> got => assert_eq!(got, Ok(0)),
        recv(first.1) -> _ => unreachable!("the one before is ready"),
        default => unreachable!(),
    }
    let mut hits = [0; 2];
    for _ in 0..100 {
        select! {
            recv(first.1) -> _ => hits[0] += 1,
            recv(second.1) -> _ => hits[1] += 1,
        }
    }
    assert!(hits[0] > 0 && hits[1] > 0, "{hits:?}");
}

#[test]
fn waits_for_either_side() {
    for bound in [0, 1] {
        let ((to, from), (back, answers)) = (bounded::<u8>(bound), bounded::<u8>(bound));
        let worker = thread::spawn(move || {
            let mut n = 0;
            for job in from {
                n += job;
                back.send(n).unwrap();
            }
        });
        let (mut sent, mut seen) = (0, Vec::new());
        while seen.len() < 20 {
            if sent < 20 {
                select! {
                    send(to, 1) -> result => {
                        result.unwrap();
                        sent += 1;
                    }
                    recv(answers) -> answer => seen.push(answer.unwrap()),
                }
            } else {
                select! { recv(answers) -> answer => seen.push(answer.unwrap()) }
            }
        }
        drop(to);
        worker.join().unwrap();
        assert!(seen.into_iter().eq(1..=20));
    }
}
