use super::*;
use crate::testing::run;

fn graph(trace: &str) -> WaitForGraph {
    let (analysis, definitions) = run(trace);
    WaitForGraph::of(analysis.state(), &definitions)
}

#[test]
fn edges_say_how() {
    let [t0, t1, t2] = [0, 1, 2].map(|id| Node::Thread(ThreadId(id)));
    let l0 = Node::Lock(LockId(0));
    let edges = |trace: &str| graph(trace).graph.all_edges().map(|(a, b, &edge)| (a, b, edge)).collect::<Vec<_>>();
    assert_eq!(
        edges("A: lock a; B: wait a"),
        [(t1, l0, Edge::Wants(Mode::Exclusive)), (l0, t0, Edge::HeldBy(Mode::Exclusive))]
    );
    assert_eq!(edges("A: joinwait B"), [(t0, t1, Edge::Joins)]);
    // Defined before its mutex.
    assert_eq!(edges("A: condwait c m"), [(t0, Node::Object(LockId(0)), Edge::Awaits)]);
    assert!(edges("A: read a; B: wait a; C: waitread a").contains(&(t2, t1, Edge::Behind)));
    assert!(!edges("A: read a; B: wait a; C: waitreadagain a").iter().any(|(_, _, edge)| *edge == Edge::Behind));
    assert!(!edges("A: read a; C: waitread a; B: wait a").iter().any(|(_, _, edge)| *edge == Edge::Behind));
    assert_eq!(edges("A: lock a; B: lock b"), []);
}

#[test]
fn each_group_of_stuck_threads_has_one_circle() {
    let found =
        graph("A: lock a; B: lock b; A: wait b; B: wait a; C: lock c; D: lock d; D: wait c; C: wait d; E: wait a");
    let threads = |ids: [u32; 2]| ids.map(ThreadId).to_vec();
    assert_eq!(found.cycles, [threads([0, 1]), threads([2, 3])]);
    let is_deadlocked = |index| found.is_deadlocked(Node::Thread(ThreadId(index)));
    assert_eq!([0, 1, 2, 3, 4].map(is_deadlocked), [true, true, true, true, false]);
    assert!(found.is_deadlocked(Node::Lock(LockId(0))));
    assert_eq!(graph("A: lock a; B: lock b; A: wait b").cycles, Vec::<Vec<ThreadId>>::new());
}

#[test]
fn the_shortest_circle_is_shown() {
    // Both readers hold up the writer B; the way through C alone is the shorter one.
    let found = graph("A: read a; C: read a, lock x; D: lock d; B: lock b; A: wait d; D: wait b; C: wait b; B: wait a");
    assert_eq!(found.cycles.len(), 1);
    assert_eq!(found.cycles[0].len(), 2);
}

#[test]
fn a_thread_that_has_ended_blocks_no_join() {
    let state = run("A: spawn B; B: exit; A: joinwait B").0;
    assert_eq!(blockers(state.state(), ThreadId(0)), []);
}

/// Knots as `certain holds: members <- behind`, with names of threads.
fn knots_of(trace: &str) -> Vec<String> {
    let (analysis, definitions) = run(trace);
    let names = |threads: &[ThreadId]| {
        threads.iter().map(|&thread| definitions.thread_name(thread)).collect::<Vec<_>>().join(" ")
    };
    let shown = |knot: &Knot| {
        let mut text = if knot.certain { "certain" } else { "potential" }.to_owned();
        if knot.holds {
            text += " holds";
        }
        text += &format!(": {}", names(&knot.members));
        if !knot.behind.is_empty() {
            text += &format!(" <- {}", names(&knot.behind));
        }
        text
    };
    knots(analysis.state(), &definitions, Knowledge::of(&definitions)).iter().map(shown).collect()
}

#[track_caller]
fn check_knots(trace: &str, expected: &[&str]) {
    assert_eq!(knots_of(trace), expected, "{trace}");
}

#[test]
fn circles_of_locks_are_knots() {
    check_knots("A: lock a; B: lock b; A: wait b; B: wait a; C: wait a", &["certain holds: A B <- C"]);
    check_knots("A: lock a; B: lock b; A: wait b", &[]);
    check_knots("A: lock a; B: lock b; A: wait b limited", &[]);
    check_knots("A: read a; B: wait a; A: waitread a", &["certain holds: A B"]);
}

#[test]
fn everybody_waits_and_nobody_is_left_to_notify() {
    let all = "M: spawn A, spawn B; A: lock m, condwait c m, unlock m; B: lock m, condwait d m, unlock m;";
    check_knots(&format!("{all} M: joinwait A"), &["certain: A B <- M"]);
    // Main runs, sleeps, or waits for a time: it may notify.
    check_knots(all, &["potential: A B"]);
    check_knots(&format!("{all} M: sleep"), &["potential: A B"]);
    check_knots(&format!("{all} M: notify c"), &["potential: B"]);
    check_knots(&format!("{all} M: condwait c m limited"), &["potential: A B"]);
    // Threads that nobody was seen to spawn: there may be more of them.
    check_knots("A: lock m, condwait c m, unlock m; B: lock m, condwait d m, unlock m", &["potential: A B"]);
    // One that was spawned and was not seen since may well be about to.
    check_knots("M: spawn A, spawn B; A: lock m, condwait c m, unlock m; M: joinwait A", &["potential: A <- M"]);
}

