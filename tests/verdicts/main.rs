//! Right verdicts: small programs, right and wrong, each judged in process without a trace and again by `check` from a trace.
//!
//! The programs are in `program/`. What must be found in each is in the table below; everything else that is found is an error, except
//! notes. `LOCKSCOPE_TEST_ROUNDS=100` runs each as often, all but the first time without stacks, whose names take most of the time.

#[allow(dead_code, reason = "not every test needs all of the support")]
#[path = "../support/examples.rs"]
mod examples;
mod patched;

use std::{
    path::Path,
    process::{Command, Stdio},
    thread,
    time::{Duration, Instant},
};

use examples::{example, lockscope};
use serde_json::Value;

/// Code and confidence of a finding.
type Found = (&'static str, &'static str);

/// What is to be found.
#[derive(Clone, Copy, Debug)]
struct Verdict {
    must: &'static [Found],
    /// What may be found as well, depending on how far threads get.
    may: &'static [Found],
}

/// The program is right.
const QUIET: Verdict = Verdict { must: &[], may: &[] };
const INVERSION: Verdict = Verdict { must: &[("lock-order-inversion", "potential")], may: &[] };
/// The same, proved. Not where threads were started without lockscope seeing it, as most are here.
const PREDICTED: Verdict = Verdict { must: &[("predicted-deadlock", "predicted")], may: &[] };
const RECURSIVE_READ: Verdict = Verdict { must: &[("recursive-read", "potential")], may: &[] };
const DEADLOCK: Verdict = Verdict {
    must: &[("deadlock", "actual")],
    may: &[("lock-order-inversion", "potential"), ("recursive-read", "potential")],
};
const SELF_DEADLOCK: Verdict = Verdict { must: &[("self-deadlock", "actual")], may: &[("deadlock", "actual")] };

const BUSY_WAIT: Verdict = Verdict { must: &[("busy-wait", "actual")], may: &[] };
const UNCHECKED_WAKEUP: Verdict = Verdict { must: &[("unchecked-wakeup", "potential")], may: &[] };
const LOST_WAKEUP: Verdict = Verdict { must: &[("lost-wakeup", "actual")], may: &[] };
const GUARD_LEAK: Verdict = Verdict { must: &[("guard-leak", "actual")], may: &[] };
const SEMAPHORE_LEAK: Verdict = Verdict { must: &[("semaphore-leak", "actual")], may: &[] };
const POISONED: Verdict = Verdict { must: &[("poisoned", "actual")], may: &[] };

/// Program, verdict in process, verdict of `check`.
const CASES: &[(&str, Verdict, Verdict)] = &[
    ("gate_lock", QUIET, QUIET),
    ("readers_only", QUIET, QUIET),
    ("try_inversion", QUIET, QUIET),
    ("hand_over_hand", QUIET, QUIET),
    ("tls_destructor", QUIET, QUIET),
    ("drop_in_panic", QUIET, QUIET),
    ("before_main", QUIET, QUIET),
    ("at_exit", QUIET, QUIET),
    ("out_of_order", QUIET, QUIET),
    ("address_reused", QUIET, QUIET),
    // The process does not know that a join keeps the orders apart; the analysis does, and is silent.
    ("ordered_by_join", INVERSION, QUIET),
    ("two_locks", INVERSION, INVERSION),
    ("three_locks", INVERSION, INVERSION),
    ("five_locks", INVERSION, INVERSION),
    ("middle_destroyed", INVERSION, INVERSION),
    ("mutex_and_read_lock", INVERSION, INVERSION),
    ("mutex_and_read_lock_other_writer", INVERSION, INVERSION),
    ("reacquired_mutex", INVERSION, INVERSION),
    ("busy_wait", BUSY_WAIT, BUSY_WAIT),
    ("try_then_lock", QUIET, QUIET),
    ("unchecked_wakeup", UNCHECKED_WAKEUP, UNCHECKED_WAKEUP),
    ("checked_wakeup", QUIET, QUIET),
    ("checked_elsewhere", QUIET, QUIET),
    ("poisoned", POISONED, POISONED),
    ("panic_after_unlock", QUIET, QUIET),
    ("nested_monitor", DEADLOCK, DEADLOCK),
    ("monitor", QUIET, QUIET),
    ("nobody_notifies", DEADLOCK, DEADLOCK),
    ("notifier_ends", DEADLOCK, DEADLOCK),
    ("idle_pool", QUIET, QUIET),
    ("lost_wakeup", LOST_WAKEUP, LOST_WAKEUP),
    ("kept_wakeup", QUIET, QUIET),
    ("forgotten_guard", GUARD_LEAK, GUARD_LEAK),
    ("forgotten_guard_alone", GUARD_LEAK, GUARD_LEAK),
    ("dropped_guard", QUIET, QUIET),
    ("relock", SELF_DEADLOCK, SELF_DEADLOCK),
    ("relock_holding_others", SELF_DEADLOCK, SELF_DEADLOCK),
    ("relock_contended", SELF_DEADLOCK, SELF_DEADLOCK),
    ("read_write_read", DEADLOCK, DEADLOCK),
    // In process a recursive read is reported when it hangs; the analysis warns of it.
    ("read_without_writer", QUIET, RECURSIVE_READ),
    ("read_twice_in_turn", QUIET, QUIET),
    ("both_read_then_write", SELF_DEADLOCK, SELF_DEADLOCK),
    ("two_threads_two_locks", DEADLOCK, DEADLOCK),
];

