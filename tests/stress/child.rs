//! Starts this test program again in a role, in a folder of its own.

use std::{
    fs::File,
    path::{Path, PathBuf},
    process::{Child, Command, ExitStatus, Stdio},
    time::{Duration, Instant},
};

/// Environment variable that says what the child is to do.
pub const ROLE: &str = "LOCKSCOPE_STRESS_ROLE";

/// Longer than any case takes on the slowest machine; only a failure waits for it.
const WATCHDOG: Duration = Duration::from_secs(300);

/// A child and the folder it runs in.
pub struct Case {
    pub dir: tempfile::TempDir,
}

impl Case {
    pub fn new() -> Self {
        Self { dir: tempfile::tempdir().expect("a temporary directory") }
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    /// A command that runs this program in a role; what it says on standard error goes to the file `stderr`.
    pub fn command(&self, role: &str, settings: &str) -> Command {
        let mut command = Command::new(std::env::current_exe().expect("this test"));
        command
            .args(["child_process", "--exact", "--nocapture", "--test-threads=1"])
            .env(ROLE, role)
            .env("LOCKSCOPE", settings)
            .env_remove("RUST_BACKTRACE")
            .current_dir(self.dir.path())
            .stdout(Stdio::null())
            .stderr(File::create(self.path("stderr")).expect("the folder is ours"));
        command
    }

    /// What the child said so far.
    pub fn stderr(&self) -> String {
        std::fs::read_to_string(self.path("stderr")).expect("made with the command")
    }

    /// Runs a command to its end and expects success.
    pub fn run(&self, mut command: Command) {
        let child = command.spawn().expect("this test can run itself");
        let status = wait(child);
        assert!(status.is_some_and(|status| status.success()), "ended with {status:?} and said:\n{}", self.stderr());
    }

    /// Traces in the folder.
    pub fn traces(&self) -> Vec<PathBuf> {
        traces_in(self.dir.path())
    }
}

pub fn traces_in(dir: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(dir).expect("the folder is ours");
    let paths = entries.map(|entry| entry.expect("the folder is ours").path());
    paths.filter(|path| path.extension().is_some_and(|extension| extension == "lks")).collect()
}

/// The child's end; `None` when it hung and was ended by the watchdog.
pub fn wait(mut child: Child) -> Option<ExitStatus> {
    let deadline = Instant::now() + WATCHDOG;
    while Instant::now() < deadline {
        if let Some(status) = child.try_wait().expect("our child") {
            return Some(status);
        }
        std::thread::sleep(Duration::from_millis(2));
    }
    child.kill().expect("our child");
    child.wait().expect("our child");
    None
}
