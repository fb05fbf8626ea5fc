//! Programs that may hang, under a watchdog.

use std::{
    fmt,
    io::Read,
    process::{Command, ExitStatus, Stdio},
    sync::mpsc,
    thread,
    time::Duration,
};

/// Longer than anything takes on the slowest machine; only a failure waits for it.
const WATCHDOG: Duration = Duration::from_secs(300);

/// How a program ended, and what it said.
#[derive(Debug)]
pub struct Ended {
    pub status: ExitStatus,
    pub stdout: String,
    pub stderr: String,
}

impl fmt::Display for Ended {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ended with {}\n--- stdout:\n{}\n--- stderr:\n{}---", self.status, self.stdout, self.stderr)
    }
}

/// Runs it to its end.
///
/// # Panics
///
/// When the watchdog ends it.
pub fn run(mut command: Command) -> Ended {
    let mut child = command
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap_or_else(|error| panic!("cannot run {command:?}: {error}"));
    let mut streams = [
        Box::new(child.stdout.take().expect("it is piped")) as Box<dyn Read + Send>,
        Box::new(child.stderr.take().expect("it is piped")),
    ];
    let (sender, receiver) = mpsc::channel();
    for (index, mut stream) in
        streams.iter_mut().map(|stream| std::mem::replace(stream, Box::new(std::io::empty()))).enumerate()
    {
        let sender = sender.clone();
        thread::spawn(move || {
            let mut bytes = Vec::new();
            let _ = stream.read_to_end(&mut bytes);
            let _ = sender.send((index, String::from_utf8_lossy(&bytes).into_owned()));
        });
    }
    let mut said = [String::new(), String::new()];
    let mut is_late = false;
    for _ in 0..2 {
        let (index, text) = receiver.recv_timeout(WATCHDOG).unwrap_or_else(|_| {
            is_late = true;
            child.kill().expect("our child");
            receiver.recv().expect("its end closes the streams")
        });
        said[index] = text;
    }
    let status = child.wait().expect("our child");
    let [stdout, stderr] = said;
    let ended = Ended { status, stdout, stderr };
    assert!(!is_late, "the watchdog ended {command:?}: {ended}");
    ended
}
