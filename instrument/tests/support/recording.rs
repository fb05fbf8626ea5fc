//! Runs scenarios in a child process that records, and tells what was recorded of each lock and thread.

use std::{
    collections::BTreeMap,
    env,
    path::{Path, PathBuf},
    process::Command,
};

use lockscope_trace::{
    Definitions, Event, EventSource as _, LockDef, Op, Progress, ThreadId, defs::short_type, reader::Reader,
};

/// Says to a test that it is the child.
const CHILD: &str = "LOCKSCOPE_TEST_CHILD";

/// A scenario and what is to be recorded of the locks that bear its name, or protect data of that type and have no name.
pub type Scenario = (&'static str, fn(&'static str), &'static str);

/// What was recorded, events joined by `; `.
#[derive(Default)]
pub struct Recording {
    /// By name of the lock or type of its data, in order.
    pub locks: BTreeMap<String, String>,
    /// Starts, spawns and joins, by name of the thread.
    pub threads: BTreeMap<String, String>,
}

/// Runs the test `test` once more, in a child process where `f` runs while recording, and returns the recording;
/// `None` in the child. Every call site that was recorded must be in the file `site`.
pub fn record(test: &str, site: &str, f: impl FnOnce()) -> Option<Recording> {
    if env::var_os(CHILD).is_some() {
        f();
        return None;
    }
    let dir = tempfile::tempdir().expect("a temporary directory");
    Some(read(&run_child(test, dir.path()), site))
}

/// As [`record`], by the coarse clock.
#[allow(dead_code, reason = "not every test needs all of the support")]
pub fn record_coarsely(test: &str, site: &str, f: impl FnOnce()) -> Option<Recording> {
    if env::var_os(CHILD).is_some() {
        f();
        return None;
    }
    let dir = tempfile::tempdir().expect("a temporary directory");
    let trace = run_child_with(test, dir.path(), "clock=coarse,");
    assert!(open(&trace).info().coarse.is_some(), "the trace says so");
    Some(read(&trace, site))
}

/// Runs a test in a child process that records into the folder; returns the trace.
fn run_child(test: &str, dir: &Path) -> PathBuf {
    run_child_with(test, dir, "")
}

/// The same with more settings, which end with a comma.
fn run_child_with(test: &str, dir: &Path, settings: &str) -> PathBuf {
    let trace = dir.join("trace.lks");
    let status = Command::new(env::current_exe().expect("this program"))
        .args(["--exact", test, "--nocapture"])
        .env(CHILD, "1")
        .env("LOCKSCOPE", format!("{settings}record={}", trace.display()))
        .status()
        .expect("this program can be run");
    assert!(status.success(), "the child ended with {status}");
    trace
}

fn open(trace: &Path) -> Reader {
    Reader::open(trace).expect("the child recorded")
}

fn read_all(reader: &mut Reader) -> Vec<Event> {
    let mut events = Vec::new();
    while reader.poll(&mut events).expect("a whole trace") != Progress::Ended {}
    assert!(reader.completeness().is_complete(), "{:#?}", reader.completeness());
    events
}

/// As [`record`], for tests that look at the events themselves.
#[allow(dead_code, reason = "not every test needs all of the support")]
pub fn record_events(test: &str, f: impl FnOnce()) -> Option<(Vec<Event>, Definitions)> {
    let dir = tempfile::tempdir().expect("a temporary directory");
    record_events_in(dir.path(), test, f)
}

/// As [`record_events`], where the child finds the folder by its settings.
#[allow(dead_code, reason = "not every test needs all of the support")]
pub fn record_events_in(dir: &Path, test: &str, f: impl FnOnce()) -> Option<(Vec<Event>, Definitions)> {
    if env::var_os(CHILD).is_some() {
        f();
        return None;
    }
    let mut reader = open(&run_child(test, dir));
    Some((read_all(&mut reader), reader.definitions().clone()))
}

/// [`record`]s scenarios and compares.
pub fn check(test: &str, site: &str, scenarios: &[Scenario]) {
    let run_all = || scenarios.iter().for_each(|(name, run, _)| run(name));
    let Some(recording) = record(test, site, run_all) else { return };
    compare(&recording, scenarios);
}

