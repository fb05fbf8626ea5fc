//! A test of Rust's own kind that really hangs, under `lockscope run --` as cargo's runner: whoever loses patience with it and sends SIGTERM, as CI
//! systems and nextest do, gets to see who waits for whom.

#[path = "../support/examples.rs"]
#[expect(dead_code, reason = "shared with other tests")]
mod examples;
#[path = "../support/watched.rs"]
mod watched;

use std::{
    fs,
    os::unix::process::CommandExt,
    path::{Path, PathBuf},
    process::Command,
    thread,
    time::{Duration, Instant},
};

use examples::{lockscope, root};
use rustix::process::{Pid, Signal, kill_process, kill_process_group};
use watched::Ended;

/// Longer than anything takes on the slowest machine; only a failure waits for it.
const PATIENCE: Duration = Duration::from_secs(250);

/// What a hung test says of itself: the process that runs it, and its program.
struct Hung {
    runner: Pid,
    program: PathBuf,
}

/// Waits until the test hangs, as its recording shows; `None` when it does not.
fn wait_until_hung(said: &Path, trace: &Path) -> Option<Hung> {
    let began = Instant::now();
    while began.elapsed() < PATIENCE {
        let waits = || lockscope().arg("graph").arg(trace).arg("wait").output().expect("the program runs").stdout;
        if let Ok(text) = fs::read_to_string(said)
            && String::from_utf8_lossy(&waits()).contains("ledger")
        {
            let (runner, program) = text.trim().split_once('\n')?;
            return Some(Hung { runner: Pid::from_raw(runner.parse().ok()?)?, program: program.into() });
        }
        // Not to wait for anything, only to leave the processor to the others.
        thread::sleep(Duration::from_millis(20));
    }
    None
}

/// Runs the command, ends it as `end` does once it hangs, and checks what it leaves.
fn check(mut command: Command, dir: &Path, end: impl FnOnce(&Hung) + Send) -> (Ended, Hung) {
    let (said, trace) = (dir.join("said"), dir.join("hung.lks"));
    command.env("LOCKSCOPE_TEST_HUNG", &said);
    for variable in ["LOCKSCOPE", "RUST_TEST_THREADS", "RUST_BACKTRACE"] {
        command.env_remove(variable);
    }
    thread::scope(|scope| {
        let killer = scope.spawn(move || {
            let hung = wait_until_hung(&said, &trace);
            hung.inspect(end)
        });
        let ended = watched::run(command);
        let hung = killer.join().expect("it does not panic").unwrap_or_else(|| panic!("it did not hang: {ended}"));
        let line =
            include_str!("program.rs").lines().position(|line| line.contains("LEDGER.lock() +=")).expect("the wait");
        let place = format!("program.rs:{}", line + 1);
        for text in ["when it was killed:", "ledger", "auditor", "hangs", &place] {
            assert!(ended.stderr.contains(text), "`{text}` is missing: {ended}");
        }
        assert!(!ended.stderr.contains("waits 0 ns"), "it has waited until it was killed: {ended}");
        (ended, hung)
    })
}

fn host() -> String {
    let output = Command::new(env!("CARGO")).arg("-vV").output().expect("cargo runs");
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let host = text.lines().find_map(|line| line.strip_prefix("host: ")).expect("cargo says for what it is");
    host.to_uppercase().replace(['-', '.'], "_")
}

#[test]
fn a_hung_test_that_is_killed_leaves_who_waits_for_whom() {
    let program = Path::new(env!("CARGO_BIN_EXE_lockscope"));
    let profile = program.parent().expect("the program is in the profile's folder");
    let dir = tempfile::tempdir().expect("a temporary directory");
    let trace = dir.path().join("hung.lks");
    // By cargo test, of which only the runner is told to end.
    let mut cargo = Command::new(env!("CARGO"));
    cargo.arg("test");
    // Those that other tests build examples of: there is nothing to build but this one.
    for package in examples::PACKAGES {
        cargo.args(["--package", package]);
    }
    cargo.args(["--test", "hung"]);
    cargo.arg("--target-dir").arg(profile.parent().expect("the profile's folder is in the target folder"));
    if profile.ends_with("release") {
        cargo.arg("--release");
    }
    cargo.args(["--", "--ignored", "--exact", "hangs"]).current_dir(root());
    let runner = format!("{} run -o {} --", program.display(), trace.display());
    cargo.env(format!("CARGO_TARGET_{}_RUNNER", host()), runner);
    let (ended, hung) = check(cargo, dir.path(), |hung| {
        kill_process(hung.runner, Signal::TERM).expect("it runs");
    });
    assert!(!ended.status.success() && ended.stderr.contains("test failed"), "{ended}");
    // As nextest does: one process for one test, in a group that is told to end as a whole.
    let dir = tempfile::tempdir().expect("a temporary directory");
    let mut run = lockscope();
    run.args(["run", "-o"]).arg(dir.path().join("hung.lks")).arg("--").arg(&hung.program);
    run.args(["--ignored", "--exact", "hangs", "--nocapture"]).process_group(0).current_dir(root());
    let (ended, _) = check(run, dir.path(), |hung| {
        kill_process_group(hung.runner, Signal::TERM).expect("it runs");
    });
    assert_eq!(ended.status.code(), Some(143), "{ended}");
}
