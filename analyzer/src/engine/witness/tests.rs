//! Witnesses that are right are accepted, and none that was tampered with.

use lockscope_trace::{Definitions, Event, LockId, Op, ThreadId, VarDef, VarId};

use super::{Claim, Claims, End, Order};
use crate::{EngineId, testing::parse};

const M: ThreadId = ThreadId(0);
const A: ThreadId = ThreadId(1);
const B: ThreadId = ThreadId(2);

/// M: 1, 2; A: 3 to 6; B: 7 to 10.
const ABBA: &str = "M: spawn A, spawn B; A: lock a, lock b, unlock b, unlock a; B: lock b, lock a, unlock a, unlock b";

fn verdict(events: &[Event], definitions: &Definitions, claim: Claim) -> Result<(), String> {
    let mut claims = Claims::new(vec![claim]);
    claims.feed(events, definitions);
    claims.finish(definitions).remove(0).proof.map(drop)
}

fn claim(prefixes: &[(ThreadId, u64)], end: End) -> Claim {
    Claim { engine: EngineId::Spd, prefixes: prefixes.to_vec(), order: Order::Trace, end }
}

fn deadlock() -> End {
    End::Deadlock(vec![(A, LockId(1), 4), (B, LockId(0), 8)])
}

/// Checks that the claim is refuted, and why.
#[track_caller]
fn refuted(trace: &str, claim: Claim, why: &str) {
    let (events, definitions) = parse(trace);
    assert_eq!(verdict(&events, &definitions, claim), Err(why.to_owned()));
}

#[test]
fn program_order_and_starts() {
    let (events, definitions) = parse(ABBA);
    let right = [(M, 2), (A, 1), (B, 1)];
    assert_eq!(verdict(&events, &definitions, claim(&right, deadlock())), Ok(()));
    refuted(ABBA, claim(&[(M, 1), (A, 1), (B, 1)], deadlock()), "a thread acted before it was started");
    refuted(ABBA, claim(&[(M, 2), (A, 1)], deadlock()), "a thread would do something else next");
    refuted(ABBA, claim(&[(M, 2), (A, 2), (B, 1)], deadlock()), "a lock was acquired that another thread held");
    refuted(ABBA, claim(&[(M, 2), (A, 4), (B, 1)], deadlock()), "a thread has nothing more to do");
    refuted(ABBA, claim(&[(M, 3), (A, 1), (B, 1)], deadlock()), "the trace has fewer events of a thread");
    let joined = "M: spawn A; A: lock c, unlock c; M: join A; A: start";
    let end = End::Deadlock(vec![(M, LockId(0), 5), (A, LockId(0), 6)]);
    refuted(joined, claim(&[(M, 2), (A, 1)], end), "a thread was joined before it had ended");
}

#[test]
fn orders() {
    let (events, definitions) = parse(ABBA);
    let listed =
        |order: &[u64]| Claim { order: Order::Listed(order.to_vec()), ..claim(&[(M, 2), (A, 1), (B, 1)], deadlock()) };
    for right in [[1, 2, 3, 7], [1, 3, 2, 7], [1, 2, 7, 3]] {
        assert_eq!(verdict(&events, &definitions, listed(&right)), Ok(()), "{right:?}");
    }
    refuted(ABBA, listed(&[2, 1, 3, 7]), "a thread did its events in another order");
    refuted(ABBA, listed(&[3, 1, 2, 7]), "a thread acted before it was started");
    refuted(ABBA, listed(&[1, 2, 3]), "the order names other events than the claim");
    refuted(ABBA, listed(&[1, 2, 3, 8]), "the order names other events than the claim");
    refuted(ABBA, listed(&[1, 2, 3, 3]), "a thread did its events in another order");
}