/// Compares what was recorded of scenarios with what is expected.
pub fn compare(recording: &Recording, scenarios: &[Scenario]) {
    for (name, _, expected) in scenarios {
        let expected = expected.split_whitespace().collect::<Vec<_>>().join(" ");
        assert_eq!(recording.locks.get(*name), Some(&expected), "recorded of `{name}`, left, is not what is expected");
    }
}

fn read(trace: &Path, site: &str) -> Recording {
    let mut reader = open(trace);
    let events = read_all(&mut reader);
    let defs = reader.definitions();
    let mut recording = Recording::default();
    let mut n_created = 0;
    for event in &events {
        if let Some(id) = event.site {
            let file = &defs.site(id).expect("a defined site").file;
            assert!(file.ends_with(site), "{:?} is recorded at {file}, which is not the caller's file", event.op);
        }
        if let Some(made) = event.op.lock().and_then(|lock| defs.lock(lock)?.created) {
            let file = &defs.site(made).expect("a defined site").file;
            assert!(file.ends_with(site), "a lock seems to be made at {file}, which is not the caller's file");
            n_created += 1;
        }
        let (list, name) = match event.op.lock() {
            Some(lock) => {
                let called = |def: &LockDef| def.name.clone().or_else(|| Some(short_type(&def.type_name).into()));
                (&mut recording.locks, defs.lock(lock).and_then(called))
            }
            None => (&mut recording.threads, defs.thread(event.thread).and_then(|thread| thread.name.clone())),
        };
        let (Some(name), Some(text)) = (name, describe(event.thread, &event.op, defs)) else { continue };
        let text_so_far: &mut String = list.entry(name.to_string()).or_default();
        if !text_so_far.is_empty() {
            text_so_far.push_str("; ");
        }
        text_so_far.push_str(&text);
    }
    assert!(n_created > 0 || recording.locks.is_empty(), "locks know where they were made");
    recording
}

fn describe(thread: ThreadId, op: &Op, defs: &Definitions) -> Option<String> {
    let words = |text: String| Some(text.to_lowercase());
    match *op {
        Op::Acquired { mode, how, .. } => words(format!("{mode:?} by {how:?}")),
        Op::Released { access, .. } => words(format!("released {access:?}")),
        Op::CondWake { timed_out, .. } => {
            words(format!("cond-wake {}", if timed_out { "timed-out" } else { "notified" }))
        }
        Op::Notify { all, woken, .. } => words(format!("notify {} {woken:?}", if all { "all" } else { "one" })),
        Op::Spawn { child } | Op::JoinWait { child } | Op::Joined { child } => {
            Some(format!("{} {}", op.name(), defs.thread_name(child)))
        }
        Op::Block { need, limited, .. } => {
            Some(format!("block for {}{}", need.word(), if limited { " limited" } else { "" }))
        }
        Op::Unblock { timed_out: true, .. } => Some("unblock timed-out".into()),
        Op::Park { limited: true } => Some("park limited".into()),
        Op::Unpark { thread } => Some(format!("unpark {}", defs.thread_name(thread))),
        Op::PermitsAcquired { permits, .. } => Some(format!("{permits} acquired")),
        Op::PermitsAdded { permits, .. } => Some(format!("{permits} added")),
        Op::PermitsReleased { permits, owner, .. } if owner == thread => Some(format!("{permits} released")),
        Op::PermitsReleased { permits, owner, .. } => {
            Some(format!("{permits} released for {}", defs.thread_name(owner)))
        }
        Op::PermitsForgotten { permits, .. } => Some(format!("{permits} forgotten")),
        Op::BarrierLeft { leader: true, .. } => Some("barrier-left leader".into()),
        Op::Sent { count, .. } => Some(format!("sent {count}")),
        Op::Received { message, .. } => Some(format!("received {message}")),
        Op::SendFailed { message, .. } => Some(format!("send-failed {message}")),
        Op::HandleAdded { side, .. } => Some(format!("{} added", side.word())),
        Op::HandleDropped { side, owner, .. } if owner == thread => Some(format!("{} dropped", side.word())),
        Op::HandleDropped { side, owner, .. } => {
            Some(format!("{} dropped for {}", side.word(), defs.thread_name(owner)))
        }
        Op::Finding { .. } | Op::Mark { .. } | Op::Dropped { .. } => None,
        _ => Some(op.name().into()),
    }
}