/// The same of objects that are not locks.
const OBJECTS: &[(&str, Verdict, Verdict)] = &[
    ("join_while_holding", DEADLOCK, DEADLOCK),
    ("join_after_release", QUIET, QUIET),
    ("receive_while_holding", DEADLOCK, DEADLOCK),
    ("receive_what_comes", QUIET, QUIET),
    ("send_while_holding", DEADLOCK, DEADLOCK),
    ("send_what_fits", QUIET, QUIET),
    ("permits_held_by_waiters", DEADLOCK, DEADLOCK),
    ("permits_held_outside", QUIET, QUIET),
    ("permit_leak", SEMAPHORE_LEAK, SEMAPHORE_LEAK),
    ("permit_returned", QUIET, QUIET),
    ("barrier_lacks_one", DEADLOCK, DEADLOCK),
    ("barrier_complete", QUIET, QUIET),
    ("initialiser_and_lock", DEADLOCK, DEADLOCK),
    ("initialised", QUIET, QUIET),
];

/// The same of kinds of locks that only parking_lot has, 0.12 and 0.13.
const KINDS: &[(&str, Verdict, Verdict)] = &[
    ("fair_and_reentrant", INVERSION, INVERSION),
    ("reentrant_relock", QUIET, QUIET),
    ("relock_fair", SELF_DEADLOCK, SELF_DEADLOCK),
    ("two_reentrant", DEADLOCK, DEADLOCK),
    ("recursive_read_behind_a_writer", QUIET, QUIET),
    ("recursive_reads_in_two_orders", QUIET, QUIET),
    ("reads_in_two_orders", INVERSION, INVERSION),
    ("upgrade_and_upgradable_read", DEADLOCK, DEADLOCK),
    ("two_upgrades", QUIET, QUIET),
    ("once_and_lock", DEADLOCK, DEADLOCK),
    ("once_done", QUIET, QUIET),
    ("generic_locks", INVERSION, INVERSION),
];

/// Orders of locks of which one is over before the other begins, which the process does not know. What is so in every run is silent,
/// what was so in this run is said; and threads that are parked.
const APART: &[(&str, Verdict, Verdict)] = &[
    ("apart_by_message", INVERSION, QUIET),
    ("not_apart_by_message", INVERSION, PREDICTED),
    ("apart_by_barrier", INVERSION, QUIET),
    ("not_apart_by_barrier", INVERSION, PREDICTED),
    ("apart_by_once", INVERSION, QUIET),
    ("not_apart_by_once", INVERSION, PREDICTED),
    ("apart_by_notification", INVERSION, INVERSION),
    ("parked", DEADLOCK, DEADLOCK),
    ("unparked", QUIET, QUIET),
];

