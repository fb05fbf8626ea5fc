//! The dashboard in a real terminal, as a user sees it.

mod stories;
#[path = "../support/tmux.rs"]
mod tmux;

use std::path::{Path, PathBuf};

use tmux::Tmux;

/// A trace that ends in a deadlock of two threads, with a third one waiting behind.
fn hung() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/fixtures/hung.std")
}

fn top(columns: u16, rows: u16, environment: &[(&str, &str)], options: &str) -> Option<(Tmux, tempfile::TempDir)> {
    let dir = tempfile::tempdir().expect("a directory for the test");
    let command = format!("{} top {options} {}", env!("CARGO_BIN_EXE_lockscope"), hung().display());
    Some((Tmux::start(columns, rows, dir.path(), environment, &command)?, dir))
}

/// Waits until all of the trace is on the screen.
#[track_caller]
fn opened(tmux: &Tmux) -> String {
    tmux.wait_until("the whole trace", |screen| screen.contains("deadlock: 2 threads") && screen.contains("REPLAY"))
}

#[test]
fn a_user_finds_the_deadlock_and_steps_back_to_its_beginning() {
    let Some((tmux, _dir)) = top(80, 24, &[], "") else { return };
    // Open: it is stuck, and why.
    let screen = opened(&tmux);
    for text in
        ["T1 teller holds L0 accounts, wants L1 audit", "T2 auditor holds L1 audit, wants L0 accounts", "REPLAY  #16"]
    {
        assert!(screen.contains(text), "the overview shows {text}:\n{screen}");
    }
    // The picture.
    tmux.keys(&["5"]);
    let screen = tmux.wait_for("Who waits for whom");
    assert!(screen.contains("held by") && screen.contains("T3 clerk"), "the picture has both:\n{screen}");
    // Back to before the cycle closed, event by event, and to the end again.
    tmux.keys(&[",", ","]);
    let screen = tmux.wait_for("#14 of 16");
    assert!(!screen.contains("deadlock"), "nobody is deadlocked yet:\n{screen}");
    tmux.keys(&["."]);
    tmux.wait_for("deadlock: 2 threads");
    // Seek and filter.
    tmux.keys(&["E", ":"]);
    tmux.wait_for("#1234, T3");
    tmux.text("#9");
    tmux.keys(&["Enter"]);
    tmux.wait_for("#9 of 16");
    tmux.keys(&["3", "/"]);
    tmux.text("clerk");
    tmux.wait_for("1 of 4");
    tmux.keys(&["Enter"]);
    let screen = tmux.wait_until("no prompt", |screen| !screen.contains("/clerk"));
    assert!(!screen.contains("auditor"), "the filter keeps one thread:\n{screen}");
    // Help, and out.
    tmux.keys(&["?"]);
    tmux.wait_for("Help: Threads");
    tmux.keys(&["Escape"]);
    tmux.wait_until("no help", |screen| !screen.contains("Help: Threads"));
    tmux.keys(&["q"]);
    let screen = tmux.wait_for("ended with 0");
    tmux.wait_until("a terminal in its usual mode", |screen| screen.lines().any(|line| line.trim() == "icanon"));
    assert!(!screen.contains("Threads"), "the screen from before is back:\n{screen}");
}

#[test]
fn the_screen_follows_the_size_of_the_terminal() {
    let Some((tmux, _dir)) = top(80, 24, &[], "") else { return };
    opened(&tmux);
    for (columns, rows) in [(60, 15), (132, 43), (30, 8)] {
        tmux.resize(columns, rows);
        tmux.wait_until("a screen of the new size", |screen| {
            let widest = screen.lines().map(|line| line.chars().count()).max().unwrap_or(0);
            screen.contains("deadlock") && widest <= usize::from(columns) && screen.lines().count() == usize::from(rows)
        });
    }
    tmux.resize(12, 4);
    tmux.wait_for("too small");
    tmux.resize(80, 24);
    tmux.wait_for("wait for each other");
}

