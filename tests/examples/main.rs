//! Runs every example, faulty and fixed: the expected finding by the running process and by `check`, with the right source lines;
//! nothing at all when fixed. `LOCKSCOPE_TEST_ROUNDS=200` runs each as often.

#[path = "../support/examples.rs"]
mod examples;
mod hierarchy_file;

use std::{
    io::{BufRead, BufReader},
    process::{Command, Stdio},
};

use examples::{example, lines_with, lockscope, root};
use serde_json::Value;

/// What an example must show.
struct Case {
    example: &'static str,
    arguments: &'static [&'static str],
    /// What the running process finds.
    code: &'static str,
    /// What `check` makes of it.
    by_check: &'static str,
    /// For the two sides (or as many as there are): what was held and what was wanted, as (text on the line, which
    /// of the lines with that text).
    held: &'static [(&'static str, usize)],
    wanted: &'static [(&'static str, usize)],
    names: &'static [&'static str],
}

const CASES: [Case; 8] = [
    Case {
        example: "bank",
        arguments: &[],
        code: "lock-order-inversion",
        by_check: "predicted-deadlock",
        held: &[("from.balance.lock()", 0)],
        wanted: &[("to.balance.lock()", 0)],
        names: &["alice", "bob"],
    },
    Case {
        example: "bank",
        arguments: &["--hang"],
        code: "deadlock",
        by_check: "deadlock",
        held: &[("from.balance.lock()", 0)],
        wanted: &[("to.balance.lock()", 0)],
        names: &["alice", "bob", "teller 1", "teller 2"],
    },
    Case {
        example: "philosophers",
        arguments: &[],
        code: "lock-order-inversion",
        by_check: "predicted-deadlock",
        held: &[("FORKS[first].lock()", 0)],
        wanted: &[("FORKS[second].lock()", 0)],
        names: &["fork 1", "fork 2", "fork 3", "fork 4", "fork 5"],
    },
    Case {
        example: "philosophers",
        arguments: &["--hang"],
        code: "deadlock",
        by_check: "deadlock",
        held: &[("FORKS[first].lock()", 0)],
        wanted: &[("FORKS[second].lock()", 0)],
        names: &["Thales", "Hypatia", "Plato", "Diotima", "Zeno"],
    },
    Case {
        example: "readers_writers",
        arguments: &[],
        code: "deadlock",
        by_check: "deadlock",
        held: &[("SETTINGS.read()", 0)],
        wanted: &[("SETTINGS.read()", 1), ("SETTINGS.write()", 0)],
        names: &["settings", "reader", "writer"],
    },
    Case {
        example: "hierarchy",
        arguments: &[],
        code: "hierarchy-violation",
        by_check: "hierarchy-violation",
        held: &[("SHELF.lock()", 1)],
        wanted: &[("CATALOGUE.lock()", 1)],
        names: &["catalogue", "shelf"],
    },
    Case {
        example: "timeout",
        arguments: &[],
        code: "lock-timeout",
        by_check: "lock-timeout",
        held: &[("ORDERS.lock()", 0)],
        wanted: &[("ORDERS.lock()", 2)],
        names: &["orders"],
    },
    Case {
        example: "pipeline",
        arguments: &[],
        code: "deadlock",
        by_check: "deadlock",
        held: &[],
        wanted: &[("links.send(found)", 0), ("pages.send(page)", 0)],
        names: &["pages", "links", "frontier", "fetcher 1", "fetcher 2"],
    },
];

fn rounds() -> usize {
    std::env::var("LOCKSCOPE_TEST_ROUNDS").ok().and_then(|rounds| rounds.parse().ok()).unwrap_or(2)
}

#[test]
fn faulty_examples_are_found_by_the_process_and_by_check() {
    for case in &CASES {
        for _ in 0..rounds() {
            check_faulty(case);
        }
    }
}

fn check_faulty(case: &Case) {
    let dir = tempfile::tempdir().expect("a temporary directory");
    let (said, findings) = run(case.example, case.arguments, dir.path());
    let name = format!("{} {:?}: {}", case.example, case.arguments, case.code);
    // The process itself.
    assert!(said.contains(&format!("[{}]", case.code)), "{name}: not reported in process:\n{said}");
    for (text, index) in case.held.iter().chain(case.wanted) {
        let place = format!(" examples/{}.rs:{}:", case.example, lines_with(case.example, text)[*index]);
        assert!(said.contains(&place), "{name}: {place} is missing:\n{said}");
    }
    for part in case.names {
        assert!(said.contains(part), "{name}: {part} is missing:\n{said}");
    }
    // The analysis.
    let found: Vec<&Value> = findings.iter().filter(|finding| finding["code"] == case.by_check).collect();
    assert_eq!(found.len(), 1, "{name}: {findings:#?}");
    let sites = |pointer: &str| -> Vec<u64> {
        let participants = found[0]["participants"].as_array().expect("a list");
        let lists = participants.iter().flat_map(|participant| match &participant[pointer] {
            Value::Array(list) => list.clone(),
            one => vec![one.clone()],
        });
        lists.filter_map(|place| place["site"]["line"].as_u64()).collect()
    };
    for (pointer, expected) in [("held", case.held), ("wanted", case.wanted)] {
        let sites = sites(pointer);
        for (text, index) in expected {
            let line = lines_with(case.example, text)[*index];
            assert!(sites.contains(&line), "{name}: {pointer} at line {line} is missing: {sites:?}");
        }
    }
    let whole = found[0].to_string();
    for part in case.names {
        assert!(whole.contains(part), "{name}: {part} is missing: {whole}");
    }
}

