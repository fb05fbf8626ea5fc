//! What is torn, and its whole twins, run for real, recorded and judged by `check`; notes count.

#[allow(dead_code, reason = "not every test needs all of the support")]
#[path = "../support/examples.rs"]
mod examples;

use std::process::Stdio;

use examples::{example, lockscope, root};
use serde_json::Value;

/// A row of the table below.
type Case = (&'static str, Option<(&'static str, &'static str)>, &'static [&'static str]);

/// Program, what is found in it, and what stands on the lines of the steps where that is told.
const CASES: &[Case] = &[
    (
        "counter_torn",
        Some(("lost-update", "actual")),
        &["the counter is read", "the update that is lost", "the counter is overwritten"],
    ),
    ("counter_whole", None, &[]),
    ("counter_compared", None, &[]),
    ("counter_in_turn", Some(("lost-update", "potential")), &[]),
    (
        "balance_torn",
        Some(("lost-update", "actual")),
        &["the balance is read", "the deposit that is lost", "the balance is overwritten"],
    ),
    ("balance_whole", None, &[]),
    ("balance_in_turn", Some(("lost-update", "potential")), &[]),
    ("balance_behind_a_gate", None, &[]),
    ("cache_torn", Some(("check-then-act", "actual")), &["the check", "what makes it wrong", "the act"]),
    ("cache_looked_again", None, &[]),
    ("flag_torn", Some(("check-then-act", "actual")), &[]),
    ("flag_swapped", None, &[]),
    ("region_torn", Some(("atomicity-violation", "actual")), &[]),
    ("region_whole", None, &[]),
];

#[test]
fn torn_and_whole() {
    let program = example("atomicity");
    let source = std::fs::read_to_string(root().join("tests/atomicity/program.rs")).expect("the program's source");
    let line = |text: &str| {
        let comment = format!("// {text}");
        1 + source.lines().position(|line| line.ends_with(&comment)).expect("a line of the program") as u64
    };
    for (name, expected, steps) in CASES {
        let dir = tempfile::tempdir().expect("a temporary directory");
        let trace = dir.path().join("trace.lks");
        let status = std::process::Command::new(&program)
            .arg(name)
            .env("LOCKSCOPE", format!("record={}", trace.display()))
            .stdin(Stdio::null())
            .status()
            .expect("the program runs");
        assert!(status.success(), "{name}: {status}");
        let output = lockscope().args(["check", "--format", "json"]).arg(&trace).output().expect("lockscope runs");
        let report: Value = serde_json::from_slice(&output.stdout).expect("JSON");
        let findings = report["traces"][0]["findings"].as_array().expect("a list");
        let found: Vec<_> =
            findings.iter().map(|finding| (finding["code"].as_str(), finding["confidence"].as_str())).collect();
        let wanted: Vec<_> = expected.iter().map(|(code, confidence)| (Some(*code), Some(*confidence))).collect();
        assert_eq!(found, wanted, "{name}: {report:#}");
        if !steps.is_empty() {
            let accesses = findings[0]["accesses"].as_array().expect("a list");
            let lines: Vec<_> = accesses.iter().map(|access| access["site"]["line"].as_u64()).collect();
            assert_eq!(lines, steps.iter().map(|step| Some(line(step))).collect::<Vec<_>>(), "{name}: {report:#}");
        }
    }
}
