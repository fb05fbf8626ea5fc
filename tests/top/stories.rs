//! What a reviewer with no help should be able to do, each as one story in a real terminal.

use std::{fs, path::Path};

use crate::{hung, opened, tmux::Tmux, top};

/// Starts the dashboard on the hung trace in a directory that the caller has prepared.
fn top_in(dir: &Path, environment: &[(&str, &str)], options: &str) -> Option<Tmux> {
    let command = format!("{} {options} top {}", env!("CARGO_BIN_EXE_lockscope"), hung().display());
    Tmux::start(80, 24, dir, environment, &command)
}

#[test]
fn the_dearest_lock_and_its_places_are_one_key_away() {
    let Some((tmux, _dir)) = top(80, 24, &[], "") else { return };
    opened(&tmux);
    tmux.keys(&["7"]);
    let screen = tmux.wait_for("Where L1 audit is waited for");
    assert!(screen.contains("T1 teller waits now") && screen.contains("loc:13"), "who and where:\n{screen}");
    tmux.keys(&["Tab"]);
    tmux.wait_for("What this place waits for");
    tmux.keys(&["Tab"]);
    tmux.wait_for("held from");
}

#[test]
fn one_line_filters_and_one_key_undoes_it() {
    let Some((tmux, _dir)) = top(80, 24, &[("NO_COLOR", "1")], "--ascii") else { return };
    opened(&tmux);
    tmux.keys(&["3", "/"]);
    tmux.text("state:blocked -deadlocked or main");
    tmux.wait_for("2 of 4");
    tmux.keys(&["Enter"]);
    let screen = tmux.wait_until("two threads", |screen| !screen.contains("auditor"));
    assert!(screen.is_ascii() && screen.contains("T3 clerk") && screen.contains("T0 main"), "{screen}");
    tmux.keys(&["Escape"]);
    tmux.wait_for("T2 auditor");
    // An error says what was expected.
    tmux.keys(&["/"]);
    tmux.text("wait > x");
    tmux.wait_for("a time with its unit");
    tmux.keys(&["Escape"]);
    tmux.wait_until("no prompt", |screen| !screen.contains("a time with its unit"));
    // Sorted by the first column, then as before; columns can be chosen.
    tmux.keys(&["s"]);
    tmux.wait_until("T0 first", |screen| screen.lines().nth(3).is_some_and(|line| line.contains("T0 main")));
    tmux.keys(&["c"]);
    tmux.wait_for("[ ]  parent");
    tmux.keys(&["Escape"]);
}

#[test]
fn any_action_is_found_by_its_name() {
    let Some((tmux, _dir)) = top(80, 24, &[], "") else { return };
    opened(&tmux);
    for view in ["1", "3", "5", "7", "E"] {
        tmux.keys(&[view, "?"]);
        tmux.wait_for("type to search");
        tmux.text("editor");
        tmux.wait_until("only what was searched for", |screen| {
            screen.contains("open the place in $EDITOR") && !screen.contains("next-view")
        });
        tmux.keys(&["Escape"]);
        tmux.wait_until("no help", |screen| !screen.contains("open the place"));
    }
    // And done from there.
    tmux.keys(&["?"]);
    tmux.text("who waits for whom");
    tmux.wait_for("at this moment, as a graph");
    tmux.keys(&["Enter"]);
    tmux.wait_for("Who waits for whom");
}

#[test]
fn handles_are_followed_and_one_comes_back() {
    let Some((tmux, _dir)) = top(80, 24, &[], "") else { return };
    opened(&tmux);
    // The first handle of the verdict is T1.
    tmux.keys(&["Down", "Enter"]);
    let screen = tmux.wait_for("held by T2 auditor");
    assert!(screen.contains("wants L1 audit"), "the thread in full:\n{screen}");
    tmux.keys(&["Enter"]);
    tmux.wait_for("mutex");
    tmux.keys(&["BSpace", "BSpace"]);
    tmux.wait_for("Verdict");
    tmux.keys(&[":"]);
    tmux.text("T3");
    tmux.keys(&["Enter"]);
    tmux.wait_for("loc:31");
}

#[test]
fn the_moment_goes_from_wait_to_wait() {
    let Some((tmux, _dir)) = top(80, 24, &[], "") else { return };
    opened(&tmux);
    tmux.keys(&["4", "["]);
    tmux.wait_for("#15 of 16");
    tmux.keys(&["["]);
    let screen = tmux.wait_for("#10 of 16");
    assert!(!screen.contains("deadlock"), "nobody is deadlocked yet:\n{screen}");
    tmux.keys(&["m", "a", "L"]);
    opened(&tmux);
    tmux.keys(&["'", "a"]);
    tmux.wait_for("#10 of 16");
}