#[test]
fn who_was_notified_waits_for_the_mutex() {
    let waits = "M: spawn A, spawn B; A: lock x, lock m, condwait c m, unlock m; B: lock m, notify c;";
    check_knots(&format!("{waits} M: joinwait A"), &[]);
    check_knots(&format!("{waits} M: joinwait A; B: wait x"), &["certain holds: A B <- M"]);
    // With two that wait it may have been the other one; then it runs.
    let two =
        "M: spawn A, spawn B, spawn C; A: lock x, lock m, condwait c m, unlock m; C: lock m, condwait c m, unlock m;";
    check_knots(&format!("{two} B: lock m, notify c, wait x; M: joinwait A"), &[]);
    check_knots(&format!("{two} B: lock m, notifyall c, wait x; M: joinwait A"), &["certain holds: A B <- M C"]);
    // The wake-up that was said has been.
    check_knots(
        &format!(
            "{two} B: lock m, notify c, unlock m; A: reget m, condwake c m, condwait c m, unlock m; B: exit; M: joinwait A"
        ),
        &["certain: A C <- M"],
    );
}

#[test]
fn nested_monitor() {
    let nested = "M: spawn A, spawn B; A: lock x, lock m, condwait c m, unlock m; B: wait x;";
    check_knots(nested, &["potential holds: A B"]);
    check_knots(&format!("{nested} M: joinwait A"), &["certain holds: A B <- M"]);
    // Main has notified before.
    check_knots(&format!("M: notify c; {nested}"), &[]);
    check_knots("M: spawn A, spawn B; A: lock m, condwait c m, unlock m; B: wait x; A: notify c", &[]);
}

#[test]
fn messages() {
    let made = "M: spawn A, sender c, receiver c; A: dropsender c M, sender c, send c; M: recv c;";
    // The sender waits for what the receiver holds.
    check_knots(&format!("{made} M: lock x, await c message; A: wait x"), &["certain holds: M A"]);
    check_knots(&format!("{made} M: lock x, await c message"), &[]);
    // It has sent; or the last sender is gone.
    check_knots(&format!("{made} A: send c, wait x; M: lock x, await c message"), &[]);
    check_knots(&format!("{made} A: dropsender c, wait x; M: lock x, await c message"), &[]);
    check_knots(&format!("{made} M: lock x, await c message limited; A: wait x"), &[]);
    // A second sender, which may be anywhere.
    let second = "M: spawn A, spawn B, sender c, receiver c; A: dropsender c M, sender c, send c, sender c; M: recv c;";
    check_knots(&format!("{second} M: lock x, await c message; A: wait x"), &[]);
    // Nobody else lives.
    check_knots(&format!("{second} M: lock x, await c message; A: wait x; B: exit"), &["certain holds: M A"]);
    // One sender that two threads use: who knows who else does.
    let shared = "M: spawn A, spawn B, sender c, receiver c; A: dropsender c M, sender c, send c; B: sender c, dropsender c A, send c; M: recv c, recv c;";
    check_knots(&format!("{shared} M: lock x, await c message; B: wait x"), &[]);
    check_knots(&format!("{made} B: send c; M: recv c, lock x, await c message; A: wait x"), &[]);
    // It holds the only sender itself.
    check_knots("M: sender c, receiver c, send c, recv c, await c message", &["potential: M"]);
    check_knots("M: spawn A, sender c, receiver c, send c, recv c, await c message; A: exit", &["certain: M"]);
}

#[test]
fn a_select_needs_one_of_several() {
    let made = "M: spawn A, spawn B, sender c, sender d; A: dropsender c M, sender c, send c; B: dropsender d M, sender d, send d; M: recv c, recv d;";
    let select = "M: lock x, await c message, await d message;";
    check_knots(&format!("{made} {select} A: wait x"), &[]);
    check_knots(&format!("{made} {select} A: wait x; B: wait x"), &["certain holds: M A B"]);
}

#[test]
fn room() {
    let made = "M: spawn A, receiver c, sender c; A: dropreceiver c M, receiver c; M: send c[1]; A: recv c; M: send c, lock x, send c, await c room;";
    check_knots(&format!("{made} A: wait x"), &["certain holds: M A"]);
    check_knots(made, &[]);
    check_knots(&format!("{made} A: recv c, wait x"), &[]);
    check_knots(&format!("{made} A: dropreceiver c, wait x"), &[]);
    // Rendezvous: the other one is there already.
    check_knots("M: spawn A; M: send c[0], await c room; A: await c message", &[]);
    check_knots("M: spawn A; M: send c[0], await c room; A: joinwait M", &["certain: M <- A"]);
}

