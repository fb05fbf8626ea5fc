//! Predicted deadlocks and races over the trace corpus, event by event, each proved by its witness: the whole corpus beside the
//! repository when it is there, else the copy of its hand-made part in `tests/traces`.

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
};

use lockscope_analyzer::{Analysis, Code, Confidence, EngineId, Finding, Options, engine::Claims, input};
use serde_json::Value;

#[test]
fn sync_preserving_deadlocks() {
    let mut n_deadlocks = 0;
    for_each(|path, facts| {
        let verdicts = ["deadlock_reference", "deadlock_reference_without_wait_semantics"].map(|key| &facts[key]);
        let mut verdicts = [&facts["expected"]["deadlock"]].into_iter().chain(verdicts);
        let verdict = verdicts.find(|verdict| verdict["sp_instances"].is_array())?;
        let expected: BTreeSet<Vec<u64>> = verdict["sp_instances"].as_array()?.iter().map(numbers).collect();
        assert_eq!(verdict["sync_preserving"].as_u64(), Some(expected.len() as u64), "the facts agree");
        n_deadlocks += expected.len();
        let found: BTreeSet<Vec<u64>> = occurrences(path, EngineId::Spd).into_iter().map(|f| f.events).collect();
        (found != expected).then(|| format!("expected {expected:?}, found {found:?}"))
    });
    assert!(n_deadlocks >= 10, "there are some");
}

#[test]
fn sync_preserving_races() {
    let mut n_races = 0;
    for_each(|path, facts| {
        let by_hand = &facts["expected"]["races"]["syncp"];
        let expected = if by_hand.is_array() { by_hand } else { &facts["syncp_reference"]["event_ids"] };
        let count = facts["syncp_reference"]["racy_events"].as_u64();
        if !expected.is_array() && count.is_none() {
            return None;
        }
        let mut found: Vec<u64> =
            occurrences(path, EngineId::SyncP).iter().filter_map(|finding| finding.events.last().copied()).collect();
        found.sort_unstable();
        n_races += found.len();
        if expected.is_array() {
            let expected = numbers(expected);
            return (found != expected).then(|| format!("expected {expected:?}, found {found:?}"));
        }
        (count != Some(found.len() as u64)).then(|| format!("expected {count:?}, found {}", found.len()))
    });
    assert!(n_races >= 10, "there are some");
}

/// The hand-made traces, as a user sees them: what is predicted is an error with a witness, and nothing is said twice.
#[test]
fn predictions_are_told_once() {
    for_each(|path, facts| {
        let verdict = &facts["expected"]["deadlock"];
        let expected = verdict["sync_preserving"].as_u64()?;
        let engines = vec![EngineId::LockOrder, EngineId::Spd];
        let found = run(path, Options { engines, ..Options::default() }, false);
        let predicted: Vec<&Finding> = found.iter().filter(|f| f.code == Code::PredictedDeadlock).collect();
        for finding in &predicted {
            assert_eq!(finding.confidence, Confidence::Predicted);
            let witness = finding.evidence.witness.as_ref().expect("a witness");
            assert_eq!(witness.next.len(), finding.participants.len());
        }
        let inversions = found.iter().filter(|f| f.code == Code::LockOrderInversion).count() as u64;
        let told = (predicted.len() as u64, inversions);
        let predictable = verdict["predictable"].as_u64()?;
        let right = told.0 == expected && (predictable == 0 || told.0 + told.1 == predictable);
        (!right).then(|| format!("{expected} of {predictable} are predicted, told {told:?}"))
    });
}

/// Every occurrence that the engine claims, each proved unless the trace itself is not well-formed.
fn occurrences(path: &Path, engine: EngineId) -> Vec<Finding> {
    let options = Options { engines: vec![engine], all: true, ..Options::default() };
    run(path, options, true)
}

fn run(path: &Path, options: Options, all: bool) -> Vec<Finding> {
    let open = || input::open_with(path, &input::Options { lenient: true }).unwrap_or_else(|error| panic!("{error}"));
    let mut source = open();
    let mut analysis = Analysis::new(options);
    analysis.feed_all(&mut *source, |_| {}).unwrap_or_else(|error| panic!("{error}"));
    let mut claims = Claims::new(analysis.claims(source.definitions()));
    let mut again = open();
    let mut batch = Vec::new();
    loop {
        batch.clear();
        let progress = again.poll(&mut batch).expect("it was readable before");
        claims.feed(&batch, again.definitions());
        if progress != lockscope_trace::Progress::More {
            break;
        }
    }
    let outcomes = claims.finish(source.definitions());
    for outcome in &outcomes {
        assert!(outcome.proof.is_ok(), "{}: {outcome:?}", path.display());
    }
    analysis.settle(outcomes);
    if all { analysis.occurrences(source.definitions()) } else { analysis.findings(source.definitions()) }
}

fn numbers(list: &Value) -> Vec<u64> {
    let mut numbers: Vec<u64> = list.as_array().expect("a list").iter().filter_map(Value::as_u64).collect();
    numbers.sort_unstable();
    numbers
}

/// Checks every trace that there is; the check returns what is wrong.
fn for_each(mut check: impl FnMut(&Path, &Value) -> Option<String>) {
    let mut wrong = Vec::new();
    let mut n_traces = 0;
    for folder in ["small", "medium", "public"] {
        let Ok(folder) = fs::read_dir(corpus().join(folder)) else { continue };
        let mut traces: Vec<PathBuf> = folder.map(|entry| entry.expect("readable folder").path()).collect();
        traces.retain(|path| path.extension().is_some_and(|extension| extension == "json"));
        traces.sort();
        for facts in traces {
            let text = fs::read_to_string(&facts).expect("readable facts");
            let paths = ["std", "std.gz"].map(|extension| facts.with_extension(extension));
            let trace = paths.into_iter().find(|path| path.exists()).expect("a trace for the facts");
            n_traces += 1;
            let problem = check(&trace, &serde_json::from_str(&text).expect("JSON"));
            wrong.extend(problem.map(|problem| format!("{}: {problem}", trace.display())));
        }
    }
    assert!(n_traces >= 30, "the corpus is there");
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

fn corpus() -> PathBuf {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let shared = root.join("../shared/traces");
    if shared.is_dir() { shared } else { root.join("tests/traces") }
}
