use crate::{
    finding::{Finding, Target},
    testing::{check, findings, run},
};

const AB: &str = "A: lock a #1, lock b #2, unlock b, unlock a;";
const BA: &str = "B: lock b #3, lock a #4, unlock a, unlock b;";

fn join(parts: &[&str]) -> String {
    parts.concat()
}

fn requests(participants: &[crate::Participant]) -> Vec<u64> {
    participants.iter().filter_map(|participant| Some(participant.wanted.as_ref()?.event)).collect()
}

fn only(trace: &str) -> Finding {
    let mut found = findings(trace);
    assert_eq!(found.len(), 1, "{found:?}");
    found.remove(0)
}

#[test]
fn two_orders() {
    check(&join(&[AB, BA]), &["lock-order-inversion a b"]);
    check(&join(&[AB, "B: lock a, lock b, unlock b, unlock a"]), &[]);
    // Never nested.
    check("A: lock a, unlock a, lock b, unlock b; B: lock b, unlock b, lock a, unlock a", &[]);
}

#[test]
fn one_thread_alone_cannot_deadlock() {
    check(&join(&[AB, &BA.replace('B', "A")]), &[]);
}

#[test]
fn circles_of_three() {
    let trace = "A: lock a, lock b, unlock a, unlock b; B: lock b, lock c, unlock c, unlock b;";
    check(&join(&[trace, "C: lock c, lock a"]), &["lock-order-inversion a b c"]);
    check(&join(&[trace, "C: lock a, lock c"]), &[]);
    // Two of the three sides are one thread's.
    check(&join(&[trace, "B: lock c, lock a"]), &[]);
    let found = only(&join(&[trace, "C: lock c, lock a"]));
    for (index, participant) in found.participants.iter().enumerate() {
        let next = &found.participants[(index + 1) % found.participants.len()];
        let wanted = participant.wanted.as_ref().expect("all ask").target;
        assert!(matches!(wanted, Target::Lock(lock, _) if lock == next.held[0].lock));
    }
}

#[test]
fn a_circle_longer_than_the_bound_is_not_passed_over_in_silence() {
    use crate::{Analysis, Options, testing::parse};
    let trace: String = (0..6).map(|i| format!("T{i}: lock l{i}, lock l{}, unlock l{i};", (i + 1) % 6)).collect();
    let trace = (0..6).fold(trace, |trace, i| trace + &format!("T{i}: unlock l{};", (i + 1) % 6));
    for (max_cycle_length, found, limits) in [(6, 1, 0), (5, 0, 1)] {
        let (events, definitions) = parse(&trace);
        let mut analysis = Analysis::new(Options { max_cycle_length, ..Options::default() });
        events.iter().for_each(|event| analysis.feed(event, &definitions));
        let inversions = analysis.findings(&definitions);
        let inversions = inversions.iter().filter(|finding| finding.code == crate::Code::LockOrderInversion);
        assert_eq!(inversions.count(), found);
        assert_eq!(analysis.limits().len(), limits);
    }
}

#[test]
fn gate_locks() {
    let gated = |thread: &str, gate: &str, first: &str, second: &str| {
        format!("{thread}: {gate}, lock {first}, lock {second}, unlock {second}, unlock {first}, unlock g;")
    };
    check(&join(&[&gated("A", "lock g", "a", "b"), &gated("B", "lock g", "b", "a")]), &[]);
    check(&join(&[&gated("A", "lock g", "a", "b"), BA]), &["lock-order-inversion a b"]);
    // A gate held for reading by both keeps nobody out.
    check(&join(&[&gated("A", "read g", "a", "b"), &gated("B", "read g", "b", "a")]), &["lock-order-inversion a b"]);
    check(&join(&[&gated("A", "read g", "a", "b"), &gated("B", "lock g", "b", "a")]), &[]);
    check(&join(&[&gated("A", "upread g", "a", "b"), &gated("B", "upread g", "b", "a")]), &[]);
    // A gate that was got by a try is as good as any.
    check(&join(&[&gated("A", "try g", "a", "b"), &gated("B", "lock g", "b", "a")]), &[]);
}

