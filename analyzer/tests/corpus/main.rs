//! Verdicts over the trace corpus: the whole one beside the repository when it is there, else the copy of its hand-made
//! part in `tests/traces`.

mod races;
mod sha256;

use std::{
    fs,
    path::{Path, PathBuf},
};

use lockscope_analyzer::{Analysis, Code, Confidence, Finding, input};
use lockscope_trace::{Error, source::Place};
use serde_json::Value;

#[test]
fn small_traces_get_their_verdict() {
    for_each("small", |path, facts| {
        let deadlock = &facts["expected"]["deadlock"];
        if deadlock.is_null() {
            return None;
        }
        let found = findings(path);
        let inversions: Vec<&Finding> = found.iter().filter(|f| f.code == Code::LockOrderInversion).collect();
        let predictable = deadlock["predictable"].as_u64().expect("a count");
        if predictable > 0 && inversions.len() as u64 != predictable {
            return Some(format!("expected {predictable} inversions, found {}", inversions.len()));
        }
        if deadlock["abstract_patterns"] == 0 && !inversions.is_empty() {
            return Some(format!("nothing to find, but reported {}", inversions[0].title));
        }
        for instance in deadlock["predictable_instances"].as_array().into_iter().flatten() {
            let lines: Vec<u64> = instance.as_array().expect("lines").iter().filter_map(Value::as_u64).collect();
            if !inversions.iter().any(|finding| requests(finding).any(|events| events == sorted(&lines))) {
                return Some(format!("no inversion asks on lines {lines:?}"));
            }
        }
        None
    });
}

#[test]
fn fork_and_join_keep_sides_apart() {
    let path = corpus().join("small/d04_abba_join_ordered.std");
    assert_eq!(findings(&path), []);
}

#[test]
fn malformed_traces_are_named() {
    for_each("edge", |path, facts| {
        let expected = facts["error_line"].as_u64().map(|line| (line, facts["error_kind"].as_str().unwrap_or("?")));
        assert_eq!(expected.is_none(), facts["wellformed"] == true, "{}", path.display());
        let got = match read(path) {
            Ok(_) => None,
            Err(Error::Format { place: Place::Line(line), kind, .. }) => Some((line, kind)),
            Err(other) => return Some(other.to_string()),
        };
        (got != expected).then(|| format!("expected {expected:?}, got {got:?}"))
    });
}

#[test]
fn extended_traces_get_their_verdict() {
    for_each("ext", |path, facts| {
        let found = findings(path);
        let actual = found.iter().any(|finding| finding.confidence == Confidence::Actual);
        let potential = found.iter().any(|finding| finding.confidence == Confidence::Potential);
        let right = match facts["expected"]["deadlock"].as_str()? {
            "observed" => actual,
            "predictable" => potential && !actual,
            "none" => found.is_empty(),
            other => return Some(format!("unknown verdict {other}")),
        };
        (!right).then(|| format!("found {:?}", found.iter().map(|finding| &finding.title).collect::<Vec<_>>()))
    });
}

/// Positions where the threads of the finding ask, for every combination of places.
fn requests(finding: &Finding) -> impl Iterator<Item = Vec<u64>> {
    std::iter::once(&finding.participants).chain(&finding.variants).map(|participants| {
        sorted(&participants.iter().filter_map(|p| Some(p.wanted.as_ref()?.event)).collect::<Vec<_>>())
    })
}

fn sorted(lines: &[u64]) -> Vec<u64> {
    let mut lines = lines.to_vec();
    lines.sort_unstable();
    lines
}

fn findings(path: &Path) -> Vec<Finding> {
    read(path).unwrap_or_else(|error| panic!("{error}"))
}

fn read(path: &Path) -> Result<Vec<Finding>, Error> {
    let mut source = input::open(path)?;
    let mut analysis = Analysis::default();
    analysis.feed_all(&mut *source, |_| {})?;
    let findings = analysis.findings(source.definitions());
    assert_eq!(analysis.limits(), Vec::<String>::new(), "{}", path.display());
    Ok(findings)
}

/// Checks every trace of a folder; the check returns what is wrong.
fn for_each(folder: &str, check: impl Fn(&Path, &Value) -> Option<String>) {
    let folder = corpus().join(folder);
    let mut traces: Vec<PathBuf> = fs::read_dir(&folder)
        .unwrap_or_else(|error| panic!("{}: {error}", folder.display()))
        .map(|entry| entry.expect("readable folder").path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "json"))
        .collect();
    traces.sort();
    assert!(traces.len() >= 5, "the corpus is there");
    let wrong: Vec<String> = traces
        .iter()
        .filter_map(|facts| {
            let text = fs::read_to_string(facts).expect("readable facts");
            let trace = facts.with_extension("std");
            let problem = check(&trace, &serde_json::from_str(&text).expect("JSON"))?;
            Some(format!("{}: {problem}", trace.display()))
        })
        .collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

fn corpus() -> PathBuf {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let shared = root.join("../shared/traces");
    if shared.is_dir() { shared } else { root.join("tests/traces") }
}
