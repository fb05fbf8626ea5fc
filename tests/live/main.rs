//! The dashboard on a program that really hangs, found by its process id.

#[path = "../support/examples.rs"]
#[expect(dead_code, reason = "shared with other tests")]
mod examples;
#[path = "../support/tmux.rs"]
#[expect(dead_code, reason = "shared with other tests")]
mod tmux;

use std::{
    fs::File,
    os::unix::fs::FileExt,
    path::Path,
    process::{Child, Command, Stdio},
    time::Instant,
};

use examples::{example, lines_with, root};
use lockscope_trace::{
    Access, How, LockKind, Mode, clock,
    format::{header, kind},
    writer::{DefinitionWriter, Environment, HeldAtStart, Options, ThreadWriter, TraceWriter},
};
use tmux::Tmux;

/// A hung program; ended with this value.
struct Hung(Child);

impl Drop for Hung {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn hang(name: &str, dir: &std::path::Path) -> Hung {
    let child = Command::new(example(name))
        .args(["--hang", "60"])
        .env("LOCKSCOPE", format!("record={}/%p.lks", dir.display()))
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .expect("the example runs");
    Hung(child)
}

#[test]
fn the_hung_bank_is_explained_on_the_first_screen() {
    let dir = tempfile::tempdir().expect("a temporary directory");
    let bank = hang("bank", dir.path());
    let began = Instant::now();
    let command = format!("cd {} && {} top {}", root().display(), env!("CARGO_BIN_EXE_lockscope"), bank.0.id());
    let Some(tmux) = Tmux::start(80, 24, dir.path(), &[], &command) else { return };
    tmux.wait_for("LIVE");
    let screen = tmux.wait_for("deadlock: 2 threads");
    // Not an assertion: machines are shared. Seen with `--nocapture`.
    println!("visible {:?} after the dashboard was started", began.elapsed());
    for text in ["LIVE", "teller 1", "teller 2", "alice", "bob"] {
        assert!(screen.contains(text), "{text} is missing:\n{screen}");
    }
    // Both sides' source lines, on the finding.
    tmux.keys(&["2"]);
    let places = ["from.balance.lock()", "to.balance.lock()"].map(|text| lines_with("bank", text)[0]);
    for line in places {
        tmux.wait_until("both source lines", |screen| screen.contains(&format!("bank.rs:{line}")));
    }
    tmux.keys(&["5"]);
    let screen = tmux.wait_for("Who waits for whom");
    for text in ["teller 1", "teller 2", "alice", "bob"] {
        assert!(screen.contains(text), "{text} is missing in the picture:\n{screen}");
    }
    tmux.keys(&["q"]);
    tmux.wait_for("ended with 0");
}

#[test]
fn a_program_that_ends_becomes_a_replay() {
    let dir = tempfile::tempdir().expect("a temporary directory");
    let bank = hang("bank", dir.path());
    let command = format!("cd {} && {} top {}", root().display(), env!("CARGO_BIN_EXE_lockscope"), bank.0.id());
    let Some(tmux) = Tmux::start(100, 30, dir.path(), &[], &command) else { return };
    tmux.wait_for("LIVE");
    tmux.wait_for("deadlock: 2 threads");
    drop(bank);
    let screen = tmux.wait_for("REPLAY");
    assert!(screen.contains("deadlock: 2 threads"), "what was seen stays:\n{screen}");
}

#[test]
fn a_paused_view_of_a_program_that_hangs_sleeps() {
    let dir = tempfile::tempdir().expect("a temporary directory");
    let bank = hang("bank", dir.path());
    let command = format!("cd {} && {} top {}", root().display(), env!("CARGO_BIN_EXE_lockscope"), bank.0.id());
    let Some(tmux) = Tmux::start(100, 30, dir.path(), &[], &command) else { return };
    tmux.wait_for("LIVE");
    tmux.wait_for("deadlock: 2 threads");
    tmux.keys(&["Space"]);
    tmux.wait_for("PAUSED");
    let tasks = format!("/proc/{}/task", tmux.child());
    // How often each thread of the dashboard has given up the processor of its own will.
    let switches = || -> Vec<String> {
        let Ok(tasks) = std::fs::read_dir(&tasks) else { return Vec::new() };
        let status = |task: std::fs::DirEntry| std::fs::read_to_string(task.path().join("status")).unwrap_or_default();
        let count = |status: String| status.lines().find(|line| line.starts_with("voluntary")).map(str::to_owned);
        tasks.filter_map(|task| count(status(task.ok()?))).collect()
    };
    let before = std::cell::RefCell::new(switches());
    if before.borrow().is_empty() {
        eprintln!("skipped: this system does not tell");
        return;
    }
    // It looks a few times more whether the program does anything, and then sleeps. Looking at the screen takes its time,
    // in which nothing may happen.
    tmux.wait_until("a dashboard that sleeps", |_| {
        (0..20).for_each(|_| drop(tmux.screen()));
        let now = switches();
        before.replace(now.clone()) == now
    });
    // A key wakes it up, and what happened meanwhile is there.
    drop(bank);
    tmux.keys(&["L"]);
    tmux.wait_for("REPLAY");
}

/// A recorder whose threads hold nothing where their chunks begin.
struct Recorder(TraceWriter);

impl Environment for Recorder {
    fn writer(&self) -> &TraceWriter {
        &self.0
    }

