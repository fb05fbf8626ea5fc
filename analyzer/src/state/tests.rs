use super::*;
use crate::testing::{parse, run};

/// Threads as `activity: locks held`, locks as `holders / waiters`.
fn shown(trace: &str) -> (Vec<String>, Vec<String>) {
    let (analysis, definitions) = run(trace);
    let state = analysis.state();
    let name = |lock| definitions.lock_name(lock);
    let thread = |thread: &ThreadState| {
        let activity = match thread.activity {
            Activity::NotStarted => "new".to_owned(),
            Activity::Running => "runs".to_owned(),
            Activity::Finished => "ended".to_owned(),
            Activity::Sleeping { .. } => "sleeps".to_owned(),
            Activity::Blocked(_) => {
                let targets = thread.targets().map(|target| match target {
                    Target::Lock(lock, mode) => format!("{} {}", mode.word(), name(lock)),
                    Target::Thread(child) => format!("joins {child}"),
                    Target::Object(object, Need::Notify) => format!("awaits {}", name(object)),
                    Target::Object(object, need) => format!("awaits {} {}", need.word(), name(object)),
                    Target::Token => "parked".to_owned(),
                });
                targets.collect::<Vec<_>>().join(" + ")
            }
        };
        let held: Vec<String> =
            thread.held.iter().map(|held| format!("{} {}", held.mode.word(), name(held.lock))).collect();
        format!("{activity}: {}", held.join(", "))
    };
    let list = |list: &[(ThreadId, Mode, Nanos)]| {
        list.iter().map(|(thread, mode, _)| format!("{thread} {}", mode.word())).collect::<Vec<_>>().join(", ")
    };
    let lock = |lock: &LockState| format!("{} / {}", list(&lock.holders), list(&lock.waiters));
    (state.threads.iter().map(thread).collect(), state.locks.iter().map(lock).collect())
}

#[track_caller]
fn check(trace: &str, threads: &[&str], locks: &[&str]) {
    assert_eq!(
        shown(trace),
        (threads.iter().map(|s| s.to_string()).collect(), locks.iter().map(|s| s.to_string()).collect())
    );
}

#[test]
fn holders_and_waiters() {
    check(
        "A: lock a; B: wait a; C: wait a",
        &["runs: exclusive a", "exclusive a: ", "exclusive a: "],
        &["T0 exclusive / T1 exclusive, T2 exclusive"],
    );
    check(
        "A: lock a; B: wait a; C: wait a; A: unlock a; C: lock a",
        &["runs: ", "exclusive a: ", "runs: exclusive a"],
        &["T2 exclusive / T1 exclusive"],
    );
    check("A: read a, read a, unlock a", &["runs: shared a"], &["T0 shared / "]);
    check("A: lock a; B: wait a, timeout a", &["runs: exclusive a", "runs: "], &["T0 exclusive / "]);
}

#[test]
fn upgrades_and_downgrades_replace() {
    check("A: upread a, upgrade a", &["runs: exclusive a"], &["T0 exclusive / "]);
    check("A: upread a, upgrade a, downgrade a", &["runs: shared a"], &["T0 shared / "]);
    check("A: upread a, upgrade a, unlock a", &["runs: "], &[" / "]);
}

#[test]
fn condition_variables() {
    // The condition variable is defined first.
    let wait = "A: lock m, condwait c m, unlock m";
    check(wait, &["awaits c: "], &[" / ", " / T0 exclusive"]);
    check(&format!("{wait}, reget m"), &["runs: exclusive m"], &["T0 exclusive / ", " / "]);
    check(&format!("{wait}, wait m"), &["exclusive m: "], &[" / T0 exclusive", " / "]);
}

#[test]
fn lives() {
    check("A: spawn B", &["runs: ", "new: "], &[]);
    check("A: spawn B, joinwait B; B: start", &["joins T1: ", "runs: "], &[]);
    check("A: spawn B; B: exit; A: join B", &["runs: ", "ended: "], &[]);
}

#[test]
fn reports_come_from_inside_of_waits() {
    check(
        "A: lock a; B: wait a, finding lock-timeout",
        &["runs: exclusive a", "exclusive a: "],
        &["T0 exclusive / T1 exclusive"],
    );
}

#[test]
fn a_guard_may_be_released_elsewhere() {
    let (mut events, _) = parse("A: lock a; B: unlock a");
    let Op::Released { owner, .. } = &mut events[1].op else { panic!("a release") };
    *owner = ThreadId(0);
    let mut state = State::default();
    events.iter().for_each(|event| state.apply(event));
    assert!(state.threads[0].held.is_empty() && state.locks[0].holders.is_empty());
}

#[test]
fn inconsistent_events_are_believed() {
    check("A: unlock a, unlock a", &["runs: "], &[" / "]);
    check("A: lock a; B: lock a; A: unlock a", &["runs: ", "runs: exclusive a"], &["T1 exclusive / "]);
    check("A: wait a, wait b", &["exclusive b: "], &[" / ", " / T0 exclusive"]);
    check("A: upgrade a, downgrade b", &["runs: exclusive a, shared b"], &["T0 exclusive / ", "T0 shared / "]);
    check("A: exit, lock a", &["ended: exclusive a"], &["T0 exclusive / "]);
}

#[test]
fn times_of_waits_are_added_up() {
    let (analysis, _) = run("A: lock a @10; B: wait a @20; A: unlock a @90; B: lock a @95, wait b @100, lock b @101");
    assert_eq!(analysis.state().threads[1].blocked_total, Nanos(76));
    let lock = &analysis.state().locks[0];
    assert_eq!((lock.acquisitions, lock.contended), (2, 1));
}