#[test]
fn permits() {
    let both = "A: permit s[2]; B: permit s;";
    check_knots(&format!("{both} A: await s permits; B: await s permits"), &["certain holds: A B"]);
    check_knots(&format!("{both} A: await s permits"), &[]);
    check_knots(&format!("{both} A: await s permits; B: await s permits limited"), &[]);
    // B alone cannot give back enough; A would have to.
    check_knots("A: permit s[3]; B: permit s; A: await s permits:3", &["certain holds: A"]);
    check_knots("A: permit s[3]; B: permit s; A: await s permits:2", &[]);
    // Somebody adds permits now and then, or passes them on.
    check_knots(&format!("C: addpermit s; {both} A: permit s, await s permits; B: await s permits"), &[]);
    check_knots(
        "M: spawn A, spawn C, permit s[1]; C: permitback s 1 M; A: permit s, await s permits; C: exit; M: sleep",
        &[],
    );
    // The one with the permit waits for a lock of the one who wants it.
    check_knots("A: permit s[1]; B: lock x, await s permits; A: wait x", &["certain holds: A B"]);
    // Its thread has ended: they never come back.
    check_knots("A: permit s[1], exit; B: await s permits", &["certain: B"]);
}

#[test]
fn barriers() {
    check_knots("M: spawn A; M: arrive b[2], await b party; A: joinwait M", &["certain: M <- A"]);
    check_knots("M: spawn A; M: arrive b[2], await b party; A: lock x", &[]);
    check_knots("M: spawn A; M: arrive b[2], await b party; A: arrive b, await b party", &[]);
    check_knots("M: spawn A; M: arrive b[3], await b party; A: arrive b, await b party", &["certain: M A"]);
    // The third one came in the round before.
    let round = "M: spawn A, spawn B; M: arrive b[3]; A: arrive b; B: arrive b, leave b; M: leave b; A: leave b;";
    check_knots(&format!("{round} M: arrive b, await b party; A: arrive b, await b party"), &[]);
    check_knots(
        &format!("{round} M: lock x, arrive b, await b party; A: arrive b, await b party; B: wait x"),
        &["certain holds: M B <- A"],
    );
}

#[test]
fn parking() {
    check_knots("M: spawn A; A: park; M: joinwait A", &["certain: A <- M"]);
    check_knots("M: spawn A; A: park; M: unpark A, joinwait A", &[]);
    check_knots("M: spawn A; M: unpark A; A: park, unparked, park; M: lock x", &[]);
    check_knots("M: spawn A; A: park limited; M: joinwait A", &[]);
}

#[test]
fn a_lock_of_a_thread_that_has_ended() {
    check_knots("A: lock a, exit; B: wait a", &["certain: B"]);
    check_knots("A: lock a, exit; B: unlock a wrote A, wait a", &[]);
}

#[test]
fn who_merely_has_nothing_to_do_is_not_the_reason() {
    // The workers' notifier is in a circle of locks: that is the reason.
    let idle = "M: spawn A, spawn W; W: lock q, condwait c q, unlock q; M: lock a; A: lock b; M: wait b; A: wait a;";
    check_knots(idle, &["certain holds: M A"]);
    check_knots(&format!("M: notify c; {idle}"), &["certain holds: M A <- W"]);
}

#[test]
fn what_an_object_waits_for_is_in_the_graph() {
    let [t0, t1] = [0, 1].map(|id| Node::Thread(ThreadId(id)));
    let object = Node::Object(LockId(0));
    let found = graph("M: sender c, send c; A: recv c, await c message");
    let edges: Vec<_> = found.graph.all_edges().map(|(a, b, &edge)| (a, b, edge)).collect();
    assert_eq!(edges, [(t1, object, Edge::Awaits), (object, t0, Edge::MayHelp)]);
    let found = graph("A: permit s[1]; B: lock x, await s permits; A: wait x");
    assert_eq!(found.cycles, [[ThreadId(0), ThreadId(1)]]);
    assert!(found.is_deadlocked(object) && found.is_deadlocked(t0));
    // Idle threads are not deadlocked.
    assert!(!graph("M: spawn A; A: lock m, condwait c m, unlock m").is_deadlocked(t1));
}

/// Thousands of threads at one channel and thousands of handles are a matter of their sum and not of their product.
#[test]
fn crowds_take_little_time() {
    const CROWD: usize = 3000;
    let mut trace = String::from("M: lock x;");
    for n in 0..CROWD {
        trace += &format!("M: spawn R{n}, spawn S{n}; S{n}: sender c, send c; R{n}: recv c;");
    }
    for n in 0..CROWD {
        trace += &format!("R{n}: await c message; S{n}: wait x;");
    }
    assert_eq!(knots_of(&trace), [] as [&str; 0]);
    let stuck = knots_of(&format!("{trace} M: await c message"));
    assert_eq!(stuck.len(), 1);
    assert!(stuck[0].starts_with("certain holds: M S0 S1"), "{}", &stuck[0][..60]);
    assert_eq!(graph(&trace).graph.edge_count(), 3 * CROWD + 1);
}