#[test]
fn fixed_examples_are_silent() {
    for example in ["bank", "philosophers", "readers_writers", "hierarchy", "timeout", "pipeline"] {
        for _ in 0..rounds() {
            let dir = tempfile::tempdir().expect("a temporary directory");
            let (said, findings) = run(example, &["--fixed"], dir.path());
            assert!(!said.contains("lockscope"), "{example}: {said}");
            assert_eq!(findings, Vec::<Value>::new(), "{example}");
        }
    }
}

#[test]
fn a_recording_that_was_cut_off_is_incomplete() {
    let dir = tempfile::tempdir().expect("a temporary directory");
    run("bank", &[], dir.path());
    let whole = std::fs::read(dir.path().join("trace.lks")).expect("it was recorded");
    let cut = dir.path().join("cut.lks");
    for (bytes, code) in [(whole.len(), 0), (100_000, 4)] {
        std::fs::write(&cut, &whole[..bytes]).expect("the folder is ours");
        let check =
            lockscope().args(["check", "--strict", "--fail-on", "never"]).arg(&cut).output().expect("lockscope runs");
        let said = String::from_utf8_lossy(&check.stderr).into_owned() + &String::from_utf8_lossy(&check.stdout);
        assert_eq!(check.status.code(), Some(code), "{bytes} bytes: {said}");
        assert_eq!(said.contains("cut off"), code == 4, "{bytes} bytes: {said}");
    }
}

/// By the coarse clock the same is found, and every reader says that times are not exact.
#[test]
fn a_recording_by_the_coarse_clock_says_so() {
    let dir = tempfile::tempdir().expect("a temporary directory");
    let run = |arguments: &[&str]| {
        let output = lockscope().args(arguments).current_dir(dir.path()).output().expect("lockscope runs");
        String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr)
    };
    let bank = example("bank");
    let said = run(&["run", "--clock", "coarse", "-o", "t.lks", "--", bank.to_str().expect("a path of text")]);
    assert!(said.contains("lock-order") && said.contains("recorded by the coarse clock"), "{said}");
    for arguments in [["check", "t.lks", "--format=json"], ["show", "t.lks", "stats"]] {
        let said = run(&arguments);
        assert!(said.contains("recorded by the coarse clock"), "{arguments:?}: {said}");
    }
}

/// One run is begun and ended while another one goes on, in the same folder.
#[test]
fn a_run_checks_its_own_traces_only() {
    let dir = tempfile::tempdir().expect("a temporary directory");
    let run = [env!("CARGO_BIN_EXE_lockscope"), "run", "--fail-on", "warning", "--"].join(" ");
    let bank = example("bank");
    let script = format!("{run} '{0}' >&2; echo $?; '{0}' --fixed >&2", bank.display());
    let outer =
        lockscope().args(["run", "--fail-on", "note", "--", "sh", "-c", &script]).current_dir(dir.path()).output();
    let outer = outer.expect("lockscope runs");
    let said = String::from_utf8_lossy(&outer.stderr);
    assert_eq!(String::from_utf8_lossy(&outer.stdout), "1\n", "the inner one has found something: {said}");
    assert_eq!(outer.status.code(), Some(0), "the outer one has not: {said}");
    let names = std::fs::read_dir(dir.path()).expect("the folder is ours").map(|entry| entry.expect("a name").path());
    let traces = names.filter(|path| path.extension().is_some_and(|extension| extension == "lks"));
    assert_eq!(traces.count(), 2, "{said}");
}

/// Runs an example with recording on; returns what it said and what `check` finds. One that is to hang is killed as soon as
/// it has reported its deadlock.
fn run(name: &str, arguments: &[&str], dir: &std::path::Path) -> (String, Vec<Value>) {
    let trace = dir.join("trace.lks");
    let mut child = Command::new(example(name))
        .args(arguments)
        .env("LOCKSCOPE", format!("record={}", trace.display()))
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the example runs");
    let hangs = arguments.contains(&"--hang");
    let mut stderr = BufReader::new(child.stderr.take().expect("it is piped"));
    let mut said = String::new();
    let mut reported = false;
    // A report ends with an empty line. An example that does not report ends by itself, after a minute at most.
    while stderr.read_line(&mut said).expect("text") > 0 {
        reported |= said.contains("[deadlock]");
        if hangs && reported && said.ends_with("\n\n") {
            child.kill().expect("our child");
            break;
        }
    }
    let status = child.wait().expect("our child");
    // The status of a process that lockscope ends on account of a deadlock.
    assert!(
        hangs || status.success() || reported && status.code() == Some(66),
        "{name} {arguments:?}: {status:?}\n{said}"
    );
    let check = lockscope()
        .args(["check", "--format", "json", "--fail-on", "never"])
        .arg(&trace)
        .current_dir(root())
        .output()
        .expect("lockscope runs");
    let report: Value = serde_json::from_slice(&check.stdout)
        .unwrap_or_else(|error| panic!("{error}: {}", String::from_utf8_lossy(&check.stderr)));
    let findings = report["traces"][0]["findings"].as_array().expect("a list").clone();
    assert_eq!(report["traces"][0]["completeness"]["complete"], true, "{name}: {report:#}");
    (said, findings)
}