#[test]
fn ends() {
    let at = |end| claim(&[(M, 2), (A, 1), (B, 1)], end);
    let swapped = End::Deadlock(vec![(A, LockId(0), 4), (B, LockId(1), 8)]);
    refuted(ABBA, at(swapped), "a thread would ask for another lock, or not wait for it");
    let other = End::Deadlock(vec![(A, LockId(1), 5), (B, LockId(0), 8)]);
    refuted(ABBA, at(other), "a thread would do something else next");
    let one = End::Deadlock(vec![(A, LockId(1), 4)]);
    refuted(ABBA, at(one), "a thread has nothing more to do");
    let twice = End::Deadlock(vec![(A, LockId(1), 4), (A, LockId(1), 4)]);
    refuted(ABBA, at(twice), "one thread has two parts");
    let race = End::Race(VarId(0), [(A, 4), (B, 8)]);
    refuted(ABBA, at(race), "a thread would access another location");
    // Nobody waits where readers meet, for a try, or for what oneself holds.
    let readers = ABBA.replace("lock a, lock b, unlock b", "read a, read b, unlock b");
    let readers = readers.replace("lock b, lock a, unlock a", "read b, read a, unlock a");
    refuted(&readers, at(deadlock()), "the lock is not held by the next thread");
    let tried = ABBA.replace("B: lock b, lock a", "B: lock b, try a");
    refuted(&tried, at(deadlock()), "a thread would ask for another lock, or not wait for it");
    // A may have given its guard to C, who releases it.
    let moved = ABBA.replace("unlock b, unlock a; B", "unlock b; C: unlock a unknown A; B");
    refuted(&moved, at(deadlock()), "another thread releases what a thread holds");
}

#[test]
fn what_was_read() {
    // A writes x, B reads it and then writes y; C writes y.
    let op = |thread: u32, op| Event {
        thread: ThreadId(thread),
        time: lockscope_trace::Nanos(0),
        site: None,
        stack: None,
        op,
    };
    let (x, y) = (VarId(0), VarId(1));
    let events = [
        op(1, Op::Write { var: x }),
        op(2, Op::Read { var: x }),
        op(2, Op::Write { var: y }),
        op(3, Op::Write { var: y }),
    ];
    let mut definitions = Definitions::default();
    definitions.vars = vec![VarDef { name: "v".into(), created: None }; 2];
    let race = || End::Race(y, [(ThreadId(2), 3), (ThreadId(3), 4)]);
    let check = |prefixes: &[(u32, u64)], order: Order, end| {
        let prefixes = prefixes.iter().map(|&(thread, upto)| (ThreadId(thread), upto)).collect();
        verdict(&events, &definitions, Claim { engine: EngineId::SyncP, prefixes, order, end })
    };
    assert_eq!(check(&[(1, 1), (2, 1)], Order::Trace, race()), Ok(()));
    assert_eq!(check(&[(2, 1)], Order::Trace, race()), Err("a read saw another write".to_owned()));
    let late = Order::Listed(vec![2, 1]);
    assert_eq!(check(&[(1, 1), (2, 1)], late, race()), Err("a read saw another write".to_owned()));
    let reads = End::Race(x, [(ThreadId(1), 1), (ThreadId(2), 2)]);
    assert_eq!(check(&[], Order::Trace, reads), Ok(()), "the read need not see what it saw when it races");
}

#[test]
fn objects() {
    // B goes on only when A did something after its request; the positions of B's are one further.
    for (first, second, why) in [
        ("send c", "recv c", "another message was received"),
        ("unpark B", "unparked", "a parked thread went on without a token"),
        ("once o, unlock o", "observe o", "a value was used before it was initialised"),
    ] {
        let trace =
            format!("M: spawn A, spawn B; A: lock a, lock b, unlock b, unlock a, {first}; B: {second}, lock b, lock a");
        let (events, definitions) = parse(&trace);
        let last = events.len() as u64;
        let end = End::Deadlock(vec![(A, LockId(1), 4), (B, LockId(0), last)]);
        refuted(&trace, claim(&[(M, 2), (A, 1), (B, 2)], end.clone()), why);
        // With what it needs A is past its request.
        let all_of_a = events.iter().filter(|event| event.thread == A).count() as u64;
        assert!(verdict(&events, &definitions, claim(&[(M, 2), (A, all_of_a), (B, 2)], end)).is_err());
    }
}