    fn held(&self, _: &mut dyn FnMut(HeldAtStart)) {}
}

/// Acquisitions of each thread before it hangs: far more than are analysed in the moment until one looks for the present elsewhere.
const PAST: u32 = 300_000;

/// A recording by this process, which goes on: two threads that have done a lot and then wait for each other.
fn long_past(path: &Path) -> Recorder {
    let options =
        Options { executable: "/bin/long".into(), command: vec!["long".to_owned()], size: None, run: 0, coarse: false };
    let env = Recorder(TraceWriter::create(path, &options).expect("the folder is ours"));
    let mut defs = DefinitionWriter::default();
    let file = defs.string(&env.0, "src/long.rs");
    let site = defs.site(&env.0, file, 1, 1);
    let locks = ["north", "south"].map(|name| {
        let name = defs.string(&env.0, name);
        defs.lock(&env.0, LockKind::Mutex, 0, name, site, None)
    });
    let mut writers = ["first", "second"].map(|name| {
        let name = defs.string(&env.0, name);
        ThreadWriter::new(defs.thread(&env.0, None, name, 1), 1)
    });
    let take = |writer: &mut ThreadWriter, lock: u32, count: u32| {
        writer.acquired(&env, lock, Mode::Exclusive, How::Lock, site, count, clock::ticks());
    };
    for count in 1..=PAST {
        for (writer, lock) in writers.iter_mut().zip(locks) {
            take(writer, lock, count);
            writer.released(&env, lock, Mode::Exclusive, Access::Wrote, clock::ticks());
        }
    }
    for (writer, lock) in writers.iter_mut().zip(locks) {
        take(writer, lock, PAST + 1);
    }
    for (writer, wanted) in writers.iter_mut().zip(locks.into_iter().rev()) {
        writer.lock_event(&env, kind::WAIT, wanted, 0, site, clock::ticks());
    }
    // All of that was an hour ago: what is that recent is the present anyway.
    let file = File::options().read(true).write(true).open(path).expect("the file is ours");
    let mut started = [0; 8];
    file.read_exact_at(&mut started, header::START_UNIX as u64).expect("every trace has it");
    let earlier = u64::from_le_bytes(started) - 3_600_000_000_000;
    file.write_all_at(&earlier.to_le_bytes(), header::START_UNIX as u64).expect("there is room");
    env
}

#[test]
fn the_present_of_a_long_recording_is_seen_before_its_past() {
    let dir = tempfile::tempdir().expect("a temporary directory");
    let path = dir.path().join("long.lks");
    let _goes_on = long_past(&path);
    let command = format!("{} top {}", env!("CARGO_BIN_EXE_lockscope"), path.display());
    let Some(tmux) = Tmux::start(100, 30, dir.path(), &[], &command) else { return };
    // Only while the past is read is it said how much of it was.
    let screen = tmux
        .wait_until("the present", |screen| screen.contains("LIVE  past") && screen.contains("deadlock: 2 threads"));
    for text in ["first holds L0 north, wants L1 south", "second holds L1 south, wants L0 north"] {
        assert!(screen.contains(text), "the overview shows {text}:\n{screen}");
    }
    tmux.keys(&["4"]);
    // Locks count for themselves.
    tmux.wait_for("300 001");
    tmux.keys(&["q"]);
    tmux.wait_for("ended with 0");
}

/// Room for the header, for definitions and for one thread's events: the next thread that wants to record cannot.
const BLOCKS: u32 = 400;

#[test]
fn the_dashboard_says_why_a_recording_stopped() {
    let dir = tempfile::tempdir().expect("a temporary directory");
    let script = format!("ulimit -f {BLOCKS} && exec {} --hang 60", example("bank").display());
    let child = Command::new("sh")
        .args(["-c", &script])
        .env("LOCKSCOPE", format!("record={}/%p.lks", dir.path().display()))
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .expect("the example runs");
    let bank = Hung(child);
    let command = format!("{} top {}", env!("CARGO_BIN_EXE_lockscope"), bank.0.id());
    let Some(tmux) = Tmux::start(100, 30, dir.path(), &[], &command) else { return };
    tmux.wait_for("recording stopped: the size limit was reached");
    tmux.keys(&["q"]);
    tmux.wait_for("ended with 0");
}
