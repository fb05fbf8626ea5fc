//! Which events come before which, by traces in words.

use lockscope_trace::{Event, MemoryOrder, Nanos, Op, ThreadId, VarId};

use super::{super::holds::Holds, *};
use crate::testing::parse;

const LOCKS: Edges = Edges { locks: true, reads_from: false };
const NO_LOCKS: Edges = Edges { locks: false, reads_from: false };

/// Whether the first event, or the first sleep if somebody sleeps, is before the last one.
fn ordered(events: &[Event], definitions: &Definitions, edges: Edges) -> bool {
    let mut order = Order::new(edges);
    let mut holds = Holds::default();
    let mut first = None;
    let has_sleep = events.iter().any(|event| event.op == Op::Sleep);
    for (position, event) in (1..).zip(events) {
        let now = order.now(event.thread);
        if event.op == Op::Sleep || !has_sleep {
            first.get_or_insert(now);
        }
        let change = holds.event(position, event, definitions);
        order.event(event, change, definitions);
    }
    let last = events.last().expect("there are events");
    order.access(last.thread);
    first.expect("there are events").is_past(order.past(last.thread))
}

#[track_caller]
fn check(trace: &str, expected: bool) {
    let (events, definitions) = parse(trace);
    assert_eq!(ordered(&events, &definitions, LOCKS), expected, "{trace}");
}

#[test]
fn locks() {
    check("A: sleep, lock a, unlock a; B: lock a, unlock a", true);
    check("A: lock a, unlock a; B: lock b, unlock b", false);
    // What comes after the release is not part of it.
    check("A: lock a, unlock a, sleep; B: lock a, unlock a; C: lock a", false);
    check("A: read a, unlock a; B: read a", false);
    check("A: read a, unlock a; B: lock a", true);
    check("A: read a, unlock a; B: lock a, unlock a; C: read a", true);
    check("A: upread a, unlock a; B: read a", false);
    check("A: upread a, unlock a; B: upread a", true);
    check("A: upread a, unlock a; B: upread a, upgrade a", true);
    check("A: read a, unlock a; B: upread a", false);
    check("A: read a, unlock a; B: upread a, upgrade a", true);
    check("A: lock a, downgrade a; B: read a", true);
    check("A: upread a, downgrade a; B: read a", false);
    check("A: upread a, downgrade a; B: upread a", true);
    let (events, definitions) = parse("A: lock a, unlock a; B: lock a");
    assert!(!ordered(&events, &definitions, NO_LOCKS));
}

#[test]
fn guards_that_move() {
    check("A: lock a; B: unlock a wrote A; C: lock a", true);
    check("A: lock a, unlock a; B: lock a; C: unlock a wrote B; D: lock a", true);
    check("B: lock a; A: sleep; C: unlock a wrote B, awake", false);
    // However the guard came, it came after it was taken.
    check("B: sleep, lock a; C: unlock a wrote B, awake", true);
    // It came by a message, and what its owner does afterwards is not past.
    check("B: lock a, send c, sleep; C: recv c, unlock a wrote B, awake", false);
}

#[test]
fn threads() {
    check("A: sleep, spawn B; B: start", true);
    check("A: spawn B, sleep; B: start", false);
    check("B: start, sleep; A: spawn C; C: start", false);
    check("B: start, exit; A: join B, awake", true);
    check("B: start; A: joinwait B", false);
    check("A: sleep, unpark B; B: unparked", true);
    check("A: sleep, unpark B; C: unparked", false);
}

#[test]
fn messages() {
    check("A: send c; B: recv c", true);
    check("A: send c; B: send c; C: recv c, awake", true);
    check("B: send c; A: send c; C: recv c, recv c", true);
    check("C: send c; A: send c; B: recv c; D: recv c", false);
    // The second send ends when there is room.
    check("A: recv c[1]; B: send c, send c, awake", true);
    check("B: send c[1]; A: recv c; B: send c, sleep; C: awake", false);
    check("A: recv c[2]; B: send c, send c, awake", false);
    check("A: recv c[2]; B: send c, send c, send c, awake", true);
    check("A: recv c; B: send c, send c, awake", false);
}