#[test]
fn fork_and_join() {
    check(&join(&["M: spawn A, spawn B;", AB, BA]), &["lock-order-inversion a b"]);
    check(&join(&["M: spawn A;", AB, "M: join A, spawn B;", BA]), &[]);
    check(&join(&["B: lock b, lock a, unlock a, unlock b, spawn A;", AB]), &[]);
    check(&join(&["B: spawn A, lock b, lock a, unlock a, unlock b;", AB]), &["lock-order-inversion a b"]);
    check(&join(&["B: spawn A;", AB, "B: join A, lock b, lock a"]), &[]);
    // Another round of the same thread does meet.
    let trace = join(&["M: spawn B, spawn A;", AB, "M: join A, spawn C;", "C: lock b, lock a, unlock a, unlock b;"]);
    check(&trace, &[]);
    check(&join(&[&trace, "B: lock a, lock b"]), &["lock-order-inversion a b"]);
}

#[test]
fn readers_do_not_exclude_readers() {
    let reads = "A: read a, read b, unlock b, unlock a; B: read b, read a, unlock a, unlock b;";
    check(reads, &[]);
    // A writer in between makes them wait, where locks are fair. One for each of the two locks.
    check(&join(&[reads, "C: lock a, unlock a"]), &[]);
    check(&join(&[reads, "C: lock a, unlock a; D: lock b, unlock b"]), &["lock-order-inversion a b"]);
    // A recursive read passes the writer, so one is enough to break the circle.
    let recursive = reads.replace("A: read a, read b", "A: read a, readagain b");
    check(&join(&[&recursive, "C: lock a, unlock a; D: lock b, unlock b"]), &[]);
    // A writer that has to be one of the readers is none, and neither is one that is over before.
    check(&join(&[reads, "B: lock a, unlock a; D: lock b, unlock b"]), &[]);
    check(&join(&["M: spawn C; C: lock a, unlock a; M: join C, spawn A, spawn B;", reads, "D: lock b"]), &[]);
    // One side that excludes closes half of the circle.
    check("A: lock a, read b, unlock b, unlock a; B: lock b, read a", &["lock-order-inversion a b"]);
    check("A: read a, lock b, unlock b, unlock a; B: read b, lock a", &["lock-order-inversion a b"]);
    check("A: lock a, read b, unlock b, unlock a; B: read b, lock a", &[]);
    check(
        "A: lock a, read b, unlock b, unlock a; B: read b, lock a, unlock a, unlock b; C: lock b",
        &["lock-order-inversion a b"],
    );
}

#[test]
fn a_writer_in_between_is_told() {
    let trace = "A: read a, read b, unlock b, unlock a; B: lock b, lock a, unlock a, unlock b; C: lock b";
    check(trace, &["lock-order-inversion a b"]);
    let found = only("A: lock a, read b, unlock b, unlock a; B: read b, lock a, unlock a, unlock b; C: lock b");
    assert_eq!(found.participants.len(), 3);
    let writer = found.participants.iter().find(|participant| participant.held.is_empty()).expect("the writer");
    assert_eq!(writer.wanted.as_ref().map(|wanted| wanted.event), Some(9));
    assert!(found.notes.iter().any(|note| note.contains("no reader pass")), "{:?}", found.notes);
}

#[test]
fn tries_do_not_wait_but_hold() {
    check(&join(&[AB, "B: lock b, try a"]), &[]);
    check(&join(&[AB, "B: try b, lock a"]), &["lock-order-inversion a b"]);
    check(&join(&[AB, "B: lock b, tryfail a"]), &[]);
}

