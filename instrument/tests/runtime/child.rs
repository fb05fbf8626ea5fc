//! Runs a scenario in a child process and checks what it prints and how it ends.

use std::{
    io::Read,
    process::{Command, Stdio},
    time::{Duration, Instant},
};

/// What a scenario must do.
pub struct Expect {
    codes: &'static [&'static str],
    texts: &'static [&'static str],
    unwanted: &'static [&'static str],
    end: End,
}

#[derive(PartialEq)]
enum End {
    Success,
    Status(i32),
    Panic,
    Hang,
}

impl Expect {
    pub fn silence() -> Self {
        Self { codes: &[], texts: &[], unwanted: &[], end: End::Success }
    }

    pub fn says(texts: &'static [&'static str]) -> Self {
        Self { codes: &[], texts, unwanted: &[], end: End::Success }
    }

    pub fn reports(codes: &'static [&'static str], texts: &'static [&'static str]) -> Self {
        Self { codes, texts, unwanted: &[], end: End::Success }
    }

    pub fn hangs(codes: &'static [&'static str], texts: &'static [&'static str]) -> Self {
        Self { codes, texts, unwanted: &[], end: End::Hang }
    }

    pub fn exits(status: i32, codes: &'static [&'static str]) -> Self {
        Self { codes, texts: &[], unwanted: &[], end: End::Status(status) }
    }

    /// And says none of these.
    pub fn without(self, unwanted: &'static [&'static str]) -> Self {
        Self { unwanted, ..self }
    }

    pub fn panics(code: &'static str) -> Self {
        Self { codes: Box::leak(Box::new([code])), texts: &[], unwanted: &[], end: End::Panic }
    }
}

/// Longer than any scenario takes on the slowest machine; only a failure waits for it.
const WATCHDOG: Duration = Duration::from_secs(300);

pub fn run(name: &str, settings: &str, expect: Expect) {
    let dir = tempfile::tempdir().expect("a temporary directory");
    let mut child = Command::new(std::env::current_exe().expect("this test"))
        .args(["child_process", "--exact", "--nocapture", "--test-threads=1"])
        .env("LOCKSCOPE_TEST_SCENARIO", name)
        .env("LOCKSCOPE", settings)
        .env_remove("RUST_BACKTRACE")
        .current_dir(dir.path())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .expect("this test can run itself");
    let mut stderr = child.stderr.take().expect("it is piped");
    let (sender, receiver) = std::sync::mpsc::channel();
    // Bytes as they come: a child that hangs does not close its end.
    std::thread::spawn(move || {
        let mut buffer = [0; 4096];
        while let Ok(n @ 1..) = stderr.read(&mut buffer) {
            if sender.send(buffer[..n].to_vec()).is_err() {
                return;
            }
        }
    });
    let deadline = Instant::now() + WATCHDOG;
    let mut output = Vec::new();
    let all_said = |output: &[u8]| {
        let text = String::from_utf8_lossy(output);
        // Each report ends with an empty line; several can have the same code.
        text.matches("\n\n").count() >= expect.codes.len().max(1)
            && expect.codes.iter().all(|code| text.contains(&format!("[{code}]")))
    };
    let status = loop {
        while let Ok(bytes) = receiver.recv_timeout(Duration::from_millis(5)) {
            output.extend(bytes);
        }
        if let Some(status) = child.try_wait().expect("our child") {
            break Some(status);
        }
        // A report is written whole, so once its end is there the child may be ended.
        if expect.end == End::Hang && all_said(&output) || Instant::now() > deadline {
            child.kill().expect("our child");
            child.wait().expect("our child");
            break None;
        }
    };
    while let Ok(bytes) = receiver.recv() {
        output.extend(bytes);
    }
    let text = String::from_utf8_lossy(&output);
    let shown = format!("--- {name} ended with {status:?} and said:\n{text}---");
    match (&expect.end, status) {
        (End::Success, Some(status)) => assert!(status.success(), "{shown}"),
        (End::Status(code), Some(status)) => assert_eq!(status.code(), Some(*code), "{shown}"),
        (End::Panic, Some(status)) => {
            assert!(!status.success() && text.contains("panicked at") && text.contains("lockscope: "), "{shown}");
        }
        (End::Hang, None) => {}
        _ => panic!("unexpected end\n{shown}"),
    }
    assert!(!text.contains('\u{1b}'), "a control character got out\n{shown}");
    let mut found: Vec<&str> = text
        .lines()
        .filter_map(|line| line.strip_prefix("lockscope: ")?.split_once('[')?.1.split_once("]: ").map(|(code, _)| code))
        .collect();
    found.sort_unstable();
    assert_eq!(found, expect.codes, "{shown}");
    for wanted in expect.texts {
        assert!(text.contains(wanted), "`{wanted}` is missing\n{shown}");
    }
    for unwanted in expect.unwanted {
        assert!(!text.contains(unwanted), "`{unwanted}` is not to be there\n{shown}");
    }
    if expect.codes.is_empty() && expect.texts.is_empty() {
        assert!(!text.contains("lockscope"), "{shown}");
    }
}
