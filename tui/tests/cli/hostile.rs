//! Whatever a trace calls its threads, locks, files and marks, and whatever it is called itself: what commands a terminal, or turns
//! text round, gets out of no verb in no format.

use std::{
    os::unix::{ffi::OsStrExt, fs::PermissionsExt},
    path::{Path, PathBuf},
};

use lockscope_trace::{
    Access, How, LockKind, Mode, clock,
    format::kind,
    writer::{DefinitionWriter, Environment, HeldAtStart, Options, ThreadWriter, TraceWriter},
};

use crate::support::command;

/// Each is a name: a title of the window, a cleared screen, the clipboard, the same with C1 control characters, a hyperlink, a bell, a
/// device query, text that runs backwards, lines that are not, a return.
const NAMES: [&str; 10] = [
    "\u{1b}]0;owned\u{7}",
    "\u{1b}[2J\u{1b}[H",
    "\u{1b}]52;c;b3duZWQ=\u{1b}\\",
    "\u{9b}2J\u{9d}0;owned\u{9c}",
    "\u{1b}]8;;file:///etc\u{1b}\\here",
    "bell\u{7}back\u{8}\u{8}\u{8}\u{8}",
    "\u{1b}P$q\"p\u{1b}\\\u{1b}[c\u{5}",
    "\u{202e}kcol\u{2066}a\u{61c}\u{200f}",
    "one\u{2028}two\u{2029}three\u{85}four\u{b}",
    "good\r\u{1b}[1A\u{0}\u{7f}",
];

struct Recorder(TraceWriter);

impl Environment for Recorder {
    fn writer(&self) -> &TraceWriter {
        &self.0
    }

    fn held(&self, _: &mut dyn FnMut(HeldAtStart)) {}
}

/// A recording in which two threads take two locks in both orders and get stuck at a third time, all of it with one of these names.
fn recording(folder: &Path, name: &str) -> PathBuf {
    let path = folder.join("recorded.lks");
    let options = Options {
        executable: PathBuf::from(format!("/bin/{name}")),
        command: vec![name.to_owned()],
        size: None,
        run: 0,
        coarse: false,
    };
    let env = Recorder(TraceWriter::create(&path, &options).expect("the folder is ours"));
    let mut defs = DefinitionWriter::default();
    let text = defs.string(&env.0, name);
    let file = defs.string(&env.0, &format!("src/{name}.rs"));
    let site = defs.site(&env.0, file, 7, 9);
    let locks = [(text, text), (0, text)].map(|(name, of)| defs.lock(&env.0, LockKind::Mutex, of, name, site, None));
    let threads = [0; 2].map(|_| defs.thread(&env.0, None, text, 1));
    let mut writers = threads.map(|thread| ThreadWriter::new(thread, 1));
    let mut counts = [0; 2];
    for writer in &mut writers {
        writer.plain(&env, kind::START, clock::ticks());
        writer.event(&env, kind::MARK, text, site, clock::ticks());
        writer.event(&env, kind::FINDING, text, text, clock::ticks());
    }
    let mut take = |writer: &mut ThreadWriter, lock: usize| {
        counts[lock] += 1;
        writer.acquired(&env, locks[lock], Mode::Exclusive, How::Lock, site, counts[lock], clock::ticks());
    };
    for (thread, order) in [(0, [0, 1]), (1, [1, 0])] {
        for lock in order {
            take(&mut writers[thread], lock);
        }
        for lock in order.into_iter().rev() {
            writers[thread].released(&env, locks[lock], Mode::Exclusive, Access::Wrote, clock::ticks());
        }
    }
    for (thread, [held, wanted]) in [(0, [0, 1]), (1, [1, 0])] {
        take(&mut writers[thread], held);
        writers[thread].lock_event(&env, kind::WAIT, locks[wanted], 0, site, clock::ticks());
    }
    writers.iter_mut().for_each(|writer| writer.end(&env.0));
    env.0.close();
    path
}

/// The same as text.
fn text(folder: &Path, name: &str) -> PathBuf {
    let name: String = name.chars().filter(|c| !matches!(c, '\n' | '\r' | '|' | '(' | ')')).collect();
    let line = |thread: &str, op: &str, lock: &str| format!("{thread}{name}|{op}({lock}{name})|{name}\n");
    let mut text = String::new();
    for (thread, [outer, inner]) in [("T0", ["A", "B"]), ("T1", ["B", "A"])] {
        for (op, lock) in [("acq", outer), ("acq", inner), ("rel", inner), ("rel", outer)] {
            text.push_str(&line(thread, op, lock));
        }
    }
    for (thread, [held, wanted]) in [("T0", ["A", "B"]), ("T1", ["B", "A"])] {
        text.push_str(&line(thread, "acq", held));
        text.push_str(&line(thread, "req", wanted));
    }
    let path = folder.join("text.std");
    std::fs::write(&path, text).expect("the folder is ours");
    path
}