#[test]
fn time_limits_are_told() {
    let found = only(&join(&[AB, "B: lock b, timed a"]));
    assert!(found.notes.iter().any(|note| note.contains("time limit")), "{:?}", found.notes);
    let found = only(&join(&["A: lock a, wait b, timeout b, unlock a;", BA]));
    assert!(found.notes.iter().any(|note| note.contains("time limit")), "{:?}", found.notes);
    assert!(!only(&join(&[AB, BA])).notes.iter().any(|note| note.contains("time limit")));
}

#[test]
fn a_wait_without_end_has_an_order() {
    check(&join(&[AB, "C: lock a; B: lock b, wait a"]), &["lock-order-inversion a b"]);
    check(&join(&[AB, "C: lock b; B: lock a, wait b"]), &[]);
}

#[test]
fn upgrades() {
    let reader = "B: read u, lock b, unlock b, unlock u;";
    check(&join(&["A: upread u, lock b, upgrade u, unlock b, unlock u;", reader]), &["lock-order-inversion b u"]);
    check(&join(&["A: upread u, lock b, unlock b, upgrade u, unlock u;", reader]), &[]);
    check("A: upread u, upgrade u, unlock u; B: upread u, upgrade u, unlock u", &[]);
}

#[test]
fn a_mutex_taken_back_by_a_wait_is_requested() {
    let wait = "A: lock a, lock m, condwait c m, unlock m, reget m, condwake c m, unlock m, unlock a;";
    check(&join(&[wait, "B: lock m, lock a"]), &["lock-order-inversion a m"]);
    // Without the outer lock there is only the order of the other thread.
    check("A: lock m, condwait c m, unlock m, reget m, condwake c m, unlock m; B: lock m, lock a", &[]);
    let late = "A: lock m, lock a, condwait c m, unlock m, reget m, condwake c m, unlock m, unlock a;";
    check(&join(&[late, "B: lock m, lock a"]), &["lock-order-inversion a m"]);
}

#[test]
fn one_finding_with_all_places() {
    let trace = join(&[AB, BA, AB, "B: lock b #3, lock a #9, unlock a, unlock b;", BA]);
    let found = only(&trace);
    assert_eq!(requests(&found.participants), [6, 2], "the rarer order last");
    assert_eq!(found.variants.iter().map(|variant| requests(variant)).collect::<Vec<_>>(), [[2, 14]]);
    assert_eq!(found.count, 2, "a before b was seen twice, b before a three times");
    assert!(found.help[0].contains("`b` before `a`"), "{:?}", found.help);
}

#[test]
fn one_place_that_takes_both_orders_is_told_to_sort() {
    let trace = "A: lock a #1, lock b #2, unlock b, unlock a; B: lock b #1, lock a #2";
    assert_eq!(
        only(trace).help[0],
        "test.rs:2 takes them in an order that varies: sort them there before locking, `a` before `b` for example"
    );
    assert_eq!(only(&join(&[AB, BA])).help[0], "take `a` before `b` everywhere; test.rs:4 does not");
}

#[test]
fn locks_of_a_class_are_one_finding() {
    let transfer = |thread: &str, from: u32, to: u32| {
        format!("{thread}: lock acc.{from} #1, lock acc.{to} #2, unlock acc.{to}, unlock acc.{from};")
    };
    let both = |from, to| transfer("A", from, to) + &transfer("B", to, from);
    let found = only(&join(&[&both(1, 2), &both(3, 4), &both(1, 4)]));
    assert!(found.notes.iter().any(|note| note.contains("3 different sets")), "{:?}", found.notes);
    check(&join(&[&transfer("A", 1, 2), &transfer("B", 1, 2)]), &[]);
}

#[test]
fn what_happened_is_not_told_as_possible() {
    check(&join(&[AB, BA, "A: lock a; B: lock b; A: wait b; B: wait a"]), &["deadlock a b"]);
    check(
        &join(&[AB, BA, "A: lock c; B: lock d; A: wait d; B: wait c"]),
        &["deadlock c d", "lock-order-inversion a b"],
    );
}

