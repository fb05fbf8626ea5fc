//! Data races of a real program, recorded while everything came in a harmless order: each wrong use of what orders threads is found, and
//! its right twin is not. One process, one trace.

#[allow(dead_code, reason = "not every test needs all of the support")]
#[path = "../support/examples.rs"]
mod examples;

use std::{
    collections::BTreeSet,
    path::Path,
    process::{Command, Stdio},
};

use examples::{example, lockscope, root};
use serde_json::Value;

#[test]
fn what_nothing_orders_is_found_and_what_something_orders_is_not() {
    let dir = tempfile::tempdir().expect("a temporary directory");
    let trace = dir.path().join("races.lks");
    let status = Command::new(example("races"))
        .env("LOCKSCOPE", format!("record={},report=/dev/null", trace.display()))
        .stdin(Stdio::null())
        .status()
        .expect("the program runs");
    assert!(status.success(), "{status}");
    let schedulable = lines("races");
    let racing = &schedulable | &lines("races by its orderings");
    for (engine, expected) in [("hb", &racing), ("shb", &schedulable)] {
        let races = check(&trace, &["--engine", engine, "--all"]);
        assert!(races.iter().all(|race| race["code"] == "data-race" && race["confidence"] == "actual"), "{races:#?}");
        assert_eq!(cells(races.iter()), *expected, "{engine}: {races:#?}");
    }
    // Each pair of places once: the same function can be wrong for several reasons.
    let mut findings = check(&trace, &[]);
    // Other engines have their say on the same accesses.
    findings.retain(|finding| finding["code"] == "data-race");
    assert!(cells(findings.iter()).is_subset(&racing) && cells(findings.iter()).len() > 10, "{findings:#?}");
    for finding in &findings {
        let accesses = finding["accesses"].as_array().expect("a list");
        assert_eq!(accesses.len(), 2, "{finding:#}");
        assert_ne!(accesses[0]["thread"], accesses[1]["thread"], "{finding:#}");
        assert_eq!(finding["events"], serde_json::json!([accesses[0]["event"], accesses[1]["event"]]), "{finding:#}");
        // What is held at the later one is known with its place.
        let line = accesses[1]["site"]["line"].as_u64().expect("a place");
        let is_held = finding["participants"][1]["held"].as_array().is_some_and(|held| !held.is_empty());
        assert_eq!(is_held, holds_lock(line as usize), "{finding:#}");
    }
    // Whatever is inconsistently locked is told of as a race already; what is ordered by other means is not told of.
    let inconsistent = check(&trace, &["--engine", "lockset"]);
    assert!(cells(inconsistent.iter()).is_subset(&racing), "{inconsistent:#?}");
    assert!(!inconsistent.is_empty());
}

fn check(trace: &Path, arguments: &[&str]) -> Vec<Value> {
    let output = lockscope()
        .args(["check", "--format", "json", "--fail-on", "never"])
        .args(arguments)
        .arg(trace)
        .output()
        .expect("check runs");
    assert!(output.status.success(), "{output:?}");
    let document: Value = serde_json::from_slice(&output.stdout).expect("JSON");
    assert_eq!(document["traces"][0]["completeness"]["complete"], true, "{document:#}");
    let findings = document["traces"][0]["findings"].as_array().expect("a list").clone();
    findings.into_iter().filter(|finding| finding["severity"] != "note").collect()
}

/// Lines where the cells were made that findings are about.
fn cells<'a>(findings: impl Iterator<Item = &'a Value>) -> BTreeSet<u64> {
    findings.filter_map(|finding| finding["accesses"][0]["variable"]["created"]["line"].as_u64()).collect()
}

fn source() -> String {
    std::fs::read_to_string(root().join("tests/races/program.rs")).expect("the program's source")
}

/// Lines that say what is to be found.
fn lines(verdict: &str) -> BTreeSet<u64> {
    let verdict = format!("// {verdict}");
    (1..).zip(source().lines()).filter(|(_, line)| line.ends_with(&verdict)).map(|(number, _)| number).collect()
}

/// Whether the line before says that a lock is held. The permits that do not order are several, and no lock.
fn holds_lock(line: usize) -> bool {
    let source = source();
    let before = source.lines().nth(line - 2).expect("a line before");
    before.contains("_guard")
}