/// Runs the program and looks at every byte that it writes.
fn check(arguments: &[&str], trace: &Path, n_found: &mut usize, wrong: &mut Vec<String>) {
    let output = command(arguments).arg(trace).output().expect("the program starts");
    let code = output.status.code();
    // 127 is what shells say of a program that is not there.
    assert!(matches!(code, Some(0..=4 | 127)), "{arguments:?} {trace:?} ended with {}", output.status);
    *n_found += usize::from(code == Some(1));
    let is_binary = arguments.contains(&"perfetto");
    for stream in [&output.stdout, &output.stderr] {
        let said = String::from_utf8_lossy(stream);
        let harmful = |c: char| {
            c.is_control() && c != '\n' && c != '\t'
                || matches!(c, '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
        };
        if !is_binary {
            wrong.extend(
                said.lines().filter(|line| line.contains(harmful)).map(|line| format!("{arguments:?}: {line:?}")),
            );
        }
        // Lengths in a binary format may be any byte.
        for name in NAMES {
            if said.contains(name) {
                wrong.push(format!("{arguments:?} wrote {name:?}"));
            }
        }
    }
}

#[test]
fn no_verb_lets_a_name_command_the_terminal() {
    let mut verbs: Vec<Vec<&str>> = Vec::new();
    for format in ["human", "short", "json", "jsonl", "sarif", "junit", "github", "markdown", "html"] {
        verbs.push(vec!["check", "-D", "all", "--format", format]);
    }
    verbs.push(vec!["check", "--all", "--engine", "spd"]);
    for what in ["threads", "locks", "order", "events", "stats"] {
        verbs.push(vec!["show", "--filter", "", what]);
    }
    for what in ["threads", "locks", "order"] {
        verbs.push(vec!["show", "--format", "json", what]);
    }
    for kind in ["wait", "order"] {
        for format in ["text", "dot", "mermaid", "svg"] {
            verbs.push(vec!["graph", "--format", format, kind]);
        }
    }
    for format in ["perfetto", "chrome", "std", "jsonl", "folded"] {
        verbs.push(vec!["export", "--to", format]);
    }
    verbs.push(vec!["hierarchy"]);
    verbs.push(vec!["top"]);
    let (mut n_found, mut wrong) = (0, Vec::new());
    for (idx, name) in NAMES.into_iter().enumerate() {
        let dir = tempfile::tempdir().expect("a directory for the test");
        // A file can be called anything but for a slash.
        let folder = dir.path().join(std::ffi::OsStr::from_bytes(name.replace(['/', '\0'], "").as_bytes()));
        std::fs::create_dir(&folder).expect("the folder is ours");
        let traces = [recording(&folder, name), text(&folder, name)];
        // Each name by itself with a part of the verbs, and each verb with several names.
        for (nth, verb) in verbs.iter().enumerate().filter(|(nth, _)| (nth + idx) % 3 == 0) {
            let trace = &traces[(nth + idx / 3) % 2];
            // The trace comes before what is to be shown of it.
            match verb.as_slice() {
                ["show" | "graph", options @ .., what] => {
                    let trace = trace.to_str().expect("the names are text");
                    let arguments: Vec<&str> = [verb[0], trace].into_iter().chain(options.iter().copied()).collect();
                    check(&arguments, Path::new(what), &mut n_found, &mut wrong);
                }
                _ => check(verb, trace, &mut n_found, &mut wrong),
            }
        }
        check(&["diff", traces[0].to_str().expect("the names are text")], &traces[1], &mut n_found, &mut wrong);
        check(&["check"], &folder.join("nowhere.lks"), &mut n_found, &mut wrong);
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(n_found >= 10, "the traces are such that something is found in them: {n_found}");
}

/// Arguments, programs, folders and files of settings are called anything, too.
#[test]
fn no_argument_commands_the_terminal() {
    let (mut n_found, mut wrong) = (0, Vec::new());
    for name in NAMES {
        let dir = tempfile::tempdir().expect("a directory for the test");
        let name = name.replace(['/', '\0'], "");
        let folder = dir.path().join(&name);
        std::fs::create_dir(&folder).expect("the folder is ours");
        let name = Path::new(&name);
        for verb in ["explain", "config", "completions", "nothing", "top", "graph", "check", "hierarchy"] {
            check(&[verb], name, &mut n_found, &mut wrong);
        }
        for options in [["check", "-D"], ["check", "--engine"], ["check", "--config"], ["show", "x"], ["run", "--"]] {
            check(&options, name, &mut n_found, &mut wrong);
        }
        // A program that ends at once and records nothing, and settings that say what is wrong with them.
        let program = folder.join(name);
        std::fs::write(&program, "#!/bin/sh\nexit 0\n").expect("the folder is ours");
        std::fs::set_permissions(&program, std::fs::Permissions::from_mode(0o700)).expect("the file is ours");
        check(&["run", "--"], &program, &mut n_found, &mut wrong);
        let settings = folder.join("settings.toml");
        for text in ["[\"\\u001b[2J\"]\nx = 1\n", "[check]\n\"\\u009b2J\" = 1\n", "[check]\nformat = \"\\u202e\"\n"] {
            std::fs::write(&settings, text).expect("the folder is ours");
            check(&["config", "show", "--config"], &settings, &mut n_found, &mut wrong);
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert_eq!(n_found, 0, "nothing was checked");
}
