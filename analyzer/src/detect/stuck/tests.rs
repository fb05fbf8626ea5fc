use crate::{
    finding::{Confidence, Finding},
    testing::{check, findings},
};

fn only(trace: &str) -> Finding {
    let mut found = findings(trace);
    assert_eq!(found.len(), 1, "{found:#?}");
    found.remove(0)
}

/// A second passes.
const LATER: &str = "M: awake @3s;";

const NESTED: &str = "M: spawn A, spawn B; A: lock x #1, lock m, condwait c m #2, unlock m; B: wait x #3;";

#[test]
fn nested_monitor() {
    let found = only(&format!("{NESTED} M: joinwait A; killed"));
    assert_eq!((found.code.as_str(), found.confidence), ("deadlock", Confidence::Actual));
    assert_eq!(found.title, "2 threads are deadlocked over c and x");
    assert_eq!(found.help, ["release `x` before waiting for a notification of `c`"]);
    assert!(found.notes.contains(&"nobody ever notified c in this run".to_owned()), "{:?}", found.notes);
    assert!(found.notes.contains(&"one more thread waits behind: M".to_owned()), "{:?}", found.notes);
    assert_eq!(found.participants[0].held.len(), 1, "what A holds and B wants, not the mutex that it gave up");

    // Main might notify: it lives. Only a second later, or when the process was killed, is that worth telling.
    check(NESTED, &[]);
    let found = only(&format!("{NESTED} {LATER}"));
    assert_eq!((found.code.as_str(), found.confidence), ("deadlock", Confidence::Potential));
    assert_eq!(found.title, "2 threads may be deadlocked over c and x");
    check(&format!("{NESTED} killed"), &["deadlock c x"]);
    check(&format!("{NESTED} {LATER} ended"), &["deadlock c x"]);
    // It did so before; or has just done so.
    check(&format!("M: notify c; {NESTED} {LATER}"), &[]);
    check(&format!("{NESTED} M: notify c; {LATER}"), &[]);
    // A time limit ends it.
    check(&format!("{} {LATER} killed", NESTED.replace("condwait c m #2", "condwait c m limited")), &[]);
    // The notifier does not need x.
    check(&format!("{} {LATER} killed", NESTED.replace("wait x", "lock y")), &[]);
}

#[test]
fn everybody_waits() {
    let all = "M: spawn A, spawn B; A: lock m, condwait c m, unlock m read; B: lock n, condwait d n, unlock n read; M: joinwait A;";
    let found = only(&format!("{all} killed"));
    assert_eq!((found.code.as_str(), found.confidence), ("deadlock", Confidence::Actual));
    assert_eq!(found.title, "2 threads wait for ever: nobody is left who could wake them");
    check(all, &["deadlock c d"]);
    // At the end of the program they have nothing to do.
    check(&format!("{all} ended"), &[]);
    check(&format!("{} killed", all.replace("M: joinwait A", "M: sleep")), &[]);
    check(&format!("{} killed", all.replace("M: joinwait A", "M: lock z")), &[]);
}

#[test]
fn a_wait_for_messages_of_oneself() {
    let own = "M: spawn A, sender c, receiver c, send c, recv c, await c message; A: exit;";
    let found = only(own);
    assert_eq!(found.title, "M waits for a message from c, to which only M itself could send");
    assert_eq!((found.code.as_str(), found.help.len()), ("self-deadlock", 1));
    check(&own.replace("recv c,", "recv c, dropsender c,"), &[]);
}

#[test]
fn messages_while_holding_what_the_sender_wants() {
    let made = "M: spawn A, sender c, receiver c; A: dropsender c M, sender c, send c; M: recv c;";
    let found = only(&format!("{made} M: lock x, await c message; A: wait x; ended"));
    assert_eq!((found.code.as_str(), found.confidence), ("deadlock", Confidence::Actual));
    // Another thread lives, and may have a sender by now.
    let found = only(&format!("{made} M: spawn B, lock x, await c message; A: wait x; B: awake @3s"));
    assert_eq!((found.code.as_str(), found.confidence), ("deadlock", Confidence::Potential));
    assert_eq!(found.help, ["release `x` before waiting for a message from `c`"]);
    assert!(found.notes.contains(&"senders of c are with A".to_owned()), "{:?}", found.notes);
    check(&format!("{made} M: await c message; A: wait x; ended"), &[]);
    // Idle workers, each of which could only be fed by another one.
    let idle = "M: spawn A, spawn B; A: sender c, send c; B: sender d, send d; A: recv d; B: recv c; A: await d message; B: await c message;";
    check(&format!("{idle} ended"), &[]);
    check(&format!("{idle} M: exit; killed"), &["deadlock c d"]);
}