#[test]
fn fingerprints_survive_other_lines_and_threads() {
    let here = only(&join(&[AB, BA]));
    let there = only(&join(&["X: start;", &BA.replace('#', "#1").replace('B', "X"), AB]));
    assert_eq!(here.fingerprint, there.fingerprint);
    let other = only(&join(&[AB, BA]).replace(" a", " c"));
    assert_ne!(here.fingerprint, other.fingerprint);
}

#[test]
fn dense_but_ordered_locks_are_no_work() {
    // Every pair of thirty locks, always in order: no circle, and no search for one.
    let mut trace = String::new();
    for first in 0..30 {
        for second in first + 1..30 {
            trace += &format!("T{}: lock l{first}, lock l{second}, unlock l{second}, unlock l{first};", first % 3);
        }
    }
    check(&trace, &[]);
}

/// What keeps the sides apart in this run, as the finding says it; `None` where there is no finding.
fn apart(trace: &str) -> Option<String> {
    let mut found = findings(trace);
    assert!(found.len() <= 1, "{found:?}");
    let note = found.pop()?.notes.remove(0);
    Some(
        note.strip_prefix("in this run the threads were kept apart")
            .map_or(String::new(), |by| by.split(';').next().unwrap_or_default().trim_start_matches(" by ").to_owned()),
    )
}

#[test]
fn messages_keep_apart_where_one_sends_and_one_receives() {
    let told = |between: &str| join(&["M: spawn A, spawn B, spawn C;", AB, "A: send c;", between, "B: recv c;", BA]);
    assert_eq!(apart(&told("")), None);
    // Sent before.
    assert_eq!(apart(&join(&["A: send c;", AB, "B: recv c;", BA])).as_deref(), Some(""));
    // Received after.
    assert_eq!(apart(&join(&[AB, "A: send c;", BA, "B: recv c;"])).as_deref(), Some(""));
    // Another one sends as well, and the receiver might get that one's message first.
    assert_eq!(apart(&told("C: send c;")).as_deref(), Some("c"));
    assert_eq!(apart(&join(&[&told(""), "C: send c"])).as_deref(), Some("c"));
    // Through a third thread.
    let relayed = ["M: spawn A, spawn B, spawn C;", AB, "A: send c; C: recv c, send d; B: recv d;", BA];
    assert_eq!(apart(&join(&relayed)), None);
    // Only one of two rounds is apart.
    assert_eq!(apart(&join(&[&told(""), AB])).as_deref(), Some(""));
    // And back again: each has its turn.
    assert_eq!(apart(&join(&[&told(""), "B: send d; A: recv d;", AB])), None);
}

#[test]
fn barriers_keep_rounds_apart() {
    let round = "A: arrive r[2]; B: arrive r, leave r; A: leave r;";
    assert_eq!(apart(&join(&[AB, round, BA])), None);
    assert_eq!(apart(&join(&[round, AB, BA])).as_deref(), Some(""));
    // More threads than parties: which of them meet is not the same in every run.
    assert_eq!(
        apart(&join(&["C: arrive r[2]; A: arrive r; C: leave r; A: leave r;", AB, round, BA])).as_deref(),
        Some("r")
    );
    // Many rounds.
    assert_eq!(apart(&(join(&[AB, round]).repeat(200) + BA)).as_deref(), Some(""), "no more is kept in mind");
    assert_eq!(apart(&(join(&[AB, round, BA, round]).repeat(20))), None);
}

#[test]
fn what_is_initialised_once_is_over_before_it_is_used() {
    // The initialiser's own locks come first, whoever runs it; what its thread did before does not.
    let init = "A: once o, lock a #1, lock b #2, unlock b, unlock a, unlock o;";
    assert_eq!(apart(&join(&[init, "B: observe o;", BA])), None);
    assert_eq!(apart(&join(&[init, BA])).as_deref(), Some(""));
    let before = join(&[AB, "A: once o, unlock o;"]);
    assert_eq!(apart(&join(&[&before, "B: observe o;", BA])).as_deref(), Some("o"));
}