#[test]
fn waits_for_several_things() {
    // A select waits for both.
    let select = "A: await jobs message, await stop message";
    check(select, &["awaits message jobs + awaits message stop: "], &[" / T0 exclusive", " / T0 exclusive"]);
    check(&format!("{select}, got stop, recv stop"), &["runs: "], &[" / ", " / "]);
    // The end of a scope waits for all of its threads.
    check("A: spawn B, spawn C, joinwait B, joinwait C", &["joins T1 + joins T2: ", "new: ", "new: "], &[]);
}

#[test]
fn a_sender_says_so_before_it_waits_for_room_or_then() {
    for wait in ["send jobs[1], await jobs room", "await jobs[1] room, send jobs"] {
        check(&format!("A: {wait}"), &["awaits room jobs: "], &[" / T0 exclusive"]);
        check(&format!("A: {wait}, got jobs"), &["runs: "], &[" / "]);
    }
}

#[test]
fn parked_and_asleep() {
    check("A: park", &["parked: "], &[]);
    check("A: park, unparked", &["runs: "], &[]);
    check("A: sleep", &["sleeps: "], &[]);
    check("A: sleep, awake", &["runs: "], &[]);
    check("A: sleep, lock a", &["runs: exclusive a"], &["T0 exclusive / "]);
}

#[test]
fn permits_have_holders_with_places() {
    let state = |trace| run(trace).0.state().clone();
    let of_a = |state: &State| -> Vec<(u64, u64)> {
        state.threads[0].permits.iter().map(|permits| (permits.permits, permits.event)).collect()
    };
    let free = |state: &State| state.locks[0].object.as_ref().map(|object| object.permits(4));
    let taken = state("A: permit s[4] 2 #1, permit s 1 #2, permit s 1 #2");
    assert_eq!((of_a(&taken), free(&taken)), (vec![(2, 1), (2, 2)], Some(0)));
    assert_eq!(taken.locks[0].holders.len(), 1);
    let part = state("A: permit s[4] 2 #1, permit s 1 #2, permitback s 1");
    assert_eq!((of_a(&part), free(&part)), (vec![(2, 1)], Some(2)));
    // Given back by another thread than the one that took them.
    let other = state("A: permit s[4] 2; B: permitback s 2 A");
    assert_eq!((of_a(&other), free(&other)), (vec![], Some(4)));
    assert!(other.locks[0].holders.is_empty() && other.object(LockId(0)).is_some_and(|object| object.is_passed_on));
    // Forgotten ones are nobody's and do not come back.
    let forgotten = state("A: permit s[4] 2, forget s 2");
    assert_eq!((of_a(&forgotten), free(&forgotten)), (vec![], Some(2)));
    // More than there were: as if events were missing.
    assert_eq!(free(&state("A: permit s[4] 9")), Some(0));
}

#[test]
fn handles_are_where_they_were_used_last() {
    let handles = |trace: &str| -> Vec<(ThreadId, u32, bool)> {
        let (analysis, _) = run(trace);
        let object = analysis.state().object(LockId(0)).expect("the channel was used");
        object.handles(lockscope_trace::Side::Sender).map(|(id, handle)| (id, handle.count, handle.is_used)).collect()
    };
    let [a, b] = [0, 1].map(ThreadId);
    assert_eq!(handles("A: sender c"), [(a, 1, false)]);
    assert_eq!(handles("A: sender c, send c"), [(a, 1, true)]);
    // A new thread may have it now, and of two it is not known which one was used.
    assert_eq!(handles("A: sender c, send c, spawn B"), [(a, 1, false)]);
    assert_eq!(handles("A: sender c, sender c, send c"), [(a, 2, false)]);
    assert_eq!(handles("A: sender c, sender c, send c, dropsender c"), [(a, 1, false)]);
    // It was used by another thread, so it was given to that one.
    assert_eq!(handles("A: sender c; B: dropsender c A, sender c, send c"), [(b, 1, true)]);
    assert_eq!(handles("A: sender c, dropsender c, dropsender c"), []);
}

#[test]
fn messages_in_flight_are_those_that_may_be_received() {
    let in_flight = |trace| run(trace).0.state().object(LockId(0)).map(|object| object.in_flight);
    assert_eq!(in_flight("A: send c, send c; B: recv c"), Some(1));
    assert_eq!(in_flight("A: send c, sendfail c"), Some(0));
    assert_eq!(in_flight("B: recv c"), Some(0));
    // The one that waits for room is on its way, but takes no room.
    let (analysis, _) = run("A: send c[1], send c, await c room");
    assert_eq!(
        (analysis.state().object(LockId(0)).map(|o| o.in_flight), analysis.state().buffered(LockId(0))),
        (Some(2), 1)
    );
}

#[test]
fn deeds_of_ended_threads_are_forgotten_some_time() {
    let mut trace = String::from("A: notify c;");
    for n in 0..500 {
        trace += &format!("T{n}: notify c, exit;");
    }
    let (analysis, _) = run(&trace);
    let object = analysis.state().object(LockId(0)).expect("it was used");
    let threads: Vec<ThreadId> = object.deeds(Need::Notify).map(|deed| deed.thread).collect();
    assert!(threads.contains(&ThreadId(0)) && threads.len() < 130, "{}", threads.len());
}

#[test]
fn what_is_gone_is_not_held() {
    check("A: lock a, lock b, destroy a", &["runs: exclusive b"], &[" / ", "T0 exclusive / "]);
    check("A: read a; B: read a, destroy a", &["runs: ", "runs: "], &[" / "]);
}