/// The same of channels, std's and crossbeam-channel's.
const CHANNELS: &[(&str, Verdict, Verdict)] = &[
    ("receive_holding", DEADLOCK, DEADLOCK),
    ("receive_not_holding", QUIET, QUIET),
    ("receive_holding_from_another", QUIET, QUIET),
    ("send_holding", DEADLOCK, DEADLOCK),
    ("send_not_holding", QUIET, QUIET),
    ("rendezvous_holding", DEADLOCK, DEADLOCK),
    ("rendezvous_not_holding", QUIET, QUIET),
    ("both_send_first", DEADLOCK, DEADLOCK),
    ("both_send_first_with_room", QUIET, QUIET),
    ("feedback_without_room", DEADLOCK, DEADLOCK),
    ("feedback_with_room", QUIET, QUIET),
    // No other thread is left, so the analysis gives it the name for one alone.
    ("own_sender_kept", DEADLOCK, SELF_DEADLOCK),
    ("own_sender_dropped", QUIET, QUIET),
    ("idle_workers", QUIET, QUIET),
    ("sender_given_away_after_use", QUIET, QUIET),
    ("sender_sent_away_after_use", QUIET, QUIET),
    ("sender_is_borrowed", QUIET, QUIET),
    ("receiver_in_a_mutex", QUIET, QUIET),
];

/// The same of what only crossbeam-channel has.
const SELECTIONS: &[(&str, Verdict, Verdict)] = &[
    ("select_nobody_sends", DEADLOCK, DEADLOCK),
    ("select_with_a_time_limit", QUIET, QUIET),
    ("select_another_sends", QUIET, QUIET),
    ("send_holding_what_both_receivers_need", DEADLOCK, DEADLOCK),
    ("send_holding_what_one_receiver_needs", QUIET, QUIET),
];

/// Longer than any program takes on the slowest machine; only a failure waits for it.
const WATCHDOG: Duration = Duration::from_secs(300);

fn rounds() -> usize {
    std::env::var("LOCKSCOPE_TEST_ROUNDS").ok().and_then(|rounds| rounds.parse().ok()).unwrap_or(1)
}

#[test]
fn std_locks() {
    judge("std", CASES);
}

#[test]
fn parking_lot_locks() {
    judge("pl", CASES);
}

#[test]
fn parking_lot_kinds() {
    judge("kinds12", KINDS);
    judge("kinds13", KINDS);
}

/// With a dependency on the real parking_lot 0.12, which `lockscope run --deps` replaces.
#[test]
fn patched_parking_lot() {
    judge_program(patched::program(), "pl", CASES);
    judge_program(patched::program(), "kinds12", KINDS);
}

#[test]
fn objects() {
    judge("objects", OBJECTS);
}

#[test]
fn apart() {
    judge("apart", APART);
}

#[test]
fn std_channels() {
    judge_together("mpsc", CHANNELS);
}

#[test]
fn crossbeam_channels() {
    judge_together("crossbeam", CHANNELS);
    judge_together("crossbeam", SELECTIONS);
}

/// [`judge`]s all cases at the same time: they sleep more than they do.
fn judge_together(family: &str, cases: &[(&str, Verdict, Verdict)]) {
    thread::scope(|scope| cases.chunks(1).for_each(|case| drop(scope.spawn(|| judge(family, case)))));
}

/// Runs every case of a family of the example.
fn judge(family: &str, cases: &[(&str, Verdict, Verdict)]) {
    judge_program(&example("verdicts"), family, cases);
}

/// Runs every case of a family; says all that is wrong, not only the first.
fn judge_program(executable: &Path, family: &str, cases: &[(&str, Verdict, Verdict)]) {
    let only = std::env::var("LOCKSCOPE_TEST_ONLY").unwrap_or_default();
    let mut wrong = Vec::new();
    for (name, in_process, by_check) in cases.iter().filter(|(name, ..)| name.contains(&only)) {
        let program = format!("{family}::{name}");
        // parking_lot's locks know no poison.
        let (in_process, by_check) = match (family, *name) {
            ("pl", "poisoned") => (&QUIET, &QUIET),
            _ => (in_process, by_check),
        };
        for round in 1..=rounds() {
            let dir = tempfile::tempdir().expect("a temporary directory");
            let stacks = if round == 1 { "" } else { "stacks=off," };
            let said = run(executable, &program, &format!("{stacks}deadlock=exit"), *in_process, dir.path());
            compare(&format!("{program} (round {round}) in process"), &reported(&said), *in_process, &said, &mut wrong);
            // Each of these repeats a thousand times.
            if ["two_locks", "three_locks", "five_locks"].contains(name)
                && !said.contains("lockscope: seen 1000 times:")
            {
                wrong.push(format!("{program} (round {round}) in process: repeats are not counted\n{said}"));
            }
            let trace = dir.path().join("trace.lks");
            let settings = format!("{stacks}deadlock=exit,record={}", trace.display());
            run(executable, &program, &settings, *in_process, dir.path());
            let (found, report) = check(&trace);
            compare(&format!("{program} (round {round}) by check"), &found, *by_check, &report, &mut wrong);
        }
    }
    assert!(wrong.is_empty(), "{} verdicts are wrong:\n{}", wrong.len(), wrong.join("\n"));
}

