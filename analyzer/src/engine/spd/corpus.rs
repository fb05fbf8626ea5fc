//! Published and generated traces beside the repository, when they are there: circles of abstract acquisitions before anything is known
//! of threads and gate locks, abstract deadlock patterns, and those that have a sync-preserving instance.

use std::{fs, path::Path};

use lockscope_trace::Progress;
use serde_json::Value;

use super::{Spd, nodes::Nodes, patterns::Patterns};
use crate::input;

/// Simple circles in which each acquisition asks for a lock that the next one holds, by another thread and without a gate lock: of the
/// abstract lock graph, where only neighbours are compared. `None` if there are too many.
fn circles(nodes: &Nodes) -> Option<u64> {
    let holds = |node: usize, asker: usize| {
        let (asker, node) = (&nodes.all[asker], &nodes.all[node]);
        let mut held = nodes.held(node).iter().map(|(lock, _)| *lock);
        asker.thread != node.thread
            && held.clone().any(|lock| lock == asker.lock)
            && held.all(|lock| nodes.held(asker).iter().all(|(other, _)| *other != lock))
    };
    let next: Vec<Vec<usize>> =
        (0..nodes.all.len()).map(|asker| (0..nodes.all.len()).filter(|&node| holds(node, asker)).collect()).collect();
    let (mut count, mut steps) = (0, 0_u64);
    for start in 0..next.len() {
        // From its lowest acquisition each circle is found once. The stack: who, and which of the next ones is looked at next.
        let mut path = vec![(start, 0)];
        while let Some((at, index)) = path.last_mut() {
            steps += 1;
            if steps > 20_000_000 {
                return None;
            }
            let Some(&other) = next[*at].get(*index) else {
                path.pop();
                continue;
            };
            *index += 1;
            if other == start {
                count += 1;
            } else if other > start && path.iter().all(|&(on, _)| on != other) {
                path.push((other, 0));
            }
        }
    }
    Some(count)
}

/// Circles, patterns, deadlocks.
fn counts(path: &Path) -> [u64; 3] {
    let options = input::Options { lenient: true };
    let mut source = input::open_with(path, &options).unwrap_or_else(|error| panic!("{error}"));
    let (mut spd, mut batch, mut number) = (Spd::default(), Vec::new(), 0);
    loop {
        batch.clear();
        let progress = source.poll(&mut batch).unwrap_or_else(|error| panic!("{error}"));
        for event in &batch {
            number += 1;
            spd.feed(number, event, source.definitions());
        }
        if progress != Progress::More {
            break;
        }
    }
    let nodes = spd.requests.nodes(&spd.history);
    let patterns = Patterns::search(&nodes, u64::MAX);
    assert_eq!(patterns.cut_at, None, "{}", path.display());
    let found = spd.search(u64::MAX);
    let circles = circles(&nodes).unwrap_or_else(|| panic!("{}: the circles are few", path.display()));
    [circles, patterns.all.len() as u64, found.deadlocks.len() as u64]
}

#[test]
fn circles_patterns_and_deadlocks_are_as_many_as_published() {
    let corpus = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/traces");
    let mut seen = Vec::new();
    for folder in ["public", "medium"] {
        let Ok(files) = fs::read_dir(corpus.join(folder)) else { continue };
        for facts in files.map(|file| file.expect("readable folder").path()) {
            if facts.extension().is_none_or(|extension| extension != "json") {
                continue;
            }
            let text = fs::read_to_string(&facts).expect("readable facts");
            let facts_of: Value = serde_json::from_str(&text).expect("JSON");
            let verdict = &facts_of["deadlock_reference"];
            let keys = ["alg_cycles", "abstract_patterns", "sync_preserving"];
            let [Some(circles), Some(patterns), Some(deadlocks)] = keys.map(|key| verdict[key].as_u64()) else {
                continue;
            };
            let trace = facts.with_extension("std.gz");
            if circles == 0 || verdict["truncated"] == true || !trace.exists() {
                continue;
            }
            assert_eq!(counts(&trace), [circles, patterns, deadlocks], "{}", trace.display());
            seen.push([circles, patterns, deadlocks]);
        }
    }
    assert!(seen.is_empty() || seen.contains(&[172, 112, 10]), "the largest one is among them: {seen:?}");
}