#[test]
fn notifications_keep_apart_in_this_run_only() {
    let woken = "B: lock m, condwait c m, unlock m; A: notify c; B: reget m, condwake c m, unlock m;";
    assert_eq!(apart(&join(&[AB, woken, BA])).as_deref(), Some("c"));
    assert_eq!(apart(&join(&[AB, "B: lock m, unlock m;", BA])).as_deref(), Some(""));
    let unparked = "B: park; A: unpark B; B: unparked;";
    assert_eq!(apart(&join(&[AB, unparked, BA])).as_deref(), Some(""));
    let note = &findings(&join(&[AB, unparked, BA]))[0].notes[0];
    assert!(note.starts_with("in this run the threads were kept apart; "), "{note}");
}

#[test]
fn what_can_meet_comes_first() {
    // B's first round was kept apart, C's was not.
    let trace = join(&[AB, "B: park; A: unpark B; B: unparked;", BA, &BA.replace("B:", "C:").replace('#', "#1")]);
    let found = only(&trace);
    assert!(found.notes[0].starts_with("nothing that was recorded"), "{:?}", found.notes);
    assert_eq!((found.participants.len(), found.variants.len()), (2, 1));
}

/// Along a list that was built back to front: every new pair lies before all known ones, in one chain of all of them.
#[test]
fn a_long_list_hand_over_hand_takes_little_time_and_no_stack() {
    use crate::{Analysis, order_graph::Grouping};
    use lockscope_trace::{Access, Definitions, Event, How, LockId, LockKind, Mode, Nanos, Op, ThreadDef, ThreadId};

    const LOCKS: u32 = 100_000;
    let run = || {
        let mut definitions = Definitions::default();
        definitions.threads.push(ThreadDef::default());
        for _ in 0..LOCKS {
            definitions.add_lock(LockKind::Mutex, None, "u8".into(), None, None);
        }
        let mut analysis = Analysis::default();
        let mut position = 0;
        let thread = ThreadId(0);
        let mut feed = |op| {
            position += 1;
            analysis.feed(&Event { thread, time: Nanos(position), site: None, stack: None, op }, &definitions);
        };
        for first in (0..LOCKS - 1).rev() {
            for lock in [first, first + 1].map(LockId) {
                feed(Op::Acquired { lock, mode: Mode::Exclusive, how: How::Lock, count: 0 });
            }
            for lock in [first + 1, first].map(LockId) {
                feed(Op::Released { lock, owner: thread, mode: None, access: Access::Read });
            }
        }
        assert_eq!(analysis.findings(&definitions), []);
        assert_eq!(analysis.limits(), Vec::<String>::new());
        let order = analysis.order_graph(&definitions, Grouping::Locks);
        assert_eq!(order.nodes.last().map(|node| node.level), Some(LOCKS - 1));
    };
    // A quarter of a megabyte: what recurses along the chain dies here.
    let small = std::thread::Builder::new().stack_size(256 << 10);
    small.spawn(run).expect("a thread can be made").join().expect("it does not panic");
}

/// What a thread holds is kept for each of its requests, which grows with the square of how much it never gives back.
#[test]
fn holds_without_end_are_cut_off_and_told() {
    for (locks, limits) in [(500, 0), (2_200, 1)] {
        let steps: Vec<String> = (0..locks).map(|lock| format!("lock l{lock}")).collect();
        let (mut analysis, definitions) = run(&format!("A: {}", steps.join(", ")));
        analysis.findings(&definitions);
        assert_eq!(analysis.limits().len(), limits, "{locks} locks: {:?}", analysis.limits());
    }
}
