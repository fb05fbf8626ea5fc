//! `diff`, `man`, `doctor`, `graph --format svg` and the subcommand of cargo.

use std::{path::Path, process::Command};

use serde_json::Value;

use crate::{
    json::validator,
    support::{command, finish, fixture, lockscope},
};

#[test]
fn two_traces_are_compared() {
    let [hung, inverted, one_order] = ["hung.std", "inverted.std", "one_order.std"].map(fixture);
    let same = lockscope(&["diff", &hung, &hung]);
    assert_eq!(same.code, Some(0), "{same:?}");
    assert!(same.stdout.contains("new: no findings; 0 gone, 0 changed"), "{same:?}");

    let worse = lockscope(&["diff", &one_order, &hung]);
    assert_eq!(worse.code, Some(1), "{worse:?}");
    assert!(worse.stdout.contains("new: error[deadlock]: 2 threads are deadlocked"), "{worse:?}");
    assert!(worse.stdout.contains("waits for"), "contention differs: {worse:?}");

    let better = lockscope(&["diff", &hung, &one_order]);
    assert_eq!(better.code, Some(0), "{better:?}");
    assert!(better.stdout.contains("fixed: error[deadlock]"), "{better:?}");

    // What is predicted is an error.
    assert_eq!(lockscope(&["diff", &one_order, &inverted]).code, Some(1));
    assert_eq!(lockscope(&["diff", "--fail-on", "never", &one_order, &inverted]).code, Some(0));
    assert_eq!(lockscope(&["diff", &one_order, "/nowhere/x.lks"]).code, Some(3));

    let schema = validator(include_str!("../../schema/diff-1.json"));
    let read = |old: &str, new: &str| -> Value {
        let ran = lockscope(&["diff", "--format", "json", old, new]);
        let json: Value = serde_json::from_str(&ran.stdout).expect("JSON");
        let errors: Vec<String> = schema.iter_errors(&json).map(|error| error.to_string()).collect();
        assert!(errors.is_empty(), "{errors:#?}: {json:#}");
        json
    };
    read(&hung, &inverted);
    let json = read(&one_order, &hung);
    let mut bad = json.clone();
    bad["new"][0]["severity"] = "fatal".into();
    assert!(!schema.is_valid(&bad), "the schema refuses what it should");
    assert_eq!((&json["version"], &json["new"][0]["code"]), (&1.into(), &"deadlock".into()), "{json:#}");
    assert!(json["contention"][0]["new"]["contended"].as_u64() > Some(0), "{json:#}");
}

#[test]
fn man_pages_are_printed_and_written() {
    let page = lockscope(&["man"]).stdout;
    for text in [".TH lockscope 1", "lockscope\\-check(1)", ".SH DESCRIPTION"] {
        assert!(page.contains(text), "{text}: {page}");
    }
    assert!(lockscope(&["man", "check"]).stdout.contains("\\-\\-baseline"), "options are there");
    let unknown = lockscope(&["man", "chekc"]);
    assert!(unknown.code == Some(2) && unknown.stderr.contains("there is no verb `chekc`"), "{unknown:?}");
    let dir = tempfile::tempdir().expect("a directory for the test");
    let path = dir.path().join("man1");
    assert_eq!(lockscope(&["man", "--dir", path.to_str().expect("a path of text")]).code, Some(0));
    for name in ["lockscope.1", "lockscope-check.1", "lockscope-top.1"] {
        assert!(path.join(name).is_file(), "{name}");
    }
}

#[test]
fn doctor_says_what_a_bug_report_needs() {
    let ran = finish(command(&["doctor"]).env("TERM", "dumb").env("EDITOR", "ed\u{1b}[2J"));
    assert_eq!(ran.code, Some(0), "{ran:?}");
    for text in [env!("CARGO_PKG_VERSION"), "kernel", "output no terminal", "TERM       dumb", "ed\u{fffd}[2J"] {
        assert!(ran.stdout.contains(text), "{text}: {}", ran.stdout);
    }
}

