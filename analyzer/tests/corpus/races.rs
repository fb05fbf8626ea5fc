//! Verdicts of the engines that look for races: how many, and at which events.

use std::{
    io::Read,
    path::{Path, PathBuf},
};

use lockscope_analyzer::{Analysis, EngineId, Options, input};
use serde_json::Value;

use crate::{corpus, for_each, sha256};

/// The racing accesses by an engine: the later one of each pair.
fn racing(path: &Path, lenient: bool, engine: EngineId) -> Vec<u64> {
    let mut source = input::open_with(path, &input::Options { lenient }).unwrap_or_else(|error| panic!("{error}"));
    let mut analysis = Analysis::new(Options { engines: vec![engine], all: true, ..Options::default() });
    analysis.feed_all(&mut *source, |_| {}).unwrap_or_else(|error| panic!("{error}"));
    let found = analysis.occurrences(source.definitions());
    assert_eq!(analysis.limits(), Vec::<String>::new(), "{}", path.display());
    for finding in &found {
        let accesses = &finding.evidence.accesses;
        let at: Vec<u64> = accesses.iter().map(|accessed| accessed.event).collect();
        assert_eq!(finding.events, at, "the events are the accesses: {finding:?}");
        assert!(at[0] < at[1] && accesses[0].thread != accesses[1].thread, "two threads, in order: {finding:?}");
    }
    found.iter().filter_map(|finding| finding.events.last().copied()).collect()
}

fn numbers(list: &Value) -> Option<Vec<u64>> {
    list.as_array().map(|list| list.iter().filter_map(Value::as_u64).collect())
}

#[test]
fn small_traces_race_where_their_verdict_says() {
    for_each("small", |path, facts| {
        let races = &facts["expected"]["races"];
        if races.is_null() {
            return None;
        }
        for (engine, expected) in [
            (EngineId::Hb, numbers(&races["hb"])),
            (EngineId::Shb, numbers(&races["shb"])),
            // The definition, too: there is no other list of them.
            (EngineId::Lockset, numbers(&facts["rapid"]["LockSet"]["racy_events"])),
        ] {
            let (expected, found) = (expected.expect("a list"), racing(path, false, engine));
            if found != expected {
                return Some(format!("{}: expected {expected:?}, found {found:?}", engine.as_str()));
            }
            if engine == EngineId::Lockset {
                assert_eq!(races["lockset_events"], found.len(), "{}", path.display());
            }
        }
        None
    });
}

#[test]
fn extended_traces_race_where_their_verdict_says() {
    for_each("ext", |path, facts| {
        let expected = numbers(&facts["expected"]["race_lines"])?;
        let engines = [EngineId::Hb, EngineId::Shb, EngineId::Lockset];
        let wrong = engines.into_iter().find(|&engine| racing(path, false, engine) != expected)?;
        Some(format!("{}: expected {expected:?}", wrong.as_str()))
    });
}

/// Where only counts and hashes are known. These are not in the repository: they are large, and of others.
#[test]
fn large_traces_race_where_their_verdict_says() {
    for folder in ["medium", "public"] {
        if !corpus().join(folder).is_dir() {
            continue;
        }
        for_each(folder, |path, facts| {
            let path: PathBuf = path.with_extension("std.gz");
            // Recorded with gaps: two threads hold a lock at once.
            let lenient = facts["problems"].as_array().is_some_and(|problems| !problems.is_empty());
            for (engine, name) in [(EngineId::Hb, "HB"), (EngineId::Shb, "SHB"), (EngineId::Lockset, "LockSet")] {
                let expected = &facts["rapid"][name];
                let Some(count) = expected["racy_events"].as_u64() else { continue };
                if facts["name"] == "sunflow" && engine != EngineId::Lockset {
                    // Its forks and joins spell `T1` as `1`, which RAPID takes for another thread: it sees none of them. Those who
                    // published the trace have counted with them, and so do the other verdicts on it. See below for RAPID's.
                    if engine == EngineId::Hb {
                        let published = &facts["published_focs_lab_rapid_nscc"]["HBEpoch"]["racy_events"];
                        assert_eq!(racing(&path, lenient, engine).len() as u64, *published, "{}", path.display());
                    }
                    continue;
                }
                let found = racing(&path, lenient, engine);
                let text: Vec<String> = found.iter().map(u64::to_string).collect();
                let is_right = match expected["event_ids_sha256"].as_str() {
                    Some(hash) => sha256::hex(text.join(",").as_bytes()) == hash,
                    None => numbers(&expected["event_ids"]).is_none_or(|expected| expected == found),
                };
                if found.len() as u64 != count || !is_right {
                    let expected = numbers(&expected["event_ids"]).unwrap_or_default();
                    let wrong: Vec<_> = found
                        .iter()
                        .filter(|event| !expected.contains(event))
                        .chain(expected.iter().filter(|event| !found.contains(event)))
                        .take(10)
                        .collect();
                    return Some(format!("{name}: expected {count} races, found {}; differing {wrong:?}", found.len()));
                }
            }
            None
        });
    }
}

/// The one trace on which RAPID's verdict is not the definition's: without the forks and joins that RAPID does not see, both are the same.
#[test]
fn sunflow_without_forks_and_joins_is_as_rapid_sees_it() {
    let path = corpus().join("public/rv_sunflow.std.gz");
    let Ok(file) = std::fs::File::open(&path) else { return };
    let facts = std::fs::read_to_string(corpus().join("public/rv_sunflow.json")).expect("readable facts");
    let facts: Value = serde_json::from_str(&facts).expect("JSON");
    let mut text = String::new();
    flate2::read::MultiGzDecoder::new(file).read_to_string(&mut text).expect("text");
    let without = |line: &str| match line.split('|').nth(1) {
        Some(op) if op.starts_with("fork") || op.starts_with("join") => {
            format!("{}|dummy(x)|1\n", line.split('|').next().unwrap_or_default())
        }
        _ => format!("{line}\n"),
    };
    let text: String = text.lines().map(without).collect();
    for (engine, name) in [(EngineId::Hb, "HB"), (EngineId::Shb, "SHB")] {
        let reader = Box::new(std::io::Cursor::new(text.clone().into_bytes()));
        let mut source = input::open_read(Path::new("sunflow.std"), reader, &input::Options::default())
            .unwrap_or_else(|error| panic!("{error}"));
        let mut analysis = Analysis::new(Options { engines: vec![engine], all: true, ..Options::default() });
        analysis.feed_all(&mut *source, |_| {}).unwrap_or_else(|error| panic!("{error}"));
        let found = analysis.occurrences(source.definitions());
        let found: Vec<u64> = found.iter().filter_map(|finding| finding.events.last().copied()).collect();
        assert_eq!(Some(&found), numbers(&facts["rapid"][name]["event_ids"]).as_ref(), "{name}");
    }
}