#[test]
fn rendezvous() {
    check("B: recv c[0]; A: send c, awake", false);
    // What the receiver did before is past for the sender afterwards.
    check("B: sleep; A: send c[0]; B: recv c; A: awake", true);
}

#[test]
fn rounds() {
    check("A: arrive b[2]; B: arrive b, leave b", true);
    check("A: arrive b[2]; B: arrive b, awake", false);
    check("B: arrive b[2]; A: arrive b, leave b; B: awake", true);
    check("C: sleep; A: arrive b[2]; B: arrive b, leave b; A: leave b", false);
    check("A: arrive b[2]; B: arrive b; A: leave b, arrive b; B: leave b, awake", true);
}

#[test]
fn permits() {
    check("A: permit s[1], permitback s; B: permit s", true);
    check("A: permit s[2], permitback s; B: permit s", false);
    check("A: permit s[2], permitback s; B: permit s, permit s", true);
    check("A: addpermit s[0]; B: permit s", true);
}

#[test]
fn notifications() {
    check("A: lock m; B: condwait c m; A: notify c, unlock m; B: condwake c m", true);
    check("A: sleep, notify c; B: condwait c m, condwake c m", false);
    check("A: sleep; B: condwait c m; A: notify c; B: condtimeout c m", false);
    check("A: once o, unlock o; B: observe o", true);
    let (events, definitions) = parse("A: once o, unlock o; B: observe o");
    assert!(ordered(&events, &definitions, NO_LOCKS), "in every run");
}

#[test]
fn atomics() {
    use MemoryOrder::{AcqRel, Acquire, Relaxed, Release, SeqCst};
    let var = VarId(0);
    let store = |order, number| Op::AtomicStore { var, order, number, count: 0 };
    let update = |order, number| Op::AtomicUpdate { var, order, number, count: 0 };
    let load = |order, read| Op::AtomicLoad { var, order, read, count: 0 };
    let fence = |order| Op::Fence { order };
    let check_with = |ops: &[(u32, Op)], edges, expected| {
        let event = |&(thread, op)| Event { thread: ThreadId(thread), time: Nanos(0), site: None, stack: None, op };
        let events: Vec<Event> = ops.iter().map(event).collect();
        assert_eq!(ordered(&events, &Definitions::default(), edges), expected, "{ops:?}");
    };
    let check = |ops: &[(u32, Op)], expected| check_with(ops, LOCKS, expected);
    check(&[(0, store(Release, 1)), (1, load(Acquire, 1))], true);
    check(&[(0, store(SeqCst, 1)), (1, load(SeqCst, 1))], true);
    check(&[(0, store(Relaxed, 1)), (1, load(Acquire, 1))], false);
    check(&[(0, store(Release, 1)), (1, load(Relaxed, 1))], false);
    check(&[(0, store(Release, 1)), (1, load(Acquire, 0))], false);
    check(&[(0, store(Release, 1)), (2, store(Release, 2)), (1, load(Acquire, 2))], false);
    check(&[(0, store(Release, 1)), (2, store(Release, 2)), (1, load(Acquire, 1))], true);
    // A read-modify-write continues the release sequence, a store ends it.
    check(&[(0, store(Release, 1)), (2, update(Relaxed, 2)), (1, load(Acquire, 2))], true);
    check(&[(0, store(Release, 1)), (2, store(Relaxed, 2)), (1, load(Acquire, 2))], false);
    check(&[(0, update(AcqRel, 1)), (1, update(AcqRel, 2))], true);
    check(&[(0, update(Release, 1)), (1, update(Relaxed, 2))], false);
    check(&[(0, fence(Release)), (0, store(Relaxed, 1)), (1, load(Acquire, 1))], true);
    check(&[(0, store(Release, 1)), (1, load(Relaxed, 1)), (1, fence(Acquire))], true);
    check(&[(0, fence(SeqCst)), (0, store(Relaxed, 1)), (1, load(Relaxed, 1)), (1, fence(SeqCst))], true);
    check(&[(0, fence(SeqCst)), (1, fence(SeqCst))], false);
    check(&[(0, store(Release, 1)), (1, load(Acquire, u64::MAX))], true);
    check_with(&[(0, store(Relaxed, 1)), (1, load(Relaxed, 1))], Edges { locks: true, reads_from: true }, true);
}
