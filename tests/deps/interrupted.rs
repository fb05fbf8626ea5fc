//! Cargo.lock is put back, whatever ends the run, and by one run at a time.

use std::{
    fs,
    io::{BufRead as _, BufReader, Read as _},
    os::unix::process::{CommandExt as _, ExitStatusExt as _},
    process::{Child, Command, Stdio},
    sync::mpsc,
    thread,
    time::{Duration, Instant},
};

use super::projects::Project;

/// Longer than a build takes on the slowest machine; only a failure waits for it.
const WATCHDOG: Duration = Duration::from_secs(600);

/// A run of a program that goes on until it is ended, and has begun.
struct Running {
    child: Child,
}

impl Running {
    fn start(project: &Project) -> Running {
        let mut command = project.command(&[], &["run", "--quiet", "--bin", "open"]);
        // A group of its own, as a shell gives to what it runs.
        let mut child = command
            .process_group(0)
            .stdout(Stdio::piped())
            .stderr(fs::File::create(project.target().join("interrupted.log")).expect("the folder is ours"))
            .spawn()
            .expect("lockscope runs");
        let lines = BufReader::new(child.stdout.take().expect("it is piped")).lines();
        let (sender, receiver) = mpsc::channel();
        thread::spawn(move || lines.map_while(Result::ok).try_for_each(|line| sender.send(line)));
        if receiver.recv_timeout(WATCHDOG).ok().as_deref() != Some("open") {
            kill(&child, "KILL", true);
            let log = fs::read_to_string(project.target().join("interrupted.log"));
            panic!("the program does not begin:\n{}", log.unwrap_or_default());
        }
        Running { child }
    }

    /// Waits for its end.
    fn end(mut self) -> std::process::ExitStatus {
        let started = Instant::now();
        loop {
            if let Some(status) = self.child.try_wait().expect("our child") {
                return status;
            }
            if started.elapsed() > WATCHDOG {
                kill(&self.child, "KILL", true);
                panic!("it does not end");
            }
            thread::sleep(Duration::from_millis(5));
        }
    }
}

/// Sends a signal to a child or to its whole group.
fn kill(child: &Child, signal: &str, group: bool) {
    let target = if group { format!("-{}", child.id()) } else { child.id().to_string() };
    let status = Command::new("kill").args([&format!("-{signal}"), "--", &target]).status().expect("there is `kill`");
    assert!(status.success(), "{signal} could not be sent to {target}");
}

/// One after the other: they are about one Cargo.lock.
#[test]
fn the_lock_file_is_put_back() {
    let project = Project::copy("interrupted");
    let original = project.files();
    let lock = || fs::read(project.folder.join("Cargo.lock")).expect("it is there");
    let before = lock();

    // Ctrl-C goes to everybody; a supervisor ends lockscope alone.
    for (signal, group, code) in [("INT", true, 130), ("TERM", false, 143)] {
        let running = Running::start(&project);
        assert_ne!(lock(), before, "cargo has another one meanwhile");
        kill(&running.child, signal, group);
        let status = running.end();
        assert_eq!(status.code(), Some(code), "{signal}");
        assert_eq!(project.files(), original, "after {signal}");
    }

    // Nothing can be done at once when everybody is killed; the next run does it.
    let running = Running::start(&project);
    kill(&running.child, "KILL", true);
    assert_eq!(running.end().signal(), Some(9));
    assert_ne!(lock(), before);
    let ran = project.run(&[], &["version"]);
    assert!(ran.stderr.contains("an earlier run was killed; Cargo.lock was put back"), "{}", ran.stderr);
    assert_eq!(project.files(), original);
}

/// Two terminals, one project.
#[test]
fn runs_take_turns() {
    let project = Project::copy("interrupted");
    let original = project.files();
    let lock = || fs::read(project.folder.join("Cargo.lock")).expect("it is there");

    let first = Running::start(&project);
    let patched = lock();
    let mut second = project.command(&[], &["version"]).stdout(Stdio::null()).stderr(Stdio::piped()).spawn();
    let second = second.as_mut().expect("lockscope runs");
    let mut said = BufReader::new(second.stderr.take().expect("it is piped"));
    let mut line = String::new();
    said.read_line(&mut line).expect("it is text");
    let expected =
        format!("note: waiting for another run with --deps in this workspace (process {})\n", first.child.id());
    if line != expected {
        kill(&first.child, "KILL", true);
        second.kill().expect("our child");
        panic!("`{line}` instead of `{expected}`");
    }
    assert_eq!(lock(), patched, "the one that waits has not touched it");

    kill(&first.child, "TERM", false);
    assert_eq!(first.end().code(), Some(143));
    let mut rest = String::new();
    said.read_to_string(&mut rest).expect("it is text");
    assert!(second.wait().expect("our child").success(), "{rest}");
    assert!(!rest.contains("was killed"), "there was nothing to put back:\n{rest}");
    assert_eq!(project.files(), original);
}