#[test]
fn permits_of_those_who_wait_for_more() {
    let both = "A: permit s[2] #1; B: permit s #2; A: await s permits #3;";
    let found = only(&format!("{both} B: await s permits #4; ended"));
    assert_eq!((found.code.as_str(), found.confidence), ("deadlock", Confidence::Actual));
    assert_eq!(found.participants[0].held.len(), 1);
    assert_eq!(
        found.help[0],
        "take all permits of `s` at once, or give back those that are held before asking for more"
    );
    check(&format!("{both} ended"), &[]);
    check(&format!("{both} B: permitback s, await s permits; ended"), &[]);
}

#[test]
fn permits_that_were_lost() {
    let lost = "M: spawn A, spawn B; A: permit s[1] #1, exit; B: await s permits;";
    let found = only(&format!("{lost} ended"));
    assert_eq!(found.title, "B waits for permits of s that A never gave back");
    assert_eq!((found.code.as_str(), found.confidence), ("semaphore-leak", Confidence::Actual));
    assert_eq!(found.participants[0].held[0].event, 3, "where they were taken");
    check(&format!("{lost} M: permitback s 1 A; ended"), &[]);
    // Given up on purpose: a matter only when others wait for them.
    check("M: spawn A; A: permit s[1], forget s; ended", &[]);
    let found = only("M: spawn A, spawn B; A: permit s[1], forget s; B: await s permits; M: joinwait B; killed");
    assert_eq!((found.code.as_str(), found.participants[0].held.len()), ("semaphore-leak", 1));
}

#[test]
fn a_lock_of_a_thread_that_has_ended() {
    let leaked = "M: spawn A, spawn B; A: lock a #1, exit; B: wait a #2;";
    let found = only(&format!("{leaked} ended"));
    assert_eq!(found.title, "B waits for a, which A held when it ended");
    assert_eq!((found.code.as_str(), found.confidence), ("guard-leak", Confidence::Actual));
    check(&leaked.replace("A: lock a #1, exit", "A: lock a, unlock a, exit"), &[]);
    // The guard was sent to main, which still has to do so.
    check(&format!("{leaked} M: unlock a wrote A; B: lock a; ended"), &[]);
}

#[test]
fn a_wakeup_that_was_lost() {
    // Nobody waits yet, and nobody looks.
    let lost = "M: spawn A, notify c #1; A: lock m, condwait c m #2, unlock m nothing; M: joinwait A;";
    let found = only(&format!("{lost} killed"));
    assert_eq!(found.title, "A waits for a notification of c that came before it waited");
    assert_eq!((found.code.as_str(), found.confidence), ("lost-wakeup", Confidence::Actual));
    let note = "M notified c at test.rs:1 when nobody waited, 2 ns before A did";
    assert!(found.notes.iter().any(|known| known == note), "{:?}", found.notes);
    // It came between the look and the wait.
    let between = "M: spawn A; A: lock m; M: notify c; A: condwait c m, unlock m read; M: joinwait A; killed";
    check(between, &["lost-wakeup c"]);
    // It looked after the notification, and what it waits for is something else.
    let looked = "M: spawn A, notify c; A: lock m, condwait c m, unlock m read; M: joinwait A; killed";
    check(looked, &["deadlock c"]);
    // Heard, and it is about to wake up; or it did.
    check("M: spawn A; A: lock m, condwait c m, unlock m nothing; M: notify c, joinwait A; killed", &[]);
    check(&format!("{} ended", lost.replace("M: joinwait A", "A: reget m, condwake c m, unlock m read")), &[]);
}

#[test]
fn what_the_process_said_is_the_same_finding() {
    // It said so, unwound, and everything was released.
    let panics = "M: spawn A, spawn B; A: lock x, lock m, condwait c m, unlock m; B: wait x, finding deadlock actual; B: exit; M: joinwait B, join B; M: notify c; A: reget m, condwake c m, unlock m read, unlock x, exit;";
    let found = only(&format!("{panics} ended"));
    assert_eq!((found.code.as_str(), found.confidence, found.count), ("deadlock", Confidence::Actual, 1));
    // Potential for all that the trace shows, but the process knows its threads.
    let found = only(&format!("{NESTED} B: finding deadlock actual; killed"));
    assert_eq!((found.code.as_str(), found.confidence, found.count), ("deadlock", Confidence::Actual, 1));
    let found = only(&format!("{NESTED} B: finding deadlock potential; killed"));
    assert_eq!((found.confidence, found.count), (Confidence::Potential, 1));
    // A circle of locks is found anyway.
    check("A: lock a; B: lock b; A: wait b; B: wait a, finding deadlock actual; killed", &["deadlock a b"]);
}

