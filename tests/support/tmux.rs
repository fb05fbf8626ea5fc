//! Drives a program in a real terminal: tmux, on a server of its own, with a fixed size and a clean environment.
//!
//! Nothing sleeps for a guessed time: [`Tmux::wait_until`] looks at the screen until it shows what is expected, and
//! fails with the screen in the message. Where tmux is not installed, [`Tmux::start`] says so and returns `None`.

use std::{
    path::Path,
    process::{Command, Output},
    sync::atomic::{AtomicU32, Ordering},
    thread,
    time::{Duration, Instant},
};

/// How long the screen may take to show what is expected. Far more than needed: it bounds a failure, not a success.
const PATIENCE: Duration = Duration::from_secs(60);
/// Pause between two looks at the screen.
const LOOK: Duration = Duration::from_millis(10);

static SERVERS: AtomicU32 = AtomicU32::new(0);

/// A terminal with a program in it. The server ends with this value.
pub struct Tmux {
    socket: String,
}

impl Tmux {
    /// Runs a shell command in a terminal of a size, with these variables and few others in its environment.
    ///
    /// After the command has ended, the terminal shows `ended with` its exit code and, from `stty`, whether the
    /// terminal was left in its usual mode.
    pub fn start(columns: u16, rows: u16, dir: &Path, environment: &[(&str, &str)], command: &str) -> Option<Tmux> {
        if Command::new("tmux").arg("-V").output().is_err() {
            eprintln!("skipped: tmux is not installed");
            return None;
        }
        let number = SERVERS.fetch_add(1, Ordering::Relaxed);
        let tmux = Tmux { socket: format!("lockscope-{}-{number}", std::process::id()) };
        let home = format!("HOME={}", dir.display());
        let mut clean =
            vec!["env".to_owned(), "-i".to_owned(), home, "LANG=C.UTF-8".to_owned(), "TERM=tmux-256color".to_owned()];
        clean.push(format!("PATH={}", std::env::var("PATH").unwrap_or_default()));
        clean.extend(environment.iter().map(|(key, value)| format!("{key}={value}")));
        // Ctrl-C is for the program; the shell around it goes on to say how the program ended.
        let script =
            format!("trap : INT; {command}; echo \"ended with $?\"; stty -a | grep -o -- '-*icanon'; exec sleep 600");
        clean.extend(["sh".to_owned(), "-c".to_owned(), script]);
        let (columns, rows) = (columns.to_string(), rows.to_string());
        let dir = dir.to_string_lossy();
        let mut arguments = vec!["-u", "-f", "/dev/null", "new-session", "-d", "-x", &columns, "-y", &rows, "-c", &dir];
        arguments.extend(clean.iter().map(String::as_str));
        tmux.tmux(&arguments);
        tmux.tmux(&["set-option", "-g", "status", "off"]);
        // Without the status line there is one row more.
        tmux.tmux(&["resize-window", "-x", &columns, "-y", &rows]);
        Some(tmux)
    }

    /// Presses keys by their tmux names: `Enter`, `C-c`, `Up`, `q`.
    pub fn keys(&self, keys: &[&str]) {
        self.tmux(&[&["send-keys"], keys].concat());
    }

    /// Types a text.
    pub fn text(&self, text: &str) {
        self.tmux(&["send-keys", "-l", text]);
    }

    /// Gives the terminal a background, which it tells programs that ask for it.
    #[allow(dead_code, reason = "not every test needs it")]
    pub fn background(&self, color: &str) {
        self.tmux(&["set-option", "-g", "window-style", &format!("bg={color}")]);
    }

    /// Clicks on a text on the screen with the left button, as a terminal reports it that was asked for the mouse.
    #[allow(dead_code, reason = "not every test needs it")]
    #[track_caller]
    pub fn click(&self, text: &str) {
        let screen = self.wait_for(text);
        let found = screen.lines().enumerate().find_map(|(row, line)| {
            let column = line[..line.find(text)?].chars().count();
            Some((column + 1, row + 1))
        });
        let (column, row) = found.expect("the screen shows it");
        self.text(&format!("\u{1b}[<0;{column};{row}M\u{1b}[<0;{column};{row}m"));
    }

    /// Changes the size of the terminal.
    pub fn resize(&self, columns: u16, rows: u16) {
        self.tmux(&["resize-window", "-x", &columns.to_string(), "-y", &rows.to_string()]);
    }

    /// What is on the screen.
    pub fn screen(&self) -> String {
        String::from_utf8_lossy(&self.tmux(&["capture-pane", "-p"]).stdout).into_owned()
    }

    /// What is on the screen, with the escape sequences of its styles.
    pub fn styled_screen(&self) -> String {
        String::from_utf8_lossy(&self.tmux(&["capture-pane", "-p", "-e"]).stdout).into_owned()
    }

    /// Process id of the program in the terminal.
    #[allow(dead_code, reason = "not every test needs it")]
    pub fn child(&self) -> String {
        let pane = self.tmux(&["display-message", "-p", "#{pane_pid}"]);
        let shell = String::from_utf8_lossy(&pane.stdout).trim().to_owned();
        let children = Command::new("ps").args(["-o", "pid=", "--ppid", &shell]).output().expect("ps runs");
        String::from_utf8_lossy(&children.stdout).trim().to_owned()
    }

    /// Sends a signal to the program in the terminal.
    #[allow(dead_code, reason = "not every test needs it")]
    pub fn signal(&self, signal: &str) {
        let child = self.child();
        let sent = Command::new("kill").args([&format!("-{signal}"), &child]).status().expect("kill runs");
        assert!(sent.success(), "the program {child} can be sent {signal}");
    }

    /// Waits until the screen shows a text, and returns the screen.
    #[track_caller]
    pub fn wait_for(&self, text: &str) -> String {
        self.wait_until(&format!("{text:?}"), |screen| screen.contains(text))
    }

    /// Waits until the screen is as expected, and returns it.
    #[track_caller]
    pub fn wait_until(&self, what: &str, is_so: impl Fn(&str) -> bool) -> String {
        let started = Instant::now();
        loop {
            let screen = self.screen();
            if is_so(&screen) {
                return screen;
            }
            assert!(started.elapsed() < PATIENCE, "the screen does not show {what}; it shows\n{screen}");
            thread::sleep(LOOK);
        }
    }

    fn tmux(&self, arguments: &[&str]) -> Output {
        let output = Command::new("tmux").args(["-L", &self.socket]).args(arguments).output().expect("tmux runs");
        let errors = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "tmux {arguments:?} fails: {errors}");
        output
    }
}

impl Drop for Tmux {
    fn drop(&mut self) {
        // It may have ended by itself; there is nothing else to clean up.
        let _ = Command::new("tmux").args(["-L", &self.socket, "kill-server"]).output();
    }
}