#[test]
fn the_editor_opens_at_the_line_and_one_comes_back() {
    let dir = tempfile::tempdir().expect("a directory for the test");
    // The places of the trace are in a file of this name.
    fs::write(dir.path().join("loc"), "line\n".repeat(40)).expect("a file");
    let editor = dir.path().join("editor.sh");
    fs::write(&editor, "echo \"opened $*\" > opened\n").expect("a file");
    let editor = format!("sh {}", editor.display());
    let Some(tmux) = top_in(dir.path(), &[("EDITOR", &editor)], "") else { return };
    opened(&tmux);
    tmux.keys(&["2", "o"]);
    tmux.wait_until("what the editor was told", |_| dir.path().join("opened").exists());
    tmux.wait_for("F1 error deadlock");
    let told = fs::read_to_string(dir.path().join("opened")).expect("it was written");
    assert!(told.contains("+13 ") && told.contains("/loc"), "{told}");
    tmux.keys(&["q"]);
    tmux.wait_for("ended with 0");
}

#[test]
fn views_are_written_to_files_and_left_on_the_screen() {
    let dir = tempfile::tempdir().expect("a directory for the test");
    let Some(tmux) = top_in(dir.path(), &[], "") else { return };
    opened(&tmux);
    for (view, format, name, content) in [
        ("3", "csv", "lockscope-threads.csv", "T1 teller,deadlocked"),
        ("4", "json", "lockscope-locks.json", "\"lock\": \"L0 accounts\""),
        ("5", "svg", "lockscope-waits.svg", "<svg "),
        ("5", "mermaid", "lockscope-waits.mmd", "flowchart"),
        ("2", "markdown", "lockscope-findings.md", "| deadlock |"),
    ] {
        tmux.keys(&[view, "e"]);
        tmux.wait_for("Write this view as");
        tmux.text(format);
        tmux.keys(&["Enter"]);
        tmux.wait_for(&format!("written to {name}"));
        let written = fs::read_to_string(dir.path().join(name)).expect("it was written");
        assert!(written.contains(content), "{name} has {content}:\n{written}");
    }
    tmux.keys(&["3", "y"]);
    tmux.wait_for("copied: ");
    tmux.keys(&["Q"]);
    let screen = tmux.wait_for("ended with 0");
    assert!(screen.contains("T2 auditor"), "the last screen is left there:\n{screen}");
}

#[test]
fn keys_and_colours_come_from_one_file() {
    let dir = tempfile::tempdir().expect("a directory for the test");
    fs::write(
        dir.path().join("lockscope.toml"),
        "[keys]\nquit = [\"x\"]\nhide = [\"q\"]\n[colors]\nbad = \"#010203\"\n[dashboard]\ntheme = \"high-contrast\"\n",
    )
    .expect("a file");
    let Some(tmux) = top_in(dir.path(), &[("COLORTERM", "truecolor")], "") else { return };
    opened(&tmux);
    assert!(tmux.styled_screen().contains("38;2;1;2;3"), "the colour is used:\n{}", tmux.styled_screen());
    tmux.keys(&["F2"]);
    let screen = tmux.wait_for("Settings in effect");
    for text in ["high-contrast", "colors.bad", "lockscope.toml:5", "keys.quit"] {
        assert!(screen.contains(text), "{text} is shown:\n{screen}");
    }
    tmux.keys(&["Escape"]);
    tmux.wait_for("Verdict");
    tmux.keys(&["x"]);
    tmux.wait_for("ended with 0");
    // What is wrong is said before the terminal is touched.
    fs::write(dir.path().join("lockscope.toml"), "[keys]\nqiut = \"x\"\n").expect("a file");
    let Some(tmux) = top_in(dir.path(), &[], "") else { return };
    let screen = tmux.wait_for("ended with 2");
    assert!(screen.contains("qiut") && screen.contains("quit"), "{screen}");
}