#[test]
fn graphs_are_pictures() {
    for (which, n_nodes) in [("wait", 5), ("order", 2)] {
        let ran = lockscope(&["graph", &fixture("hung.std"), which, "--format", "svg"]);
        let document =
            roxmltree::Document::parse(&ran.stdout).unwrap_or_else(|error| panic!("{error}: {}", ran.stdout));
        let nodes = document.descendants().filter(|n| n.attribute("class").is_some_and(|c| c.starts_with("node")));
        assert_eq!(nodes.count(), n_nodes, "{which}: {}", ran.stdout);
    }
}

#[test]
fn cargo_finds_the_subcommand() {
    let dir = tempfile::tempdir().expect("a directory for the test");
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let path = Path::new(env!("CARGO_BIN_EXE_cargo-lockscope")).parent().expect("it is in a directory");
    let paths = std::env::split_paths(&std::env::var_os("PATH").unwrap_or_default()).collect::<Vec<_>>();
    let paths = std::env::join_paths(std::iter::once(path.to_owned()).chain(paths)).expect("paths without colons");
    let run = |arguments: &[&str]| {
        let mut command = Command::new(&cargo);
        command
            .current_dir(dir.path())
            .env("PATH", &paths)
            .env("LOCKSCOPE_CONFIG", "/dev/null")
            .env_remove("LOCKSCOPE");
        finish(command.arg("lockscope").args(arguments))
    };
    let version = run(&["--version"]);
    assert_eq!(version.stdout, format!("lockscope {}\n", env!("CARGO_PKG_VERSION")), "{version:?}");
    // What is wrong with the package is cargo's to say: it was run, and its code came through.
    std::fs::write(dir.path().join("Cargo.toml"), "no manifest").expect("a file");
    let ran = run(&["test"]);
    assert_eq!(ran.code, Some(101), "{ran:?}");
    assert!(ran.stderr.contains("Cargo.toml"), "{ran:?}");
}

/// As a runner of cargo's tests: the program's output is not mixed with lockscope's, its arguments and its code come through.
#[test]
fn tests_can_be_run_through_it() {
    let dir = tempfile::tempdir().expect("a directory for the test");
    std::fs::create_dir(dir.path().join("src")).expect("a directory");
    let manifest = "[package]\nname = \"runner-test\"\nversion = \"0.1.0\"\nedition = \"2021\"\n[workspace]\n";
    let source = "#[test] fn good() { println!(\"it ran\"); }\n#[test] fn bad() { panic!(\"on purpose\"); }\n";
    std::fs::write(dir.path().join("Cargo.toml"), manifest).expect("a file");
    std::fs::write(dir.path().join("src/lib.rs"), source).expect("a file");
    let rustc = Command::new("rustc").arg("-vV").output().expect("rustc runs");
    let rustc = String::from_utf8(rustc.stdout).expect("rustc writes UTF-8");
    let host = rustc.lines().find_map(|line| line.strip_prefix("host: ")).expect("rustc says its host");
    let variable = format!("CARGO_TARGET_{}_RUNNER", host.to_uppercase().replace('-', "_"));
    let run = |arguments: &[&str]| {
        let mut command = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
        command.current_dir(dir.path()).arg("test").args(["--offline", "--lib", "-q"]).args(arguments);
        command.env("CARGO_TARGET_DIR", dir.path().join("target")).env_remove("LOCKSCOPE");
        command.env("LOCKSCOPE_CONFIG", "/dev/null").env("RUST_BACKTRACE", "0");
        finish(command.env(&variable, concat!(env!("CARGO_BIN_EXE_lockscope"), " run --")))
    };
    let good = run(&["--", "--nocapture", "good"]);
    assert_eq!(good.code, Some(0), "{good:?}");
    assert!(good.stdout.contains("it ran"), "{good:?}");
    assert!(!good.stdout.contains("recorded nothing") && good.stderr.contains("recorded nothing"), "{good:?}");
    assert_eq!(run(&["--", "bad"]).code, Some(101), "a test that fails fails");
    // This is how nextest asks for the tests.
    let list = run(&["--", "--list", "--format", "terse"]);
    let tests: Vec<&str> = list.stdout.lines().filter(|line| line.contains(": ")).collect();
    assert_eq!(tests, ["bad: test", "good: test"], "{list:?}");
}