fn compare(what: &str, found: &[(String, String)], expected: Verdict, said: &str, wrong: &mut Vec<String>) {
    let is = |(code, confidence): &(String, String), &wanted: &Found| (code.as_str(), confidence.as_str()) == wanted;
    // Several threads can hang in the same way; everything else is reported once, however often it repeats.
    let is_reported = |wanted: &Found| match found.iter().filter(|found| is(found, wanted)).count() {
        0 => false,
        // A leak is seen when its thread ends, and again when others wait.
        n => n == 1 || ["self-deadlock", "guard-leak"].contains(&wanted.0),
    };
    let each_once = expected.must.iter().all(is_reported);
    let nothing_else = found.iter().all(|found| expected.must.iter().chain(expected.may).any(|known| is(found, known)));
    if !(each_once && nothing_else) {
        wrong.push(format!("{what}: expected {expected:?}, found {found:?}\n{said}"));
    }
}

/// Runs a program; returns what it said. One with a deadlock must be ended by lockscope.
fn run(executable: &Path, program: &str, settings: &str, verdict: Verdict, dir: &Path) -> String {
    let said = dir.join("said");
    let mut child = Command::new(executable)
        .arg(program)
        .env("LOCKSCOPE", settings)
        .env_remove("RUST_BACKTRACE")
        .stdout(Stdio::null())
        .stderr(std::fs::File::create(&said).expect("the folder is ours"))
        .spawn()
        .expect("the program runs");
    let started = Instant::now();
    let status = loop {
        if let Some(status) = child.try_wait().expect("our child") {
            break status.code();
        }
        if started.elapsed() > WATCHDOG {
            child.kill().expect("our child");
            child.wait().expect("our child");
            break None;
        }
        thread::sleep(Duration::from_millis(2));
    };
    let said = std::fs::read_to_string(said).expect("the program says text");
    let hangs = ["deadlock", "self-deadlock", "lost-wakeup", "semaphore-leak", "guard-leak"];
    let hangs = verdict.must.iter().any(|(code, confidence)| hangs.contains(code) && *confidence == "actual");
    let ends = hangs && !program.ends_with("_alone");
    assert_eq!(status, Some(if ends { 66 } else { 0 }), "{program} with {settings}:\n{said}");
    said
}

/// Codes and confidences of the reports in a text, sorted; notes left out.
fn reported(said: &str) -> Vec<(String, String)> {
    let headline = |line: &str| {
        // `lockscope: error[deadlock]: ... (actual)`
        let (severity, rest) = line.strip_prefix("lockscope: ")?.split_once('[')?;
        let (code, title) = rest.split_once("]: ")?;
        let confidence = title.rsplit_once('(')?.1.trim_end_matches(')');
        (severity != "note").then(|| (code.to_owned(), confidence.to_owned()))
    };
    let mut found: Vec<_> = said.lines().filter_map(headline).collect();
    found.sort_unstable();
    found
}

/// Codes and confidences of what `check` finds, sorted; notes left out. What only the process found does not count.
fn check(trace: &Path) -> (Vec<(String, String)>, String) {
    let output = lockscope()
        .args(["check", "--format", "json", "--fail-on", "never"])
        .arg(trace)
        .output()
        .expect("lockscope runs");
    let report: Value = serde_json::from_slice(&output.stdout)
        .unwrap_or_else(|error| panic!("{error}: {}", String::from_utf8_lossy(&output.stderr)));
    let text = |value: &Value| value.as_str().expect("a text").to_owned();
    let mut found: Vec<_> = report["traces"][0]["findings"]
        .as_array()
        .expect("a list")
        .iter()
        .filter(|finding| finding["severity"] != "note")
        .filter(|finding| finding["participants"].as_array().is_some_and(|list| !list.is_empty()))
        .map(|finding| (text(&finding["code"]), text(&finding["confidence"])))
        .collect();
    found.sort_unstable();
    (found, format!("{report:#}"))
}
