//! The dashboard on a program that really hangs, found by its process id.

#[path = "../support/examples.rs"]
#[expect(dead_code, reason = "shared with other tests")]
mod examples;
#[path = "../support/tmux.rs"]
#[expect(dead_code, reason = "shared with other tests")]
mod tmux;

use std::{
    process::{Child, Command, Stdio},
    time::Instant,
};

use examples::{example, lines_with, root};
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