#[test]
fn a_cut_off_trace_says_what_is_missing() {
    let dir = tempfile::tempdir().expect("a directory for the test");
    let path = dir.path().join("cut.lks");
    let shape = lockscope_trace_bench::Shape { events: 100_000, locks: 20, ..Default::default() };
    lockscope_trace_bench::write(&path, &shape).expect("there is room for the trace");
    let bytes = fs::read(&path).expect("it was written");
    fs::write(&path, &bytes[..bytes.len() * 2 / 3]).expect("it is cut off");
    let command = format!("{} top cut.lks", env!("CARGO_BIN_EXE_lockscope"));
    let Some(tmux) = Tmux::start(80, 24, dir.path(), &[], &command) else { return };
    tmux.wait_for("incomplete: ");
}

#[test]
fn a_view_of_what_has_ended_sleeps() {
    let Some((tmux, _dir)) = top(80, 24, &[], "") else { return };
    opened(&tmux);
    let status = format!("/proc/{}/status", tmux.child());
    // How often the program's main thread has given up the processor of its own will.
    let switches = || -> Option<String> {
        let status = fs::read_to_string(&status).ok()?;
        status.lines().find(|line| line.starts_with("voluntary_ctxt_switches")).map(str::to_owned)
    };
    let Some(mut before) = switches() else { return };
    // Looking at the screen takes its time, in which nothing may happen.
    let is_asleep = || {
        (0..20).for_each(|_| drop(tmux.screen()));
        let now = switches().expect("it was there before");
        now == std::mem::replace(&mut before, now.clone())
    };
    let is_asleep = std::cell::RefCell::new(is_asleep);
    tmux.wait_until("a program that sleeps", |_| (is_asleep.borrow_mut())());
}

#[test]
fn the_program_goes_to_the_background_and_comes_back() {
    let dir = tempfile::tempdir().expect("a directory for the test");
    // A shell that has jobs.
    let Some(tmux) = Tmux::start(80, 24, dir.path(), &[("PS1", "shell> ")], "bash --norc --noprofile -i") else {
        return;
    };
    tmux.wait_until("a shell", |screen| screen.contains("shell>") || screen.contains("not found"));
    if tmux.screen().contains("not found") {
        eprintln!("skipped: bash is not installed");
        return;
    }
    tmux.text(&format!("{} top {}", env!("CARGO_BIN_EXE_lockscope"), hung().display()));
    tmux.keys(&["Enter"]);
    opened(&tmux);
    tmux.keys(&["3"]);
    tmux.wait_for("T1 teller");
    tmux.keys(&["C-z"]);
    tmux.wait_for("Stopped");
    tmux.text("fg");
    tmux.keys(&["Enter"]);
    tmux.wait_for("T3 clerk");
    tmux.keys(&["q"]);
    tmux.wait_until("the shell again", |screen| !screen.contains("T3 clerk"));
}

#[test]
fn the_mouse_opens_views_and_selects() {
    let Some((tmux, _dir)) = top(80, 24, &[], "") else { return };
    opened(&tmux);
    tmux.click("4Lock");
    tmux.wait_for("L0 accounts ─");
    tmux.click("L1 audit");
    tmux.wait_for("L1 audit ─");
    tmux.click("3Thr");
    let screen = tmux.wait_for("T1 teller ─");
    assert!(screen.contains("holds L0 accounts"), "{screen}");
}

#[test]
fn what_was_typed_is_remembered() {
    let dir = tempfile::tempdir().expect("a directory for the test");
    for (keys, typed) in [(&["3", "/"][..], "state:blocked"), (&["3", "/", "Up"], "")] {
        let Some(tmux) = top_in(dir.path(), &[], "") else { return };
        opened(&tmux);
        tmux.keys(keys);
        tmux.text(typed);
        tmux.wait_for("/state:blocked");
        tmux.keys(&["Enter", "q"]);
        tmux.wait_for("ended with 0");
    }
    assert!(dir.path().join(".local/state/lockscope/dashboard.json").is_file());
}

#[test]
fn the_terminal_is_asked_for_its_background() {
    // The dark theme has the bright red, the light one the plain one.
    for (background, expected) in [("#fafafa", 1), ("#101010", 9)] {
        let dir = tempfile::tempdir().expect("a directory for the test");
        let command = format!("read begin; {} top {}", env!("CARGO_BIN_EXE_lockscope"), hung().display());
        let Some(tmux) = Tmux::start(80, 24, dir.path(), &[], &command) else { return };
        tmux.background(background);
        tmux.keys(&["Enter"]);
        opened(&tmux);
        // An answer that comes late is heard as well.
        tmux.wait_until("the theme for it", |_| tmux.styled_screen().contains(&format!("\u{1b}[38;5;{expected}m ✖")));
    }
}