#[test]
fn without_colour_what_matters_still_stands_out() {
    let Some((tmux, _dir)) = top(80, 24, &[("NO_COLOR", "1")], "") else { return };
    opened(&tmux);
    let styled = tmux.styled_screen();
    let codes: Vec<&str> =
        styled.split("\u{1b}[").skip(1).filter_map(|part| part.split_once('m')).map(|(code, _)| code).collect();
    let parts = || codes.iter().flat_map(|code| code.split(';'));
    // 39 and 49 ask for the terminal's own colours, which is none of ours.
    let is_color = |part: &str| part != "39" && part != "49" && part.parse::<u32>().is_ok_and(|code| code >= 30);
    assert!(!parts().any(is_color), "there are colours: {codes:?}");
    assert!(parts().any(|part| part == "7"), "what matters is reversed: {codes:?}");
    assert!(parts().any(|part| part == "1"), "titles are bold: {codes:?}");
}

#[test]
fn ascii_is_enough() {
    for (environment, options) in [(&[("LC_ALL", "C")][..], ""), (&[], "--ascii")] {
        let Some((tmux, _dir)) = top(80, 24, environment, options) else { return };
        let screen = opened(&tmux);
        assert!(screen.is_ascii(), "{environment:?} {options} shows\n{screen}");
    }
}

#[test]
fn a_signal_leaves_the_terminal_as_it_was() {
    for (signal, code) in [("TERM", 143), ("HUP", 129)] {
        let Some((tmux, _dir)) = top(80, 24, &[], "") else { return };
        opened(&tmux);
        tmux.signal(signal);
        tmux.wait_for(&format!("ended with {code}"));
        tmux.wait_until("a terminal in its usual mode", |screen| screen.lines().any(|line| line.trim() == "icanon"));
    }
}

#[test]
fn a_panic_leaves_the_terminal_as_it_was_and_is_told() {
    for place in ["key", "reader"] {
        let Some((tmux, _dir)) = top(80, 24, &[("LOCKSCOPE_TEST_PANIC", place)], "") else { return };
        if place == "key" {
            opened(&tmux);
            tmux.keys(&["3"]);
        }
        let screen = tmux.wait_for("ended with 101");
        assert!(screen.contains(&format!("asked to panic: {place}")), "the message is there:\n{screen}");
        tmux.wait_until("a terminal in its usual mode", |screen| screen.lines().any(|line| line.trim() == "icanon"));
    }
}

#[test]
fn ctrl_c_quits_from_anywhere() {
    let Some((tmux, _dir)) = top(80, 24, &[], "") else { return };
    opened(&tmux);
    tmux.keys(&["3", "/"]);
    tmux.wait_for("4");
    tmux.keys(&["C-c"]);
    tmux.wait_for("ended with 0");
}

#[test]
fn processes_that_cannot_be_watched_are_told_apart() {
    let dir = tempfile::tempdir().expect("a directory for the test");
    let lockscope = env!("CARGO_BIN_EXE_lockscope");
    for (pid, message, code) in [("4194999", "there is no process 4194999", 2), ("$$", "records nothing", 3)] {
        let Some(tmux) = Tmux::start(80, 24, dir.path(), &[], &format!("{lockscope} top {pid}")) else { return };
        let screen = tmux.wait_for(&format!("ended with {code}"));
        assert!(screen.contains(message) && screen.contains("help: "), "{pid} is told {message}:\n{screen}");
    }
}

/// A program that writes the fixture's trace to where `LOCKSCOPE` says, as a recorder would.
const RECORDER: &str =
    r#"path=$(printf %s "$LOCKSCOPE" | tr , '\n' | sed -n 's/^record=//p' | sed "s/%p/$$/; s/%e/sh/")"#;

#[test]
fn a_run_can_be_watched() {
    let dir = tempfile::tempdir().expect("a directory for the test");
    let script = dir.path().join("program.sh");
    let fixture = hung();
    std::fs::write(&script, format!("{RECORDER}; cp '{}' \"$path\"; echo said; exec sleep 600", fixture.display()))
        .expect("a file");
    let command = format!("{} run --top -- sh program.sh", env!("CARGO_BIN_EXE_lockscope"));
    let Some(tmux) = Tmux::start(80, 60, dir.path(), &[], &command) else { return };
    tmux.wait_for("deadlock: 2 threads wait for each other");
    tmux.keys(&["q"]);
    tmux.wait_for("is still running");
    // Ctrl-C ends the program and not the report.
    tmux.keys(&["C-c"]);
    let screen = tmux.wait_for("ended with");
    assert!(screen.contains("its output is in"), "{screen}");
    let log = std::fs::read_to_string(dir.path().join("program-top.log")).expect("the program's output");
    assert_eq!(log, "said\n");
}