#[test]
fn what_the_watch_said_is_the_same_finding_too() {
    // A thread of lockscope's own says it, and names the places.
    let watch = "lockscope-watch: start, finding deadlock actual test.rs:2 test.rs:3, exit;";
    let found = only(&format!("{NESTED} {watch} killed"));
    assert_eq!((found.code.as_str(), found.confidence, found.count), ("deadlock", Confidence::Actual, 1));
    assert_eq!(found.participants.len(), 2);
    // It is about others, of which the trace shows that one waits: the one that holds y joins it by std.
    let joined = format!("M: lock y; C: wait y #7; {NESTED} {}", watch.replace("test.rs:2 test.rs:3", "test.rs:7"));
    let found = only(&joined);
    assert_eq!((found.title.as_str(), found.confidence), ("as it said", Confidence::Actual));
    assert_eq!((found.participants.len(), found.locks.len()), (1, 1));
    // Another line is another place.
    let found = only(&joined.replace("actual test.rs:7", "actual test.rs:77"));
    assert_eq!(found.participants.len(), 0);
    // The handle may be anywhere for all that the trace shows, and main joins by std; but the process knows that nobody is left.
    let unused = "M: sender c, receiver c, spawn A, spawn B; A: lock x, await c message #2; B: wait x #3;";
    check(&format!("{unused} killed"), &[]);
    let found = only(&format!("{unused} {watch} killed"));
    assert_eq!((found.confidence, found.participants.len()), (Confidence::Actual, 2));
    assert_eq!(found.notes[0], "senders of c were made by M, and may be with any thread");
    // Lockscope's own thread is none that could help.
    let all = "M: spawn A; A: lock m, condwait c m, unlock m read; M: joinwait A; lockscope-watch: start;";
    check(&format!("{all} killed"), &["deadlock c"]);
    check(&format!("{} killed", all.replace("lockscope-watch", "other")), &[]);
}

#[test]
fn leaks_that_the_process_said_are_told_once() {
    let leak = "M: spawn A; A: lock a #1, finding guard-leak actual test.rs:1, exit; ended";
    check(leak, &["guard-leak a"]);
    let waits = "M: spawn A, spawn B; B: wait a #2; A: finding guard-leak actual test.rs:1 test.rs:2, exit; ended";
    check(&format!("A: lock a #1; {waits}"), &["guard-leak a"]);
}

#[test]
fn permits_that_may_be_elsewhere() {
    let both = "M: spawn A, spawn B; A: ownedpermit s[2]; B: permit s; A: await s permits; B: await s permits;";
    check(&format!("{both} killed"), &[]);
    check(&format!("{both} M: exit; killed"), &["deadlock s"]);
    check(&format!("{} killed", both.replace("owned", "")), &["deadlock s"]);
}

#[test]
fn what_only_the_process_knows_is_told() {
    let found = only("A: finding lost-wakeup potential, finding lost-wakeup potential");
    assert_eq!((found.code.as_str(), found.confidence, found.count), ("lost-wakeup", Confidence::Potential, 2));
    assert_eq!((found.title.as_str(), found.participants.len()), ("as it said", 0));
    assert!(found.notes[0].starts_with("reported by the process itself"), "{:?}", found.notes);
    check("A: finding lost-wakeup, finding busy-wait actual", &[]);
}

#[test]
fn missing_events_make_nothing_certain() {
    use crate::{Analysis, Ending, testing::parse};
    let (mut events, definitions) = parse(&format!("{NESTED} M: joinwait A"));
    events.push(lockscope_trace::Event { op: lockscope_trace::Op::Dropped { count: 1 }, ..events[0] });
    let mut analysis = Analysis::default();
    events.iter().for_each(|event| analysis.feed(event, &definitions));
    analysis.set_ending(Ending::CutOff);
    let found = analysis.findings(&definitions);
    assert!(found.iter().all(|finding| finding.confidence == Confidence::Potential), "{found:?}");
}

#[test]
fn the_same_places_are_one_finding() {
    let round = |n: u32| {
        format!(
            "M: spawn A{n}, spawn B{n}; A{n}: permit s[2] #1; B{n}: permit s #2; A{n}: await s permits #3; B{n}: await s permits #4, finding deadlock actual, permitback s; A{n}: got s, permit s, permitback s 2; "
        )
    };
    let found = only(&(0..1000).map(round).collect::<String>());
    assert_eq!((found.count, found.code.as_str()), (1000, "deadlock"));
}
